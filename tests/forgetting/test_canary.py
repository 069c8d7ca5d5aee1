"""A child with an unusual name and unusual words is forgotten: afterwards nothing of them is found anywhere.

Two real clusters, the pages, the alerts, the anchor, dumps and base backups, and the housekeeping that
docs/forgetting.md asks for. What was copied before is a copy, and found: so the search itself is tried too.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic, sleep

import psycopg
import pytest

from app import create_app
from app.alerts import Alerts
from app.embedded import Embedded
from app.embedded.binaries import find_binaries
from app.forgetting.certificate import certificate
from app.house import House
from app.post import Outbox
from app.project import ProjectorProcess
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.log_key import create_log_key
from app.proof.verify import Verifier
from app.record.kek_roll import destroy_previous, roll
from app.record.keys import create_kek
from app.record.migrate import migrate
from app.settings import Settings
from app.staff_office import StaffOffice
from domain.fact import Refused
from domain.mentee_case import MenteeCase
from domain.pupil import Pupil
from projections.all_models import MODELS
from projections.rebuild import rebuild
from tests.forgetting.conftest import LEASE, Office
from tests.giving import load
from tests.pages.conftest import STAFF, School

ORIGIN = "casebook.example/canary"
GIVEN, FAMILY = "Quetzalina", "Wyrmwoodsley"
WORDS = "zorblatt fizzwhinny"
CANARIES = (GIVEN, FAMILY, *WORDS.split())

pytestmark = pytest.mark.slow


def spellings() -> list[bytes]:
    """Each word as a file may hold it: in small letters, UTF-8 and UTF-16, and as the hex of a dump."""
    words = [word.lower() for word in CANARIES]
    return [
        *(word.encode(coding) for word in words for coding in ("utf-8", "utf-16-le", "utf-16-be")),
        *(word.encode().hex().encode() for word in CANARIES),
    ]


def found_in(*folders: Path) -> set[str]:
    """The files below these folders that hold any of it."""
    wanted = spellings()
    found = set()
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                content = file.read_bytes().lower()
                if any(word in content for word in wanted):
                    found.add(str(file.relative_to(folder)))
    return found


class Machine:
    """The record's cluster and the keys', and everything beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record, self.keys = Embedded(folder / "record"), Embedded(folder / "keys")
        self.copies, self.outbox = folder / "copies", folder / "outbox"
        self.copies.mkdir()

    def start(self) -> Settings:
        for cluster in (self.record, self.keys):
            cluster.start()
            with psycopg.connect(cluster.url("superuser"), autocommit=True) as superuser:
                # Nobody cuts the power here; what is written is in the files all the same.
                superuser.execute("ALTER SYSTEM SET fsync = off")
                superuser.execute("SELECT pg_reload_conf()")
        (self.folder / "secrets").mkdir()
        create_kek(self.folder / "secrets" / "kek")
        settings = Settings(
            database_url=self.record.url("app"),
            keys_database_url=self.keys.url("app", "casebook_keys"),
            kek_file=self.folder / "secrets" / "kek",
            secret_key="canary",
            origin=ORIGIN,
            data_dir=self.folder / "data",
            destroyed_file=self.folder / "destroyed.jsonl",
            checkpoint_file=self.folder / "checkpoints",
        )
        owners = self.record.url("owner"), self.keys.url("owner", "casebook_keys")
        migrate(*owners, origin=ORIGIN)
        return settings

    def dump(self, name: str, *options: str) -> Path:
        """A dump of the record."""
        made = self.copies / name
        program = find_binaries().folder / "pg_dump"
        with made.open("wb") as file:
            subprocess.run([program, *options, self.record.url("superuser")], stdout=file, check=True)
        return made

    def base_backup(self, name: str) -> Path:
        """A base backup of the record's cluster, with the WAL that it needs."""
        made = self.copies / name
        program = find_binaries().folder / "pg_basebackup"
        url = self.record.url("superuser")
        subprocess.run([program, "-d", url, "-D", made, "-X", "stream", "-c", "fast"], check=True)
        return made

    def tidy(self) -> None:
        """Vacuum, and let the WAL of before be used again for what comes."""
        for url in (self.record.url("superuser"), self.keys.url("superuser", "casebook_keys")):
            with psycopg.connect(url, autocommit=True) as superuser:
                superuser.execute("VACUUM FULL")
                for _ in range(3):
                    superuser.execute("SELECT pg_switch_wal()")
                    superuser.execute("CHECKPOINT")


