"""Subjects as tests want them: days count from 1 September 2026."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.concern import Concern
from domain.fact import By
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.pupil import Pupil
from tests.scenario import by

FIRST = date(2026, 9, 1)
AT = datetime(2026, 9, 20, 12, 30, tzinfo=UTC)


def on(day: int, **changes: Any) -> By:
    return by(happened_on=FIRST + timedelta(days=day), **changes)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def referred(number: int, **said: Any) -> MenteeCase:
    case = MenteeCase.blank(uuid4())
    who = {"pupil_id": uuid4()} | said
    case.refer(
        on(number), route="staff", reasons=("friendships",), words="Lonely", referred_by="Tutor", **who
    )
    return case


def matched(number: int, mentor_id: UUID | None = None) -> MenteeCase:
    case = referred(number)
    case.match(on(number + 1), mentor_id=mentor_id or uuid4())
    return case


def held(case: MenteeCase, *days: int) -> MenteeCase:
    for number in days:
        case.hold_session(by(), held_on=day(number), minutes=30, focus="f", notes="n")
    return case


def a_mentor(pupil_id: UUID, steps: int, cases: int = 0) -> Mentor:
    mentor = Mentor.blank(uuid4())
    mentor.apply(on(0), pupil_id=pupil_id, statement="s")
    all_steps: list[Callable[[], None]] = [
        lambda: mentor.interview(by(), held_on=day(1), panel="p", notes="n"),
        lambda: mentor.select(on(2), reason="kind"),
        lambda: mentor.train(by(), course="c", completed_on=day(3)),
        lambda: mentor.sign_agreement(by(), signed_on=day(4), agreement_version="1"),
    ]
    for step in all_steps[:steps]:
        step()
    for _ in range(cases):
        mentor.take_on(on(5), case_id=uuid4())
    return mentor


def a_pupil(given: str, family: str, **said: Any) -> Pupil:
    pupil = Pupil.blank(uuid4())
    pupil.enrol(
        on(0),
        **{"given_name": given, "family_name": family, "born_on": date(2012, 2, 29), "year_group": 8}
        | {"tutor_group": "8B"}
        | said,
    )
    return pupil


def raised(**said: Any) -> Concern:
    concern = Concern.blank(uuid4())
    concern.raise_concern(on(0), childs_words="He hits me.", **said)
    return concern
