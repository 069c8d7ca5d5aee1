"""What is recorded about a mentee's case. What may be recorded when: `mentee_case.py`.

The names of the facts and of their fields are a storage format and never change.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.fact import (
    CorrectedFact,
    Derived,
    DisputedFact,
    Fact,
    Kept,
    OnDay,
    pinned,
)


class Referred(Fact):
    """Somebody asked for a peer mentor for a pupil. A referrer may name the pupil in words alone."""

    route: Literal["self", "parent", "staff", "mentor"]
    reasons: tuple[str, ...]
    words: str
    referred_by: str
    sessions_planned: Kept[Derived[int]]
    pupil_id: UUID | None = None
    pupil_in_words: str | None = None
    TOPIC = "mentee-case.referred"


class Declined(Fact):
    """The scheme isn't the right help."""

    reason: str
    signposted_to: str | None = None
    TOPIC = "mentee-case.declined"


class Matched(Fact):
    """A peer mentor takes the case, for a number of sessions in all."""

    mentor_id: UUID
    sessions_planned: Kept[Derived[int]]
    reason: str | None = None
    TOPIC = "mentee-case.matched"


class PurposeAgreed(Fact):
    """Mentee and mentor know what the meetings are for."""

    purpose: str
    expectations: str | None = None
    TOPIC = "mentee-case.purpose-agreed"


class LetterSent(Fact):
    """A letter about the mentoring went home to the pupil's parents or guardians."""

    kind: str
    sent_on: OnDay
    TOPIC = "mentee-case.letter-sent"


class SessionArranged(Fact):
    """When and where they meet next."""

    at: datetime
    place: str
    TOPIC = "mentee-case.session-arranged"


class SessionHeld(Fact):
    """They met."""

    held_on: OnDay
    minutes: Kept[int]
    focus: str
    notes: str
    friend_came: bool = False
    TOPIC = "mentee-case.session-held"


class SessionMissed(Fact):
    """They should have met and didn't."""

    due_on: OnDay
    reason: str
    TOPIC = "mentee-case.session-missed"


class MoreAskedFor(Fact):
    """The mentee would like more sessions."""

    words: str
    TOPIC = "mentee-case.more-asked-for"


class Extended(Fact):
    """More sessions were agreed at the review."""

    sessions: Kept[int]
    reason: str
    mentee_wishes: str
    TOPIC = "mentee-case.extended"


class MatchEnded(Fact):
    """This mentor no longer has the case; it waits for another."""

    reason: str
    mentor_id: Derived[UUID]
    TOPIC = "mentee-case.match-ended"


class PutOnHold(Fact):
    """The case waits for the Designated Safeguarding Lead, or for a guardian."""

    reason: str | None = None
    TOPIC = "mentee-case.put-on-hold"


class HoldReleased(Fact):
    """The case may go on."""

    reason: str | None = None
    TOPIC = "mentee-case.hold-released"


class Closed(Fact):
    """The mentoring is over."""

    outcome: str
    reason: str
    TOPIC = "mentee-case.closed"


class Reopened(Fact):
    """The mentee came back."""

    reason: str
    TOPIC = "mentee-case.reopened"


class ConfidentialityBroken(Fact):
    """Somebody told the safeguarding lead. What the child said is in the concern."""

    concern_id: Derived[UUID]
    TOPIC = "mentee-case.confidentiality-broken"


class Corrected(CorrectedFact):
    """An entry was wrong."""

    TOPIC = "mentee-case.corrected"


class Disputed(DisputedFact):
    """Somebody disputes an entry."""

    TOPIC = "mentee-case.disputed"


pinned(
    *(Referred, Declined, Matched, PurposeAgreed, LetterSent, SessionArranged, SessionHeld, SessionMissed),
    *(MoreAskedFor, Extended, MatchEnded, PutOnHold, HoldReleased, Closed, Reopened, ConfidentialityBroken),
    *(Corrected, Disputed),
)
