"""Real demos for the tests: started as people start them, and looked for in the table of processes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from app.embedded import EmbeddedError, attach

PATIENCE = 240.0


class Running:
    """One `casebook demo`, with its data in `folder`."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CASEBOOK_")}
        self.environment = clean | {"CASEBOOK_DATA_DIR": str(folder)} | (environment or {})
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> None:
        """Begin, without waiting."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "demo", "--port", str(self.port), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> str:
        """Wait until it says so, and give what it says; it ends by itself when it can't get ready."""
        assert self.process is not None
        assert self.process.stdout is not None
        said = ""
        # The last of the accounts that it lists.
        while "mentor2" not in said:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()
            said += line
        assert self.answers()
        return said

    def answers(self) -> bool:
        """Whether /readyz answers 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def end(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """End it and give its exit status and what it said."""
        assert self.process is not None
        self.process.send_signal(by)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside it."""
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def facts(self) -> int:
        """How many facts its record has; 0 while there is none to ask."""
        try:
            url = self.environment.get("CASEBOOK_DATABASE_URL") or attach(self.folder).url("app")
            with psycopg.connect(url, connect_timeout=3) as connection:
                row = connection.execute("SELECT size FROM record.heads WHERE log = 'events'").fetchone()
        except (EmbeddedError, psycopg.Error):
            return 0
        return int(row[0]) if row else 0

    def facts_since(self, *, hours: int) -> int:
        """How many facts its embedded record says were recorded in the last hours."""
        since = "SELECT count(*) FROM record.events WHERE recorded_at > now() - make_interval(hours => %s)"
        with psycopg.connect(attach(self.folder).url("app"), connect_timeout=3) as connection:
            row = connection.execute(since, [hours]).fetchone()
        return int(row[0]) if row else 0

    def processes(self) -> list[int]:
        """Every living process that belongs to it: by its environment, or by working in its folder."""
        mark = f"CASEBOOK_DATA_DIR={self.folder}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    continue
                inside = (entry / "cwd").readlink().is_relative_to(self.folder)
                if inside or mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def kill(self) -> None:
        """SIGKILL to every process of it; nothing happens to one that ended when those it belongs to did."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def children(self) -> list[int]:
        """The processes that it started itself."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in tasks.split()]


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that happens within minutes, even on a busy machine."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.05)


@contextmanager
def demo(environment: dict[str, str] | None = None) -> Iterator[Running]:
    """A demo in a folder of its own, ended and removed afterwards whatever happened."""
    with TemporaryDirectory(prefix="casebook-demo-", dir="/tmp", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)
        running = Running(Path(place) / "data", environment)
        try:
            yield running
        finally:
            if running.process is not None and running.process.poll() is None:
                running.end()
            running.kill()
