"""The rules of a peer mentor, each a sentence."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from domain.fact import Fact
from domain.mentor import (
    AgreementSigned,
    Applied,
    Appointed,
    Attached,
    HandedBack,
    Interviewed,
    Mentor,
    Qualified,
    Selected,
    StoodDown,
    Supervised,
    TookOn,
    Trained,
    TurnedDown,
)
from domain.policy import Policy
from tests.scenario import TODAY, Scenario, by, fact, given

PUPIL, CASE, OTHER, THIRD, FOURTH = (UUID(int=n) for n in (11, 21, 22, 23, 24))
Past = tuple[type[Fact], dict[str, Any]]

APPLIED = fact(Applied, pupil_id=PUPIL, statement="I like helping.")
INTERVIEWED = fact(Interviewed, held_on=TODAY, panel="Ms Price", notes="Kind.")
SELECTED = fact(Selected, reason="Kind and on time.")
TRAINED = fact(Trained, course="Listening", completed_on=date(2026, 10, 1))
SIGNED = fact(AgreementSigned, signed_on=date(2026, 10, 2), agreement_version="2026")
READY = (APPLIED, INTERVIEWED, SELECTED, TRAINED, SIGNED)
TURNED_DOWN = (APPLIED, fact(TurnedDown, reason="Not yet."))
STOOD_DOWN = (*READY, fact(StoodDown, reason="Exams."))


def mentor(*past: Past) -> Scenario[Mentor]:
    return given(Mentor, *past)


def took(case_id: UUID) -> Past:
    return fact(TookOn, case_id=case_id)


def test_a_pupil_applies_once() -> None:
    applied = mentor().when(lambda m: m.apply(by(), pupil_id=PUPIL, statement="Me"))
    assert applied.then(fact(Applied, pupil_id=PUPIL)).pupil_id == PUPIL
    mentor(APPLIED).when(lambda m: m.apply(by(), pupil_id=PUPIL, statement="Me")).refused("already")


def test_selection_follows_an_interview() -> None:
    refusal = mentor(APPLIED).when(lambda m: m.select(by(), reason="r")).refused("interview before")
    assert refusal.way_out == "interview"
    mentor(APPLIED).when(lambda m: m.interview(by(), held_on=TODAY, panel="p", notes="n")).then(
        fact(Interviewed)
    )
    chosen = mentor(APPLIED, INTERVIEWED).when(lambda m: m.select(by(), reason="r")).then(fact(Selected))
    assert chosen.standing == "selected"


def test_an_application_can_be_turned_down_without_an_interview() -> None:
    assert (
        mentor(APPLIED).when(lambda m: m.turn_down(by(), reason="r")).then(fact(TurnedDown)).standing
        == "turned_down"
    )


@pytest.mark.parametrize(
    ("past", "words"),
    [(READY, "been selected"), (TURNED_DOWN, "been turned down"), (STOOD_DOWN, "been stood down")],
)
def test_a_decided_application_is_decided(past: tuple[Past, ...], words: str) -> None:
    mentor(*past).when(lambda m: m.interview(by(), held_on=TODAY, panel="p", notes="n")).refused(words)
    mentor(*past).when(lambda m: m.select(by(), reason="r")).refused(words)
    mentor(*past).when(lambda m: m.turn_down(by(), reason="r")).refused(words)


STEPS: dict[str, tuple[type[Fact], dict[str, Any]]] = {
    "train": fact(Trained, course="Listening", completed_on=TODAY),
    "sign_agreement": fact(AgreementSigned, signed_on=TODAY, agreement_version="2026"),
    "qualify": fact(Qualified, award="ASDAN", awarded_on=TODAY),
    "attach": fact(Attached, tutor_group="7B"),
    "appoint": fact(Appointed, post="Head Peer Mentor"),
}


@pytest.mark.parametrize("command", STEPS)
def test_training_agreement_and_posts_are_for_selected_mentors(command: str) -> None:
    kind, said = STEPS[command]
    refusal = (
        mentor(APPLIED).when(lambda m: getattr(m, command)(by(), **said)).refused("Select this mentor before")
    )
    assert refusal.way_out == "select"
    mentor(APPLIED, INTERVIEWED, SELECTED).when(lambda m: getattr(m, command)(by(), **said)).then(
        (kind, said)
    )
    mentor(*STOOD_DOWN).when(lambda m: getattr(m, command)(by(), **said)).refused("new application")
    mentor(*TURNED_DOWN).when(lambda m: getattr(m, command)(by(), **said)).refused(
        "Select this mentor before"
    )


@pytest.mark.parametrize(
    ("past", "why"),
    [
        ((APPLIED,), "hasn't been selected"),
        (TURNED_DOWN, "hasn't been selected"),
        ((APPLIED, INTERVIEWED, SELECTED, SIGNED), "training"),
        ((APPLIED, INTERVIEWED, SELECTED, TRAINED), "agreement"),
        ((*READY, took(CASE), took(OTHER)), "2 of at most 2"),
        # The school has since adopted a smaller caseload.
        ((*READY, took(CASE), took(OTHER), took(FOURTH)), "3 of at most 2"),
        (STOOD_DOWN, "stood down"),
    ],
)
def test_a_mentor_is_free_only_when_selected_trained_signed_and_under_the_caseload(
    past: tuple[Past, ...], why: str
) -> None:
    refusal = mentor(*past).when(lambda m: m.take_on(by(), case_id=THIRD)).refused(why)
    assert refusal.way_out == "match"


def test_a_free_mentor_takes_a_case_up_to_the_caseload() -> None:
    two = (
        mentor(*READY, took(CASE))
        .when(lambda m: m.take_on(by(), case_id=OTHER))
        .then(fact(TookOn, case_id=OTHER))
    )
    assert two.cases == (CASE, OTHER)
    three = by(policy=Policy(caseload=3))
    mentor(*READY, took(CASE), took(OTHER)).when(lambda m: m.take_on(three, case_id=THIRD)).then(fact(TookOn))


def test_a_case_handed_back_leaves_a_place() -> None:
    left = mentor(*READY, took(CASE), took(OTHER)).when(lambda m: m.hand_back(by(), case_id=CASE))
    subject = left.then(fact(HandedBack, case_id=CASE))
    assert subject.cases == (OTHER,)
    assert subject.why_not_free(Policy()) is None


def test_handing_back_somebody_elses_case_changes_nothing() -> None:
    mentor(*READY, took(CASE)).when(lambda m: m.hand_back(by(), case_id=OTHER)).then()


def test_supervision_goes_on_after_standing_down() -> None:
    said = {"kind": "one_to_one", "held_on": TODAY, "notes": "Well."}
    past: tuple[Past, ...]
    for past in (READY, STOOD_DOWN):
        mentor(*past).when(lambda m: m.supervise(by(), **said)).then((Supervised, said))
    for past in ((APPLIED,), TURNED_DOWN):
        mentor(*past).when(lambda m: m.supervise(by(), **said)).refused("before recording supervision")


def test_only_who_was_selected_stands_down() -> None:
    refusal = mentor(APPLIED).when(lambda m: m.stand_down(by(), reason="r")).refused("Select this mentor")
    assert refusal.way_out == "select"
    mentor(*STOOD_DOWN).when(lambda m: m.stand_down(by(), reason="r")).refused("has stood down")


def test_a_mentor_stands_down_without_cases() -> None:
    assert (
        mentor(*READY).when(lambda m: m.stand_down(by(), reason="Exams")).then(fact(StoodDown)).standing
        == "stood_down"
    )
    refusal = (
        mentor(*READY, took(CASE))
        .when(lambda m: m.stand_down(by(), reason="r"))
        .refused("still has 1 mentee.")
    )
    assert refusal.way_out == "end-match"
    mentor(*READY, took(CASE), took(OTHER)).when(lambda m: m.stand_down(by(), reason="r")).refused(
        "2 mentees."
    )
