import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.embedded import EmbeddedError, attach
from tests.embedded.kept import Make, read_one, write_one

AS_ROOT = os.geteuid() == 0
ROOT_OF_REPO = Path(__file__).parent.parent.parent

# Starts a database, tells its pid and sleeps until it is killed. The second argument says from which thread.
HOLDER = """
import sys, threading, time
from pathlib import Path
from app.embedded import Embedded
embedded = Embedded(Path(sys.argv[1]))
if sys.argv[2] == "side":
    thread = threading.Thread(target=embedded.start)
    thread.start()
    thread.join()
else:
    embedded.start()
print(embedded.pid, flush=True)
time.sleep(120)
"""


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}/exe").exists():
        assert time.monotonic() < deadline, "the database outlived its parent"
        time.sleep(0.02)


def hold(data_dir: Path, thread: str) -> tuple[subprocess.Popen[str], int]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, data_dir, thread], cwd=ROOT_OF_REPO, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


def kill(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def postgres_processes(text: Path) -> list[str]:
    """Command lines of all processes whose working folder is under `text`."""
    found = []
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            if (proc / "cwd").readlink().is_relative_to(text):
                found.append((proc / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_the_run_time_role_owns_nothing_and_nobody_enters_without_a_password(made: Make, room: Path) -> None:
    embedded = made(room / "data")
    embedded.start()
    with (
        psycopg.connect(embedded.url("app")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE SCHEMA mine")
    with (
        psycopg.connect(embedded.url("app")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SET ROLE casebook_owner")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(make_conninfo(embedded.url("owner"), password="guessed"))
    with psycopg.connect(embedded.url("superuser")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_a_killed_server_recovers_at_the_next_start(made: Make, room: Path) -> None:
    embedded = made(room / "data")
    embedded.start()
    write_one(embedded)
    pid = embedded.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while embedded.is_running():
        time.sleep(0.01)

    embedded.start()

    assert read_one(embedded) == "[('here',)]"
    assert embedded.pid != pid


@pytest.mark.kill
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_the_database_ends_with_a_killed_parent(made: Make, room: Path) -> None:
    holder, pid = hold(room / "data", "main")
    try:
        write_one(attach(room / "data"))
    finally:
        kill(holder)
    wait_for_end(pid)

    embedded = made(room / "data")
    embedded.start()
    assert read_one(embedded) == "[('here',)]"


@pytest.mark.kill
def test_a_server_that_outlived_its_parent_is_ended_and_its_data_kept(made: Make, room: Path) -> None:
    holder, pid = hold(room / "data", "side")
    try:
        write_one(attach(room / "data"))
        still_at_work = psycopg.connect(attach(room / "data").url("owner"))
    finally:
        kill(holder)
    with still_at_work:
        still_at_work.execute("SELECT pg_backend_pid()")
        embedded = made(room / "data")
        embedded.start()

        assert embedded.pid != pid
        assert read_one(embedded) == "[('here',)]"
        with pytest.raises(psycopg.OperationalError):
            still_at_work.execute("SELECT 1")


@pytest.mark.kill
def test_servants_of_a_killed_server_that_are_still_busy_are_ended(made: Make, room: Path) -> None:
    holder, pid = hold(room / "data", "side")
    busy = psycopg.connect(attach(room / "data").url("owner"))

    def count_long() -> None:
        with pytest.raises(psycopg.OperationalError):
            busy.execute("DO 'BEGIN LOOP PERFORM 1; END LOOP; END'")

    counting = threading.Thread(target=count_long)
    counting.start()
    time.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    kill(holder)

    embedded = made(room / "data")
    embedded.start()

    counting.join(10)
    busy.close()
    assert not counting.is_alive()
    assert embedded.is_running()


def test_a_pid_file_that_names_a_stranger_stops_nobody(made: Make, room: Path) -> None:
    embedded = made(room / "data")
    embedded.start()
    write_one(embedded)
    pid_file = next((room / "data").rglob("postmaster.pid"))
    old = pid_file.read_text()
    owner = pid_file.stat()
    assert embedded.pid is not None
    os.kill(embedded.pid, signal.SIGKILL)
    embedded.stop()
    options = {"user": owner.st_uid, "group": owner.st_gid} if AS_ROOT else {}
    with subprocess.Popen(["sleep", "60"], cwd="/", **options) as stranger:  # type: ignore[call-overload]
        pid_file.write_text(old.replace(old.split("\n", 1)[0], str(stranger.pid), 1))

        embedded.start()

        assert stranger.poll() is None
        stranger.kill()
    assert read_one(embedded) == "[('here',)]"


def test_a_first_start_that_was_killed_half_way_is_begun_again(made: Make, room: Path) -> None:
    embedded = made(room / "data")
    embedded.start()
    embedded.stop()
    cluster = next((room / "data").rglob("PG_VERSION")).parent
    cluster.rename(cluster.with_suffix(".unfinished"))

    embedded.start()

    with psycopg.connect(embedded.url("app")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_one_data_directory_has_one_master(made: Make, room: Path) -> None:
    made(room / "data").start()
    told = f"Process {os.getpid()} already runs the database in {room / 'data'}.*--data-dir"
    with pytest.raises(EmbeddedError, match=told):
        made(room / "data").start()
    other = subprocess.run(
        [sys.executable, "-c", HOLDER, room / "data", "main"],
        cwd=ROOT_OF_REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"Process {os.getpid()} already runs" in other.stderr
    assert attach(room / "data").is_running()


def test_nothing_but_data_stays_after_a_stop(made: Make, room: Path) -> None:
    embedded = made(room / "data")
    embedded.start()
    assert postgres_processes(room)
    embedded.stop()
    assert not postgres_processes(room)
    assert not list(room.rglob(".s.PGSQL*"))
    embedded.stop()


def test_a_command_beside_it_finds_a_running_database_and_only_that(made: Make, room: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"No embedded database is running in .*casebook demo --data-dir"):
        attach(room / "data")
    embedded = made(room / "data")
    embedded.start()
    beside = attach(room / "data")
    assert beside.url("app") == embedded.url("app")
    assert beside.pid == embedded.pid
    beside.stop()
    assert embedded.is_running()
    embedded.stop()
    assert not beside.is_running()
    with pytest.raises(EmbeddedError, match="No embedded database is running"):
        attach(room / "data")


def test_the_servers_log_repeats_nothing_that_was_written(made: Make, room: Path) -> None:
    embedded = made(room / "data")
    embedded.start()
    write_one(embedded)
    with (
        psycopg.connect(embedded.url("owner")) as connection,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        connection.execute("INSERT INTO kept VALUES ('canary'), ('here'), ('canary')")
    log = (room / "data/postgres.log").read_text()
    assert "duplicate key" in log
    assert "canary" not in log
    assert "here" not in log
