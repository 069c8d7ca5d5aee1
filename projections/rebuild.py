"""Fill a read model again from the record, beside the one that people read, and swap them at the end."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from psycopg import Connection, Error
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

from projections.ahead import Read
from projections.positions import (
    lock_rebuild,
    prepare,
    put_position,
    shadow_of,
    table_of,
    unlock_rebuild,
)
from projections.projector import BATCH, Opener, open_rows
from projections.read_model import ReadModel, absorb, is_heard


class RebuildFailed(Exception):
    """The rebuild stopped; what people read is as it was. Names model, position and kind of error."""


def rebuild(
    pool: ConnectionPool[Any],
    read: Read,
    opener: Opener,
    model: ReadModel[Any],
    *,
    batch: int = BATCH,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Build one model anew from the first fact, beside a running projector; readers see no gap.

    Gives the position that it shows in the end; `progress` hears the position after each batch. A fault of
    the model is taken away. Raises RebuildFailed, and what `pool` and `read` raise when out of reach.
    """
    with pool.connection() as connection:
        if not lock_rebuild(connection, model):
            raise RebuildFailed(f"{model.name} is being rebuilt already.")
        try:
            return _Rebuild(connection, read, opener, model, batch, progress).run()
        finally:
            if not connection.closed:
                unlock_rebuild(connection, model)


class _Rebuild:
    def __init__(
        self,
        connection: Connection[Any],
        read: Read,
        opener: Opener,
        model: ReadModel[Any],
        batch: int,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._connection = connection
        self._read = read
        self._opener = opener
        self._model = model
        self._batch = batch
        self._progress = progress
        self._shadow = shadow_of(model)
        self._position = 0

    def run(self) -> int:
        prepare(self._connection, [self._model])
        try:
            self._drop_shadow()
            for definition in self._model.definition(self._shadow):
                self._connection.execute(definition)
            while self._more():
                pass
            self._swap()
        except BaseException:
            # It has names in clear, and nobody would erase one from it. If this fails, too, the projector
            # finds it.
            with suppress(Error):
                self._drop_shadow()
            raise
        return self._position

    def _drop_shadow(self) -> None:
        shadow = Identifier("views", self._shadow)
        self._connection.execute(SQL("DROP TABLE IF EXISTS {}").format(shadow))

    def _swap(self) -> None:
        live, shadow = Identifier("views", self._model.name), Identifier("views", self._shadow)
        try:
            with self._connection.transaction():
                self._connection.execute("SET LOCAL lock_timeout = '5s'")
                # From here on the projector can't move the live table.
                query = SQL("SELECT position FROM {} WHERE name = %s FOR UPDATE").format(
                    table_of(self._model)
                )
                row = self._connection.execute(query, [self._model.name]).fetchone()
                while row is not None and self._position < row[0] and self._more():
                    pass
                self._connection.execute(SQL("DROP TABLE {}").format(live))
                self._connection.execute(
                    SQL("ALTER TABLE {} RENAME TO {}").format(shadow, Identifier(self._model.name))
                )
                put_position(self._connection, self._model, self._position)
                self._connection.execute("DELETE FROM views.faults WHERE name = %s", [self._model.name])
        except LockNotAvailable:
            raise RebuildFailed(
                f"{self._model.name} is being read by somebody for too long, perhaps by a back-up. "
                "Nothing was changed. Try again later."
            ) from None

    def _more(self) -> bool:
        rows = self._read(self._position, self._batch)
        if not rows:
            return False
        try:
            heard = [row for row in rows if is_heard(row.topic, {self._model.kind})]
            told = open_rows(self._opener, heard)
            with self._connection.pipeline(), self._connection.transaction():
                absorb(self._connection, [(self._model, self._shadow, told)])
        except Exception as error:
            name = type(error).__name__
            raise RebuildFailed(
                f"{self._model.name} stopped after position {self._position}: {name}"
            ) from None
        self._position = rows[-1].notification_id
        if self._progress is not None:
            self._progress(self._position)
        return True