@pytest.fixture
def machine() -> Iterator[Machine]:
    with TemporaryDirectory(prefix="casebook-canary-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = Machine(Path(folder))
        try:
            yield made
        finally:
            for cluster in (made.record, made.keys):
                cluster.stop()
                cluster.remove()


def test_nothing_of_a_child_is_left_anywhere(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    settings = machine.start()
    with ExitStack() as ending:
        house = ending.enter_context(House(settings, lease=LEASE))
        ending.enter_context(ProjectorProcess(house.pool, house.recorder, house.mapper))
        lead = StaffOffice(house.casework, house.accounts).add("Ms Lead", "dsl", email="lead@school.example")
        stop = Event()
        bell = Alerts(house.pool, house.casework, Outbox(machine.outbox), "https://casebook.example")
        ringing = Thread(target=bell.run, args=(stop,))
        ringing.start()
        ending.callback(ringing.join)
        ending.callback(stop.set)
        school = School(create_app(settings, house), house)
        school.add(*((name, role, None) for role, name in STAFF.items()))
        office = Office(house, {role: school.people[name] for role, name in STAFF.items()})

        # In: on pages, beside a pupil who stays.
        child = office.pupil(given=GIVEN, family=FAMILY)
        stays = office.case(office.pupil(given="Tom"), words="Likes chess.")
        case = office.case(child, words=f"She said {WORDS}.")
        concern = office.concern(case, words=f"He said {WORDS}.", close=False)
        until(lambda: any(machine.outbox.glob("*.eml")))
        office.close(concern)
        head = school.as_("head")
        head.get("/kept")
        assert GIVEN in head.press("Find", q=FAMILY).text
        assert WORDS in school.as_("dsl").get(f"/concerns/{concern}").text
        with house.pool.connection() as connection:
            connection.execute("ANALYZE")
        key = create_log_key(machine.folder / "secrets" / "log-key", ORIGIN)
        anchor = Anchor(settings.database_url, ORIGIN, key, CheckpointFile(machine.folder / "checkpoints"))
        anchor.checkpoint()

        # Copies of before: the search finds it where it is known to be.
        machine.tidy()
        assert found_in(machine.record.data_dir), "the lists hold names in clear"
        machine.dump("before.sql")
        assert found_in(machine.copies) == {"before.sql"}
        machine.dump("sealed.sql", "--no-unlogged-table-data")
        assert found_in(machine.copies) == {"before.sql"}, "a dump made as documented never held it"

        # Forgotten, and the house kept as documented.
        story = office.erase("narrative", case)
        office.erase("identity", child)
        for model in MODELS.values():
            rebuild(house.pool, house.recorder.rows_after, house.mapper, model)
        roll(settings.kek_file, house.keys_pool, settle=0)
        destroy_previous(settings.kek_file, house.keys_pool)
        for copy in machine.copies.iterdir():
            copy.unlink()
        machine.tidy()

        # Gone.
        machine.dump("after.sql", "--no-unlogged-table-data")
        machine.dump("after-whole.sql")
        machine.base_backup("after")
        assert found_in(machine.folder) == set()
        said = capfd.readouterr()
        assert not any(word.decode() in (said.out + said.err).lower() for word in spellings()[:1])
        for word in CANARIES:
            assert word not in said.out + said.err

        # What stays: every proof, the skeleton, everybody else.
        anchor.checkpoint()
        urls = settings.database_url, settings.keys_database_url
        notes = [("file", note) for note in CheckpointFile(machine.folder / "checkpoints").notes()]
        assert Verifier(*urls, ORIGIN, key.verifier_key, every_header=True).verify(notes).faults == ()
        found = certificate(house, story)
        assert found is not None
        assert found.before is not None
        assert found.after is not None
        assert found.before.size < found.after.size
        assert [step is not None for step in (found.approved, found.completed)] == [True, True]
        assert load(house, Pupil, child).erased
        assert vars(house.casework.stream(MenteeCase, stays)[0].fact)["words"] == "Likes chess."
        with pytest.raises(Refused, match="has been erased"):
            office.do("cases/reopen", "coordinator", case, reason="Back.")
        assert GIVEN not in head.press("Find", page=head.get("/kept"), q=FAMILY).text
        assert lead.position > 0
    for cluster in (machine.record, machine.keys):
        cluster.stop()
    assert found_in(machine.folder) == set(), "nor when the databases have written all they had in memory"


def until(happened: object, seconds: float = 20) -> None:
    """Wait for something."""
    assert callable(happened)
    began = monotonic()
    while not happened():
        assert monotonic() - began < seconds, "it didn't happen"
        sleep(0.02)
