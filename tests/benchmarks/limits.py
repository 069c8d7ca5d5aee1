"""What the database alone allows: bare rows of the same bytes, and our statement with facts sealed before."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count as numbers
from os import urandom
from time import perf_counter
from uuid import uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from app.record.appending import Facts, record_together
from app.record.rows import CommandKey
from domain.fact import Fact
from tests.benchmarks.ground import ACCOUNT, Ground, a_case, by, save

_INSERT = (
    "INSERT INTO public.plain (notification_id, originator_id, originator_version, topic, state,"
    " recorded_at, leaf_hash) VALUES (%s, %s, %s, %s, %s, clock_timestamp(), %s)"
)
_LEAF = urandom(32)
_positions = numbers(1)


@contextmanager
def plain_copy(ground: Ground) -> Iterator[None]:
    """A table with the columns, checks and indexes of the record's, but without its triggers."""
    with psycopg.connect(ground.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.plain (LIKE record.events INCLUDING ALL)")
        connection.execute("GRANT INSERT ON public.plain TO casebook_app")
        try:
            yield
        finally:
            connection.execute("DROP TABLE public.plain")


def raw_insert(ground: Ground, threads: int, count: int) -> float:
    """Rows a second, each by an INSERT and a commit of its own."""
    return _each_on_its_own(ground, threads, _sealed(ground, count), _insert)


def one_statement(ground: Ground, threads: int, count: int) -> float:
    """Commands a second when nothing is done but to ask the database for each, one commit each."""
    return _each_on_its_own(ground, threads, _sealed(ground, count), _append)


def _sealed(ground: Ground, count: int) -> list[StoredEvent]:
    """One more sealed fact for each of as many cases, not yet recorded."""
    cases = [a_case(2) for _ in range(count)]
    save(ground.house, cases)
    facts: list[Fact] = []
    for case in cases:
        case.ask_for_more(by(), words="Two more, please.")
        facts += [fact for fact in case.collect_events() if isinstance(fact, Fact)]
    return [ground.house.mapper.to_stored_event(fact) for fact in facts]


def _insert(connection: Connection, event: StoredEvent) -> None:
    values = [
        next(_positions),
        event.originator_id,
        event.originator_version,
        event.topic,
        event.state,
        _LEAF,
    ]
    connection.execute(_INSERT, values, prepare=True)


def _append(connection: Connection, event: StoredEvent) -> None:
    command = CommandKey(uuid4(), ACCOUNT, "bench", urandom(32))
    record_together(connection, [Facts([event], event, command)])


def _each_on_its_own(
    ground: Ground,
    threads: int,
    events: Sequence[StoredEvent],
    work: Callable[[Connection, StoredEvent], None],
) -> float:
    """How many a second by so many threads, each on a connection of its own with its statement prepared."""
    with ExitStack() as stack, ThreadPoolExecutor(threads) as pool:
        shares = []
        for n in range(threads):
            connection = stack.enter_context(psycopg.connect(ground.settings.database_url, autocommit=True))
            first, *share = events[n::threads]
            work(connection, first)
            shares.append((connection, share))

        def give(share: tuple[Connection, list[StoredEvent]]) -> None:
            for event in share[1]:
                work(share[0], event)

        start = perf_counter()
        list(pool.map(give, shares))
        return (len(events) - threads) / (perf_counter() - start)
