"""Files that are there whole or not at all, whatever ends the process meanwhile."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, on the disk before this returns. What was there is replaced."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
