"""Check the live record against its checkpoints, reading all of it once, in little memory.

What is found is named: the first entry at fault, and which check. What can't be told from the rows alone is
told from checkpoints: whoever rewrote entries and their hashes is caught at the next one that was signed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import psycopg
from psycopg import Connection

from app.proof.checkpoints import READS_SUFFIX, holds, origin_of
from app.proof.clocks import SKEW_SECONDS, wrong_times
from app.proof.epoch import entries, is_epoch_of, told_in
from app.proof.guards import wrong_guards
from app.proof.kept_keys import KeptKeys, OpenKeys
from app.proof.log_rows import LOGS
from app.proof.parts import Wrong, parts_of
from app.proof.so_far import SoFar
from app.proof.verifier import (
    Checkpoint,
    Epoch,
    NotVerified,
    VerifierKey,
    read_checkpoint,
)

_KEPT: Final = "SELECT origin, size, root, note FROM record.checkpoints ORDER BY made_at, size"
_SIZES: Final = "SELECT log, size FROM record.heads"
_NAMED: Final = 100
"""How many bad checkpoints are named: the web server can add as many as it likes."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Fault:
    """Something that doesn't hold: in which log, at which entry (None where it is none's), which check.

    `passed_over` is a row beside the logs that the log key didn't sign: the web server may add such, and
    nothing of what was recorded is touched by it.
    """

    log: str
    entry: int | None
    check: str
    text: str
    passed_over: bool = False


@dataclass(frozen=True)
class LogReport:
    """One log: how many entries its head says that it has, and how many were `found`; its newest checkpoint,
    with its time, and over how many entries it is (`covered`); how many checkpoints were compared, and how
    many entries are shown by them to be what was signed (`held`)."""

    log: str
    entries: int
    found: int
    checkpoint: Checkpoint | None
    signed_at: int | None
    covered: int
    compared: int
    held: int


@dataclass(frozen=True)
class Report:
    """What was checked, what doesn't hold, and the epochs that the record says it had to begin."""

    logs: tuple[LogReport, ...]
    faults: tuple[Fault, ...]
    epochs: tuple[Epoch, ...] = ()


@dataclass(frozen=True)
class Signed:
    """A checkpoint whose signature is good: the time that it gives (seconds since 1970), whence it is, in
    which epoch it was signed (from 1), and over how many entries."""

    checkpoint: Checkpoint
    time: int | None
    source: str
    epoch: int
    entries: int


