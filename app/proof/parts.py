"""A log read part by part: each with its hashes, what follows it has to fit, and its first fault.

A long log is read by as many processes as there are processors, all of them as it was at one moment.
"""

import gc
import os
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_all_start_methods, get_context
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import Connection, sql

from app.proof.log_rows import Block, LogRow, blocks_of
from app.proof.verifier import NotVerified, open_header

PART: Final = 16_384
"""Entries that are read at once."""
LONG: Final = 16 * PART
"""From how many entries on it pays to begin other processes."""
_MOST_PROCESSES: Final = 4
_EVERYTHING: Final = 2**63 - 1


class Wrong(Exception):
    """An entry's number, the check that it fails, and what is wrong."""

    def __init__(self, number: int, check: str, text: str) -> None:
        super().__init__(number, check, text)
        self.number = number


@dataclass
class Part:
    """The entries after number `after`, as far as each of them is sound.

    `hashes` are 32 bytes an entry, `times` the first and the last (microseconds), `turns` each subject's
    first entry here, its version, and the subject's last version here; `wrong` is what comes after them.
    """

    after: int
    hashes: list[bytes] = field(default_factory=list)
    times: tuple[int, int] | None = None
    turns: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    wrong: Wrong | None = None


def parts_of(
    connection: Connection[Any], url: str, log: str, size: int, covered: int
) -> Generator[Part, None, None]:
    """A log of about `size` entries, whole. What comes after entry `covered` has its header opened.

    `connection` is in a transaction at REPEATABLE READ, and `url` where others see the same. Raises
    psycopg.Error.
    """
    begins = range(0, max(size, 1), PART)
    asked = [(log, after, after + PART, covered) for after in begins]
    # Whatever stands beyond the log's end is looked at too.
    asked[-1] = (log, asked[-1][1], _EVERYTHING, covered)
    processes = min(os.cpu_count() or 1, _MOST_PROCESSES)
    if size <= LONG or processes == 1:
        for one in asked:
            yield read_part(connection, *one)
    else:
        with closing(_side_by_side(connection, url, asked, processes)) as parts:
            yield from parts


def read_part(connection: Connection[Any], log: str, after: int, upto: int, covered: int) -> Part:
    """The entries with a number above `after` and not above `upto`."""
    part = Part(after)
    with closing(blocks_of(connection, log, after, upto)) as blocks:
        for block in blocks:
            _take(part, block, covered, events=log == "events")
            if part.wrong is not None:
                break
    return part


def _take(part: Part, block: Block, covered: int, *, events: bool) -> None:
    """Whole columns are compared; only where two differ is the row looked for. The first at fault counts."""
    first, upto = part.after + len(part.hashes) + 1, len(block)
    expected = range(first, first + upto)
    if block.numbers != tuple(expected):
        upto = _alike(block.numbers, expected)
        part.wrong = Wrong(first + upto, "numbers", f"entry {first + upto} is missing")
    if block.stored[:upto] != tuple(block.hashed[:upto]):
        upto = _alike(block.stored, block.hashed)
        part.wrong = Wrong(first + upto, "leaf", f"entry {first + upto} was altered after it was recorded")
    times = [part.times[1] if part.times else 0, *block.times[:upto]]
    if times != sorted(times):
        upto = next(at for at, (before, then) in enumerate(pairwise(times)) if then < before)
        part.wrong = backdated(first + upto)
    if events:
        try:
            _take_turns(part, block, range(first, first + upto))
        except Wrong as error:
            part.wrong, upto = error, error.number - first
        try:
            # What was put elsewhere after a checkpoint doesn't fit it: what comes after it is opened.
            for number in range(max(covered + 1, first), first + upto):
                _check_header(block.row(number - first))
        except Wrong as error:
            part.wrong, upto = error, error.number - first
    if upto:
        part.times = (part.times or block.times)[0], block.times[upto - 1]
    part.hashes += block.hashed[:upto]


def _take_turns(part: Part, block: Block, numbers: range) -> None:
    """Each fact's version follows its subject's last here. Raises Wrong."""
    turns, known = part.turns, part.turns.get
    for number, owner, version in zip(numbers, block.owners, block.versions, strict=False):
        before = known(owner)
        if before is None:
            turns[owner] = number, version, version
        elif version == before[2] + 1:
            turns[owner] = before[0], before[1], version
        else:
            raise out_of_turn(number, owner, version, before[2])


def backdated(number: int) -> Wrong:
    """An entry that is dated before the one before it."""
    return Wrong(number, "time", f"entry {number} is dated before the entry before it")


def out_of_turn(number: int, owner: bytes, version: int, before: int) -> Wrong:
    """A fact whose version doesn't follow its subject's last."""
    text = f"entry {number} is version {version} of {UUID(bytes=owner)}, after {before}"
    return Wrong(number, "versions", text)


def _alike(some: Any, others: Any) -> int:
    """How many at the start are the same, of two that differ."""
    return next(at for at, (one, other) in enumerate(zip(some, others, strict=False)) if one != other)


def _check_header(row: LogRow) -> None:
    try:
        open_header(row.state, str(UUID(bytes=row.owner)), row.version, row.name.decode())
    except NotVerified as error:
        raise Wrong(row.number, error.check, f"entry {row.number}: {error.where}") from None


# Several processes


def _side_by_side(
    connection: Connection[Any], url: str, asked: list[tuple[str, int, int, int]], processes: int
) -> Generator[Part, None, None]:
    """The parts in their order, each read by whichever process is free."""
    [snapshot] = connection.execute("SELECT pg_export_snapshot()").fetchone() or [""]
    # A copy of this process takes little memory and no time to begin, but other threads don't survive it.
    alone = threading.active_count() == 1 and "fork" in get_all_start_methods()
    pool = ProcessPoolExecutor(
        processes,
        get_context("fork" if alone else "spawn"),
        initializer=_begin,
        initargs=(url, str(snapshot)),
    )
    waiting: deque[Future[Part]] = deque()
    coming: Iterator[tuple[str, int, int, int]] = iter(asked)
    try:
        while True:
            # A few ahead: what nobody has taken yet stays in memory.
            while len(waiting) < 2 * processes and (one := next(coming, None)):
                waiting.append(pool.submit(_read, *one))
            if not waiting:
                return
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise psycopg.OperationalError("One of the processes that read the record was stopped.") from error
    finally:
        pool.shutdown(cancel_futures=True)


_own: list[Connection[Any]] = []
"""In a process that was begun to read: its connection."""


def _begin(url: str, snapshot: str) -> None:
    # Nothing here refers to itself, and looking for it takes a fifth of the time.
    gc.disable()
    connection = psycopg.connect(url, connect_timeout=10)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    _own.append(connection)


def _read(log: str, after: int, upto: int, covered: int) -> Part:
    return read_part(_own[0], log, after, upto, covered)
