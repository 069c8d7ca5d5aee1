import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from app.embedded import Embedded
from app.project import ProjectorProcess
from app.record.keys import create_kek
from app.record.migrate import migrate
from app.settings import Settings
from domain.mentee_case import MenteeCase, SessionHeld
from domain.staff import Staff
from projections.all_models import MODELS
from projections.positions import Standing, positions, status, wait_for
from projections.read_model import ReadModel
from projections.rebuild import RebuildFailed, rebuild
from tests.projections.conftest import Record, opened, until
from tests.projections.school import School
from tests.scenario import by


class Superstitious(MenteeCase):
    """Can't count to three."""

    trouble: Callable[[MenteeCase], object]

    def on_session_held(self, fact: SessionHeld) -> None:
        super().on_session_held(fact)
        if self.sessions_held == 3:
            type(self).trouble(self)


def counting(subject: type[MenteeCase]) -> ReadModel[MenteeCase]:
    return ReadModel(
        name="counting",
        kind="mentee-case",
        key="case_id",
        subject=subject,
        columns={"sessions_held": "integer NOT NULL"},
    )


def forget_the_count(case: MenteeCase) -> None:
    case.sessions_held = None  # type: ignore[assignment]


def raise_trouble(_: MenteeCase) -> None:
    raise ValueError("Siân said so")


def a_case(record: Record, sessions: int) -> list[int]:
    """A matched case with sessions; gives the position of each fact."""
    case = MenteeCase.blank(uuid4())
    case.refer(by(), route="self", reasons=(), words="w", referred_by="r", pupil_id=uuid4())
    case.match(by(), mentor_id=uuid4())
    first = record.save(case)
    told = [first - 1, first]
    for _ in range(sessions):
        case.hold_session(by(), held_on=by().today, minutes=20, focus="f", notes="n")
        told.append(record.save(case))
    return told


@pytest.mark.parametrize("trouble", [raise_trouble, forget_the_count])
@pytest.mark.parametrize("batch", [500, 2])
def test_a_fact_that_a_list_cannot_take_stops_that_list_alone_at_that_fact(
    record: Record, caplog: pytest.LogCaptureFixture, trouble: Callable[[Any], object], batch: int
) -> None:
    class Counting(Superstitious):
        pass

    Counting.trouble = staticmethod(trouble)
    trial = counting(Counting)
    a_case(record, 2)
    broke = a_case(record, 4)[-2]
    a_case(record, 5)
    newest = record.recorder.max_notification_id() or 0
    with record.projecting([*MODELS.values(), trial], batch=batch):
        assert wait_for(record.pool, newest, MODELS, timeout=10)
        until(lambda: standing(record, "counting").fault is not None)
        stopped = standing(record, "counting")
        assert (stopped.position, stopped.lag) == (broke - 1, newest - broke + 1)
        assert [row[-1] for row in record.rows("counting")] == [2, 2]
        began = monotonic()
        assert not wait_for(record.pool, newest, ["counting"])
        assert monotonic() - began < 1
        assert wait_for(record.pool, newest)
    assert "Siân" not in caplog.text
    with record.pool.connection() as connection:
        [fault] = connection.execute("SELECT name, position, error FROM views.faults")
    assert fault[:2] == ("counting", broke)
    assert fault[2] in ("ValueError", "NotNullViolation")


def test_a_mended_list_goes_on_after_a_restart(record: Record) -> None:
    class Counting(Superstitious):
        trouble = staticmethod(raise_trouble)

    newest = a_case(record, 4)[-1]
    with record.projecting([counting(Counting)]):
        until(lambda: standing(record, "counting").fault is not None)
    with record.projecting([counting(MenteeCase)]):
        until(lambda: standing(record, "counting") == ("counting", newest, 0, None))
    assert [row[-1] for row in record.rows("counting")] == [4]