class Verifier:
    """Checks one record. `key` is the log key's public half, `older` are those that signed before it.

    Without `keys`, a key store or its URL, no keys of what is sealed are looked for. `skew` is how far, in
    seconds, the database's clock and the anchor's may be apart.
    """

    def __init__(
        self,
        url: str,
        keys: KeptKeys | str | None,
        origin: str,
        key: VerifierKey,
        *,
        older: Sequence[VerifierKey] = (),
        every_header: bool = False,
        skew: float = SKEW_SECONDS,
    ) -> None:
        self._url = url
        self._keys = KeptKeys(keys) if isinstance(keys, str) else keys
        self._origin = origin
        self._all_keys = (key, *older)
        self._every_header = every_header
        self._skew = skew
        self._faults: list[Fault] = []
        self._read: dict[bytes, tuple[Checkpoint, int | None]] = {}
        self._store: OpenKeys | None = None

    def verify(self, notes: Iterable[tuple[str, bytes]], progress: Progress | None = None) -> Report:
        """Check everything. `notes` are (where it is from, signed note); those in the database are added.

        Raises psycopg.Error.
        """
        self._faults, self._read = [], {}
        given = list(notes)
        reports = []
        with ExitStack() as opened:
            self._store = opened.enter_context(self._keys.opened()) if self._keys else None
            connection = opened.enter_context(psycopg.connect(self._url, connect_timeout=10))
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            self._check_guards(connection)
            sizes: dict[str, int] = dict(connection.execute(_SIZES).fetchall())
            ours = self._good(given)
            good = ours + self._good(self._in_database(connection), in_database=True)
            epochs = self._epochs(connection, {checkpoint.origin for _, checkpoint, _ in good})
            for log in LOGS:
                signed = self._signed(log, good, epochs)
                reports.append(self._one(connection, log, sizes[log], signed, epochs, progress))
        return Report(tuple(reports), tuple(self._faults), tuple(epochs))

    def _epochs(self, connection: Connection[Any], signed: Set[str]) -> list[Epoch]:
        """The epochs that the database tells of. That the newest is signed for vouches for all of them."""
        found, others = told_in(
            connection,
            self._origin,
            self._all_keys,
            lambda origin: not signed.isdisjoint(origin_of(origin, log) for log in LOGS),
        )
        for text in others:
            self._fault_once(Fault("epochs", None, "epoch", text, passed_over=True))
        return found

    def _fault(self, log: str, entry: int | None, check: str, text: str) -> None:
        self._faults.append(Fault(log, entry, check, text))

    def _check_guards(self, connection: Connection[Any]) -> None:
        for text in wrong_guards(connection):
            self._fault("database", None, "guards", text)

    def _in_database(self, connection: Connection[Any]) -> Iterator[tuple[str, bytes]]:
        """The checkpoints that the database keeps. Those that stand there as others are faults."""
        for origin, size, root, note in connection.execute(_KEPT):
            raw = str(note).encode()
            if holds(raw, Checkpoint(origin, size, root)):
                yield f"database, over {size}", raw
            else:
                text = f"what the database has as a checkpoint of {origin} over {size} isn't it"
                self._fault_once(Fault("checkpoints", None, "checkpoint", text, passed_over=True))

    def _fault_once(self, fault: Fault) -> None:
        alike = sum(one.passed_over == fault.passed_over for one in self._faults)
        if alike < _NAMED and fault not in self._faults:
            self._faults.append(fault)

    def _good(
        self, notes: Iterable[tuple[str, bytes]], *, in_database: bool = False
    ) -> list[tuple[str, Checkpoint, int | None]]:
        """The checkpoints that are signed with the log key. Those that aren't are faults."""
        found = []
        for source, raw in notes:
            try:
                # File and database hold the same ones, and a signature takes longer than many entries.
                if raw not in self._read:
                    self._read[raw] = read_checkpoint(raw, *self._all_keys)
                found.append((source, *self._read[raw]))
            except NotVerified as error:
                text = f"a checkpoint ({source}): {error.where}"
                self._fault_once(Fault("checkpoints", None, error.check, text, in_database))
        return found

    def _signed(
        self, log: str, good: Iterable[tuple[str, Checkpoint, int | None]], epochs: Sequence[Epoch]
    ) -> list[Signed]:
        """What the log has to hold: the checkpoints of each epoch, but for what a later one says is lost."""
        names = [origin_of(name, log) for name in (self._origin, *(epoch.origin for epoch in epochs))]
        found, vouched = [], not epochs
        for source, checkpoint, time in good:
            if checkpoint.origin not in names:
                if log == "events":
                    self._check_name(source, checkpoint.origin.removesuffix(READS_SUFFIX), names)
                continue
            number = names.index(checkpoint.origin)
            over = entries(checkpoint.size, checkpoint.origin, self._origin)
            later = [epoch.gaps[log] for epoch in epochs[number:]]
            vouched = vouched or not later
            if later and over > later[0].signed:
                text = (
                    f"a checkpoint ({source}) says {over}, the next epoch that {later[0].signed} were signed"
                )
                self._fault(log, over, "epoch", text)
            elif over <= min((gap.kept for gap in later), default=over):
                found.append(Signed(checkpoint, time, source, number + 1, over))
        if not vouched and log == "events":
            self._fault("epochs", None, "epoch", f"no checkpoint vouches for {epochs[-1].origin}")
        return sorted(found, key=lambda one: one.entries)

    def _check_name(self, source: str, origin: str, names: Sequence[str]) -> None:
        """What is of none of this record's logs is of an epoch kept from us, or the record was renamed."""
        if origin in names:
            return
        said = f"a checkpoint ({source}) is of {origin}, "
        if is_epoch_of(origin, self._origin):
            fault = Fault("epochs", None, "epoch", said + "of which the database knows nothing")
        else:
            fault = Fault(
                "checkpoints", None, "origin", said + f"and this record calls itself {self._origin}"
            )
        self._fault_once(fault)

    def _one(
        self,
        connection: Connection[Any],
        log: str,
        size: int,
        signed: Sequence[Signed],
        epochs: Sequence[Epoch],
        progress: Progress | None,
    ) -> LogReport:
        newest = max(signed, key=lambda one: (one.epoch, one.entries), default=None)
        log_so_far = SoFar(log, epochs)
        covered = newest.entries if newest and not self._every_header else 0
        compared = held = 0
        try:
            with closing(parts_of(connection, self._url, log, size, covered)) as parts:
                for part in parts:
                    hashes, wrong = log_so_far.sound(part)
                    upto = log_so_far.count + len(hashes)
                    while compared < len(signed) and signed[compared].entries <= upto:
                        more = signed[compared].entries - log_so_far.count
                        log_so_far.add(hashes[:more])
                        hashes = hashes[more:]
                        self._compare(log, log_so_far, signed[compared], held)
                        held = signed[compared].entries
                        compared += 1
                    log_so_far.add(hashes)
                    if wrong:
                        raise wrong
                    if progress:
                        progress(log, log_so_far.count, max(size, log_so_far.count))
            for one in signed[compared:]:
                self._compare(log, log_so_far, one, held)
            log_so_far.end_at(size)
            self._check_times(connection, log, signed)
            if log == "events":
                self._check_keys(connection, log_so_far.versions, epochs)
        except Wrong as wrong:
            self._fault(log, *wrong.args)
        return LogReport(
            log,
            size,
            log_so_far.count,
            newest.checkpoint if newest else None,
            newest.time if newest else None,
            newest.entries if newest else 0,
            compared,
            held,
        )

    def _compare(self, log: str, so_far: SoFar, one: Signed, held: int) -> None:
        if so_far.count < one.entries:
            text = f"the log has {so_far.count} entries, and a checkpoint ({one.source}) says {one.entries}"
            raise Wrong(so_far.count + 1, "length", text)
        if so_far.root(one.epoch) != one.checkpoint.root:
            text = f"entries {held + 1} to {one.entries} aren't all what was signed ({one.source})"
            raise Wrong(held + 1, "checkpoint", text)

    def _check_times(self, connection: Connection[Any], log: str, signed: Sequence[Signed]) -> None:
        """The first entry whose time isn't what the checkpoints around it allow."""
        # In a demo facts are told at invented times.
        if self._origin.endswith("/demo"):
            return
        timed = [(one.entries, one.time, one.source) for one in signed if one.time is not None]
        for entry, text in islice(wrong_times(connection, log, timed, self._skew), 1):
            self._fault(log, entry, "clock", text)

    def _check_keys(
        self, connection: Connection[Any], versions: dict[bytes, int], epochs: Sequence[Epoch]
    ) -> None:
        if self._store is not None:
            # What an epoch can't show to be there any more may have told of destroyed keys.
            gaps = [epoch.gaps["events"] for epoch in epochs]
            lost = sum(gap.signed - gap.kept for gap in gaps)
            for check, text in self._store.wrong(connection, versions, lost):
                self._fault("keys", None, check, text)
