"""A raised concern rings at the people who answer for safeguarding, again and again until it has been read.

Driven by the record itself, not by a list, so that a bug in a list can't silence it. An alert says nothing
about the child. Whom it reached is recorded as `Notified` and decides who is due again, so a restart forgets
nothing; a crash between sending and recording sends once more.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from time import monotonic
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import OperationalError
from psycopg_pool import ConnectionPool

from app.casework import Casework
from app.post import NotSent, Post
from app.record.errors import RecordUnavailable, VersionConflict
from app.record.keys import KeysUnavailable
from domain.concern import Concern
from domain.concern_facts import Notified
from domain.fact import ERASED, By
from domain.staff import SYSTEM, AccountOpened, Corrected, Staff

EVERY_SECONDS: Final = 2.0
MOST_BACK_OFF: Final = 15.0
MOST_OUT_OF_REACH: Final = 5.0
TRIES: Final = 5
LEADER_LOCK: Final = 4849336204517381

# Who hears of it: the first group in which anybody can be reached.
_ABOUT_PUPIL: Final = (("dsl", "deputy_dsl"), ("head",), ("chair",))
_ABOUT_STAFF: Final = (("head",), ("chair",), ("dsl", "deputy_dsl"))

_UNREAD: Final = """
    SELECT r.originator_id, r.recorded_at FROM record.events r
     WHERE r.topic = 'concern.raised' AND NOT EXISTS (
           SELECT FROM record.events a WHERE a.originator_id = r.originator_id
              AND a.topic IN ('concern.acknowledged', 'concern.closed'))
     ORDER BY r.notification_id
"""
_WITH_ROLE: Final = """
    SELECT id FROM access.accounts WHERE role = ANY(%s) AND disabled_at IS NULL ORDER BY created_at, id
