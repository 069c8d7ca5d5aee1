"""What people read around each command: title, button, what is said when it is done, and each question.

A command's key is its thing and its domain method, such as `cases/hold-session`; page and API use the same.
Questions come from the fields that its fact asks for (`fields.py`); what a command says otherwise stands in
`command_words.py`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from app.wording.command_words import COMMANDS, OF_AN_ENTRY
from app.wording.fields import FIELDS, HAPPENED_ON, Field, Kind
from app.wording.words import Words
from domain.concern import Concern
from domain.concern_facts import Raised
from domain.erasure import Erasure
from domain.fact import Fact, Subject, required_fields, said_fields
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.pupil import Pupil
from domain.scheme import Scheme
from domain.staff import Staff

THINGS: Final[dict[str, type[Subject]]] = {
    "cases": MenteeCase,
    "concerns": Concern,
    "erasures": Erasure,
    "mentors": Mentor,
    "pupils": Pupil,
    "scheme": Scheme,
    "staff": Staff,
}
BREAK_CONFIDENTIALITY: Final = "cases/break-confidentiality"


@dataclass(frozen=True)
class Question:
    """One question of a command. `options` pair values with texts; a page fills those that are people."""

    name: str
    question: str
    hint: str
    kind: Kind
    options: tuple[tuple[str, str], ...]
    required: bool

    def as_field(self, value: Any = None) -> dict[str, Any]:
        """The question as the templates' field macro takes it, with what was typed."""
        return {
            "name": self.name,
            "kind": self.kind,
            "label": self.question,
            "hint": self.hint,
            "options": [{"value": option, "text": text} for option, text in self.options],
            "value": value,
            "required": self.required,
        }


@dataclass(frozen=True)
class CommandWords:
    """One command in words. `title` says what to do, `done` what was recorded, `next` what happens then."""

    key: str
    title: str
    button: str
    done: str
    next: str
    intro: str
    questions: tuple[Question, ...]

    def question(self, name: str) -> Question:
        """The question that asks for a field."""
        return next(question for question in self.questions if question.name == name)


@cache
def command(key: str) -> CommandWords:
    """The words of a command. An unknown key is a KeyError."""
    fact_class = recorded_facts()[key]
    words = _words(key)
    required = required_fields(fact_class)
    return CommandWords(
        key,
        words.title,
        words.button or words.title,
        words.done,
        words.next,
        words.intro,
        tuple(_question(name, words, name in required) for name in said_fields(fact_class)),
    )


def happened_on() -> Question:
    """The question that every command may ask beside its own: on which day it happened."""
    return _asked("happened_on", HAPPENED_ON, required=False)


@cache
def recorded_facts() -> dict[str, type[Fact]]:
    """Every command by its key, with the fact whose fields it asks for."""
    found: dict[str, type[Fact]] = {BREAK_CONFIDENTIALITY: Raised}
    for thing, kind in THINGS.items():
        for name in dir(kind):
            fact_class = getattr(getattr(kind, name), "records", None)
            if fact_class is not None:
                found[f"{thing}/{name.replace('_', '-')}"] = fact_class
    return found


def _words(key: str) -> Words:
    return COMMANDS.get(key) or OF_AN_ENTRY[key.partition("/")[2]]


def _question(name: str, words: Words, required: bool) -> Question:
    return _asked(name, FIELDS[name], required, words.ask.get(name))


def _asked(name: str, field: Field, required: bool, instead: Field | None = None) -> Question:
    asked = instead or field
    how = asked if asked.label else field
    return Question(name, asked.question, asked.hint, how.kind, how.options, required)
