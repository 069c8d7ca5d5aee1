"""The data keys: one for each aggregate and account, in a database of their own, wrapped by the
key-encryption key.

A destroyed key leaves its row. A missing row is therefore a fault, never "erased"; and a key store that is
out of reach opens nothing.
"""

import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Callable, Iterable
from enum import Enum
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final, Literal, TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from psycopg import Connection, InterfaceError, OperationalError
from psycopg_pool import ConnectionPool

from app.record.data_key import DataKey
from app.record.patience import PATIENCE
from app.record.pool import on_a_connection


class _Destroyed(Enum):
    DESTROYED = "destroyed"


DESTROYED: Final = _Destroyed.DESTROYED
"""What the store gives instead of a key that was destroyed for good."""

FoundKey: TypeAlias = DataKey | Literal[_Destroyed.DESTROYED]


class KeyFault(Exception):
    """The key store can't give what it must be able to give. Its message holds no secret."""


class KeyMissing(KeyFault):
    """There is no row for this aggregate: something was lost or never made. It does not mean erased."""


class KeyWrong(KeyFault):
    """A key is there but can't be unwrapped by the key-encryption key of this installation."""


class KeysUnavailable(KeyFault):
    """The key store is out of reach for now; nothing may be shown or recorded until it is back."""


class KekRefused(Exception):
    """The file of the key-encryption key can't be used; the message tells an administrator why."""


def kek_id(kek: bytes) -> str:
    """The public name of a key-encryption key, kept beside each key that it wraps: 16 hex digits."""
    return sha256(b"casebook-kek/1\n" + kek).digest()[:8].hex()


def create_kek(path: Path) -> bytes:
    """Make a new key-encryption key in a new file that only its owner can read. Raises FileExistsError."""
    kek = os.urandom(32)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(urlsafe_b64encode(kek).rstrip(b"=") + b"\n")
        file.flush()
        os.fsync(file.fileno())
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


_FIND = (
    "SELECT originator_id, kid, kek_id, wrapped, destroyed_at IS NOT NULL"
    " FROM keys.data_keys WHERE originator_id = ANY(%b)"
)
_CREATE = (
    "INSERT INTO keys.data_keys (originator_id, kid, kek_id, wrapped)"
    " SELECT new.originator_id, new.kid, %b::text, new.wrapped"
    " FROM unnest(%b::uuid[], %b::bytea[], %b::bytea[]) AS new (originator_id, kid, wrapped)"
    " ON CONFLICT (originator_id) DO NOTHING RETURNING originator_id"
)


