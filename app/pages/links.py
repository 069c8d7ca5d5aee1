"""Where things are: each reader's menu, the page of each command, and the way out of a refusal."""

from typing import Any, Final
from uuid import UUID

from app.access.person import Person
from app.commands import BY_KEY
from app.wording import questions
from app.wording.common import _

WORRIED: Final = ("/worried", _("I’m worried about someone"))
MENUS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "coordinator": (
        ("/", _("Today")),
        ("/cases", _("Cases")),
        ("/mentors", _("Mentors")),
        ("/pupils", _("Pupils")),
        ("/scheme", _("Rules")),
    ),
    "dsl": (
        ("/", _("Needs you now")),
        ("/concerns", _("All concerns")),
        ("/cases", _("Cases")),
        ("/pupils", _("Pupils")),
        ("/evidence/cases", _("Evidence")),
    ),
    "mentor": (("/", _("My mentees")), ("/refer", _("Refer a pupil"))),
    "referrer": (("/", _("Refer a pupil")),),
    "head": (
        ("/", _("Needs you now")),
        ("/concerns", _("All concerns")),
        ("/due", _("Due")),
        ("/scheme", _("Rules")),
        ("/proof", _("Proof")),
    ),
    "inspector": (
        ("/", _("Cases")),
        ("/concerns", _("Concerns")),
        ("/evidence/cases", _("Evidence")),
        ("/proof", _("Proof")),
    ),
    "admin": (("/", _("People")), ("/status", _("Status"))),
    "data_officer": (("/due", _("Due")), ("/scheme", _("Rules")), ("/proof", _("Proof"))),
}
MENUS["deputy_dsl"] = MENUS["dsl"]
MENUS["chair"] = tuple(place for place in MENUS["head"] if place[0] not in ("/due", "/scheme"))
BEHIND: Final[dict[str, tuple[str, ...]]] = {
    "/due": ("/kept", "/erasures"),
    "/evidence/cases": ("/evidence",),
}
"""Pages that lie behind a place of a menu at addresses of their own."""
BEHIND_HOME: Final[dict[str, tuple[str, ...]]] = {
    "mentor": ("/sessions", "/cases"),
    "referrer": ("/refer",),
    "inspector": ("/cases",),
}
"""The same, for the first page of a role."""
FIT_A_PHONE: Final = 2
"""Places of a menu that stand in one row of a phone."""
MINE: Final = ("/me/concerns", _("My concerns"))


def nav(role: str, path: str) -> dict[str, Any]:
    """The menu of a role, and beside it what anybody may do about a worry: that is never folded away.

    `current` says where the reader is: "page" for the place itself, "true" for a page behind it.
    """
    # A mentor's first page has their concerns already, and a phone has little room for a menu.
    places = (*MENUS.get(role, ()), *(() if role == "mentor" else (MINE,)))
    # "/" shows the first place of every menu, whatever that place's own address is.
    here = places[0][0] if path == "/" else path
    itself = here in {href for href, _text in (*places, WORRIED)}
    shown = [
        {"text": text, "href": href, "current": _where(role, href, here, itself=itself)}
        for href, text in (*places, WORRIED)
    ]
    return {"places": shown[:-1], "worried": shown[-1], "folds": len(places) > FIT_A_PHONE}


def _where(role: str, href: str, path: str, *, itself: bool) -> str | None:
    if itself:
        return "page" if href == path else None
    behind = BEHIND_HOME.get(role, ()) if href == "/" else (href, *BEHIND.get(href, ()))
    return "true" if any(path.startswith(f"{one}/") or path == one for one in behind) else None


def home_of(thing: str, subject_id: UUID | None) -> str:
    """The page that shows a subject."""
    return "/scheme" if thing == "scheme" else f"/{thing}/{subject_id}"


SPECIAL: Final = {
    "cases/match": "/cases/{id}/match",
    "cases/extend": "/cases/{id}/review",
    "cases/hold-session": "/sessions/{id}/record",
    "cases/break-confidentiality": "/worried?case={id}",
    "scheme/adopt": "/scheme/adopt",
    "pupils/put-legal-hold": "/kept/{id}/do/put-legal-hold",
    "pupils/release-legal-hold": "/kept/{id}/do/release-legal-hold",
}
"""Commands whose page is made by hand."""


def page_of(key: str, subject_id: UUID | None) -> str:
    """The page on which a command is given."""
    thing, _slash, verb = key.partition("/")
    return SPECIAL.get(key, "/{thing}/{id}/do/{verb}").format(thing=thing, id=subject_id, verb=verb)


def way_out(thing: str, subject_id: UUID | None, verb: str | None, person: Person) -> dict[str, str] | None:
    """The command that a refusal offers instead, when this person may give it here."""
    doing = BY_KEY.get(f"{thing}/{verb}")
    if doing is None or subject_id is None or person.role not in doing.roles:
        return None
    if doing.key == "cases/correct":
        return {"text": _("Find the pupil on the roll"), "href": f"/cases/{subject_id}/pupil"}
    return {"text": questions.command(doing.key).title, "href": page_of(doing.key, subject_id)}


def recorded_at(thing: str, subject_id: UUID, version: int, position: int) -> str:
    """Where a reader goes after a command: the subject's page, with what was recorded on top."""
    return f"{home_of(thing, subject_id)}?recorded={version}&after={position}"
