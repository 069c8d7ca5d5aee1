"""Commands given as page and API give them, through the schema and casework, for tests of what follows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID, uuid4

from app.casework import Done
from app.commands import BY_KEY, Doing
from app.house import House

T = TypeVar("T")


@dataclass(frozen=True)
class Someone:
    """An account in a role."""

    account: UUID
    role: str = "coordinator"
    mentor_id: UUID | None = None


COORDINATOR = Someone(uuid4())
DAY = date(2026, 9, 10)


def give(
    house: House,
    key: str,
    said: dict[str, Any],
    subject_id: UUID | None = None,
    *,
    person: Someone = COORDINATOR,
    command_id: str | None = None,
    expected: int | None = None,
) -> Done:
    """One command as page and API give it: through the schema, then casework."""
    doing: Doing = BY_KEY[key]
    work = house.casework
    command = work.key(person, f"POST {doing.rule} {subject_id}", command_id, said)
    loaded = doing.schema.load(said)
    return work.run(doing, person, loaded, key=command, subject_id=subject_id, expected=expected)


def a_pupil(house: House) -> UUID:
    said = {
        "given_name": "Siân",
        "family_name": "O'Neill",
        "born_on": "2015-02-28",
        "year_group": 7,
        "tutor_group": "7B",
    }
    return give(house, "pupils/enrol", said).subject.id


def a_mentor(house: House) -> UUID:
    mentor_id = give(house, "mentors/apply", {"pupil_id": str(a_pupil(house)), "statement": "Me"}).subject.id
    for verb, said in {
        "interview": {"held_on": "2026-09-01", "panel": "Ms Price", "notes": ""},
        "select": {"reason": "Kind"},
        "train": {"course": "Listening", "completed_on": "2026-09-02"},
        "sign-agreement": {"signed_on": "2026-09-02", "agreement_version": "2026"},
    }.items():
        give(house, f"mentors/{verb}", said, mentor_id)
    return mentor_id


def a_case(house: House) -> UUID:
    said = {
        "route": "staff",
        "reasons": ["friendships"],
        "words": "Sits alone.",
        "referred_by": "Tutor",
        "pupil_id": str(a_pupil(house)),
        "happened_on": "2026-09-09",
    }
    return give(house, "cases/refer", said).subject.id


def a_matched_case(house: House) -> tuple[UUID, UUID]:
    case_id, mentor_id = a_case(house), a_mentor(house)
    give(house, "cases/match", {"mentor_id": str(mentor_id), "happened_on": str(DAY)}, case_id)
    return case_id, mentor_id


def at_once(times: int, work: Callable[[int], T]) -> list[T]:
    """The same work by many threads at the same moment."""
    barrier = Barrier(times)

    def run(n: int) -> T:
        barrier.wait()
        return work(n)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))


def size(house: House) -> int:
    return house.recorder.max_notification_id() or 0


def load(house: House, kind: type[Any], subject_id: UUID) -> Any:
    found = house.casework.load(kind, subject_id)
    assert found is not None
    return found
