"""Bring every read model up to date with the record, for as long as the process runs.

Of all the processes that run this one leads, by a lock of the database; the others stand by. Facts come in
batches, are opened once, and each batch's rows and positions are committed together, on the connection that
holds the lock: who lost the lock can't write. A lost connection is tried again; a fact that a model can't
take stops that model alone, and says so.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event
from time import monotonic
from traceback import extract_tb
from typing import Any, Final, Protocol

from psycopg import Connection, InterfaceError, OperationalError
from psycopg.errors import PipelineAborted, UndefinedTable
from psycopg_pool import ConnectionPool, PoolTimeout

from domain.fact import Fact
from projections.ahead import Ahead, Read, Row
from projections.positions import drop_abandoned, faults, move_on, positions, prepare
from projections.read_model import ReadModel, Told, absorb, by_kind, is_heard

LEADER_LOCK: Final = 4849336204517390
CHANNEL: Final = "casebook"
BATCH: Final = 2_000
"""Facts in one transaction, at most. In a school many cases grow side by side: in a large batch each of them
has several facts, and its row is read and written once for all of them."""
_STAND_BY_SECONDS: Final = 0.5
_LOOK_AGAIN_SECONDS: Final = 1.0
_LIVELY_SECONDS: Final = 2.0
_MOST_BACK_OFF: Final = 5.0

_log = logging.getLogger("casebook.projector")


class Opener(Protocol):
    """Opens stored facts, many at once."""

    def to_domain_events(self, rows: Iterable[Any]) -> list[Fact]:
        """The facts, in the order of the rows."""


PASSING: Final = (OperationalError, InterfaceError, PoolTimeout, UndefinedTable)
"""Errors that go away by trying again: a lost connection, a lock held too long, a table that is made anew."""
_TOO_LARGE: Final = "54"
"""The class of SQLSTATE for what the server can't hold at all. psycopg counts it as operational."""


Opened = Ahead[Sequence[Told] | None]


class _Moved(Exception):
    """Somebody else moved a model's position: a rebuild, or another leader."""


