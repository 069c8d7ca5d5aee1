"""A demo that was killed, in whatever way, goes on with the same facts."""

import signal
import sys

import psycopg
import pytest

from app.embedded import attach
from tests.demo.running import Running, demo, until


@pytest.mark.kill
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_killed_demo_goes_on_with_the_same_facts_and_leaves_no_process() -> None:
    with demo() as running:
        running.start()
        running.ready()
        told = _leaves(running)
        assert len(told) > 1000
        for alone in (True, False):
            _kill(running, alone=alone)
            running.start()
            running.ready()
            assert _leaves(running)[: len(told)] == told
            until(lambda: running.command("status").returncode == 0)
        assert running.end(signal.SIGTERM)[0] == 0
        assert running.processes() == []


def _kill(running: Running, *, alone: bool) -> None:
    """SIGKILL to the demo itself or to all of its processes; then nothing of it may run or answer."""
    assert running.process is not None
    if alone:
        running.process.kill()
    else:
        running.kill()
    running.process.communicate()
    until(lambda: not running.processes())
    assert not running.answers()


def _leaves(running: Running) -> list[tuple[int, bytes]]:
    """Every fact by its place and its hash."""
    with psycopg.connect(attach(running.folder).url("app")) as connection:
        found: list[tuple[int, bytes]] = connection.execute(
            "SELECT notification_id, leaf_hash FROM record.events ORDER BY notification_id"
        ).fetchall()
    return found
