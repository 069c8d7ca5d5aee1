"""The scripts of the disclosures, from `stories/disclosures.toml`: what was said and what followed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Step:
    """A command, so many school days after it was said at a `clock` time, or so many `minutes` later."""

    who: str
    command: str
    days: int = 0
    clock: str = ""
    minutes: int = 0
    said: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Script:
    """What was said `after` the session of that number, as the mentor wrote it, and what was done."""

    key: str
    after: int
    said: Mapping[str, str]
    steps: tuple[Step, ...]
    passed_on: str = ""
    passed_on_after: int = 6
    """Minutes until the mentor wrote it down."""


@cache
def scripts() -> tuple[Script, ...]:
    """Every script, in the order of the file."""
    text = (files(__package__) / "stories" / "disclosures.toml").read_text("utf-8")
    return tuple(
        Script(**told, steps=tuple(Step(**step) for step in steps))
        for told in tomllib.loads(text)["disclosure"]
        if (steps := told.pop("step"))
    )
