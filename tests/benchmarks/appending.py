"""Commands by one, eight and thirty-two writers, against the stock library's, with the limits beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from app.casework import Casework
from app.commands import BY_KEY
from domain.mentee_case import MenteeCase
from tests.benchmarks.ground import ACCOUNT, Ground, a_case, per_second, save, side_by_side
from tests.benchmarks.limits import one_function, plain_copy, raw_insert
from tests.benchmarks.row import Row, ratio_row
from tests.benchmarks.stock import StockCases

FACTS = 20
WRITERS = ((1, 300), (8, 400), (32, 640))
DEMANDED = {1: 3.0, 8: 4.0, 32: 8.0}
UNREMEMBERED = 1.5
OPENING = (
    "opening a sealed fact takes about 25 µs in Python, three quarters of it parsing and base64, and a case "
    "that was never opened here has twenty"
)
NEVER_OPENED = {1: (0.7, OPENING), 8: (0.9, OPENING)}
PYTHON = (
    "schema, decision, sealing and the queue take a command about 0.3 ms of Python, and one process runs one "
    "thread at a time: about 3,300 commands a second at most"
)
FOLLOWING = {1: (2.2, PYTHON), 32: (3.0, PYTHON)}


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


def commands(ground: Ground) -> Iterator[Row]:
    """Load, decide, save on cases of twenty facts, against the stock library's.

    The next command on a case that this process changed a moment ago; one on a case that it showed before, as
    pages and API do before anybody can decide; and one on a case whose facts it never opened, where each
    costs a decryption. Then what the database alone would allow: bare rows, and our function with facts that
    were sealed before.
    """
    stock = StockCases(ground.stock_env)
    try:
        with plain_copy(ground):
            for threads, count in WRITERS:
                measured = side_by_side(
                    partial(_ours, ground, threads, count), partial(_theirs, stock, threads, count)
                )
                yield from _rows(threads, measured)
    finally:
        stock.close()


def _ours(ground: Ground, threads: int, count: int) -> tuple[float, ...]:
    work = ground.house.casework

    def given(cases: list[UUID]) -> float:
        return per_second(lambda case_id: command(work, case_id), cases, threads)

    shown = save(ground.house, [a_case(FACTS) for _ in range(count)])
    for case_id in shown:
        work.stream(MenteeCase, case_id)
    first, following = given(shown), given(shown)
    never = given(save(ground.house, [a_case(FACTS) for _ in range(count)]))
    return following, first, never, one_function(ground, threads, count), raw_insert(ground, threads, count)


def _theirs(stock: StockCases, threads: int, count: int) -> tuple[float, ...]:
    cases = [stock.add(FACTS) for _ in range(count)]
    first, following = (per_second(stock.command, cases, threads) for _ in range(2))
    return following, first, first, following, following


def _rows(threads: int, measured: list[tuple[float, float]]) -> Iterator[Row]:
    writers = f"{threads} writer{'s' if threads > 1 else ''}"
    case = f"command on a case of {FACTS} facts"
    unremembered = UNREMEMBERED if threads <= 8 else None
    titles = (
        (f"{case}, the next on it, {writers}", DEMANDED[threads], FOLLOWING.get(threads)),
        (f"{case}, shown before, {writers}", unremembered, None),
        (f"{case}, never opened, {writers}", unremembered, NEVER_OPENED.get(threads)),
        (f"limit: our function alone, sealed before, {writers}", None, None),
        (f"limit: raw INSERT, no trigger, {writers}", None, None),
    )
    for (name, reach, known), (ours, theirs) in zip(titles, measured, strict=True):
        yield ratio_row(name, ours, theirs, "commands/s", reach, known=known)
