"""The rows of both logs, streamed, with the leaf that their bytes make: nothing stored is trusted.

One row a message, in PostgreSQL's binary form, because this is what checking a long record waits for.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import islice
from struct import Struct
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

LOGS: Final = ("events", "reads")
BLOCK: Final = 4096
"""Entries that are looked at together: the larger, the less each costs, and the more memory they take."""
_EVENTS: Final = """
    COPY (SELECT notification_id, recorded_at, leaf_hash, originator_id, originator_version, topic, state
            FROM record.events WHERE notification_id > {after} AND notification_id <= {upto}
           ORDER BY notification_id) TO STDOUT (FORMAT binary)
"""
_READS: Final = """
    COPY (SELECT id, read_at, leaf_hash, account, id, route, state, subjects
            FROM record.reads WHERE id > {after} AND id <= {upto} ORDER BY id) TO STDOUT (FORMAT binary)
"""
# Before the first row stand a signature, flags and the length of an extension; after the last, a count of -1.
_HEADER: Final = 19
_LAST: Final = b"\xff\xff"
# How many fields there are, then each after its length: number, time, hash, owner, version; then the length
# of a name, of which the lower two bytes and the name are as they are hashed.
_FIXED: Final = Struct("!2x 4xq 4xq 4x32s 4x16s 4xq i")
_OWNER, _VERSION, _NAME = slice(66, 82), slice(86, 94), 96
_LENGTH: Final = Struct("!i")
_TIME: Final = Struct("!Q").pack
_KINDS: Final = {"events": b"casebook-event/1\n", "reads": b"casebook-read/1\n"}
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


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows that follow each other, column by column, as LogRow has them."""

    numbers: Sequence[int]
    owners: Sequence[bytes]
    versions: Sequence[int]
    times: Sequence[int]
    stored: Sequence[bytes]
    leaves: Sequence[bytes]
    hashed: Sequence[bytes]
    _rows: Sequence[bytes]
    _ends: Sequence[int]

    def __len__(self) -> int:
        return len(self.hashed)

    def row(self, at: int) -> LogRow:
        """One of them, counted from 0."""
        row, end = self._rows[at], self._ends[at]
        return LogRow(
            *(self.numbers[at], self.owners[at], self.versions[at], self.times[at], row[_NAME + 2 : end]),
            *(row[end + 4 : _end(row, end)], self.stored[at], self.leaves[at], self.hashed[at]),
        )


def rows_of(
    connection: Connection[Any], log: str, after: int = 0, upto: int = 2**63 - 1
) -> Generator[LogRow, None, None]:
    """Each row of a log, "events" or "reads", with a number above `after` and not above `upto`, in order.

    The connection is busy until the last is taken or the generator closed. Raises psycopg.Error.
    """
    with closing(blocks_of(connection, log, after, upto)) as blocks:
        for block in blocks:
            yield from map(block.row, range(len(block)))


def blocks_of(
    connection: Connection[Any], log: str, after: int = 0, upto: int = 2**63 - 1
) -> Generator[Block, None, None]:
    """The same, some thousand rows at a time: what takes every row is several times as fast."""
    query: LiteralString = _EVENTS if log == "events" else _READS
    copied = _Copy(connection, query.format(after=int(after), upto=int(upto)).encode())
    try:
        start = _HEADER
        for rows in copied.messages():
            # The header comes in one message with the first row, or with what says that there is none.
            rows[0] = rows[0][start:]
            start = 0
            if rows[-1] == _LAST:
                rows.pop()
            if rows:
                yield _block(log, rows)
    finally:
        copied.end()


def _block(log: str, rows: Sequence[bytes]) -> Block:
    # Columns, not rows: a step that runs over thousands of rows at once takes a fraction of the time.
    fixed = zip(*map(_FIXED.unpack_from, rows), strict=True)
    numbers, since, stored, owners, versions, lengths = fixed
    times = [at + _BEGAN for at in since]
    ends = [_NAME + 2 + length for length in lengths]
    kind = _KINDS[log]
    if log == "events":
        # A fact's sealed bytes are the last field.
        leaves = [
            row[_OWNER]
            + row[_VERSION]
            + sha256(kind + _TIME(at) + row[_NAME:end] + sha256(row[end + 4 :]).digest()).digest()
            for row, at, end in zip(rows, times, ends, strict=True)
        ]
    else:
        leaves = [
            row[_OWNER]
            + row[_VERSION]
            + sha256(
                kind
                + _TIME(at)
                + row[_NAME:end]
                + _subjects(row, _end(row, end))
                + sha256(row[end + 4 : _end(row, end)]).digest()
            ).digest()
            for row, at, end in zip(rows, times, ends, strict=True)
        ]
    hashed = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    return Block(numbers, owners, versions, times, stored, leaves, hashed, rows, ends)


def _end(row: bytes, name_end: int) -> int:
    """Where the sealed bytes end, which follow the name after their length."""
    return name_end + 4 + int(_LENGTH.unpack_from(row, name_end)[0])


class _Copy:
    """A COPY under way, which ends before the connection is used for anything else.

    In a transaction it stands behind a savepoint: one that is stopped halfway fails, and would take the
    transaction along.
    """

    def __init__(self, connection: Connection[Any], query: bytes) -> None:
        self._connection = connection
        self._inside = connection.info.transaction_status == TransactionStatus.INTRANS
        self.ended = False
        self._do(b"SAVEPOINT rows" if self._inside else b"BEGIN READ ONLY")
        # Along the index the first row comes at once; sorted, a long log would be written to disk before it.
        self._do(b"SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        self._do(query, ExecStatus.COPY_OUT)

    def _do(self, query: bytes, status: ExecStatus = ExecStatus.COMMAND_OK) -> None:
        result = self._connection.pgconn.exec_(query)
        if result.status != status:
            raise error_from_result(result, "utf-8")

    def messages(self) -> Iterator[list[bytes]]:
        """What the server sends, some thousand messages at a time."""
        # Straight from libpq: a message a row, and psycopg's own way costs as much as hashing it.
        coming = iter(partial(self._connection.pgconn.get_copy_data, 0), (-1, b""))
        while not self.ended:
            messages = [bytes(message) for _, message in islice(coming, BLOCK)]
            self.ended = len(messages) < BLOCK
            if messages:
                yield messages

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
        if pgconn.status == ConnStatus.OK:
            self._do(b"ROLLBACK TO rows; RELEASE rows" if self._inside else b"ROLLBACK")


def _subjects(row: bytes, at: int) -> bytes:
    """How many and who, from an array of uuids: a length, four numbers, then each id after its length."""
    (dimensions,) = _LENGTH.unpack_from(row, at + 4)
    if not dimensions:
        return bytes(2)
    count: int = _LENGTH.unpack_from(row, at + 16)[0]
    first = at + 24
    ids = [row[first + 20 * n + 4 : first + 20 * n + 20] for n in range(count)]
    return count.to_bytes(2, "big") + b"".join(ids)
