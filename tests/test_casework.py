"""Load, decide, save on a real record: all or nothing, once, and never lost."""

import hmac
from datetime import date
from uuid import UUID, uuid4

import pytest

from app.casework import NotFound, Stale
from app.commands import Invalid
from app.house import House
from app.record.recorder import CommandReused
from domain.fact import Refused
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from tests.giving import Someone, a_case, a_matched_case, a_mentor, a_pupil, at_once, give, load, size


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


def test_a_request_is_remembered_under_the_same_digest_as_ever(house: House) -> None:
    """Those in the record were made by earlier versions; the same request is sent to later ones again."""
    begun = hmac.digest(house.settings.secret_key.encode(), b"casebook-request/1", "sha256")
    said = {
        "words": "“Où” \u2028 \ud83d 😀",
        "held_on": date(2026, 9, 17),
        "minutes": 30,
        "alone": [True, None, {}],
    }
    plain = b"""{"alone": [true, null, {}], "held_on": "2026-09-17", "minutes": 30, "words": \
"\\u201cO\\u00f9\\u201d \\u2028 \\ud83d \\ud83d\\ude00"}"""
    key = house.casework.key(Someone(uuid4()), "/cases", None, said)
    assert key.request_hmac == hmac.digest(begun, plain, "sha256")


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
