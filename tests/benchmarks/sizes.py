"""What grows with the record and what must not: two schools side by side, a small record and a large one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Final
from uuid import UUID

import psycopg

from projections.positions import wait_for
from tests.benchmarks.copying import copy_cases
from tests.benchmarks.ground import Ground, People, a_case, people, save
from tests.benchmarks.memory import MORE_MEGABYTES, megabytes
from tests.benchmarks.reading import HISTORY, forget_lists, p99, running, until
from tests.benchmarks.row import Row, ratio_row
from tests.benchmarks.serving import Server

FACTS = 20
PAIRS = 100
LOOKS: Final = 180
ROUNDS: Final = 4


@dataclass(frozen=True)
class Size:
    """How many facts and open cases a record has; `taken`: the facts that a projector takes in one go."""

    open_cases: int
    taken: int
    facts: int


SMALL = Size(100, 10_000, 10_000)
LARGE = Size(10_000, 1_000_000, 5_000_000)
QUICK = Size(10_000, 200_000, 210_000)


@dataclass
class School:
    """One record as it grows, and the cases in it whose histories will be looked at."""

    ground: Ground
    known: list[People]
    position: int
    looked_at: list[UUID] = field(default_factory=list)

    def copy(self, upto: int) -> None:
        """Let the record grow to so many facts, more or less, by cases of twenty."""
        count = (upto - self.position) // FACTS
        if count > 0:
            ground = self.ground
            self.position = copy_cases(ground.settings, ground.superuser_url, count, FACTS, self.known)

    def grow(self, upto: int) -> None:
        """The same, with the cases to be looked at strewn among the others."""
        begin = self.position
        for n in range(ROUNDS):
            cases = [a_case(HISTORY, self.known[m % PAIRS]) for m in range(LOOKS // ROUNDS)]
            self.looked_at += save(self.ground.house, cases)
            self.position += len(cases) * HISTORY
            self.copy(begin + (upto - begin) * (n + 1) // ROUNDS)

    def catch_up(self) -> None:
        """Bring the lists up to date."""
        running(self.ground, lambda: until(self.ground, self.position, 600))

    def tidy(self) -> None:
        """What a server does by and by: statistics, visibility, everything on disk."""
        with psycopg.connect(self.ground.superuser_url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE) record.events")
            connection.execute("CHECKPOINT")


def sizes(small: Ground, large: Ground, size: Size = LARGE) -> Iterator[Row]:
    """The list of cases, the projector's memory and a case's history, in a small record and a large one."""
    little, much = (_opened(ground, its) for ground, its in ((small, SMALL), (large, size)))
    yield from _list_page(little, much, size)
    yield from _memory(little, much, size)
    yield from _history_page(little, much, size)


def _opened(ground: Ground, its: Size) -> School:
    known, position = people(ground.house, PAIRS)
    school = School(ground, known, position)
    school.copy(position + its.open_cases * FACTS)
    school.catch_up()
    return school


def _list_page(little: School, much: School, size: Size) -> Iterator[Row]:
    """The coordinator's list of open cases, asked for in turns."""
    first: list[float] = []
    second: list[float] = []
    with Server(little.ground) as here, Server(much.ground) as there:
        for server in (here, there):
            server.times(["/cases"] * 20)
        for _ in range(ROUNDS):
            first += here.times(["/cases"] * 50)
            second += there.times(["/cases"] * 50)
    name = f"list page, {size.open_cases:,} open cases against {SMALL.open_cases:,}"
    yield _times(f"{name}, p50", median(second), median(first), 1.5)
    yield _times(f"{name}, p99", p99(second), p99(first))


def _memory(little: School, much: School, size: Size) -> Iterator[Row]:
    """The most memory that `casebook project` took, with whoever helped, until all lists showed all facts."""
    if not Path("/proc/self/smaps_rollup").exists():
        return
    peaks = []
    for school, its in ((little, SMALL), (much, size)):
        school.grow(its.taken)
        forget_lists(school.ground)
        peaks.append(_peak_of_projector(school))
    name = f"memory of the projector, {much.position:,} facts against {little.position:,}"
    less, more = peaks
    yield Row(name, more, less, "MB", more - less, MORE_MEGABYTES, more_is_better=False, sign="MB more")


def _peak_of_projector(school: School) -> float:
    settings = school.ground.settings
    told = {
        "CASEBOOK_DATABASE_URL": settings.database_url,
        "CASEBOOK_KEYS_DATABASE_URL": settings.keys_database_url,
        "CASEBOOK_KEK_FILE": str(settings.kek_file),
        "CASEBOOK_SECRET_KEY": settings.secret_key,
        "CASEBOOK_ORIGIN": settings.origin,
        "CASEBOOK_DATA_DIR": str(settings.data_dir),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "project"], env=os.environ | told, stderr=subprocess.DEVNULL
    )
    most, deadline = 0.0, monotonic() + 1200
    try:
        while not wait_for(school.ground.house.pool, school.position, timeout=0.05):
            most = max(most, megabytes(process.pid))
            if monotonic() > deadline:
                raise TimeoutError("The projector took more than twenty minutes.")
        return most
    finally:
        process.terminate()
        process.wait(20)


def _history_page(little: School, much: School, size: Size) -> Iterator[Row]:
    """Histories that nobody looked at since they were recorded, and the bare view of the same cases."""
    for school, its in ((little, SMALL), (much, size)):
        school.copy(its.facts)
        school.tidy()
    times: dict[str, tuple[list[float], list[float]]] = {
        "/api/v1/cases/{}/history": ([], []),
        "/bare/{}": ([], []),
    }
    with Server(little.ground) as here, Server(much.ground) as there:
        for server, school in ((here, little), (there, much)):
            server.times([path.format(school.looked_at.pop()) for path in times for _ in range(10)])
        each = min(len(little.looked_at), len(much.looked_at)) // ROUNDS
        for n in range(ROUNDS):
            for path, (few, many) in times.items():
                for server, school, taken in ((here, little, few), (there, much, many)):
                    ids = school.looked_at[n * each : (n + 1) * each]
                    taken += server.times([path.format(case_id) for case_id in ids])
    against = f"{size.facts:,} facts in the record against {SMALL.facts:,}"
    (few, many), (few_bare, many_bare) = times.values()
    yield _times(f"history of {HISTORY}, {against}, p50", median(many), median(few), 1.3)
    yield _times(f"history of {HISTORY}, {against}, p99", p99(many), p99(few))
    yield _times(f"bare view, {against}, p50", median(many_bare), median(few_bare))


def _times(name: str, ours: float, baseline: float, reach: float | None = None) -> Row:
    return ratio_row(name, ours, baseline, "ms", reach, more_is_better=False)
