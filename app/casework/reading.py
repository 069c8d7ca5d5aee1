"""Subjects and whole streams, always as the record has them now."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from time import monotonic
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from app.casework.answers import Told
from app.forms import LONDON, today
from app.record.keys import KeyStore
from app.record.mapper import Opened, SealedMapper
from app.record.recorder import Recorder, StoredRow
from domain.fact import FACTS, Fact, Subject
from domain.policy import DEFAULT_POLICY, Policy
from domain.scheme import SCHEME_ID, Scheme

POLICY_SECONDS: Final = 2.0

S = TypeVar("S", bound=Subject)
Read: TypeAlias = Callable[[int], Sequence[StoredRow]]


class Reading:
    """What casework reads. In a demo, `demo_time` is the time at which everything happens."""

    def __init__(self, recorder: Recorder, keys: KeyStore, mapper: SealedMapper) -> None:
        self.recorder = recorder
        self.keys = keys
        self.mapper = mapper
        self.demo_time: datetime | None = None
        self._policy: tuple[float, Policy | None] = (0.0, None)

    def load(self, kind: type[S], subject_id: UUID, upto: int | None = None) -> S | None:
        """The subject as its facts tell (up to a position in the record), or None when it has none."""
        facts: Sequence[Fact]
        if upto is None:
            facts = [fact for _, fact in self._opened(kind, subject_id, self._rows_of(subject_id))]
        else:
            rows = self.recorder.rows(subject_id, upto=upto)
            facts = self.mapper.to_domain_events(rows) if rows and is_kind(kind, rows[0].topic) else ()
        if not facts:
            return None
        subject = kind.blank(subject_id)
        for fact in facts:
            fact.mutate(subject)
        return subject

    def stream(self, kind: type[Subject], subject_id: UUID) -> list[Told]:
        """Every fact of one subject, in order. Nothing can be missing: it is read from the stream itself."""
        return self.told(kind, subject_id, self._rows_of(subject_id))

    def told(self, kind: type[Subject], subject_id: UUID, read: Read) -> list[Told]:
        """The same where `read` gives the rows from a version on; none when they belong to something else."""
        stream = self._opened(kind, subject_id, read)
        return [Told(fact, row.notification_id, row.recorded_at) for row, fact in stream]

    def _rows_of(self, subject_id: UUID) -> Read:
        return lambda since: self.recorder.rows(subject_id, since=since)

    def _opened(self, kind: type[Subject], subject_id: UUID, read: Read) -> Sequence[Opened]:
        return self.mapper.stream(subject_id, read, lambda topic: is_kind(kind, topic))

    def policy(self) -> Policy:
        """The school's rules, at most two seconds old. Each fact says which version it was made under."""
        read_at, policy = self._policy
        if policy is None or monotonic() - read_at > POLICY_SECONDS:
            scheme = self.load(Scheme, SCHEME_ID)
            policy = scheme.policy if scheme else DEFAULT_POLICY
            self._policy = (monotonic(), policy)
        return policy

    def today(self) -> date:
        """The school's day; in demo time, that day."""
        return self.demo_time.astimezone(LONDON).date() if self.demo_time else today()


def is_kind(kind: type[Subject], topic: str) -> bool:
    """Whether a stream that begins with this topic belongs to that kind of subject."""
    return topic in FACTS and topic.partition(".")[0] == kind.corrected.TOPIC.partition(".")[0]
