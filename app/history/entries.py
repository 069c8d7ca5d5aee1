"""A history's entries: what one reader may see, with corrections beside what they correct."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from app.history.visible import ALL, Others, Reader, Rule, own_pairing, rule_for
from app.wording import facts as wording
from app.wording.common import LONDON, SOMEONE, _, day
from app.wording.names import NamesOf
from domain.fact import ENVELOPE, ERASED, CorrectedFact, DisputedFact, Fact, annotations_of
from projections.read_model import Told


@dataclass(frozen=True, slots=True)
class Who:
    """Who recorded something. Without an id the reader may not know who it was."""

    id: UUID | None
    name: str
    role: str | None
    title: str | None

    @property
    def text(self) -> str:
        """Name, and what they are: Ms Price, coordinator."""
        return f"{self.name}, {self.title}" if self.title else self.name


ERASED_JSON: Final = {"erased": True}
"""What a field is in an entry when it was erased: an object, so that nobody's words resemble it."""
UNNAMED: Final = Who(None, SOMEONE, None, None)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a field of an entry should have said. `old` and `new` are texts for people."""

    version: int
    field: str
    value: str
    reason: str
    recorded_at: datetime
    recorded_by: Who
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """Somebody's words against an entry."""

    version: int
    words: Any
    recorded_at: datetime
    recorded_by: Who


@dataclass(slots=True)
class Entry:
    """One visible fact. `index` counts what this reader sees; `version` is what a correction names."""

    index: int
    version: int
    topic: str
    name: str
    recorded_at: datetime
    recorded_by: Who
    happened_on: date
    sentence: str
    fields: dict[str, Any]
    details: list[tuple[str, str]]
    late: bool
    position: int
    corrections: list[Correction] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)


def entries(
    told: Iterable[tuple[Fact, int, datetime]],
    reader: Reader,
    names: NamesOf,
    as_at: datetime | None = None,
    happened_until: date | None = None,
) -> list[Entry]:
    """What this reader may see of a subject's facts, in the order in which they were recorded.

    `told` is the whole stream from its first fact on. `as_at` (inclusive) leaves out what was recorded later,
    corrections too; `happened_until` (inclusive) leaves out what happened later, not corrections of the rest.
    """
    known = [Told(*one) for one in told if as_at is None or one[2] <= as_at]
    view = _View(reader, names, known)
    for one in known:
        view.add(one)
    found = [entry for entry in view.entries if happened_until is None or entry.happened_on <= happened_until]
    for index, entry in enumerate(found, 1):
        entry.index = index
    return found


