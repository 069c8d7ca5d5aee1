"""Projectors that end at places that chance chose: told to stop, or broken off in the middle of a batch."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final, LiteralString

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from app.record.rows import StoredRow
from projections.all_models import MODELS
from projections.positions import positions, prepare, wait_for
from projections.read_model import is_heard
from projections.rebuild import rebuild
from tests.projections.conftest import Record, until

BATCHES: Final = (1, 4, 9, 25, 60)
HARD: Final[dict[str, LiteralString]] = {
    "killed": "SELECT pg_terminate_backend(pid, 5000)",
    "cancelled": "SELECT pg_cancel_backend(pid)",
}
_WAITS: Final = " FROM pg_locks WHERE relation = %s::regclass AND NOT granted"


class BrokenOffError(Exception):
    """A rebuild can't read on."""


class Stops:
    """Lets one projector after the other work on a record. `seen` counts what befell them."""

    def __init__(self, record: Record, chance: Random) -> None:
        self._record = record
        self._chance = chance
        self.seen = Counter[str]()
        with record.pool.connection() as connection:
            prepare(connection, MODELS.values())

    def work_a_while(self) -> None:
        """One projector, with batches of some size, up to some place; there another may be broken off."""
        newest, batch = self._record.newest, self._chance.choice(BATCHES)
        upto = self._chance.randint(self._reached(), newest)
        with self._record.projecting(batch=batch, upto=upto):
            assert wait_for(self._record.pool, upto, MODELS, timeout=10)
        self.seen["stopped"] += 1
        how, upto = self._chance.choice(("stopped", *HARD)), self._chance.randint(upto, newest)
        if how == "stopped":
            return
        if self._chance.random() < 0.9:
            with self._held_up(upto) as connection, self._record.projecting(batch=batch, upto=upto):
                how = self._break_off(connection, how, upto)
        else:
            with self._record.projecting(batch=batch, upto=upto):
                with self._held_up(upto) as connection:
                    how = self._break_off(connection, how, upto)
                # It isn't told to stop, and tries again.
                assert wait_for(self._record.pool, upto, MODELS, timeout=10)
                how += " and goes on"
        self.seen[how] += 1

    def rebuild_one(self) -> None:
        """Make one of the lists anew; sometimes it is broken off, and nothing comes of it."""
        model, record = MODELS[self._chance.choice(list(MODELS))], self._record
        batch, last = self._chance.choice(BATCHES), self._chance.randrange(1, record.newest)
        if self._chance.random() < 0.7:
            assert rebuild(record.pool, record.recorder.rows_after, record.mapper, model, batch=batch)
            self.seen["rebuilt"] += 1
            return

        def read(position: int, limit: int) -> list[StoredRow]:
            if position >= last:
                raise BrokenOffError
            return record.recorder.rows_after(position, limit)

        with pytest.raises(BrokenOffError):
            rebuild(record.pool, read, record.mapper, model, batch=batch)
        self.seen["half rebuilt"] += 1

    def _reached(self) -> int:
        with self._record.pool.connection() as connection:
            return min(positions(connection).values())

    @contextmanager
    def _held_up(self, upto: int) -> Iterator[tuple[Connection[Any], str]]:
        """Nobody can write to one of the lists that hear of what comes next: a batch waits half-way."""
        reached = self._reached()
        rows = self._record.recorder.rows_after(reached, upto - reached) if upto > reached else []
        hear = [m.name for m in MODELS.values() if any(is_heard(row.topic, {m.kind}) for row in rows)]
        table = self._chance.choice(hear or list(MODELS))
        with self._record.pool.connection() as connection, connection.transaction():
            connection.execute(SQL("LOCK TABLE {} IN SHARE MODE").format(Identifier("views", table)))
            yield connection, f"views.{table}"

    def _break_off(self, held_up: tuple[Connection[Any], str], how: str, upto: int) -> str:
        connection, table = held_up

        def waits() -> bool:
            row = connection.execute("SELECT count(*) > 0" + _WAITS, [table]).fetchone()
            return row == (True,)

        until(lambda: waits() or wait_for(self._record.pool, upto, MODELS, timeout=0))
        done = connection.execute(HARD[how] + _WAITS, [table]).fetchall()
        return how if done == [(True,)] else "stopped"
