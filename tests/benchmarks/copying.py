"""Write many facts quickly, the same as if they had been recorded one by one.

What a command decides, how it is sealed and where keys come from is the product's own. Only the way into the
table is another: COPY, with the positions, times and leaves that the trigger would have given.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing import get_context
from struct import Struct
from typing import Final

import psycopg
from eventsourcing.persistence import StoredEvent

from app.record.keys import KeyStore, load_kek
from app.record.mapper import SealedMapper
from app.record.pool import open_pool
from app.settings import Settings
from tests.benchmarks.ground import People, a_case, subject_of

TOGETHER: Final = 500
"""Cases that grow side by side, each fact of one between facts of the others, as in a school."""

_COPY = (
    "COPY record.events (notification_id, originator_id, originator_version, topic, state, recorded_at,"
    " leaf_hash) FROM STDIN (FORMAT BINARY)"
)
_TYPES = ["int8", "uuid", "int8", "text", "bytea", "timestamptz", "bytea"]
_HEAD = "SELECT size, greatest(last_at, clock_timestamp()) FROM record.heads WHERE log = 'events' FOR UPDATE"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_number = Struct("!Q").pack
_length = Struct("!H").pack


@dataclass(frozen=True)
class _Share:
    """What one process writes: the facts after a position, the first of them a tick after `begin`."""

    settings: Settings
    superuser_url: str
    known: Sequence[People]
    position: int
    begin: datetime
    cases: int
    facts: int


def copy_cases(
    settings: Settings,
    superuser_url: str,
    cases: int,
    facts: int,
    known: Sequence[People],
    *,
    processes: int = 2,
) -> int:
    """Write so many new cases of so many facts each, about people who are known. Gives the last position.

    Commands wait meanwhile, because the head is locked. Nobody may read the record: the processes' facts
    become visible in any order, the head's new size last.
    """
    with psycopg.connect(superuser_url) as connection:
        connection.execute("SET timezone = 'UTC'")
        row = connection.execute(_HEAD).fetchone()
        if row is None:
            raise LookupError("The record has no head.")
        position: int = row[0]
        begin: datetime = row[1]
        shares = []
        for n in range(processes):
            mine = cases * (n + 1) // processes - cases * n // processes
            shares.append(_Share(settings, superuser_url, known, position, begin, mine, facts))
            position += mine * facts
            begin += mine * facts * _TICK
        # Fresh processes: the threads of this one's pools don't survive a fork.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            list(pool.map(_write, shares))
        connection.execute(
            "UPDATE record.heads SET size = %s, last_at = %s WHERE log = 'events'", [position, begin]
        )
    return position


def _write(share: _Share) -> None:
    keys_pool = open_pool(share.settings.keys_database_url, max_size=1)
    with keys_pool, psycopg.connect(share.superuser_url, autocommit=True) as connection:
        keys = KeyStore(keys_pool, load_kek(share.settings.kek_file))
        mapper = SealedMapper(keys)
        # A superuser's setting under which ordinary triggers, such as the one that stamps, don't run.
        connection.execute("SET session_replication_role = replica")
        position, recorded_at = share.position, share.begin
        for start in range(0, share.cases, TOGETHER):
            count = min(TOGETHER, share.cases - start)
            with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for event in _sealed(share, keys, mapper, start, count):
                    position += 1
                    recorded_at += _TICK
                    copy.write_row(_row(event, position, recorded_at))


def _sealed(
    share: _Share, keys: KeyStore, mapper: SealedMapper, start: int, count: int
) -> Iterator[StoredEvent]:
    """The facts of some cases, the first of each, then the second of each, and so on."""
    known = share.known
    cases = [a_case(share.facts, known[n % len(known)]) for n in range(start, start + count)]
    keys.create_many([case.id for case in cases])
    for abreast in zip(*(case.collect_events() for case in cases), strict=True):
        for fact in abreast:
            yield mapper.to_stored_event(fact)


def _row(event: StoredEvent, position: int, recorded_at: datetime) -> tuple[object, ...]:
    subject, version = subject_of(event), event.originator_version
    topic = event.topic.encode()
    content = sha256(
        b"casebook-event/1\n" + _number((recorded_at - _EPOCH) // _TICK) + _length(len(topic)) + topic
        + sha256(event.state).digest()
    ).digest()  # fmt: skip
    leaf = sha256(b"\0" + subject.bytes + _number(version) + content).digest()
    return position, subject, version, event.topic, event.state, recorded_at, leaf
