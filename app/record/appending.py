"""Append in company: what several threads want to record at the same moment goes in one commit.

Appends wait for each other, because ids are in the order of commits. So whoever comes while another thread's
append is under way leaves theirs in a queue, and the next one takes along all that wait there. Alone, an
append goes at once.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from threading import Lock
from typing import Final, LiteralString
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from psycopg import Connection, DatabaseError, InterfaceError, OperationalError
from psycopg.errors import CheckViolation, UniqueViolation
from psycopg.pq.abc import PGresult

from app.record.direct import (
    BYTES,
    NUMBERS,
    TEXTS,
    UUIDS,
    Statement,
    array,
    as_moment,
    as_number,
    moment,
    number,
)
from app.record.errors import CommandReused, RecordError, RecordUnavailable, VersionConflict
from app.record.rows import Appended, CommandKey

MOST: Final = 64
"""Commands in one commit: the first of them waits for the last."""

OUT_OF_REACH: Final = (OperationalError, InterfaceError)
Outcome = Appended | Exception
OnAConnection = Callable[[Callable[[Connection], list[Outcome]]], list[Outcome]]

# The common case by itself: arrays cost the database a third more than the rest of it.
_APPEND_ONE = Statement(
    "casebook_append_one",
    "WITH fact AS (INSERT INTO record.events (originator_id, originator_version, topic, state)"
    " VALUES ($1::uuid, $2::bigint, $3::text, $4::bytea) RETURNING notification_id, recorded_at),"
    " known AS (INSERT INTO record.commands"
    " (command_id, account, route, request_hmac, originator_id, version, notification_id)"
    " SELECT $5::uuid, $6::uuid, $7::text, $8::bytea, $1::uuid, $2::bigint, notification_id FROM fact)"
    " SELECT notification_id, recorded_at, pg_notify('casebook', '') FROM fact",
)
_APPEND_ALL: LiteralString = (
    "WITH fact AS (INSERT INTO record.events (originator_id, originator_version, topic, state)"
    " SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[]){if_a_demo}"
    " RETURNING notification_id, recorded_at),"
    " known AS (INSERT INTO record.commands"
    " (command_id, account, route, request_hmac, originator_id, version, notification_id)"
    " SELECT c.command_id, c.account, c.route, c.request_hmac, c.originator_id, c.version,"
    " (SELECT min(notification_id) FROM fact) + c.before_it"
    " FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::bytea[], $9::uuid[], $10::bigint[], $11::bigint[])"
    " AS c (command_id, account, route, request_hmac, originator_id, version, before_it){if_any})"
    " SELECT notification_id, recorded_at, pg_notify('casebook', '') FROM fact"
)
_APPEND = Statement("casebook_append", _APPEND_ALL.format(if_a_demo="", if_any=""))
_APPEND_IN_DEMO = Statement(
    "casebook_append_in_demo",
    _APPEND_ALL.format(
        if_a_demo=" WHERE (SELECT demo FROM record.origin)"
        " AND set_config('casebook.demo_time', $12::timestamptz::text, true) <> ''",
        if_any=" WHERE EXISTS (SELECT FROM fact)",
    ),
)
_FIND_COMMAND = Statement(
    "casebook_find_command",
    "SELECT c.request_hmac, c.notification_id, c.version, e.recorded_at"
    " FROM record.commands AS c JOIN record.events AS e USING (notification_id)"
    " WHERE c.account = $1::uuid AND c.route = $2::text AND c.command_id = $3::uuid",
)
_FIND_ONE = Statement(
    "casebook_find_one",
    "SELECT notification_id, recorded_at, state FROM record.events"
    " WHERE originator_id = $1::uuid AND originator_version = $2::bigint",
)


@dataclass(eq=False)
class Wanted:
    """The facts of one command, with the last one of the aggregate that answers it."""

    events: Sequence[StoredEvent]
    answering: StoredEvent
    command: CommandKey | None
    demo_time: datetime | None
    outcome: Outcome | None = None
    woken: Lock = field(default_factory=Lock)


class Together:
    """The queue of one process. `on_a_connection` does work, on a fresh connection again if one is lost."""

    def __init__(self, on_a_connection: OnAConnection) -> None:
        self._on_a_connection = on_a_connection
        self._lock = Lock()
        self._waiting: deque[Wanted] = deque()
        self._busy = False

    def append(self, wanted: Wanted) -> Appended:
        """Record it, with others or alone. Raises VersionConflict, CommandReused, and what psycopg raises."""
        with self._lock:
            self._waiting.append(wanted)
            leads = not self._busy
            self._busy = True
            if not leads:
                wanted.woken.acquire()
        if not leads:
            # Until somebody has recorded it, or made this thread the one that records.
            wanted.woken.acquire()
        if wanted.outcome is None:
            self._record_all_that_wait()
        if isinstance(wanted.outcome, Appended):
            return wanted.outcome
        raise wanted.outcome or RecordError("The record gave no answer.")

    def _record_all_that_wait(self) -> None:
        batch: list[Wanted] = []
        try:
            with self._lock:
                demo_time = self._waiting[0].demo_time
                while self._waiting and len(batch) < MOST and self._waiting[0].demo_time == demo_time:
                    batch.append(self._waiting.popleft())
            outcomes = self._outcomes(batch)
            if isinstance(outcomes[0], OUT_OF_REACH):
                # Whoever came meanwhile has waited as long as anybody should.
                with self._lock:
                    outcomes += outcomes[:1] * len(self._waiting)
                    batch += self._waiting
                    self._waiting.clear()
            for wanted, outcome in zip(batch, outcomes, strict=True):
                wanted.outcome = outcome
        finally:
            with self._lock:
                self._busy = bool(self._waiting)
                next_one = self._waiting[0] if self._waiting else None
            for wanted in batch[1:]:
                wanted.outcome = wanted.outcome or RecordUnavailable("The one who recorded it was stopped.")
                wanted.woken.release()
            if next_one is not None:
                next_one.woken.release()

    def _outcomes(self, batch: Sequence[Wanted], *, again: bool = False) -> list[Outcome]:
        tries = int(again)

        def work(connection: Connection) -> list[Outcome]:
            nonlocal tries
            tries += 1
            try:
                return record_together(connection, batch)
            except (UniqueViolation, CheckViolation) as error:
                if len(batch) > 1:
                    raise
                return [_refused(connection, batch[0], error, again=tries > 1)]

        try:
            return self._on_a_connection(work)
        except OUT_OF_REACH as error:
            return [error] * len(batch)
        except DatabaseError as error:
            if len(batch) == 1:
                return [error]
        # Nothing of them was recorded, for the fault of one that only it should hear of.
        half = len(batch) // 2
        return [
            outcome
            for part in (batch[:half], batch[half:])
            for outcome in self._outcomes(part, again=tries > 1)
        ]


def record_together(connection: Connection, batch: Sequence[Wanted]) -> list[Outcome]:
    """Record all of them in one commit, on an autocommit connection; the outcomes in their order.

    Raises what psycopg raises; then none of them is recorded.
    """
    first, ends = batch[0], list(accumulate(len(wanted.events) for wanted in batch))
    if first.demo_time:
        result = _APPEND_IN_DEMO.ask(connection, [*_all_of(batch, ends), moment(first.demo_time)])
        if not result.ntuples:
            raise RecordError("Only a demo may invent the time of recording.")
    elif ends == [1] and first.command:
        fact = _place_and_state(first.events[0])
        result = _APPEND_ONE.ask(connection, [*fact, *_known_by(first.command)])
    else:
        result = _APPEND.ask(connection, _all_of(batch, ends))
    # The stamp numbers facts in the order in which they come, and that is the order of the answer.
    return [_appended(result, end - 1, wanted) for wanted, end in zip(batch, ends, strict=True)]


def _appended(result: PGresult, row: int, wanted: Wanted) -> Appended:
    position, recorded_at = result.get_value(row, 0), result.get_value(row, 1)
    if position is None or recorded_at is None:
        raise RecordError("The record gave no answer.")
    version = wanted.answering.originator_version
    return Appended(as_number(position), version, as_moment(recorded_at), replayed=False)


def _all_of(batch: Sequence[Wanted], ends: Sequence[int]) -> list[bytes]:
    facts = [_place_and_state(event) for wanted in batch for event in wanted.events]
    commands = [
        [
            *_known_by(wanted.command),
            *_place_and_state(wanted.answering)[:2],
            number(end - 1),
        ]
        for wanted, end in zip(batch, ends, strict=True)
        if wanted.command
    ]
    return [
        *_columns((UUIDS, NUMBERS, TEXTS, BYTES), facts),
        *_columns((UUIDS, UUIDS, TEXTS, BYTES, UUIDS, NUMBERS, NUMBERS), commands),
    ]


def _columns(kinds: Sequence[int], rows: Sequence[Sequence[bytes]]) -> list[bytes]:
    return [array(kind, [row[n] for row in rows]) for n, kind in enumerate(kinds)]


def _place_and_state(event: StoredEvent) -> list[bytes]:
    return [_uuid(event).bytes, number(event.originator_version), event.topic.encode(), event.state]


def _known_by(command: CommandKey) -> list[bytes]:
    return [command.command_id.bytes, command.account.bytes, command.route.encode(), command.request_hmac]


def _refused(connection: Connection, wanted: Wanted, error: DatabaseError, *, again: bool) -> Outcome:
    """Its first answer, if it was accepted before; else why it can't be recorded."""
    if wanted.command is not None:
        command_id, *scope, request_hmac = _known_by(wanted.command)
        for known_hmac, position, version, at in _FIND_COMMAND.rows(connection, [*scope, command_id]):
            if known_hmac != request_hmac:
                return CommandReused("This command id was used for another request.")
            return Appended(position, version, at, replayed=True)
    if error.diag.constraint_name == "events_pkey":
        return _conflict(connection, wanted, again=again)
    return error


def _uuid(event: StoredEvent) -> UUID:
    return event.originator_id if isinstance(event.originator_id, UUID) else UUID(event.originator_id)


def _conflict(connection: Connection, wanted: Wanted, *, again: bool) -> Outcome:
    """Somebody else's fact, or ours, if the reply to it was lost: no two sealed states are ever the same."""
    last = wanted.events[-1]
    if again:
        key = [_uuid(last).bytes, number(last.originator_version)]
        for position, recorded_at, state in _FIND_ONE.rows(connection, key):
            if state == last.state:
                return Appended(position, wanted.answering.originator_version, recorded_at, replayed=False)
    return VersionConflict("Somebody else's fact was recorded first.")
