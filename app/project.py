"""The process that keeps the lists up to date, and raises the alarm: what `casebook project` runs."""

import logging
import signal
from collections.abc import Callable
from threading import Event, Thread
from types import FrameType, TracebackType
from typing import Final, Self

from psycopg_pool import ConnectionPool

from app.record.keys import KeysUnavailable
from app.record.mapper import SealedMapper
from app.record.recorder import Recorder, RecordUnavailable
from projections.all_models import MODELS
from projections.projector import Projector

OUT_OF_REACH: Final = (RecordUnavailable, KeysUnavailable)
"""The record's own errors that go away by trying again."""

_log = logging.getLogger("casebook.project")


class ProjectorProcess:
    """The projector in a thread, beside it what else the leading process does; use it as a context, or `run`.

    `alerts` is called every `alert_seconds` while this process leads, in a thread of its own: a slow mail
    server must not hold up the lists. What it raises is logged by kind and tried again.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        recorder: Recorder,
        mapper: SealedMapper,
        *,
        alerts: Callable[[], None] | None = None,
        alert_seconds: float = 2.0,
    ) -> None:
        self.projector = Projector(
            pool, recorder.rows_after, mapper, list(MODELS.values()), passing=OUT_OF_REACH
        )
        self._alerts = alerts
        self._alert_seconds = alert_seconds
        self._stop = Event()
        self._threads = [Thread(target=self.projector.run, args=(self._stop,), name="projector")]
        if alerts is not None:
            self._threads.append(Thread(target=self._raise_alerts, name="alerts"))

    def start(self) -> None:
        """Begin, without waiting for anything."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the batch at hand. Waits until both threads are gone."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

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

    def _raise_alerts(self) -> None:
        while not self._stop.wait(self._alert_seconds):
            if self._alerts is None or not self.projector.leading:
                continue
            try:
                self._alerts()
            except Exception as error:
                # Its text may name a person.
                _log.warning("alerts: %s, trying again", type(error).__name__)
