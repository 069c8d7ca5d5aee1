"""How a history tells its entries."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.history import as_json, by_day, entries
from domain.fact import FACTS
from domain.mentee_case_facts import (
    Closed,
    ConfidentialityBroken,
    Corrected,
    Disputed,
    Matched,
    PutOnHold,
    Referred,
    SessionHeld,
)
from tests.stories import (
    AMY,
    AMY_SIGNS_IN,
    CAL,
    COORDINATOR,
    DSL,
    HUGHES,
    LEE,
    MENTOR,
    NAMES,
    PRICE,
    START,
    case,
    names_of,
)
from tests.wording.samples import erased, fact

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
