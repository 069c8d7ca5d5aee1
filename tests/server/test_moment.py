"""A cluster put back as it was at a moment, by the scripts of deploy/, and what checkpoints say to that."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from app.embedded import Embedded
from app.embedded.binaries import find_binaries
from app.embedded.places import postgres_account
from app.house import House
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.epoch import behind
from app.proof.log_key import create_log_key
from app.proof.new_epoch import new_epoch
from app.proof.verify import Verifier
from app.record.keys import create_kek
from app.record.migrate import migrate
from app.settings import Settings
from tests.giving import a_case, a_pupil
from tests.server.plans import ROOT

pytestmark = [pytest.mark.slow]
ORIGIN = "casebook.example/moment"


class School:
    """A cluster that keeps its log, and the anchor's files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self.archive.mkdir()
        postgres_account().own(self.archive)
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        self.cluster = Embedded(folder / "data")
        self.cluster.start()
        self.home = Path(self.ask("SHOW data_directory"))
        command = f'ARCHIVE={self.archive} {folder}/deploy/archive.sh "%p" "%f"'
        with psycopg.connect(self.cluster.url("superuser"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET archive_mode = on")
            connection.execute(f"ALTER SYSTEM SET archive_command = '{command}'".encode())
        self.cluster.stop()
        self.cluster.start()
        create_kek(folder / "kek")
        self.key = create_log_key(folder / "log-key", ORIGIN)
        self.file = CheckpointFile(folder / "checkpoints.txt")
        migrate(
            self.cluster.url("owner"), self.cluster.url("owner", "casebook_keys"), origin=ORIGIN, demo=False
        )
        self.settings = Settings(
            database_url=self.cluster.url("app"),
            keys_database_url=self.cluster.url("app", "casebook_keys"),
            kek_file=folder / "kek",
            secret_key="tests",
            origin=ORIGIN,
            data_dir=folder,
        )

    def ask(self, question: str) -> str:
        with psycopg.connect(self.cluster.url("superuser"), autocommit=True) as connection:
            row = connection.execute(question.encode()).fetchone()
        return str(row[0]) if row else ""

    def record(self, pupils: int) -> None:
        """More facts, and a checkpoint over them."""
        with House(self.settings) as house:
            for _ in range(pupils):
                a_pupil(house)
        Anchor(self.settings.database_url, ORIGIN, self.key, self.file).checkpoint()

    def base_back_up(self) -> Path:
        """By the options of the script, from this cluster."""
        script = (self.folder / "deploy" / "base-back-up.sh").read_text()
        how = re.search(r"pg_basebackup --username postgres (.+) >", script)
        assert how
        program = shutil.which("pg_basebackup", path=f"{find_binaries().folder}:/usr/bin")
        if not program:
            pytest.skip("this machine has no pg_basebackup")
        made = self.folder / "base.tar"
        with made.open("wb") as file:
            subprocess.run(
                [program, "--dbname", self.cluster.url("superuser"), *how[1].split()], stdout=file, check=True
            )
        return made

    def recover(self, base: Path, moment: str, name: str) -> None:
        """Keep the failed cluster by a name, and bring an empty one to a moment."""
        self.cluster.stop()
        self.home.rename(self.home.with_name(name))
        self.home.mkdir(mode=0o700)
        account = postgres_account()
        account.own(self.home)
        with base.open("rb") as file:
            subprocess.run(
                [self.folder / "deploy" / "recover.sh", moment],
                stdin=file,
                check=True,
                cwd="/",
                env={"PATH": os.defpath, "PGDATA": str(self.home), "ARCHIVE": str(self.archive)},
                **account.process_options(),
            )
        self.cluster.start()

    def faults(self) -> list[tuple[str, int | None, str]]:
        verifier = Verifier(
            self.settings.database_url, self.settings.keys_database_url, ORIGIN, self.key.verifier_key
        )
        report = verifier.verify(("file", note) for note in self.file.notes())
        return [(one.log, one.entry, one.check) for one in report.faults]


@pytest.fixture
def school() -> Iterator[School]:
    with TemporaryDirectory(prefix="casebook-moment-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = School(Path(folder))
        yield made
        made.cluster.stop()
        made.cluster.remove()


def test_a_cluster_is_put_back_as_it_was_at_its_end_or_at_any_moment(school: School) -> None:
    with House(school.settings) as house:
        a_case(house)
    base = school.base_back_up()
    school.record(2)
    facts = int(school.ask("SELECT size FROM record.heads WHERE log = 'events'"))
    moment = school.ask("SELECT clock_timestamp()")
    school.record(3)

    school.recover(base, "end", "failed")
    assert school.ask("SELECT size FROM record.heads WHERE log = 'events'") == str(facts + 3)
    assert school.faults() == []
    school.record(1)

    school.recover(base, moment, "failed-too")
    assert school.faults() == [("events", facts + 1, "length")]
    with psycopg.connect(school.settings.database_url) as connection:
        assert behind(connection, school.file) == [
            f"{facts + 4} facts were signed, and the record has {facts}."
        ]
    epoch, _ = new_epoch(
        school.settings.database_url, school.key, school.file, by="the head", reason="A fire"
    )
    assert epoch.gaps["events"].lost == 4
    school.record(1)
    assert school.faults() == []


def test_a_data_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("15")
    said = subprocess.run(
        [ROOT / "deploy" / "recover.sh", "end"],
        env={"PATH": os.defpath, "PGDATA": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert said.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize("moment", ["", "yesterday", "2026'; archive_command='x"])
def test_a_moment_is_a_date_and_a_time(tmp_path: Path, moment: str) -> None:
    said = subprocess.run(
        [ROOT / "deploy" / "recover.sh", moment],
        env={"PATH": os.defpath, "PGDATA": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert said.returncode == 2


def test_a_piece_of_the_log_is_kept_once_and_never_replaced(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (tmp_path / "piece").write_bytes(b"one")

    def keep() -> int:
        command = [str(ROOT / "deploy" / "archive.sh"), str(tmp_path / "piece"), "000000010000000000000001"]
        return subprocess.run(
            command, env={"PATH": os.defpath, "ARCHIVE": str(archive)}, check=False
        ).returncode

    assert keep() == keep() == 0
    (tmp_path / "piece").write_bytes(b"two")
    assert keep() != 0
    assert [(file.name, file.read_bytes()) for file in archive.iterdir()] == [
        ("000000010000000000000001", b"one")
    ]
