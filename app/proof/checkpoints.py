"""Checkpoints as they are kept: in the database, for all who ask, and in a file outside it, for the anchor.

The file holds note after note and is only ever added to. Whoever can change the database can't make the
anchor forget what it once signed.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg_pool import ConnectionPool

from app.proof.verifier import Checkpoint, Note, NotVerified, VerifierKey, read_checkpoint
from app.whole_file import sync_folder

READS_SUFFIX: Final = "/reads"
_PAGE: Final = 1000
_MOST_PAGES: Final = 3
_MOST_LINES: Final = 50
"""Of witnesses under one note: a note with too many signatures isn't read by anybody."""
_KEPT: Final = """
    SELECT c.origin, c.size, c.root, c.note, c.made_at FROM record.checkpoints c
     WHERE c.origin = %s AND (%s::bigint IS NULL OR c.size = %s) AND (%s::bigint IS NULL OR c.size < %s)
     ORDER BY c.size DESC, c.made_at, c.note LIMIT %s OFFSET %s
"""
_SIZE: Final = "SELECT size + 1 FROM record.heads WHERE log = %s"
_LINES: Final = """
    SELECT size, line FROM record.cosignatures WHERE origin = %s AND size = ANY(%s)
       AND (%s::timestamptz IS NULL OR kept_at < %s) ORDER BY kept_at, witness, line
"""


class Kept(NamedTuple):
    """A checkpoint in the database: which log, its size and root, the note with every signature, and when."""

    origin: str
    size: int
    root: bytes
    note: str
    made_at: datetime


class TornFile(Exception):
    """The checkpoint file can't be read as what the anchor wrote; the message says where."""


def origin_of(origin: str, log: str) -> str:
    """The name of one of a record's two logs."""
    return origin + READS_SUFFIX if log == "reads" else origin


class _Seen(NamedTuple):
    """What a file began with: how many bytes of whole notes, their digest, and the last note of each log."""

    length: int
    digest: bytes
    newest: dict[str, tuple[Checkpoint, bytes]]


_NOTHING: Final = _Seen(0, sha256(b"").digest(), {})


