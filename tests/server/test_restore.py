"""A back-up and its restore on another machine, by the scripts of deploy/, on real clusters."""

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import yaml

from app.embedded.binaries import find_binaries
from app.proof.checkpoints import CheckpointFile
from app.proof.log_key import load_log_key
from app.proof.verify import Fault, Verifier
from tests.server.conftest import Mailbox
from tests.server.docker import docker_for
from tests.server.plans import ROOT, compose
from tests.server.yard import Yard

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server")]
ORIGIN = "casebook.example/yard"
ROLL = "upn,given_name,family_name,known_as,born_on,year_group,tutor_group\n,Siân,{name},,2014-02-28,7,7B\n"


@pytest.fixture
def yard_of_old(server: Yard) -> Yard:
    if not shutil.which("pg_dump", path=f"{find_binaries().folder}:/usr/bin"):
        pytest.skip("this machine has no pg_dump")
    return server


@pytest.fixture
def other(server: Yard, mailbox: Mailbox) -> Iterator[Yard]:
    """Another machine, to which the folder `secrets` was copied: its databases are empty."""
    with TemporaryDirectory(prefix="casebook-other-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        made = Yard(Path(folder), mailbox.port)
        made.make_secrets()
        for name in ("keks/kek", "log_key", "secret_key"):
            shutil.copy2(server.secrets / name, made.secrets / name)
            os.chown(made.secrets / name, (server.secrets / name).stat().st_uid, -1)
        made.start_databases()
        yield made
        made.end()


def script(yard: Yard, name: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/ as root of a server does."""
    folder = yard.folder / "bin"
    docker_for(yard) if not folder.exists() else folder
    return subprocess.run(
        [str(yard.folder / "deploy" / name), *map(str, words)],
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def roll(yard: Yard, name: str) -> None:
    assert yard.run("web", "casebook", "roll", "import", "-", said=ROLL.format(name=name)).returncode == 0


def sign(yard: Yard) -> None:
    signed = yard.run("anchor", "casebook", "checkpoint")
    assert signed.returncode == 0, signed.stderr


def facts(yard: Yard) -> int:
    with psycopg.connect(yard.superuser("record-db")) as connection:
        row = connection.execute("SELECT size FROM record.heads WHERE log = 'events'").fetchone()
    assert row
    return int(row[0])


def faults(yard: Yard) -> list[Fault]:
    record, keys = ((yard.secrets / name).read_text() for name in ("database_url", "keys_database_url"))
    key = load_log_key(yard.secrets / "log_key", ORIGIN).verifier_key
    notes = CheckpointFile(yard.kept / "checkpoints.txt").notes()
    return list(Verifier(record, keys, ORIGIN, key).verify(("file", note) for note in notes).faults)


def signed_with_places(yard: Yard, family_name: str, above: Path) -> list[Path]:
    """Record a pupil and sign that; gives empty folders for a back-up."""
    roll(yard, family_name)
    sign(yard)
    folders = [above / name for name in ("record", "keys", "files")]
    for folder in folders:
        folder.mkdir()
    return folders


def test_what_was_signed_after_the_back_up_is_missed_and_answered_by_an_epoch(
    yard_of_old: Yard, other: Yard, tmp_path: Path
) -> None:
    old = yard_of_old
    folders = signed_with_places(old, "O'Neill", tmp_path)
    # The key that is to take the log key's place lies with the checkpoints until it does.
    (old.kept / "next-log-key").write_text("secret")
    backed_up = script(old, "back-up.sh", *folders)
    assert backed_up.returncode == 0, backed_up.stderr
    [record], [keys], files = (sorted(folder.iterdir()) for folder in folders)
    for file in files:
        with tarfile.open(file) as found:
            packed = found.getnames()
        assert "./checkpoints.txt" in packed
        assert "./next-log-key" not in packed
    (old.kept / "next-log-key").unlink()
    before = facts(old)
    roll(old, "Vaughan")
    sign(old)
    newest = tmp_path / "newest.tar"
    with tarfile.open(newest, "w") as made:
        made.add(old.kept, ".")

    restored = script(other, "restore.sh", record, keys, newest, files[1])
    assert restored.returncode == 1, restored.stderr
    assert f"NOT VERIFIED (events, length): the log has {before} entries" in restored.stdout
    assert "casebook new-epoch" in restored.stderr
    said = other.run("anchor", "casebook", "new-epoch", "--by", "the head", "--reason", "The disk is gone")
    assert said.returncode == 0, said.stderr
    assert f"{ORIGIN}/epoch2\n" in said.stdout
    assert "said by the head: The disk is gone" in said.stdout
    assert faults(other) == []
    # Lists with names come back from the record.
    with psycopg.connect(other.superuser("record-db")) as connection:
        names = {name for (name,) in connection.execute("SELECT family_name FROM views.roll")}
    assert "O'Neill" in names
    assert "Vaughan" not in names
    refused = script(other, "restore.sh", record, keys, newest, files[1])
    assert refused.returncode == 1
    assert "isn't empty: nothing was changed" in refused.stderr


def test_a_back_up_from_before_a_roll_opens_with_the_old_key_and_says_so_without_it(
    yard_of_old: Yard, other: Yard, tmp_path: Path
) -> None:
    old = yard_of_old
    folders = signed_with_places(old, "O'Brien", tmp_path)
    assert script(old, "back-up.sh", *folders).returncode == 0
    [record], [keys], files = (sorted(folder.iterdir()) for folder in folders)

    # Where the folder can't be written there may be old keys that nobody sees; the server runs on.
    for what in ("roll", "destroy-old") if old.contained else ():
        refused = old.run("projector", "casebook", "keys", what)
        assert (refused.returncode, "locksmith" in refused.stderr) == (1, True)
    rolled = old.run("locksmith", "casebook", "keys", "roll")
    assert rolled.returncode == 0, rolled.stderr
    new = (old.secrets / "keks" / "kek").read_text()
    assert new != (other.secrets / "keks" / "kek").read_text()
    roll(old, "Baker")
    assert "NOT HERE" not in old.run("web", "casebook", "keys", "list").stdout
    [previous] = (old.secrets / "keks").glob("kek.previous-*")

    # The other machine got the newest key alone.
    (other.secrets / "keks" / "kek").write_text(new)
    missing = script(other, "restore.sh", record, keys, *files)
    assert missing.returncode == 1
    assert re.search(rf"{previous.name.rpartition('-')[2]} +NOT HERE +[1-9]", missing.stdout)
    assert "A key is missing that this back-up needs" in missing.stderr
    # From paper: under any such name, and as a file of the account that is to read it.
    paper = other.secrets / "keks" / "kek.previous-paper"
    paper.write_text(previous.read_text())
    unread = other.run("projector", "casebook", "keys", "list")
    assert (unread.returncode, paper.name in unread.stderr) == (1, True)
    uid = (other.secrets / "keks" / "kek").stat().st_uid
    paper.chmod(0o600)
    os.chown(paper, uid, -1)
    found = script(other, "restored.sh", *files)
    assert found.returncode == 0, found.stdout + found.stderr
    with psycopg.connect(other.superuser("record-db")) as connection:
        names = {name for (name,) in connection.execute("SELECT family_name FROM views.roll")}
    assert "O'Brien" in names
    assert "Baker" not in names

    kept = other.run("locksmith", "casebook", "keys", "destroy-old")
    assert (kept.returncode, "casebook keys roll" in kept.stderr) == (1, True)
    for yard in (old, other):
        assert yard.run("locksmith", "casebook", "keys", "roll").returncode == 0
        assert yard.run("locksmith", "casebook", "keys", "destroy-old").returncode == 0
        assert not list((yard.secrets / "keks").glob("kek.previous-*"))


def test_databases_that_keep_their_log_are_otherwise_as_they_are_without() -> None:
    kept = yaml.safe_load((ROOT / "deploy" / "archive.yml").read_text("utf-8"))["services"]
    services = compose()["services"]
    assert sorted(kept) == [name for name in sorted(services) if name.endswith("-db")]
    for name, service in kept.items():
        command = services[name]["command"]
        assert service["command"][: len(command)] == command
        assert {"archive_mode=on", 'archive_command=archive.sh "%p" "%f"'} <= set(service["command"])
        places = [volume.split(":")[-2:] for volume in service["volumes"][1:]]
        assert places == [[f"/usr/local/bin/{script}.sh", "ro"] for script in ("archive", "recover")]
        assert service["volumes"][0].endswith(f"/{name.removesuffix('-db')}:/archive")
