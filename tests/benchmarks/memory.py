"""How much memory a command takes with all its processes. Linux alone tells it."""

from contextlib import suppress
from pathlib import Path

from tests.kill.servers import children

MORE_MEGABYTES = 50
"""So much more may a hundred times as many facts take."""


def megabytes(pid: int) -> float:
    """What a process and those that it began have in memory just now; what they share counts once."""
    found = 0.0
    for one in [pid, *children(pid)]:
        # One may have ended just now.
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            found += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return found
