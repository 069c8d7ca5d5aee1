"""A school's servers as in production, record and keys in clusters of their own, each behind a gate."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from shutil import disk_usage
from threading import Event, Thread
from time import monotonic, sleep
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import psycopg
import requests

from app.embedded import Embedded
from app.house import House
from app.record.migrate import migrate
from app.staff_office import StaffOffice
from domain.staff import Role
from projections.all_models import MODELS
from projections.positions import status, wait_for
from tests.faults.gate import Gate
from tests.giving import a_case
from tests.kill import checks
from tests.kill.load import Writer
from tests.kill.school import writers_of
from tests.kill.servers import ORIGIN, Servers

HEALS_SECONDS: Final = 15.0
"""So long after the end of a fault, at most, everything works again by itself."""
WRITERS: Final = 2
DISK_MB: Final = 600
PASSWORD: Final = "correct horse battery staple"
PEOPLE: Final[dict[Role, str]] = {"dsl": "Ms Hughes", "coordinator": "Mr Lee", "mentor": "Amy Jones"}


@dataclass
class School(Servers):
    """One school's servers. What breaks is broken at a gate or in a cluster; web and projector run on."""

    keys: Embedded = field(init=False)
    gate: Gate = field(init=False)
    keys_gate: Gate = field(init=False)
    house: House = field(init=False)
    case: UUID = field(init=False)
    tokens: dict[Role, str] = field(init=False, default_factory=dict)
    writers: list[Writer] = field(init=False)
    on_small_disk: bool = field(init=False, default=False)
    _made: ExitStack = field(init=False, default_factory=ExitStack)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keys = Embedded(self.folder / "keys")

    def prepare(self) -> None:
        """Make both clusters, the gates, the people and a case; start web and projector."""
        self.on_small_disk = self._mount()
        self.database.start()
        self.keys.start()
        for cluster in (self.database, self.keys):
            # No test here cuts the power, and whatever else ends a server leaves its writes to the machine.
            with self.superuser(cluster) as superuser:
                superuser.execute("ALTER SYSTEM SET fsync = off")
                superuser.execute("SELECT pg_reload_conf()")
        migrate(self.database.url("owner"), self.keys.url("owner", "casebook_keys"), origin=ORIGIN)
        self.gate, self.keys_gate = self._gate_before(self.database), self._gate_before(self.keys)
        straight = self.database.url("app"), self.keys.url("app", "casebook_keys")
        self.found(self.gate.url(straight[0]), self.keys_gate.url(straight[1]))
        past_the_gates = replace(self.settings, database_url=straight[0], keys_database_url=straight[1])
        self.house = self._made.enter_context(House(past_the_gates))
        office = StaffOffice(self.house.casework, self.house.accounts)
        for role, name in PEOPLE.items():
            opened = office.add(name, role, password=PASSWORD, email=f"{role}@school.example")
            self.tokens[role] = self.house.accounts.issue_token(opened.account)
        self.case = a_case(self.house)
        self.writers = writers_of(self, Random(1))[:WRITERS]
        self.start()
        self.until(lambda: self.shown() >= (self.house.recorder.max_notification_id() or 0), 30)
        self.until(self._answers, 30)

    def start(self) -> None:
        """Start again whatever doesn't run, as a server's supervisor would."""
        self.keys.start()
        super().start()

    def clear(self) -> None:
        """End everything by force, and forget its data; what was made, however far that came."""
        with ExitStack() as ending:
            ending.callback(self._unmount)
            ending.callback(self.keys.remove)
            ending.callback(super().clear)
            ending.callback(self._made.close)

    @property
    def refused(self) -> int:
        """How often programs were told to come back later."""
        return sum(writer.troubles["503"] for writer in self.writers)

    def stopped_lists(self) -> list[str]:
        """The lists that met a fact which they can't take."""
        return [standing.name for standing in status(self.house.pool) if standing.fault]

    def fill_disk(self) -> None:
        """Leave no free block on the record's disk."""
        for _ in range(100):
            # It is written to meanwhile, and can't be made smaller than what it holds by then.
            used = disk_usage(self.database.data_dir).used
            smaller = ["mount", "-o", f"remount,size={used}", str(self.database.data_dir)]
            if subprocess.run(smaller, capture_output=True, check=False).returncode == 0:
                return
        raise AssertionError("The record's disk can't be filled.")

    def empty_disk(self) -> None:
        """Make room again."""
        subprocess.run(["mount", "-o", f"remount,size={DISK_MB}m", self.database.data_dir], check=True)

    def _mount(self) -> bool:
        """Give the record a disk of its own, where that is allowed."""
        self.database.data_dir.mkdir()
        options = f"size={DISK_MB}m,mode=755"
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.database.data_dir)]
        if sys.platform != "linux" or os.geteuid() != 0:
            return False
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0

    def _unmount(self) -> None:
        # Processes that were killed leave the disk a moment later than they are gone from sight.
        unmount = ["umount", str(self.database.data_dir)]
        if self.on_small_disk:
            self.until(lambda: subprocess.run(unmount, capture_output=True, check=False).returncode == 0, 20)

    def _gate_before(self, cluster: Embedded) -> Gate:
        query = parse_qs(urlsplit(cluster.url("app")).query)
        gate = Gate(Path(query["host"][0]) / f".s.PGSQL.{query['port'][0]}")
        self._made.callback(gate.end)
        return gate

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/readyz", timeout=10).status_code == 200
        except requests.ConnectionError:
            return False

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Programs go on recording meanwhile, and each of them is acknowledged something before and after.

        Then nothing of it is lost or doubled.
        """
        enough = Event()
        failed: list[BaseException] = []

        def work(writer: Writer) -> None:
            try:
                writer.work(enough)
            except BaseException as error:
                failed.append(error)
                raise

        threads = [Thread(target=work, args=(writer,)) for writer in self.writers]
        for thread in threads:
            thread.start()
        try:
            self._everybody_recorded(failed, 30)
            yield
            self._everybody_recorded(failed, 30)
        finally:
            enough.set()
            for thread in threads:
                thread.join()
        assert failed == []
        self._nothing_is_lost_or_doubled()

    def _everybody_recorded(self, failed: list[BaseException], seconds: float) -> None:
        told = [len(writer.acknowledged) for writer in self.writers]
        self.until(
            lambda: (
                bool(failed)
                or all(len(w.acknowledged) > before for w, before in zip(self.writers, told, strict=True))
            ),
            seconds,
        )
        assert failed == []

    def _nothing_is_lost_or_doubled(self) -> None:
        """Every acknowledged command is there once, and sent again gets its first answer; lists show all."""
        newest = self.house.recorder.max_notification_id() or 0
        facts = checks.recorded(self.house)
        checks.every_acknowledged_command_is_there_once(self.house, facts, self.writers)
        for writer in self.writers:
            last = writer.acknowledged[-1]
            assert writer.again(last) == last
        assert wait_for(self.house.pool, newest, MODELS, timeout=20), self.said()
        # Programs are told to come back later, and never anything that nobody foresaw.
        troubles = {trouble for writer in self.writers for trouble in writer.troubles}
        assert troubles <= {"503"}, f"{troubles}\n{self.said()}"

    def superuser(self, of: Embedded | None = None) -> psycopg.Connection:
        """A connection past the gate, that may do everything."""
        cluster = of or self.database
        return psycopg.connect(
            cluster.url("superuser", "casebook_keys" if cluster is self.keys else "casebook"), autocommit=True
        )

    def until(self, happened: Callable[[], bool], seconds: float) -> float:
        """Wait for something; gives the seconds that it took."""
        began = monotonic()
        while not happened():
            assert monotonic() - began < seconds, f"it didn't happen in {seconds} s\n{self.said()}"
            sleep(0.02)
        return monotonic() - began
