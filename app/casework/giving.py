"""One command: look at its subject, decide, save."""

import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from app.casework.answers import Busy, Done, NotFound, Person, Stale
from app.casework.memory import Memory
from app.casework.reading import Reading
from app.commands import Doing
from app.record.errors import CommandReused, RecordUnavailable, VersionConflict
from app.record.keys import KeyStore, KeysUnavailable
from app.record.mapper import SealedMapper
from app.record.recorder import CommandKey, Recorder
from domain.fact import By, Subject
from domain.policy import Policy
from domain.pupil import Pupil
from domain.retention import Matter, Scope
from domain.scheme import SCHEME_ID, Scheme

TRIES: Final = 3
Matters = Callable[[Reading, Policy, Scope, UUID], Matter | None]
LONG_AGO: Final = timedelta(days=3 * 365)

# Made once: `json.dumps` makes one for each request.
_in_order: Final = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=True).encode


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
        self._secret = hmac.digest(secret.encode(), b"casebook-request/1", "sha256")
        self._lead_name = lead_name
        self._matters = matters
        self._memory = Memory()

    def key(self, person: Person, route: str, command_id: str | None, request: Any) -> CommandKey:
        """The identity of one command: its id, scoped to account and route, with a digest of what it asks."""
        digest = hmac.digest(self._secret, _in_order(request).encode(), "sha256")
        return CommandKey(_as_uuid(command_id), person.account, route, digest)

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
        for subject, remembered in self._looks(doing, subject_id):
            try:
                _check_seen(subject, expected)
                desk = _Desk(self, person.role, self._matters)
                changed = self._decide(doing, desk, subject, self._with_birth(by, subject, desk, said), said)
                if remembered and not subject.pending_events:
                    continue
                appended = self.save(changed, key=key, answer=subject)
            except VersionConflict:
                self._memory.forget(subject.id)
                continue
            except CommandReused:
                raise
            except Exception as error:
                # What is remembered may be old: only the record's own word refuses anybody.
                if remembered and not isinstance(error, RecordUnavailable | KeysUnavailable):
                    continue
                first = self.answered(doing, key)
                if first is None:
                    raise
                return first
            if appended.replayed:
                return self.answered(doing, key) or gone()
            for one in changed:
                self._memory.keep(one)
            return Done(subject, appended.position, recorded_at=appended.recorded_at)
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
        facts = [fact for subject in subjects for fact in subject.collect_events()]
        stored = [self.mapper.to_stored_event(fact) for fact in facts]
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

    def _looks(self, doing: Doing, subject_id: UUID | None) -> Iterator[tuple[Subject, bool]]:
        """The subject as it is remembered here, if it is; then, for each try, as the record has it.

        What is remembered can be decided on without asking, because the record refuses a fact whose version
        doesn't follow.
        """
        known = self._memory.recall(doing.kind, subject_id) if subject_id else None
        if known is not None:
            yield known, True
        for _ in range(TRIES):
            yield self._subject(doing, subject_id), False

    def _subject(self, doing: Doing, subject_id: UUID | None) -> Subject:
        if subject_id is None:
            return doing.kind.blank(uuid4())
        if doing.thing == "scheme":
            return self.load(Scheme, SCHEME_ID) or Scheme.blank(SCHEME_ID)
        return self.load(doing.kind, subject_id) or gone()

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


def _check_seen(subject: Subject, expected: int | None) -> None:
    if expected is not None and subject.version != expected:
        raise Stale(subject.version)


def gone() -> Any:
    """Raise NotFound, where a value is wanted."""
    raise NotFound
