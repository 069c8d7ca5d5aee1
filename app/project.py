"""The process that keeps the lists up to date: what `casebook project` runs, with the alerts beside it."""

import signal
from threading import Event, Thread
from types import FrameType, TracebackType
from typing import Final, Self

from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import ConnectionPool

from app.record.catching_up import CatchingUp
from app.record.keys import KeysUnavailable
from app.record.mapper import SealedMapper
from app.record.recorder import Recorder, RecordUnavailable
from projections.all_models import MODELS
from projections.projector import Projector

OUT_OF_REACH: Final = (RecordUnavailable, KeysUnavailable, ReadOnlySqlTransaction)
"""Errors of the record and its server that go away by trying again: no list is at fault."""


class ProjectorProcess:
    """The projector in a thread; use it as a context, or `run`. It reads with or without help."""

    def __init__(self, pool: ConnectionPool, reader: Recorder | CatchingUp, mapper: SealedMapper) -> None:
        self.projector = Projector(
            pool, reader.rows_after, mapper, list(MODELS.values()), passing=OUT_OF_REACH
        )
        self._stop = Event()
        self._thread = Thread(target=self.projector.run, args=(self._stop,), name="projector")

    def start(self) -> None:
        """Begin, without waiting for anything."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand. Waits until the thread is gone."""
        self._stop.set()
        self._thread.join()

    def run(self) -> None:
        """Begin, and end at SIGTERM or SIGINT. For the main thread of a process of its own."""

        def end(_number: int, _frame: FrameType | None) -> None:
            self._stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        with self:
            self._stop.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
