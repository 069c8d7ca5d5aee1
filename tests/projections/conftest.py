from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import ConnectionPool

from app.forgetting.destroyed_list import DestroyedList
from app.forgetting.destroying import destroy
from app.project import OUT_OF_REACH
from app.record.keys import KeyStore, load_kek
from app.record.mapper import SealedMapper
from app.record.pool import open_pool
from app.record.recorder import Recorder
from app.record.rows import StoredRow
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
    keys: KeyStore
    keys_pool: ConnectionPool
    destroyed: DestroyedList

    @property
    def newest(self) -> int:
        """The position of the newest fact."""
        return self.recorder.max_notification_id() or 0

    def save(self, *subjects: Subject) -> int:
        """Record what is new about these subjects; gives the position."""
        facts = [fact for subject in subjects for fact in subject.collect_events()]
        return self.recorder.append([self.mapper.to_stored_event(fact) for fact in facts]).position

    def destroy(self, subject_id: UUID) -> None:
        """Destroy a subject's key, as an erasure does."""
        destroy(self.keys_pool, self.destroyed, subject_id)
        self.keys.forget()

    def projector(
        self,
        models: Sequence[ReadModel[Any]] = tuple(MODELS.values()),
        *,
        upto: int | None = None,
        **said: Any,
    ) -> Projector:
        """A projector; with `upto` it finds nothing behind that position."""

        def read(position: int, limit: int) -> list[StoredRow]:
            most = limit if upto is None else max(0, min(limit, upto - position))
            return self.recorder.rows_after(position, most)

        return Projector(self.pool, read, self.mapper, models, passing=OUT_OF_REACH, **said)

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
            assert wait_for(self.pool, self.newest, MODELS, timeout=30)

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
    with (
        open_pool(settings.database_url) as pool,
        open_pool(settings.keys_database_url, max_size=4) as keys_pool,
    ):
        keys = KeyStore(keys_pool, load_kek(settings.kek_file))
        listed = DestroyedList(settings.data_dir / "destroyed")
        yield Record(pool, Recorder(pool), SealedMapper(keys), keys, keys_pool, listed)


@pytest.fixture
def record(settings: Settings) -> Iterator[Record]:
    with opened(settings) as found:
        yield found