def test_a_rebuild_takes_a_fault_away_beside_the_projector_that_met_it(record: Record) -> None:
    class Counting(Superstitious):
        trouble = staticmethod(raise_trouble)

    newest = a_case(record, 4)[-1]
    with record.projecting([counting(Counting)]):
        until(lambda: standing(record, "counting").fault is not None)
        rows = record.rows("counting")
        with pytest.raises(RebuildFailed, match="counting stopped after position 0: ValueError"):
            rebuild(record.pool, record.recorder.rows_after, record.mapper, counting(Counting))
        assert record.rows("counting") == rows
        mended = counting(MenteeCase)
        assert rebuild(record.pool, record.recorder.rows_after, record.mapper, mended) == newest
        assert wait_for(record.pool, newest, ["counting"])
        newest = a_case(record, 1)[-1]
        assert wait_for(record.pool, newest, ["counting"], timeout=4)
    assert [row[-1] for row in record.rows("counting")] == [4, 1]


def test_a_fact_that_can_not_be_opened_stops_the_lists_that_hear_it_alone(record: Record) -> None:
    a_case(record, 1)
    subject = uuid4()
    case = MenteeCase.blank(subject)
    case.refer(by(), route="self", reasons=(), words="w", referred_by="r", pupil_id=uuid4())
    [fact] = case.collect_events()
    sealed = record.mapper.to_stored_event(fact)
    moved = StoredEvent(uuid4(), 1, sealed.topic, sealed.state)
    record.mapper.to_stored_event(fact.__class__(**(vars(fact) | {"originator_id": moved.originator_id})))
    broken = record.recorder.append([moved]).position
    newest = a_case(record, 1)[-1]
    with record.projecting():
        until(lambda: standing(record, "caseload").fault is not None)
        assert standing(record, "caseload") == ("caseload", broken - 1, newest - broken + 1, "SealBroken")
        assert wait_for(record.pool, newest, set(MODELS) - {"caseload"}, timeout=5)
    assert len(record.rows("caseload")) == 1


def test_a_list_of_another_shape_is_filled_again(record: Record) -> None:
    newest = a_case(record, 3)[-1]
    with record.projecting([counting(MenteeCase)]):
        assert wait_for(record.pool, newest, ["counting"], timeout=5)
    other: ReadModel[MenteeCase] = ReadModel(
        name="counting",
        kind="mentee-case",
        key="case_id",
        subject=MenteeCase,
        columns={"sessions_held": "integer NOT NULL", "sessions_planned": "integer NOT NULL"},
    )
    with record.projecting([other]):
        until(lambda: [row[-2:] for row in record.rows("counting")] == [(3, 6)])


def test_lost_connections_are_made_again(record: Record, cluster: Embedded) -> None:
    with record.projecting() as projector:
        for _ in range(3):
            newest = a_case(record, 2)[-1]
            assert wait_for(record.pool, newest, MODELS, timeout=10)
            until(lambda: projector.leading)
            with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'casebook_app' AND datname LIKE 'test%'"
                )
            took = until(lambda: caught_up(record, a_case(record, 1)[-1]))
            assert took < 5


def test_one_leads_and_when_it_is_killed_the_other_takes_over_within_two_seconds(
    record: Record, settings: Settings
) -> None:
    first = process(settings)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == b"leading\n"
        with record.projecting() as second:
            newest = a_case(record, 2)[-1]
            assert wait_for(record.pool, newest, MODELS, timeout=5)
            assert not second.leading
            first.kill()
            newest = a_case(record, 2)[-1]
            assert until(lambda: wait_for(record.pool, newest, MODELS, timeout=0)) < 2
    finally:
        first.kill()
        first.communicate()


def test_sigterm_ends_the_process_cleanly(record: Record, settings: Settings) -> None:
    running = process(settings)
    assert running.stdout is not None
    assert running.stdout.readline() == b"leading\n"
    running.terminate()
    assert running.wait(5) == 0
    running.communicate()
    with record.pool.connection() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        ).fetchone()
    assert row == (0,)


def process(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.projections.leader"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            "DATABASE": settings.database_url,
            "KEYS": settings.keys_database_url,
            "KEK": str(settings.kek_file),
        },
    )


