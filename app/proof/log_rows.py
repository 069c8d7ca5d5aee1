"""The rows of both logs, streamed, with the leaf that their bytes make: nothing stored is trusted.

One row a message, in PostgreSQL's binary form, because this is what checking a long record waits for.
"""

from collections.abc import Generator
from hashlib import sha256
from struct import Struct
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

LOGS: Final = ("events", "reads")
_EVENTS: Final = """
    COPY (SELECT notification_id, originator_version, recorded_at, originator_id, leaf_hash,
                 topic, state
            FROM record.events WHERE notification_id > {after} AND notification_id <= {upto}
           ORDER BY notification_id) TO STDOUT (FORMAT binary)
"""
_READS: Final = """
    COPY (SELECT id, id, read_at, account, leaf_hash, route, state, subjects
            FROM record.reads WHERE id > {after} AND id <= {upto} ORDER BY id) TO STDOUT (FORMAT binary)
"""
# Before the first row stand a signature, flags and the length of an extension; after the last, a count of -1.
_HEADER: Final = 19
# How many fields there are, then each after its length: numbers, a time, ids, and the length of a text.
_FIXED: Final = Struct("!2x 4xq 4xq 4xq 4x16s 4x32s i")
_LENGTH: Final = Struct("!i")
_EVENT_HEAD: Final = Struct("!17sQH")
_READ_HEAD: Final = Struct("!16sQH")
_BEGAN: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, from which PostgreSQL counts."""


class LogRow(NamedTuple):
    """One row of a log: its number, whose it is, which version, when (microseconds since 1970), under which
    name, the sealed bytes; the leaf hash that stands beside it; and its leaf data and hash as recomputed."""

    number: int
    owner: bytes
    version: int
    at_us: int
    name: bytes
    state: bytes
    stored: bytes
    leaf: bytes
    hashed: bytes


def rows_of(
    connection: Connection[Any], log: str, after: int = 0, upto: int = 2**63 - 1
) -> Generator[LogRow, None, None]:
    """Each row of a log, "events" or "reads", with a number above `after` and not above `upto`, in order.

    The connection is busy until the last is taken or the generator closed. Raises psycopg.Error.
    """
    query: LiteralString = _EVENTS if log == "events" else _READS
    kind = b"casebook-event/1\n" if log == "events" else b"casebook-read/1\n"
    events = log == "events"
    head = _EVENT_HEAD.pack if events else _READ_HEAD.pack
    unpack, length_at, new = _FIXED.unpack_from, _LENGTH.unpack_from, tuple.__new__
    fixed = _FIXED.size
    copied = _Copy(connection, query.format(after=int(after), upto=int(upto)).encode())
    take = connection.pgconn.get_copy_data
    try:
        start = _HEADER
        while True:
            # Straight from libpq: a message a row, and psycopg's own way costs as much as hashing it.
            size, block = take(0)
            if size < 0:
                break
            # The header comes in one block with the first row.
            row = bytes(block)[start:]
            start = 0
            if len(row) < fixed:
                continue
            number, version, at, owner, stored, length = unpack(row)
            end = fixed + length
            name = row[fixed:end]
            begin = end + 4
            end = begin + length_at(row, end)[0]
            state = row[begin:end]
            at += _BEGAN
            content = head(kind, at, length) + name
            if not events:
                content += _subjects(row, end)
            # The version as it was sent stands at a fixed place.
            leaf = owner + row[18:26] + sha256(content + sha256(state).digest()).digest()
            hashed = sha256(b"\x00" + leaf).digest()
            yield new(LogRow, (number, owner, version, at, name, state, stored, leaf, hashed))
        copied.ended = True
    finally:
        copied.end()


class _Copy:
    """A COPY under way, which ends before the connection is used for anything else.

    In a transaction it stands behind a savepoint: one that is stopped halfway fails, and would take the
    transaction along.
    """

    def __init__(self, connection: Connection[Any], query: bytes) -> None:
        self._connection = connection
        self._inside = connection.info.transaction_status == TransactionStatus.INTRANS
        self.ended = False
        if self._inside:
            connection.execute("SAVEPOINT rows")
        result = connection.pgconn.exec_(query)
        if result.status != ExecStatus.COPY_OUT:
            raise error_from_result(result, "utf-8")

    def end(self) -> None:
        """Stop it where it isn't at its end. Raises psycopg.Error when it broke off."""
        pgconn = self._connection.pgconn
        if not self.ended and pgconn.status == ConnStatus.OK:
            self._connection.cancel_safe()
            while pgconn.get_copy_data(0)[0] > 0:
                pass
        while (result := pgconn.get_result()) is not None:
            if self.ended and result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, "utf-8")
        if self._inside and pgconn.status == ConnStatus.OK:
            self._connection.execute("ROLLBACK TO rows")
            self._connection.execute("RELEASE rows")


def _subjects(row: bytes, at: int) -> bytes:
    """How many and who, from an array of uuids: a length, four numbers, then each id after its length."""
    (dimensions,) = _LENGTH.unpack_from(row, at + 4)
    if not dimensions:
        return bytes(2)
    count: int = _LENGTH.unpack_from(row, at + 16)[0]
    first = at + 24
    ids = [row[first + 20 * n + 4 : first + 20 * n + 20] for n in range(count)]
    return count.to_bytes(2, "big") + b"".join(ids)
