"""Read the record for whoever is far behind, with a second process to help.

To open a fact takes longer than what any list does with it, and a Python process works on one processor at a
time. So while there is much to read, a process beside this one fetches the next facts, opens their seals and
hands their plain values over. It is there only as long as it is needed, and ends with the process that it
helps: what it knows of keys and people is gone then. Whatever goes wrong with it, everything is read here, as
if it had never been.
"""

import logging
import pickle
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias
from uuid import UUID

from app.record.key_watch import KeyWatch
from app.record.keys import Keks, KeyStore
from app.record.mapper import SealedMapper, Unsealed
from app.record.pool import open_pool
from app.record.recorder import Recorder, StoredRow

FAR: Final = 5_000
"""So many facts behind, a second process is worth the second that it takes to begin."""
_KEYS: Final = 4_000
"""How many keys it keeps at hand: of those who have facts side by side in the record."""
_LOOK_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 15.0
_AGAIN_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0

_log = logging.getLogger("casebook.record")

Rows: TypeAlias = Sequence[StoredRow | Unsealed]


class Where(NamedTuple):
    """What the second process needs to know: the two databases as libpq has them, and the KEK's file."""

    database_url: str
    keys_database_url: str
    kek_file: Path


class CatchingUp:
    """Rows of the whole record in order, for one reader. Safe between threads. Close it at the end.

    The reader hands them to the mapper's `to_domain_events`. A second process helps those who are `far` facts
    behind.
    """

    def __init__(self, recorder: Recorder, where: Where, *, far: int = FAR) -> None:
        self._recorder = recorder
        self._where = where
        self._far = far
        self._lock = Lock()
        self._helper: _Helper | None = None
        # Where the last full batch ended: the reader goes on from there.
        self._upto: int | None = None
        self._look_at = float("-inf")
        self._helped_at = float("-inf")

    def rows_after(self, position: int, limit: int) -> Rows:
        """The next facts after a position, at most `limit`; none is skipped. Raises RecordUnavailable."""
        with self._lock:
            try:
                rows = self._with_help(position, limit)
                if rows is None:
                    rows = self._recorder.rows_after(position, limit)
                self._think_ahead(position, rows, limit)
            except BaseException:
                # Nobody knows when there will be something to do for it.
                self._end()
                raise
        return rows

    def close(self) -> None:
        """End the second process, if there is one."""
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _with_help(self, position: int, limit: int) -> Rows | None:
        if self._helper is None or position != self._upto:
            return None
        try:
            if not self._helper.ready():
                return None
            rows = self._helper.rows_after(position, limit)
        except (EOFError, OSError):
            self._go_on_alone()
            return None
        self._helped_at = monotonic()
        return rows

    def _think_ahead(self, position: int, rows: Rows, limit: int) -> None:
        now = monotonic()
        if len(rows) == limit:
            self._upto = rows[-1].notification_id
            if self._helper is None and now >= self._look_at:
                self._look_at = now + _LOOK_SECONDS
                if (self._recorder.max_notification_id() or 0) - self._upto >= self._far:
                    self._call(now)
            return
        if position == self._upto:
            # The end of the record, where somebody looks for more again and again.
            self._upto = None
        if self._helper is not None and now - self._helped_at > _IDLE_SECONDS:
            self._end()

    def _call(self, now: float) -> None:
        try:
            self._helper, self._helped_at = _Helper(self._where), now
        except OSError:
            # No more processes, files or memory: then it takes longer.
            self._go_on_alone()

    def _go_on_alone(self) -> None:
        _log.warning("No second process reads the record; going on without it.")
        self._end()
        self._look_at = monotonic() + _AGAIN_SECONDS

    def _end(self) -> None:
        if self._helper is not None:
            self._helper.end()
            self._helper = None


class _Helper:
    """The second process, as the first one sees it."""

    def __init__(self, where: Where) -> None:
        # Not a fork: threads and connections of this process wouldn't survive it.
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_help, args=(theirs, where), name="casebook-help", daemon=True)
        self._process.start()
        # With the last copy on this side closed, its death is the end of the pipe.
        theirs.close()
        self._ready = False

    def ready(self) -> bool:
        """Whether it has begun. Raises EOFError or OSError when it has ended."""
        if not self._ready and self._pipe.poll():
            self._ready = self._pipe.recv()
        return self._ready

    def rows_after(self, position: int, limit: int) -> Rows:
        """As the recorder gives them, but opened. Raises EOFError or OSError when it has ended."""
        self._pipe.send((position, limit))
        if not self._pipe.poll(_ANSWER_SECONDS):
            raise TimeoutError
        subjects: dict[bytes, UUID] = {}
        rows: list[StoredRow | Unsealed] = []
        for row in self._pipe.recv():
            if type(row) is tuple:
                subject = subjects.get(row[0])
                if subject is None:
                    subject = subjects[row[0]] = UUID(bytes=row[0])
                row = Unsealed(subject, *row[1:])
            rows.append(row)
        return rows

    def end(self) -> None:
        """Let it end by itself, or else end it."""
        self._pipe.close()
        self._process.join(_END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


def _help(pipe: "Connection[Any, Any]", where: Where) -> None:
    """The second process. It ends when the first one closes the pipe or is no more, and at any error."""
    # Ctrl-C at a terminal reaches both, and the first one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What an error says may be about people, and the first process finds the same one.
    with suppress(Exception), _Reader(where) as reader:
        pipe.send(True)
        ahead: dict[tuple[int, int], _Batch] = {}
        while True:
            position, limit = pipe.recv()
            batch = ahead.get((position, limit)) or reader.after(position, limit)
            pipe.send_bytes(batch.rows)
            ahead.clear()
            # Only what lies before the end of the record stays as it is until it is asked for.
            if batch.upto is not None and (following := reader.after(batch.upto, limit)).upto is not None:
                ahead[batch.upto, limit] = following


class _Batch(NamedTuple):
    """Rows, ready to be sent, and where they end; None if there were fewer than asked for."""

    rows: bytes
    upto: int | None


class _Reader:
    def __init__(self, where: Where) -> None:
        self._pools = [open_pool(url, max_size=1) for url in where[:2]]
        self._watch = KeyWatch(where.keys_database_url, lambda: keys.forget())
        keks = Keks.from_file(where.kek_file)
        keys = KeyStore(self._pools[1], keks, size=_KEYS, fresh=self._watch.fresh)
        self._recorder = Recorder(self._pools[0])
        self._mapper = SealedMapper(keys)

    def after(self, position: int, limit: int) -> _Batch:
        rows = self._recorder.rows_after(position, limit)
        # An id is sent as its bytes: Python would take it apart and put it together again field by field.
        sent = [
            (row.originator_id.bytes, *row[1:]) if isinstance(row, Unsealed) else row
            for row in self._mapper.unsealed(rows)
        ]
        return _Batch(pickle.dumps(sent), rows[-1].notification_id if len(rows) == limit else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.close()
        for pool in self._pools:
            pool.close()
