"""Web, projector and database killed at random moments under load: what was acknowledged is there, once."""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random, randrange
from threading import Event
from time import monotonic, sleep
from typing import Final

import pytest

from app.house import House
from projections.all_models import MODELS
from projections.positions import wait_for
from tests.kill import checks
from tests.kill.load import Writer
from tests.kill.school import writers_of
from tests.kill.servers import Servers, gone

ENOUGH: Final = 1000
BETWEEN: Final = 20
"""Commands that are acknowledged between two kills, at least."""
KILLS: Final = {
    "web": 2,
    "web worker": 2,
    "projector": 3,
    "database": 3,
    "database session": 1,
    "everything": 1,
}
STANDSTILL_SECONDS: Final = 150.0
"""So long nothing may move: even with much else to do a machine starts everything within it."""


@pytest.mark.kill
@pytest.mark.slow
def test_nothing_acknowledged_is_lost_or_doubled_whatever_is_killed(servers: Servers) -> None:
    seed = int(os.environ.get("CASEBOOK_KILL_SEED") or randrange(2**32))
    print(f"seed {seed}: set CASEBOOK_KILL_SEED to draw the same kills")
    chance = Random(seed)
    writers = writers_of(servers, chance)
    servers.start()
    enough = Event()
    began = monotonic()
    with ThreadPoolExecutor(len(writers)) as threads:
        working = [threads.submit(writer.work, enough) for writer in writers]
        try:
            killed = _kill_until_enough(servers, writers, working, chance)
        finally:
            enough.set()
    for work in working:
        work.result()
    took = monotonic() - began
    troubles = sum((writer.troubles for writer in writers), Counter[str]())
    print(f"{took:.0f} s, killed {dict(killed)}, answers on the way {dict(troubles)}")
    _check(servers, writers, chance)
    assert not [trouble for trouble in troubles if trouble.startswith("50") and trouble != "503"], (
        f"an outage is answered by 503, but there were {troubles}\n{servers.said()}"
    )


def _kill_until_enough(
    servers: Servers, writers: Sequence[Writer], working: Sequence[Future[None]], chance: Random
) -> Counter[str]:
    """Kill and start again, each time in the midst of work; gives what was killed how often."""
    plan = [what for what, times in KILLS.items() for _ in range(times)]
    chance.shuffle(plan)
    killed: Counter[str] = Counter()
    newest = 0
    for what in plan:
        _keep_running(servers, writers, working, _acknowledged(writers) + BETWEEN, newest)
        sleep(chance.uniform(0, 0.5))
        newest = max(ack.position for w in writers for ack in w.acknowledged[-1:])
        servers.kill(what, chance)
        killed[what] += 1
        sleep(chance.uniform(0, 0.3))
    _keep_running(servers, writers, working, ENOUGH, newest)
    return killed


def _keep_running(
    servers: Servers, writers: Sequence[Writer], working: Sequence[Future[None]], enough: int, shown: int
) -> None:
    """Start what was killed, until so many commands are acknowledged and lists show what was before."""
    servers.start()
    seen, moved = (0, 0), monotonic()
    while (now := (min(_acknowledged(writers), enough), min(servers.shown(), shown))) != (enough, shown):
        servers.start()
        for work in working:
            if work.done():
                work.result()
        if now != seen:
            seen, moved = now, monotonic()
        assert monotonic() - moved < STANDSTILL_SECONDS, (
            f"{now[0]} acknowledged of {enough}, lists at {now[1]} of {shown}\n{servers.said()}"
        )
        sleep(0.05)


def _acknowledged(writers: Sequence[Writer]) -> int:
    return sum(len(writer.acknowledged) for writer in writers)


def _check(servers: Servers, writers: Sequence[Writer], chance: Random) -> None:
    with House(servers.settings) as house:
        _sent_again_gets_the_first_answer(house, writers, chance)
        _everybody_was_alerted(house, servers)
        assert servers.web.end() == 0
        assert servers.projector.end() == 0
        newest = house.recorder.max_notification_id() or 0
        facts = checks.recorded(house)
        assert len(facts) == newest
        told = checks.every_acknowledged_command_is_there_once(house, facts, writers)
        assert told >= ENOUGH
        checks.the_ledger_holds(house, facts)
        looks = checks.every_look_was_noted(house, writers)
        checks.every_list_equals_its_rebuild(house, newest)
    print(f"{newest} facts, of which {told} acknowledged by writers; {looks} looks")
    servers.database.stop()
    assert gone(servers.folder) == []


def _sent_again_gets_the_first_answer(house: House, writers: Sequence[Writer], chance: Random) -> None:
    for writer in writers:
        for first in chance.sample(writer.acknowledged, min(8, len(writer.acknowledged))):
            assert writer.again(first) == first


def _everybody_was_alerted(house: House, servers: Servers) -> None:
    until = monotonic() + STANDSTILL_SECONDS
    while not checks.every_concern_rang(checks.recorded(house)):
        assert monotonic() < until, f"a concern was acknowledged, and nobody was alerted\n{servers.said()}"
        sleep(2)
    newest = house.recorder.max_notification_id() or 0
    assert wait_for(house.pool, newest, MODELS, timeout=60)
