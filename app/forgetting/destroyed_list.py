"""The list of destroyed keys, in a file outside both databases.

A backup that is older than an erasure holds the key still: after any restore this list is applied again. A
line is written, and on the disk, before the key is destroyed. It names keys and never people.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from app.whole_file import sync_folder


class ListBroken(Exception):
    """The list of destroyed keys can't be read; the message names the line."""


@dataclass(frozen=True)
class Destroyed:
    """One key that was destroyed: its name, whose it was, and when it was put on the list (UTC)."""

    kid: bytes
    originator_id: UUID
    destroyed_at: datetime


class DestroyedList:
    """The file at `path`: one JSON object a line. It is made when the first key is destroyed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Destroyed]:
        """Every key on the list. A line without its end was never acted upon, and isn't on it.

        Raises ListBroken, and OSError unless the file was never made.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        lines = content.split(b"\n")[:-1]
        return [_destroyed(line, number) for number, line in enumerate(lines, 1)]

    def add(self, kid: bytes, originator_id: UUID) -> None:
        """Put a key on the list, on the disk before this returns. Twice is once.

        Raises ListBroken, OSError.
        """
        with self._locked() as handle:
            if any(one.kid == kid for one in self.read()):
                # Whoever wrote it may have ended before it was on the disk.
                os.fsync(handle)
                return
            content = self.path.read_bytes()
            os.truncate(handle, content.rfind(b"\n") + 1)
            line = {
                "kid": kid.hex(),
                "originator_id": str(originator_id),
                "destroyed_at": datetime.now(UTC).isoformat(timespec="microseconds"),
            }
            os.lseek(handle, 0, os.SEEK_END)
            os.write(handle, json.dumps(line, separators=(",", ":")).encode() + b"\n")
            os.fsync(handle)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            # Also for whoever made the file and ended before its name was on the disk.
            sync_folder(self.path.parent)
            yield handle
        finally:
            os.close(handle)


def _destroyed(line: bytes, number: int) -> Destroyed:
    try:
        said = json.loads(line)
        kid = bytes.fromhex(said["kid"])
        found = Destroyed(kid, UUID(said["originator_id"]), datetime.fromisoformat(said["destroyed_at"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ListBroken(f"Line {number} of the list of destroyed keys can't be read.") from None
    if len(kid) != 16:
        raise ListBroken(f"Line {number} of the list of destroyed keys can't be read.")
    return found
