"""How fast lists catch up, how late they are, and what a case's history costs, against bare baselines."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median, quantiles
from time import monotonic, perf_counter, sleep

import psycopg
from eventsourcing.projection import ProjectionRunner
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from app.project import ProjectorProcess
from projections.all_models import MODELS
from projections.positions import wait_for
from tests.benchmarks.ground import Ground, a_case, people, save, side_by_side
from tests.benchmarks.row import Row, ratio_row
from tests.benchmarks.serving import Server
from tests.benchmarks.stock import StockCases, StockProjection, StockView
from tests.benchmarks.writers import FACTS, command

HISTORY = 40
OPEN_AT_ONCE = 150
FIRST_LOOK = (
    7.0,
    "opening a sealed fact takes about 25 µs in Python, three quarters of it parsing and base64, and this "
    "history has forty; looking again opens none",
)


def catch_up(ground: Ground, facts: int = 100_000, stock_facts: int = 4_000) -> Iterator[Row]:
    """All read models from sealed facts, against the library's runner with one view, from plain JSON.

    The facts of as many cases as a school has open lie between each other, as they do in a school.
    """
    house = ground.house
    grow_together(ground, facts // FACTS)
    cases = StockCases(ground.stock_env)
    for _ in range(stock_facts // FACTS):
        cases.add(FACTS)
    cases.close()
    end = house.recorder.max_notification_id() or 0

    def ours() -> tuple[float, ...]:
        forget_lists(ground)
        return (end / running(ground, lambda: until(ground, end, 600)),)

    [(speed, stock)] = side_by_side(ours, partial(_stock_catches_up, ground, stock_facts))
    yield ratio_row("catch-up of all read models", speed, stock, "facts/s", 15)


def grow_together(ground: Ground, cases: int) -> None:
    """Record so many cases, a school's worth of them at a time, one fact of each after the other."""
    house = ground.house
    for start in range(0, cases, OPEN_AT_ONCE):
        told = [a_case(FACTS).collect_events() for _ in range(min(OPEN_AT_ONCE, cases - start))]
        for facts in zip(*told, strict=True):
            house.recorder.append([house.mapper.to_stored_event(fact) for fact in facts])


def _stock_catches_up(ground: Ground, facts: int) -> tuple[float, ...]:
    with psycopg.connect(make_conninfo(ground.superuser_url, dbname="stock")) as connection:
        # The library keeps its place between two runs.
        connection.execute("DROP TABLE IF EXISTS stock_view, stockview_tracking")
    env = ground.stock_env | {"STOCKCASES_PERSISTENCE_MODULE": "eventsourcing.postgres"}
    start = perf_counter()
    with ProjectionRunner(
        application_class=StockCases, projection_class=StockProjection, view_class=StockView, env=env
    ) as runner:
        runner.wait(facts, timeout=600)
        return (facts / (perf_counter() - start),)


def forget_lists(ground: Ground) -> None:
    """Throw all lists away, so that a projector begins at the first fact."""
    with ground.house.pool.connection() as connection:
        for model in MODELS.values():
            connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("views", model.name)))
        connection.execute("DROP TABLE IF EXISTS views.positions, views.unlogged_positions, views.faults")


def running(ground: Ground, work: Callable[[], float]) -> float:
    """Run the projector while the work is done; give what the work gives."""
    house = ground.house
    with house.catching_up() as reader, ProjectorProcess(house.pool, reader, house.mapper):
        return work()


def until(ground: Ground, end: int, seconds: float) -> float:
    """How many seconds it takes until all lists show a position, to a twentieth.

    Whoever asks as often as a page does takes a sixth of the projector's time, which has its own process in
    the product.
    """
    start = perf_counter()
    while perf_counter() - start < seconds:
        if wait_for(ground.house.pool, end, timeout=0):
            return perf_counter() - start
        sleep(0.05)
    raise TimeoutError(f"The projector did not reach {end}.")


def lag(ground: Ground, seconds: float = 10, rate: float = 50) -> Iterator[Row]:
    """From the commit of a command until every list shows it, at fifty commands a second."""
    house = ground.house
    cases = save(house, [a_case(FACTS) for _ in range(int(seconds * rate))])

    def measure() -> float:
        until(ground, house.recorder.max_notification_id() or 0, 60)
        lags, begin = [], monotonic()
        for n, case_id in enumerate(cases):
            sleep(max(0.0, begin + n / rate - monotonic()))
            position = command(house.casework, case_id)
            committed = perf_counter()
            if not wait_for(house.pool, position, timeout=5.0):
                raise TimeoutError("A list lagged by more than five seconds.")
            lags.append((perf_counter() - committed) * 1000)
        return p99(lags)

    name = "lag from commit to visible at 50 commands/s, p99"
    found = running(ground, measure)
    yield Row(name, found, None, "ms", found, 50, more_is_better=False)


def p99(times: list[float]) -> float:
    """What ninety-nine of a hundred stay below."""
    return quantiles(times, n=100)[98]


def history_page(ground: Ground, many: int = 150) -> Iterator[Row]:
    """A case's history through the real server, its read logged first, against a bare view with one select.

    First of cases that nobody looked at since they were recorded, then of one again and again.
    """
    (known,), _ = people(ground.house)
    cases = save(ground.house, [a_case(HISTORY, known) for _ in range(3 * many + 1)])
    running(ground, lambda: until(ground, ground.house.recorder.max_notification_id() or 0, 600))
    pages = [f"/api/v1/cases/{case_id}/history" for case_id in cases]
    first: list[float] = []
    again: list[float] = []
    bare: list[float] = []
    with Server(ground) as server:
        server.times([pages[-1], f"/bare/{cases[-1]}"] * 50)
        for n in range(3):
            part = slice(n * many, (n + 1) * many)
            first += server.times(pages[part])
            again += server.times(pages[-1:] * many)
            bare += server.times([f"/bare/{case_id}" for case_id in cases[part]])
    name = f"history of {HISTORY} facts, read logged"
    for what, times, reach, known_to_miss in (
        ("first look", first, 2, FIRST_LOOK),
        ("again", again, 2, None),
    ):
        yield ratio_row(
            *(f"{name}, {what}, p50", median(times), median(bare), "ms", reach),
            more_is_better=False,
            known=known_to_miss,
        )
        yield ratio_row(f"{name}, {what}, p99", p99(times), p99(bare), "ms", more_is_better=False)
