"""What casework remembers saves it a look at the record, and never decides instead of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.casework import Busy, Casework, Done, Stale
from app.casework.memory import Memory, _lists_of
from app.commands import BY_KEY
from app.house import House
from app.record.recorder import CommandReused
from domain.fact import Refused
from domain.mentee_case import MenteeCase
from tests.benchmarks.ground import a_case


@dataclass(frozen=True)
class Someone:
    """An account in a role."""

    account: UUID
    role: str = "coordinator"
    mentor_id: UUID | None = None


COORDINATOR = Someone(uuid4())
SECRET = "both"


def another(house: House) -> Casework:
    """Casework as another process has it: the same record, nothing remembered."""
    return Casework(house.recorder, house.keys, house.mapper, secret=SECRET)


@pytest.fixture
def here(house: House) -> Casework:
    return another(house)


@pytest.fixture
def elsewhere(house: House) -> Casework:
    return another(house)


@pytest.fixture
def case_id(house: House) -> UUID:
    case = a_case(4)
    house.casework.save([case])
    return case.id


def give(
    work: Casework,
    key: str,
    said: dict[str, Any],
    case_id: UUID,
    command_id: str | None = None,
    expected: int | None = None,
) -> Done:
    doing = BY_KEY[key]
    command = work.key(COORDINATOR, doing.key, command_id, said)
    return work.run(
        doing, COORDINATOR, doing.schema.load(said), key=command, subject_id=case_id, expected=expected
    )


MORE = {"words": "Two"}
HOLD = {"reason": "Their guardian objects."}


@pytest.fixture
def looks(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[UUID]]:
    """The streams that were read from the record, one after another."""
    seen: list[UUID] = []
    rows = house.recorder.rows

    def counted(originator_id: UUID, **more: Any) -> Any:
        seen.append(originator_id)
        return rows(originator_id, **more)

    monkeypatch.setattr(house.recorder, "rows", counted)
    return iter([seen])


def test_the_second_command_on_a_case_does_not_read_it_again(
    here: Casework, case_id: UUID, looks: Iterator[list[UUID]]
) -> None:
    seen = next(looks)
    for _ in range(3):
        give(here, "cases/ask-for-more", MORE, case_id)
    assert seen.count(case_id) == 1


def test_what_is_remembered_is_what_the_record_tells(here: Casework, case_id: UUID) -> None:
    give(here, "cases/arrange-session", {"at": "2026-12-01T10:00:00Z", "place": "Library"}, case_id)
    give(here, "cases/hold", HOLD, case_id)
    remembered = here._memory.take(MenteeCase, case_id)
    told = here.load(MenteeCase, case_id)
    assert remembered is not None
    assert told is not None
    assert {n for n, v in vars(told).items() if isinstance(v, list)} == set(_lists_of(MenteeCase))
    apart = {"_modified_on", "next_meeting"}
    assert {n: v for n, v in vars(remembered).items() if n not in apart} == {
        n: v for n, v in vars(told).items() if n not in apart
    }
    assert remembered.next_meeting is not None
    assert told.next_meeting is not None
    assert remembered.next_meeting.place == told.next_meeting.place


def test_a_fact_from_elsewhere_is_not_overlooked(here: Casework, elsewhere: Casework, case_id: UUID) -> None:
    give(here, "cases/ask-for-more", MORE, case_id)
    give(elsewhere, "cases/hold", HOLD, case_id)
    with pytest.raises(Refused, match="on hold"):
        give(here, "cases/close", {"outcome": "o", "reason": "r"}, case_id)


def test_nobody_is_refused_by_what_is_no_longer_so(
    here: Casework, elsewhere: Casework, case_id: UUID
) -> None:
    give(here, "cases/hold", HOLD, case_id)
    give(elsewhere, "cases/release", {"reason": "r"}, case_id)
    done = give(here, "cases/hold", HOLD, case_id)
    assert isinstance(done.subject, MenteeCase)
    assert done.subject.on_hold


def test_the_version_that_a_person_saw_is_held_against_the_record(
    here: Casework, elsewhere: Casework, case_id: UUID
) -> None:
    seen = give(here, "cases/ask-for-more", MORE, case_id).subject.version
    newer = give(elsewhere, "cases/ask-for-more", MORE, case_id).subject.version
    with pytest.raises(Stale) as stale:
        give(here, "cases/ask-for-more", MORE, case_id, expected=seen)
    assert stale.value.version == newer
    assert give(here, "cases/ask-for-more", MORE, case_id, expected=newer).subject.version == newer + 1


def test_a_command_answered_elsewhere_is_not_done_again(
    here: Casework, elsewhere: Casework, case_id: UUID
) -> None:
    give(here, "cases/ask-for-more", MORE, case_id)
    command_id = str(uuid4())
    first = give(elsewhere, "cases/hold", HOLD, case_id, command_id)
    again = give(here, "cases/hold", HOLD, case_id, command_id)
    assert (again.position, again.subject.version) == (first.position, first.subject.version)
    assert again.replayed
    with pytest.raises(CommandReused):
        give(here, "cases/hold", {"reason": "another"}, case_id, command_id)


@pytest.mark.race
def test_many_at_once_on_few_cases_are_answered_each_for_itself(here: Casework, house: House) -> None:
    cases = [a_case(4) for _ in range(3)]
    begun = cases[0].version
    house.casework.save(cases)

    def ask(n: int) -> list[tuple[UUID, int, int]]:
        answers = []
        for turn in range(8):
            case_id = cases[(n + turn) % 3].id
            with suppress(Busy):
                done = give(here, "cases/ask-for-more", MORE, case_id)
                answers.append((case_id, done.subject.version, done.position))
        return answers

    with ThreadPoolExecutor(12) as threads:
        answers = sorted(answer for some in threads.map(ask, range(12)) for answer in some)
    assert len(answers) > 12
    for case in cases:
        told = here.stream(MenteeCase, case.id)[begun:]
        assert [(case.id, one.fact.originator_version, one.position) for one in told] == [
            answer for answer in answers if answer[0] == case.id
        ]


def test_nobody_changes_what_is_remembered_but_by_saving(here: Casework, case_id: UUID) -> None:
    done = give(here, "cases/ask-for-more", MORE, case_id)
    version, one = done.subject.version, done.subject
    assert isinstance(one, MenteeCase)
    one.told.clear()
    one.told_by.clear()
    one.on_hold = True
    one.pending_events.append(here.stream(MenteeCase, case_id)[-1].fact)
    kept = here._memory.take(MenteeCase, case_id)
    assert kept is not None
    assert (len(kept.told), len(kept.told_by), kept.on_hold) == (version, version, False)
    assert not kept.pending_events


def test_memory_lets_go_by_time_and_by_number() -> None:
    cases = [a_case(2) for _ in range(4)]
    memory = Memory(most=3)
    for case in cases:
        memory.keep(case)
    kept = [memory.take(MenteeCase, case.id) is not None for case in cases]
    assert kept == [False, True, True, True]
    memory = Memory(seconds=0)
    memory.keep(cases[0])
    assert memory.take(MenteeCase, cases[0].id) is None
    assert not memory._kept


PLAIN = (str, int, bool, type(None), UUID, date, tuple, frozenset, Enum, type)


def test_a_subject_holds_nothing_that_a_shallow_copy_would_share() -> None:
    for kind in {doing.kind for doing in BY_KEY.values()}:
        for name, value in vars(kind.blank(uuid4())).items():
            if isinstance(value, list):
                assert value == []
            else:
                assert isinstance(value, PLAIN) or value.__dataclass_params__.frozen, (kind, name)
