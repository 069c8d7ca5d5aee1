"""An evidence pack out of a long record: made with its papers, and verified, both in seconds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median
from time import perf_counter

from app.house import House
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.log_key import create_log_key
from app.proof.pack import OFFICE, make_pack
from app.proof.verifier import verify_pack
from tests.benchmarks.copying import copy_cases
from tests.benchmarks.ground import Ground, a_case, people, save
from tests.benchmarks.row import Row

CASES = 20
FACTS = 20
PAIRS = 100
SECONDS = 5.0
ROUNDS = 3


def evidence(ground: Ground, facts: int = 100_000) -> Iterator[Row]:
    """Twenty cases of twenty facts each, among so many facts in all."""
    known, position = people(ground.house, PAIRS)
    cases = save(ground.house, [a_case(FACTS, known[n % PAIRS]) for n in range(CASES)])
    position += CASES * FACTS
    size = copy_cases(ground.settings, ground.superuser_url, (facts - position) // FACTS, FACTS, known)
    folder = ground.settings.data_dir
    settings = replace(ground.settings, log_key_file=folder / "pack-log-key")
    key = create_log_key(folder / "pack-log-key", settings.origin)
    Anchor(settings.database_url, key.name, key, CheckpointFile(folder / "pack-checkpoints")).checkpoint()
    with House(settings) as house:
        pack = make_pack(house, OFFICE, cases, for_whom="an inspector", why="to see how long it takes")
        made = _seconds(
            lambda: make_pack(house, OFFICE, cases, for_whom="an inspector", why="to see how long it takes")
        )
    verified = _seconds(lambda: verify_pack(pack, [key.verifier_key]))
    for name, seconds in (("made", made), ("verified", verified)):
        yield Row(
            f"evidence pack of {CASES} cases out of {size:,} facts, {name}",
            seconds,
            None,
            "s",
            seconds,
            SECONDS,
            more_is_better=False,
        )


def _seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return median(times)
