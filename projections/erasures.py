"""Which erasures were asked for, which wait for a second person, and what became of each?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.erasure import Completed, Grounds, Ordered, Requested, State, Withdrawn
from domain.erasure import Erasure as Subject
from domain.retention import Scope
from projections.read_model import ReadModel, uuids


@dataclass(frozen=True)
class Erasure:
    """One request as lists show it. Instants are when a fact was recorded."""

    erasure_id: UUID
    number: int
    version: int
    state: State
    scope: Scope
    grounds: Grounds
    subject_id: UUID
    pupil_id: UUID | None
    targets: list[UUID]
    requested_by: UUID
    requested_at: datetime
    ordered_by: UUID | None
    ordered_at: datetime | None
    ended_at: datetime | None


class _Erasure(Subject):
    def begin(self) -> None:
        super().begin()
        self.requested_at: datetime | None = None
        self.ordered_at: datetime | None = None
        self.ended_at: datetime | None = None

    def resumed(self) -> None:
        self.targets, self.people = tuple(self.targets), tuple(self.people)
        self.destroyed = tuple(self.destroyed)

    def on_requested(self, fact: Requested) -> None:
        super().on_requested(fact)
        self.requested_at = fact.timestamp

    def on_ordered(self, fact: Ordered) -> None:
        super().on_ordered(fact)
        self.ordered_at = fact.timestamp

    def on_withdrawn(self, fact: Withdrawn) -> None:
        super().on_withdrawn(fact)
        self.ended_at = fact.timestamp

    def on_completed(self, fact: Completed) -> None:
        super().on_completed(fact)
        self.ended_at = fact.timestamp


ERASURES: Final = ReadModel(
    name="erasures",
    kind="erasure",
    key="erasure_id",
    subject=_Erasure,
    columns={
        "state": "text NOT NULL",
        "scope": "text NOT NULL",
        "grounds": "text NOT NULL",
        "subject_id": "uuid NOT NULL",
        "pupil_id": "uuid",
        "targets": "uuid[] NOT NULL",
        "people": "uuid[] NOT NULL",
        "destroyed": "uuid[] NOT NULL",
        "requested_by": "uuid NOT NULL",
        "requested_at": "timestamptz NOT NULL",
        "ordered_by": "uuid",
        "ordered_at": "timestamptz",
        "ended_at": "timestamptz",
    },
    indexes=("(state, number)",),
)

PAGE: Final = 50


class Erasures:
    """The questions, each answered from the list as it is now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._ask = ERASURES.asking(pool, Erasure)

    def in_state(self, *states: State, limit: int = PAGE) -> list[Erasure]:
        """Requests in these states, newest first."""
        clause = "WHERE state = ANY(%(states)s) ORDER BY number DESC LIMIT %(limit)s"
        return self._ask(clause, {"states": list(states), "limit": limit})

    def ordered(self) -> list[Erasure]:
        """What was approved and isn't completed, oldest first."""
        return self._ask("WHERE state = 'ordered' ORDER BY number", {})

    def waiting_for(self, subject_ids: Iterable[UUID]) -> dict[UUID, Erasure]:
        """The request that is under way for each of these subjects, if any."""
        clause = (
            "WHERE state IN ('requested', 'ordered') AND subject_id = ANY(%(ids)s::uuid[]) ORDER BY number"
        )
        return {e.subject_id: e for e in self._ask(clause, {"ids": uuids(subject_ids)})}
