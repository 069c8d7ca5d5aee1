"""Database, web and projector as on a server: processes of their own, of which any may be killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Final

import psycopg

from app.embedded import Embedded
from app.embedded.processes import end_with_parent
from app.record.keys import create_kek
from app.record.migrate import migrate
from app.settings import Settings

ROOT: Final = Path(__file__).parents[2]
ORIGIN: Final = "casebook.example/kill"
WEB: Final = "from app.serve import run; run('127.0.0.1', {port}, workers=2)"


@dataclass
class Process:
    """One program. What it says goes to `log`."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id, also after its end."""
        assert self.running is not None, "it was never started"
        return self.running.pid

    def start(self) -> None:
        """Start it unless it runs. From the main thread: it ends with that one."""
        if self.running is not None and self.running.poll() is None:
            return
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )

    def kill(self) -> None:
        """SIGKILL, to this process alone."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()

    def end(self, seconds: float = 30.0) -> int:
        """SIGTERM; gives the exit code."""
        assert self.running is not None, "it was never started"
        self.running.terminate()
        return self.running.wait(seconds)


@dataclass
class Servers:
    """One school's servers, in a folder."""

    folder: Path
    database: Embedded = field(init=False)
    settings: Settings = field(init=False)
    port: int = field(init=False)
    web: Process = field(init=False)
    projector: Process = field(init=False)
    _processes: list[Process] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.database = Embedded(self.folder / "data")

    def prepare(self) -> None:
        """Make and migrate an empty school's databases; start nothing else yet."""
        self.database.start()
        owner = self.database.url("owner"), self.database.url("owner", "casebook_keys")
        migrate(*owner, origin=ORIGIN)
        self.found(self.database.url("app"), self.database.url("app", "casebook_keys"))

    def found(self, record: str, keys: str) -> None:
        """Say how web and projector reach the two databases, and how they are started."""
        create_kek(self.folder / "kek")
        self.settings = Settings(
            database_url=record,
            keys_database_url=keys,
            kek_file=self.folder / "kek",
            secret_key="tests-only",
            origin=ORIGIN,
            data_dir=self.folder,
        )
        self.port = free_port()
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "CASEBOOK_DATABASE_URL": self.settings.database_url,
            "CASEBOOK_KEYS_DATABASE_URL": self.settings.keys_database_url,
            "CASEBOOK_KEK_FILE": str(self.settings.kek_file),
            "CASEBOOK_SECRET_KEY": self.settings.secret_key,
            "CASEBOOK_ORIGIN": ORIGIN,
            "CASEBOOK_DATA_DIR": str(self.folder),
            "CASEBOOK_SMTP_URL": "file:outbox",
        }
        self.web = Process(["-c", WEB.format(port=self.port)], environment, self.folder / "web.log")
        self.projector = Process(["-m", "app", "project"], environment, self.folder / "project.log")
        self._processes = [self.web, self.projector]

    @property
    def address(self) -> str:
        """Where the web server answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start again whatever doesn't run, as a server's supervisor would."""
        self.database.start()
        self.web.start()
        self.projector.start()

    def kill(self, what: str, chance: Random) -> None:
        """SIGKILL one kind of process, or all of them at once."""
        if what in ("web", "everything"):
            self.web.kill()
        if what in ("projector", "everything"):
            self.projector.kill()
        if what in ("database", "everything"):
            pid = self.database.pid
            assert pid is not None, "the database had ended by itself"
            kill(pid)
            while self.database.is_running():
                sleep(0.005)
        if what == "web worker":
            kill(chance.choice(list(children(self.web.pid))))
        if what == "database session":
            # PostgreSQL then ends all its sessions and recovers by itself.
            kill(chance.choice(self.sessions()))

    def clear(self) -> None:
        """End everything by force, and forget its data."""
        for process in self._processes:
            process.kill()
        self.database.remove()

    def sessions(self) -> list[int]:
        """The database's processes at work for Casebook's own role."""
        with psycopg.connect(self.database.url("superuser"), autocommit=True) as connection:
            found = connection.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'casebook_app'")
            return [pid for (pid,) in found]

    def shown(self) -> int:
        """The position that every list shows; -1 while that can't be known."""
        try:
            with psycopg.connect(self.database.url("superuser"), autocommit=True) as connection:
                row = connection.execute(
                    "SELECT least((SELECT min(position) FROM views.positions),"
                    " (SELECT min(position) FROM views.unlogged_positions))"
                ).fetchone()
        except psycopg.Error:
            return -1
        return -1 if row is None or row[0] is None else int(row[0])

    def said(self) -> str:
        """The last lines of each log, for a test that failed."""
        logs = (self.folder / "web.log", self.folder / "project.log", self.folder / "data" / "postgres.log")
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text("utf-8", "replace").splitlines()[-25:])
            for log in logs
            if log.exists()
        )


def kill(pid: int) -> None:
    """SIGKILL; nothing happens when it has ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def children(parent: int) -> Iterator[int]:
    """The processes that another one started."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # After the name, which may hold anything, come the state and the parent.
                ppid = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(ppid) == parent:
                yield int(entry.name)


def at_work_in(folder: Path) -> Iterator[str]:
    """The processes whose environment or working folder names this one, as pid and command."""
    mark = str(folder).encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            about = (entry / "environ").read_bytes() + b"\0" + bytes((entry / "cwd").readlink())
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if mark in about:
            yield f"{entry.name} {command}"


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def gone(folder: Path, seconds: float = 15.0) -> list[str]:
    """What still works in a folder after at most so long; nothing is what one hopes for."""
    until = monotonic() + seconds
    while (left := list(at_work_in(folder))) and monotonic() < until:
        sleep(0.05)
    return left
