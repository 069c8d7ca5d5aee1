"""The rows of the table: each a ratio of ours to a baseline of the same run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from threading import Event, Thread
from time import monotonic, perf_counter, sleep
from uuid import UUID, uuid4

from eventsourcing.projection import ProjectionRunner
from psycopg.sql import SQL, Identifier

from app.casework import Casework
from app.commands import BY_KEY
from domain.mentee_case import MenteeCase
from projections.all_models import MODELS
from projections.positions import wait_for
from projections.projector import Projector
from tests.benchmarks.ground import ACCOUNT, Ground, a_case, people, per_second, save, side_by_side
from tests.benchmarks.stock import StockCases, StockProjection, StockView

FACTS = 20
WHAT = ("shown before", "the next", "never opened")


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio` is what is held against `reach`; `more_is_better` says which way."""

    name: str
    ours: float
    baseline: float | None
    unit: str
    ratio: float
    reach: float
    more_is_better: bool = True

    @property
    def reached(self) -> bool:
        """Whether the ratio is good enough."""
        return self.ratio >= self.reach if self.more_is_better else self.ratio <= self.reach


@dataclass(frozen=True)
class Someone:
    """The account that gives the commands."""

    account: UUID = ACCOUNT
    role: str = "coordinator"
    mentor_id: UUID | None = None


def command(work: Casework, case_id: UUID) -> int:
    """One command as page and API give it: schema, load, decide, sealed append with its command id."""
    doing = BY_KEY["cases/ask-for-more"]
    said = {"words": "Two more, please."}
    key = work.key(Someone(), "bench", str(uuid4()), said)
    return work.run(doing, Someone(), doing.schema.load(said), key=key, subject_id=case_id).position


def commands(ground: Ground) -> list[Row]:
    """Load, decide, save on cases of twenty facts, by one writer and by eight, against the stock library's.

    Of ours on cases that this process showed before, as pages and API do before anybody can decide; then the
    next command on each; then on cases whose facts it never opened, where each costs a decryption.
    """
    rows = []
    with_stock = StockCases(ground.stock_env)
    work = ground.house.casework
    for threads, count in ((1, 300), (8, 400)):
        writers = f"{threads} writer{'s' if threads > 1 else ''}"

        def given(cases: list[UUID], threads: int = threads) -> float:
            return per_second(lambda case_id: command(work, case_id), cases, threads)

        def ours(count: int = count, given: Callable[[list[UUID]], float] = given) -> tuple[float, ...]:
            shown = save(ground.house, [a_case(FACTS) for _ in range(count)])
            for case_id in shown:
                work.stream(MenteeCase, case_id)
            return (
                given(shown),
                given(shown),
                given(save(ground.house, [a_case(FACTS) for _ in range(count)])),
            )

        def theirs(threads: int = threads, count: int = count) -> tuple[float, ...]:
            cases = [with_stock.add(FACTS) for _ in range(count)]
            first, second = (per_second(with_stock.command, cases, threads) for _ in range(2))
            return first, second, first

        measured = side_by_side(ours, theirs)
        for what, (fast, stock) in zip(WHAT, measured, strict=True):
            name = f"command on a case of {FACTS} facts, {what}, {writers}"
            rows.append(Row(name, fast, stock, "commands/s", fast / stock, 1.5))
    with_stock.close()
    return rows