class Projector:
    """The loop. `pool` gives autocommit connections; `read` and `opener` are the record's and the mapper's.

    `passing` names further errors that mean "out of reach, try again", such as the key store's. `idle` is the
    longest wait, in seconds, between two looks at the record; `lively` the same while facts are coming.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        read: Read,
        opener: Opener,
        models: Sequence[ReadModel[Any]],
        *,
        batch: int = BATCH,
        idle: float = 0.02,
        lively: float = 0.004,
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._pool = pool
        self._read = read
        self._opener = opener
        self._models = models
        self._batch = batch
        self._idle = idle
        self._lively = lively
        self._passing = PASSING + passing
        self._positions: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._pause = _STAND_BY_SECONDS
        self.leading = False

    def run(self, stop: Event) -> None:
        """Lead, or stand by, until `stop` is set. No error ends it: it backs off and tries again."""
        while not stop.is_set():
            try:
                if self._pause > _STAND_BY_SECONDS:
                    # A server that was restarted has ended every idle connection: each would cost a try.
                    self._pool.check()
                with self._pool.connection() as connection:
                    if _lock(connection):
                        self._lead(connection, stop)
                self._pause = _STAND_BY_SECONDS
            except Exception as error:
                _log.warning("projector: %s, trying again in %.1f s", _kind_of(error), self._pause)
                if stop.wait(self._pause):
                    return
                self._pause = min(self._pause * 2, _MOST_BACK_OFF)
            else:
                stop.wait(_STAND_BY_SECONDS)

    def _lead(self, connection: Connection[Any], stop: Event) -> None:
        ahead = Ahead(self._read, self._batch, self._opened)
        try:
            prepare(connection, self._models)
            connection.execute("DELETE FROM views.faults")
            connection.execute(f"LISTEN {CHANNEL}")
            self._look(connection)
            self.leading = True
            _log.info("projector: leading")
            newest = looked = monotonic()
            while not stop.is_set():
                now = monotonic()
                if self._step(connection, ahead, stop):
                    newest = now
                    # What was met before this was over: the next outage isn't its continuation.
                    self._pause = _STAND_BY_SECONDS
                    continue
                if now - looked > _LOOK_AGAIN_SECONDS:
                    self._look(connection)
                    looked = now
                    self._pause = _STAND_BY_SECONDS
                wait = self._lively if now - newest < _LIVELY_SECONDS else self._idle
                for _ in connection.notifies(timeout=wait, stop_after=1):
                    pass
        finally:
            self.leading = False
            ahead.close()
            _give_back(connection)

    def _look(self, connection: Connection[Any]) -> None:
        # A rebuild in another process moves positions and takes faults away; one that was killed leaves its
        # table, from which nobody would erase a name.
        drop_abandoned(connection, self._models)
        self._positions = positions(connection)
        self._stopped = faults(connection)

    def _opened(self, rows: Sequence[Row]) -> Sequence[Told] | None:
        """What any model hears of them; None if one can't be opened, which is found when they are taken."""
        kinds = {model.kind for model in self._models}
        try:
            return open_rows(self._opener, [row for row in rows if is_heard(row.topic, kinds)])
        except Exception:
            return None

    def _step(self, connection: Connection[Any], ahead: Opened, stop: Event) -> bool:
        """One batch for each group of models that stand at the same place; whether there was any."""
        groups: dict[int, list[ReadModel[Any]]] = {}
        for model in self._models:
            if model.name not in self._stopped:
                groups.setdefault(self._positions[model.name], []).append(model)
        moved = False
        for position, models in groups.items():
            if stop.is_set():
                break
            rows, told = ahead.after(position)
            if rows:
                moved = True
                try:
                    self._take(connection, models, position, rows, told)
                except _Moved:
                    self._look(connection)
        return moved

    def _take(
        self,
        connection: Connection[Any],
        models: Sequence[ReadModel[Any]],
        position: int,
        rows: Sequence[Row],
        told: Sequence[Told] | None,
    ) -> None:
        upto = rows[-1].notification_id
        try:
            if told is None:
                kinds = {model.kind for model in models}
                told = open_rows(self._opener, [row for row in rows if is_heard(row.topic, kinds)])
            with connection.pipeline():
                self._advance(connection, models, position, told, upto)
        except _Moved:
            raise
        except Exception as error:
            if connection.closed or (self._passes(error) and not isinstance(error, PipelineAborted)):
                raise
            for model in models:
                own = [row for row in rows if is_heard(row.topic, {model.kind})]
                self._isolate(connection, model, own, upto)

    def _isolate(
        self, connection: Connection[Any], model: ReadModel[Any], rows: Sequence[Row], upto: int
    ) -> None:
        """Halve the rows until the one that the model can't take is found; up to there they count."""
        try:
            told = open_rows(self._opener, rows)
            self._advance(connection, [model], self._positions[model.name], told, upto)
        except Exception as error:
            if self._passes(error) or isinstance(error, _Moved):
                raise
            if positions(connection).get(model.name) != self._positions[model.name]:
                # A rebuild has overtaken these facts: the rows are further on, and no fact is at fault.
                raise _Moved from None
            if len(rows) > 1:
                half = len(rows) // 2
                self._isolate(connection, model, rows[:half], rows[half - 1].notification_id)
                if model.name not in self._stopped:
                    self._isolate(connection, model, rows[half:], upto)
            elif rows:
                _log.error("projector: %s stops: %s", model.name, _kind_of(error))
                self._stop(connection, model, rows[0].notification_id, type(error).__name__)
            else:
                raise

    def _passes(self, error: Exception) -> bool:
        """Whether it goes away by trying again, and no fact is at fault."""
        too_large = (getattr(error, "sqlstate", None) or "").startswith(_TOO_LARGE)
        return isinstance(error, self._passing) and not too_large

    def _advance(
        self,
        connection: Connection[Any],
        models: Sequence[ReadModel[Any]],
        position: int,
        told: Sequence[Told],
        upto: int,
    ) -> None:
        """Rows and positions in one transaction."""
        heard = by_kind(told, {model.kind for model in models})
        with connection.transaction():
            moving = [connection.execute(*statement) for statement in move_on(models, position, upto)]
            absorb(connection, [(m, m.name, heard[m.kind]) for m in models])
            if sum(len(cursor.fetchall()) for cursor in moving) != len(models):
                raise _Moved
        self._positions.update({model.name: upto for model in models})

    def _stop(self, connection: Connection[Any], model: ReadModel[Any], position: int, error: str) -> None:
        connection.execute(
            "INSERT INTO views.faults (name, position, error) VALUES (%s, %s, %s)"
            " ON CONFLICT (name) DO UPDATE SET (position, error) = ROW (excluded.position, excluded.error)",
            [model.name, position, error],
        )
        self._stopped.add(model.name)


def open_rows(opener: Opener, rows: Sequence[Row]) -> list[Told]:
    """Stored rows as facts with their envelopes."""
    facts = opener.to_domain_events(rows)
    return [Told(f, row.notification_id, row.recorded_at) for f, row in zip(facts, rows, strict=True)]


def _lock(connection: Connection[Any]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
    return row == (True,)


def _kind_of(error: Exception) -> str:
    """The kind of an error and where it came up; its text may hold what was in a row."""
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place


def _give_back(connection: Connection[Any]) -> None:
    try:
        connection.execute("UNLISTEN *; SELECT pg_advisory_unlock_all()")
    except PASSING:
        # In the pool, with the lock still held, it would keep everybody from leading.
        connection.close()
