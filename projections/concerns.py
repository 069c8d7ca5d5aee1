"""What needs the safeguarding lead now, and what became of each concern? The child's words aren't here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.concern import Concern as Subject
from domain.concern_facts import (
    Acknowledged,
    ActionAssigned,
    ActionCompleted,
    Closed,
    Corrected,
    Decided,
    Notified,
    OutcomeReceived,
    Raised,
    ReferredOut,
    Reopened,
)
from projections.read_model import ReadModel, uuids
from projections.roll import day_typed

State = Literal["received", "acknowledged", "being_dealt_with", "closed"]
About = Literal["pupil", "staff"]


@dataclass(frozen=True)
class Concern:
    """One concern as lists show it. Instants are when a fact was recorded.

    `involved` are other pupils in it, `closed_at` is None while it is open, and a reopened concern needs an
    acknowledgement no more, but a decision of its own. `referred_at` is when the newest safeguarding referral
    was recorded since it was (re)opened, `unanswered` how many of them have no outcome yet, and `action_days`
    the days by which open actions are due.
    """

    concern_id: UUID
    number: int
    version: int
    state: State
    case_id: UUID | None
    pupil_id: UUID | None
    involved: list[UUID]
    raised_by: UUID
    raised_at: datetime
    immediate_danger: bool | None
    about: About
    alerts: int
    last_alert_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    closed_at: datetime | None
    reopened_at: datetime | None
    referred_at: datetime | None
    unanswered: int
    action_days: list[date]

    @property
    def waits_since(self) -> datetime:
        """Since when it waits to be read or decided."""
        return self.reopened_at or self.raised_at

    @property
    def urgency(self) -> int:
        """1: nobody has read it; 2: undecided; 3: being dealt with; 4: closed."""
        return ("received", "acknowledged", "being_dealt_with", "closed").index(self.state) + 1


class _Concern(Subject):
    def begin(self) -> None:
        super().begin()
        self.involved: tuple[UUID, ...] = ()
        self.raised_at: datetime | None = None
        self.immediate_danger: bool | None = None
        self.last_alert_at: datetime | None = None
        self.acknowledged_at: datetime | None = None
        self.acknowledged_by: UUID | None = None
        self.decided_at: datetime | None = None
        self.decision: str | None = None
        self.closed_at: datetime | None = None
        self.reopened_at: datetime | None = None
        self.referred_at: datetime | None = None
        self.unanswered = 0
        self.action_numbers: list[int] = []
        self.action_days: list[date] = []

    def resumed(self) -> None:
        self.acknowledged = self.acknowledged_at is not None
        self.decided = self.decided_at is not None
        self.closed = self.closed_at is not None
        self.open_actions = frozenset(self.action_numbers)

    def on_raised(self, fact: Raised) -> None:
        super().on_raised(fact)
        self.raised_at = fact.timestamp
        self.immediate_danger = fact.immediate_danger
        if not self.erased:
            self.involved = tuple(other.pupil_id for other in fact.involved)

    def on_notified(self, fact: Notified) -> None:
        super().on_notified(fact)
        self.last_alert_at = fact.timestamp

    def on_acknowledged(self, fact: Acknowledged) -> None:
        super().on_acknowledged(fact)
        self.acknowledged_at, self.acknowledged_by = fact.timestamp, fact.recorded_by

    def on_decided(self, fact: Decided) -> None:
        super().on_decided(fact)
        self.decided_at, self.decision = fact.timestamp, fact.decision

    def on_closed(self, fact: Closed) -> None:
        super().on_closed(fact)
        self.closed_at = fact.timestamp

    def on_reopened(self, fact: Reopened) -> None:
        super().on_reopened(fact)
        self.closed_at = self.decided_at = self.decision = self.referred_at = None
        self.reopened_at = fact.timestamp

    def on_referred_out(self, fact: ReferredOut) -> None:
        self.referred_at = fact.timestamp
        self.unanswered += 1

    def on_outcome_received(self, _: OutcomeReceived) -> None:
        self.unanswered = max(0, self.unanswered - 1)

    def on_action_assigned(self, fact: ActionAssigned) -> None:
        super().on_action_assigned(fact)
        self.action_numbers = [*self.action_numbers, fact.originator_version]
        self.action_days = [*self.action_days, fact.due_on]

    def on_action_completed(self, fact: ActionCompleted) -> None:
        super().on_action_completed(fact)
        still = [
            (number, due)
            for number, due in zip(self.action_numbers, self.action_days, strict=True)
            if number != fact.action_version
        ]
        self.action_numbers, self.action_days = [one for one, _ in still], [due for _, due in still]

    def on_corrected(self, fact: Corrected) -> None:
        if not self.erased and fact.field == "due_on" and fact.version in self.action_numbers:
            days = list(self.action_days)
            at = self.action_numbers.index(fact.version)
            days[at] = day_typed(fact.value.strip()) or days[at]
            self.action_days = days


CONCERNS: Final = ReadModel(
    name="concerns",
    kind="concern",
    key="concern_id",
    subject=_Concern,
    columns={
        "state": "text NOT NULL",
        "case_id": "uuid",
        "pupil_id": "uuid",
        "involved": "uuid[] NOT NULL",
        "raised_by": "uuid NOT NULL",
        "raised_at": "timestamptz NOT NULL",
        "immediate_danger": "boolean",
        "about": "text NOT NULL",
        "alerts": "integer NOT NULL",
        "last_alert_at": "timestamptz",
        "acknowledged_at": "timestamptz",
        "acknowledged_by": "uuid",
        "decided_at": "timestamptz",
        "decision": "text",
        "closed_at": "timestamptz",
        "reopened_at": "timestamptz",
        "referred_at": "timestamptz",
        "unanswered": "integer NOT NULL",
        "action_numbers": "integer[] NOT NULL",
        "action_days": "date[] NOT NULL",
    },
    indexes=(
        "(raised_by, number)",
        "(case_id, number)",
        "(pupil_id, number)",
        "(number) WHERE state <> 'closed'",
    ),
)

PAGE: Final = 50


class Concerns:
    """The questions, each answered from the list as it is now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._ask = CONCERNS.asking(pool, Concern)

    def concerns(
        self, *, about: About | None = None, state: State | None = None, after: int = 0, limit: int = PAGE
    ) -> list[Concern]:
        """Concerns, oldest first; the next page comes after the last one's `number`."""
        clause = (
            "WHERE number > %(after)s AND (%(state)s::text IS NULL OR state = %(state)s)"
            " AND (%(about)s::text IS NULL OR about = %(about)s) ORDER BY number LIMIT %(limit)s"
        )
        return self._ask(clause, {"about": about, "state": state, "after": after, "limit": limit})

    def needing_attention(self, after: tuple[int, int] | None = None, limit: int = PAGE) -> list[Concern]:
        """Open concerns by clock: nobody has read it, then undecided, then decided; each oldest first.

        `after`: the last one's `(urgency, number)`.
        """
        clause = (
            "WHERE state <> 'closed' AND"
            " (array_position(ARRAY['received', 'acknowledged', 'being_dealt_with'], state), number)"
            " > (%(urgency)s, %(number)s)"
            " ORDER BY array_position(ARRAY['received', 'acknowledged', 'being_dealt_with'], state), number"
            " LIMIT %(limit)s"
        )
        first, number = after or (0, 0)
        return self._ask(clause, {"urgency": first, "number": number, "limit": limit})

    def raised_by(self, account: UUID, after: int = 0, limit: int = PAGE) -> list[Concern]:
        """What an account raised, oldest first, paged by `number`. Its raiser may see the state alone."""
        clause = "WHERE raised_by = %(account)s AND number > %(after)s ORDER BY number LIMIT %(limit)s"
        return self._ask(clause, {"account": account, "after": after, "limit": limit})

    def of_case(self, case_id: UUID) -> list[Concern]:
        """The concerns that a case led to, oldest first."""
        return self._ask("WHERE case_id = %(case)s ORDER BY number", {"case": case_id})

    def of_pupil(self, pupil_id: UUID) -> list[Concern]:
        """The concerns about a pupil, or that the pupil is involved in, oldest first."""
        clause = "WHERE pupil_id = %(pupil)s OR %(pupil)s = ANY(involved) ORDER BY number"
        return self._ask(clause, {"pupil": pupil_id})

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Concern]:
        """Concerns by their ids; an id that isn't a concern is left out."""
        found = self._ask("WHERE concern_id = ANY(%(ids)s::uuid[])", {"ids": uuids(ids)})
        return {concern.concern_id: concern for concern in found}
