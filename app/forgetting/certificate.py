"""The certificate of an erasure: what, when, by whom, between which checkpoints, and who has copies.

It names keys, accounts and times, and nobody who was forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.casework import Told
from app.house import House
from app.proof.checkpoints import Checkpoints, Kept
from app.proof.epoch import entries, statements_in
from app.proof.pack import ROUTE
from app.record.reads import Read
from domain.erasure import Completed, Erasure, Grounds, KeyDestroyed, Ordered, Requested, State, Withdrawn
from domain.retention import Scope


@dataclass(frozen=True)
class Step:
    """One step: whose account took it, when it was recorded (UTC), and its position in the record."""

    account: UUID
    at: datetime
    position: int


@dataclass(frozen=True)
class GoneKey:
    """One key that was destroyed: whose part of the record, and the key's name (hex)."""

    target: UUID
    kid: str
    at: datetime


@dataclass(frozen=True)
class Certificate:
    """What became of one request.

    `before` is the newest checkpoint from before the first key was destroyed, `after` the first that covers
    the completion; None while there is none.

    `packs` are the evidence packs in which any part of it was handed out: they can't be called back.
    """

    erasure_id: UUID
    state: State
    scope: Scope
    grounds: Grounds
    reason: str
    requested: Step
    approved: Step | None
    withdrawn: Step | None
    completed: Step | None
    parts: int
    keys: tuple[GoneKey, ...]
    before: Kept | None
    after: Kept | None
    packs: tuple[Read, ...]


def certificate(house: House, erasure_id: UUID) -> Certificate | None:
    """The certificate of one erasure, as far as it has come; None when there is no such erasure.

    Raises RecordUnavailable, KeyFault, and what the database raises.
    """
    told = house.casework.stream(Erasure, erasure_id)
    asked = next((one.fact for one in told if isinstance(one.fact, Requested)), None)
    if asked is None:
        return None
    erasure = Erasure.blank(erasure_id)
    for one in told:
        one.fact.mutate(erasure)
    gone = [one for one in told if isinstance(one.fact, KeyDestroyed)]
    completed = _step(told, Completed)
    checkpoints, origins = Checkpoints(house.pool, house.log_keys()), _origins(house)
    return Certificate(
        erasure_id=erasure_id,
        state=erasure.state,
        scope=asked.scope,
        grounds=asked.grounds,
        reason=asked.reason,
        requested=Step(asked.recorded_by, told[0].recorded_at, told[0].position),
        approved=_step(told, Ordered),
        withdrawn=_step(told, Withdrawn),
        completed=completed,
        parts=len(erasure.targets),
        keys=tuple(_gone(one) for one in gone),
        before=_newest_below(checkpoints, origins, gone[0].position) if gone else None,
        after=_first_with(checkpoints, origins, completed.position) if completed else None,
        packs=packs_of(house, [*erasure.targets, *([erasure.pupil_id] if erasure.pupil_id else [])]),
    )


def packs_of(house: House, subjects: Sequence[UUID]) -> tuple[Read, ...]:
    """Every evidence pack that any of these subjects is in, the oldest first."""
    found: dict[int, Read] = {}
    for subject in subjects:
        before: int | None = None
        while reads := house.reads.readers(subject, before=before, route=ROUTE):
            # Choosing the cases is noted under the same address, and shows a list.
            found |= {read.id: read for read in reads if read.field_class in ("evidence", None)}
            before = reads[-1].id
    return tuple(found[number] for number in sorted(found))


def _origins(house: House) -> list[str]:
    """The record's own name, and after it that of each epoch that it had to begin."""
    keys = house.log_keys()
    with house.pool.connection() as connection:
        row = connection.execute("SELECT origin FROM record.origin").fetchone()
        epochs = statements_in(connection, keys)
    return [row[0] if row else house.settings.origin, *(epoch.origin for epoch in epochs)]


def _step(told: Sequence[Told], kind: type[Ordered | Withdrawn | Completed]) -> Step | None:
    found = next((one for one in told if isinstance(one.fact, kind)), None)
    return Step(found.fact.recorded_by, found.recorded_at, found.position) if found else None


def _gone(told: Told) -> GoneKey:
    fact = told.fact
    if not isinstance(fact, KeyDestroyed):
        raise TypeError("Not the fact that a key was destroyed.")
    return GoneKey(fact.target, fact.kid, told.recorded_at)


def _newest_below(checkpoints: Checkpoints, origins: list[str], position: int) -> Kept | None:
    for origin in reversed(origins):
        # A later epoch's checkpoints have one leaf more than entries.
        for kept in checkpoints.listed(origin, below=position + (origin != origins[0]), limit=1):
            return kept
    return None


def _first_with(checkpoints: Checkpoints, origins: list[str], position: int) -> Kept | None:
    found, below = None, None
    while kept := checkpoints.listed(origins[-1], below=below):
        for one in kept:
            if entries(one.size, one.origin, origins[0]) < position:
                return found
            found = one
        below = kept[-1].size
    return found
