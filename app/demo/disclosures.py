"""What some mentees told their mentors in the invented year, and what the safeguarding lead did about it.

Each is told by its script, with the days and times of the case that it happened in.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.access.person import Person
from app.demo.plans import Plan
from app.demo.scripts import Script, Step, scripts
from app.demo.tales import say
from app.demo.telling import Cast, Story, Teller, later
from app.demo.terms import at, next_school_day
from domain.concern import Concern

FRESH_MINUTES: Final = 40
_ALERTED_MINUTES: Final = 1
_SOONEST_MINUTES: Final = 14
"""No step follows sooner on the mentor's words, whatever the time of day."""


def told_to_mentors(t: Teller, cast: Cast, plans: dict[str, Plan]) -> list[Story]:
    """Every disclosure that has a script."""
    return [disclosing(t, cast, plans[script.key], script) for script in scripts()]


def disclosing(t: Teller, cast: Cast, plan: Plan, script: Script) -> Story:
    """The mentor breaks confidentiality straight after the session, and the lead goes on from there."""
    when = told_at(plan, script.after)
    yield later(when, script.passed_on_after)
    mentor = plan.mentor_person
    if mentor is None or plan.mentor is None:
        raise LookupError("Only somebody who has a mentor tells a mentor.")
    said: dict[str, Any] = {
        name: say(words, plan.pupil, plan.mentor.pupil.called) for name, words in script.said.items()
    }
    if script.passed_on:
        said["passed_on"] = [{"whom": script.passed_on, "at": "straight after"}]
    concern = t.worry(mentor, plan.case_id, disclosed_at=when.isoformat(), immediate_danger=False, **said)
    written = later(when, script.passed_on_after)
    first = _time(when, written, script.steps[0])
    yield from _alerts(t, concern, (cast.staff["dsl"], cast.staff["deputy"]), written, until=first)
    for step in script.steps:
        yield _time(when, written, step)
        _take(t, cast, plan, concern, when, step)


def _time(told: datetime, written: datetime, step: Step) -> datetime:
    by_clock = at(_day(told, step.days), step.clock) if step.clock else told
    return max(by_clock, later(written, step.minutes or _SOONEST_MINUTES))


def _alerts(
    t: Teller, concern: UUID, people: tuple[Person, ...], raised: datetime, *, until: datetime
) -> Story:
    """The alerts as they went out: at once, and again and again until somebody read the concern."""
    when = later(raised, _ALERTED_MINUTES)
    while when < until:
        yield when
        t.alerted(concern, people)
        when = later(when, t.casework.policy().alert_again_after_minutes)


def told_at(plan: Plan, after: int) -> datetime:
    """When the session of that number ended, in which it was said."""
    held = [meeting for meeting in plan.meetings if meeting.session]
    return held[after].starts + timedelta(minutes=held[after].minutes)


def _take(t: Teller, cast: Cast, plan: Plan, concern: UUID, told: datetime, step: Step) -> None:
    values: dict[str, Any] = {}
    for name, value in step.said.items():
        if isinstance(value, int):
            values[name] = _day(told, value).isoformat()
        elif name == "sent_at":
            values[name] = at(_day(told, step.days), value).isoformat()
        else:
            values[name] = plan.say(value)
    if step.command == "concerns/complete-action":
        loaded = t.casework.load(Concern, concern)
        values["action_version"] = max(loaded.open_actions) if loaded else 0
    subject = plan.case_id if step.command.startswith("cases/") else concern
    t.give(cast.staff[step.who], step.command, subject, **values)


def _day(told: datetime, later_by: int) -> date:
    return next_school_day(told.date(), later_by) if later_by else told.date()


def about_staff(t: Teller, cast: Cast) -> Story:
    """An allegation about an adult: the head's to answer, and out of everybody else's sight."""
    yield t.time(29, "15:30")
    concern = t.worry(
        cast.staff["tutor"],
        None,
        about="staff",
        about_words="A visiting sports coach",
        facts="He gave his own telephone number to two Year 9 pupils after practice.",
        opinion="Probably thoughtless, but against the code.",
    )
    adeyemi = cast.staff["head"]
    yield from _alerts(t, concern, (adeyemi,), t.time(29, "15:30"), until=t.time(29, "16:05"))
    yield t.time(29, "16:05")
    t.give(adeyemi, "concerns/acknowledge", concern)
    yield t.time(28, "09:40")
    t.give(
        adeyemi,
        "concerns/decide",
        concern,
        decision="monitor",
        rationale="Low-level concern: the number was for lifts to a match. The club was told.",
        alternatives="The local authority designated officer was asked and agreed.",
    )
    yield t.time(14, "16:10")
    t.give(
        adeyemi,
        "concerns/close",
        concern,
        outcome="Low-level concern, recorded",
        rationale="Two weeks of practice were visited without notice. The club has given its coaches the"
        " code again.",
    )


def fresh_concern(t: Teller, cast: Cast, plan: Plan) -> Story:
    """Passed on a little while ago, and nobody has read it yet."""
    raised = later(t.now, -FRESH_MINUTES)
    yield raised
    mentor = plan.mentor_person
    if mentor is None:
        raise LookupError("The mentee has a mentor by now.")
    concern = t.worry(
        mentor,
        plan.case_id,
        childs_words="If I told you something about my brother, would you have to tell?",
        facts=plan.say("{name} had a mark on {his} arm and pulled {his} sleeve down when I looked."),
        opinion="I keep thinking about it. I'd rather say it once too often.",
        disclosed_at=told_at(plan, 1).isoformat(),
        mentee_informed="Yes: I said that I can't promise to keep it.",
    )
    yield from _alerts(t, concern, (cast.staff["dsl"], cast.staff["deputy"]), raised, until=t.now)
