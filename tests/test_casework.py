"""Load, decide, save on a real record: all or nothing, once, and never lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest

from app.casework import Busy, Done, NotFound, Stale
from app.commands import BY_KEY, Doing, Invalid
from app.house import House
from app.record.recorder import CommandReused, RecordUnavailable, VersionConflict
from domain.concern import Concern, Raised
from domain.fact import Refused
from domain.mentee_case import ConfidentialityBroken, MenteeCase, PutOnHold
from domain.mentor import Mentor

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
    loaded = doing.schema().load(said)
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


def test_a_match_saves_case_and_mentor_together(house: House) -> None:
    case_id, mentor_id = a_matched_case(house)
    assert load(house, MenteeCase, case_id).mentor_id == mentor_id
    assert load(house, Mentor, mentor_id).cases == (case_id,)


@pytest.mark.race
def test_two_coordinators_and_a_mentors_last_free_place(house: House) -> None:
    for _ in range(5):
        mentor_id = a_mentor(house)
        give(house, "cases/match", {"mentor_id": str(mentor_id)}, a_case(house))
        cases = [a_case(house), a_case(house)]

        def match(n: int, mentor: UUID = mentor_id, cases: list[UUID] = cases) -> str:
            try:
                give(house, "cases/match", {"mentor_id": str(mentor)}, cases[n], person=Someone(uuid4()))
            except Refused as refused:
                return refused.sentence
            return "matched"

        answers = sorted(at_once(2, match))
        assert answers == ["This mentor already has 2 of at most 2 mentees.", "matched"]
        assert len(load(house, Mentor, mentor_id).cases) == 2
        states = sorted(load(house, MenteeCase, case_id).state for case_id in cases)
        assert states == ["matched", "referred"]


@pytest.mark.race
def test_the_same_command_fifty_times_at_once_is_one_fact_and_fifty_equal_answers(house: House) -> None:
    case_id, _ = a_matched_case(house)
    before, version = size(house), load(house, MenteeCase, case_id).version
    command_id = str(uuid4())
    said = {"held_on": "2026-09-17", "minutes": 30, "focus": "Lunch", "notes": ""}

    def record(_: int) -> tuple[int, int]:
        done = give(house, "cases/hold-session", said, case_id, command_id=command_id, expected=version)
        return done.subject.version, done.position

    answers = at_once(50, record)
    assert set(answers) == {(version + 1, before + 1)}
    assert size(house) == before + 1


def test_another_request_under_the_same_command_id_is_refused(house: House) -> None:
    case_id, _ = a_matched_case(house)
    command_id = str(uuid4())
    give(house, "cases/ask-for-more", {"words": "Two"}, case_id, command_id=command_id)
    before = size(house)
    with pytest.raises(CommandReused):
        give(house, "cases/ask-for-more", {"words": "Three"}, case_id, command_id=command_id)
    assert size(house) == before


def test_a_command_on_a_stale_page_changes_nothing(house: House) -> None:
    case_id, _ = a_matched_case(house)
    seen = load(house, MenteeCase, case_id).version
    give(house, "cases/ask-for-more", {"words": "Two"}, case_id, expected=seen)
    with pytest.raises(Stale) as stale:
        give(house, "cases/close", {"outcome": "o", "reason": "r"}, case_id, expected=seen)
    assert stale.value.version == seen + 1
    assert load(house, MenteeCase, case_id).state == "matched"


def test_unknown_ids_and_things_of_another_kind_are_not_found(house: House) -> None:
    mentor_id = a_mentor(house)
    for subject_id in (uuid4(), mentor_id):
        with pytest.raises(NotFound):
            give(house, "cases/decline", {"reason": "r"}, subject_id)
    with pytest.raises(Invalid, match="errors"):
        give(house, "cases/match", {"mentor_id": str(uuid4())}, a_case(house))


def test_a_pupil_is_not_their_own_mentor(house: House) -> None:
    pupil_id = a_pupil(house)
    mentor_id = a_mentor(house)
    mentor = load(house, Mentor, mentor_id)
    said = {
        "route": "self",
        "reasons": [],
        "words": "w",
        "referred_by": "Self",
        "pupil_id": str(mentor.pupil_id),
    }
    case_id = give(house, "cases/refer", said).subject.id
    assert pupil_id != mentor.pupil_id
    with pytest.raises(Refused, match="own mentor"):
        give(house, "cases/match", {"mentor_id": str(mentor_id)}, case_id)


def test_a_day_before_the_pupil_was_born_is_refused(house: House) -> None:
    case_id = a_case(house)
    before = size(house)
    with pytest.raises(Refused, match="before the pupil was born"):
        give(house, "cases/dispute", {"version": 1, "words": "w", "happened_on": "2014-01-01"}, case_id)
    assert size(house) == before


def test_closing_gives_the_mentor_their_place_back(house: House) -> None:
    case_id, mentor_id = a_matched_case(house)
    give(house, "cases/close", {"outcome": "o", "reason": "r"}, case_id)
    assert load(house, Mentor, mentor_id).cases == ()


def worry(house: House, case_id: UUID | None, said: dict[str, Any], command_id: str | None = None) -> Done:
    doing = BY_KEY["cases/break-confidentiality"]
    work = house.casework
    key = work.key(COORDINATOR, "worry", command_id, said)
    return work.raise_concern(COORDINATOR, doing.schema().load(said), key=key, case_id=case_id)


def test_a_concern_and_the_hold_on_its_case_are_one_transaction(house: House) -> None:
    case_id, _ = a_matched_case(house)
    before = size(house)
    done = worry(house, case_id, {"childs_words": "He hits me"})
    assert done.position == before + 3
    facts = house.casework.stream(MenteeCase, case_id)
    assert [type(told.fact) for told in facts[-2:]] == [ConfidentialityBroken, PutOnHold]
    concern = house.casework.stream(Concern, done.subject.id)[0].fact
    assert isinstance(concern, Raised)
    assert (concern.childs_words, concern.case_id) == ("He hits me", case_id)


def test_the_same_worry_sent_again_gets_the_first_answer(house: House) -> None:
    case_id, _ = a_matched_case(house)
    command_id = str(uuid4())
    first = worry(house, case_id, {"childs_words": "He hits me"}, command_id)
    give(house, "cases/dispute", {"version": 1, "words": "w"}, case_id)
    before = size(house)
    again = worry(house, case_id, {"childs_words": "He hits me"}, command_id)
    assert (again.subject.id, again.position, again.replayed) == (first.subject.id, first.position, True)
    assert first.case is not None
    assert again.case is not None
    assert again.case.version == first.case.version
    assert size(house) == before


@pytest.mark.parametrize(
    ("said", "gap"),
    [
        ({}, "Nothing was written"),
        ({"childs_words": "x", "happened_on": "2999-01-01"}, "in the future"),
        ({"childs_words": "x", "disclosed_at": "about lunch time"}, "about lunch time"),
        ({"childs_words": "x", "disclosed_at": "2999-01-01T10:00:00Z"}, "in the future"),
        ({"childs_words": "x", "disclosed_at": "0001-01-01T00:30:00+14:00"}, "0001-01-01"),
        ({"childs_words": "x", "disclosed_at": "1026-11-20T10:00:00Z"}, "can't be right"),
    ],
)
def test_what_does_not_fit_is_kept_for_the_lead_to_ask_about(
    house: House, said: dict[str, Any], gap: str
) -> None:
    done = worry(house, None, said)
    raised = house.casework.stream(Concern, done.subject.id)[0].fact
    assert isinstance(raised, Raised)
    assert any(gap in text for text in raised.gaps)


@pytest.mark.race
def test_a_worry_on_a_busy_case_is_never_lost(house: House) -> None:
    case_id, _ = a_matched_case(house)

    def work(n: int) -> str:
        if n % 2:
            return str(worry(house, case_id, {"childs_words": f"Words {n}"}).subject.id)
        try:
            give(house, "cases/dispute", {"version": 1, "words": f"{n}"}, case_id)
        except Busy:
            return "busy"
        return "disputed"

    answers = at_once(16, work)
    raised = [UUID(answer) for answer in answers if answer not in ("busy", "disputed")]
    assert len(set(raised)) == 8
    for concern_id in raised:
        assert load(house, Concern, concern_id).state == "received"


def test_a_case_that_cannot_be_saved_does_not_stop_the_concern(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, _ = a_matched_case(house)
    append = house.recorder.append

    def somebody_is_always_faster(stored: Any, **more: Any) -> Any:
        if any(row.originator_id == case_id for row in stored):
            raise VersionConflict("Somebody else's fact was recorded first.")
        return append(stored, **more)

    monkeypatch.setattr(house.recorder, "append", somebody_is_always_faster)
    done = worry(house, case_id, {"childs_words": "He hits me"})
    assert done.case is None
    assert load(house, Concern, done.subject.id).case_id == case_id


def test_a_case_that_cannot_be_read_does_not_stop_the_concern(house: House) -> None:
    case_id, _ = a_matched_case(house)
    with psycopg.connect(house.settings.migrate_keys_database_url or "", autocommit=True) as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [case_id],
        )
    with House(house.settings) as later:
        done = worry(later, case_id, {"childs_words": "He hits me"})
        assert load(later, Concern, done.subject.id).state == "received"


def test_a_case_whose_key_is_lost_does_not_stop_the_concern(house: House) -> None:
    case_id, _ = a_matched_case(house)
    with psycopg.connect(house.settings.migrate_keys_database_url or "", autocommit=True) as connection:
        connection.execute("ALTER TABLE keys.data_keys DISABLE TRIGGER refuse_removal")
        connection.execute("DELETE FROM keys.data_keys WHERE originator_id = %s", [case_id])
    with House(house.settings) as later:
        done = worry(later, case_id, {"childs_words": "He hits me"})
        assert load(later, Concern, done.subject.id).case_id == case_id


def test_without_the_record_a_worry_is_not_said_to_be_saved(house: House) -> None:
    house.pool.close()
    with pytest.raises(RecordUnavailable):
        worry(house, None, {"childs_words": "He hits me"})
