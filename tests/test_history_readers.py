"""Who sees what of a history."""

import json
from typing import get_args
from uuid import UUID

import pytest

from app.history import VISIBLE, as_json, by_day, entries
from app.wording.questions import THINGS
from domain import concern_facts
from domain.fact import FACTS
from domain.mentee_case_facts import (
    Closed,
    ConfidentialityBroken,
    Extended,
    Matched,
    MatchEnded,
    PurposeAgreed,
    PutOnHold,
    Referred,
    Reopened,
    SessionArranged,
    SessionHeld,
    SessionMissed,
)
from domain.staff import Role
from tests.stories import (
    AMY,
    AMY_SIGNS_IN,
    BEN,
    BEN_SIGNS_IN,
    COORDINATOR,
    DISCLOSURE,
    HOLD,
    HUGHES,
    LEE,
    MENTOR,
    NAMES,
    PRICE,
    START,
    Reading,
    case,
    names_of,
    story,
)
from tests.wording.samples import erased, fact


def test_the_safeguarding_lead_deputy_and_inspector_see_everything() -> None:
    for role in ("dsl", "deputy_dsl", "inspector"):
        found = entries(DISCLOSURE, Reading(role, UUID(int=99)), NAMES)
        assert len(found) == len(DISCLOSURE)
        assert found[4].fields == {"reason": "a worry"}
        assert found[4].recorded_by.text == "Amy Jones, peer mentor"


def test_a_coordinator_is_not_shown_that_a_concern_exists() -> None:
    found = entries(DISCLOSURE, COORDINATOR, NAMES)
    assert names_of(found) == ["Referred", "Matched", "SessionHeld", "PutOnHold", "HoldReleased"]
    everything = json.dumps([as_json(entry) for entry in found[3:]]) + str(by_day(found[3:], START))
    for word in ("worry", "settled", "Amy", "Hughes", str(AMY_SIGNS_IN), str(HUGHES), "dsl", "concern"):
        assert word not in everything
    assert found[3].sentence == HOLD


def test_every_kind_of_hold_looks_the_same_to_another_coordinator() -> None:
    for by, reason in ((HUGHES, None), (LEE, "The father objects"), (AMY_SIGNS_IN, None)):
        found = entries(case((PutOnHold, {"recorded_by": by, "reason": reason})), COORDINATOR, NAMES)
        shown = as_json(found[0])
        assert shown["sentence"] == HOLD
        assert shown["fields"] == {}
        assert shown["recorded_by"] == {"id": None, "name": "someone in the scheme", "role": None}


def test_who_broke_confidentiality_or_put_a_case_on_hold_sees_their_own_doing_whole() -> None:
    told = case((ConfidentialityBroken, {}), (PutOnHold, {"reason": "The mother objects"}))
    found = entries(told, COORDINATOR, NAMES)
    assert names_of(found) == ["ConfidentialityBroken", "PutOnHold"]
    assert found[1].sentence == f"{HOLD} Reason: The mother objects."
    assert found[1].recorded_by.id == PRICE


def test_entries_are_numbered_without_the_gaps_that_would_betray_a_hidden_one() -> None:
    found = entries(DISCLOSURE, COORDINATOR, NAMES)
    assert [entry.index for entry in found] == [1, 2, 3, 4, 5]
    assert [entry.version for entry in found] == [1, 2, 3, 5, 6]


PAIRINGS = case(
    (Referred, {}),
    (Matched, {"mentor_id": BEN}),
    (SessionHeld, {"recorded_by": BEN_SIGNS_IN}),
    (MatchEnded, {"mentor_id": BEN}),
    (Matched, {"mentor_id": AMY, "reason": "same bus"}),
    (PurposeAgreed, {}),
    (SessionArranged, {"place": "Library"}),
    (SessionHeld, {"recorded_by": AMY_SIGNS_IN, "notes": "mine"}),
    (SessionHeld, {"notes": "theirs", "focus": "Maths"}),
    (SessionMissed, {"reason": "at the doctor"}),
    (Extended, {"reason": "not settled", "mentee_wishes": "more of it"}),
    (PutOnHold, {"recorded_by": HUGHES}),
    (Closed, {"outcome": "better", "reason": "settled"}),
    (Reopened, {"reason": "again"}),
    (Matched, {"mentor_id": BEN}),
    (PurposeAgreed, {}),
)


def test_a_mentor_sees_only_the_time_of_their_own_pairing() -> None:
    found = entries(PAIRINGS, MENTOR, NAMES)
    assert [entry.version for entry in found] == [5, 6, 7, 8, 9, 10, 11, 12, 13]


def test_a_mentor_sees_their_own_notes_and_nobody_elses_nor_the_coordinators_reasons() -> None:
    found = entries(PAIRINGS, MENTOR, NAMES)
    shown = json.dumps([as_json(entry) for entry in found]) + str(by_day(found, START))
    assert "mine" in shown
    assert "Library" in shown
    assert "Maths" in shown
    for hidden in (
        "theirs",
        "same bus",
        "doctor",
        "not settled",
        "more of it",
        "better",
        "settled",
        "Hughes",
    ):
        assert hidden not in shown
    assert "notes" not in found[4].fields


def test_a_mentor_still_sees_what_they_recorded_themselves() -> None:
    told = case(
        (Referred, {"recorded_by": AMY_SIGNS_IN}),
        (Matched, {"mentor_id": BEN}),
        (ConfidentialityBroken, {"recorded_by": AMY_SIGNS_IN}),
        (ConfidentialityBroken, {"recorded_by": HUGHES}),
    )
    assert [entry.version for entry in entries(told, MENTOR, NAMES)] == [1, 3]


def test_an_account_in_a_mentors_role_without_a_mentor_has_no_pairing() -> None:
    assert entries(PAIRINGS, Reading("mentor", UUID(int=99)), NAMES) == []
    gone = [(erased(Matched), 1, START)]
    assert entries(gone, MENTOR, NAMES) == []


def test_whoever_is_not_in_the_table_sees_nothing() -> None:
    everything = story(*(fact(kind) for kind in FACTS.values()))
    assert entries(everything, Reading("referrer", UUID(int=2)), NAMES) == []
    assert entries(everything, Reading("caretaker", UUID(int=2)), NAMES) == []
    assert set(VISIBLE) < set(get_args(Role))


@pytest.mark.parametrize("role", ["coordinator", "mentor", "data_officer", "admin", "referrer"])
def test_a_concern_is_shown_to_those_who_answer_for_it_alone(role: str) -> None:
    told = story(
        fact(concern_facts.Raised, recorded_by=PRICE), fact(concern_facts.Decided, 2, recorded_by=PRICE)
    )
    assert entries(told, Reading(role, PRICE, AMY), NAMES) == []


def test_what_stands_in_the_table_exists() -> None:
    subjects = {kind.corrected.TOPIC.partition(".")[0] for kind in THINGS.values()}
    for rules in VISIBLE.values():
        assert set(rules) <= set(FACTS) | subjects