def test_alerts_are_raised_by_the_leader_whatever_they_raise(record: Record) -> None:
    raised: list[float] = []

    def alert() -> None:
        raised.append(monotonic())
        raise OSError("no mail server")

    about = (record.pool, record.recorder, record.mapper)
    with ProjectorProcess(*about, alerts=alert, alert_seconds=0.05) as leader:
        until(lambda: len(raised) > 2)
        assert leader.projector.leading
        waiting: list[float] = []
        with ProjectorProcess(*about, alerts=lambda: waiting.append(0), alert_seconds=0.01):
            sleep(0.3)
        assert waiting == []


@pytest.fixture
def own_cluster() -> Iterator[Embedded]:
    """A server that this test may kill."""
    with TemporaryDirectory(prefix="casebook-kill-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        embedded = Embedded(Path(folder) / "data")
        embedded.start()
        yield embedded
        embedded.stop()
        embedded.remove()


@pytest.mark.kill
def test_after_the_database_was_killed_lists_with_names_fill_again(
    own_cluster: Embedded, tmp_path: Path
) -> None:
    create_kek(tmp_path / "kek")
    urls = own_cluster.url("owner"), own_cluster.url("owner", "casebook_keys")
    migrate(*urls, origin="casebook.example/tests")
    settings = Settings(
        database_url=own_cluster.url("app"),
        keys_database_url=own_cluster.url("app", "casebook_keys"),
        kek_file=tmp_path / "kek",
        secret_key="tests",
        origin="casebook.example/tests",
        data_dir=tmp_path,
    )
    with opened(settings) as record, record.projecting():
        School(2).facts(150, record.save)
        newest = record.recorder.max_notification_id() or 0
        assert wait_for(record.pool, newest, MODELS, timeout=10)
        before = {name: record.rows(name) for name in MODELS}
        assert before["roll"]
        crash(own_cluster)
        until(lambda: caught_up(record, newest), 20)
        assert {name: record.rows(name) for name in MODELS} == before

    crash(own_cluster)
    with opened(settings) as record:
        # Nothing may say "up to date" over nothing.
        assert (record.rows("roll"), record.rows("staff")) == ([], [])
        assert record.rows("caseload") == before["caseload"]
        with record.pool.connection() as connection:
            assert positions(connection) == dict.fromkeys(("caseload", "concerns", "mentors"), newest)
        assert not wait_for(record.pool, newest, MODELS, timeout=0.1)
        record.catch_up()
        assert {name: record.rows(name) for name in MODELS} == before


def crash(cluster: Embedded) -> None:
    """Kill the server and start it again."""
    assert cluster.pid is not None
    os.kill(cluster.pid, signal.SIGKILL)
    until(lambda: not cluster.is_running())
    cluster.start()


@pytest.mark.slow
def test_a_list_shows_a_fact_within_fifty_milliseconds_at_fifty_commands_a_second(record: Record) -> None:
    recorded: list[tuple[int, float]] = []
    shown: list[tuple[int, float]] = []
    stop = Event()

    def look() -> None:
        with record.pool.connection() as connection:
            while not stop.is_set():
                shown.append((min(positions(connection).values(), default=0), monotonic()))
                sleep(0.002)

    with record.projecting() as projector:
        until(lambda: projector.leading)
        looking = Thread(target=look)
        looking.start()
        began = monotonic()
        for number in range(200):
            person = Staff.blank(uuid4())
            person.open_account(by(), name="Ms Price", role="coordinator")
            recorded.append((record.save(person), monotonic()))
            sleep(max(0.0, began + (number + 1) / 50 - monotonic()))
        assert wait_for(record.pool, recorded[-1][0], MODELS)
        stop.set()
        looking.join()
    lags = [
        next(seen for reached, seen in shown if reached >= position) - done for position, done in recorded
    ]
    cuts = quantiles(lags, n=100)
    print(f"lag: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")
    # The benchmarks hold the 99th percentile to it, on a machine that does nothing else.
    assert cuts[89] < 0.05


def standing(record: Record, name: str) -> Standing:
    return next((s for s in status(record.pool) if s.name == name), Standing(name, -1, 0, None))


def caught_up(record: Record, position: int) -> bool:
    try:
        return wait_for(record.pool, position, MODELS, timeout=0.5)
    except psycopg.OperationalError:
        return False
