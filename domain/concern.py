"""A concern: what a child said or somebody saw, and what the safeguarding lead did about it.

Its own aggregate, its own key, its own readers. Raising one is never refused: what is missing or odd is
kept in `gaps`, for the lead to ask about.
"""

from typing import Any, Literal
from uuid import UUID

from domain.concern_facts import (
    Acknowledged,
    ActionAssigned,
    ActionCompleted,
    Assessed,
    ChildInformed,
    Closed,
    ClosingApproved,
    Corrected,
    Decided,
    Disputed,
    InformationShared,
    Notified,
    OutcomeReceived,
    Raised,
    ReceiptConfirmed,
    ReferredOut,
    Reopened,
    Transferred,
)
from domain.fact import (
    By,
    Subject,
    records,
)


class Concern(Subject):
    """A concern, as later decisions need to know it."""

    corrected = Corrected
    disputed = Disputed

    def begin(self) -> None:
        """Start before anybody said anything."""
        super().begin()
        self.raised_by: UUID | None = None
        self.case_id: UUID | None = None
        self.pupil_id: UUID | None = None
        self.about: Literal["pupil", "staff"] = "pupil"
        self.alerts = 0
        self.acknowledged = False
        self.decided = False
        self.closed = False
        self.closed_by: UUID | None = None
        self.closing_approved = False
        self.open_actions: frozenset[int] = frozenset()
        self.transferred = False

    @property
    def state(self) -> str:
        """What the person who raised it may know: received, acknowledged, being dealt with or closed."""
        if self.closed:
            return "closed"
        if self.decided:
            return "being_dealt_with"
        return "acknowledged" if self.acknowledged else "received"

    @records(Raised)
    def raise_concern(self, by: By, **said: Any) -> None:
        """Raise it. The envelope is made to fit, so that nothing about dates can refuse this."""
        self.record(Raised, by, **said)

    def notify(self, by: By, *, told: tuple[UUID, ...], channel: str) -> None:
        """Record that the lead and deputies were alerted once more."""
        self.record(Notified, by, told=told, channel=channel, times=self.alerts + 1)

    @records(Acknowledged)
    def acknowledge(self, by: By) -> None:
        """Say "I have read this"."""
        self._must_be_open()
        if self.acknowledged:
            self.refuse("This concern has already been acknowledged.")
        self.record(Acknowledged, by)

    @records(Assessed)
    def assess(self, by: By, **said: Any) -> None:
        """Say how serious it is."""
        self._must_be_open()
        self.record(Assessed, by, **said)

    @records(Decided)
    def decide(self, by: By, **said: Any) -> None:
        """Decide, with a reason. Who decides has read it: an open acknowledgement is recorded with it."""
        self._must_be_open()
        if not self.acknowledged:
            self.record(Acknowledged, by)
        self.record(Decided, by, **said)

    @records(ReferredOut)
    def refer_out(self, by: By, **said: Any) -> None:
        """Record a safeguarding referral to another body."""
        self._must_be_open()
        self.record(ReferredOut, by, **said)

    @records(OutcomeReceived)
    def record_outcome(self, by: By, **said: Any) -> None:
        """Record what the other body answered."""
        if ReferredOut not in self.told:
            self.refuse("Record the safeguarding referral before its outcome.", "refer-out")
        self.record(OutcomeReceived, by, **said)

    @records(InformationShared)
    def share(self, by: By, **said: Any) -> None:
        """Record who was told what, on which basis."""
        self.record(InformationShared, by, **said)

    @records(ActionAssigned)
    def assign_action(self, by: By, **said: Any) -> None:
        """Give somebody something to do."""
        self._must_be_open()
        self.record(ActionAssigned, by, **said)

    @records(ActionCompleted)
    def complete_action(self, by: By, **said: Any) -> None:
        """Record that it was done."""
        if said["action_version"] not in self.open_actions:
            self.refuse("There is no open action with that entry number.", "assign-action")
        self.record(ActionCompleted, by, **said)

    @records(ChildInformed)
    def inform_child(self, by: By, **said: Any) -> None:
        """Record what the child was told."""
        self.record(ChildInformed, by, **said)

    @records(Closed)
    def close(self, by: By, **said: Any) -> None:
        """Close it, after a decision."""
        self._must_be_open()
        if not self.decided:
            self.refuse("Decide what to do before closing this concern.", "decide")
        self.record(Closed, by, **said)

    @records(ClosingApproved)
    def approve_closing(self, by: By) -> None:
        """Agree with the closing, as another person than the one who closed it."""
        if not self.closed:
            self.refuse("This concern isn't closed.", "close")
        if self.closing_approved:
            self.refuse("The closing has already been approved.")
        if by.account == self.closed_by:
            self.refuse("Another person must approve the closing.")
        self.record(ClosingApproved, by)

    @records(Reopened)
    def reopen(self, by: By, **said: Any) -> None:
        """Open it again."""
        if not self.closed:
            self.refuse("This concern is still open.")
        self.record(Reopened, by, **said)

    @records(Transferred)
    def transfer(self, by: By, **said: Any) -> None:
        """Record that the file went to another school."""
        self.record(Transferred, by, **said)

    @records(ReceiptConfirmed)
    def confirm_receipt(self, by: By, **said: Any) -> None:
        """Record that the other school has it."""
        if not self.transferred:
            self.refuse("Record the transfer before its receipt.", "transfer")
        self.record(ReceiptConfirmed, by, **said)

    def _must_be_open(self) -> None:
        if self.closed:
            self.refuse("This concern is closed. Reopen it first.", "reopen")

    def on_raised(self, fact: Raised) -> None:
        self.raised_by = fact.recorded_by
        self.case_id, self.pupil_id, self.about = fact.case_id, fact.pupil_id, fact.about

    def on_notified(self, _: Notified) -> None:
        self.alerts += 1

    def on_acknowledged(self, _: Acknowledged) -> None:
        self.acknowledged = True

    def on_decided(self, _: Decided) -> None:
        self.decided = True

    def on_action_assigned(self, fact: ActionAssigned) -> None:
        self.open_actions |= {fact.originator_version}

    def on_action_completed(self, fact: ActionCompleted) -> None:
        self.open_actions -= {fact.action_version}

    def on_closed(self, fact: Closed) -> None:
        self.closed, self.closed_by, self.closing_approved = True, fact.recorded_by, False

    def on_closing_approved(self, _: ClosingApproved) -> None:
        self.closing_approved = True

    def on_reopened(self, _: Reopened) -> None:
        self.closed, self.decided = False, False

    def on_transferred(self, _: Transferred) -> None:
        self.transferred = True
