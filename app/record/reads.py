"""Who looked at what. A read is logged, and the log committed, before anything of it is shown."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import randbits
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection, Error
from psycopg.types.numeric import Int8
from psycopg_pool import ConnectionPool

from app.record.data_key import DataKey
from app.record.direct import Statement, number, uuids
from app.record.errors import RecordUnavailable
from app.record.keys import DESTROYED, FoundKey, KeyFault, KeyMissing, KeyStore
from app.record.patience import PATIENCE
from app.record.pool import on_a_connection
from app.record.rows import StoredRow, rows_of
from app.record.sealing import READ, NotSealable, SealBroken, seal, sealed_version, unseal

Answer = TypeVar("Answer")

# The plan of a statement is made once for each connection, that of a function's statements with each call.
_LOG = Statement(
    "casebook_log_read",
    "INSERT INTO record.reads (account, route, subjects, state)"
    " VALUES ($1::uuid, $2::text, $3::uuid[], $4::bytea) RETURNING id",
)
# Whoever gets the rows without an error knows that the read is committed. The sum keeps the planner from the
# index of all positions, which it would read from the beginning.
_LOG_AND_ROWS = Statement(
    "casebook_log_read_and_rows",
    "WITH logged AS (INSERT INTO record.reads (account, route, subjects, state)"
    " VALUES ($1::uuid, $2::text, $3::uuid[], $4::bytea))"
    " SELECT originator_version, topic, state, notification_id, recorded_at FROM record.events"
    " WHERE originator_id = $5::uuid AND originator_version >= $6::bigint"
    " AND notification_id + 0 <= $7::bigint ORDER BY originator_version",
)
_HEAD = Statement("casebook_head", "SELECT size FROM record.heads WHERE log = 'events'")
_NOT_NOW = "Who looks can't be recorded just now, so nothing is shown."
_READERS = (
    "SELECT id, read_at, account, route, state FROM record.reads"
    " WHERE subjects @> %b::uuid[] AND id < %b AND (%b::text IS NULL OR route = %b) ORDER BY id DESC LIMIT %b"
)


@dataclass(frozen=True)
class Read:
    """One answer that was given to one account. What was sealed is None once the account's key was destroyed,
    and where the entry is `broken`: it was altered, or put there by somebody who had no key to seal it with.

    `position` is the newest fact that the answer could have held; `read_at` is in UTC.
    """

    id: int
    read_at: datetime
    account: UUID
    route: str
    role: str | None
    field_class: str | None
    reason: str | None
    break_glass: bool | None
    position: int | None
    broken: bool = False


class ReadLog:
    """The log of reads. Whatever fails, it raises RecordUnavailable, and the caller shows nothing.

    It waits no longer than about `patience` seconds for a connection.
    """

    def __init__(self, pool: ConnectionPool, keys: KeyStore, *, patience: float = PATIENCE) -> None:
        self._pool = pool
        self._keys = keys
        self._patience = patience

    def log(
        self,
        account: UUID,
        route: str,
        subjects: Sequence[UUID],
        *,
        role: str,
        field_class: str,
        reason: str | None = None,
        break_glass: bool = False,
        position: int | None,
    ) -> int:
        """Log one answer about these subjects, committed before this returns; gives the number of the read.

        `route` is the rule of the address, such as `/cases/{id}/history`, never an address with an id in it.
        `position` is the newest fact that the answer can hold. Raises RecordUnavailable.
        """
        details = _details(role, field_class, reason, break_glass, position)
        state = _seal(self._key(account), account, route, details)

        def work(connection: Connection) -> int:
            rows = _LOG.rows(connection, [account.bytes, route.encode(), uuids(subjects), state])
            return int(rows[0][0])

        return self._do(work)

    def log_and_rows(
        self,
        account: UUID,
        route: str,
        subjects: Sequence[UUID],
        originator_id: UUID,
        *,
        role: str,
        field_class: str,
        reason: str | None = None,
        break_glass: bool = False,
        position: int | None = None,
        since: int = 1,
    ) -> list[StoredRow]:
        """Log the read of one aggregate's history and give its facts up to `position`, in one commit.

        They begin with version `since`, where those before are remembered. Without `position` it is the
        newest at this moment, which costs one more question to the database. Raises RecordUnavailable.
        """
        key = self._key(account)

        def work(connection: Connection) -> list[StoredRow]:
            seen = position
            if seen is None:
                seen = int(_HEAD.rows(connection, [])[0][0])
            state = _seal(key, account, route, _details(role, field_class, reason, break_glass, seen))
            entry = [account.bytes, route.encode(), uuids(subjects), state]
            asked = [*entry, originator_id.bytes, number(since), number(seen)]
            return _LOG_AND_ROWS.rows(connection, asked, rows_of(originator_id))

        return self._do(work)

    def readers(
        self, subject: UUID, *, limit: int = 100, before: int | None = None, route: str | None = None
    ) -> list[Read]:
        """Who looked at this subject, newest first; `before` gives the reads before that number.

        `route` gives those of one address alone.

        One that can't be opened is among them and says so: it stays for good, and hides none of the others.
        Raises RecordUnavailable.
        """
        asked = [[subject], Int8(2**63 - 1 if before is None else before), route, route, Int8(limit)]
        rows = self._do(
            lambda connection: connection.execute(_READERS, asked, prepare=True, binary=True).fetchall()
        )
        try:
            keys = self._keys_of({account for _, _, account, _, _ in rows})
        except KeyFault as error:
            raise RecordUnavailable(_NOT_NOW) from error
        return [
            _open(keys[account], number, at, account, route, state)
            for number, at, account, route, state in rows
        ]

    def _keys_of(self, accounts: Collection[UUID]) -> dict[UUID, FoundKey | None]:
        """None for an account that never had a key. Raises KeyFault."""
        try:
            return dict(self._keys.get_many(accounts))
        except KeyMissing:
            return {account: self._key_or_none(account) for account in accounts}

    def _key_or_none(self, account: UUID) -> FoundKey | None:
        try:
            return self._keys.get(account)
        except KeyMissing:
            return None

    def _key(self, account: UUID) -> DataKey:
        try:
            return self._keys.create(account)
        except KeyFault as error:
            raise RecordUnavailable(_NOT_NOW) from error

    def _do(self, work: Callable[[Connection], Answer]) -> Answer:
        try:
            return on_a_connection(self._pool, work, seconds=self._patience)
        except Error as error:
            raise RecordUnavailable(_NOT_NOW) from error


def _seal(key: DataKey, account: UUID, route: str, details: dict[str, Any]) -> bytes:
    try:
        # The number of the read isn't known yet, so a random one stands in for the version.
        return seal(key, account, randbits(63), route, {}, details, typ=READ)
    except NotSealable as error:
        raise RecordUnavailable(_NOT_NOW) from error


def _open(
    key: FoundKey | None, number: int, read_at: datetime, account: UUID, route: str, state: bytes
) -> Read:
    closed = Read(number, read_at, account, route, None, None, None, None, None)
    if key is DESTROYED:
        return closed
    if key is None:
        return replace(closed, broken=True)
    try:
        _, details = unseal(key, account, sealed_version(state, typ=READ), route, state, typ=READ)
        return replace(closed, **details)
    except (SealBroken, TypeError):
        return replace(closed, broken=True)


def _details(
    role: str, field_class: str, reason: str | None, break_glass: bool, position: int | None
) -> dict[str, Any]:
    return {
        "role": role,
        "field_class": field_class,
        "reason": reason,
        "break_glass": break_glass,
        "position": position,
    }