def catch_up(ground: Ground, facts: int = 50_000, stock_facts: int = 4_000) -> list[Row]:
    """All read models from sealed facts, against the library's runner with one view, from plain JSON."""
    house = ground.house
    save(house, [a_case(FACTS) for _ in range(facts // FACTS)])
    end = house.recorder.max_notification_id() or 0
    for model in MODELS.values():
        with house.pool.connection() as connection:
            connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("views", model.name)))
    with house.pool.connection() as connection:
        connection.execute("DROP TABLE IF EXISTS views.positions, views.unlogged_positions, views.faults")
    took = running(ground, lambda: _until(ground, end, 600))
    ours = end / took

    env = ground.stock_env | {"STOCKCASES_PERSISTENCE_MODULE": "eventsourcing.postgres"}
    start = perf_counter()
    with ProjectionRunner(
        application_class=StockCases, projection_class=StockProjection, view_class=StockView, env=env
    ) as runner:
        runner.wait(stock_facts, timeout=600)
        stock = stock_facts / (perf_counter() - start)
    return [Row("catch-up of all read models", ours, stock, "facts/s", ours / stock, 8)]


def running(ground: Ground, work: Callable[[], float]) -> float:
    """Run the projector while the work is done; give what the work gives."""
    house, stop = ground.house, Event()
    projector = Projector(house.pool, house.recorder.rows_after, house.mapper, list(MODELS.values()))
    thread = Thread(target=projector.run, args=[stop])
    thread.start()
    try:
        return work()
    finally:
        stop.set()
        thread.join()


def _until(ground: Ground, end: int, seconds: float) -> float:
    start = perf_counter()
    while perf_counter() - start < seconds:
        if wait_for(ground.house.pool, end, timeout=2.0):
            return perf_counter() - start
    raise TimeoutError(f"The projector did not reach {end}.")


def lag(ground: Ground, seconds: float = 10, rate: float = 50) -> list[Row]:
    """From the commit of a command until every list shows it, at fifty commands a second."""
    house = ground.house
    cases = save(house, [a_case(FACTS) for _ in range(int(seconds * rate))])

    def measure() -> float:
        _until(ground, house.recorder.max_notification_id() or 0, 60)
        lags, begin = [], monotonic()
        for n, case_id in enumerate(cases):
            sleep(max(0.0, begin + n / rate - monotonic()))
            position = command(house.casework, case_id)
            committed = perf_counter()
            if not wait_for(house.pool, position, timeout=5.0):
                raise TimeoutError("A list lagged by more than five seconds.")
            lags.append((perf_counter() - committed) * 1000)
        return quantiles(lags, n=100)[98]

    p99 = running(ground, measure)
    return [
        Row(
            "lag from commit to visible at 50 commands/s, p99", p99, None, "ms", p99, 50, more_is_better=False
        )
    ]


def history_page(ground: Ground, facts: int = 40, many: int = 150) -> list[Row]:
    """A case's history through the real server, its read logged first, against a bare view with one select.

    First of cases that nobody looked at since they were recorded, then of one again and again.
    """
    known, position = people(ground.house)
    cases = save(ground.house, [a_case(facts, known) for _ in range(3 * many + 1)])
    running(ground, lambda: _until(ground, position, 600))
    ground.house.accounts.open(ACCOUNT, "coordinator", ["bench"], None)
    token = ground.house.accounts.issue_token(ACCOUNT)
    env = os.environ | {"CASEBOOK_BENCH": json.dumps(_for_server(ground)), "PYTHONWARNINGS": "default"}
    pages = [f"/api/v1/cases/{case_id}/history" for case_id in cases]
    once, again, bare = [], [], []
    with _Server(env, 8111) as server:
        for path in (pages[-1], f"/bare/{cases[-1]}"):
            server.times([path] * 50, token)
        for n in range(3):
            once.append(server.times(pages[n * many : (n + 1) * many], token))
            again.append(server.times(pages[-1:] * many, token))
            bare.append(server.times([f"/bare/{case_id}" for case_id in cases[:many]], token))
    name = f"history of {facts} facts, read logged, p50"
    measured = ((f"{name}, first look", once), (f"{name}, again", again))
    return [
        Row(title, median(ours), median(bare), "ms", median(ours) / median(bare), 3, more_is_better=False)
        for title, ours in measured
    ]


def _for_server(ground: Ground) -> dict[str, str]:
    settings = ground.settings
    return {
        "database_url": settings.database_url,
        "keys_database_url": settings.keys_database_url,
        "kek_file": str(settings.kek_file),
        "secret_key": settings.secret_key,
        "origin": settings.origin,
        "data_dir": str(settings.data_dir),
    }


class _Server:
    """The real web server with our application, and a bare view beside it."""

    def __init__(self, env: dict[str, str], port: int) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(port), "--workers", "1", "--blocking-threads", "8", "--no-ws"),
                *("--log-level", "warning", "tests.benchmarks.server:app"),
            ],
            env=env,
            stdout=subprocess.DEVNULL,
        )

    def __enter__(self) -> "_Server":
        import httpx

        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)
        for _ in range(200):
            try:
                if self.client.get("/healthz").status_code == 200:
                    return self
            except httpx.TransportError:
                sleep(0.05)
        raise TimeoutError("The server did not start.")

    def times(self, paths: Sequence[str], token: str) -> float:
        """The median time of a request in milliseconds, one after another on one connection."""
        taken = []
        for path in paths:
            start = perf_counter()
            answer = self.client.get(path, headers={"Authorization": f"Bearer {token}"})
            taken.append((perf_counter() - start) * 1000)
            answer.raise_for_status()
        return median(taken)

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(20)
