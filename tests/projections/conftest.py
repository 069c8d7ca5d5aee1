from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from app.project import OUT_OF_REACH
from app.record.keys import KeyStore, load_kek
from app.record.mapper import SealedMapper
from app.record.pool import open_pool
from app.record.recorder import Recorder
from app.settings import Settings
from domain.fact import Subject
from projections.all_models import MODELS
from projections.positions import wait_for
from projections.projector import Projector
from projections.read_model import ReadModel


@dataclass(frozen=True)
class Record:
    """An empty school's record, with its lists."""

    pool: ConnectionPool
    recorder: Recorder
    mapper: SealedMapper

    def save(self, *subjects: Subject) -> int:
        """Record what is new about these subjects; gives the position."""
        facts = [fact for subject in subjects for fact in subject.collect_events()]
        return self.recorder.append([self.mapper.to_stored_event(fact) for fact in facts]).position

    def projector(self, models: Sequence[ReadModel[Any]] = tuple(MODELS.values()), **said: Any) -> Projector:
        return Projector(
            self.pool, self.recorder.rows_after, self.mapper, models, passing=OUT_OF_REACH, **said
        )

    @contextmanager
    def projecting(
        self, models: Sequence[ReadModel[Any]] = tuple(MODELS.values()), **said: Any
    ) -> Iterator[Projector]:
        """A projector at work in a thread."""
        with at_work(self.projector(models, **said)) as projector:
            yield projector

    def catch_up(self) -> None:
        """Bring every list up to date."""
        with self.projecting():
            assert wait_for(self.pool, self.recorder.max_notification_id() or 0, MODELS, timeout=30)

    def rows(self, table: str) -> list[Any]:
        """All rows of a list, in the order of their numbers."""
        with self.pool.connection() as connection:
            return connection.execute(f"SELECT * FROM views.{table} ORDER BY number").fetchall()


@contextmanager
def at_work(projector: Projector) -> Iterator[Projector]:
    stop = Event()
    thread = Thread(target=projector.run, args=(stop,))
    thread.start()
    try:
        yield projector
    finally:
        stop.set()
        thread.join()


def until(happened: Callable[[], bool], seconds: float = 30.0) -> float:
    """Wait for something; gives the seconds that it took."""
    began = monotonic()
    while not happened():
        assert monotonic() - began < seconds, "it didn't happen in time"
        sleep(0.005)
    return monotonic() - began


@contextmanager
def opened(settings: Settings) -> Iterator[Record]:
    with open_pool(settings.database_url) as pool, open_pool(settings.keys_database_url, max_size=4) as keys:
        yield Record(pool, Recorder(pool), SealedMapper(KeyStore(keys, load_kek(settings.kek_file))))


@pytest.fixture
def record(settings: Settings) -> Iterator[Record]:
    with opened(settings) as found:
        yield found