class KeyStore:
    """Gives the data keys to those who seal and open. Safe to share between threads.

    Unwrapped keys are kept in memory for `ttl` seconds, so a key that another process destroyed is forgotten
    here after that time at the latest. It waits no longer than about `patience` seconds for a connection.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        kek: bytes,
        *,
        size: int = 20_000,
        ttl: float = 300.0,
        patience: float = PATIENCE,
    ) -> None:
        if len(kek) != 32:
            raise ValueError("A key-encryption key has 32 bytes.")
        self._pool = pool
        self._kek = kek
        self._kek_id = kek_id(kek)
        self._size = size
        self._ttl = ttl
        self._patience = patience
        self._known: OrderedDict[UUID, tuple[float, FoundKey]] = OrderedDict()
        self._lock = Lock()

    def get(self, originator_id: UUID) -> FoundKey:
        """The key of one aggregate, or DESTROYED. Raises KeyMissing, KeyWrong, KeysUnavailable."""
        return self.get_many([originator_id])[originator_id]

    def get_many(self, originator_ids: Iterable[UUID]) -> dict[UUID, FoundKey]:
        """The key of each aggregate, or DESTROYED, in one round trip for those not yet in memory.

        Raises KeyMissing if there is no row for any one of them, KeyWrong, KeysUnavailable.
        """
        found, wanted = self._remembered(originator_ids)
        if wanted:
            fetched = self._on_the_store(lambda connection: self._fetch(connection, wanted))
            for originator_id in wanted:
                if originator_id not in fetched:
                    raise KeyMissing(f"There is no key for {originator_id}.")
            self._remember(fetched)
            found |= fetched
        return found

    def create(self, originator_id: UUID) -> DataKey:
        """The key of a new aggregate, committed before this returns; the one already there if there is one.

        Raises KeyFault when it was destroyed: what was erased doesn't start again under the same id.
        """
        return self.create_many([originator_id])[originator_id]

    def create_many(self, originator_ids: Iterable[UUID]) -> dict[UUID, DataKey]:
        """As `create`, for several in one commit."""
        found, wanted = self._remembered(originator_ids)
        if wanted:
            created = self._on_the_store(lambda connection: self._create(connection, wanted))
            self._remember(created)
            found |= created
        keys: dict[UUID, DataKey] = {}
        for originator_id, key in found.items():
            if key is DESTROYED:
                raise KeyFault(f"The key for {originator_id} was destroyed.")
            keys[originator_id] = key
        return keys

    def _create(self, connection: Connection, wanted: list[UUID]) -> dict[UUID, FoundKey]:
        # In one order everywhere, so that two who create the same keys wait for, and never lock out, each
        # other.
        new = {originator_id: DataKey(os.urandom(16), os.urandom(32)) for originator_id in sorted(wanted)}
        kids = [key.kid for key in new.values()]
        wrapped = [aes_key_wrap(self._kek, key.key) for key in new.values()]
        parameters = [self._kek_id, list(new), kids, wrapped]
        rows = connection.execute(_CREATE, parameters, prepare=True, binary=True).fetchall()
        created: dict[UUID, FoundKey] = {originator_id: new[originator_id] for (originator_id,) in rows}
        others = [originator_id for originator_id in wanted if originator_id not in created]
        return created | self._fetch(connection, others) if others else created

    def _fetch(self, connection: Connection, wanted: list[UUID]) -> dict[UUID, FoundKey]:
        rows = connection.execute(_FIND, [wanted], prepare=True, binary=True).fetchall()
        return {
            originator_id: DESTROYED if destroyed else self._unwrap(originator_id, kid, wrapped_by, wrapped)
            for originator_id, kid, wrapped_by, wrapped, destroyed in rows
        }

    def _unwrap(self, originator_id: UUID, kid: bytes, wrapped_by: str, wrapped: bytes) -> DataKey:
        if wrapped_by != self._kek_id:
            raise KeyWrong(f"The key for {originator_id} is wrapped by {wrapped_by}, not by {self._kek_id}.")
        try:
            return DataKey(kid, aes_key_unwrap(self._kek, wrapped))
        except InvalidUnwrap:
            raise KeyWrong(f"The key for {originator_id} was altered: it can't be unwrapped.") from None

    def _on_the_store(self, work: Callable[[Connection], dict[UUID, FoundKey]]) -> dict[UUID, FoundKey]:
        try:
            return on_a_connection(self._pool, work, seconds=self._patience)
        except (OperationalError, InterfaceError) as error:
            raise KeysUnavailable("The key store can't be reached just now.") from error

    def _remembered(self, originator_ids: Iterable[UUID]) -> tuple[dict[UUID, FoundKey], list[UUID]]:
        found: dict[UUID, FoundKey] = {}
        wanted: dict[UUID, None] = {}
        now = monotonic()
        with self._lock:
            for originator_id in originator_ids:
                known = self._known.get(originator_id)
                if known is None or known[0] < now:
                    wanted[originator_id] = None
                else:
                    self._known.move_to_end(originator_id)
                    found[originator_id] = known[1]
        return found, list(wanted)

    def _remember(self, keys: dict[UUID, FoundKey]) -> None:
        until = monotonic() + self._ttl
        with self._lock:
            for originator_id, key in keys.items():
                self._known[originator_id] = (until, key)
                self._known.move_to_end(originator_id)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
