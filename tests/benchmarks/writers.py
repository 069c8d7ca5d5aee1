"""Writers as a server has them: threads of one process, or of several that know nothing of each other."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from random import getrandbits
from time import perf_counter
from types import TracebackType
from typing import Any
from uuid import UUID

from app.casework import Casework
from app.commands import BY_KEY
from app.house import House
from app.settings import Settings
from domain.mentee_case import MenteeCase
from tests.benchmarks.ground import ACCOUNT, per_second
from tests.benchmarks.stock import StockCases
from tests.giving import Someone

FACTS = 20
SOMEONE = Someone(ACCOUNT)

Work = Callable[[UUID], object]
Begin = Callable[[Any], tuple[dict[str, Work], Callable[[], None]]]

_here: dict[str, Work] = {}
_end: list[Callable[[], None]] = []


def command(work: Casework, case_id: UUID) -> int:
    """One command as page and API give it: schema, load, decide, sealed append with its command id."""
    doing = BY_KEY["cases/ask-for-more"]
    said = {"words": "Two more, please."}
    key = work.key(SOMEONE, "bench", f"{getrandbits(128):032x}", said)
    return work.run(doing, SOMEONE, doing.schema.load(said), key=key, subject_id=case_id).position


def web(settings: Settings) -> tuple[dict[str, Work], Callable[[], None]]:
    """What a web process does with a case."""
    house = House(settings)
    work = house.casework
    return {
        "show": lambda case_id: work.stream(MenteeCase, case_id),
        "command": lambda case_id: command(work, case_id),
    }, house.close


def stock(environment: dict[str, str]) -> tuple[dict[str, Work], Callable[[], None]]:
    """What a process with the stock library does with a case."""
    cases = StockCases(environment)
    return {"command": cases.command}, cases.close


class Writers:
    """So many writers in so many processes, each of which has its own share of the cases."""

    def __init__(self, begin: Begin, argument: object, *, threads: int, processes: int) -> None:
        self._stack = ExitStack()
        self._threads = threads // processes
        self._processes = []
        for _ in range(processes):
            process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            self._processes.append(self._stack.enter_context(process))
            # One after the other: the stock library's makes its tables.
            process.submit(_begin, begin, argument).result()

    def __enter__(self) -> "Writers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.submit(_finish).result()
        self._stack.close()

    def per_second(self, what: str, cases: Sequence[UUID]) -> float:
        """How many of these cases a second all of them get through."""
        shares = [cases[n :: len(self._processes)] for n in range(len(self._processes))]
        jobs = [
            process.submit(_do, what, share, self._threads)
            for process, share in zip(self._processes, shares, strict=True)
        ]
        times = [job.result() for job in jobs]
        return len(cases) / (max(ended for _, ended in times) - min(begun for begun, _ in times))


def _begin(begin: Begin, argument: object) -> None:
    works, end = begin(argument)
    _here.update(works)
    _end.append(end)


def _do(what: str, cases: Sequence[UUID], threads: int) -> tuple[float, float]:
    """When it began and ended, on the clock that all processes of a machine share."""
    begun = perf_counter()
    per_second(_here[what], cases, threads)
    return begun, perf_counter()


def _finish() -> None:
    _end.pop()()
