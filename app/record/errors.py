"""What can go wrong between a decision and the record. No message holds anything about a person."""

from eventsourcing.persistence import IntegrityError
from eventsourcing.persistence import OperationalError as LibraryOperationalError


class RecordError(Exception):
    """Nothing was recorded, or nothing may be shown."""


class VersionConflict(RecordError, IntegrityError):
    """Somebody else's fact was recorded first. Load again and decide again."""


class CommandReused(RecordError):
    """Another request was already accepted under the same command id."""


class RecordUnavailable(RecordError, LibraryOperationalError):
    """The record is out of reach, or somebody kept it locked for too long. Trying later is safe."""
