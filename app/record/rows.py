"""What goes into the record and comes out of it, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import Notification
from psycopg import Cursor
from psycopg.rows import RowMaker


class CommandKey(NamedTuple):
    """By what a command is known when it is sent again: its id, within one account and one route.

    `request_hmac` is a keyed hash of the request, so that another request under the same id is told apart.
    """

    command_id: UUID
    account: UUID
    route: str
    request_hmac: bytes


class Appended(NamedTuple):
    """Where the facts of one command stand: the last position in the record, the last version of the
    aggregate that answers the command, and when it was recorded. `replayed`: the command had been accepted
    before, and nothing was added now.
    """

    position: int
    version: int
    recorded_at: datetime
    replayed: bool


class Remembered(NamedTuple):
    """The answer that an accepted command was given."""

    originator_id: UUID
    version: int
    position: int


@dataclass(frozen=True)
class StoredRow(Notification):
    """One sealed fact as it stands in the record: a notification with its time of recording (UTC)."""

    recorded_at: datetime

    @property
    def notification_id(self) -> int:
        """The position in the record: 1 for the first fact of all, without gaps."""
        return self.id


def stored_row(values: Sequence[Any]) -> StoredRow:
    """A row of originator_id, originator_version, topic, state, notification_id, recorded_at."""
    return StoredRow(*values)


def stored_rows(_cursor: Cursor[Any]) -> RowMaker[StoredRow]:
    """The row factory that makes them."""
    return stored_row