class _View:
    """One reader's view while it is being put together."""

    def __init__(self, reader: Reader, names: NamesOf, known: Sequence[Told]) -> None:
        self.reader, self.names = reader, names
        self.pairing = own_pairing((one.fact for one in known), reader.mentor_id)
        self.facts = {one.fact.originator_version: one.fact for one in known}
        self.seen: dict[int, Entry] = {}
        self.hidden: dict[int, frozenset[str]] = {}
        self.people: dict[UUID, Who] = {}

    @property
    def entries(self) -> Iterable[Entry]:
        return self.seen.values()

    def add(self, told: Told) -> None:
        """Put one fact in its place, if the reader may see it."""
        fact = told.fact
        if isinstance(fact, CorrectedFact | DisputedFact):
            self._add_about_an_entry(told, fact)
            return
        rule = rule_for(self.reader.role, fact.TOPIC)
        if rule is None:
            return
        if fact.recorded_by == self.reader.account:
            self._entry(told, ALL)
        elif rule.others is Others.ALWAYS or (
            rule.others is Others.IN_OWN_PAIRING and fact.originator_version in self.pairing
        ):
            self._entry(told, rule)

    def _add_about_an_entry(self, told: Told, fact: CorrectedFact | DisputedFact) -> None:
        """A correction or dispute stands beside its entry and on its own; it is hidden with it."""
        target = self.seen.get(fact.version)
        if target is None or self._tells_what_is_hidden(fact):
            return
        entry = self._entry(told, ALL, about=_entry_title(target))
        if isinstance(fact, DisputedFact):
            words = _json(fact.words)
            target.disputes.append(Dispute(entry.version, words, entry.recorded_at, entry.recorded_by))
        elif ERASED not in vars(fact).values():
            target.corrections.append(self._correction(fact, entry, target))

    def _tells_what_is_hidden(self, fact: CorrectedFact | DisputedFact) -> bool:
        """A correction names its field. A dispute's words may tell anything: only its author sees it then."""
        hidden = self.hidden[fact.version]
        if isinstance(fact, CorrectedFact):
            field = vars(fact)["field"]
            return field in hidden or (bool(hidden) and field is ERASED)
        return bool(hidden) and fact.recorded_by != self.reader.account

    def _entry(self, told: Told, rule: Rule, about: str | None = None) -> Entry:
        fact, position, recorded_at = told
        hidden = rule.without
        version = fact.originator_version
        said = vars(fact)
        sentence, shown = wording.tell(fact, self.names, hidden, about)
        entry = Entry(
            index=0,
            version=version,
            topic=fact.TOPIC,
            name=type(fact).__name__,
            recorded_at=recorded_at,
            recorded_by=self._who(fact.recorded_by) if rule.who else UNNAMED,
            happened_on=fact.happened_on,
            sentence=sentence,
            fields={name: _json(said[name]) for name in _said(type(fact)) if name not in hidden},
            details=wording.details(fact, self.names, shown | hidden if hidden else shown),
            late=(recorded_at.astimezone(LONDON).date() - fact.happened_on).days > 1,
            position=position,
        )
        self.seen[version] = entry
        self.hidden[version] = hidden
        return entry

    def _correction(self, fact: CorrectedFact, entry: Entry, target: Entry) -> Correction:
        before = next((one.new for one in reversed(target.corrections) if one.field == fact.field), None)
        if before is None:
            value = vars(self.facts[fact.version]).get(fact.field)
            before = wording.value_text(value, self.names, fact.field) if value not in (None, ()) else ""
        new = wording.correction_text(fact.field, fact.value, self.names)
        who, at = entry.recorded_by, entry.recorded_at
        return Correction(entry.version, fact.field, fact.value, fact.reason, at, who, before, new)

    def _who(self, account: UUID) -> Who:
        who = self.people.get(account)
        if who is None:
            role = self.names.role(account)
            title = self.names.title(role) if role else None
            who = self.people[account] = Who(account, self.names.person(account), role, title)
        return who


def _entry_title(entry: Entry) -> str:
    title = wording.fact_title(entry.topic)
    return _("“{title}” of {day}").format(title=title, day=day(entry.happened_on))


@cache
def _said(fact_class: type[Fact]) -> tuple[str, ...]:
    return tuple(name for name in annotations_of(fact_class) if name not in ENVELOPE)


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry as the API gives it: ids and dates as text, instants in UTC."""
    return {
        "index": entry.index,
        "version": entry.version,
        "name": entry.name,
        "recorded_at": _instant(entry.recorded_at),
        "recorded_by": _who_json(entry.recorded_by),
        "happened_on": entry.happened_on.isoformat(),
        "late": entry.late,
        "sentence": entry.sentence,
        "fields": entry.fields,
        "corrections": [
            {
                "version": one.version,
                "field": one.field,
                "value": one.value,
                "reason": one.reason,
                "recorded_at": _instant(one.recorded_at),
                "recorded_by": _who_json(one.recorded_by),
            }
            for one in entry.corrections
        ],
        "disputes": [
            {
                "version": one.version,
                "words": one.words,
                "recorded_at": _instant(one.recorded_at),
                "recorded_by": _who_json(one.recorded_by),
            }
            for one in entry.disputes
        ],
        "position": entry.position,
    }


def _who_json(who: Who) -> dict[str, Any]:
    return {"id": str(who.id) if who.id else None, "name": who.name, "role": who.role}


def _instant(when: datetime) -> str:
    return f"{when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _json(value: Any) -> Any:
    """A value as JSON has it."""
    if type(value) in _AS_IT_IS:
        return value
    if value is ERASED:
        return dict(ERASED_JSON)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple | list):
        return [_json(one) for one in value]
    return {name: _json(part) for name, part in vars(value).items()}


_AS_IT_IS: Final = frozenset({type(None), str, bool, int})
