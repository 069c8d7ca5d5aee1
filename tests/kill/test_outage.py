"""A long outage of the database: afterwards everything is back by itself within seconds."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event
from time import monotonic, sleep
from typing import Final

import psycopg
import pytest

from tests.kill.load import Writer
from tests.kill.school import writers_of
from tests.kill.servers import Servers

OUTAGE_SECONDS: Final = 17.0
"""Just after one of those tries that come later and later, and long before the next."""
_UNHEARD: Final = """
    SELECT count(*) FROM record.events r WHERE r.topic = 'concern.raised' AND NOT EXISTS (
        SELECT FROM record.events a WHERE a.originator_id = r.originator_id
           AND a.topic IN ('concern.notified', 'concern.acknowledged'))
"""


@pytest.mark.kill
@pytest.mark.slow
def test_after_a_long_outage_pages_lists_and_alerts_are_back_within_seconds(servers: Servers) -> None:
    chance = Random(1)
    writers = writers_of(servers, chance)
    servers.start()
    enough = Event()
    with ThreadPoolExecutor(len(writers)) as threads:
        working = [threads.submit(writer.work, enough) for writer in writers]
        try:
            _until(lambda: _acknowledged(writers) >= 100, 60)
            servers.kill("database", chance)
            sleep(OUTAGE_SECONDS)
            servers.database.start()
            before = _acknowledged(writers)
            web = _until(lambda: _acknowledged(writers) > before + len(writers), 60)
            newest = max(ack.position for writer in writers for ack in writer.acknowledged)
            lists = web + _until(lambda: servers.shown() >= newest, 60)
        finally:
            enough.set()
    for work in working:
        work.result()
    alerts = lists + _until(lambda: _unheard(servers) == 0, 120)
    print(f"after the outage: web {web:.1f} s, lists {lists:.1f} s, alerts {alerts:.1f} s")
    assert web < 8
    assert lists < 15
    assert alerts < 25


def _acknowledged(writers: Sequence[Writer]) -> int:
    return sum(len(writer.acknowledged) for writer in writers)


def _unheard(servers: Servers) -> int:
    with psycopg.connect(servers.database.url("superuser")) as connection:
        row = connection.execute(_UNHEARD).fetchone()
        return int(row[0]) if row else -1


def _until(happened: Callable[[], bool], seconds: float) -> float:
    """Wait for something; gives the seconds that it took."""
    began = monotonic()
    while not happened():
        assert monotonic() - began < seconds, "it didn't happen in time"
        sleep(0.05)
    return monotonic() - began
