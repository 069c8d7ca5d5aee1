"""Who can take a mentee, and which mentor needs supervision?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.mentor import Attached, Standing, Supervised
from domain.mentor import Mentor as Subject
from projections.read_model import ReadModel, uuids
from projections.roll import Roll


@dataclass(frozen=True)
class Mentor:
    """One mentor as lists show them. `cases` are the ids of the cases that they carry."""

    mentor_id: UUID
    number: int
    version: int
    pupil_id: UUID
    standing: Standing
    interviewed: bool
    trained: bool
    signed: bool
    cases: list[UUID]
    tutor_group: str | None
    last_supervised_on: date | None

    def free_below(self, caseload: int) -> bool:
        """Whether this mentor can take one more case under a caseload of at most so many."""
        return self.standing == "selected" and self.trained and self.signed and len(self.cases) < caseload


class _Mentor(Subject):
    def begin(self) -> None:
        super().begin()
        self.tutor_group: str | None = None
        self.last_supervised_on: date | None = None

    def resumed(self) -> None:
        self.cases = tuple(self.cases)

    def on_attached(self, fact: Attached) -> None:
        self.tutor_group = fact.tutor_group

    def on_supervised(self, fact: Supervised) -> None:
        self.last_supervised_on = max(fact.held_on, self.last_supervised_on or fact.held_on)


MENTORS: Final = ReadModel(
    name="mentors",
    kind="mentor",
    key="mentor_id",
    subject=_Mentor,
    columns={
        "pupil_id": "uuid NOT NULL",
        "standing": "text NOT NULL",
        "interviewed": "boolean NOT NULL",
        "trained": "boolean NOT NULL",
        "signed": "boolean NOT NULL",
        "cases": "uuid[] NOT NULL",
        "tutor_group": "text",
        "last_supervised_on": "date",
    },
    indexes=("(pupil_id)",),
)

PAGE: Final = 50


class Mentors:
    """The questions, each answered from the list as it is now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._roll = Roll(pool)
        self._ask = MENTORS.asking(pool, Mentor)

    def mentors(self, *, free_below: int | None = None, after: int = 0, limit: int = PAGE) -> list[Mentor]:
        """Mentors in the order in which they applied; the next page comes after the last one's `number`.

        With `free_below`, a caseload limit, only those who can take one more case.
        """
        clause = (
            "WHERE number > %(after)s AND (%(below)s::integer IS NULL OR"
            " (standing = 'selected' AND trained AND signed AND cardinality(cases) < %(below)s))"
            " ORDER BY number LIMIT %(limit)s"
        )
        return self._ask(clause, {"below": free_below, "after": after, "limit": limit})

    def unsupervised(self, before: date, after: int = 0, limit: int = PAGE) -> list[Mentor]:
        """Mentors who carry a case and weren't supervised on or after `before`; paged by `number`."""
        clause = (
            "WHERE cardinality(cases) > 0 AND (last_supervised_on IS NULL OR last_supervised_on < %(before)s)"
            " AND number > %(after)s ORDER BY number LIMIT %(limit)s"
        )
        return self._ask(clause, {"before": before, "after": after, "limit": limit})

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Mentor]:
        """Mentors by their ids; an id that isn't a mentor is left out."""
        found = self._ask("WHERE mentor_id = ANY(%(ids)s::uuid[])", {"ids": uuids(ids)})
        return {mentor.mentor_id: mentor for mentor in found}

    def of_pupil(self, pupil_id: UUID) -> list[Mentor]:
        """A pupil's applications to be a mentor, oldest first."""
        clause = "WHERE pupil_id = %(pupil)s ORDER BY number"
        return self._ask(clause, {"pupil": pupil_id})

    def names(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """Mentors' names, from the roll; a mentor who isn't on it is left out."""
        pupils = {m.mentor_id: m.pupil_id for m in self.by_ids(ids).values()}
        found = self._roll.by_ids(pupils.values())
        return {mentor: found[pupil].name for mentor, pupil in pupils.items() if pupil in found}
