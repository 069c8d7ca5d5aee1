"""How many cases are there, in which state, and how many of them were erased since?

What an erasure leaves of a case: which facts, when, how many. Nothing else stands here, so that a row may
stay, and no figure changes when somebody is forgotten.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.mentee_case import MenteeCase, State
from projections.read_model import ReadModel, uuids


@dataclass(frozen=True)
class Figure:
    """One case as figures know it."""

    case_id: UUID
    number: int
    version: int
    state: State
    referred_on: date
    erased: bool


class Count(NamedTuple):
    """Cases of one state: how many in all, and how many of them were erased since."""

    cases: int
    erased: int


FIGURES: Final = ReadModel(
    name="figures",
    kind="mentee-case",
    key="case_id",
    subject=MenteeCase,
    columns={
        "state": "text NOT NULL",
        "referred_on": "date NOT NULL",
        # Nobody asks for these two: a case knows by them that its review is due.
        "sessions_held": "integer NOT NULL",
        "sessions_planned": "integer NOT NULL",
        "erased": "boolean NOT NULL",
    },
    counts_erased=True,
)


class Figures:
    """The questions, each answered from the list as it is now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool
        self._ask = FIGURES.asking(pool, Figure)

    def counts(self) -> dict[State, Count]:
        """How many cases are in each state; states without any are left out."""
        with self._pool.connection() as connection:
            rows = connection.execute(
                "SELECT state, count(*), count(*) FILTER (WHERE erased) FROM views.figures GROUP BY state"
            )
            return {state: Count(cases, erased) for state, cases, erased in rows.fetchall()}

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Figure]:
        """Cases by their ids, erased ones too; an id that isn't a case is left out."""
        found = self._ask("WHERE case_id = ANY(%(ids)s::uuid[])", {"ids": uuids(ids)})
        return {one.case_id: one for one in found}
