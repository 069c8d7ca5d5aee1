"""What goes into the record and comes out of it, as plain values."""

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


class StoredRow(NamedTuple):
    """One sealed fact as it stands in the record.

    `notification_id` is its position: 1 for the first fact of all, without gaps. `recorded_at` is in UTC.
    """

    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes
    notification_id: int
    recorded_at: datetime


@dataclass(frozen=True)
class StoredNotification(Notification):
    """The same as the library has it. It takes six times as long to make."""

    recorded_at: datetime


def stored_rows(_cursor: Cursor[Any]) -> RowMaker[StoredRow]:
    """The row factory for originator_id, originator_version, topic, state, notification_id, recorded_at."""
    return StoredRow._make


def stored_notifications(_cursor: Cursor[Any]) -> RowMaker[StoredNotification]:
    """The same for the library."""
    return lambda values: StoredNotification(*values)


def rows_of(originator_id: UUID) -> RowMaker[StoredRow]:
    """The rows of one aggregate, from all columns but the first: its id needn't be read again and again."""
    return lambda values: StoredRow(originator_id, *values)
