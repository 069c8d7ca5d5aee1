"""Which request an answer makes possible: the links of the OpenAPI document.

A program that only reads the document can follow them from a pupil to a case to its next command, with the
ETag that it saw.
"""

from collections.abc import Iterable
from typing import Any, Final

from app.api.reading import READINGS
from app.commands import BREAK_CONFIDENTIALITY, FOR_PROGRAMS, RAISE_CONCERN, Doing

_ID: Final = "$response.body#/id"
_SEEN: Final = {"header.If-Match": "$response.header.ETag"}
_ABOUT_A_PUPIL: Final = ("cases/refer", "mentors/apply")


def link_components() -> dict[str, dict[str, Any]]:
    """Every link, by its name in the document's components."""
    found: dict[str, dict[str, Any]] = {}
    for thing in _THINGS:
        for name in _next(thing):
            found[name] = {"operationId": name, "parameters": {"path.subject_id": _ID}}
    for doing in _commands_on(_THINGS):
        name = doing.key.replace("/", "-")
        seen = {} if doing is BREAK_CONFIDENTIALITY else _SEEN
        found[name] = {"operationId": name, "parameters": {"path.subject_id": _ID, **seen}}
    for key in _ABOUT_A_PUPIL:
        name = key.replace("/", "-")
        found[name] = {"operationId": name, "requestBody": {"pupil_id": _ID}}
    found["concern-opened"] = {
        "operationId": "read-concern",
        "parameters": {"path.subject_id": "$response.body#/concern_id"},
    }
    return found


def links_after(doing: Doing) -> dict[str, Any]:
    """What the answer of a command leads to."""
    if doing is BREAK_CONFIDENTIALITY:
        return _named(["concern-opened"])
    if doing is RAISE_CONCERN:
        # Not everybody who raises a concern is shown it, so its answer has no ETag to go on with.
        return _named(["read-concern"])
    return links_from(doing.thing)


def links_from(thing: str) -> dict[str, Any]:
    """What an answer that shows one of these leads to: every command on it, and every way to read it."""
    if thing not in _THINGS:
        return {}
    further = [key.replace("/", "-") for key in _ABOUT_A_PUPIL] if thing == "pupils" else []
    commands = [doing.key.replace("/", "-") for doing in _commands_on([thing])]
    return _named([*_next(thing), *commands, *further])


def _named(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/links/{name}"} for name in names}


def _next(thing: str) -> list[str]:
    """The readings of one of these, by the names of their operations."""
    return [
        f"read-{reading.view.__name__.replace('_', '-')}"
        for reading in READINGS
        if reading.path.startswith(f"/{thing}/<")
    ]


def _commands_on(things: Iterable[str]) -> list[Doing]:
    wanted = set(things)
    return [doing for doing in FOR_PROGRAMS if doing.thing in wanted and doing.verb]


_THINGS: Final = ("pupils", "mentors", "cases", "concerns")
