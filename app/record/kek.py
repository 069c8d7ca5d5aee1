"""The key-encryption keys: the one in force wraps every data key; while it is being rolled, those before it
still unwrap.

The key in force is a file. Beside it lie `….next` (made, not in force yet) and `….previous-ID` (no longer in
force, until the backups that need them have gone).
"""

import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Self

from app.whole_file import write_once


class KekRefused(Exception):
    """The file of the key-encryption key can't be used; the message tells an administrator why."""


def kek_id(kek: bytes) -> str:
    """The public name of a key-encryption key, kept beside each key that it wraps: 16 hex digits."""
    return sha256(b"casebook-kek/1\n" + kek).digest()[:8].hex()


def create_kek(path: Path) -> bytes:
    """Make a new key-encryption key in a new file that only its owner can read. Raises FileExistsError."""
    kek = os.urandom(32)
    write_once(path, urlsafe_b64encode(kek).rstrip(b"=") + b"\n")
    return kek


def load_kek(path: Path) -> bytes:
    """Read a key-encryption key: 32 bytes as they are, or in base64url.

    Raises KekRefused when the file is missing, can be read by anybody but its owner, or holds something else.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(1024)
    except OSError as error:
        raise KekRefused(f"The file {path} can't be read: {error.strerror}.") from None
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KekRefused(f"Others may read the file {path}. Make it its owner's alone: chmod 600.")
    if len(raw) == 32:
        return raw
    text = raw.strip().rstrip(b"=")
    try:
        kek = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except NotBase64:
        kek = b""
    if len(kek) != 32 or urlsafe_b64encode(kek).rstrip(b"=") != text:
        raise KekRefused(f"The file {path} doesn't hold a key: 32 bytes, or the same in base64url.")
    return kek


def next_file(path: Path) -> Path:
    """Where the key lies that is to be in force next."""
    return path.with_name(f"{path.name}.next")


def previous_file(path: Path, of: str) -> Path:
    """Where a key lies that was in force before, by its public name."""
    return path.with_name(f"{path.name}.previous-{of}")


def previous_files(path: Path) -> list[Path]:
    """The files of all that were in force before and weren't destroyed yet."""
    return sorted(path.parent.glob(f"{path.name}.previous-*"))


class Keks:
    """The key-encryption keys that a process may use. Safe between threads.

    A running server needs no restart when the key is rolled: whoever asks for the key in force looks whether
    the file is another one now.
    """

    def __init__(self, current: bytes, previous: Iterable[bytes] = (), path: Path | None = None) -> None:
        for kek in (current, *previous):
            if len(kek) != 32:
                raise ValueError("A key-encryption key has 32 bytes.")
        self._path = path
        self._lock = Lock()
        self._current = current
        self._by_id = {kek_id(kek): kek for kek in (*previous, current)}
        self._seen = self._stamp()

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The key in force, and those beside it. Raises KekRefused when the one in force can't be used."""
        return cls(load_kek(path), _readable(previous_files(path)), path)

    def current(self) -> tuple[str, bytes]:
        """The name of the key in force, and the key."""
        if self._stamp() != self._seen:
            self._read()
        return kek_id(self._current), self._current

    def find(self, name: str) -> bytes | None:
        """The key of that name: known here, or found in a file by now; else None."""
        if name not in self._by_id:
            self._read()
        return self._by_id.get(name)

    def names(self) -> list[str]:
        """The names of all that are here, the one in force first."""
        current, _ = self.current()
        return [current, *sorted(name for name in self._by_id if name != current)]

    def _read(self) -> None:
        """Whatever can't be read just now leaves what is known."""
        if self._path is None:
            return
        with self._lock:
            seen = self._stamp()
            with suppress(KekRefused):
                self._current = load_kek(self._path)
            # A new dictionary: others read the old one meanwhile. What was destroyed is let go.
            keks = (*_readable(previous_files(self._path)), self._current)
            self._by_id = {kek_id(kek): kek for kek in keks}
            self._seen = seen

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None


def _readable(paths: Iterable[Path]) -> list[bytes]:
    found = []
    for path in paths:
        with suppress(KekRefused):
            found.append(load_kek(path))
    return found
