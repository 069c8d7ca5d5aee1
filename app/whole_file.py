"""Files that are there whole or not at all, whatever ends the process meanwhile."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, on the disk before this returns. What was there is replaced."""
    with _unfinished(path, content) as made:
        made.rename(path)
    sync_folder(path.parent)


def write_once(path: Path, content: bytes) -> None:
    """The same, where nothing is replaced: raises FileExistsError."""
    with _unfinished(path, content) as made:
        # A link, unlike a renaming, takes nobody's place.
        os.link(made, path)
    sync_folder(path.parent)


@contextmanager
def _unfinished(path: Path, content: bytes) -> Iterator[Path]:
    """The whole file by another name, which is gone in the end. What kills have left is gone before."""
    sweep(path)
    made, file = _begun(path)
    with file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            yield made
        finally:
            made.unlink(missing_ok=True)


def _begun(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside the one that is meant, held so that nobody sweeps it away."""
    while True:
        made = path.with_name(f".{path.name}.{token_hex(8)}.unfinished")
        file = os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        # Where there are no locks, nothing is swept either.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return made, file
        # Swept away before it was held.
        file.close()


def sweep(path: Path) -> None:
    """Remove what was begun for this file and never finished: nobody who still lives writes it."""
    for left in path.parent.glob(f".{escape(path.name)}.*.unfinished"):
        with suppress(OSError), left.open("rb") as file:
            # Its writer's lock ends with the writer.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def sync_folder(folder: Path) -> None:
    """Let a file's name, new, changed or gone, outlive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
