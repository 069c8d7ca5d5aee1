"""What some mentees told their mentors in the invented year, and what the safeguarding lead did about it.

Each is told by its script, with the days and times of the case that it happened in.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from typing import Any, Final
from uuid import UUID

from app.access.person import Person
from app.demo.people import Pupil
from app.demo.plans import Plan
from app.demo.scripts import Script, Step, scripts
from app.demo.tales import say
from app.demo.telling import Cast, Story, Teller, later
from app.demo.terms import at, is_school_day, next_school_day
from domain.concern import Concern

FRESH: Final = "brother"
"""The case in which a mentor has passed something on that is new."""
FRESH_MINUTES: Final = 40
_IN_SCHOOL: Final = (time(8, 40), time(16, 30))
"""When a mentor has passed something on by now, and a lead may not have read it yet."""
_END_OF_DAY: Final = "15:24"
_ON_ONES_MIND: Final = 4
"""Calendar days for which a mentor may think about what they saw: a weekend, and not a holiday."""
_ALERTED_MINUTES: Final = 1
_SOONEST_MINUTES: Final = 14
"""No step follows sooner on the mentor's words, whatever the time of day."""


def told_to_mentors(t: Teller, cast: Cast, plans: dict[str, Plan]) -> list[Story]:
    """Every disclosure that has a script."""
    told: list[Story] = []
    for script in scripts():
        tell = fresh_concern if script.key == FRESH else disclosing
        told.append(tell(t, cast, plans[script.key], script))
    return told


def fresh_concern(t: Teller, cast: Cast, plan: Plan, script: Script) -> Story:
    """Passed on a little while ago and not read yet, if that can be so at the moment of this demo's begin.

    No mentor raises anything at night or in the holidays, and no lead leaves it unread over a weekend. Then
    it was passed on as the school day ended and read that afternoon, and was decided unless tomorrow is soon.
    """
    told, today = told_at(plan, script.after).date(), t.today
    on_ones_mind = (today - told).days <= _ON_ONES_MIND
    first, last = _IN_SCHOOL
    if is_school_day(today) and on_ones_mind and first <= t.now.time() <= last:
        return disclosing(t, cast, plan, replace(script, steps=()), later(t.now, -FRESH_MINUTES))
    evening = is_school_day(today) and on_ones_mind and t.now.time() > last
    raised = at(today if evening else told, _END_OF_DAY)
    if is_school_day(raised.date() + timedelta(days=1)) and (today - raised.date()).days <= 1:
        before = takewhile(lambda step: step.command != "concerns/decide", script.steps)
        script = replace(script, steps=tuple(before))
    return disclosing(t, cast, plan, script, raised)


def disclosing(t: Teller, cast: Cast, plan: Plan, script: Script, raised: datetime | None = None) -> Story:
    """The mentor breaks confidentiality straight after the session, and the lead goes on from there.

    `raised` is another time at which the mentor did so.
    """
    when = told_at(plan, script.after)
    written = raised or later(when, script.passed_on_after)
    yield written
    mentor = plan.mentor_person
    if mentor is None or plan.mentor is None:
        raise LookupError("Only somebody who has a mentor tells a mentor.")
    said: dict[str, Any] = {
        name: say(words, plan.pupil, plan.mentor.pupil.called) for name, words in script.said.items()
    }
    if script.passed_on:
        said["passed_on"] = [{"whom": script.passed_on, "at": "straight after"}]
    concern = t.worry(mentor, plan.case_id, disclosed_at=when.isoformat(), immediate_danger=False, **said)
    first = _time(when, written, script.steps[0]) if script.steps else t.now
    yield from _alerts(t, concern, (cast.staff["dsl"], cast.staff["deputy"]), written, until=first)
    for step in script.steps:
        yield _time(when, written, step)
        _take(t, cast, plan, concern, written, step)


def _time(told: datetime, written: datetime, step: Step) -> datetime:
    by_clock = at(_day(written, step.days), step.clock) if step.clock else told
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


def _take(t: Teller, cast: Cast, plan: Plan, concern: UUID, written: datetime, step: Step) -> None:
    values: dict[str, Any] = {}
    for name, value in step.said.items():
        if name == "sent_at" and isinstance(value, int):
            values[name] = later(written, value).isoformat()
        elif isinstance(value, int):
            values[name] = _day(written, value).isoformat()
        else:
            values[name] = plan.say(value)
    if step.command == "concerns/complete-action":
        loaded = t.casework.load(Concern, concern)
        values["action_version"] = max(loaded.open_actions) if loaded else 0
    subject = plan.case_id if step.command.startswith("cases/") else concern
    t.give(cast.staff[step.who], step.command, subject, **values)


def _day(told: datetime, later_by: int) -> date:
    return next_school_day(told.date(), later_by) if later_by else told.date()


def small_worry(t: Teller, cast: Cast, pupil: Pupil) -> Story:
    """A tutor's worry of the last school day, decided on the next one unless a holiday lies between."""
    raised, read = t.time(1, "15:10"), t.time(1, "15:34")
    yield raised
    concern = t.worry(
        cast.staff["tutor"],
        None,
        about_words=f"{pupil.shown}, in my form",
        facts="No lunch and no money for it, for the third time in a fortnight.",
        opinion=say("{He} says it's only forgotten, and it may well be.", pupil),
    )
    deputy = cast.staff["deputy"]
    yield from _alerts(t, concern, (cast.staff["dsl"], deputy), raised, until=read)
    yield read
    t.give(deputy, "concerns/acknowledge", concern)
    following = next_school_day(raised.date())
    soon = (following - raised.date()).days <= _ON_ONES_MIND
    yield at(following, "10:20") if soon else t.time(1, "16:10")
    t.give(
        deputy,
        "concerns/decide",
        concern,
        decision="monitor",
        rationale=say("{His} father rang back: new shifts, and mornings that aren't sorted yet.", pupil),
        alternatives="Early help was offered, and isn't wanted at present.",
    )
    t.give(
        deputy,
        "concerns/assign-action",
        concern,
        action="Ask how lunch has been",
        owner="Mr Farrell",
        due_on=next_school_day(raised.date(), 9).isoformat(),
    )


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
