"""Roll the key-encryption key: a new one, every live data key wrapped by it, and in the end the old one gone.

    1  a new key in ….next                           (again: the one that is there)
    2  the key in force also as ….previous-ID        (again: it is there)
    3  ….next becomes the key in force, in one step; running servers notice by themselves
    4  every live data key is wrapped anew, in batches
    5  once more, after a moment in which a server may have wrapped a new data key by the old one

Stopped anywhere, the next call goes on from there: every data key is readable at each moment.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Final

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from psycopg import InterfaceError, OperationalError
from psycopg.errors import LockNotAvailable
from psycopg_pool import ConnectionPool

from app.record.kek import (
    KekRefused,
    Keks,
    create_kek,
    kek_id,
    load_kek,
    next_file,
    previous_file,
    previous_files,
)
from app.record.keys import KeyWrong
from app.whole_file import sync_folder

BATCH: Final = 500
WAIT: Final = "5s"
"""How long a call waits for another: one that was killed a moment ago may hold its lock still."""
SETTLE_SECONDS: Final = 10.0
"""Longer than a statement may take: then no data key is being wrapped by the old key any more."""

_OLD = (
    "SELECT kid, kek_id, wrapped FROM keys.data_keys WHERE destroyed_at IS NULL AND kek_id <> %s"
    " ORDER BY kek_id, kid LIMIT %s"
)
_REWRAP = (
    "UPDATE keys.data_keys k SET wrapped = new.wrapped, kek_id = %b::text"
    " FROM unnest(%b::bytea[], %b::bytea[], %b::bytea[]) AS new (kid, old, wrapped)"
    " WHERE k.kid = new.kid AND k.wrapped = new.old AND k.destroyed_at IS NULL"
)
_ONE_AT_A_TIME: Final = 4849336204517401
_WRAPPED: Final = "SELECT kek_id, count(*) FROM keys.data_keys WHERE destroyed_at IS NULL GROUP BY kek_id"
_LEFT = "SELECT count(*) FROM keys.data_keys WHERE destroyed_at IS NULL AND kek_id <> %s"


class StillNeeded(Exception):
    """An old key-encryption key can't be destroyed yet; the message says why."""


def roll(
    path: Path,
    pool: ConnectionPool,
    *,
    settle: float | None = None,
    progress: Callable[[int], None] = lambda _count: None,
) -> str:
    """Roll the key in the file, or finish a roll that was stopped; gives the new key's name.

    `progress` hears how many data keys were wrapped anew so far; `settle` is in seconds. Raises KekRefused,
    KeyWrong, and what the database and files raise.
    """
    _look_around(path)
    # Two at once could take the key in force for the one before it, and lose that.
    with _alone(pool):
        if next_file(path).exists() or not _left(path, pool):
            _put_in_force(path)
        name = kek_id(load_kek(path))
        done = _rewrap(path, pool, name, progress, 0)
        if previous_files(path):
            sleep(SETTLE_SECONDS if settle is None else settle)
            _rewrap(path, pool, name, progress, done)
        return name


def destroy_previous(path: Path, pool: ConnectionPool) -> list[str]:
    """Destroy every key that is no longer in force; gives their names. Backups from before need them.

    Raises StillNeeded when a live data key is wrapped by one of them, or a roll was stopped; KekRefused where
    old keys can't be seen or changed, and what the database and files raise.
    """
    _look_around(path)
    with _alone(pool):
        if next_file(path).exists() or _left(path, pool):
            raise StillNeeded("A roll was stopped before its end. Run: casebook keys roll")
        names = []
        for file in previous_files(path):
            names.append(file.name.rpartition("-")[2])
            with file.open("r+b") as content:
                content.write(os.urandom(max(file.stat().st_size, 32)))
                content.flush()
                os.fsync(content.fileno())
            file.unlink()
        sync_folder(path.parent)
        return names


def wrapped_by(pool: ConnectionPool) -> dict[str, int]:
    """How many live data keys each key-encryption key wraps, by its name. Raises what the database raises."""
    with pool.connection() as connection:
        return {str(name): int(count) for name, count in connection.execute(_WRAPPED)}


def _look_around(path: Path) -> None:
    """Raises KekRefused where we can't look: a file mounted into a container by itself lies alone."""
    if not os.access(path.parent, os.R_OK | os.W_OK | os.X_OK):
        raise KekRefused(
            f"From here the folder {path.parent} can't be read and written, which has the old keys too. With "
            "containers it is done by: docker compose run --rm locksmith casebook keys …"
        )


@contextmanager
def _alone(pool: ConnectionPool) -> Iterator[None]:
    """Raises KekRefused while another process is at it."""
    with pool.connection() as connection:
        try:
            with connection.transaction():
                connection.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
                connection.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        except LockNotAvailable:
            raise KekRefused("Another process is rolling the key, or destroying old ones.") from None
        try:
            yield
        finally:
            try:
                connection.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])
            except (OperationalError, InterfaceError):
                # The lock has gone with the connection.
                connection.close()


def _put_in_force(path: Path) -> None:
    new = next_file(path)
    if not new.exists():
        # A file that was begun and not finished has another name.
        begun = path.with_name(f"{path.name}.begun")
        begun.unlink(missing_ok=True)
        create_kek(begun)
        begun.replace(new)
        sync_folder(path.parent)
    old = previous_file(path, kek_id(load_kek(path)))
    # Stopped after the last step, the key in force was never a previous one.
    if load_kek(new) != load_kek(path) and not old.exists():
        os.link(path, old)
        sync_folder(path.parent)
    new.replace(path)
    sync_folder(path.parent)


def _left(path: Path, pool: ConnectionPool) -> int:
    """How many live data keys aren't wrapped by the key in force."""
    with pool.connection() as connection:
        row = connection.execute(_LEFT, [kek_id(load_kek(path))]).fetchone()
    return int(row[0]) if row else 0


def _rewrap(path: Path, pool: ConnectionPool, name: str, progress: Callable[[int], None], done: int) -> int:
    keks = Keks.from_file(path)
    new = keks.find(name)
    while new is not None:
        with pool.connection() as connection:
            rows = connection.execute(_OLD, [name, BATCH]).fetchall()
            if not rows:
                break
            wrapped = [aes_key_wrap(new, aes_key_unwrap(_old(keks, old), key)) for _kid, old, key in rows]
            said = [name, [kid for kid, _, _ in rows], [key for _, _, key in rows], wrapped]
            done += connection.execute(_REWRAP, said, binary=True).rowcount
        progress(done)
    return done


def _old(keks: Keks, name: str) -> bytes:
    found = keks.find(name)
    if found is None:
        raise KeyWrong(f"Some keys are wrapped by {name}, whose file isn't here.")
    return found
