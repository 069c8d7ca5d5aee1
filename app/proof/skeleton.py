"""The skeleton of the record: a digest of each fact, in order."""

from typing import Any, Final

from psycopg_pool import ConnectionPool

_CHUNK: Final = 20_000
_LEAVES: Final = r"""
    SELECT string_agg(uuid_send(originator_id) || int8send(originator_version) || sha256(
        'casebook-event/1'::bytea || '\x0a'::bytea
        || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint)
        || int2send(octet_length(convert_to(topic, 'UTF8'))::smallint) || convert_to(topic, 'UTF8')
        || sha256(state)), ''::bytea ORDER BY notification_id)
      FROM record.events WHERE notification_id > %s AND notification_id <= %s
"""


def leaves(pool: ConnectionPool[Any], size: int) -> bytes:
    """The leaves of the ledger up to a size, from the rows themselves: hashed where they are, which is less
    than half the work of fetching them. Raises psycopg.Error and PoolTimeout."""
    parts = []
    with pool.connection() as connection:
        for begin in range(0, size, _CHUNK):
            row = connection.execute(_LEAVES, [begin, min(begin + _CHUNK, size)], binary=True).fetchone()
            parts.append(row[0] if row and row[0] else b"")
    return b"".join(parts)
