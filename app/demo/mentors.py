"""The peer mentors of the invented school: how each came to it, and how they are looked after."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from app.access.person import Person
from app.demo.people import PASSWORD
from app.demo.recruits import Recruit
from app.demo.tales import lists, say
from app.demo.telling import Cast, Story, Teller
from app.demo.terms import at, next_school_day
from app.staff_office import StaffOffice

COURSE: Final = "Peer mentor training, two days"
AGREEMENT: Final = "2"
_FIRST_PANELS: Final = (
    "Ms Price and Mr Bevan",
    "Mr Bevan and Ms Hughes",
    "Ms Price and Mr Okonkwo",
)
"""Before there was a mentor to sit on one."""
_FIRST_BACK: Final = 165
_PANELS: Final = (
    "Ms Price, Mr Bevan and the Head Peer Mentor",
    "Mr Bevan and two peer mentors",
    "Ms Price, Ms Hughes and a Deputy Head Peer Mentor",
)
_SUPERVISED_BACK: Final = (168, 144, 120, 96, 70, 44, 18)
_MISSES_SUPERVISION_FROM: Final = 60


def recruiting(t: Teller, cast: Cast, office: StaffOffice, recruit: Recruit) -> Story:
    """From the application as far as this pupil came, with an account once they may mentor."""
    price = cast.staff["coordinator"]
    number, pupil, applied = recruit.number, recruit.pupil, recruit.applied
    panels = _FIRST_PANELS if applied < t.day(_FIRST_BACK) else _PANELS
    minute = f"{number * 7 % 60:02d}"

    def on(later: int) -> date:
        return next_school_day(applied, later)

    yield at(applied, f"12:{minute}")
    mentor = t.give(price, "mentors/apply", pupil_id=str(cast.ids[pupil.name]), statement=recruit.statement)
    cast.mentors[pupil.name] = mentor
    if recruit.stage == "applied":
        return
    yield at(on(4), f"14:{minute}")
    t.give(
        price,
        "mentors/interview",
        mentor,
        held_on=on(4).isoformat(),
        panel=panels[number % len(panels)],
        notes=recruit.interview,
    )
    if recruit.stage == "interviewed":
        return
    yield at(on(5), f"15:{minute}")
    if recruit.stage == "turned_down":
        t.give(price, "mentors/turn-down", mentor, reason=recruit.decision)
        return
    t.give(price, "mentors/select", mentor, reason=recruit.decision)
    if recruit.stage == "selected":
        return
    yield at(on(8), f"15:{minute}")
    t.give(price, "mentors/train", mentor, course=COURSE, completed_on=on(8).isoformat())
    if recruit.stage == "trained":
        return
    yield at(recruit.ready_on, f"12:{minute}")
    signed = recruit.ready_on.isoformat()
    t.give(price, "mentors/sign-agreement", mentor, signed_on=signed, agreement_version=AGREEMENT)
    cast.mentor_accounts[pupil.name] = open_account(office, pupil.shown, mentor, recruit.sign_in)
    if recruit.post:
        t.give(price, "mentors/appoint", mentor, post=recruit.post)
    if recruit.form:
        t.give(price, "mentors/attach", mentor, tutor_group=recruit.form)
    if recruit.stands_down:
        yield at(recruit.stands_down, f"12:{minute}")
        t.give(price, "mentors/stand-down", mentor, reason=_why_down(recruit))


def supervising(t: Teller, cast: Cast, recruits: Sequence[Recruit]) -> Story:
    """Group supervision about every five weeks, in two groups on two days; two pupils keep missing it."""
    words, parts = lists()["supervision"], lists()["took_part"]
    for turn, back in enumerate(_SUPERVISED_BACK):
        for group in (0, 1):
            on = t.day(back - group)
            yield at(on, "15:40")
            for recruit in recruits[group::2]:
                if not _is_mentor(recruit, on):
                    continue
                part = parts[(recruit.number // 2 + turn * 5) % len(parts)]
                if recruit.supervised or back > _MISSES_SUPERVISION_FROM:
                    t.give(
                        cast.staff["coordinator2" if group else "coordinator"],
                        "mentors/supervise",
                        cast.mentors[recruit.pupil.name],
                        kind="group",
                        held_on=on.isoformat(),
                        notes=f"{words[(turn * 2 + group) % len(words)]} {say(part, recruit.pupil)}",
                    )


def looking_after(t: Teller, cast: Cast, recruit: Recruit, told: date, turn: int) -> Story:
    """One to one, after something that was hard to hear. The notes say nothing of what it was."""
    on = next_school_day(told, 2)
    yield at(on, "12:20")
    words = lists()["alone"]
    t.give(
        cast.staff["coordinator"],
        "mentors/supervise",
        cast.mentors[recruit.pupil.name],
        kind="one_to_one",
        held_on=on.isoformat(),
        notes=say(words[turn % len(words)], recruit.pupil, recruit.pupil.called),
    )


def open_account(office: StaffOffice, name: str, mentor_id: UUID, sign_in: str | None) -> Person:
    """A mentor's account; only those with a sign-in name can sign in."""
    opened = office.add(
        name,
        "mentor",
        mentor_id=mentor_id,
        password=PASSWORD,
        sign_in_names=(sign_in,) if sign_in else (),
        can_sign_in=sign_in is not None,
    )
    return Person(opened.account, "mentor", name, mentor_id)


def _is_mentor(recruit: Recruit, on: date) -> bool:
    stays = recruit.stands_down is None or on < recruit.stands_down
    return recruit.stage == "ready" and recruit.ready_on < on and stays


def _why_down(recruit: Recruit) -> str:
    if recruit.pupil.left:
        return "Leaves us after the exams. Thanked in assembly, with a card from the mentees."
    reasons = (
        "Needs the time for other things this year. Would like to come back to the drop-in room.",
        "Rehearsals every lunch from now on. Handed over with care.",
        "Has taken on a younger brother's mornings. We are grateful for what was done.",
    )
    return reasons[recruit.number % len(reasons)]
