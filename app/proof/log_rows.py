"""The rows of both logs, streamed, with the leaf that their bytes make: nothing stored is trusted.

One row a message, in PostgreSQL's binary form, because this is what checking a long record waits for.
"""

from collections.abc import Generator
from hashlib import sha256
from struct import Struct
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection

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
_FIXED: Final = Struct("!h iq iq iq i16s i32s i")
_LENGTH: Final = Struct("!i")
_PAIR: Final = Struct("!QH")
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
    """Each row of a log, "events" or "reads", with a number above `after` and not above `upto`, in order."""
    query: LiteralString = _EVENTS if log == "events" else _READS
    kind = b"casebook-event/1\n" if log == "events" else b"casebook-read/1\n"
    unpack, length_at, pair, make = _FIXED.unpack_from, _LENGTH.unpack_from, _PAIR.pack, LogRow._make
    fixed = _FIXED.size
    asked = query.format(after=int(after), upto=int(upto)).encode()
    with connection.cursor() as cursor, cursor.copy(asked) as copy:
        start = _HEADER
        for block in copy:
            # The header comes in one block with the first row.
            row = bytes(block)[start:]
            start = 0
            if len(row) < fixed:
                continue
            _, _, number, _, version, _, at, _, owner, _, stored, length = unpack(row)
            end = fixed + length
            name = row[fixed:end]
            (length,) = length_at(row, end)
            state = row[end + 4 : end + 4 + length]
            at += _BEGAN
            looked = b"" if log == "events" else _subjects(row, end + 4 + length)
            content = sha256(kind + pair(at, len(name)) + name + looked + sha256(state).digest()).digest()
            leaf = owner + version.to_bytes(8, "big") + content
            hashed = sha256(b"\x00" + leaf).digest()
            yield make((number, owner, version, at, name, state, stored, leaf, hashed))


def _subjects(row: bytes, at: int) -> bytes:
    """How many and who, from an array of uuids: a length, four numbers, then each id after its length."""
    (dimensions,) = _LENGTH.unpack_from(row, at + 4)
    if not dimensions:
        return bytes(2)
    count: int = _LENGTH.unpack_from(row, at + 16)[0]
    first = at + 24
    ids = [row[first + 20 * n + 4 : first + 20 * n + 20] for n in range(count)]
    return count.to_bytes(2, "big") + b"".join(ids)
