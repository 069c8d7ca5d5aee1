"""`casebook demo`: database, projector and web as one tree of processes that ends as one."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import psycopg

from app.checkup import at_work
from app.demo.ground import DemoFailed, Ground, is_empty, without_alerts
from app.demo.people import PASSWORD, STAFF
from app.demo.seed import is_begun, is_told, tell_the_year
from app.embedded.processes import end_with_parent
from app.house import House
from app.settings import Settings
from projections.positions import wait_for

HOST: Final = "127.0.0.1"
READY_SECONDS: Final = 180.0
STOP_SECONDS: Final = 8.0
_LOOK_SECONDS: Final = 0.1
_RESTART_SECONDS: Final = 0.3
_PORT_SECONDS: Final = 5.0
_LONGEST_LOG: Final = 10_000_000  # bytes


class _Ended(BaseException):
    """Somebody asked the demo to end."""


@dataclass
class Child:
    """A process of the demo, started again when it ends by itself."""

    name: str
    arguments: list[str]
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = field(default=float("-inf"))

    @property
    def log(self) -> Path:
        """Where its messages go."""
        return self.folder / f"{self.name}.log"

    def keep_running(self) -> None:
        """Start it, unless it runs or was started a moment ago. The main thread calls: it ends with that."""
        if self.process is not None and self.process.poll() is None:
            return
        if time.monotonic() - self.started_at < _RESTART_SECONDS:
            return
        if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            self.started_at = time.monotonic()
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                # Ctrl-C is for the demo, which then ends its children in order.
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )

    def stop(self) -> None:
        """End it, by force when it takes too long."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def run_demo(folder: Path, port: int, school: str, *, fresh: bool, say: Callable[[str], None]) -> None:
    """Run the demo until SIGTERM or Ctrl-C. `say` hears of each step. Raises DemoFailed, EmbeddedError."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    ground = Ground(folder, say)
    children: list[Child] = []
    try:
        _wait_for_port(port)
        settings = ground.prepare(fresh=fresh)
        environment = _environment(settings, folder, port, own=ground.embedded is not None)
        children.append(Child("project", ["app", "project"], folder, environment))
        _tell(ground, settings, school, children[0], say)
        children.append(Child("anchor", ["app", "anchor"], folder, environment))
        children.append(Child("web", ["app.serve", "--host", HOST, "--port", str(port)], folder, environment))
        say("Starting the web server")
        _supervise(ground, settings, children, port)
    except _Ended:
        say("Stopping")
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(children):
            child.stop()
        ground.stop()


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise _Ended


def _wait_for_port(port: int) -> None:
    """Refuse a port that something else has. What a killed demo left on it is gone in a moment."""
    until = time.monotonic() + _PORT_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as fault:
                if time.monotonic() > until:
                    raise DemoFailed(
                        f"Port {port} can't be used ({fault.strerror}). Choose another with --port."
                    ) from None
            else:
                return
        time.sleep(0.2)


def _environment(settings: Settings, folder: Path, port: int, *, own: bool) -> dict[str, str]:
    environment = dict(os.environ)
    environment["CASEBOOK_DATA_DIR"] = str(folder)
    environment.setdefault("CASEBOOK_BASE_URL", f"http://{HOST}:{port}")
    if not own:
        environment["CASEBOOK_ORIGIN"] = settings.origin
    return environment


def _tell(
    ground: Ground, settings: Settings, school: str, projector: Child, say: Callable[[str], None]
) -> None:
    """Tell the invented year, unless it is there; what a demo that was killed began is forgotten first."""
    with House(settings) as house:
        told, begun, empty = is_told(house), is_begun(house), is_empty(house)
    if not told and not empty:
        if not begun:
            raise DemoFailed("This demo's databases hold something else. Use --fresh to forget it.")
        ground.begin_again(settings)
    if not told:
        with without_alerts(settings), House(settings) as house:
            projector.keep_running()
            say("Telling an invented school year")
            tell_the_year(house, school)
    projector.keep_running()
    with House(settings) as house:
        newest = house.recorder.max_notification_id() or 0
        until = time.monotonic() + READY_SECONDS
        while not wait_for(house.pool, newest, timeout=1.0):
            projector.keep_running()
            if time.monotonic() > until:
                raise DemoFailed(f"The lists didn't follow the record; {projector.log} says why.")


def _supervise(ground: Ground, settings: Settings, children: list[Child], port: int) -> None:
    """Keep everything running for as long as nobody ends it; say so once pages can be read and all work."""
    until = time.monotonic() + READY_SECONDS
    ready = False
    while True:
        ground.keep_running()
        for child in children:
            child.keep_running()
        if not ready and _answers(port) and _all_work(settings):
            ready = True
            print(_welcome(port), flush=True)
        if not ready and time.monotonic() > until:
            raise DemoFailed(f"Not everything became ready; the logs in {children[-1].folder} say why.")
        time.sleep(_LOOK_SECONDS)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _all_work(settings: Settings) -> bool:
    try:
        with psycopg.connect(settings.database_url, autocommit=True, connect_timeout=10) as connection:
            return all(at_work(connection))
    except psycopg.Error:
        return False


def _welcome(port: int) -> str:
    """The address and who can sign in."""
    people = [(colleague.role, colleague.sign_in) for colleague in STAFF]
    people += [("mentor", "mentor"), ("mentor", "mentor2")]
    lines = [f"  {role:<14}{sign_in:<16}{PASSWORD}" for role, sign_in in people]
    return "\n".join(
        [
            f"Casebook's demonstration is ready: http://{HOST}:{port}",
            "Everybody and everything in it is invented. Ctrl-C ends it.",
            "",
            f"  {'role':<14}{'sign in as':<16}password",
            *lines,
        ]
    )