class CheckpointFile:
    """The file. Its notes come one after the other, each followed by an empty line.

    After some years it has many: what was read before and is still the same isn't taken apart again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = _NOTHING

    def notes(self) -> Iterator[bytes]:
        """Every whole note, oldest first. Raises TornFile for anything else but a last one cut short."""
        return iter(whole_notes(self._read())[0])

    def newest(self, origin: str) -> tuple[Checkpoint, bytes] | None:
        """The last checkpoint of one log, with its note. Raises TornFile."""
        return self._look(self._read()).newest.get(origin)

    def origins(self) -> frozenset[str]:
        """The names of the logs that it has checkpoints of. Raises TornFile."""
        return frozenset(self._look(self._read()).newest)

    def has(self, origin: str, size: str) -> bool:
        """Whether there is a checkpoint of this log over so many entries. Raises TornFile."""
        raw = self._read()
        whole = raw[: self._look(raw).length]
        head = f"{origin}\n{size}\n".encode()
        return size.isdecimal() and (whole.startswith(head) or b"\n\n" + head in whole)

    def add(self, note: bytes) -> None:
        """Add a note, on the disk before this returns. What an earlier kill cut short is cut off first.

        Raises TornFile, also when somebody else has added a newer one meanwhile.
        """
        said = _checkpoint(note)
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            # An anchor that lost the database may be at its last step still when the next one begins.
            fcntl.flock(file, fcntl.LOCK_EX)
            seen = self._look(file.read())
            last = seen.newest.get(said.origin)
            if last and last[0].size > said.size:
                raise TornFile(f"Another anchor writes to {self.path}.")
            file.truncate(seen.length)
            file.seek(seen.length)
            file.write(note + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if not seen.length:
            sync_folder(self.path.parent)

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def _look(self, raw: bytes) -> _Seen:
        seen = self._seen
        if sha256(raw[: seen.length]).digest() != seen.digest:
            seen = _NOTHING
        notes, more = whole_notes(raw[seen.length :])
        if notes:
            length = seen.length + more
            last = {note.partition(b"\n")[0].decode(): note for note in notes}
            newest = {origin: (_checkpoint(note), note) for origin, note in last.items()}
            seen = _Seen(length, sha256(raw[:length]).digest(), seen.newest | newest)
        self._seen = seen
        return seen


def whole_notes(raw: bytes) -> tuple[list[bytes], int]:
    """The notes in what such a file holds, and how many bytes they take. Raises TornFile."""
    notes, at = [], 0
    while at < len(raw):
        # A text, an empty line, signatures, an empty line.
        text = raw.find(b"\n\n", at)
        end = raw.find(b"\n\n", text + 2) if text >= 0 else -1
        if end < 0:
            break
        note = raw[at : end + 1]
        _checkpoint(note)
        notes.append(note)
        at = end + 2
    return notes, at


def _checkpoint(raw: bytes) -> Checkpoint:
    try:
        return Checkpoint.parse(Note.parse(raw).text)
    except NotVerified as error:
        raise TornFile(f"The checkpoint file holds what isn't a checkpoint ({error}).") from None


class Checkpoints:
    """The checkpoints in the database, as far as they can be believed.

    The web server may add rows there, and no row is ever taken away. With `keys`, those of the log, a row
    counts when one of them signed it; what came before the first that is known to be signed may be of an
    older key, and counts, as all do without `keys`, when its note says what the row says. `witnesses` are
    keys of witnesses: a bad line of one of them isn't shown.

    Raises psycopg.Error and PoolTimeout when the database is out of reach.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        keys: Sequence[VerifierKey] = (),
        witnesses: Sequence[VerifierKey] = (),
    ) -> None:
        self._pool = pool
        self._keys = tuple(keys)
        self._witnesses = tuple(witnesses)

    def newest(self, origin: str) -> Kept | None:
        """The newest of one log: the newest that is signed by a known key, if any is."""
        with self._pool.connection() as connection:
            likely: list[Kept] = []
            for page in self._pages(connection, origin, first=1):
                signed = next((row for row in page if self._signed(row)), None)
                likely = likely or self._likely(connection, page)
                if signed or (likely and not self._keys):
                    return self._with_lines(connection, [signed or likely[0]])[0]
            return next(iter(self._with_lines(connection, likely[:1])), None)

    def at(self, origin: str, size: int, *, before: datetime | None = None) -> Kept | None:
        """The one of this size, with the witnesses' lines that were kept before a time, if one is given."""
        with self._pool.connection() as connection:
            rows = [row for page in self._pages(connection, origin, size=size) for row in page]
            believed = self._believed(connection, rows)
            return next(iter(self._with_lines(connection, believed, before)), None)

    def listed(self, origin: str, *, below: int | None = None, limit: int = 50) -> list[Kept]:
        """Those of one log, newest first, smaller than `below`."""
        rows: list[Kept] = []
        believed: list[Kept] = []
        with self._pool.connection() as connection:
            for page in self._pages(connection, origin, below=below, first=limit):
                rows += page
                believed = self._believed(connection, rows)
                if len(believed) >= limit:
                    break
            return self._with_lines(connection, believed[:limit])

    def _pages(
        self,
        connection: Connection[Any],
        origin: str,
        *,
        size: int | None = None,
        below: int | None = None,
        first: int = _PAGE,
    ) -> Iterator[list[Kept]]:
        """Rows of one log, newest first: as many as are asked for, then many at a time, and not for ever."""
        at, limit = 0, first
        for _ in range(_MOST_PAGES):
            found = connection.execute(_KEPT, [origin, size, size, below, below, limit, at])
            page = [Kept(*row) for row in found]
            if page:
                yield page
            if len(page) < limit:
                return
            at, limit = at + limit, _PAGE

    def _signed(self, row: Kept) -> bool:
        return is_signed(Checkpoint(*row[:3]), row.note, self._keys)

    def _believed(self, connection: Connection[Any], rows: Sequence[Kept]) -> list[Kept]:
        """Of rows, newest first, those that count: one of each size."""
        signed = {row for row in rows if self._signed(row)}
        first = min((row.size for row in signed), default=None)
        older = [row for row in rows if first is None or row.size < first]
        counted = signed.union(self._likely(connection, older))
        found: dict[int, Kept] = {}
        for row in rows:
            if row in counted:
                found.setdefault(row.size, row)
        return list(found.values())

    def _likely(self, connection: Connection[Any], rows: Sequence[Kept]) -> list[Kept]:
        """Those that say what they are, and that the log is long enough for."""
        found = [row for row in rows if holds(row.note.encode(), Checkpoint(*row[:3]))]
        if found:
            log = "reads" if found[0].origin.endswith(READS_SUFFIX) else "events"
            [longest] = connection.execute(_SIZE, [log]).fetchone() or (0,)
            found = [row for row in found if row.size <= longest]
        return found

    def _with_lines(
        self, connection: Connection[Any], rows: Sequence[Kept], before: datetime | None = None
    ) -> list[Kept]:
        """The same with what witnesses added to their notes."""
        if not rows:
            return []
        lines: dict[int, list[str]] = {}
        asked = [rows[0].origin, [row.size for row in rows], before, before]
        for size, line in connection.execute(_LINES, asked):
            lines.setdefault(size, []).append(line)
        return [
            row._replace(note=row.note + good_lines(row.note, lines[row.size], self._witnesses))
            if row.size in lines
            else row
            for row in rows
        ]


def good_lines(note: str, lines: Iterable[str], witnesses: Sequence[VerifierKey]) -> str:
    """Of witnesses' lines under a note those that can be read and spoil nothing, the listed witnesses' first.

    Rows may be added by the web server: none in the name of who signed the note itself, and none of a listed
    witness that isn't good.
    """
    signed = Note.parse(note.encode())
    own = {name for name, _ in signed.signatures}
    known: dict[str, None] = {}
    others: dict[str, None] = {}
    for line in lines:
        try:
            [(name, signature)] = Note.parse(f"{signed.text}\n{line}".encode()).signatures
        except (NotVerified, ValueError):
            continue
        key = next((one for one in witnesses if (one.name, one.key_id) == (name, signature[:4])), None)
        if key is None:
            if name not in own:
                others[line] = None
            continue
        with suppress(NotVerified):
            if Note(signed.text, ((name, signature),)).signed_by(key):
                known[line] = None
    return "".join([*known, *others][:_MOST_LINES])


def is_signed(said: Checkpoint, note: str, keys: Sequence[VerifierKey]) -> bool:
    """Whether a row of the database holds the checkpoint that it says, signed by one of these keys."""
    raw = note.encode()
    try:
        return bool(keys) and holds(raw, said) and bool(read_checkpoint(raw, *keys))
    except NotVerified:
        return False


def holds(note: bytes, checkpoint: Checkpoint) -> bool:
    """Whether a note, signed by whomever, says this and nothing more."""
    try:
        return Note.parse(note).text == str(checkpoint)
    except NotVerified:
        return False


def keep(connection: Connection[Any], checkpoint: Checkpoint, note: bytes) -> None:
    """Put a checkpoint into the database, unless it is there."""
    connection.execute(
        "INSERT INTO record.checkpoints (origin, size, root, note) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [checkpoint.origin, checkpoint.size, checkpoint.root, note.decode()],
    )
