"""The cases of the invented school: each a plan, and one way to tell any plan."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from app.access.person import Person
from app.demo.telling import Cast, Story, Teller
from app.demo.terms import at
from app.demo.themes import MORE, Theme

Route = Literal["self", "parent", "staff", "mentor"]
_SAID_BY = {
    "self": "the pupil, by a slip in the letter box",
    "parent": "a parent, by telephone",
    "staff": "the form tutor",
    "mentor": "a peer mentor who knows the pupil from Games Club",
}
_PLACES = ("Library, round table", "Room 12", "Student Support", "Games Club corner")
_FORTNIGHT = 10
"""School days between sessions: every other week."""


@dataclass
class Plan:
    """One case: referred so many school days ago, and what becomes of it. `case_id` is set in the telling."""

    back: int
    theme: Theme
    mentor: str | None = None
    route: Route = "staff"
    missed: tuple[int, ...] = ()
    late: tuple[int, ...] = ()
    sessions: int = 6
    asks_for_more: bool = False
    extend_by: int = 0
    stop_after: int | None = None
    """How many sessions are held before nothing more is recorded; None: all of them."""
    close_early: str | None = None
    close: bool = False
    case_id: UUID | None = None
    called: str = ""
    mentor_person: Person | None = field(default=None, repr=False)

    def say(self, words: str) -> str:
        """Words about this mentee."""
        return words.format(name=self.called)


def mentoring(t: Teller, cast: Cast, plan: Plan, number: int) -> Story:
    """A case from its mentoring referral as far as the plan goes; without a mentor it waits."""
    yield t.time(plan.back, f"{9 + number % 6:02d}:{number * 7 % 60:02d}")
    _refer(t, cast, plan)
    if plan.mentor is None:
        return
    price = cast.staff["coordinator" if number % 4 else "coordinator2"]
    yield t.time(plan.back - 3, f"10:{number * 11 % 60:02d}")
    t.give(
        price,
        "cases/match",
        plan.case_id,
        mentor_id=str(cast.mentors[plan.mentor]),
        reason="Has a place, and they will get on.",
    )
    mentor = plan.mentor_person = cast.mentor_accounts[plan.mentor]
    yield t.time(plan.back - 5, f"13:{number % 30:02d}")
    t.give(
        mentor,
        "cases/agree-purpose",
        plan.case_id,
        purpose=plan.say(plan.theme.purpose),
        expectations="Every other week, in school. What we say stays between us unless somebody isn't safe.",
    )
    back = plan.back - 6
    _arrange(t, plan, mentor, back, number)
    for turn in range(plan.sessions):
        if turn == plan.stop_after:
            return
        if turn in plan.missed:
            yield t.time(back - 1, f"08:{30 + number % 20:02d}")
            t.give(
                mentor,
                "cases/miss-session",
                plan.case_id,
                due_on=t.day(back).isoformat(),
                reason=plan.say("{name} was away ill. We meet next week instead."),
            )
            back -= 5
            _arrange(t, plan, mentor, back, number)
        yield t.time(back - (3 if turn in plan.late else 0), f"13:{15 + number % 40:02d}")
        _hold(t, plan, mentor, turn, back)
        back -= _FORTNIGHT
        if turn + 1 < plan.sessions and turn + 1 != plan.stop_after:
            yield t.time(back + _FORTNIGHT - 1 - (3 if turn in plan.late else 0), f"12:{number % 60:02d}")
            _arrange(t, plan, mentor, back, number)
    yield from _after_the_last(t, price, plan, back + _FORTNIGHT, number)


def _refer(t: Teller, cast: Cast, plan: Plan) -> None:
    day = t.day(plan.back)
    pupil = cast.mentee(day, t.today)
    plan.called = pupil.called
    plan.case_id = t.give(
        cast.staff["coordinator"],
        "cases/refer",
        pupil_id=str(cast.ids[pupil.name]),
        route=plan.route,
        reasons=list(plan.theme.reasons),
        words=plan.say(plan.theme.words),
        referred_by=_SAID_BY[plan.route],
    )


def _arrange(t: Teller, plan: Plan, mentor: Person, back: int, number: int) -> None:
    when = at(t.day(back), f"13:{number % 3 * 5:02d}")
    t.give(
        mentor,
        "cases/arrange-session",
        plan.case_id,
        at=when.isoformat(),
        place=_PLACES[number % len(_PLACES)],
    )


def _hold(t: Teller, plan: Plan, mentor: Person, turn: int, back: int) -> None:
    focus, notes = (plan.theme.sessions + MORE)[turn]
    t.give(
        mentor,
        "cases/hold-session",
        plan.case_id,
        held_on=t.day(back).isoformat(),
        minutes=25 + turn * 5 % 20,
        focus=focus,
        notes=plan.say(notes),
        friend_came=turn == 2 and len(plan.called) % 2 == 0,
    )


def _after_the_last(t: Teller, price: Person, plan: Plan, back: int, number: int) -> Story:
    """What follows the last session of the plan: the review, where the plan has one."""
    minute = f"{number * 13 % 60:02d}"
    mentor = plan.mentor_person
    if plan.close_early:
        yield t.time(back - 4, f"11:{minute}")
        t.give(price, "cases/close", plan.case_id, outcome="Stopped early", reason=plan.say(plan.close_early))
        return
    if plan.asks_for_more and mentor:
        yield t.time(back - 1, f"13:{minute}")
        t.give(mentor, "cases/ask-for-more", plan.case_id, words=plan.say(plan.theme.wishes))
    if plan.extend_by and mentor:
        yield t.time(back - 3, f"11:{minute}")
        t.give(
            price,
            "cases/extend",
            plan.case_id,
            sessions=plan.extend_by,
            reason=plan.say("It is working, and {name} isn't quite there yet."),
            mentee_wishes=plan.say(plan.theme.wishes),
        )
        for turn in range(plan.extend_by):
            back -= _FORTNIGHT
            yield t.time(back, f"13:{15 + number % 40:02d}")
            _hold(t, plan, mentor, plan.sessions + turn, back)
    if plan.close:
        yield t.time(back - 4, f"14:{minute}")
        t.give(
            price,
            "cases/close",
            plan.case_id,
            outcome=plan.theme.outcome,
            reason=plan.say(plan.theme.closing),
        )
