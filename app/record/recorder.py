"""Append facts to the record and read them back.

Speaks the eventsourcing library's recorder interface, with one statement for all that belongs to an append:
the rows and their stamps, the lock, the command's memory, in one round trip and one commit.
"""

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event
from types import TracebackType
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, StoredEvent, Subscription
from psycopg import Connection
from psycopg.rows import RowFactory
from psycopg.types.numeric import Int8
from psycopg_pool import ConnectionPool

from app.record.appending import OUT_OF_REACH, Facts, Together, Wanted
from app.record.direct import Statement, number
from app.record.errors import CommandReused, RecordError, RecordUnavailable, VersionConflict
from app.record.patience import PATIENCE, Waiting, be_patient_again
from app.record.pool import on_a_connection
from app.record.rows import (
    Appended,
    CommandKey,
    Remembered,
    StoredNotification,
    StoredRow,
    rows_of,
    stored_notifications,
    stored_rows,
)

__all__ = [
    "Appended",
    "CommandKey",
    "CommandReused",
    "Facts",
    "RecordError",
    "RecordUnavailable",
    "Recorder",
    "Remembered",
    "StoredRow",
    "VersionConflict",
]

Answer = TypeVar("Answer")
Found = TypeVar("Found")

_STREAM = Statement(
    "casebook_stream",
    "SELECT originator_version, topic, state, notification_id, recorded_at"
    " FROM record.events WHERE originator_id = $1::uuid AND originator_version >= $2::bigint"
    " ORDER BY originator_version",
)
_FIND_COMMAND = (
    "SELECT request_hmac, originator_id, version, notification_id FROM record.commands"
    " WHERE account = %b AND route = %b AND command_id = %b"
)
_ROWS: LiteralString = (
    "SELECT originator_id, originator_version, topic, state, notification_id, recorded_at FROM record.events "
)
_HEAD = "SELECT size FROM record.heads WHERE log = 'events'"
_NO_END = 2**63 - 1


class _WithinReach:
    """Calls whatever psycopg raises for a lost connection by our own name."""

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OUT_OF_REACH):
            raise RecordUnavailable("The record can't be reached just now.") from error


_WITHIN_REACH = _WithinReach()


