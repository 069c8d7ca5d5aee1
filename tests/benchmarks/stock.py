"""The baseline: the stock eventsourcing library, plain JSON, doing the same load, decide and save."""

from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier


class StockCase(Aggregate):
    """A case as the library's tutorial would write it."""

    @event("Referred")
    def __init__(self, words: str) -> None:
        self.words = words
        self.notes: list[str] = []

    @event("Noted")
    def note(self, words: str, version: int) -> None:
        """Add a note, as long as ours."""
        self.notes.append(words)


class StockCases(Application[UUID]):
    """The library's application, as it comes."""

    def add(self, facts: int) -> UUID:
        """A case with so many facts."""
        case = StockCase(words="x" * 120)
        for _ in range(facts - 1):
            case.note("Something of the length that people write here. " * 4, 1)
        self.save(case)
        return case.id

    def command(self, case_id: UUID) -> None:
        """Load, decide, save."""
        case: StockCase = self.repository.get(case_id)
        case.note("Two more, please.", 1)
        self.save(case)


class StockView(PostgresTrackingRecorder):
    """A view with one row for each case, each event in a transaction with its position."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS {}.stock_view (id uuid PRIMARY KEY, facts bigint)").format(
                Identifier(self.datastore.schema)
            )
        )

    def count(self, case_id: UUID, tracking: Tracking) -> None:
        """One more fact of this case."""
        with self.datastore.transaction(commit=True) as cursor:
            self._count(cursor, case_id)
            self._insert_tracking(cursor, tracking)

    @staticmethod
    def _count(cursor: Cursor[DictRow], case_id: UUID) -> None:
        cursor.execute(
            "INSERT INTO stock_view VALUES (%s, 1)"
            " ON CONFLICT (id) DO UPDATE SET facts = stock_view.facts + 1",
            [case_id],
        )


class StockProjection(Projection[StockView]):
    """What the library's runner calls for each event."""

    name = "stockview"
    topics = ()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Hear one event."""
        self.view.count(domain_event.originator_id, tracking)
