"""A posted form as the values that a command's schema loads: three boxes become a date, blanks nothing.

What was typed is kept beside them, so that a page which comes back shows it to the letter.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final, Protocol, get_args, get_origin

from app.wording.common import LONDON, _
from domain.fact import Fact, required_fields, said_fields

DATE_PARTS: Final = ("day", "month", "year")
_TIME: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?", re.IGNORECASE)


class Form(Protocol):
    """What Flask's `request.form` gives: text by name, and every text of a name."""

    def get(self, key: str, default: str) -> str:
        """The first text under a name."""

    def getlist(self, key: str) -> Sequence[str]:
        """Every text under a name."""


@dataclass
class Reading:
    """`said` goes to the schema, `typed` back to the page; `errors` are sentences by field."""

    said: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def read(fact_class: type[Fact], kinds: Mapping[str, str], form: Form) -> Reading:
    """Read the fields named in `kinds` (field name → kind of question) out of a posted form."""
    reading = Reading()
    for name, kind in kinds.items():
        _read_one(reading, fact_class, name, kind, form)
    return reading


def _read_one(reading: Reading, fact_class: type[Fact], name: str, kind: str, form: Form) -> None:
    required = name in required_fields(fact_class)
    if kind in DATED:
        DATED[kind](reading, name, form)
    elif kind == "flag":
        reading.typed[name] = form.get(name, "") == "yes"
        if reading.typed[name] or not _may_be_none(fact_class, name):
            reading.said[name] = reading.typed[name]
    elif kind == "choices":
        reading.typed[name] = list(form.getlist(name))
        reading.said[name] = _items(fact_class, name, reading.typed[name])
    elif kind == "number":
        _number(reading, name, form)
    else:
        text = clean(form.get(name, ""))
        reading.typed[name] = text
        if required or text.strip():
            reading.said[name] = text if kind == "words" else text.strip()


def clean(text: str) -> str:
    """Text as it is stored: line ends as one character, nothing that a database can't hold."""
    return text.replace("\r\n", "\n").replace("\x00", "").encode("utf-8", "replace").decode()


def boxes(when: date | datetime | None) -> dict[str, str]:
    """A day, or an instant, as the texts of its boxes."""
    if when is None:
        return {}
    local = when.astimezone(LONDON) if isinstance(when, datetime) else when
    parts = {"day": str(local.day), "month": str(local.month), "year": str(local.year)}
    if isinstance(local, datetime):
        parts["time"] = f"{local:%H:%M}"
    return parts


def boxes_in(form: Form, name: str) -> dict[str, str]:
    """What was typed in the boxes of one date, and of its time."""
    return {part: clean(form.get(f"{name}-{part}", "")).strip() for part in (*DATE_PARTS, "time")}


def day_in(typed: Mapping[str, str]) -> date | None:
    """The day that three boxes name; None when there is no such day."""
    texts = [typed.get(part, "") for part in DATE_PARTS]
    if not all(re.fullmatch(r"[0-9]{1,4}", text) for text in texts):
        return None
    day, month, year = (int(text) for text in texts)
    try:
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def time_in(text: str) -> time | None:
    """The time that somebody typed: 1:05pm, 13:05, 1.05 pm, 9am; None when it isn't one."""
    found = _TIME.fullmatch(text.strip())
    if not found or (found[2] is None and found[3] is None):
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _day(reading: Reading, name: str, form: Form) -> None:
    typed = boxes_in(form, name)
    reading.typed[name] = typed
    if not any(typed[part] for part in DATE_PARTS):
        return
    when = day_in(typed)
    if when is None:
        reading.errors[name] = _("Give a real date, such as 14 9 2026.")
    else:
        reading.said[name] = when.isoformat()


def _moment(reading: Reading, name: str, form: Form) -> None:
    typed = boxes_in(form, name)
    reading.typed[name] = typed
    if not any(typed.values()):
        return
    when, at = day_in(typed), time_in(typed["time"])
    if when is None or at is None:
        reading.errors[name] = _("Give a real date and a time, such as 14 9 2026 and 1:05pm.")
    else:
        local = datetime.combine(when, at, LONDON)
        reading.said[name] = local.astimezone(UTC).isoformat().replace("+00:00", "Z")


DATED: Final = {"date": _day, "datetime": _moment}


def _number(reading: Reading, name: str, form: Form) -> None:
    text = clean(form.get(name, "")).strip()
    reading.typed[name] = text
    if re.fullmatch(r"[0-9]{1,6}", text):
        reading.said[name] = int(text)
    elif text:
        reading.errors[name] = _("Give a whole number, such as 30.")


def _items(fact_class: type[Fact], name: str, texts: Sequence[str]) -> list[Any]:
    """Ticked boxes as the list that the field holds: of numbers where the field holds numbers."""
    annotation = said_fields(fact_class)[name]
    numbers = get_origin(annotation) is tuple and get_args(annotation)[0] is int
    return [int(text) if numbers and re.fullmatch(r"[0-9]{1,6}", text) else clean(text) for text in texts]


def _may_be_none(fact_class: type[Fact], name: str) -> bool:
    return type(None) in get_args(said_fields(fact_class).get(name))
