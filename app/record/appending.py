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
from typing import Final
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from psycopg import Connection, DatabaseError, InterfaceError, OperationalError
from psycopg.errors import UniqueViolation

from app.record.direct import (
    BYTES,
    INTEGERS,
    NUMBERS,
    TEXTS,
    UUIDS,
    Statement,
    array,
    integer,
    moment,
    number,
    uuids,
)
from app.record.errors import CommandReused, RecordError, RecordUnavailable, VersionConflict
from app.record.rows import Appended, CommandKey

MOST: Final = 32
"""Commands in one commit: PostgreSQL slows down from 64 subtransactions on."""

OUT_OF_REACH: Final = (OperationalError, InterfaceError)
Outcome = Appended | Exception
OnAConnection = Callable[[Callable[[Connection], list[Outcome]]], list[Outcome]]

_APPEND = Statement(
    "casebook_append",
    "SELECT notification_id, version, recorded_at, replayed"
    " FROM record.append($1::uuid[], $2::bigint[], $3::text[], $4::bytea[],"
    " $5::uuid, $6::uuid, $7::text, $8::bytea, $9::uuid, $10::bigint, $11::timestamptz)",
)
_APPEND_EACH = Statement(
    "casebook_append_each",
    "SELECT notification_id, version, recorded_at, replayed, refused, constraint_name"
    " FROM record.append_each($1::integer[], $2::uuid[], $3::bigint[], $4::text[], $5::bytea[],"
    " $6::uuid[], $7::uuid[], $8::text[], $9::bytea[], $10::uuid[], $11::bigint[], $12::timestamptz)",
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

    def _outcomes(self, batch: Sequence[Wanted]) -> list[Outcome]:
        tries = 0

        def work(connection: Connection) -> list[Outcome]:
            nonlocal tries
            tries += 1
            if len(batch) > 1:
                return _each(connection, batch, again=tries > 1)
            return [_alone(connection, batch[0], again=tries > 1)]

        try:
            return self._on_a_connection(work)
        except OUT_OF_REACH as error:
            return [error] * len(batch)
        except DatabaseError as error:
            if len(batch) == 1:
                return [error]
        # One of them can't be recorded in a way that only it should hear of.
        return [outcome for wanted in batch for outcome in self._outcomes([wanted])]


def _alone(connection: Connection, wanted: Wanted, *, again: bool) -> Outcome:
    events, answering, command = wanted.events, wanted.answering, wanted.command
    known_by: list[bytes | None] = [None] * 4
    if command is not None:
        known_by = [
            *(command.command_id.bytes, command.account.bytes),
            *(command.route.encode(), command.request_hmac),
        ]
    parameters = [
        *_rows(events),
        *known_by,
        _uuid(answering).bytes,
        number(answering.originator_version),
        _time(wanted),
    ]
    try:
        return Appended(*_APPEND.rows(connection, parameters)[0])
    except UniqueViolation as error:
        if error.diag.constraint_name != "events_pkey":
            raise
        return _conflict(connection, wanted, again=again)
    except DatabaseError as error:
        if error.sqlstate != "CB422":
            raise
        return _reused()


def _each(connection: Connection, batch: Sequence[Wanted], *, again: bool) -> list[Outcome]:
    ends = list(accumulate(len(wanted.events) for wanted in batch))
    commands = [wanted.command for wanted in batch]
    parameters = [
        array(INTEGERS, [integer(end) for end in ends]),
        *_rows([event for wanted in batch for event in wanted.events]),
        array(UUIDS, [c.command_id.bytes if c else None for c in commands]),
        array(UUIDS, [c.account.bytes if c else None for c in commands]),
        array(TEXTS, [c.route.encode() if c else None for c in commands]),
        array(BYTES, [c.request_hmac if c else None for c in commands]),
        uuids([_uuid(wanted.answering) for wanted in batch]),
        array(NUMBERS, [number(wanted.answering.originator_version) for wanted in batch]),
        _time(batch[0]),
    ]
    outcomes: list[Outcome] = []
    for wanted, row in zip(batch, _APPEND_EACH.rows(connection, parameters), strict=True):
        *appended, refused, constraint = row
        if refused is None:
            outcomes.append(Appended(*appended))
        elif constraint == "events_pkey":
            outcomes.append(_conflict(connection, wanted, again=again))
        elif refused == "CB422":
            outcomes.append(_reused())
        else:
            outcomes.append(_fault(connection, wanted, again=again))
    return outcomes


def _fault(connection: Connection, wanted: Wanted, *, again: bool) -> Outcome:
    """Whatever else is wrong with it, as it is said to whoever comes alone."""
    try:
        return _alone(connection, wanted, again=again)
    except OUT_OF_REACH:
        raise
    except DatabaseError as error:
        return error


def _rows(events: Sequence[StoredEvent]) -> list[bytes]:
    return [
        uuids([_uuid(event) for event in events]),
        array(NUMBERS, [number(event.originator_version) for event in events]),
        array(TEXTS, [event.topic.encode() for event in events]),
        array(BYTES, [event.state for event in events]),
    ]


def _time(wanted: Wanted) -> bytes | None:
    return moment(wanted.demo_time) if wanted.demo_time else None


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


def _reused() -> CommandReused:
    return CommandReused("This command id was used for another request.")
