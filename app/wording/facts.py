"""One sentence for each fact, and the words for what the sentence leaves to the details below it.

A sentence is a row of clauses. A clause is left out when a field that it names wasn't said, may not be seen,
or is too long for a sentence; what a destroyed key took away reads “(erased)”.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime
from functools import cache
from string import Formatter
from typing import Any, Final, NamedTuple

from app.wording import common
from app.wording.common import ERASED_TEXT, _
from app.wording.fields import FIELDS
from app.wording.names import NamesOf, uuid_in
from app.wording.sentences import CORRECTED, DISPUTED, SENTENCES, TITLES, Clause, First, OneOf, When
from domain.concern_facts import Involved, PassedOn
from domain.fact import ENVELOPE, ERASED, CorrectedFact, DisputedFact, Fact, annotations_of

SHORT: Final = 160
"""Characters: a text that is longer, or has several lines, stands below the sentence instead."""

NOTHING: Final[frozenset[str]] = frozenset()


class Told(NamedTuple):
    """A sentence, and the fields that it gives in full."""

    sentence: str
    shown: frozenset[str]


def sentence(fact: Fact, names: NamesOf) -> str:
    """What happened, in one line for people."""
    return tell(fact, names).sentence


def tell(fact: Fact, names: NamesOf, hidden: Collection[str] = NOTHING, entry: str | None = None) -> Told:
    """A fact's sentence without its `hidden` fields. `entry` names the one that a correction is about."""
    telling = _Telling(vars(fact), names, hidden, entry)
    parts = [part for clause in _clauses(type(fact)) if (part := clause(telling))]
    return Told(" ".join(parts) or f"{fact_title(fact.TOPIC)}.", frozenset(telling.shown))


def fact_title(topic: str) -> str:
    """A short name for a kind of fact: Session held."""
    return TITLES.get(topic) or TITLES[topic.partition(".")[2]]


def label(field: str) -> str:
    """A field's name in a history."""
    return FIELDS[field].label


def details(fact: Fact, names: NamesOf, leave_out: Collection[str] = NOTHING) -> list[tuple[str, str]]:
    """The fields that people said, in full, as labels and texts; without ids and what nobody answered."""
    said = vars(fact)
    found = []
    for field, no_is_silence in _detail_fields(type(fact)):
        value = said[field]
        nobody_said = value is None or value in ("", ()) or (value is False and no_is_silence)
        if field not in leave_out and not nobody_said:
            found.append((label(field), value_text(value, names, field)))
    return found


def value_text(value: Any, names: NamesOf, field: str = "") -> str:
    """A value as people read it, in full. `field` says what a code, a number or an id stands for."""
    if value is ERASED:
        return ERASED_TEXT
    return _in_words(field)(value, names)


def correction_text(field: str, value: Any, names: NamesOf) -> str:
    """A corrected value, which was recorded as somebody typed it, as people read it."""
    if not isinstance(value, str):
        return value_text(value, names, field)
    if field in ("pupil_id", "mentor_id"):
        return value_text(uuid_in(value), names, field)
    known = FIELDS.get(field)
    if known and known.kind == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return common.day(date.fromisoformat(value))
        except ValueError:
            return value
    return _options(field).get(value, value)


@cache
def _in_words(field: str) -> Callable[[Any, NamesOf], str]:
    special = _SPECIAL.get(field)
    if special is not None:
        return special
    options = _options(field)

    def words(value: Any, names: NamesOf) -> str:
        return options.get(value, value) if type(value) is str else _plain_text(value, names, field)

    return words


def _plain_text(value: Any, names: NamesOf, field: str) -> str:
    if isinstance(value, str):
        return _options(field).get(value, value)
    if isinstance(value, tuple):
        return common.listed([_plain_text(one, names, field) for one in value])
    in_words = _BY_TYPE.get(type(value))
    return in_words(value, names) if in_words else str(value)


@cache
def _options(field: str) -> dict[str, str]:
    return dict(FIELDS[field].options) if field in FIELDS else {}


def _entry_number(version: int, _names: NamesOf) -> str:
    return _("entry {n}").format(n=version)


