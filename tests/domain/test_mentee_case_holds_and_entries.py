"""Holds, disclosures, dates and corrections in a mentee's case, each rule a sentence."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from domain.fact import ERASED
from domain.mentee_case import MenteeCase
from domain.mentee_case_facts import (
    Closed,
    ConfidentialityBroken,
    Corrected,
    Disputed,
    HoldReleased,
    Matched,
    PutOnHold,
    Referred,
    SessionHeld,
)
from tests.domain.cases import (
    AT_REVIEW,
    MATCHED,
    MENTOR,
    ON_HOLD,
    PUPIL,
    REFERRAL,
    REFERRED,
    STATES,
    case,
    held,
)
from tests.scenario import TODAY, by, fact


@pytest.mark.parametrize("value", ["", "7B", "not-a-uuid"])
def test_a_correction_of_the_pupil_names_one_on_the_roll(value: str) -> None:
    case(REFERRED).when(
        lambda c: c.correct(by(), version=1, field="pupil_id", value=value, reason="r")
    ).refused("from the roll")


def test_a_case_on_hold_is_neither_closed_nor_extended_nor_matched_nor_declined() -> None:
    lead = by(lead="Ms Hughes")
    case(*AT_REVIEW, ON_HOLD).when(lambda c: c.close(lead, outcome="o", reason="r")).refused(
        "This case is on hold. Speak to Ms Hughes before closing it."
    )
    case(*AT_REVIEW, ON_HOLD).when(
        lambda c: c.extend(lead, sessions=1, reason="r", mentee_wishes="w")
    ).refused("Speak to Ms Hughes before extending it.")
    case(REFERRED, ON_HOLD).when(lambda c: c.match(lead, mentor_id=MENTOR)).refused("Speak to Ms Hughes")
    case(REFERRED, ON_HOLD).when(lambda c: c.decline(lead, reason="r")).refused("Speak to Ms Hughes")


def test_the_same_sentence_stands_for_every_kind_of_hold() -> None:
    objection = fact(PutOnHold, reason="Mother objects.")
    sentences = {
        case(*AT_REVIEW, hold)
        .when(lambda c: c.close(by(), outcome="o", reason="r"))
        .refused("on hold")
        .sentence
        for hold in (ON_HOLD, objection)
    }
    assert len(sentences) == 1


def test_a_released_case_can_be_closed() -> None:
    case(*AT_REVIEW, ON_HOLD, fact(HoldReleased)).when(lambda c: c.close(by(), outcome="o", reason="r")).then(
        fact(Closed)
    )


def test_a_hold_is_put_once_and_released_once() -> None:
    case(REFERRED).when(lambda c: c.hold(by(), reason="Mother objects.")).then(fact(PutOnHold))
    case(REFERRED, ON_HOLD).when(lambda c: c.hold(by())).refused("already on hold")
    case(REFERRED, ON_HOLD).when(lambda c: c.release(by())).then(fact(HoldReleased))
    case(REFERRED).when(lambda c: c.release(by())).refused("isn't on hold")


@pytest.mark.parametrize("state", STATES)
def test_breaking_confidentiality_is_never_refused(state: str) -> None:
    concern_id = uuid4()
    told = case(*STATES[state]).when(lambda c: c.break_confidentiality(by(), concern_id=concern_id))
    expected = [fact(ConfidentialityBroken, concern_id=concern_id)]
    if state != "on_hold":
        expected.append(fact(PutOnHold, reason=None))
    assert told.then(*expected).on_hold


def test_nothing_happened_before_the_mentoring_referral() -> None:
    early = by(happened_on=date(2026, 9, 8))
    at = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
    give: dict[str, list[Callable[[MenteeCase], None]]] = {
        "referred": [
            lambda c: c.match(early, mentor_id=MENTOR),
            lambda c: c.decline(early, reason="r"),
        ],
        "matched": [
            lambda c: c.end_match(early, reason="r"),
            lambda c: c.agree_purpose(early, purpose="Make one friend"),
            lambda c: c.arrange_session(early, at=at, place="Library"),
            lambda c: c.ask_for_more(early, words="Two more please"),
            lambda c: c.close(early, outcome="o", reason="r"),
        ],
        "closed": [lambda c: c.reopen(early, reason="r")],
        "declined": [lambda c: c.reopen(early, reason="r")],
    }
    for state, commands in give.items():
        for command in commands:
            case(*STATES[state]).when(command).refused("before the mentoring referral on 9 September 2026")
    case(REFERRED).when(lambda c: c.match(by(happened_on=date(2026, 9, 9)), mentor_id=MENTOR)).then(
        fact(Matched, happened_on=date(2026, 9, 9))
    )


def test_a_case_isn_t_closed_before_its_last_session() -> None:
    sixth = (REFERRED, MATCHED, *(held(date(2026, 10, d)) for d in (1, 6, 5, 4, 3, 2)))
    early = by(happened_on=date(2026, 10, 5))
    case(*sixth).when(lambda c: c.close(early, outcome="o", reason="r")).refused(
        "the last session on 6 October"
    )
    case(*sixth).when(lambda c: c.extend(early, sessions=1, reason="r", mentee_wishes="w")).refused(
        "the last session on 6 October"
    )


def test_nothing_happens_before_the_pupil_was_born_or_in_the_future() -> None:
    born = by(born_on=date(2015, 2, 28), happened_on=date(2015, 2, 27))
    case().when(lambda c: c.refer(born, pupil_id=PUPIL, **REFERRAL)).refused("before the pupil was born")
    ahead = by(happened_on=date(2026, 11, 21))
    case().when(lambda c: c.refer(ahead, pupil_id=PUPIL, **REFERRAL)).refused("in the future")


def test_an_entry_is_corrected_or_disputed_beside_the_old_words() -> None:
    case(REFERRED, MATCHED, held()).when(
        lambda c: c.correct(by(), version=3, field="minutes", value="45", reason="Misread the clock")
    ).then(fact(Corrected, version=3, field="minutes", value="45"))
    case(REFERRED).when(lambda c: c.dispute(by(), version=1, words="Not so")).then(fact(Disputed, version=1))


@pytest.mark.parametrize("version", [0, 4, -1])
def test_only_an_entry_that_exists_is_corrected_or_disputed(version: int) -> None:
    past = (REFERRED, MATCHED, held())
    case(*past).when(
        lambda c: c.correct(by(), version=version, field="minutes", value="4", reason="r")
    ).refused("no entry number")
    case(*past).when(lambda c: c.dispute(by(), version=version, words="w")).refused("no entry number")


@pytest.mark.parametrize("field", ["sessions_planned", "recorded_by", "happened_on", "nonsense"])
def test_only_what_a_person_said_is_corrected(field: str) -> None:
    case(REFERRED, MATCHED).when(
        lambda c: c.correct(by(), version=2, field=field, value="1", reason="r")
    ).refused("can be corrected")


def test_a_correction_isn_t_corrected() -> None:
    corrected = fact(Corrected, version=1, field="words", value="w", reason="r")
    case(REFERRED, corrected).when(
        lambda c: c.correct(by(), version=2, field="reason", value="x", reason="r")
    ).refused("can be corrected")


def test_an_erased_case_still_loads_and_takes_no_more_facts() -> None:
    erased = fact(
        Referred,
        route=ERASED,
        reasons=ERASED,
        words=ERASED,
        referred_by=ERASED,
        pupil_id=ERASED,
        pupil_in_words=ERASED,
        sessions_planned=6,
    )
    correction = fact(Corrected, version=1, field=ERASED, value=ERASED, reason=ERASED)
    matched = fact(Matched, mentor_id=ERASED, sessions_planned=6, reason=ERASED)
    session_held = fact(
        SessionHeld, held_on=TODAY, minutes=30, focus=ERASED, notes=ERASED, friend_came=ERASED
    )
    gone = case(erased, correction, matched, *[session_held] * 6)
    assert (gone.subject.state, gone.subject.sessions_held) == ("at_review", 6)
    gone.when(lambda c: c.close(by(), outcome="o", reason="r")).refused("has been erased")
