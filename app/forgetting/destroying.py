"""Carry out what two people agreed on: destroy the keys, wait until nobody uses them, say that it is done.

Each step can be the last before a machine goes down: whoever comes next does what is left. A key is on the
list of destroyed keys before it is destroyed, and destroyed before that is recorded.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import Connection, InterfaceError, OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout

from app.casework import Casework
from app.forgetting.destroyed_list import DestroyedList
from app.house import House
from app.record.errors import RecordUnavailable, VersionConflict
from app.record.keys import KeyMissing, KeysUnavailable
from domain.erasure import Erasure
from domain.fact import By
from domain.pupil import Pupil
from domain.staff import SYSTEM
from projections.erasures import Erasures
from projections.positions import wait_for

LOOK_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 5.0
_ONE_AT_A_TIME: Final = 4849336204517392
_PASSING: Final = (OperationalError, InterfaceError, PoolTimeout, RecordUnavailable, KeysUnavailable)

_log = logging.getLogger("casebook.forgetting")


class NowhereToList(Exception):
    """There is no file for the list of destroyed keys, so that nothing may be destroyed."""


@dataclass
class Outcome:
    """What a round came to: erasures that were completed, and those that a legal hold stops."""

    completed: list[UUID] = field(default_factory=list)
    held: list[UUID] = field(default_factory=list)


def is_held(casework: Casework, erasure: Erasure) -> bool:
    """Whether a legal hold was put on anybody in it, since it was ordered too."""
    found = (casework.load(Pupil, one) for one in erasure.people)
    return any(pupil is not None and pupil.held for pupil in found)


class Forgetting:
    """Finishes what was ordered. One process at a time does; the others find nothing left to do.

    `tell` hears of each step, for people at a terminal.
    """

    def __init__(self, house: House, tell: Callable[[str], None] = lambda _step: None) -> None:
        self._house = house
        self._tell = tell
        path = house.settings.destroyed_file
        self._listed = DestroyedList(path) if path else None

    def finish(self, stop: Event | None = None) -> Outcome:
        """Finish every erasure that was ordered. `stop` ends the wait for other processes; then a later call
        goes on.

        Raises NowhereToList, KeyMissing, and what databases and files raise.
        """
        stop = stop or Event()
        outcome = Outcome()
        with self._alone() as ours:
            ordered = [one.erasure_id for one in self._erasures()] if ours else []
            emptied = []
            for erasure_id in ordered:
                if self._destroy(erasure_id):
                    emptied.append(erasure_id)
                else:
                    outcome.held.append(erasure_id)
            if emptied:
                self._tell("Waiting until every process has forgotten")
                self._house.forget()
                # After that no process uses a key that it remembers: app/record/key_watch.py.
                if not stop.wait(self._house.lease):
                    for erasure_id in emptied:
                        self._record(erasure_id, Erasure.complete)
                        outcome.completed.append(erasure_id)
        return outcome

    def run(self, stop: Event) -> None:
        """Look for something to finish until `stop` is set. No error ends it."""
        pause = LOOK_SECONDS
        while not stop.wait(pause):
            pause = LOOK_SECONDS
            try:
                done = self.finish(stop)
                for erasure_id in done.completed:
                    _log.info("forgetting: %s completed", erasure_id)
                pause = _AGAIN_SECONDS if done.held else LOOK_SECONDS
            except _PASSING:
                pause = _AGAIN_SECONDS
            except Exception as error:
                _log.error(
                    "forgetting: %s, trying again in %.0f s", type(error).__name__, 12 * _AGAIN_SECONDS
                )
                pause = 12 * _AGAIN_SECONDS

    def _erasures(self) -> list[Any]:
        newest = self._house.recorder.max_notification_id() or 0
        wait_for(self._house.pool, newest, ["erasures"])
        return Erasures(self._house.pool).ordered()

    def _destroy(self, erasure_id: UUID) -> bool:
        """Destroy what is left of one erasure's keys; whether nothing is."""
        erasure = self._load(erasure_id)
        listed = {one.originator_id for one in self._listed.read()} if self._listed else set()
        for target in erasure.targets:
            if target in erasure.destroyed:
                continue
            # What is on the list can't be kept any more: every copy of the list destroys it.
            if target not in listed and is_held(self._house.casework, erasure):
                return False
            if self._listed is None:
                raise NowhereToList("Set CASEBOOK_DESTROYED_FILE: the list of destroyed keys.")
            self._tell("Destroying a key")
            kid = destroy(self._house.keys_pool, self._listed, target)
            # A keyed hash of the name by which they signed in stands beside the record.
            self._house.accounts.forget(target)
            self._record(erasure_id, partial(Erasure.key_destroyed, target=target, kid=kid.hex()))
        return True

    def _record(self, erasure_id: UUID, say: Callable[[Erasure, By], None]) -> None:
        casework: Casework = self._house.casework
        for attempt in (1, 2, 3):
            erasure = self._load(erasure_id)
            say(erasure, By(SYSTEM, uuid4(), casework.today(), policy=casework.policy()))
            if not erasure.pending_events:
                return
            try:
                casework.save([erasure])
                return
            except VersionConflict:
                if attempt == 3:
                    raise

    def _load(self, erasure_id: UUID) -> Erasure:
        found = self._house.casework.load(Erasure, erasure_id)
        if found is None:
            raise KeyMissing(f"There is no erasure {erasure_id}.")
        return found

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        with self._house.pool.connection() as connection:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME]).fetchone()
            try:
                yield row == (True,)
            finally:
                _unlock(connection)


def destroy(pool: ConnectionPool, listed: DestroyedList, originator_id: UUID) -> bytes:
    """Destroy one key: onto the list first, then out of the store. Gives its name; again, the same.

    Raises KeyMissing, and what database and file raise.
    """
    with pool.connection() as connection:
        row = connection.execute(
            "SELECT kid FROM keys.data_keys WHERE originator_id = %s", [originator_id]
        ).fetchone()
        if row is None:
            raise KeyMissing(f"There is no key for {originator_id}.")
        kid: bytes = row[0]
        listed.add(kid, originator_id)
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = clock_timestamp()"
            " WHERE kid = %s AND destroyed_at IS NULL",
            [kid],
        )
    return kid


def apply_list(pool: ConnectionPool, listed: DestroyedList) -> list[UUID]:
    """Destroy every listed key that is in the store, as after a restore; gives whose they were.

    A key that the restored store never had leaves its row too: what was erased is never a missing row.
    Raises ListBroken, and what database and file raise.
    """
    again = []
    with pool.connection() as connection:
        for one in listed.read():
            done = connection.execute(
                "INSERT INTO keys.data_keys (kid, originator_id, kek_id, wrapped, destroyed_at)"
                " VALUES (%s, %s, repeat('0', 16), NULL, clock_timestamp())"
                " ON CONFLICT (kid) DO UPDATE SET wrapped = NULL, destroyed_at = clock_timestamp()"
                " WHERE data_keys.destroyed_at IS NULL",
                [one.kid, one.originator_id],
            )
            if done.rowcount:
                again.append(one.originator_id)
    return again


def _unlock(connection: Connection[Any]) -> None:
    try:
        connection.execute("SELECT pg_advisory_unlock_all()")
    except BaseException as error:
        # In the pool, with the lock still held, it would keep everybody from finishing.
        connection.close()
        if not isinstance(error, _PASSING):
            raise
