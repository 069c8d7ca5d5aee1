"""Give one command from a posted form, and say what the page shows when it wasn't taken.

The same command id is answered as the first time, so a double click records once. A stale page comes back
with what changed beside what was typed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID, uuid4

from flask import request
from marshmallow import ValidationError

from app.access.policy import house, person
from app.casework import TRIES, Busy, CommandReused, Done, Stale
from app.commands import Doing, Invalid
from app.pages.links import way_out
from app.pages.reading_forms import Form, Reading, clean, read
from app.wording import questions
from app.wording.common import _
from app.wording.fields import ANOTHER_DAY
from app.wording.questions import Question
from domain.fact import Mark, Refused, marks, said_fields

Changes = Callable[[int], Sequence[str]]
"""What others recorded after a version, as sentences, oldest first."""

AGAIN: Final = _(
    "This form was sent before, with other answers, and those were recorded. "
    "If you want to record these answers as well, send them now."
)
BUSY: Final = _("Others were recording something about the same people at this moment. Send it again.")


@dataclass
class Asking:
    """One command, asked for on a page. `fixed` are values that the page knows and nobody types.

    `instead` replaces questions that the page asks in its own way, by name.
    """

    doing: Doing
    subject_id: UUID | None = None
    version: int | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    instead: Mapping[str, Question] = field(default_factory=dict)
    typed: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refusal: dict[str, Any] | None = None
    changed_since: Sequence[str] = ()
    command_id: str = field(default_factory=lambda: str(uuid4()))
    status: int = 200
    reading: Reading = field(default_factory=Reading)
    loaded: dict[str, Any] = field(default_factory=dict)

    @property
    def questions(self) -> dict[str, Question]:
        """What is asked, by field, in the order of the page."""
        words = questions.command(self.doing.key)
        asked = {q.name: self.instead.get(q.name, q) for q in words.questions if q.name not in self.fixed}
        if _asks_the_day(self.doing):
            asked["happened_on"] = questions.happened_on()
        return asked

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The questions as the templates take them, with what was typed."""
        fields = [asked.as_field(self.typed.get(name)) for name, asked in self.questions.items()]
        return [self._folded(one) if one["name"] == "happened_on" else one for one in fields]

    def _folded(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The day, out of the way of the many who record on it, but in sight once it was typed."""
        typed = asked["value"] or {}
        in_use = any(typed.values()) or asked["name"] in self.errors
        return asked | {"folded": ANOTHER_DAY, "open": in_use, "required": None}

    @property
    def form(self) -> dict[str, Any]:
        """What every form's template wants of this."""
        return {
            "action": request.full_path.rstrip("?"),
            "fields": self.fields,
            "errors": self.errors,
            "command_id": self.command_id,
            "version": self.version,
            "refusal": self.refusal,
            "changed_since": self.changed_since,
        }

    def post(self, form: Form, changes: Changes) -> Done | None:
        """Try what was posted. None: show the page again, with what is wrong."""
        return self.give(form, changes) if self.take(form) else None

    def keep(self, form: Form) -> None:
        """Take over what was typed so far, for a page that shows something else first."""
        self.reading = read(self.doing.fact, {name: q.kind for name, q in self.questions.items()}, form)
        self.typed = self.reading.typed
        self.command_id = clean(form.get("command_id", "")) or self.command_id

    def take(self, form: Form) -> bool:
        """Read the form and check its answers, without recording anything."""
        self.keep(form)
        self.errors = dict(self.reading.errors)
        self._load()
        if self.errors:
            self.status = 422
        return not self.errors

    def _load(self) -> None:
        try:
            self.loaded = dict(self.doing.schema.load({**self.reading.said, **self.fixed}))
        except ValidationError as wrong:
            for name, messages in messages_of(wrong).items():
                self._wrong(name, _first(messages))

    def _wrong(self, name: str, sentence: str) -> None:
        """A complaint under its question; a blank answer is asked for again in the question's own words."""
        asked = self.questions.get(name)
        if asked is None:
            self.refusal = {"sentence": sentence, "way_out": None}
            self.errors = self.errors or {next(iter(self.questions), "form"): sentence}
        elif not self.typed.get(name):
            self.errors.setdefault(name, _("Answer this: {question}").format(question=asked.question))
        else:
            self.errors.setdefault(name, sentence)

    def give(self, form: Form, changes: Changes) -> Done | None:
        """Give the command with the answers that were taken."""
        seen = clean(form.get("seen", ""))
        expected = (int(seen[:9]) if seen.isdecimal() else 0) if self.version is not None else None
        try:
            return self._run(expected, changes)
        except Refused as refused:
            self.status = 409
            out = way_out(self.doing.thing, self.subject_id, refused.way_out, person())
            self.refusal = {"sentence": refused.sentence, "way_out": out}
        except Invalid as wrong:
            self.status = 422
            for name, sentences in wrong.errors.items():
                self._wrong(name, sentences[0])
        except CommandReused:
            self._once_more(AGAIN)
        except Busy:
            self._once_more(BUSY)
        return None

    def _run(self, expected: int | None, changes: Changes) -> Done | None:
        casework, who = house().casework, person()
        asked = {**self.reading.said, **{name: str(value) for name, value in self.fixed.items()}}
        key = casework.key(who, f"page {self.doing.key} {self.subject_id or ''}", self.command_id, asked)
        for _attempt in range(TRIES):
            try:
                return casework.run(
                    self.doing, who, self.loaded, key=key, subject_id=self.subject_id, expected=expected
                )
            except Stale as stale:
                self.changed_since = changes(expected or 0)
                self.version = stale.version
                if self.changed_since:
                    self.status = 409
                    return None
                # Nothing that this reader may know, or need to, has changed: the page isn't stale for them.
                expected = stale.version
        raise Busy

    def _once_more(self, sentence: str) -> None:
        """Let the person decide, under a new command id."""
        self.status, self.command_id = 409, str(uuid4())
        self.refusal = {"sentence": sentence, "way_out": None}


def new_record(_version: int) -> Sequence[str]:
    """A creation has nothing before it that could have changed."""
    return ()


def with_options(key: str, name: str, options: Sequence[tuple[str, str]]) -> dict[str, Question]:
    """A question whose options are people or entries, for `instead`."""
    return {name: replace(questions.command(key).question(name), options=tuple(options), kind="choice")}


def _asks_the_day(doing: Doing) -> bool:
    """Whether the day isn't asked for by the command itself, and could be another than today."""
    if doing.thing in ("scheme", "erasures"):
        return False
    if doing.verb in ("correct", "dispute", "arrange-session", "acknowledge"):
        return False
    return not any(Mark.WORLD in marks(annotation) for annotation in said_fields(doing.fact).values())


def messages_of(wrong: ValidationError) -> dict[str, Any]:
    """A schema's complaints by field."""
    found: dict[str, Any] = wrong.normalized_messages()  # type: ignore[no-untyped-call]
    return found


def _first(messages: Any) -> str:
    while isinstance(messages, dict | list):
        messages = next(iter(messages.values() if isinstance(messages, dict) else messages))
    return str(messages)
