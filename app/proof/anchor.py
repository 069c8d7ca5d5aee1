"""The anchor: it recomputes both logs from their rows and signs how long they are and what they hold.

It believes its own file of what it signed before, not the database, and refuses to sign a log that is shorter
than, or doesn't begin with, what it signed last. Run it where the database's administrator has no account.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from copy import deepcopy
from itertools import islice
from threading import Event
from typing import Any, Final

import psycopg
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from app.proof.anchor_says import pass_over, say
from app.proof.checkpoints import CheckpointFile, TornFile, is_signed, keep, origin_of
from app.proof.epoch import (
    begun,
    chained,
    is_stated,
    keep_in,
    name_of,
    signed_under,
    statements_beside,
    told_in,
)
from app.proof.log_rows import LOGS, LogRow, rows_of
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint, Epoch, NotVerified, Range, VerifierKey, read_checkpoint

ANCHOR_LOCK: Final = 4849336204517397
"""Held while a checkpoint is made."""
ALONE: Final = "15min"
"""How long it waits for that: reading a long record takes minutes."""
WATCH_LOCK: Final = 4849336204517399
"""Held by the anchor that watches, so that others stand by and `casebook status` knows that there is one."""
EVERY_SECONDS: Final = 300.0
"""How long facts wait for a checkpoint at most, while the anchor runs."""
LOOK_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = (60.0, 900.0)
"""How soon it looks again after it refused: at first, and at last. Somebody has to come and see."""
AT_ONCE: Final = (
    "mentee-case.closed",
    "mentee-case.extended",
    "concern.decided",
    "concern.closed",
    "erasure.requested",
    "erasure.ordered",
    "erasure.key-destroyed",
    "erasure.completed",
)
"""Facts that aren't left without a checkpoint: what somebody may later wish to have been otherwise."""
_SIZES: Final = "SELECT log, size FROM record.heads"
_FORCED: Final = "SELECT EXISTS (SELECT FROM record.events WHERE notification_id > %s AND topic = ANY(%s))"
_NEWER: Final = """
    SELECT size, root, note FROM record.checkpoints WHERE origin = %s AND size > %s ORDER BY size
"""
_CHUNK: Final = 4096
_ALL_AGAIN_SECONDS: Final = 3600.0

_log = logging.getLogger("casebook.anchor")


class AnchorRefuses(Exception):
    """The log isn't what was signed before, or what was signed can't be found. Nothing was signed."""


