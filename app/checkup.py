"""How the system is, looked up in one place for `casebook status`, the administrator's page and /metrics.

It counts and dates, and shows nothing of what was recorded.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.errors import UndefinedTable

from app import alerts
from app.alerts import Alerts, Due
from app.forgetting.destroying import is_held
from app.house import House
from app.post import post_of
from app.proof.anchor import WATCH_LOCK
from app.proof.checkpoints import CheckpointFile, Checkpoints
from app.proof.epoch import entries, own_origin, statements_beside, statements_in
from app.proof.verifier import Epoch
from domain.erasure import Erasure
from projections import projector
from projections.all_models import MODELS
from projections.erasures import Erasures
from projections.positions import Standing, status

_LOGS: Final = "SELECT log, size, last_at FROM record.heads"
_LAST_SENT: Final = "SELECT max(recorded_at) FROM record.events WHERE topic = 'concern.notified'"
_HELD: Final = """
    SELECT ((classid::bigint << 32) | objid::bigint) FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_AFTER: Final = "SELECT recorded_at FROM record.events WHERE notification_id = %s"
_REFUSED: Final = "SELECT why, said_at FROM record.refusals ORDER BY said_at DESC LIMIT 1"
NOT_MADE: Final = "not made yet"
"""What stands for the fault of a list that the projector never began."""
LATE: Final = timedelta(minutes=30)
"""How long after a fact a checkpoint over it is missed: the anchor makes one every few minutes."""
FORGOTTEN_AFTER: Final = timedelta(minutes=15)
"""How long after its approval an erasure is missed: the projector carries one out within seconds."""


class AtWork(NamedTuple):
    """Whether some process keeps the lists up to date, sends alerts, and signs checkpoints."""

    keeping: bool
    ringing: bool
    anchoring: bool


def at_work(connection: Connection[Any]) -> AtWork:
    """Who is at work on a record now, by the locks that they hold. Raises psycopg.Error."""
    held = {key for (key,) in connection.execute(_HELD)}
    return AtWork(projector.LEADER_LOCK in held, alerts.LEADER_LOCK in held, WATCH_LOCK in held)


def why_not_signed(connection: Connection[Any], file: CheckpointFile) -> str | None:
    """What keeps the anchor from signing, for who watches it; None when nothing does. `file` is the anchor's.

    Asks the record alone, since the anchor knows no keys. Raises psycopg.Error, TornFile.
    """
    refused, _ = connection.execute(_REFUSED).fetchone() or (None, None)
    if refused:
        return str(refused)
    if not at_work(connection).anchoring:
        return "No anchor is at work on this record."
    first, epochs = own_origin(connection), statements_beside(file.path)
    newest = file.newest(epochs[-1].origin if epochs else first)
    signed = entries(newest[0].size, newest[0].origin, first) if newest else 0
    after = connection.execute(_AFTER, [signed + 1]).fetchone()
    if after and datetime.now(UTC) - after[0] > LATE and not first.endswith("/demo"):
        return f"The anchor's file ends with fact {signed:,}, and what came after it waits for too long."
    return None