"""

OUT_OF_REACH: Final = (RecordUnavailable, KeysUnavailable, OperationalError)
"""The record or its keys: for all concerns, or for none."""

_log = logging.getLogger("casebook.alerts")


@dataclass(frozen=True)
class Recipient:
    """Somebody to alert."""

    account: UUID
    email: str = field(repr=False)


Recipients = dict[Sequence[tuple[str, ...]], list[Recipient]]
"""Who can be reached of those who hear of a concern, as far as somebody has looked."""


@dataclass(frozen=True)
class Due:
    """A concern that nobody has read, and whom to alert now. Not `reachable`: there is nobody at all."""

    concern_id: UUID
    raised_at: datetime
    people: tuple[Recipient, ...]
    reachable: bool


class Alerts:
    """The alerts of one record. `pool` is the record's."""

    def __init__(self, pool: ConnectionPool[Any], casework: Casework, post: Post, base_url: str) -> None:
        self._pool = pool
        self._casework = casework
        self._post = post
        self._base_url = base_url
        self._later: dict[UUID, tuple[float, float]] = {}
        self._rang: dict[tuple[UUID, UUID], float] = {}

    def run(self, stop: Event) -> None:
        """Send what is due until `stop` is set. Of all processes one does it; no error ends it."""
        pause = EVERY_SECONDS
        while not stop.is_set():
            try:
                if pause > EVERY_SECONDS:
                    # A server that was restarted has ended every idle connection: each would cost a try.
                    self._pool.check()
                with self._pool.connection() as connection:
                    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
                    if row == (True,):
                        try:
                            while not stop.is_set():
                                # Fails when the connection, and so the lock, is lost.
                                connection.execute("SELECT 1")
                                self.send_due()
                                pause = EVERY_SECONDS
                                stop.wait(EVERY_SECONDS)
                        finally:
                            if not connection.closed:
                                connection.execute("SELECT pg_advisory_unlock(%s)", [LEADER_LOCK])
            except Exception as error:
                # Its text may hold an address or what was in a row.
                _log.warning("alerts: %s, trying again in %.0f s", type(error).__name__, pause)
                stop.wait(pause)
                pause = min(pause * 2, MOST_OUT_OF_REACH)
            else:
                stop.wait(EVERY_SECONDS)

    def send_due(self) -> int:
        """Send every alert that is due and record whom it reached. Gives how many concerns that were."""
        sent = 0
        unread = self._unread()
        open_still = {concern_id for concern_id, _ in unread}
        self._later = {concern: late for concern, late in self._later.items() if concern in open_still}
        self._rang = {rang: at for rang, at in self._rang.items() if rang[0] in open_still}
        recipients: Recipients = {}
        for concern_id, raised_at in unread:
            not_before, pause = self._later.get(concern_id, (0.0, EVERY_SECONDS))
            if monotonic() < not_before:
                continue
            try:
                due = self._due(concern_id, raised_at, recipients, self._rang)
                if due.people:
                    self._alert(due)
                    self._rang |= {(concern_id, one.account): monotonic() for one in due.people}
                    sent += 1
                self._later.pop(concern_id, None)
            except OUT_OF_REACH:
                # It isn't this concern's fault, and none of the others could be read or recorded either.
                raise
            except Exception as error:
                # One concern that can't be sent must not keep the others waiting.
                _log.warning("alerts: %s, trying again in %.0f s", type(error).__name__, pause)
                self._later[concern_id] = (monotonic() + pause, min(pause * 2, MOST_BACK_OFF))
        return sent

    def waiting(self) -> list[Due]:
        """The concerns whose alert is due and hasn't left, for `casebook status`."""
        recipients: Recipients = {}
        found = [self._due(*unread, recipients) for unread in self._unread()]
        return [due for due in found if due.people or not due.reachable]

    def unacknowledged(self) -> int:
        """How many concerns nobody has read yet."""
        return len(self._unread())

    def notified(self, concern_id: UUID, told: Sequence[UUID]) -> None:
        """Record whom an alert reached, whatever else is recorded about the concern at the same moment."""
        for _ in range(TRIES):
            concern = self._casework.load(Concern, concern_id)
            if concern is None or concern.erased:
                return
            by = By(SYSTEM, uuid4(), self._casework.today(), policy=self._casework.policy())
            concern.notify(by, told=tuple(told), channel=self._post.channel)
            try:
                self._casework.save([concern])
            except VersionConflict:
                continue
            return
        raise NotSent("The alert was sent and could not be recorded.")

    def _unread(self) -> list[tuple[UUID, datetime]]:
        with self._pool.connection() as connection:
            found: list[tuple[UUID, datetime]] = connection.execute(_UNREAD).fetchall()
            return found

    def _due(
        self,
        concern_id: UUID,
        raised_at: datetime,
        recipients: Recipients,
        rang: Mapping[tuple[UUID, UUID], float] | None = None,
    ) -> Due:
        """Whom to alert now. `recipients` are those whom this round has found already; `rang` is when this
        process alerted whom last, if it is the one that alerts.
        """
        told = self._casework.stream(Concern, concern_id)
        again = timedelta(minutes=self._casework.policy().alert_again_after_minutes)
        last: dict[UUID, datetime] = {}
        for entry in told:
            if isinstance(entry.fact, Notified) and isinstance(entry.fact.told, tuple):
                last |= dict.fromkeys(entry.fact.told, entry.recorded_at)
        about = getattr(told[0].fact, "about", None) if told else None
        if about is ERASED:
            return Due(concern_id, raised_at, (), True)
        groups = _ABOUT_STAFF if about == "staff" else _ABOUT_PUPIL
        if groups not in recipients:
            recipients[groups] = self._recipients(groups)
        people = recipients[groups]
        now = datetime.now(UTC)

        def is_due(account: UUID) -> bool:
            if account not in last:
                return True
            if last[account] <= now:
                return now - last[account] >= again
            # The clock was set back, and the record's times stand still until it is there again: without this
            # process's own time nobody would be reminded for so long, or everybody every two seconds.
            if rang is None:
                return False
            return monotonic() - rang.get((concern_id, account), float("-inf")) >= again.total_seconds()

        due = tuple(person for person in people if is_due(person.account))
        return Due(concern_id, raised_at, due, bool(people))

    def _recipients(self, groups: Sequence[tuple[str, ...]]) -> list[Recipient]:
        for roles in groups:
            with self._pool.connection() as connection:
                accounts = [row[0] for row in connection.execute(_WITH_ROLE, [list(roles)])]
            found = [Recipient(account, email) for account in accounts if (email := self._email(account))]
            if found:
                return found
        return []

    def _email(self, account: UUID) -> str | None:
        """Where to reach somebody, as their own facts say: the list of staff may be out of order."""
        email: str | None = None
        for entry in self._casework.stream(Staff, account):
            fact = entry.fact
            if isinstance(fact, AccountOpened):
                email = fact.email
            elif isinstance(fact, Corrected) and fact.field == "email" and fact.version == 1:
                email = fact.value.strip() or None
        return email if isinstance(email, str) else None

    def _alert(self, due: Due) -> None:
        text = f"A concern needs you. Sign in to Casebook: {self._base_url}\n"
        reached = self._post.send([p.email for p in due.people], text, "A concern needs you")
        self.notified(due.concern_id, [p.account for p in due.people if p.email in reached])
