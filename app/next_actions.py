"""What a reader may do next with a case, a mentor or a concern: the verbs of commands, the likeliest first.

It only spares people a refusal: the rules themselves are the domain's. What is always possible, such as
correcting an entry or breaking confidentiality, isn't listed.
"""

from typing import Final, Literal, Protocol
from uuid import UUID

from app.commands import COMMANDS

_ROLES: Final = {(doing.thing, doing.verb): doing.roles for doing in COMMANDS if doing.verb}

_CASE: Final[dict[str, tuple[str, ...]]] = {
    "referred": ("match", "decline", "send-letter"),
    "matched": (
        *("hold-session", "arrange-session", "miss-session", "agree-purpose", "ask-for-more"),
        *("send-letter", "end-match", "close"),
    ),
    "at_review": (
        *("close", "extend", "arrange-session", "miss-session", "agree-purpose", "ask-for-more"),
        *("send-letter", "end-match"),
    ),
    "closed": ("reopen", "send-letter"),
    "declined": ("reopen", "send-letter"),
}
_NOT_ON_HOLD: Final = frozenset({"match", "decline", "close", "extend"})

_SELECTED: Final = ("train", "sign-agreement", "supervise", "qualify", "attach", "appoint", "stand-down")

_CONCERN: Final[dict[str, tuple[str, ...]]] = {
    "received": ("acknowledge", "decide", "assess"),
    "acknowledged": ("decide", "assess"),
    "being_dealt_with": ("refer-out", "assign-action", "close", "decide", "assess"),
    "closed": ("reopen",),
}
_CONCERN_ALWAYS: Final = ("share", "inform-child", "transfer")


class AnyCase(Protocol):
    """A case as its facts tell, or as a list shows it."""

    @property
    def state(self) -> Literal["referred", "matched", "at_review", "closed", "declined"]:
        """Where it stands."""

    @property
    def on_hold(self) -> bool:
        """The flag."""

    @property
    def pupil_id(self) -> UUID | None:
        """None while nobody has found the pupil on the roll."""


class AnyMentor(Protocol):
    """A mentor as their facts tell, or as a list shows them."""

    @property
    def standing(self) -> str:
        """How far they are."""

    @property
    def interviewed(self) -> bool:
        """Whether a panel met them."""


class AnyConcern(Protocol):
    """A concern as its facts tell, or as a list shows it."""

    @property
    def state(self) -> str:
        """What the person who raised it may know."""


def next_actions(case: AnyCase, role: str) -> list[str]:
    """Verbs for a case, for a reader in this role who may see it."""
    verbs = list(_CASE[case.state])
    if case.pupil_id is None:
        # Finding the pupil on the roll, a correction of the first entry, comes before a match.
        verbs = ["correct" if verb == "match" else verb for verb in verbs]
    if case.on_hold:
        verbs = [verb for verb in verbs if verb not in _NOT_ON_HOLD]
    verbs.append("release" if case.on_hold else "hold")
    return _for(role, "cases", verbs)


def mentor_actions(mentor: AnyMentor, role: str) -> list[str]:
    """Verbs for a mentor."""
    verbs: tuple[str, ...] = ()
    if mentor.standing == "applied":
        verbs = ("select", "turn-down", "interview") if mentor.interviewed else ("interview", "turn-down")
    elif mentor.standing == "selected":
        verbs = _SELECTED
    elif mentor.standing == "stood_down":
        verbs = ("supervise",)
    return _for(role, "mentors", verbs)


def concern_actions(concern: AnyConcern, role: str) -> list[str]:
    """Verbs for a concern, for a reader in this role who may see it."""
    return _for(role, "concerns", (*_CONCERN[concern.state], *_CONCERN_ALWAYS))


def _for(role: str, thing: str, verbs: tuple[str, ...] | list[str]) -> list[str]:
    return [verb for verb in verbs if role in _ROLES[thing, verb]]
