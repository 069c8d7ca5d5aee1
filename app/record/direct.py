"""Statements that go straight to libpq: the few that somebody waits for with every command and every page.

A cursor turns parameters into bytes by looking at each, and waits in Python; for an append that took twice as
long as the append. What is asked here has fixed types, so its bytes are written by hand, and libpq waits.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, Final, LiteralString, cast
from uuid import UUID
from weakref import WeakSet

from psycopg import Connection, OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import RowMaker

UUIDS: Final = 2950
"""The type of the items of `uuid[]`; likewise for bigint[], text[] and bytea[]."""
NUMBERS: Final = 20
TEXTS: Final = 25
BYTES: Final = 17

_number = Struct("!q").pack
_as_number = Struct("!q").unpack
_length = Struct("!i").pack
_array_head = Struct("!5i").pack
_BEGUN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_GONE: Final = b"26000"


class Statement:
    """One statement with parameters `$1`, `$2`, …, prepared once on each connection under its name.

    For autocommit connections; the thread waits in libpq, so that only the server's own limits end the wait.
    """

    def __init__(self, name: str, query: LiteralString) -> None:
        self._name = name.encode()
        self._query = query.encode()
        self._ready: WeakSet[Connection] = WeakSet()

    def rows(
        self, connection: Connection, values: Sequence[bytes | None], make: RowMaker[Any] = tuple
    ) -> list[Any]:
        """The rows of the answer. Values are in PostgreSQL's binary format. Raises what psycopg raises."""
        result = self.ask(connection, values)
        transformer = Transformer(connection)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, make)

    def ask(self, connection: Connection, values: Sequence[bytes | None]) -> PGresult:
        """The answer as it came, in PostgreSQL's binary format. Raises what psycopg raises."""
        if connection not in self._ready:
            self._prepare(connection)
        result = self._exec(connection, values)
        if result.status != ExecStatus.TUPLES_OK and result.error_field(DiagnosticField.SQLSTATE) == _GONE:
            # psycopg lets go of everything that is prepared when a table was changed on this connection.
            self._prepare(connection)
            result = self._exec(connection, values)
        return _good(connection, result, ExecStatus.TUPLES_OK)

    def _exec(self, connection: Connection, values: Sequence[bytes | None]) -> PGresult:
        # libpq takes None as NULL; its types don't say so.
        parameters = cast("Sequence[bytes]", values)
        return connection.pgconn.exec_prepared(self._name, parameters, [1] * len(values), 1)

    def _prepare(self, connection: Connection) -> None:
        _good(connection, connection.pgconn.prepare(self._name, self._query), ExecStatus.COMMAND_OK)
        self._ready.add(connection)


def _good(connection: Connection, result: PGresult, wanted: ExecStatus) -> PGresult:
    if result.status == wanted:
        return result
    if result.error_field(DiagnosticField.SQLSTATE) is None or connection.pgconn.status != ConnStatus.OK:
        raise OperationalError("The connection to the database was lost.")
    raise error_from_result(result, "utf-8")


def number(value: int) -> bytes:
    """A bigint."""
    return _number(value)


def moment(value: datetime) -> bytes:
    """A timestamptz."""
    return _number((value - _BEGUN) // timedelta(microseconds=1))


def as_number(value: bytes) -> int:
    """What a bigint says."""
    found: int = _as_number(value)[0]
    return found


def as_moment(value: bytes) -> datetime:
    """What a timestamptz says, in UTC."""
    return _BEGUN + timedelta(microseconds=as_number(value))


def array(kind: int, items: Sequence[bytes]) -> bytes:
    """An array of one dimension, such as `UUIDS`."""
    if not items:
        return _array_head(0, 0, kind, 0, 0)[:12]
    head = _array_head(1, 0, kind, len(items), 1)
    lengths = set(map(len, items))
    if len(lengths) == 1:
        # As of ids, numbers and hashes: the same length goes before each.
        length = _length(lengths.pop())
        return head + length + length.join(items)
    parts = [head]
    for item in items:
        parts += (_length(len(item)), item)
    return b"".join(parts)


def uuids(items: Sequence[UUID]) -> bytes:
    """A uuid[]."""
    return array(UUIDS, [item.bytes for item in items])