@dataclass(frozen=True)
class Checkup:
    """The record, its lists, its alerts and its e-mail at one moment.

    `keeping`, `ringing` and `anchoring` are of `AtWork`. `signed` is how many facts the newest checkpoint
    covers; `refused` why the anchor signs no more, in its own words, and `refused_at` since when;
    `unsigned_since` when the first fact was recorded that no checkpoint covers, where times aren't invented.
    `mail` is how alerts leave: "e-mail", "outbox" or "none". `epochs` say which entries were lost, if any
    ever were. `unforgotten` is how many erasures were approved a while ago and aren't carried out.
    """

    at: datetime
    facts: int
    newest_at: datetime | None
    reads: int
    lists: tuple[Standing, ...]
    keeping: bool
    ringing: bool
    anchoring: bool
    signed: int
    signed_at: datetime | None
    unacknowledged: int
    waiting: tuple[Due, ...]
    mail: str
    last_sent_at: datetime | None
    epochs: tuple[Epoch, ...] = ()
    refused: str | None = None
    refused_at: datetime | None = None
    unsigned_since: datetime | None = None
    unforgotten: int = 0

    @property
    def stopped(self) -> tuple[Standing, ...]:
        """The lists that met a fact which they can't take."""
        return tuple(one for one in self.lists if one.fault not in (None, NOT_MADE))

    @property
    def unmade(self) -> tuple[Standing, ...]:
        """The lists that the projector never began, as on the first day and after an upgrade."""
        return tuple(one for one in self.lists if one.fault == NOT_MADE)

    @property
    def behind(self) -> tuple[Standing, ...]:
        """The lists that are still being brought up to date."""
        return tuple(one for one in self.lists if one.lag and not one.fault)

    @property
    def late(self) -> bool:
        """Something is recorded that should have been signed by now, whatever the anchor says of itself."""
        return self.unsigned_since is not None and self.at - self.unsigned_since > LATE

    @property
    def signing(self) -> bool:
        """Checkpoints are made as they should be."""
        return self.anchoring and not self.refused and not self.late

    @property
    def in_order(self) -> bool:
        """Nobody needs to do anything."""
        kept = self.keeping and self.ringing and not self.stopped and not self.unmade
        said = self.signing and not self.waiting and self.mail != "none"
        return kept and said and not self.unforgotten


def check(house: House) -> Checkup:
    """Look at everything.

    Raises psycopg.Error, PoolTimeout or KeyFault when something is out of reach.
    """
    keys = house.log_keys()
    post = post_of(house.settings)
    bell = Alerts(house.pool, house.casework, post, house.settings.base_url)
    with house.pool.connection() as connection:
        logs = {log: (size, last_at) for log, size, last_at in connection.execute(_LOGS)}
        sent = connection.execute(_LAST_SENT).fetchone()
        refused, refused_at = connection.execute(_REFUSED).fetchone() or (None, None)
        epochs = tuple(statements_in(connection, keys))
        first = own_origin(connection)
        working = at_work(connection)
    facts, newest_at = logs["events"]
    newest = Checkpoints(house.pool, keys).newest(epochs[-1].origin if epochs else first)
    signed = entries(newest.size, newest.origin, first) if newest else 0
    with house.pool.connection() as connection:
        after = None if first.endswith("/demo") else connection.execute(_AFTER, [signed + 1]).fetchone()
    known = {one.name: one for one in status(house.pool)}
    return Checkup(
        at=datetime.now(UTC),
        facts=facts,
        newest_at=newest_at if facts else None,
        reads=logs["reads"][0],
        lists=tuple(known.get(name, Standing(name, 0, facts, NOT_MADE)) for name in MODELS),
        keeping=working.keeping,
        ringing=working.ringing,
        anchoring=working.anchoring,
        signed=signed,
        signed_at=newest.made_at if newest else None,
        unacknowledged=bell.unacknowledged(),
        waiting=tuple(bell.waiting()),
        mail=post.channel,
        last_sent_at=sent[0] if sent else None,
        epochs=epochs,
        refused=refused,
        refused_at=refused_at,
        unsigned_since=after[0] if after else None,
        unforgotten=_unforgotten(house),
    )


def _unforgotten(house: House) -> int:
    """How many erasures were approved a while ago, are stopped by no legal hold, and aren't carried out."""
    try:
        ordered = Erasures(house.pool).ordered()
    except UndefinedTable:
        return 0
    late = [
        loaded
        for one in ordered
        if one.ordered_at and datetime.now(UTC) - one.ordered_at > FORGOTTEN_AFTER
        if (loaded := house.casework.load(Erasure, one.erasure_id))
    ]
    return sum(not is_held(house.casework, erasure) for erasure in late)
