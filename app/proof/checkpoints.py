"""Checkpoints as they are kept: in the database, for all who ask, and in a file outside it, for the anchor.

The file holds note after note and is only ever added to. Whoever can change the database can't make the
anchor forget what it once signed.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg_pool import ConnectionPool

from app.proof.verifier import Checkpoint, Note, NotVerified, VerifierKey, read_checkpoint
from app.whole_file import sync_folder

READS_SUFFIX: Final = "/reads"
_LAST: Final = 50
_KEPT: Final = """
    SELECT c.origin, c.size, c.root, c.note || coalesce(w.lines, ''), c.made_at FROM record.checkpoints c
      LEFT JOIN (SELECT origin, size, string_agg(line, '' ORDER BY kept_at) AS lines
                   FROM record.cosignatures GROUP BY origin, size) w USING (origin, size)
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
        """Add a note, on the disk before this returns. What an earlier kill cut short is cut off first."""
        whole = self._look(self._read()).length
        new = not self.path.exists()
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(whole)
            file.seek(whole)
            file.write(note + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
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
    """The checkpoints in the database. Raises psycopg.Error and PoolTimeout when it is out of reach."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def newest(self, origin: str, keys: Sequence[VerifierKey] = ()) -> Kept | None:
        """The newest of one log; with `keys`, the newest that one of them signed, where it is among the last.

        The web server may add rows: whoever knows the log key looks past those that aren't signed by it.
        """
        found = self.listed(origin, limit=_LAST if keys else 1)
        signed = (kept for kept in found if keys and is_signed(Checkpoint(*kept[:3]), kept.note, keys))
        return next(signed, found[0] if found else None)

    def at(self, origin: str, size: int) -> Kept | None:
        """The one of this size."""
        found = self._ask(_KEPT + " WHERE origin = %s AND size = %s", [origin, size])
        return found[0] if found else None

    def listed(self, origin: str, *, below: int | None = None, limit: int = 50) -> list[Kept]:
        """Those of one log, newest first, smaller than `below`."""
        clause = " WHERE origin = %s AND (%s::bigint IS NULL OR size < %s) ORDER BY size DESC LIMIT %s"
        return self._ask(_KEPT + clause, [origin, below, below, limit])

    def _ask(self, query: Any, said: list[Any]) -> list[Kept]:
        with self._pool.connection() as connection:
            return [Kept(*row) for row in connection.execute(query, said)]


def is_signed(said: Checkpoint, note: str, keys: Sequence[VerifierKey]) -> bool:
    """Whether a row of the database holds the checkpoint that it says, signed by one of these keys."""
    raw = note.encode()
    try:
        return holds(raw, said) and bool(read_checkpoint(raw, *keys))
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
        " ON CONFLICT (origin, size) DO NOTHING",
        [checkpoint.origin, checkpoint.size, checkpoint.root, note.decode()],
    )