_SPECIAL: Final[dict[str, Callable[[Any, NamesOf], str]]] = {
    "pupil_id": lambda value, names: names.pupil(value),
    "mentor_id": lambda value, names: names.mentor(value),
    "told": lambda value, names: common.listed([names.person(one) for one in value]),
    "role": lambda value, names: names.title(value),
    "minutes": lambda value, _names: common.minutes(value),
    "year_group": lambda value, _names: common.year(value),
    "sessions": lambda value, _names: common.sessions(value),
    "sessions_planned": lambda value, _names: common.sessions(value),
    "mentor_years": lambda value, _names: common.listed([common.year(one) for one in value]),
    "version": _entry_number,
    "action_version": _entry_number,
    "field": lambda value, _names: FIELDS[value].label if value in FIELDS else value,
}


_BY_TYPE: Final[dict[type, Callable[[Any, NamesOf], str]]] = {
    bool: lambda value, _names: _("Yes") if value else _("No"),
    date: lambda value, _names: common.day(value),
    datetime: lambda value, _names: common.moment(value),
    PassedOn: lambda value, _names: f"{value.whom} ({value.at})" if value.at else value.whom,
    Involved: lambda value, names: f"{names.pupil(value.pupil_id)}: {value.part}",
}


@cache
def _detail_fields(fact_class: type[Fact]) -> tuple[tuple[str, bool], ...]:
    """Fields that may stand below a sentence, and whether a “no” there only means that nobody said “yes”."""
    unreadable = {*ENVELOPE, "case_id", "concern_id", "version"}
    return tuple(
        (field, getattr(fact_class, field, None) is False)
        for field in annotations_of(fact_class)
        if field not in unreadable
    )


@dataclass(slots=True)
class _Telling:
    """One fact while its sentence is being made."""

    said: dict[str, Any]
    names: NamesOf
    hidden: Collection[str]
    entry: str | None
    shown: set[str] = dataclass_field(default_factory=set)

    def value(self, field: str) -> Any:
        """What was said in a field; None where nothing was, or where the reader may not see it."""
        return None if field in self.hidden else self.said[field]

    def text(self, field: str) -> str | None:
        """A field's text for a sentence, or None where it has no place in one."""
        value = self.value(field)
        if value is None or (not value and type(value) in _EMPTY):
            return None
        if field == "version" and self.entry:
            text = self.entry
        elif field == "value" and value is not ERASED:
            text = correction_text(self.said["field"], value, self.names)
        else:
            text = value_text(value, self.names, field)
        text = text.strip()
        return text if len(text) <= SHORT and "\n" not in text and "\r" not in text else None


_EMPTY: Final = (str, tuple)
_Part = Callable[[_Telling], str | None]


@cache
def _clauses(fact_class: type[Fact]) -> tuple[_Part, ...]:
    if issubclass(fact_class, CorrectedFact):
        return tuple(_compile(clause) for clause in CORRECTED)
    if issubclass(fact_class, DisputedFact):
        return tuple(_compile(clause) for clause in DISPUTED)
    return tuple(_compile(clause) for clause in SENTENCES[fact_class.TOPIC])


def _compile(clause: Clause) -> _Part:
    if isinstance(clause, str):
        return _compile_text(clause)
    if isinstance(clause, First):
        return _compile_first([_compile(one) for one in clause.clauses])
    if isinstance(clause, When):
        return _compile_when(clause.flag, clause.text)
    return _compile_one_of(clause)


def _compile_text(template: str) -> _Part:
    pieces = [(before, field) for before, field, _spec, _conversion in Formatter().parse(template)]

    def part(telling: _Telling) -> str | None:
        made = ""
        told = []
        for before, field in pieces:
            # What people wrote may end its own sentence.
            made += before[1:] if before[:1] == "." and made[-1:] in _ENDS else before
            if field is not None:
                text = telling.text(field)
                if text is None:
                    return None
                made += text
                told.append(field)
        telling.shown.update(told)
        return made[:1].upper() + made[1:]

    return part


_ENDS: Final = (".", "!", "?", "…")


def _compile_first(parts: list[_Part]) -> _Part:
    def part(telling: _Telling) -> str | None:
        return next((made for one in parts if (made := one(telling))), None)

    return part


def _compile_when(flag: str, text: str) -> _Part:
    def part(telling: _Telling) -> str | None:
        if telling.value(flag) is not True:
            return None
        telling.shown.add(flag)
        return text

    return part


def _compile_one_of(clause: OneOf) -> _Part:
    parts = {value: _compile_text(text) for value, text in clause.texts.items()}
    otherwise = _compile_text(clause.otherwise)

    def part(telling: _Telling) -> str | None:
        value = telling.value(clause.field)
        if value in parts:
            telling.shown.add(clause.field)
            return parts[value](telling)
        return otherwise(telling)

    return part
