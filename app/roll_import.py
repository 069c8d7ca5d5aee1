"""The school's pupils from its roll's rows: what is new is recorded in one transaction, or nothing is.

Warnings name lines, never pupils.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from psycopg_pool import ConnectionPool

from app.casework import Casework
from app.roll_file import COLUMNS, Row
from domain.fact import By
from domain.pupil import Pupil
from domain.staff import SYSTEM
from projections.roll import Pupil as OnRoll
from projections.roll import Roll

WHY: Final = "The school's roll says otherwise."
_ONE_IMPORT_AT_A_TIME: Final = 4849336204517380


@dataclass
class Imported:
    """What an import did: counts, warnings (`line N: …`), and how far a list must read to show it."""

    enrolled: int = 0
    moved_up: int = 0
    corrected: int = 0
    unchanged: int = 0
    warnings: list[str] = field(default_factory=list)
    position: int | None = None


def year_by_age(born_on: date, today: date) -> int:
    """The year group in England and Wales of a child born on that day, in the school year of `today`."""
    school_year = today.year - (today.month < 9)
    return school_year - (born_on.year + (born_on.month >= 9)) - 4


def import_roll(
    rows: Sequence[Row], casework: Casework, pool: ConnectionPool, roll: Roll, wait: Callable[[], None]
) -> Imported:
    """Record what the rows say and the roll doesn't know yet, in one transaction, in Casebook's own name.

    `wait` returns when the roll shows everything recorded so far, or raises. One import runs at a time.
    """
    with _alone(pool):
        wait()
        by = By(account=SYSTEM, command_id=uuid4(), today=casework.today(), policy=casework.policy())
        work = _Work(casework, by)
        with_upn = [row.upn for row in rows if row.upn]
        known = roll.with_upns(with_upn)
        unnumbered = Counter(_details(pupil) for pupil in roll.without_upn())
        namesakes = {details[:3] for details in unnumbered}
        for row in rows:
            if abs(year_by_age(row.born_on, by.today) - row.year_group) >= 1:
                work.warn(row, "the age is out of step with the year group")
            if row.upn and row.upn in known:
                work.compare(row, known[row.upn])
            elif row.upn is None and unnumbered[row.details]:
                unnumbered[row.details] -= 1
                work.result.unchanged += 1
            else:
                if row.upn is None and row.identity in namesakes:
                    work.warn(row, "no UPN, so recorded as another pupil of the same name and birth date")
                work.enrol(row)
        return work.save()


@contextmanager
def _alone(pool: ConnectionPool) -> Iterator[None]:
    """Two imports at once would both find nobody and enrol everybody twice."""
    with pool.connection() as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_IMPORT_AT_A_TIME])
        yield


def _details(pupil: OnRoll) -> tuple[object, ...]:
    who = (pupil.given_name, pupil.family_name, pupil.born_on)
    return (*who, pupil.known_as, pupil.year_group, pupil.tutor_group)


class _Work:
    """The pupils that one import changes, gathered until all are saved together."""

    def __init__(self, casework: Casework, by: By) -> None:
        self.result = Imported()
        self._casework = casework
        self._by = by
        self._changed: list[Pupil] = []

    def warn(self, row: Row, what: str) -> None:
        """Say something about a row that doesn't stop it."""
        self.result.warnings.append(f"line {row.line}: {what}")

    def enrol(self, row: Row) -> None:
        """A pupil whom the roll doesn't know."""
        pupil = Pupil.blank(uuid4())
        said = {name: getattr(row, name) for name in COLUMNS}
        pupil.enrol(self._by, **said)
        self._changed.append(pupil)
        self.result.enrolled += 1

    def compare(self, row: Row, known: OnRoll) -> None:
        """A pupil whom the roll knows by the UPN: another year or form is a move, the rest a correction."""
        wrong = [
            name
            for name in ("given_name", "family_name", "known_as", "born_on")
            if getattr(row, name) != getattr(known, name)
        ]
        moved = (row.year_group, row.tutor_group) != (known.year_group, known.tutor_group)
        if not wrong and not moved:
            self.result.unchanged += 1
            return
        pupil = self._load(known.pupil_id)
        if pupil is None or pupil.left or pupil.erased:
            self.warn(row, "this pupil is no longer on the roll; left as they were")
            self.result.unchanged += 1
            return
        for name in wrong:
            value = getattr(row, name)
            text = "" if value is None else str(value)
            pupil.correct(self._by, version=1, field=name, value=text, reason=WHY)
        if moved:
            pupil.move_up(self._by, year_group=row.year_group, tutor_group=row.tutor_group)
        self._changed.append(pupil)
        self.result.corrected += bool(wrong)
        self.result.moved_up += moved

    def save(self) -> Imported:
        """All of it, or nothing."""
        if self._changed:
            self.result.position = self._casework.save(self._changed).position
        return self.result

    def _load(self, pupil_id: UUID) -> Pupil | None:
        return self._casework.load(Pupil, pupil_id)
