"""Telling the cases of the invented school: one way to tell any plan."""

from datetime import timedelta

from app.access.person import Person
from app.demo.plans import Meeting, Plan
from app.demo.telling import Cast, Story, Teller, later
from domain.mentee_case import MenteeCase


def mentoring(t: Teller, cast: Cast, plan: Plan) -> Story:
    """A case from its mentoring referral as far as its plan goes; without a mentor it waits."""
    yield plan.referred
    refer(t, cast, plan)
    price = cast.staff[plan.coordinator]
    if plan.tale.ending == "declined" and plan.ended:
        yield plan.ended
        reason = plan.say(plan.tale.reason)
        t.give(price, "cases/decline", plan.case_id, reason=reason, signposted_to=plan.tale.outcome)
    if plan.matched is None or plan.mentor is None:
        return
    yield plan.matched
    match(t, cast, plan)
    if plan.letter:
        yield later(plan.matched, 20)
        write_home(t, cast, plan, plan.letters[0])
    yield from _meetings(t, cast, plan)
    if plan.ended:
        yield plan.ended
        t.give(
            price, "cases/close", plan.case_id, outcome=plan.tale.outcome, reason=plan.say(_why_closed(plan))
        )
        if plan.tale.ending == "closed":
            yield later(plan.ended, 9)
            write_home(t, cast, plan, plan.letters[1])


def write_home(t: Teller, cast: Cast, plan: Plan, about: str) -> None:
    """A letter home, sent on the day on which it is recorded."""
    sent_on = t.casework.today().isoformat()
    t.give(cast.staff[plan.coordinator], "cases/send-letter", plan.case_id, kind=about, sent_on=sent_on)


def refer(t: Teller, cast: Cast, plan: Plan) -> None:
    """The mentoring referral."""
    plan.case_id = t.give(
        cast.staff[plan.coordinator],
        "cases/refer",
        pupil_id=str(cast.ids[plan.pupil.name]),
        route=plan.tale.route,
        reasons=list(plan.tale.reasons),
        words=plan.say(plan.tale.words),
        referred_by=plan.referred_by,
    )


def match(t: Teller, cast: Cast, plan: Plan) -> None:
    """Match the mentor of the plan."""
    if plan.mentor is None:
        raise LookupError("Only a plan with a mentor can be matched.")
    name = plan.mentor.pupil.name
    t.give(
        cast.staff[plan.coordinator],
        "cases/match",
        plan.case_id,
        mentor_id=str(cast.mentors[name]),
        reason=plan.match_reason,
    )
    plan.mentor_person = cast.mentor_accounts[name]


def _meetings(t: Teller, cast: Cast, plan: Plan) -> Story:
    """The meetings, and the review between them where the case is extended."""
    first = plan.meetings[0]
    yield later(plan.matched or first.starts, 95)
    arrange(t, plan, first)
    yield first.starts + timedelta(minutes=2)
    t.give(
        _mentor(plan),
        "cases/agree-purpose",
        plan.case_id,
        purpose=plan.say(plan.tale.purpose),
        expectations=plan.expectations,
    )
    planned = len(plan.tale.sessions)
    held = 0
    for number, meeting in enumerate(plan.meetings):
        if number == plan.stops_before:
            return
        yield meeting.recorded
        record(t, plan, meeting)
        if meeting.misread:
            yield later(meeting.recorded, 1)
            correct_minutes(t, plan, meeting)
        held += meeting.session is not None
        free_from = later(meeting.recorded, 2)
        if held == planned and meeting.session and plan.asked and plan.extended:
            yield plan.asked
            words = plan.say(plan.tale.more_wishes)
            t.give(_mentor(plan), "cases/ask-for-more", plan.case_id, words=words)
            yield plan.extended
            extend(t, cast, plan)
            free_from = later(plan.extended, 40)
        if plan.second and number == plan.second.after:
            yield plan.second.ended
            hand_over(t, cast, plan)
            free_from = later(plan.second.matched, 95)
            yield plan.second.matched
            match(t, cast, plan)
        if number + 1 < len(plan.meetings):
            yield free_from
            arrange(t, plan, plan.meetings[number + 1])


def arrange(t: Teller, plan: Plan, meeting: Meeting) -> None:
    """Arrange the next meeting."""
    at_time = meeting.starts.isoformat()
    t.give(_mentor(plan), "cases/arrange-session", plan.case_id, at=at_time, place=meeting.place)


def record(t: Teller, plan: Plan, meeting: Meeting) -> None:
    """What the mentor writes about a meeting, or about one that didn't happen."""
    on, session = meeting.starts.date().isoformat(), meeting.session
    if session is None:
        t.give(_mentor(plan), "cases/miss-session", plan.case_id, due_on=on, reason=meeting.missed)
        return
    t.give(
        _mentor(plan),
        "cases/hold-session",
        plan.case_id,
        held_on=on,
        minutes=meeting.misread or meeting.minutes,
        focus=plan.say(session.focus),
        notes=plan.say(session.notes),
        friend_came=session.friend_came,
    )


def correct_minutes(t: Teller, plan: Plan, meeting: Meeting) -> None:
    """The mentor had typed another number than they meant, and says so."""
    t.give(
        _mentor(plan),
        "cases/correct",
        plan.case_id,
        version=t.version(MenteeCase, plan.case_id),
        field="minutes",
        value=str(meeting.minutes),
        reason="I hit the wrong key.",
    )


def hand_over(t: Teller, cast: Cast, plan: Plan) -> None:
    """The mentor can't go on; from now on the plan's mentor is the second one."""
    if plan.second is None:
        raise LookupError("This plan has one mentor.")
    price = cast.staff[plan.coordinator]
    t.give(price, "cases/end-match", plan.case_id, reason=plan.say(plan.second.why))
    plan.mentor, plan.match_reason = plan.second.mentor, plan.second.match_reason


def extend(t: Teller, cast: Cast, plan: Plan) -> None:
    """Extend it at the review, as the tale says."""
    t.give(
        cast.staff[plan.coordinator],
        "cases/extend",
        plan.case_id,
        sessions=len(plan.tale.more),
        reason=plan.say(plan.tale.more_because),
        mentee_wishes=plan.say(plan.tale.more_wishes),
    )


def _why_closed(plan: Plan) -> str:
    tale = plan.tale
    if tale.wishes and not tale.more:
        return f"{tale.reason} Asked at the review: {tale.wishes}"
    return tale.reason


def _mentor(plan: Plan) -> Person:
    if plan.mentor_person is None:
        raise LookupError("Only a matched case has a mentor.")
    return plan.mentor_person
