"""How a command is put into words: what its parts are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.wording.fields import Field


@dataclass(frozen=True)
class Words:
    """A command's words. Without a `button` the title is on it."""

    title: str
    done: str
    next: str = ""
    button: str = ""
    intro: str = ""
    ask: Mapping[str, Field] = field(default_factory=dict)
    """Other questions than the fields' own. One with a label is asked in its own way too."""


def ask(question: str, hint: str = "") -> Field:
    """Another question for the same field; how it is asked stays the field's own business."""
    return Field("", question, hint)
