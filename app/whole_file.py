"""Files that are there whole or not at all, whatever ends the process meanwhile."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, on the disk before this returns. What was there is replaced."""
    unfinished = _unfinished(path, content)
    unfinished.rename(path)
    sync_folder(path.parent)


def write_once(path: Path, content: bytes) -> None:
    """The same, where nothing is replaced: raises FileExistsError."""
    unfinished = _unfinished(path, content)
    try:
        # A link, unlike a renaming, takes nobody's place.
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
    sync_folder(path.parent)


def _unfinished(path: Path, content: bytes) -> Path:
    # Each process has its own, so that none links what another is still writing.
    made = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    # A kill may have left one, which is the whole file by another name.
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return made


def sync_folder(folder: Path) -> None:
    """Let a file's name, new, changed or gone, outlive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
