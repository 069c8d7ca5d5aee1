"""The rules of a concern, each a sentence."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.concern import Concern
from domain.concern_facts import (
    Acknowledged,
    ActionAssigned,
    ActionCompleted,
    Assessed,
    ChildInformed,
    Closed,
    ClosingApproved,
    Decided,
    InformationShared,
    Notified,
    OutcomeReceived,
    Raised,
    ReceiptConfirmed,
    ReferredOut,
    Reopened,
    Transferred,
)
from domain.fact import Fact
from tests.scenario import COORDINATOR, TODAY, Scenario, by, fact, given

LEAD, DEPUTY, CASE, PUPIL = (UUID(int=n) for n in (31, 32, 33, 34))
Past = tuple[type[Fact], dict[str, Any]]

RAISED = fact(Raised, childs_words="He hits me", case_id=CASE, pupil_id=PUPIL)
ACKNOWLEDGED = fact(Acknowledged, recorded_by=LEAD)
DECIDED = fact(Decided, decision="monitor", rationale="Known to early help.")
CLOSED = fact(Closed, outcome="Settled", rationale="Safe now.", recorded_by=LEAD)
DONE = (RAISED, ACKNOWLEDGED, DECIDED, CLOSED)


def concern(*past: Past) -> Scenario[Concern]:
    return given(Concern, *past)


def test_a_concern_keeps_the_childs_words_and_whom_it_is_about() -> None:
    raised = concern().when(
        lambda c: c.raise_concern(by(), childs_words="He hits me", case_id=CASE, pupil_id=PUPIL)
    )
    subject = raised.then(fact(Raised, childs_words="He hits me", case_id=CASE))
    assert (subject.raised_by, subject.case_id, subject.pupil_id, subject.about) == (
        COORDINATOR,
        CASE,
        PUPIL,
        "pupil",
    )
    assert subject.state == "received"


def test_a_concern_without_any_words_is_still_a_concern() -> None:
    concern().when(lambda c: c.raise_concern(by())).then(fact(Raised, childs_words=""))


def test_alerts_are_counted_until_somebody_has_read_it() -> None:
    first = concern(RAISED).when(lambda c: c.notify(by(), told=(LEAD,), channel="e-mail"))
    assert first.then(fact(Notified, times=1)).alerts == 1
    once = concern(RAISED, fact(Notified, told=(LEAD,), channel="e-mail", times=1))
    again = once.when(lambda c: c.notify(by(), told=(LEAD, DEPUTY), channel="e-mail"))
    assert again.then(fact(Notified, told=(LEAD, DEPUTY), times=2)).alerts == 2


def test_a_concern_is_acknowledged_once() -> None:
    read = concern(RAISED).when(lambda c: c.acknowledge(by(LEAD))).then(fact(Acknowledged, recorded_by=LEAD))
    assert read.state == "acknowledged"
    concern(RAISED, ACKNOWLEDGED).when(lambda c: c.acknowledge(by(DEPUTY))).refused(
        "already been acknowledged"
    )


def test_whoever_decides_has_read_it() -> None:
    said = {"decision": "refer", "rationale": "Risk of harm."}
    both = concern(RAISED).when(lambda c: c.decide(by(LEAD), **said))
    assert both.then(fact(Acknowledged), fact(Decided, decision="refer")).state == "being_dealt_with"
    concern(RAISED, ACKNOWLEDGED).when(lambda c: c.decide(by(LEAD), **said)).then(fact(Decided))


def test_a_concern_closes_after_a_decision_alone() -> None:
    said = {"outcome": "Settled", "rationale": "Safe now."}
    refusal = (
        concern(RAISED, ACKNOWLEDGED).when(lambda c: c.close(by(LEAD), **said)).refused("Decide what to do")
    )
    assert refusal.way_out == "decide"
    closed = (
        concern(RAISED, ACKNOWLEDGED, DECIDED).when(lambda c: c.close(by(LEAD), **said)).then(fact(Closed))
    )
    assert closed.state == "closed"


OPEN_ONLY: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "assess": {"threshold": "s.17", "reason": "r"},
    "decide": {"decision": "monitor", "rationale": "r"},
    "refer_out": {"body": "MASH", "sent_at": datetime(2026, 11, 20, tzinfo=UTC)},
    "assign_action": {"action": "Ring home", "owner": "Ms Price", "due_on": date(2026, 12, 1)},
    "close": {"outcome": "o", "rationale": "r"},
}


@pytest.mark.parametrize("command", OPEN_ONLY)
def test_a_closed_concern_is_reopened_first(command: str) -> None:
    refusal = (
        concern(*DONE).when(lambda c: getattr(c, command)(by(LEAD), **OPEN_ONLY[command])).refused("Reopen")
    )
    assert refusal.way_out == "reopen"


def test_an_open_concern_takes_an_assessment_a_referral_and_actions() -> None:
    kinds = {"assess": Assessed, "refer_out": ReferredOut, "assign_action": ActionAssigned}
    for command, kind in kinds.items():
        concern(RAISED).when(
            lambda c, command=command: getattr(c, command)(by(LEAD), **OPEN_ONLY[command])  # type: ignore[misc]
        ).then((kind, OPEN_ONLY[command]))


def test_a_reopened_concern_needs_a_decision_of_its_own() -> None:
    again = concern(*DONE).when(lambda c: c.reopen(by(LEAD), reason="New facts")).then(fact(Reopened))
    assert again.state == "acknowledged"
    concern(*DONE, fact(Reopened, reason="r")).when(
        lambda c: c.close(by(LEAD), outcome="o", rationale="r")
    ).refused("Decide")
    concern(RAISED).when(lambda c: c.reopen(by(LEAD), reason="r")).refused("still open")


def test_another_person_approves_a_closing_once() -> None:
    concern(RAISED).when(lambda c: c.approve_closing(by(LEAD))).refused("isn't closed")
    concern(*DONE).when(lambda c: c.approve_closing(by(LEAD))).refused("Another person")
    for other in (DEPUTY, COORDINATOR):
        # mypy can't infer a lambda that binds the loop's value.
        closed = concern(*DONE).when(lambda c, other=other: c.approve_closing(by(other)))  # type: ignore[misc]
        assert closed.then(fact(ClosingApproved, recorded_by=other)).closing_approved
    concern(*DONE, fact(ClosingApproved, recorded_by=DEPUTY)).when(
        lambda c: c.approve_closing(by(DEPUTY))
    ).refused("already been approved")
    closed_again = (*DONE, fact(ClosingApproved), fact(Reopened, reason="r"), DECIDED, CLOSED)
    assert not concern(*closed_again).subject.closing_approved


def test_an_outcome_follows_a_safeguarding_referral() -> None:
    said = {"outcome": "Strategy meeting", "received_on": TODAY}
    refusal = (
        concern(RAISED)
        .when(lambda c: c.record_outcome(by(LEAD), **said))
        .refused("safeguarding referral before")
    )
    assert refusal.way_out == "refer-out"
    sent = fact(ReferredOut, body="MASH", sent_at=datetime(2026, 11, 20, tzinfo=UTC))
    concern(RAISED, sent).when(lambda c: c.record_outcome(by(LEAD), **said)).then(fact(OutcomeReceived))


def test_only_an_open_action_is_completed() -> None:
    action = fact(ActionAssigned, action="Ring home", owner="Ms Price", due_on=date(2026, 12, 1))
    said = {"action_version": 2, "done_on": TODAY}
    done = (
        concern(RAISED, action)
        .when(lambda c: c.complete_action(by(LEAD), **said))
        .then(fact(ActionCompleted))
    )
    assert done.open_actions == frozenset()
    concern(RAISED).when(lambda c: c.complete_action(by(LEAD), **said)).refused("no open action")
    completed = fact(ActionCompleted, action_version=2, done_on=TODAY)
    concern(RAISED, action, completed).when(lambda c: c.complete_action(by(LEAD), **said)).refused(
        "no open action"
    )


def test_sharing_and_telling_the_child_are_recorded_even_after_closing() -> None:
    shared = {"with_whom": "Form tutor", "what": "Absence", "basis": "Need to know"}
    concern(*DONE).when(lambda c: c.share(by(LEAD), **shared)).then(fact(InformationShared))
    concern(*DONE).when(lambda c: c.inform_child(by(LEAD), told_on=TODAY, words="We spoke")).then(
        fact(ChildInformed)
    )


def test_a_receipt_follows_a_transfer() -> None:
    said = {"received_on": TODAY, "by_whom": "Mr Okafor"}
    refusal = concern(RAISED).when(lambda c: c.confirm_receipt(by(LEAD), **said)).refused("transfer before")
    assert refusal.way_out == "transfer"
    sent = fact(Transferred, to_school="St Example", sent_on=TODAY)
    concern(RAISED).when(lambda c: c.transfer(by(LEAD), to_school="St Example", sent_on=TODAY)).then(sent)
    concern(RAISED, sent).when(lambda c: c.confirm_receipt(by(LEAD), **said)).then(fact(ReceiptConfirmed))
