"""How far each read model has read, and what stopped it.

Positions of unlogged tables are rows of an unlogged table themselves: after a crash both are empty, so that a
position never says "up to date" over nothing.
"""

from collections.abc import Iterable, Sequence
from time import monotonic, sleep
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Composed, Identifier
from psycopg_pool import ConnectionPool

from projections.read_model import ReadModel

_PREPARING: Final = 4849336204517391
_REBUILDING: Final = 4849336
_EVERY_MS: Final = 5
_FOUND: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'views'::regnamespace AND relname = ANY(%s)"
)

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS views.positions"
    " (name text PRIMARY KEY, position bigint NOT NULL, shape text NOT NULL)",
    "CREATE UNLOGGED TABLE IF NOT EXISTS views.unlogged_positions"
    " (name text PRIMARY KEY, position bigint NOT NULL, shape text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS views.faults"
    " (name text PRIMARY KEY, position bigint NOT NULL, error text NOT NULL,"
    " at timestamptz NOT NULL DEFAULT clock_timestamp())",
)
_POSITIONS: Final = (
    "SELECT name, position FROM views.positions UNION ALL SELECT name, position FROM views.unlogged_positions"
)


class Standing(NamedTuple):
    """Where a read model is: the position that it shows, how many facts behind, what stopped it (or None)."""

    name: str
    position: int
    lag: int
    fault: str | None


def table_of(model: ReadModel[Any]) -> Identifier:
    """The table that holds this model's position."""
    return Identifier("views", "unlogged_positions" if model.unlogged else "positions")


def prepare(connection: Connection[Any], models: Iterable[ReadModel[Any]]) -> None:
    """Make the tables that are missing or of another shape; such a model starts from the first fact.

    Any process may call it at any time, on an autocommit connection that may create in schema `views`.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_PREPARING])
        if connection.execute("SELECT to_regclass('views.faults') IS NULL").fetchone() == (True,):
            for statement in _TABLES:
                connection.execute(statement)
        for model in models:
            query = SQL("SELECT FROM {} WHERE name = %s AND shape = %s AND to_regclass(%s) IS NOT NULL")
            said = [model.name, model.shape, f"views.{model.name}"]
            if connection.execute(query.format(table_of(model)), said).fetchone() is None:
                put_position(connection, model, 0)
                connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("views", model.name)))
                for definition in model.definition(model.name):
                    connection.execute(definition)


def shadow_of(model: ReadModel[Any]) -> str:
    """The name of the table that a rebuild fills beside the one that people read."""
    return f"{model.name}__shadow"


def lock_rebuild(connection: Connection[Any], model: ReadModel[Any]) -> bool:
    """Take the lock of whoever rebuilds this model, unless somebody has it."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_REBUILDING, model.name])
    return row.fetchone() == (True,)


def unlock_rebuild(connection: Connection[Any], model: ReadModel[Any]) -> None:
    """Give that lock back."""
    connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_REBUILDING, model.name])


def drop_abandoned(connection: Connection[Any], models: Iterable[ReadModel[Any]]) -> None:
    """Drop what a rebuild left that was killed. One that goes on has its lock, and keeps its table."""
    by_shadow = {shadow_of(model): model for model in models}
    found = connection.execute(_FOUND, [list(by_shadow)]).fetchall()
    for (shadow,) in found:
        if lock_rebuild(connection, by_shadow[shadow]):
            try:
                connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("views", shadow)))
            finally:
                unlock_rebuild(connection, by_shadow[shadow])


def put_position(connection: Connection[Any], model: ReadModel[Any], position: int) -> None:
    """Say where the model is, wherever it was. Takes the lock on that row until the transaction ends."""
    query = SQL(
        "INSERT INTO {} (name, position, shape) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET (position, shape) = ROW (excluded.position, excluded.shape)"
    ).format(table_of(model))
    connection.execute(query, [model.name, position, model.shape])


def move_on(models: Sequence[ReadModel[Any]], before: int, after: int) -> list[tuple[Composed, list[Any]]]:
    """The statements that move models on; each gives the names of those that were where they were thought.

    They come first in a transaction: whoever wants to swap a model's table waits for its position's lock.
    """
    statements = []
    for alike in ([m for m in models if not m.unlogged], [m for m in models if m.unlogged]):
        if alike:
            query = SQL("UPDATE {} SET position = %s WHERE name = ANY(%s) AND position = %s RETURNING name")
            names = [model.name for model in alike]
            statements.append((query.format(table_of(alike[0])), [after, names, before]))
    return statements


def positions(connection: Connection[Any]) -> dict[str, int]:
    """Every model's position."""
    return dict(connection.execute(_POSITIONS).fetchall())


def faults(connection: Connection[Any]) -> set[str]:
    """The models that were stopped by a fact that they couldn't take."""
    return {name for (name,) in connection.execute("SELECT name FROM views.faults")}


def wait_for(
    pool: ConnectionPool[Any], position: int, names: Iterable[str] | None = None, timeout: float = 2.0
) -> bool:
    """Wait, for a page after a command, until read models show a position: those named, else all not stopped.

    False when they don't within `timeout` seconds, or at once when one that is named is stopped: then the
    page says "being updated". Raises PoolTimeout and OperationalError when the database is out of reach.
    """
    wanted = None if names is None else set(names)
    until = monotonic() + timeout
    with pool.connection() as connection:
        while True:
            try:
                stopped, reached = faults(connection), positions(connection)
            except UndefinedTable:
                stopped, reached = set(), {}
            if wanted is not None and wanted & stopped:
                return False
            for_all = reached.keys() - stopped if wanted is None else wanted
            if for_all and all(reached.get(name, -1) >= position for name in for_all):
                return True
            if monotonic() >= until:
                return False
            sleep(_EVERY_MS / 1000)


def status(pool: ConnectionPool[Any]) -> list[Standing]:
    """Every read model's position, lag in facts, and fault, for `casebook status` and `/readyz`."""
    query = (
        f"SELECT p.name, p.position, greatest(h.size - p.position, 0), f.error FROM ({_POSITIONS}) p"
        " CROSS JOIN (SELECT size FROM record.heads WHERE log = 'events') h"
        " LEFT JOIN views.faults f ON f.name = p.name ORDER BY p.name"
    )
    with pool.connection() as connection:
        try:
            return [Standing(*row) for row in connection.execute(query)]
        except UndefinedTable:
            return []
