"""The peer mentors of the invented school: how each came to it, and how they are looked after."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from app.access.person import Person
from app.demo.people import PASSWORD
from app.demo.telling import Cast, Story, Teller
from app.staff_office import StaffOffice

Stage = Literal["applied", "interviewed", "turned_down", "selected", "trained", "ready", "stood_down"]

COURSE: Final = "Peer mentor training, two days"
AGREEMENT: Final = "2"


@dataclass(frozen=True)
class Recruit:
    """A pupil who applied so many school days ago, and how far they came. `sign_in` is for a demo account."""

    name: str
    back: int
    stage: Stage = "ready"
    sign_in: str | None = None
    post: str | None = None
    form: str | None = None
    supervised: bool = True


RECRUITS: Final = (
    Recruit("Amina Chowdhury", 178, sign_in="mentor", form="7H"),
    Recruit("Josiah Campbell-Reid", 178, post="Head Peer Mentor", sign_in="mentor2"),
    Recruit("Cerys Davies", 177),
    Recruit("Fergus O'Neill", 177, form="7W"),
    Recruit("Zara Mirza", 177),
    Recruit("Nathan Cooper", 176),
    Recruit("Safiya Ahmed", 176, post="Deputy Head Peer Mentor"),
    Recruit("Jun Li", 175, supervised=False),
    Recruit("Diya Singh", 175),
    Recruit("Kofi Francis", 174),
    Recruit("Martha Barker", 174),
    Recruit("Seán Mackenzie", 173),
    Recruit("Matilda Shaw", 176, "stood_down"),
    Recruit("Owain Mackenzie", 175, "stood_down"),
    Recruit("Ioana Ionescu", 45, "trained"),
    Recruit("Elijah Grant", 40, "selected"),
    Recruit("Linh Tran", 38, "turned_down"),
    Recruit("Khadija Khan", 14, "interviewed"),
    Recruit("Oliver Sykes", 6, "applied"),
    Recruit("Phoebe Carter", 3, "applied"),
)
STOOD_DOWN_BACK: Final = 62
"""When those stood down who did: after their cases found others."""

_STATEMENTS: Final = (
    "My own mentor helped me a lot in Year 7 and I would like to do that for somebody.",
    "I'm a good listener and I live with three younger brothers.",
    "I was shy too. I want to help people who don't dare to ask.",
    "I know what it's like to start in the middle of a year.",
)
_SUPERVISION: Final = (
    "How to end a session kindly. What to do when a mentee doesn't come.",
    "Looked at what may be kept private and what never. Everybody could say whom to tell.",
    "Talked about carrying other people's worries home, and what helps.",
    "Practised open questions. Reminded each other of the policy on messages: none.",
)


def recruiting(t: Teller, cast: Cast, office: StaffOffice, recruit: Recruit, number: int) -> Story:
    """From the application as far as this pupil came, with an account once they may mentor."""
    price = cast.staff["coordinator"]
    minute = f"{number % 50:02d}"
    yield t.time(recruit.back, f"12:{minute}")
    mentor = t.give(
        price,
        "mentors/apply",
        pupil_id=str(cast.ids[recruit.name]),
        statement=_STATEMENTS[number % len(_STATEMENTS)],
    )
    cast.mentors[recruit.name] = mentor
    if recruit.stage == "applied":
        return
    yield t.time(recruit.back - 4, f"14:{minute}")
    t.give(
        price,
        "mentors/interview",
        mentor,
        held_on=t.day(recruit.back - 4).isoformat(),
        panel="Ms Price, Mr Bevan and the Head Peer Mentor",
        notes="Clear about when a secret can't be kept. Gave a good example of listening.",
    )
    if recruit.stage == "interviewed":
        return
    yield t.time(recruit.back - 5, f"15:{minute}")
    if recruit.stage == "turned_down":
        t.give(
            price,
            "mentors/turn-down",
            mentor,
            reason="Not ready yet to listen without giving advice. Asked to apply again next year.",
        )
        return
    t.give(price, "mentors/select", mentor, reason="Calm, kind and reliable. The panel agreed.")
    if recruit.stage == "selected":
        return
    yield t.time(recruit.back - 8, f"15:{minute}")
    t.give(
        price,
        "mentors/train",
        mentor,
        course=COURSE,
        completed_on=t.day(recruit.back - 8).isoformat(),
    )
    if recruit.stage == "trained":
        return
    yield t.time(recruit.back - 9, f"12:{minute}")
    signed = t.day(recruit.back - 9).isoformat()
    t.give(price, "mentors/sign-agreement", mentor, signed_on=signed, agreement_version=AGREEMENT)
    pupil = cast.pupils[recruit.name]
    shown = f"{pupil.called} {pupil.family_name}"
    cast.mentor_accounts[recruit.name] = open_account(office, shown, mentor, recruit.sign_in)
    if recruit.post:
        t.give(price, "mentors/appoint", mentor, post=recruit.post)
    if recruit.form:
        t.give(price, "mentors/attach", mentor, tutor_group=recruit.form)
    if recruit.stage == "stood_down":
        yield t.time(STOOD_DOWN_BACK, f"12:{minute}")
        t.give(price, "mentors/stand-down", mentor, reason="Needs the time for exams. Thanked in assembly.")


def supervising(t: Teller, cast: Cast) -> Story:
    """Group supervision about every four weeks, for everybody who mentors; one pupil keeps missing it."""
    for turn, back in enumerate((140, 120, 100, 80, 58, 38, 17)):
        yield t.time(back, "15:20")
        for recruit in RECRUITS:
            ready = recruit.stage == "ready" or (recruit.stage == "stood_down" and back > STOOD_DOWN_BACK)
            if ready and (recruit.supervised or back > 60):
                t.give(
                    cast.staff["coordinator"],
                    "mentors/supervise",
                    cast.mentors[recruit.name],
                    kind="group",
                    held_on=t.day(back).isoformat(),
                    notes=_SUPERVISION[turn % len(_SUPERVISION)],
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
