"""What is remembered about an embedded database between starts, and the lock that keeps it to one process.

Both lie in the data directory: `embedded.json` (mode 0600: it holds the passwords) and `embedded.lock`.
"""

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.embedded.error import EmbeddedError


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Facts:
    """Where the cluster lies (None: in the data directory itself), where it listens, and its passwords."""

    home: str | None
    socket: str | None
    superuser: str = field(default_factory=_password, repr=False)
    owner: str = field(default_factory=_password, repr=False)
    app: str = field(default_factory=_password, repr=False)


def read_facts(data_dir: Path) -> Facts | None:
    """The facts of this data directory, or None if no database was ever made in it."""
    path = data_dir / "embedded.json"
    try:
        return Facts(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise EmbeddedError(f"{path} can't be read: {fault.strerror}.") from fault
    except (ValueError, TypeError) as fault:
        raise EmbeddedError(
            f"{path} is damaged: put it back from a copy, or choose another --data-dir."
        ) from fault


def write_facts(data_dir: Path, facts: Facts) -> None:
    """Put the facts in place in one step, so that a crash leaves the old ones or the new ones."""
    unfinished = data_dir / "embedded.json.unfinished"
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(facts), file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(data_dir / "embedded.json")


class DirectoryLock:
    """Held by the one process whose child the database is. The kernel lets go of it when that process ends.

    A record lock, since workers forked from the holder must not keep it alive. Such a lock doesn't hold
    against its own process; `_held_here` does.
    """

    _held_here: set[Path] = set()  # noqa: RUF012 - one set for the process is the point

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether it is this object that holds the lock."""
        return self._descriptor is not None

    def take(self) -> None:
        """Take the lock, or raise EmbeddedError naming the process that has it."""
        if self._data_dir in self._held_here:
            raise self._refusal(str(os.getpid()))
        descriptor = os.open(self._data_dir / "embedded.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            holder = os.read(descriptor, 20).decode("ascii", "replace")
            os.close(descriptor)
            raise self._refusal(holder) from fault
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode("ascii"))
        self._descriptor = descriptor
        self._held_here.add(self._data_dir)

    def release(self) -> None:
        """Let the next one have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._held_here.discard(self._data_dir)

    def _refusal(self, holder: str) -> EmbeddedError:
        return EmbeddedError(
            f"Process {holder or 'unknown'} already runs the database in {self._data_dir}. "
            "Stop that one first, or choose another place with --data-dir."
        )
