"""Append in company: what several threads want to record at the same moment goes in one commit.

Appends wait for each other, because ids are in the order of commits. So whoever comes while another thread's
append is under way leaves theirs in a queue, and the next one takes along all that wait there. Alone, an
append goes at once.

What is still to be decided is decided by the thread that records (flat combining; Hendler, Incze, Shavit and
Tzafrir 2010): of many threads that decide at once only one can, and taking turns costs them more than that.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from threading import Lock
from time import monotonic
from typing import Final, LiteralString, NamedTuple
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

MOST: Final = 16
"""Commands in one commit: enough for its cost to be shared, few enough that others are decided meanwhile."""

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


class Facts(NamedTuple):
    """The facts of one command, with the last one of the aggregate that answers it."""

    events: Sequence[StoredEvent]
    answering: StoredEvent
    command: CommandKey | None


@dataclass(eq=False)
class Wanted:
    """What somebody wants to have recorded. `make` gives it when its turn has come."""

    make: Callable[[], Facts]
    demo_time: datetime | None
    came: float = field(default_factory=monotonic)
    outcome: Outcome | None = None
    woken: Lock = field(default_factory=Lock)


class Together:
    """The queue of one process. `on_a_connection` does work, on a fresh connection again if one is lost.

    One thread at a time decides, for all that wait, and one at a time records: so the next ones are decided
    while the database is busy with those before them.
    """

    def __init__(self, on_a_connection: OnAConnection) -> None:
        self._on_a_connection = on_a_connection
        self._lock = Lock()
        self._waiting: deque[Wanted] = deque()
        # Whether somebody decides, or was woken to; as long as anybody waits, somebody does.
        self._deciding = False
        self._recording = Lock()
        self._out_of_reach: tuple[float, Outcome] | None = None

    def append(self, wanted: Wanted) -> Appended:
        """Record it, with others or alone.

        Raises VersionConflict, CommandReused, what psycopg raises, and what its `make` does.
        """
        with self._lock:
            self._waiting.append(wanted)
            decides = not self._deciding
            self._deciding = True
            if not decides:
                wanted.woken.acquire()
        if not decides:
            # Until somebody has recorded it, or it is this thread that decides.
            wanted.woken.acquire()
        if wanted.outcome is None:
            self._record_all_that_wait()
        if isinstance(wanted.outcome, Appended):
            return wanted.outcome
        raise wanted.outcome or RecordError("The record gave no answer.")

    def _record_all_that_wait(self) -> None:
        batch: list[Wanted] = []
        decides = True
        try:
            with self._lock:
                demo_time = self._waiting[0].demo_time
                while self._waiting and len(batch) < MOST and self._waiting[0].demo_time == demo_time:
                    batch.append(self._waiting.popleft())
            made = _made(batch)
            with self._recording:
                self._next_one_decides()
                decides = False
                self._record(made, demo_time)
        finally:
            if decides:
                self._next_one_decides()
            for wanted in batch[1:]:
                wanted.outcome = wanted.outcome or RecordUnavailable("The one who recorded it was stopped.")
                wanted.woken.release()

    def _next_one_decides(self) -> None:
        with self._lock:
            self._deciding = bool(self._waiting)
            next_one = self._waiting[0] if self._waiting else None
        if next_one is not None:
            next_one.woken.release()

    def _record(self, made: dict[Wanted, Facts], demo_time: datetime | None) -> None:
        if self._out_of_reach:
            # Whoever came while others tried in vain has waited as long as anybody should.
            until, outcome = self._out_of_reach
            for wanted in [wanted for wanted in made if wanted.came < until]:
                wanted.outcome = outcome
                del made[wanted]
        outcomes = self._outcomes(list(made.values()), demo_time)
        for wanted, outcome in zip(made, outcomes, strict=True):
            wanted.outcome = outcome
        if outcomes:
            lost = isinstance(outcomes[0], OUT_OF_REACH)
            self._out_of_reach = (monotonic(), outcomes[0]) if lost else None

    def _outcomes(
        self, batch: Sequence[Facts], demo_time: datetime | None, *, again: bool = False
    ) -> list[Outcome]:
        if not batch:
            return []
        tries = int(again)

        def work(connection: Connection) -> list[Outcome]:
            nonlocal tries
            tries += 1
            try:
                return record_together(connection, batch, demo_time)
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
            for outcome in self._outcomes(part, demo_time, again=tries > 1)
        ]


def _made(batch: Sequence[Wanted]) -> dict[Wanted, Facts]:
    """What each of them wants, but of those that can't be made: they have their outcome now."""
    made: dict[Wanted, Facts] = {}
    for wanted in batch:
        try:
            made[wanted] = wanted.make()
        except Exception as error:
            wanted.outcome = error
    return made


