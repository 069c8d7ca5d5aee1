"""One command: look at its subject, decide, save."""

import hmac
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]  # typeshed lacks it
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from app.casework.answers import Busy, Done, NotFound, Person, Stale
from app.casework.memory import Memory
from app.casework.reading import Reading
from app.commands import Doing
from app.record.errors import CommandReused, RecordUnavailable, VersionConflict
from app.record.keys import KeyStore
from app.record.mapper import SealedMapper
from app.record.recorder import Appended, CommandKey, Facts, Recorder
from domain.fact import By, Subject
from domain.policy import Policy
from domain.pupil import Pupil
from domain.retention import Matter, Scope
from domain.scheme import SCHEME_ID, Scheme

TRIES: Final = 3
Matters = Callable[[Reading, Policy, Scope, UUID], Matter | None]
LONG_AGO: Final = timedelta(days=3 * 365)

# What `json.dumps(sort_keys=True, default=str)` makes anew for each request, and longer than it encodes.
_in_order: Final = c_make_encoder(None, str, encode_basestring_ascii, None, ": ", ", ", True, False, True)


class Giving(Reading):
    """Commands on one record. `lead_name` names the safeguarding lead in refusals; `matters` finds what
    belongs together when something is to be erased.
    """

    def __init__(
        self,
        recorder: Recorder,
        keys: KeyStore,
        mapper: SealedMapper,
        *,
        secret: str,
        lead_name: Callable[[], str | None] | None = None,
        matters: Matters | None = None,
    ) -> None:
        super().__init__(recorder, keys, mapper)
        begun = hmac.digest(secret.encode(), b"casebook-request/1", "sha256")
        # `hmac.digest` lets other threads run meanwhile: to come back costs more than the digest itself.
        self._digest = hmac.new(begun, digestmod="sha256")
        self._lead_name = lead_name
        self._matters = matters
        self._memory = Memory()

    def key(self, person: Person, route: str, command_id: str | None, request: Any) -> CommandKey:
        """The identity of one command: its id, scoped to account and route, with a digest of what it asks."""
        digest = self._digest.copy()
        digest.update("".join(_in_order(request, 0)).encode())
        return CommandKey(_as_uuid(command_id), person.account, route, digest.digest())

    def answered(self, doing: Doing, key: CommandKey) -> Done | None:
        """The first answer to this command id, if any. Raises CommandReused for another request."""
        remembered = self.recorder.remembered(key)
        if remembered is None:
            return None
        subject = self.load(doing.kind, remembered.originator_id, remembered.position)
        if subject is None:
            raise NotFound
        return Done(subject, remembered.position, replayed=True)

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

        Raises NotFound, Stale, Refused, Invalid, CommandReused, Busy, RecordUnavailable; nothing is left half
        done.
        """
        said = dict(said)
        by = self._by(person, key, said.pop("happened_on", None))
        asked = _Asked(doing, person, by, said, key, subject_id, expected)
        for attempt in (self._on_what_is_remembered, *[self._on_what_is_recorded] * TRIES):
            try:
                changed, appended = attempt(asked)
            except (_NotRemembered, VersionConflict):
                continue
            except CommandReused:
                raise
            except Exception:
                first = self.answered(doing, key)
                if first is None:
                    raise
                return first
            if appended.replayed:
                return self.answered(doing, key) or gone()
            for one in changed:
                self._memory.keep(one)
            return Done(changed[0], appended.position, recorded_at=appended.recorded_at)
        first = self.answered(doing, key)
        if first is None:
            raise Busy
        return first

    def save(
        self, subjects: Sequence[Subject], *, key: CommandKey | None = None, answer: Subject | None = None
    ) -> Any:
        """Append what was recorded about these subjects, together or not at all. Keys come first."""
        new = [s.id for s in subjects if s.pending_events and s.pending_events[0].originator_version == 1]
        if new:
            self.keys.create_many(new)
        stored = [
            self.mapper.to_stored_event(fact) for subject in subjects for fact in subject.collect_events()
        ]
        return self.recorder.append(
            stored, command=key, answer=answer.id if answer else None, demo_time=self.demo_time
        )

    def forget(self) -> None:
        """Remember nobody: somebody may have been erased."""
        self._memory.clear()

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

    def _on_what_is_remembered(self, asked: "_Asked") -> tuple[Sequence[Subject], Appended]:
        """Decide on the subject as it is remembered here, when it is this command's turn to be recorded.

        That needs no look at the record, which refuses a fact whose version doesn't follow. But only the
        record's own word refuses anybody: raises _NotRemembered for all else that it should be asked about.
        """
        subject_id, doing = asked.subject_id, asked.doing
        if subject_id is None or doing.decide or _days_long_ago(asked) or not self._memory.has(subject_id):
            raise _NotRemembered
        key = self.keys.get(subject_id)
        known: list[Subject] = []

        def make() -> Facts:
            subject = self._memory.take(doing.kind, subject_id)
            if subject is None:
                raise _NotRemembered
            known.append(subject)
            _check_seen(subject, asked.expected)
            _record(asked, subject)
            events = [self.mapper.sealed(fact, key) for fact in subject.collect_events()]
            return Facts(events, events[-1], asked.key)

        try:
            return known, self.recorder.append_in_turn(make, demo_time=self.demo_time)
        except (CommandReused, RecordUnavailable, VersionConflict):
            raise
        except Exception as error:
            raise _NotRemembered from error

    def _on_what_is_recorded(self, asked: "_Asked") -> tuple[Sequence[Subject], Appended]:
        subject = self._subject(asked.doing, asked.subject_id)
        _check_seen(subject, asked.expected)
        desk = _Desk(self, asked.person.role, self._matters)
        asked = asked._replace(by=self._with_birth(asked, subject, desk))
        if asked.doing.decide is None:
            _record(asked, subject)
            changed: Sequence[Subject] = [subject]
        else:
            changed = asked.doing.decide(desk, subject, asked.by, asked.said)
        return changed, self.save(changed, key=asked.key, answer=subject)

    def _subject(self, doing: Doing, subject_id: UUID | None) -> Subject:
        if subject_id is None:
            return doing.kind.blank(uuid4())
        if doing.thing == "scheme":
            return self.load(Scheme, SCHEME_ID) or Scheme.blank(SCHEME_ID)
        return self.load(doing.kind, subject_id) or gone()

    def _with_birth(self, asked: "_Asked", subject: Subject, desk: "_Desk") -> By:
        """Birth dates matter only to days long ago; then the pupil is looked up."""
        pupil_id = getattr(subject, "pupil_id", None)
        if not isinstance(pupil_id, UUID) or not _days_long_ago(asked):
            return asked.by
        pupil = desk.load(Pupil, pupil_id)
        if not isinstance(pupil, Pupil) or pupil.erased:
            return asked.by
        return asked.by._replace(born_on=pupil.born_on)


class _NotRemembered(Exception):
    """The record must be asked."""


class _Asked(NamedTuple):
    """A command as it was given."""

    doing: Doing
    person: Person
    by: By
    said: dict[str, Any]
    key: CommandKey
    subject_id: UUID | None
    expected: int | None


class _Desk:
    """The subjects of one try, each loaded once."""

    def __init__(self, casework: Reading, role: str, matters: Matters | None) -> None:
        self._casework = casework
        self._matters = matters
        self.role = role

    def load(self, kind: type[Subject], subject_id: UUID) -> Subject | None:
        """The subject as it stands, or None."""
        return self._casework.load(kind, subject_id)

    def matter(self, scope: Scope, subject_id: UUID) -> Matter | None:
        """What would be erased with this subject, and what speaks against it; None without such a subject."""
        if self._matters is None:
            return None
        return self._matters(self._casework, self._casework.policy(), scope, subject_id)


def _as_uuid(command_id: str | None) -> UUID:
    if not command_id:
        return uuid4()
    try:
        return UUID(command_id)
    except ValueError:
        return uuid5(NAMESPACE_URL, "casebook-command:" + command_id)


def _days_long_ago(asked: _Asked) -> bool:
    days = (asked.by.happened_on, *asked.said.values())
    return any(
        isinstance(d, date) and not isinstance(d, datetime) and asked.by.today - d > LONG_AGO for d in days
    )


def _record(asked: _Asked, subject: Subject) -> None:
    getattr(subject, asked.doing.method.__name__)(asked.by, **asked.said)


def _check_seen(subject: Subject, expected: int | None) -> None:
    if expected is not None and subject.version != expected:
        raise Stale(subject.version)


def gone() -> Any:
    """Raise NotFound, where a value is wanted."""
    raise NotFound
