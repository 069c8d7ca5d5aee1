"""Load, decide, save: the only way to change anything.

A command loads its subjects afresh, asks the domain, and saves all of them in one transaction or none.
When somebody else was faster it decides again, up to three times. The same command id is answered as the
first time.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from app.commands import Doing
from app.forms import LONDON, today
from app.record.keys import KeyStore
from app.record.mapper import SealedMapper
from app.record.errors import CommandReused as CommandReused
from app.record.recorder import CommandKey, Recorder, StoredRow, VersionConflict
from domain.concern import Concern
from domain.fact import FACTS, By, Fact, Subject, day
from domain.mentee_case import MenteeCase
from domain.policy import DEFAULT_POLICY, Policy
from domain.pupil import Pupil
from domain.scheme import SCHEME_ID, Scheme

TRIES: Final = 3
LONG_AGO: Final = timedelta(days=3 * 365)
POLICY_SECONDS: Final = 2.0

S = TypeVar("S", bound=Subject)


class NotFound(Exception):
    """There is no such thing, or it isn't this reader's: nobody learns which."""


class Stale(Exception):
    """Somebody recorded something since this person looked. `version` is the one now."""

    def __init__(self, version: int) -> None:
        super().__init__("This changed since you opened it.")
        self.version = version


class Busy(Exception):
    """Others changed the same things three times in a row."""


class Person(Protocol):
    """Who acts: an account in a role; a mentor's account names the mentor."""

    @property
    def account(self) -> UUID:
        """The account's id."""

    @property
    def role(self) -> str:
        """One of INTERFACE's roles."""

    @property
    def mentor_id(self) -> UUID | None:
        """The mentor that this account belongs to."""


@dataclass(frozen=True)
class Done:
    """What was recorded: the subject as the answer shows it, and how far a list must read to show it too."""

    subject: Subject
    position: int
    replayed: bool = False
    case: MenteeCase | None = None
    recorded_at: datetime | None = None


class Told(NamedTuple):
    """A fact as it stands in its stream, for histories."""

    fact: Fact
    position: int
    recorded_at: datetime


