"""Check the live record against its checkpoints, reading all of it once, in little memory.

What is found is named: the first entry at fault, and which check. What can't be told from the rows alone is
told from checkpoints: whoever rewrote entries and their hashes is caught at the next one that was signed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import Connection

from app.proof.checkpoints import origin_of
from app.proof.log_rows import LOGS, LogRow, rows_of
from app.proof.verifier import Checkpoint, NotVerified, Range, VerifierKey, open_header, read_checkpoint

_CHUNK: Final = 4096
_KEPT: Final = "SELECT note FROM record.checkpoints WHERE origin = %s ORDER BY size"
_SIZES: Final = "SELECT log, size FROM record.heads"
_KEYS: Final = "SELECT originator_id FROM keys.data_keys WHERE originator_id = ANY(%s)"
# What refuses changes: the triggers as migrations made them, on.
_GUARDS: Final = """
    SELECT c.relname || '.' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = 'record'::regnamespace AND NOT t.tgisinternal
       AND ((t.tgname = 'refuse_change' AND t.tgenabled = 'A') OR (t.tgname = 'stamp' AND t.tgenabled = 'O'))
"""
GUARDS: Final = frozenset(
    [f"{table}.refuse_change" for table in ("origin", "events", "commands", "heads", "reads", "checkpoints")]
    + ["cosignatures.refuse_change", "events.stamp", "reads.stamp"]
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Fault:
    """Something that doesn't hold: in which log, at which entry (None where it is none's), which check."""

    log: str
    entry: int | None
    check: str
    text: str


@dataclass(frozen=True)
class LogReport:
    """One log: how many entries it has, its newest checkpoint with its time, and how many were compared."""

    log: str
    entries: int
    checkpoint: Checkpoint | None
    signed_at: int | None
    compared: int


@dataclass(frozen=True)
class Report:
    """What was checked, and what doesn't hold."""

    logs: tuple[LogReport, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Signed:
    """A checkpoint whose signature is good, the time that it gives (seconds since 1970), whence it is."""

    checkpoint: Checkpoint
    time: int | None
    source: str


class Verifier:
    """Checks one record. `key` is the log key's public half; notes are checkpoints as they were signed."""

    def __init__(
        self, url: str, keys_url: str, origin: str, key: VerifierKey, *, every_header: bool = False
    ) -> None:
        self._url = url
        self._keys_url = keys_url
        self._origin = origin
        self._key = key
        self._every_header = every_header
        self._faults: list[Fault] = []

    def verify(self, notes: Iterable[tuple[str, bytes]], progress: Progress | None = None) -> Report:
        """Check everything. `notes` are (where it is from, signed note); those in the database are added.

        Raises psycopg.Error.
        """
        self._faults = []
        given = list(notes)
        reports = []
        with psycopg.connect(self._url, connect_timeout=10) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            self._check_guards(connection)
            sizes: dict[str, int] = dict(connection.execute(_SIZES).fetchall())
            for log in LOGS:
                stored = [("database", str(note).encode()) for (note,) in self._stored(connection, log)]
                signed = self._signed(origin_of(self._origin, log), [*given, *stored])
                reports.append(self._one(connection, log, sizes[log], signed, progress))
        return Report(tuple(reports), tuple(self._faults))

    def _stored(self, connection: Connection[Any], log: str) -> Sequence[tuple[str]]:
        return connection.execute(_KEPT, [origin_of(self._origin, log)]).fetchall()

    def _fault(self, log: str, entry: int | None, check: str, text: str) -> None:
        self._faults.append(Fault(log, entry, check, text))

    def _check_guards(self, connection: Connection[Any]) -> None:
        on = {name for (name,) in connection.execute(_GUARDS)}
        for name in sorted(GUARDS - on):
            self._fault("database", None, "guards", f"the trigger {name} is off or gone")

    def _signed(self, origin: str, notes: Iterable[tuple[str, bytes]]) -> list[Signed]:
        """The checkpoints of one log by size. Those that aren't signed with the log key are faults."""
        found = []
        for source, raw in notes:
            try:
                checkpoint, time = read_checkpoint(raw, self._key)
            except NotVerified as error:
                fault = Fault("checkpoints", None, error.check, f"a checkpoint of {source}: {error.where}")
                if fault not in self._faults:
                    self._faults.append(fault)
                continue
            if checkpoint.origin == origin:
                found.append(Signed(checkpoint, time, source))
        return sorted(found, key=lambda one: one.checkpoint.size)

    def _one(
        self,
        connection: Connection[Any],
        log: str,
        size: int,
        signed: Sequence[Signed],
        progress: Progress | None,
    ) -> LogReport:
        newest = signed[-1] if signed else None
        log_so_far = _SoFar(log, newest.checkpoint.size if newest else 0, self._every_header)
        compared = held = 0
        try:
            with closing(rows_of(connection, log)) as rows:
                for one in [*signed, None]:
                    stop = one.checkpoint.size if one else None
                    while log_so_far.take(rows, stop):
                        if progress:
                            progress(log, log_so_far.tree.size, max(size, log_so_far.tree.size))
                    if one:
                        self._compare(log, log_so_far.tree, one, held)
                        held = one.checkpoint.size
                        compared += 1
            log_so_far.end_at(size)
            if log == "events":
                self._check_keys(log_so_far.versions)
        except _Wrong as wrong:
            self._fault(log, *wrong.args)
        return LogReport(
            log, size, newest.checkpoint if newest else None, newest.time if newest else None, compared
        )

    def _compare(self, log: str, tree: Range, one: Signed, held: int) -> None:
        size = one.checkpoint.size
        if tree.size < size:
            text = f"the log has {tree.size} entries, and a checkpoint ({one.source}) says {size}"
            raise _Wrong(tree.size + 1, "length", text)
        if tree.root() != one.checkpoint.root:
            text = f"entries {held + 1} to {size} aren't all what was signed ({one.source})"
            raise _Wrong(held + 1, "checkpoint", text)

    def _check_keys(self, versions: dict[bytes, int]) -> None:
        """Every subject has a key, or the mark of a destroyed one: a missing row isn't an erasure."""
        owners: Iterator[bytes] = iter(versions)
        with psycopg.connect(self._keys_url, connect_timeout=10) as connection:
            while asked := [UUID(bytes=owner) for owner in islice(owners, _CHUNK)]:
                known = {found for (found,) in connection.execute(_KEYS, [asked])}
                for missing in (one for one in asked if one not in known):
                    text = f"{missing} has neither a key nor the mark of an erasure"
                    self._fault("keys", None, "keys", text)


class _Wrong(Exception):
    """An entry's number, the check that it fails, and what is wrong."""


class _SoFar:
    """One log, read up to some entry. `covered` is how far the newest checkpoint goes."""

    def __init__(self, log: str, covered: int, every_header: bool) -> None:
        self.tree = Range()
        self.versions: dict[bytes, int] = {}
        self._events = log == "events"
        self._covered = 0 if every_header else covered
        self._last_us = 0

    def take(self, rows: Iterator[LogRow], stop: int | None) -> bool:
        """Take some more rows, up to `stop`. False when there are no more. Raises _Wrong."""
        most = _CHUNK if stop is None else min(_CHUNK, stop - self.tree.size)
        hashes: list[bytes] = []
        for row in islice(rows, most):
            self._check(row, self.tree.size + len(hashes) + 1)
            hashes.append(row.hashed)
        self.tree.extend(hashes)
        return bool(hashes)

    def end_at(self, size: int) -> None:
        """There are no more rows. Raises _Wrong when the log's head says otherwise."""
        if self.tree.size != size:
            text = f"the log has {self.tree.size} entries, its head says {size}"
            raise _Wrong(min(self.tree.size, size) + 1, "length", text)

    def _check(self, row: LogRow, expected: int) -> None:
        number, owner, version, at_us, name, state, stored, _, hashed = row
        if number != expected:
            raise _Wrong(expected, "numbers", f"entry {expected} is missing")
        if stored != hashed:
            raise _Wrong(number, "leaf", f"entry {number} was altered after it was recorded")
        if at_us < self._last_us:
            raise _Wrong(number, "time", f"entry {number} is dated before the entry before it")
        self._last_us = at_us
        if not self._events:
            return
        before = self.versions.get(owner, 0)
        if version != before + 1:
            text = f"entry {number} is version {version} of {UUID(bytes=owner)}, after version {before}"
            raise _Wrong(number, "versions", text)
        self.versions[owner] = version
        # An entry that was put elsewhere after a checkpoint doesn't fit it: what comes after it is opened.
        if number > self._covered:
            try:
                open_header(state, str(UUID(bytes=owner)), version, name.decode())
            except NotVerified as error:
                raise _Wrong(number, error.check, f"entry {number}: {error.where}") from None
