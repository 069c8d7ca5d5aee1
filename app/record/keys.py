"""The data keys: one for each aggregate and account, in a database of their own, wrapped by the
key-encryption key.

A destroyed key leaves its row. A missing row is therefore a fault, never "erased"; and a key store that is
out of reach opens nothing.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from threading import Lock
from time import monotonic
from typing import Final, Literal, TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from psycopg import Connection, InterfaceError, OperationalError
from psycopg_pool import ConnectionPool

from app.record.data_key import DataKey
from app.record.kek import KekRefused, Keks, create_kek, kek_id, load_kek
from app.record.patience import PATIENCE
from app.record.pool import on_a_connection

__all__ = [
    "DESTROYED",
    "FoundKey",
    "KekRefused",
    "Keks",
    "KeyFault",
    "KeyMissing",
    "KeyStore",
    "KeyWrong",
    "KeysUnavailable",
    "create_kek",
    "kek_id",
    "load_kek",
]


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

    Unwrapped keys are kept in memory for `ttl` seconds, and used from there only while `fresh` says that this
    process hears of keys that others destroy. It waits no longer than about `patience` seconds for a
    connection.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        kek: bytes | Keks,
        *,
        size: int = 20_000,
        ttl: float = 300.0,
        patience: float = PATIENCE,
        fresh: Callable[[], bool] = lambda: True,
    ) -> None:
        self._pool = pool
        self._keks = kek if isinstance(kek, Keks) else Keks(kek)
        self._fresh = fresh
        self._size = size
        self._ttl = ttl
        self._patience = patience
        # Not by the ids themselves, whose hash and comparison are Python's.
        self._known: OrderedDict[int, tuple[float, FoundKey]] = OrderedDict()
        self._forgotten = 0
        self._lock = Lock()

    def get(self, originator_id: UUID) -> FoundKey:
        """The key of one aggregate, or DESTROYED. Raises KeyMissing, KeyWrong, KeysUnavailable."""
        # The usual case without what many at once need: each command and each history comes by here.
        place = originator_id.int
        known = self._known.get(place) if self._fresh() else None
        if known is not None and known[0] >= monotonic():
            with suppress(KeyError):
                # Another thread may have let it go just now.
                self._known.move_to_end(place)
            return known[1]
        return self.get_many([originator_id])[originator_id]

    def get_many(self, originator_ids: Iterable[UUID]) -> dict[UUID, FoundKey]:
        """The key of each aggregate, or DESTROYED, in one round trip for those not yet in memory.

        Raises KeyMissing if there is no row for any one of them, KeyWrong, KeysUnavailable.
        """
        found, wanted = self._remembered(originator_ids)
        if wanted:
            asked = self._forgotten
            fetched = self._on_the_store(lambda connection: self._fetch(connection, wanted))
            for originator_id in wanted:
                if originator_id not in fetched:
                    raise KeyMissing(f"There is no key for {originator_id}.")
            self._remember(fetched, asked)
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
            asked = self._forgotten
            created = self._on_the_store(lambda connection: self._create(connection, wanted))
            self._remember(created, asked)
            found |= created
        keys: dict[UUID, DataKey] = {}
        for originator_id, key in found.items():
            if key is DESTROYED:
                raise KeyFault(f"The key for {originator_id} was destroyed.")
            keys[originator_id] = key
        return keys

    def forget(self) -> None:
        """Let go of every key in memory: one of them may have been destroyed."""
        with self._lock:
            self._forgotten += 1
            self._known.clear()

    def _create(self, connection: Connection, wanted: list[UUID]) -> dict[UUID, FoundKey]:
        # In one order everywhere, so that two who create the same keys wait for, and never lock out, each
        # other.
        new = {originator_id: DataKey(os.urandom(16), os.urandom(32)) for originator_id in sorted(wanted)}
        kids = [key.kid for key in new.values()]
        name, kek = self._keks.current()
        wrapped = [aes_key_wrap(kek, key.key) for key in new.values()]
        parameters = [name, list(new), kids, wrapped]
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
        kek = self._keks.find(wrapped_by)
        if kek is None:
            ours = self._keks.current()[0]
            raise KeyWrong(f"The key for {originator_id} is wrapped by {wrapped_by}, not by {ours}.")
        try:
            return DataKey(kid, aes_key_unwrap(kek, wrapped))
        except InvalidUnwrap:
            raise KeyWrong(f"The key for {originator_id} was altered: it can't be unwrapped.") from None

    def _on_the_store(self, work: Callable[[Connection], dict[UUID, FoundKey]]) -> dict[UUID, FoundKey]:
        try:
            return on_a_connection(self._pool, work, seconds=self._patience)
        except (OperationalError, InterfaceError) as error:
            raise KeysUnavailable("The key store can't be reached just now.") from error

    def _remembered(self, originator_ids: Iterable[UUID]) -> tuple[dict[UUID, FoundKey], list[UUID]]:
        if not self._fresh():
            return {}, list(dict.fromkeys(originator_ids))
        found: dict[UUID, FoundKey] = {}
        wanted: dict[UUID, None] = {}
        now = monotonic()
        with self._lock:
            for originator_id in originator_ids:
                known = self._known.get(originator_id.int)
                if known is None or known[0] < now:
                    wanted[originator_id] = None
                else:
                    self._known.move_to_end(originator_id.int)
                    found[originator_id] = known[1]
        return found, list(wanted)

    def _remember(self, keys: dict[UUID, FoundKey], asked: int) -> None:
        until = monotonic() + self._ttl
        with self._lock:
            if asked != self._forgotten:
                # One of them may have been destroyed since it was asked for.
                return
            for originator_id, key in keys.items():
                self._known[originator_id.int] = (until, key)
                self._known.move_to_end(originator_id.int)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