class Casework:
    """Commands and whole streams, on one record. `lead_name` names the safeguarding lead in refusals."""

    def __init__(
        self, recorder: Recorder, keys: KeyStore, mapper: SealedMapper, *, secret: str, lead_name: Any = None
    ) -> None:
        self.recorder = recorder
        self.keys = keys
        self.mapper = mapper
        self.demo_time: datetime | None = None
        self._secret = hmac.digest(secret.encode(), b"casebook-request/1", "sha256")
        self._lead_name = lead_name
        self._policy: tuple[float, Policy | None] = (0.0, None)

    # Reading

    def load(self, kind: type[S], subject_id: UUID, upto: int | None = None) -> S | None:
        """The subject as its facts tell (up to a position in the record), or None when it has none."""
        return self.replay(kind, subject_id, self.recorder.rows(subject_id, upto=upto))

    def replay(self, kind: type[S], subject_id: UUID, rows: Sequence[StoredRow]) -> S | None:
        """A subject from the rows of its stream."""
        if not rows or not is_kind(kind, rows[0].topic):
            return None
        subject = kind.blank(subject_id)
        for fact in self.mapper.to_domain_events(rows):
            fact.mutate(subject)
        return subject

    def stream(self, kind: type[Subject], subject_id: UUID) -> list[Told]:
        """Every fact of one subject, in order. Nothing can be missing: it is read from the stream itself."""
        return self.told(kind, self.recorder.rows(subject_id))

    def told(self, kind: type[Subject], rows: Sequence[StoredRow]) -> list[Told]:
        """The facts of rows; none when they belong to something else."""
        if not rows or not is_kind(kind, rows[0].topic):
            return []
        facts = self.mapper.to_domain_events(rows)
        return [
            Told(fact, row.notification_id, row.recorded_at) for fact, row in zip(facts, rows, strict=True)
        ]

    def policy(self) -> Policy:
        """The school's rules, at most two seconds old. Each fact says which version it was made under."""
        read_at, policy = self._policy
        if policy is None or monotonic() - read_at > POLICY_SECONDS:
            scheme = self.load(Scheme, SCHEME_ID)
            policy = scheme.policy if scheme else DEFAULT_POLICY
            self._policy = (monotonic(), policy)
        return policy

    # Changing

    def key(self, person: Person, route: str, command_id: str | None, request: Any) -> CommandKey:
        """The identity of one command: its id, scoped to account and route, with a digest of what it asks."""
        text = json.dumps(request, sort_keys=True, default=str, ensure_ascii=True)
        digest = hmac.digest(self._secret, text.encode(), hashlib.sha256)
        return CommandKey(_as_uuid(command_id), person.account, route, digest)

    def answered(self, doing: Doing, key: CommandKey) -> Done | None:
        """The first answer to this command id, if any. Raises CommandReused for another request."""
        remembered = self.recorder.remembered(key)
        if remembered is None:
            return None
        subject = self.load(doing.kind, remembered.originator_id, remembered.position)
        if subject is None:
            raise NotFound
        return self._done(subject, remembered.position, replayed=True)

    def run(
        self,
        doing: Doing,
        person: Person,
        said: dict[str, Any],
        *,
        key: CommandKey,
        subject_id: UUID | None = None,
        expected: int | None = None,
    ) -> Done:
        """Give one command. `said` is what its schema loaded; `expected` is the version that the person saw.

        Raises NotFound, Stale, Refused, Invalid, CommandReused, Busy, RecordUnavailable: nothing is half done.
        """
        said = dict(said)
        by = self._by(person, key, said.pop("happened_on", None))
        for _ in range(TRIES):
            desk = _Desk(self, person.role)
            subject = self._subject(doing, subject_id)
            if expected is not None and subject.version != expected:
                return self.answered(doing, key) or _stale(subject)
            try:
                by = self._with_birth(by, subject, desk, said)
                changed = self._decide(doing, desk, subject, by, said)
                appended = self.save(changed, key=key, answer=subject)
            except VersionConflict:
                continue
            except CommandReused:
                raise
            except Exception:
                first = self.answered(doing, key)
                if first is None:
                    raise
                return first
            if appended.replayed:
                return self.answered(doing, key) or _gone()
            return self._done(subject, appended.position, recorded_at=appended.recorded_at)
        first = self.answered(doing, key)
        if first is None:
            raise Busy
        return first

    def raise_concern(
        self, person: Person, said: dict[str, Any], *, key: CommandKey, case_id: UUID | None = None
    ) -> Done:
        """Raise a concern, and put its case on hold in the same transaction. Never refused: what doesn't fit
        is kept as a gap, and if the case can't be saved in three tries the concern is saved alone.

        Raises CommandReused and RecordUnavailable only.
        """
        said, by = self._made_to_fit(person, key, said)
        concern_id = uuid4()
        self.keys.create(concern_id)
        for attempt in range(TRIES + 1):
            case = self._case_or_none(case_id) if attempt < TRIES else None
            concern = Concern.blank(concern_id)
            pupil_id = case.pupil_id if case and isinstance(case.pupil_id, UUID) else None
            concern.raise_concern(by, **said, case_id=case_id, pupil_id=pupil_id)
            changed: list[Subject] = [concern]
            if case is not None and not case.erased:
                case.break_confidentiality(by, concern_id=concern_id)
                changed.append(case)
            try:
                appended = self.save(changed, key=key, answer=concern)
            except VersionConflict:
                continue
            if appended.replayed:
                remembered = self.recorder.remembered(key) or _gone()
                first = self.load(Concern, remembered.originator_id, remembered.position) or _gone()
                return self._with_case(self._done(first, remembered.position, replayed=True), case_id)
            done = self._done(concern, appended.position, recorded_at=appended.recorded_at)
            return replace(done, case=case if len(changed) > 1 else None)
        raise Busy

    def raised_before(self, key: CommandKey, case_id: UUID | None) -> Done | None:
        """The first answer to raising a concern under this command id."""
        remembered = self.recorder.remembered(key)
        if remembered is None:
            return None
        concern = self.load(Concern, remembered.originator_id, remembered.position) or _gone()
        return self._with_case(self._done(concern, remembered.position, replayed=True), case_id)

    def save(
        self, subjects: Sequence[Subject], *, key: CommandKey | None = None, answer: Subject | None = None
    ) -> Any:
        """Append what was recorded about these subjects, together or not at all. Keys come first."""
        new = [s.id for s in subjects if s.pending_events and s.pending_events[0].originator_version == 1]
        if new:
            self.keys.create_many(new)
        facts = [fact for subject in subjects for fact in subject.collect_events()]
        stored = [self.mapper.to_stored_event(fact) for fact in facts]
        return self.recorder.append(
            stored, command=key, answer=answer.id if answer else None, demo_time=self.demo_time
        )

    # The steps

    def _by(self, person: Person, key: CommandKey, happened_on: date | None) -> By:
        policy = self.policy()
        return By(
            account=person.account,
            command_id=key.command_id,
            today=self.today(),
            happened_on=happened_on,
            policy=policy,
            lead=(self._lead_name() if self._lead_name else None) or f"the {policy.lead_title}",
        )

    def today(self) -> date:
        """The school's day; in demo time, that day."""
        return self.demo_time.astimezone(LONDON).date() if self.demo_time else today()

    def _subject(self, doing: Doing, subject_id: UUID | None) -> Subject:
        if subject_id is None:
            return doing.kind.blank(uuid4())
        if doing.thing == "scheme":
            return self.load(Scheme, SCHEME_ID) or Scheme.blank(SCHEME_ID)
        return self.load(doing.kind, subject_id) or _gone()

    def _with_birth(self, by: By, subject: Subject, desk: "_Desk", said: dict[str, Any]) -> By:
        """Birth dates matter only to days long ago; then the pupil is looked up."""
        days = [
            d for d in (by.happened_on, *said.values()) if isinstance(d, date) and not isinstance(d, datetime)
        ]
        pupil_id = getattr(subject, "pupil_id", None)
        if not isinstance(pupil_id, UUID) or not any(by.today - d > LONG_AGO for d in days):
            return by
        pupil = desk.load(Pupil, pupil_id)
        return replace(by, born_on=pupil.born_on) if isinstance(pupil, Pupil) and not pupil.erased else by

    def _decide(
        self, doing: Doing, desk: "_Desk", subject: Subject, by: By, said: dict[str, Any]
    ) -> Sequence[Subject]:
        if doing.decide is not None:
            return doing.decide(desk, subject, by, said)
        getattr(subject, doing.method.__name__)(by, **said)
        return [subject]

    def _done(
        self, subject: Subject, position: int, *, replayed: bool = False, recorded_at: datetime | None = None
    ) -> Done:
        return Done(subject, position, replayed, recorded_at=recorded_at)

    def _case_or_none(self, case_id: UUID | None) -> MenteeCase | None:
        """The case, or None when it can't be read: a broken case never stops a concern."""
        if case_id is None:
            return None
        try:
            return self.load(MenteeCase, case_id)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def _with_case(self, done: Done, case_id: UUID | None) -> Done:
        """The case as it stood when the concern was first saved with it."""
        if case_id is None:
            return done
        return replace(done, case=self.load(MenteeCase, case_id, upto=done.position))

    def _made_to_fit(
        self, person: Person, key: CommandKey, said: dict[str, Any]
    ) -> tuple[dict[str, Any], By]:
        said = dict(said)
        gaps = list(said.pop("gaps", ()))
        happened_on = said.pop("happened_on", None)
        if happened_on is not None and happened_on > self.today():
            gaps.append(f"The day was given as {day(happened_on)}, which is in the future.")
            happened_on = None
        disclosed_at = said.get("disclosed_at")
        if isinstance(disclosed_at, str):
            said["disclosed_at"], gap = _moment(disclosed_at)
            gaps.extend(gap)
        if not said.get("childs_words") and not said.get("facts"):
            gaps.append("Nothing was written. Ask the person who raised it what happened.")
        said["gaps"] = tuple(gaps)
        return said, self._by(person, key, happened_on)