class Anchor:
    """Signs the logs of one record. `url` is the record database's, `origin` the record's name.

    `also` are keys that sign beside `key`, while one takes the place of the other.
    """

    def __init__(
        self,
        url: str,
        origin: str,
        key: SigningKey,
        file: CheckpointFile,
        *,
        also: Sequence[SigningKey] = (),
    ) -> None:
        self._url = url
        self._origin = origin
        self._key = key
        self._also = tuple(also)
        self._keys = (key.verifier_key, *(one.verifier_key for one in also))
        self._file = file
        # What was read already is read again from time to time: somebody may have changed it since.
        self._trees: dict[str, tuple[float, Range]] = {}
        self._said: str | None = None

    def checkpoint(self) -> list[bytes]:
        """Sign both logs as they are now; gives the newest note of each that isn't empty.

        A log that hasn't grown keeps the checkpoint that it has. Raises AnchorRefuses and psycopg.Error.
        """
        with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection:
            alone(connection)
            epochs = known_epochs(connection, self._file, self._origin, self._keys)
            notes = [self._one(connection, log, epochs[-1] if epochs else None) for log in LOGS]
            say(connection, None)
            return [note for note in notes if note is not None]

    def run(
        self, stop: Event, *, every: float = EVERY_SECONDS, again: tuple[float, float] = AGAIN_SECONDS
    ) -> None:
        """Sign on time, and at once after what may not wait, until `stop` is set. No error ends it.

        What is wrong is said once, and again when something else is. While it refuses, it looks seldom.
        """
        self._said = None
        pauses = _pauses(*again)
        while not stop.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection:
                    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [WATCH_LOCK]).fetchone()
                    if row == (True,):
                        connection.execute("LISTEN casebook")
                        self._watch(connection, stop, every)
                    else:
                        stop.wait(LOOK_SECONDS)
            except Exception as error:
                refused = isinstance(error, AnchorRefuses | TornFile)
                said = str(error) if refused else type(error).__name__
                if said != self._said:
                    self._said = said
                    pauses = _pauses(*again)
                    _log.error("anchor: %s", said)
                if refused:
                    # Each time: somebody may have put another word in its mouth since.
                    self._tell(said)
                stop.wait(next(pauses) if refused else LOOK_SECONDS)

    def _watch(self, connection: Connection[Any], stop: Event, every: float) -> None:
        signed: dict[str, int] = {}
        last = float("-inf")
        while not stop.is_set():
            sizes = dict(connection.execute(_SIZES).fetchall())
            grown = sizes != signed
            if grown and (time.monotonic() - last >= every or self._forced(connection, signed)):
                # Of an empty record there is nothing to sign: its first fact doesn't wait.
                last = time.monotonic() if self.checkpoint() else last
                self._said = None
                signed = sizes
            elif signed:
                # Somebody else may have said that it refuses.
                say(connection, None)
            until = time.monotonic() + LOOK_SECONDS
            # In short waits, so that whoever ends it needn't wait.
            while not stop.is_set() and time.monotonic() < until:
                if list(connection.notifies(timeout=0.25, stop_after=1)):
                    # Whoever records much at a time shouldn't have each of it looked at by itself.
                    stop.wait(0.2)
                    break

    def _tell(self, why: str) -> None:
        """Let those who ask how the record is know it too, if the database can be reached."""
        with (
            suppress(psycopg.Error),
            psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection,
        ):
            say(connection, why)

    def _forced(self, connection: Connection[Any], signed: dict[str, int]) -> bool:
        row = connection.execute(_FORCED, [signed.get("events", 0), list(AT_ONCE)]).fetchone()
        return row == (True,)

    def _one(self, connection: Connection[Any], log: str, epoch: Epoch | None) -> bytes | None:
        origin = origin_of(epoch.origin if epoch else self._origin, log)
        last = newest_signed(connection, self._file, origin, self._key, self._keys)
        # Asked before the log is read: what comes meanwhile may not be in it.
        now = int(time.time())
        tree = self._recomputed(connection, log, epoch, last[0] if last else None)
        found = Checkpoint(origin, tree.size, tree.root())
        if last and last[0] == found:
            # A kill between file and database leaves it in the file alone.
            keep(connection, *last)
            return last[1]
        if not tree.size:
            return None
        text = str(found)
        both = ((key.sign(text), key.cosign(text, now)) for key in (self._key, *self._also))
        note = signed_note(text, *(line for lines in both for line in lines))
        self._file.add(note)
        keep(connection, found, note)
        return note

    def _recomputed(
        self, connection: Connection[Any], log: str, epoch: Epoch | None, last: Checkpoint | None
    ) -> Range:
        name = f"{log} {epoch.number if epoch else 1}"
        before = begun(epoch).size
        began, tree = self._trees.get(name, (float("-inf"), begun(epoch)))
        if time.monotonic() - began > _ALL_AGAIN_SECONDS:
            began, tree = time.monotonic(), begun(epoch)
        if last and tree.size > last.size:
            began, tree = time.monotonic(), begun(epoch)
        tree = deepcopy(tree)
        with closing(rows_of(connection, log, after=tree.size - before)) as rows:
            if last:
                self._read(rows, tree, log, before, last.size)
                _check_begins_with(last, tree)
            self._read(rows, tree, log, before, None)
        self._trees[name] = began, deepcopy(tree)
        return tree

    def _read(self, rows: Iterator[LogRow], tree: Range, log: str, before: int, size: int | None) -> None:
        """Add rows to the tree until it has `size` leaves or there are none left; `before` are no rows."""
        while size is None or tree.size < size:
            most = _CHUNK if size is None else min(_CHUNK, size - tree.size)
            hashes = []
            for number, row in enumerate(islice(rows, most), tree.size - before + 1):
                if row.number != number:
                    raise AnchorRefuses(f"{log}: entry {number} is missing.")
                hashes.append(row.hashed)
            tree.extend(hashes)
            if len(hashes) < most:
                return


