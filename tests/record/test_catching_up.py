"""With a second process or without: the same facts, none lost, none twice, and nothing left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest

from app.record.catching_up import CatchingUp, Rows, Where
from app.record.keys import KeyStore
from app.record.mapper import FactBroken, SealedMapper, Unsealed
from app.record.pool import open_pool
from app.record.recorder import Recorder, RecordUnavailable
from app.record.sealing import SealBroken
from domain.fact import ERASED, Fact
from tests.benchmarks.ground import a_case
from tests.record.conftest import Databases
from tests.record.test_keys import destroy

BATCH = 20
KEK = bytes(range(32))


@pytest.fixture
def mapper(keys: KeyStore) -> SealedMapper:
    return SealedMapper(keys)


@pytest.fixture
def where(databases: Databases, tmp_path: Path) -> Where:
    file = tmp_path / "kek"
    file.write_bytes(KEK)
    file.chmod(0o600)
    return Where(databases.app, databases.keys_app, file)


@pytest.fixture
def reader(recorder: Recorder, where: Where) -> Iterator[CatchingUp]:
    with CatchingUp(recorder, where, far=2 * BATCH) as reader:
        yield reader


@pytest.fixture
def begin(recorder: Recorder) -> int:
    """Where the facts of this test begin."""
    return recorder.max_notification_id() or 0


def record_cases(recorder: Recorder, mapper: SealedMapper, cases: int, facts: int = BATCH) -> list[UUID]:
    made = [a_case(facts) for _ in range(cases)]
    for case in made:
        recorder.append([mapper.to_stored_event(fact) for fact in case.collect_events()])
    return [case.id for case in made]


def eventually_helped(reader: CatchingUp, begin: int) -> int:
    """Ask for the first rows until the second process answers; where they end."""
    deadline = monotonic() + 30
    while monotonic() < deadline:
        upto = reader.rows_after(begin, BATCH)[-1].notification_id
        rows = reader.rows_after(upto, BATCH)
        if isinstance(rows[0], Unsealed):
            return rows[-1].notification_id
        sleep(0.02)
    raise AssertionError("nobody helped")


def to_the_end(read: Callable[[int, int], Rows], mapper: SealedMapper, position: int) -> list[Fact]:
    facts: list[Fact] = []
    while rows := read(position, BATCH):
        facts += mapper.to_domain_events(rows)
        position = rows[-1].notification_id
    return facts


def test_the_same_facts_with_help_and_without(
    recorder: Recorder, mapper: SealedMapper, reader: CatchingUp, begin: int
) -> None:
    record_cases(recorder, mapper, 6, facts=BATCH + 1)
    alone = to_the_end(recorder.rows_after, mapper, begin)
    assert len(alone) == 6 * (BATCH + 1)
    eventually_helped(reader, begin)
    assert to_the_end(reader.rows_after, mapper, begin) == alone
    assert reader.rows_after(begin + len(alone), BATCH) == [], "and then there are no more"


def test_nobody_is_called_for_a_few_facts(
    recorder: Recorder, mapper: SealedMapper, where: Where, begin: int
) -> None:
    record_cases(recorder, mapper, 3)
    with CatchingUp(recorder, where, far=3 * BATCH) as reader:
        assert len(to_the_end(reader.rows_after, mapper, begin)) == 3 * BATCH
        assert active_children() == []


def test_whoever_was_erased_is_erased_there_too(
    recorder: Recorder, mapper: SealedMapper, reader: CatchingUp, databases: Databases, begin: int
) -> None:
    cases = record_cases(recorder, mapper, 4)
    destroy(databases, cases[2])
    eventually_helped(reader, begin)
    facts = to_the_end(reader.rows_after, mapper, begin)
    erased = [fact for fact in facts if fact.originator_id == cases[2]]
    assert len(erased) == BATCH
    words = {fact.originator_id: vars(fact)["words"] for fact in facts if fact.originator_version == 1}
    assert [case for case, said in words.items() if said is ERASED] == [cases[2]]


def test_a_key_that_is_destroyed_meanwhile_opens_nothing_more(
    recorder: Recorder, mapper: SealedMapper, reader: CatchingUp, databases: Databases, begin: int
) -> None:
    cases = record_cases(recorder, mapper, 4)
    eventually_helped(reader, begin)
    destroy(databases, cases[1])
    deadline = monotonic() + 10
    while monotonic() < deadline:
        upto = reader.rows_after(begin, BATCH)[-1].notification_id
        [first, *_] = reader.rows_after(upto, BATCH)
        assert isinstance(first, Unsealed)
        if first.erased:
            return
        sleep(0.05)
    raise AssertionError("the second process went on with a destroyed key")


def test_what_cannot_be_opened_is_handed_over_as_it_is(
    recorder: Recorder, mapper: SealedMapper, reader: CatchingUp, begin: int
) -> None:
    [first, *others] = [mapper.to_stored_event(fact) for fact in a_case(BATCH).collect_events()]
    stranger = mapper.to_stored_event(a_case(2).pending_events[0])
    record_cases(recorder, mapper, 2)
    recorder.append([first, replace(others[0], state=stranger.state), *others[1:]])
    record_cases(recorder, mapper, 2)
    upto = eventually_helped(reader, begin)
    rows = reader.rows_after(upto, BATCH)
    assert [isinstance(row, Unsealed) for row in rows] == [True, False] + [True] * (BATCH - 2)
    with pytest.raises(SealBroken):
        mapper.to_domain_events(rows)
    assert len(mapper.to_domain_events([rows[0], *rows[2:]])) == BATCH - 1
    unknown = rows[0]._replace(topic="mentee-case.dreamt-of")
    with pytest.raises(FactBroken):
        mapper.to_domain_events([unknown])


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_when_it_is_killed_nothing_is_missing(
    recorder: Recorder, mapper: SealedMapper, reader: CatchingUp, begin: int, sent: int
) -> None:
    record_cases(recorder, mapper, 6)
    upto = eventually_helped(reader, begin)
    [child] = active_children()
    assert child.pid is not None
    os.kill(child.pid, sent)
    assert to_the_end(reader.rows_after, mapper, upto) == to_the_end(recorder.rows_after, mapper, upto)
    assert active_children() == []
    reader.rows_after(begin, BATCH)
    assert active_children() == [], "what was killed a moment ago isn't begun again at once"


def test_without_room_for_a_second_process_one_reads_alone(
    recorder: Recorder, mapper: SealedMapper, reader: CatchingUp, begin: int
) -> None:
    record_cases(recorder, mapper, 4)
    soft, hard = getrlimit(RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    setrlimit(RLIMIT_NOFILE, (lowest_free, hard))
    try:
        assert len(to_the_end(reader.rows_after, mapper, begin)) == 4 * BATCH
    finally:
        setrlimit(RLIMIT_NOFILE, (soft, hard))
    assert active_children() == []


def test_it_ends_when_there_is_no_more_to_do(
    recorder: Recorder, mapper: SealedMapper, reader: CatchingUp, begin: int
) -> None:
    record_cases(recorder, mapper, 4)
    upto = eventually_helped(reader, begin)
    end = begin + 4 * BATCH
    # The last batch is as full as the others: nothing tells it from them but what comes after it.
    assert len(to_the_end(reader.rows_after, mapper, upto)) == end - upto
    assert len(active_children()) == 1, "a pause is not the end"
    deadline = monotonic() + 10
    while active_children() and monotonic() < deadline:
        reader.rows_after(end, BATCH)
        sleep(0.1)
    assert active_children() == []
    assert eventually_helped(reader, begin) == upto, "and it is called again"


def test_it_ends_when_the_record_is_out_of_reach(
    databases: Databases, mapper: SealedMapper, recorder: Recorder, where: Where, begin: int
) -> None:
    record_cases(recorder, mapper, 4)
    with open_pool(databases.app, wait=True) as pool:
        away = Recorder(pool, patience=0.2)
        with CatchingUp(away, where, far=2 * BATCH) as reader:
            eventually_helped(reader, begin)
            pool.close()
            with pytest.raises(RecordUnavailable):
                reader.rows_after(begin, BATCH)
            assert active_children() == []


HELPED = """
import sys, time
from multiprocessing import active_children
from pathlib import Path
from app.record.catching_up import CatchingUp, Rows, Where
from app.record.pool import open_pool
from app.record.recorder import Recorder

if __name__ == "__main__":
    record, keys, kek, begin = sys.argv[1:]
    reader = CatchingUp(Recorder(open_pool(record)), Where(record, keys, Path(kek)), far=40)
    reader.rows_after(int(begin), 20)
    print(active_children()[0].pid, flush=True)
    time.sleep(60)
"""


def test_it_ends_with_the_process_that_it_helps(
    recorder: Recorder, mapper: SealedMapper, where: Where, begin: int, tmp_path: Path
) -> None:
    """However that one ends: it knows keys, and must not stay behind alone."""
    record_cases(recorder, mapper, 4)
    script = tmp_path / f"helped_{uuid4().hex}.py"
    script.write_text(HELPED)
    words = [sys.executable, str(script), where.database_url, where.keys_database_url, str(where.kek_file)]
    with subprocess.Popen([*words, str(begin)], stdout=subprocess.PIPE, text=True) as helped:
        assert helped.stdout is not None
        child = int(helped.stdout.readline())
        # Also while it is busy beginning.
        helped.kill()
    deadline = monotonic() + 20
    while _lives(child) and monotonic() < deadline:
        sleep(0.05)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