def record_together(
    connection: Connection, batch: Sequence[Facts], demo_time: datetime | None = None
) -> list[Outcome]:
    """Record all of them in one commit, on an autocommit connection; the outcomes in their order.

    Raises what psycopg raises; then none of them is recorded.
    """
    first, ends = batch[0], list(accumulate(len(facts.events) for facts in batch))
    if demo_time:
        result = _APPEND_IN_DEMO.ask(connection, [*_all_of(batch, ends), moment(demo_time)])
        if not result.ntuples:
            raise RecordError("Only a demo may invent the time of recording.")
    elif ends == [1] and first.command:
        fact = _place_and_state(first.events[0])
        result = _APPEND_ONE.ask(connection, [*fact, *_known_by(first.command)])
    else:
        result = _APPEND.ask(connection, _all_of(batch, ends))
    # The stamp numbers facts in the order in which they come, and that is the order of the answer.
    return [_appended(result, end - 1, facts) for facts, end in zip(batch, ends, strict=True)]


def _appended(result: PGresult, row: int, facts: Facts) -> Appended:
    position, recorded_at = result.get_value(row, 0), result.get_value(row, 1)
    if position is None or recorded_at is None:
        raise RecordError("The record gave no answer.")
    version = facts.answering.originator_version
    return Appended(as_number(position), version, as_moment(recorded_at), replayed=False)


def _all_of(batch: Sequence[Facts], ends: Sequence[int]) -> list[bytes]:
    events = [_place_and_state(event) for facts in batch for event in facts.events]
    commands = [
        [*_known_by(facts.command), *_place(facts.answering), number(end - 1)]
        for facts, end in zip(batch, ends, strict=True)
        if facts.command
    ]
    return [
        *_columns((UUIDS, NUMBERS, TEXTS, BYTES), events),
        *_columns((UUIDS, UUIDS, TEXTS, BYTES, UUIDS, NUMBERS, NUMBERS), commands),
    ]


def _columns(kinds: Sequence[int], rows: Sequence[Sequence[bytes]]) -> list[bytes]:
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    return [array(kind, column) for kind, column in zip(kinds, columns, strict=True)]


def _place(event: StoredEvent) -> tuple[bytes, bytes]:
    return _uuid(event).bytes, number(event.originator_version)


def _place_and_state(event: StoredEvent) -> list[bytes]:
    return [*_place(event), event.topic.encode(), event.state]


def _known_by(command: CommandKey) -> list[bytes]:
    return [command.command_id.bytes, command.account.bytes, command.route.encode(), command.request_hmac]


def _refused(connection: Connection, facts: Facts, error: DatabaseError, *, again: bool) -> Outcome:
    """Its first answer, if it was accepted before; else why it can't be recorded."""
    if facts.command is not None:
        command_id, *scope, request_hmac = _known_by(facts.command)
        for known_hmac, position, version, at in _FIND_COMMAND.rows(connection, [*scope, command_id]):
            if known_hmac != request_hmac:
                return CommandReused("This command id was used for another request.")
            return Appended(position, version, at, replayed=True)
    if error.diag.constraint_name == "events_pkey":
        return _conflict(connection, facts, again=again)
    return error


def _uuid(event: StoredEvent) -> UUID:
    return event.originator_id if isinstance(event.originator_id, UUID) else UUID(event.originator_id)


def _conflict(connection: Connection, facts: Facts, *, again: bool) -> Outcome:
    """Somebody else's fact, or ours, if the reply to it was lost: no two sealed states are ever the same."""
    last = facts.events[-1]
    if again:
        key = [_uuid(last).bytes, number(last.originator_version)]
        for position, recorded_at, state in _FIND_ONE.rows(connection, key):
            if state == last.state:
                return Appended(position, facts.answering.originator_version, recorded_at, replayed=False)
    return VersionConflict("Somebody else's fact was recorded first.")
