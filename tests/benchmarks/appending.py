"""Commands by one, eight and thirty-two writers, against the stock library's, with the limits beside them."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from tests.benchmarks.ground import Ground, a_case, save, settle, side_by_side
from tests.benchmarks.limits import one_statement, plain_copy, raw_insert
from tests.benchmarks.row import Row, ratio_row
from tests.benchmarks.stock import StockCases
from tests.benchmarks.writers import FACTS, Writers, stock, web

# Writers, in how many processes, on how many cases. Two processes are what docker-compose.yml starts.
WRITERS = ((1, 1, 300), (8, 1, 400), (32, 1, 640), (32, 2, 640))
ROUNDS = 4
"""So often each gets its next command while ours is measured, which then takes as long as the library's."""
TURNS = 5
"""So often both are measured, in turns: the medians are what is shown."""
DEMANDED = {1: 3.0, 8: 4.0, 32: 8.0}
UNREMEMBERED = 1.5
OPENING = (
    "opening a sealed fact takes about 25 µs in Python, three quarters of it parsing and base64, and a case "
    "that was never opened here has twenty"
)
NEVER_OPENED = {1: (0.5, OPENING), 8: (0.6, OPENING)}
EDGE = (
    "a command takes some 0.23 ms of Python, of which a process can do one at a time; a shared machine's "
    "noise is more than what that leaves up to the demand"
)
FOLLOWING = {1: (2.5, EDGE), 32: (6.5, EDGE)}


def commands(ground: Ground) -> Iterator[Row]:
    """Load, decide, save on cases of twenty facts, against the stock library's.

    The next command on a case that this process changed a moment ago; one on a case that it showed before, as
    pages and API do before anybody can decide; and one on a case whose facts it never opened, where each
    costs a decryption. Then what the database alone would allow: bare rows, and our statement with facts that
    were sealed before.
    """
    with plain_copy(ground):
        for threads, processes, count in WRITERS:
            company = {"threads": threads, "processes": processes}
            # A connection for each of its threads, so that none of them waits for one.
            stock_env = ground.stock_env | {"POSTGRES_POOL_SIZE": str(threads // processes)}
            with (
                Writers(web, ground.settings, **company) as ours,
                Writers(stock, stock_env, **company) as theirs,
            ):
                measured = side_by_side(
                    partial(_ours, ground, ours, threads, count),
                    partial(_theirs, ground, theirs, count),
                    rounds=TURNS,
                )
            yield from _rows(threads, processes, measured)


def _ours(ground: Ground, writers: Writers, threads: int, count: int) -> tuple[float, ...]:
    shown = save(ground.house, [a_case(FACTS) for _ in range(count)])
    unopened = save(ground.house, [a_case(FACTS) for _ in range(count)])
    settle(ground)
    writers.per_second("show", shown)
    first = writers.per_second("command", shown)
    # The library's process has done the same for a second when it is measured, and ours something else.
    writers.per_second("command", shown)
    following = writers.per_second("command", shown * ROUNDS)
    never = writers.per_second("command", unopened)
    return following, first, never, one_statement(ground, threads, count), raw_insert(ground, threads, count)


def _theirs(ground: Ground, writers: Writers, count: int) -> tuple[float, ...]:
    made = StockCases(ground.stock_env)
    try:
        cases: list[UUID] = [made.add(FACTS) for _ in range(count)]
    finally:
        made.close()
    settle(ground)
    first, following = (writers.per_second("command", cases) for _ in range(2))
    return following, first, first, following, following


def _rows(threads: int, processes: int, measured: list[tuple[float, float]]) -> Iterator[Row]:
    writers = f"{threads} writer{'s' if threads > 1 else ''}" + (f" in {processes}" if processes > 1 else "")
    case = f"command on a case of {FACTS} facts"
    unremembered = UNREMEMBERED if threads <= 8 else None
    # Commits are grouped inside one process. Two are there to compare: the stock library gains by them too.
    demanded = DEMANDED[threads] if processes == 1 else None
    titles = (
        (f"{case}, the next on it, {writers}", demanded, FOLLOWING.get(threads)),
        (f"{case}, shown before, {writers}", unremembered, None),
        (f"{case}, never opened, {writers}", unremembered, NEVER_OPENED.get(threads)),
        (f"limit: our statement alone, sealed before, {writers}", None, None),
        (f"limit: raw INSERT, no trigger, {writers}", None, None),
    )
    for (name, reach, known), (ours, theirs) in zip(titles, measured, strict=True):
        yield ratio_row(name, ours, theirs, "commands/s", reach, known=known)
