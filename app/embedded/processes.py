"""The processes of one cluster: which are left over from before, and how they are ended."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

FAST_SECONDS = 20.0
IMMEDIATE_SECONDS = 10.0
_SET_PARENT_DEATH_SIGNAL = 1
_ON_LINUX = sys.platform == "linux"


def end_with_parent() -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel then asks the child for a fast shutdown when we die, however we die.

    None where it can't be had: outside Linux, and in a side thread, where the thread's own end would count.
    """
    if not _ON_LINUX or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask() -> None:
        # Whatever runs in a shell's background ignores SIGINT, and its children would too, until they listen.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def recorded_pid(cluster: Path) -> int | None:
    """The pid that the cluster's last server wrote down, whether or not it still lives."""
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def serves(pid: int, cluster: Path) -> bool:
    """Whether the process is PostgreSQL at work in this cluster, not a stranger with a recycled pid."""
    if _ON_LINUX:
        proc = Path("/proc") / str(pid)
        try:
            # Every process of a server works in its cluster's folder.
            program = (proc / "exe").readlink().name.removesuffix(" (deleted)")
            return program == "postgres" and (proc / "cwd").readlink() == cluster.resolve()
        except OSError:
            return False
    asked = ["ps", "-o", "command=", "-p", str(pid)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return "postgres" in told.stdout and str(cluster) in told.stdout


def end_leftovers(cluster: Path, socket: Path) -> None:
    """End every process that still works in the cluster, and drop lock files of the dead or a stranger.

    Fast first, then immediate, then by force: PostgreSQL recovers from each of them at its next start.
    """
    recorded = recorded_pid(cluster)
    if recorded and serves(recorded, cluster):
        _send([recorded], signal.SIGINT)
        _wait_for_end(cluster, FAST_SECONDS)
    for by in (signal.SIGQUIT, signal.SIGKILL):
        left = list(_working_in(cluster))
        if left:
            _send(left, by)
            _wait_for_end(cluster, IMMEDIATE_SECONDS)
    # PostgreSQL judges a dead server's files itself, but it takes a stranger, or a zombie that no init has
    # buried, for a living server.
    if recorded and _lives(recorded) and not serves(recorded, cluster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
    for stale in socket.glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)


def end_child(child: subprocess.Popen[bytes]) -> None:
    """A fast shutdown; an immediate one when that takes too long."""
    for by, seconds in ((signal.SIGINT, FAST_SECONDS), (signal.SIGQUIT, IMMEDIATE_SECONDS)):
        if child.poll() is None:
            child.send_signal(by)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    child.kill()
    child.wait()


def _working_in(cluster: Path) -> Iterator[int]:
    if _ON_LINUX:
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    else:
        pids = [pid for pid in [recorded_pid(cluster)] if pid]
    return (pid for pid in pids if serves(pid, cluster))


def _wait_for_end(cluster: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_working_in(cluster)) and time.monotonic() < deadline:
        time.sleep(0.02)


def _send(pids: list[int], by: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, by)
        except ProcessLookupError:
            continue


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