def _pauses(first: float, longest: float) -> Iterator[float]:
    """Twice as long each time, up to the longest."""
    while True:
        yield first
        first = min(2 * first, longest)


def alone(connection: Connection[Any]) -> None:
    """Wait until nobody else makes a checkpoint. Raises AnchorRefuses when that takes too long."""
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", [ALONE])
            connection.execute("SELECT pg_advisory_lock(%s)", [ANCHOR_LOCK])
    except LockNotAvailable:
        raise AnchorRefuses(
            "Somebody has held the lock for making checkpoints for a quarter of an hour. Find out who, and "
            "that no second anchor runs."
        ) from None


def known_epochs(
    connection: Connection[Any], file: CheckpointFile, origin: str, keys: Sequence[VerifierKey]
) -> list[Epoch]:
    """The epochs of the record `origin`, by the statements beside the file; the database is told of them.

    Raises AnchorRefuses when the database has others that one of `keys` signed, or calls the record
    otherwise, TornFile. Rows of whomever else are passed over.
    """
    # The record's name comes from its database: under a new one all could be signed as if for the first time.
    names = file.origins()
    if names and names.isdisjoint(origin_of(origin, log) for log in LOGS):
        raise AnchorRefuses(
            f"The file {file.path} is of {min(names)}, and this record calls itself {origin}."
        )
    ours = statements_beside(file.path)
    theirs, others = told_in(connection, origin, keys, lambda name: signed_under(connection, name, keys))
    if (
        not chained(origin, ours)
        or any(is_stated(one, keys) for one in theirs if one not in ours)
        or signed_under(connection, name_of(origin, len(ours) + 2), keys)
    ):
        raise AnchorRefuses(
            f"The database tells of another epoch than the folder of {file.path}. "
            "Bring the folder back from where it is kept; casebook verify says more."
        )
    for epoch in ours:
        if epoch not in theirs:
            keep_in(connection, epoch)
    for other in others:
        pass_over(other)
    return ours


def newest_signed(
    connection: Connection[Any],
    file: CheckpointFile,
    origin: str,
    key: SigningKey,
    keys: Sequence[VerifierKey],
) -> tuple[Checkpoint, bytes] | None:
    """What was signed last of a log, by the file. The database mustn't know of more that one of `keys` signed
    (`key` is among them); the web server may add rows, and such as none of them signed are passed over.

    Raises AnchorRefuses, TornFile.
    """
    last = file.newest(origin)
    if last:
        try:
            read_checkpoint(last[1], key.verifier_key)
        except NotVerified as error:
            raise AnchorRefuses(f"The checkpoint file wasn't written with this key ({error}).") from None
    for size, root, note in connection.execute(_NEWER, [origin, last[0].size if last else 0]):
        if is_signed(Checkpoint(origin, size, root), note, keys):
            raise AnchorRefuses(
                f"The database has a checkpoint of {origin} over {size} entries, and the file "
                f"{file.path} none so new. Bring the file back from where it is kept."
            )
        pass_over(f"what the database has as a checkpoint of {origin} over {size} entries isn't it")
    return last


def _check_begins_with(last: Checkpoint, tree: Range) -> None:
    signed = f"{last.origin}: {last.size} leaves were signed"
    if tree.size < last.size:
        raise AnchorRefuses(
            f"{signed}, and the log has {tree.size}. It was cut, or an old copy restored: keep it as it is."
        )
    if tree.root() != last.root:
        raise AnchorRefuses(f"{signed}, and they aren't these any more. casebook verify says which.")
