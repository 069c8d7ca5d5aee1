"""A real `casebook demo` with its own processes: started, used beside, ended, and nothing left of it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

READY_SECONDS = 120.0
END_SECONDS = 30.0


@dataclass(frozen=True)
class Demo:
    """A demo that answers."""

    address: str
    folder: Path

    def run(self, *arguments: str) -> str:
        """Run the command beside it; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            env={**os.environ, "CASEBOOK_DATA_DIR": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def running_demo() -> Iterator[Demo]:
    """Start a demo in a folder of its own; end it with SIGTERM and see that no process stays."""
    with TemporaryDirectory(prefix="casebook-journey-", dir="/tmp", ignore_cleanup_errors=True) as made:
        above = Path(made)
        above.chmod(0o755)
        folder, port = above / "data", _free_port()
        said = above / "said.txt"
        with said.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "demo", "--port", str(port), "--data-dir", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_ready(process, said)
            yield Demo(f"http://127.0.0.1:{port}", folder)
            process.send_signal(signal.SIGTERM)
            assert process.wait(END_SECONDS) == 0, said.read_text()
            assert _processes_of(folder) == []
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(END_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while not re.search("demonstration is ready", said.read_text()):
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < until, said.read_text()
        time.sleep(0.2)


def _processes_of(folder: Path) -> list[str]:
    """Command lines and environments that name the folder."""
    wanted, found = os.fsencode(folder), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if any(wanted in line for line in lines):
            found.append(lines[0].replace(b"\0", b" ").decode())
    return found