class _Desk:
    """The subjects of one try, each loaded once."""

    def __init__(self, casework: Casework, role: str) -> None:
        self._casework = casework
        self.role = role

    def load(self, kind: type[Subject], subject_id: UUID) -> Subject | None:
        """The subject as it stands, or None."""
        return self._casework.load(kind, subject_id)


def is_kind(kind: type[Subject], topic: str) -> bool:
    """Whether a stream that begins with this topic belongs to that kind of subject."""
    return topic in FACTS and topic.partition(".")[0] == kind.corrected.TOPIC.partition(".")[0]


def _as_uuid(command_id: str | None) -> UUID:
    if not command_id:
        return uuid4()
    try:
        return UUID(command_id)
    except ValueError:
        return uuid5(NAMESPACE_URL, "casebook-command:" + command_id)


def _moment(text: str) -> tuple[datetime | None, list[str]]:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None, [f"The time of the disclosure was given as “{text}”."]
    if found.tzinfo is None:
        found = found.replace(tzinfo=LONDON)
    found = found.astimezone(UTC)
    if found > datetime.now(UTC):
        return None, [f"The time of the disclosure was given as {text}, which is in the future."]
    return found, []


def _gone() -> Any:
    raise NotFound


def _stale(subject: Subject) -> Done:
    raise Stale(subject.version)
