import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from app.history import VISIBLE, Entry, as_json, by_day, entries
from app.wording.names import Called, Names
from app.wording.questions import THINGS
from domain import concern
from domain.fact import FACTS, Fact
from domain.mentee_case import (
    Closed,
    ConfidentialityBroken,
    Corrected,
    Disputed,
    Extended,
    HoldReleased,
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
from tests.wording.samples import erased, fact

PRICE, LEE, HUGHES, AMY_SIGNS_IN, BEN_SIGNS_IN = (UUID(int=n) for n in range(21, 26))
AMY, BEN, CAL = (UUID(int=n) for n in range(31, 34))
NAMES = Names(
    {
        PRICE: Called("Ms Price", "coordinator"),
        LEE: Called("Mr Lee", "coordinator"),
        HUGHES: Called("Ms Hughes", "dsl"),
        AMY_SIGNS_IN: Called("Amy Jones", "mentor"),
    },
    {CAL: "Cal Evans"},
    {AMY: "Amy Jones", BEN: "Ben Ali"},
)
START = datetime(2026, 9, 17, 12, 5, tzinfo=UTC)
HOLD = "This case was put on hold."


@dataclass(frozen=True)
class Reading:
    role: str
    account: UUID
    mentor_id: UUID | None = None


DSL = Reading("dsl", HUGHES)
COORDINATOR = Reading("coordinator", PRICE)
MENTOR = Reading("mentor", AMY_SIGNS_IN, AMY)


def story(*facts: Any) -> list[tuple[Fact, int, datetime]]:
    """Facts as the record gives them: one an hour, among other people's."""
    return [(one, 100 + 3 * n, START + timedelta(hours=n)) for n, one in enumerate(facts)]


def case(*kinds: tuple[type[Fact], dict[str, Any]]) -> list[tuple[Fact, int, datetime]]:
    """A case from kinds of facts, numbered, recorded by Ms Price unless said otherwise."""
    return story(
        *(fact(kind, n, **{"recorded_by": PRICE, **said}) for n, (kind, said) in enumerate(kinds, 1))
    )


def names_of(found: Sequence[Entry]) -> list[str]:
    return [entry.name for entry in found]


DISCLOSURE = case(
    (Referred, {}),
    (Matched, {"mentor_id": AMY}),
    (SessionHeld, {"recorded_by": AMY_SIGNS_IN}),
    (ConfidentialityBroken, {"recorded_by": AMY_SIGNS_IN}),
    (PutOnHold, {"recorded_by": AMY_SIGNS_IN, "reason": "a worry"}),
    (HoldReleased, {"recorded_by": HUGHES, "reason": "settled at home"}),
)


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
    told = story(fact(concern.Raised, recorded_by=PRICE), fact(concern.Decided, 2, recorded_by=PRICE))
    assert entries(told, Reading(role, PRICE, AMY), NAMES) == []


def test_what_stands_in_the_table_exists() -> None:
    subjects = {kind.corrected.TOPIC.partition(".")[0] for kind in THINGS.values()}
    for rules in VISIBLE.values():
        assert set(rules) <= set(FACTS) | subjects


CORRECTION = case(
    (SessionHeld, {"minutes": 20, "focus": "Lunch"}),
    (Corrected, {"version": 1, "field": "minutes", "value": "30", "reason": "Looked it up"}),
    (Corrected, {"version": 1, "field": "minutes", "value": "35", "reason": "Again", "recorded_by": LEE}),
    (Disputed, {"version": 1, "words": "We didn’t meet"}),
)


def test_a_correction_stands_beside_the_entry_and_is_an_entry_of_its_own() -> None:
    found = entries(CORRECTION, DSL, NAMES)
    assert names_of(found) == ["SessionHeld", "Corrected", "Corrected", "Disputed"]
    shown = as_json(found[0])
    assert shown["fields"]["minutes"] == 20
    assert shown["corrections"][0] == {
        "version": 2,
        "field": "minutes",
        "value": "30",
        "reason": "Looked it up",
        "recorded_at": "2026-09-17T13:05:00.000000Z",
        "recorded_by": {"id": str(PRICE), "name": "Ms Price", "role": "coordinator"},
    }
    assert [(one.old, one.new) for one in found[0].corrections] == [("20 minutes", "30"), ("30", "35")]
    assert shown["disputes"][0]["words"] == "We didn’t meet"
    assert found[1].sentence == (
        "Corrected “Minutes” in “Session held” of 17 September 2026. It should say: 30. Reason: Looked it up."
    )


def test_finding_the_pupil_on_the_roll_shows_both_names() -> None:
    told = case(
        (Referred, {"pupil_id": None, "pupil_in_words": "Cal in 7B"}),
        (Corrected, {"version": 1, "field": "pupil_id", "value": str(CAL), "reason": "Found"}),
    )
    correction = entries(told, COORDINATOR, NAMES)[0].corrections[0]
    assert (correction.old, correction.new) == ("", "Cal Evans")


def test_a_correction_of_what_is_hidden_is_hidden_too() -> None:
    told = case(
        (PutOnHold, {"recorded_by": HUGHES}),
        (Corrected, {"version": 1, "field": "reason", "value": "a worry", "recorded_by": HUGHES}),
        (Disputed, {"version": 1, "words": "no worry", "recorded_by": HUGHES}),
        (ConfidentialityBroken, {"recorded_by": AMY_SIGNS_IN}),
        (Disputed, {"version": 4, "words": "never said", "recorded_by": HUGHES}),
        (Disputed, {"version": 2, "words": "nor that", "recorded_by": HUGHES}),
        (Disputed, {"version": 1, "words": "The pupil is fine"}),
    )
    found = entries(told, COORDINATOR, NAMES)
    assert [entry.version for entry in found] == [1, 7]
    assert found[0].corrections == []
    assert [one.words for one in found[0].disputes] == ["The pupil is fine"]
    assert len(entries(told, DSL, NAMES)) == len(told)


def test_a_mentor_sees_the_correction_of_a_field_that_they_see_and_of_no_other() -> None:
    told = case(
        (Matched, {"mentor_id": AMY}),
        (SessionHeld, {}),
        (Corrected, {"version": 2, "field": "notes", "value": "secret"}),
        (Corrected, {"version": 2, "field": "minutes", "value": "30"}),
    )
    assert [entry.version for entry in entries(told, MENTOR, NAMES)] == [1, 2, 4]


def test_as_at_leaves_out_what_was_recorded_later_corrections_too() -> None:
    before = entries(CORRECTION, DSL, NAMES, as_at=START + timedelta(hours=1))
    assert names_of(before) == ["SessionHeld", "Corrected"]
    assert len(before[0].corrections) == 1
    just_before = START + timedelta(minutes=59, seconds=59)
    assert entries(CORRECTION, DSL, NAMES, as_at=just_before)[0].corrections == []


def test_happened_until_leaves_out_what_happened_later_but_keeps_corrections_of_the_rest() -> None:
    told = case(
        (SessionHeld, {"happened_on": date(2026, 9, 1)}),
        (SessionHeld, {"happened_on": date(2026, 9, 17)}),
        (Corrected, {"version": 1, "field": "minutes", "value": "3", "happened_on": date(2026, 9, 18)}),
    )
    found = entries(told, DSL, NAMES, happened_until=date(2026, 9, 1))
    assert [(entry.index, entry.version) for entry in found] == [(1, 1)]
    assert len(found[0].corrections) == 1
    assert len(entries(told, DSL, NAMES, happened_until=date(2026, 9, 17))) == 2


@pytest.mark.parametrize(
    ("happened_on", "recorded_at", "late"),
    [
        (date(2026, 10, 1), datetime(2026, 10, 2, 12, 0, tzinfo=UTC), False),
        (date(2026, 10, 1), datetime(2026, 10, 3, 12, 0, tzinfo=UTC), True),
        (date(2026, 6, 30), datetime(2026, 7, 1, 23, 30, tzinfo=UTC), True),  # 2 July in London
    ],
)
def test_recorded_late_means_more_than_a_day_after_it_happened(
    happened_on: date, recorded_at: datetime, late: bool
) -> None:
    one = fact(SessionHeld, happened_on=happened_on)
    assert entries([(one, 1, recorded_at)], DSL, NAMES)[0].late is late


def test_a_page_says_both_dates_where_they_differ() -> None:
    one = fact(SessionHeld, happened_on=date(2026, 10, 1), recorded_by=PRICE)
    at = datetime(2026, 10, 4, 12, 2, tzinfo=UTC)
    shown = by_day(entries([(one, 1, at)], DSL, NAMES), at + timedelta(days=9))
    assert shown[0]["day_text"] == "4 October 2026"
    said = shown[0]["facts"][0]
    assert said["recorded_at_text"] == "4 October 2026, 1:02pm"
    assert said["recorded_by_text"] == "Ms Price, coordinator"
    assert (said["happened_on_text"], said["late"]) == ("1 October", True)


def test_pages_show_the_newest_day_first_and_a_corrections_old_and_new_words() -> None:
    days = by_day(entries(CORRECTION, DSL, NAMES), START + timedelta(days=1))
    assert [day["day_text"] for day in days] == ["Yesterday, 17 September 2026"]
    newest, *_rest, oldest = days[0]["facts"]
    assert newest["name"] == "Disputed"
    assert oldest["tags"] == ["corrected", "disputed"]
    assert oldest["corrections"][1] == {
        "field_label": "Minutes",
        "old": "30",
        "new": "35",
        "reason": "Again",
        "by": "Mr Lee, coordinator",
        "at": "17 September 2026, 3:05pm",
    }
    later = [(fact(Closed, 5), 200, START + timedelta(days=1))]
    days = by_day(entries([*CORRECTION, *later], DSL, NAMES), START + timedelta(days=1))
    assert [day["day_text"] for day in days] == ["Today, 18 September 2026", "Yesterday, 17 September 2026"]


@pytest.mark.parametrize("topic", FACTS)
def test_every_fact_becomes_json_and_a_page_even_when_it_was_erased(topic: str) -> None:
    kind = FACTS[topic]
    for make in (fact, erased):
        found = entries([(make(kind), 1, START)], DSL, NAMES)
        assert by_day(found, START) is not None
        for entry in found:
            shown = json.loads(json.dumps(as_json(entry)))
            assert shown["name"] == kind.__name__
            assert shown["recorded_at"] == "2026-09-17T12:05:00.000000Z"


def test_what_was_erased_is_told_apart_from_what_people_wrote() -> None:
    gone = as_json(entries([(erased(SessionHeld), 1, START)], DSL, NAMES)[0])
    assert gone["fields"]["notes"] == {"erased": True}
    assert gone["fields"]["minutes"] == 7
    wrote = as_json(entries([(fact(SessionHeld, notes="(erased)"), 1, START)], DSL, NAMES)[0])
    assert wrote["fields"]["notes"] == "(erased)"


def test_a_correction_that_was_erased_is_still_an_entry() -> None:
    gone = [(erased(SessionHeld), 1, START), (_numbered(erased(Corrected), 2), 2, START)]
    found = entries(gone, DSL, NAMES)
    assert found[1].sentence.startswith("Corrected “(erased)”")
    assert found[0].corrections == []
    hold = [(erased(PutOnHold), 1, START), (_numbered(erased(Corrected), 2), 2, START)]
    assert names_of(entries(hold, COORDINATOR, NAMES)) == ["PutOnHold"]


def _numbered(one: Any, number: int) -> Any:
    return type(one)(**{**vars(one), "originator_version": number})
