"""Raising a concern on a real record: never refused, never lost."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.casework import Busy, Done
from app.commands import BY_KEY
from app.house import House
from app.record.recorder import RecordUnavailable, VersionConflict
from domain.concern import Concern
from domain.concern_facts import Raised
from domain.mentee_case import MenteeCase
from domain.mentee_case_facts import ConfidentialityBroken, PutOnHold
from tests.giving import COORDINATOR, a_matched_case, at_once, give, load, size


def worry(house: House, case_id: UUID | None, said: dict[str, Any], command_id: str | None = None) -> Done:
    doing = BY_KEY["cases/break-confidentiality"]
    work = house.casework
    key = work.key(COORDINATOR, "worry", command_id, said)
    return work.raise_concern(COORDINATOR, doing.schema.load(said), key=key, case_id=case_id)


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


@pytest.mark.parametrize(
    "fault", [VersionConflict("Somebody was faster."), RecordUnavailable("Out of reach.")]
)
def test_a_case_that_cannot_be_saved_does_not_stop_the_concern(
    house: House, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    case_id, _ = a_matched_case(house)
    append = house.recorder.append

    def never_with_the_case(stored: Any, **more: Any) -> Any:
        if any(row.originator_id == case_id for row in stored):
            raise fault
        return append(stored, **more)

    monkeypatch.setattr(house.recorder, "append", never_with_the_case)
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
