"""What is recorded about a concern. What may be recorded when: `concern.py`.

The names of the facts and of their fields are a storage format and never change.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from domain.fact import (
    AtTime,
    CorrectedFact,
    Derived,
    DisputedFact,
    Fact,
    Kept,
    OnDay,
    pinned,
)


@dataclass(frozen=True)
class PassedOn:
    """Whom the child's words were passed on to, and when (both as told)."""

    whom: str
    at: str | None = None


@dataclass(frozen=True)
class Involved:
    """Another pupil in it, and which part they have."""

    pupil_id: UUID
    part: str


class Raised(Fact):
    """Somebody is worried about a child: in the child's own words, with facts apart from opinion."""

    childs_words: str = ""
    facts: str | None = None
    opinion: str | None = None
    immediate_danger: bool | None = None
    disclosed_at: datetime | None = None
    passed_on: tuple[PassedOn, ...] = ()
    basis: str | None = None
    mentee_informed: str | None = None
    about: Literal["pupil", "staff"] = "pupil"
    about_words: str | None = None
    involved: tuple[Involved, ...] = ()
    case_id: Derived[UUID | None] = None
    pupil_id: Derived[UUID | None] = None
    gaps: Derived[tuple[str, ...]] = ()
    TOPIC = "concern.raised"


class Notified(Fact):
    """The lead and deputies were alerted. The alert holds nothing about the child."""

    told: tuple[UUID, ...]
    channel: str
    times: Kept[int]
    TOPIC = "concern.notified"


class Acknowledged(Fact):
    """Somebody who answers for safeguarding has read it."""

    TOPIC = "concern.acknowledged"


class Assessed(Fact):
    """How serious it is, and why."""

    threshold: str
    reason: str
    TOPIC = "concern.assessed"


class Decided(Fact):
    """What will be done, and why: also when that is nothing further."""

    decision: Kept[Literal["refer", "early_help", "monitor", "no_further_action"]]
    rationale: str
    alternatives: str | None = None
    TOPIC = "concern.decided"


class ReferredOut(Fact):
    """A safeguarding referral went to another body."""

    body: str
    sent_at: AtTime
    reference: str | None = None
    TOPIC = "concern.referred-out"


class OutcomeReceived(Fact):
    """The other body answered."""

    outcome: str
    received_on: OnDay
    TOPIC = "concern.outcome-received"


class InformationShared(Fact):
    """Somebody was told something, on a stated basis."""

    with_whom: str
    what: str
    basis: str
    TOPIC = "concern.information-shared"


class ActionAssigned(Fact):
    """Somebody has something to do by a day."""

    action: str
    owner: str
    due_on: Kept[date]
    TOPIC = "concern.action-assigned"


class ActionCompleted(Fact):
    """It was done."""

    action_version: Kept[int]
    done_on: OnDay
    notes: str | None = None
    TOPIC = "concern.action-completed"


class ChildInformed(Fact):
    """The child was told what happens."""

    told_on: OnDay
    words: str
    TOPIC = "concern.child-informed"


class Closed(Fact):
    """Nothing more is to be done for now."""

    outcome: str
    rationale: str
    TOPIC = "concern.closed"


class ClosingApproved(Fact):
    """A second person agrees that it is closed."""

    TOPIC = "concern.closing-approved"


class Reopened(Fact):
    """There is more to do after all."""

    reason: str
    TOPIC = "concern.reopened"


class Transferred(Fact):
    """The file went to the child's new school."""

    to_school: str
    sent_on: OnDay
    TOPIC = "concern.transferred"


class ReceiptConfirmed(Fact):
    """The new school has the file."""

    received_on: OnDay
    by_whom: str
    TOPIC = "concern.receipt-confirmed"


class Corrected(CorrectedFact):
    """An entry was wrong."""

    TOPIC = "concern.corrected"


class Disputed(DisputedFact):
    """Somebody disputes an entry."""

    TOPIC = "concern.disputed"


pinned(
    *(Raised, Notified, Acknowledged, Assessed, Decided, ReferredOut, OutcomeReceived, InformationShared),
    *(ActionAssigned, ActionCompleted, ChildInformed, Closed, ClosingApproved, Reopened, Transferred),
    *(ReceiptConfirmed, Corrected, Disputed),
)