class Recorder(ApplicationRecorder):
    """The record, for one process. Takes a pool of autocommit connections of the run-time role.

    It waits no longer than about `patience` seconds for a connection.
    """

    def __init__(self, pool: ConnectionPool, *, patience: float = PATIENCE) -> None:
        self._pool = pool
        self._patience = patience
        self._together = Together(self._on_a_connection)

    def append(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandKey | None = None,
        answer: UUID | None = None,
        demo_time: datetime | None = None,
    ) -> Appended:
        """Record all of these facts or none, and remember the command that led to them.

        `answer` is the aggregate whose version answers the command (the last fact's if not given).
        `demo_time`, an aware time, is taken as the time of recording by a demo's database only. When the
        reply is lost with the connection it asks again, at most twice; nothing is recorded twice.

        Raises VersionConflict, CommandReused, RecordUnavailable.
        """
        if not stored_events:
            raise ValueError("There is nothing to record.")
        answer = answer or _uuid(stored_events[-1])
        answering = [event for event in stored_events if _uuid(event) == answer]
        if not answering:
            raise ValueError("The answer must be one of the aggregates that are recorded.")
        facts = Facts(stored_events, answering[-1], command)
        return self.append_in_turn(lambda: facts, demo_time=demo_time)

    def append_in_turn(self, make: Callable[[], Facts], *, demo_time: datetime | None = None) -> Appended:
        """Record the facts that `make` gives when the turn has come: whatever thread records then calls it.

        So `make` mustn't wait for anything, and others wait for it. It is called at most once; what it raises
        is raised here, to nobody else. Raises as `append` does, too.
        """
        if demo_time is not None and demo_time.tzinfo is None:
            raise ValueError("The invented time needs a time zone.")
        be_patient_again()
        with Waiting(), _WITHIN_REACH:
            return self._together.append(Wanted(make, demo_time))

    def remembered(self, command: CommandKey) -> Remembered | None:
        """The answer that this command was given before, if it was accepted before.

        Raises CommandReused when another request was accepted under the same id, RecordUnavailable.
        """
        key = [command.account, command.route, command.command_id]
        row = self._do(
            lambda connection: connection.execute(_FIND_COMMAND, key, prepare=True, binary=True).fetchone()
        )
        if row is None:
            return None
        if not hmac.compare_digest(row[0], command.request_hmac):
            raise CommandReused("This command id was used for another request.")
        return Remembered(*row[1:])

    def rows(self, originator_id: UUID, *, since: int = 1, upto: int | None = None) -> list[StoredRow]:
        """One aggregate's facts in order from version `since` on, or those up to a position of the record."""
        if upto is None:
            asked, make = [originator_id.bytes, number(since)], rows_of(originator_id)
            return self._do(lambda connection: _STREAM.rows(connection, asked, make))
        # The sum keeps the planner from the index of all positions, which it would read from the beginning.
        return self._select(
            stored_rows,
            _ROWS + "WHERE originator_id = %b AND notification_id + 0 <= %b ORDER BY originator_version",
            originator_id,
            Int8(upto),
        )

    def rows_after(self, position: int, limit: int) -> list[StoredRow]:
        """The next facts of the whole record after a position, at most `limit`. None is ever skipped."""
        return self._select(
            stored_rows,
            _ROWS + "WHERE notification_id > %b ORDER BY notification_id LIMIT %b",
            Int8(position),
            Int8(limit),
        )

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """The library's way to append: gives the position of each fact. Commands are for `append`."""
        if kwargs:
            raise TypeError("Commands and their answers are for append().")
        if not stored_events:
            return []
        last = self.append(stored_events).position
        return range(last - len(stored_events) + 1, last + 1)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredNotification]:
        """One aggregate's facts between two versions, for the library."""
        return self._select(
            stored_notifications,
            _ROWS
            + "WHERE originator_id = %b AND originator_version > %b AND originator_version <= %b"
            + (
                " ORDER BY originator_version DESC LIMIT %b"
                if desc
                else " ORDER BY originator_version LIMIT %b"
            ),
            originator_id if isinstance(originator_id, UUID) else UUID(originator_id),
            Int8(gt or 0),
            Int8(_NO_END if lte is None else lte),
            Int8(_NO_END if limit is None else limit),
        )

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[StoredNotification]:
        """Facts of the whole record between two positions, of these topics or of all, for the library."""
        return self._select(
            stored_notifications,
            _ROWS
            + "WHERE notification_id > %b AND notification_id <= %b"
            + (" AND topic = ANY(%b)" if topics else " AND %b::text[] = '{}'")
            + " ORDER BY notification_id LIMIT %b",
            Int8((start or 0) - (1 if inclusive_of_start else 0)),
            Int8(_NO_END if stop is None else stop),
            list(topics),
            Int8(limit),
        )

    def max_notification_id(self) -> int | None:
        """The position of the newest fact; None for an empty record."""
        row = self._do(lambda connection: connection.execute(_HEAD, prepare=True, binary=True).fetchone())
        return _one(row)[0] or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "Polling":
        """Every fact after a position, those to come too, by asking twenty times a second."""
        return Polling(self, gt, topics)

    def _select(self, factory: RowFactory[Found], query: LiteralString, *parameters: object) -> list[Found]:
        def work(connection: Connection) -> list[Found]:
            with connection.cursor(row_factory=factory, binary=True) as cursor:
                return cursor.execute(query, parameters, prepare=True).fetchall()

        return self._do(work)

    def _do(self, work: Callable[[Connection], Answer]) -> Answer:
        with _WITHIN_REACH:
            return self._on_a_connection(work)

    def _on_a_connection(self, work: Callable[[Connection], Answer]) -> Answer:
        return on_a_connection(self._pool, work, seconds=self._patience)


class Polling(Subscription[Recorder]):
    """An endless iterator over the record, until it is stopped."""

    def __init__(self, recorder: Recorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._waiting: list[StoredNotification] = []
        self._stopped = Event()

    def stop(self) -> None:
        """End the iteration, also while it waits."""
        super().stop()
        self._stopped.set()

    def __next__(self) -> StoredNotification:
        while not self._stopped.is_set():
            if self._waiting:
                return self._waiting.pop()
            rows = self._recorder.select_notifications(
                self._last_notification_id, 500, topics=self._topics, inclusive_of_start=False
            )
            if rows:
                self._last_notification_id = rows[-1].id
                self._waiting = rows[::-1]
            else:
                self._stopped.wait(0.05)
        raise StopIteration


def _uuid(event: StoredEvent) -> UUID:
    return event.originator_id if isinstance(event.originator_id, UUID) else UUID(event.originator_id)


def _one(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    if row is None:
        raise RecordError("The record gave no answer.")
    return row
