"""What the invented cases are about, in the words that people might use: read from `stories/*.txt`.

A tale begins with `@ reasons | years | route`; then `:` the referral, `>` the purpose, `-` each session as
`focus | notes` or `focus | notes | place` (`-+` when a friend came), `*` where they always meet, `~ reason
| wishes` an extension, `=` what the mentee would like at the review, and how it ends: `! outcome | reason`
closed, `x` closed early, `d reason | other help` declined, `w` still waiting. `#` gives a tale the key by
which a disclosure belongs to it. `?` says whom it can be about: she, he or any, and family names; `??` the
same of the mentor. A fourth part of the first line says who asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal, cast

from app.demo.people import Pupil

Route = Literal["self", "parent", "staff", "mentor"]
Ending = Literal["closed", "stopped", "declined", "waiting"]

_ENDINGS: Final[Mapping[str, Ending]] = {"!": "closed", "x": "stopped", "d": "declined", "w": "waiting"}
_LISTS: Final = "lists.txt"


@dataclass(frozen=True)
class Session:
    """What a mentor writes about one meeting."""

    focus: str
    notes: str
    place: str = ""
    """Where it has to be for what is written of it; empty: where they always meet."""
    friend_came: bool = False


@dataclass(frozen=True)
class Who:
    """Whom a tale fits: anybody, or those with this pronoun and one of these family names."""

    pronoun: str = "any"
    families: tuple[str, ...] = ()

    def fits(self, pupil: Pupil) -> bool:
        """Whether this pupil could be the one."""
        right = self.pronoun in ("any", pupil.pronoun)
        return right and (not self.families or pupil.family_name in self.families)


ANYBODY: Final = Who()


@dataclass(frozen=True)
class Tale:
    """One child's reason for a mentor, and what came of it."""

    reasons: tuple[str, ...]
    years: tuple[int, ...]
    route: Route
    words: str
    ending: Ending
    key: str = ""
    purpose: str = ""
    sessions: tuple[Session, ...] = ()
    more: tuple[Session, ...] = ()
    more_because: str = ""
    more_wishes: str = ""
    wishes: str = ""
    outcome: str = ""
    """Of a declined one: the other help that the pupil was pointed to."""
    reason: str = ""
    asked_by: str = ""
    place: str = ""
    mentee: Who = ANYBODY
    mentor: Who = ANYBODY


def say(words: str, pupil: Pupil, mentor: str = "", coordinator: str = "") -> str:
    """Words about this pupil, with the right pronouns. `mentor` and `coordinator` are names."""
    he, him, his = ("she", "her", "her") if pupil.pronoun == "she" else ("he", "him", "his")
    return words.format(
        name=pupil.called,
        mentor=mentor,
        coordinator=coordinator,
        he=he,
        him=him,
        his=his,
        He=he.title(),
        His=his.title(),
    )


@cache
def tales() -> tuple[Tale, ...]:
    """Every tale, in the order of the files."""
    found = []
    folder = files(__package__) / "stories"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".txt") and file.name != _LISTS:
            parts = file.read_text("utf-8").split("\n\n")
            found += [_tale(part.strip().splitlines()) for part in parts if part.strip()]
    return tuple(found)


@cache
def lists() -> Mapping[str, tuple[str, ...]]:
    """Sentences that belong to no single tale, by what they are for."""
    found: dict[str, list[str]] = {}
    sentences: list[str] = []
    text = (files(__package__) / "stories" / _LISTS).read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            sentences = found.setdefault(line.strip("[]"), [])
        elif line:
            sentences.append(line)
    return {name: tuple(sentences) for name, sentences in found.items()}


def _tale(lines: list[str]) -> Tale:
    head, *rest = lines
    reasons, years, route, *asked_by = (part.strip() for part in head.removeprefix("@").split("|"))
    said: dict[str, str] = {}
    told: list[Session] = []
    before_more: int | None = None
    for line in rest:
        mark, _, words = line.partition(" ")
        if mark in ("-", "-+"):
            focus, then = _two(words)
            told.append(Session(focus, *_two(then), friend_came=mark == "-+"))
        else:
            said[mark] = words
        if mark == "~":
            before_more = len(told)
    mark = next(mark for mark in _ENDINGS if mark in said)
    ending = _ENDINGS[mark]
    outcome, reason = _two(said[mark]) if said[mark] else ("", "")
    if ending == "declined":
        outcome, reason = reason, outcome
    because, wishes = _two(said["~"]) if "~" in said else ("", "")
    return Tale(
        reasons=tuple(reason.strip() for reason in reasons.split(",")),
        years=tuple(map(int, years.split(","))),
        route=cast(Route, route),
        words=said[":"],
        ending=ending,
        key=said.get("#", ""),
        purpose=said.get(">", ""),
        sessions=tuple(told[:before_more]),
        more=tuple(told[before_more:] if before_more is not None else ()),
        more_because=because,
        more_wishes=wishes,
        wishes=said.get("=", ""),
        outcome=outcome,
        reason=reason,
        asked_by="".join(asked_by),
        place=said.get("*", ""),
        mentee=_who(said.get("?", "any")),
        mentor=_who(said.get("??", "any")),
    )


def _who(words: str) -> Who:
    pronoun, *families = words.split()
    return Who(pronoun, tuple(families))


def _two(words: str) -> tuple[str, str]:
    first, _, second = words.partition("|")
    return first.strip(), second.strip()
