"""What those who answer for the data read: what is due, what is kept and why, and the certificate."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from app.wording.common import _, day, moment, ngettext
from domain.retention import Matter

OF_DATA_TODAY: Final = (
    _("Nothing is edited or deleted: a correction stands beside what it corrects, with its reason."),
    _("Before a pupil’s record is shown, it is noted who looked at it and when."),
    _(
        "In the record, names, notes and what a child said are encrypted, each case with a key of its own. "
        "Only lists hold names in clear, and lists can be thrown away."
    ),
    _(
        "To erase something its key is destroyed, for good. That it was there, who decided and when, stays; "
        "who it was about and what was said doesn’t."
    ),
)
NOT_YET: Final = _("Requests to see a record aren’t listed here yet. Keep them where you keep them now.")

SCOPES: Final = {
    "identity": _("Names and date of birth"),
    "narrative": _("Mentoring case"),
    "mentor": _("Record as a peer mentor"),
}
STATES: Final = {
    "requested": _("Waits for a second person"),
    "ordered": _("Being carried out"),
    "completed": _("Erased"),
    "withdrawn": _("Withdrawn"),
}
GROUNDS: Final = {
    "retention": _("It was kept for as long as the school’s rules say."),
    "data_subject": _("The person it is about asks for it."),
}
OF_ANOTHER: Final = _("Another pupil’s story, in which this pupil is named.")
CANT_REACH: Final = (
    _("Evidence packs that were handed out, and whatever somebody printed, wrote down or remembers."),
    _("Back-ups from before, until your school deletes them."),
    _("A name that somebody wrote into another pupil’s story: it goes with that story."),
)


def what(matter: Matter) -> str:
    """What a matter is, in a line."""
    if matter.scope != "narrative" or not matter.with_concern:
        return SCOPES[matter.scope]
    concerns = len(matter.targets) - 1
    if not concerns:
        return _("A concern without a case")
    return ngettext("Mentoring case with {n} concern", "Mentoring case with {n} concerns", concerns).format(
        n=concerns
    )


def why_kept(matter: Matter, today: date) -> str:
    """Why a matter is still kept, or since when it is due."""
    if matter.held:
        return _("Kept by a legal hold.")
    if matter.still_open:
        return matter.still_open
    if matter.kept_until is not None and matter.kept_until > today:
        return _("Somebody decided to keep it until {day}.").format(day=day(matter.kept_until))
    if matter.keep_until > today:
        return _("The school’s rules keep it until {day}.").format(day=day(matter.keep_until))
    if matter.keep_until == date.min:
        return _("Nothing keeps it any more.")
    return _("Due since {day}.").format(day=day(matter.keep_until))


def certificate_rows(found: Any, called: Callable[[UUID], str] = str) -> list[dict[str, str]]:
    """A certificate as labels and texts; `called` says who has an account."""

    def step(one: Any) -> str:
        return _("{who}, on {moment}").format(who=called(one.account), moment=moment(one.at))

    def checkpoint(one: Any, otherwise: str) -> str:
        if one is None:
            return otherwise
        return _("Size {size}, made {moment}\n{root}").format(
            size=one.size, moment=moment(one.made_at), root=one.root.hex()
        )

    rows = [
        {"label": _("What"), "text": SCOPES[found.scope]},
        {"label": _("State"), "text": STATES[found.state]},
        {"label": _("Why"), "text": f"{GROUNDS[found.grounds]}\n{found.reason}"},
        {"label": _("Asked for by"), "text": step(found.requested)},
    ]
    if found.withdrawn:
        rows.append({"label": _("Withdrawn by"), "text": step(found.withdrawn)})
    if found.approved:
        rows.append({"label": _("Approved by"), "text": step(found.approved)})
        keys = [f"{key.kid} ({moment(key.at)})" for key in found.keys]
        gone = _("{done} of {all}").format(done=len(keys), all=found.parts)
        rows.append({"label": _("Keys destroyed"), "text": "\n".join([gone, *keys])})
        none = _("None was made before.")
        rows.append({"label": _("Checkpoint before"), "text": checkpoint(found.before, none)})
    if found.completed:
        rows.append({"label": _("Completed"), "text": moment(found.completed.at)})
        soon = _("Not made yet: look again in a few minutes.")
        rows.append({"label": _("Checkpoint after"), "text": checkpoint(found.after, soon)})
    rows.append({"label": _("Evidence packs handed out before"), "text": _packs(found, called)})
    rows.append({"label": _("Number of this erasure"), "text": str(found.erasure_id)})
    return rows


def certificate_lines(found: Any) -> list[str]:
    """The same for a terminal."""
    return [f"{row['label']}: {'; '.join(row['text'].splitlines())}" for row in certificate_rows(found)]


def _packs(found: Any, called: Callable[[UUID], str]) -> str:
    if not found.packs:
        return _("None.")
    lines = [
        _("{moment}, made by {who}: {reason}").format(
            moment=moment(pack.read_at), who=called(pack.account), reason=pack.reason or _("(erased)")
        )
        for pack in found.packs
    ]
    return "\n".join([*lines, _("They can’t be called back: ask whoever has them to destroy them.")])
