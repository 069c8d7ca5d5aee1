"""The page of any command on a case, mentor, concern or pupil: its questions and its button."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, NotFound

from app.access.policy import house, person
from app.commands import BY_KEY, Doing, may_record
from app.history import ERASED_JSON, Entry, entries
from app.pages.common import looked, page
from app.pages.giving import Asking, with_options
from app.pages.links import home_of, recorded_at
from app.pages.people import people
from app.wording import questions
from app.wording.common import ERASED_TEXT, _
from app.wording.facts import label
from app.wording.questions import Question
from domain.fact import FACTS, Subject, said_fields

About = Sequence[Mapping[str, Any]]
NO_NEWS: Final = frozenset({"concern.notified"})
"""What Casebook records by itself makes nobody's page stale."""


def may_do(thing: str, verb: str) -> Doing:
    """The command of that name, when this reader's role may ever give it. Unknown: 404; another's: 403."""
    doing = BY_KEY.get(f"{thing}/{verb}")
    if doing is None:
        raise NotFound
    if person().role not in doing.roles:
        raise Forbidden
    return doing


def command_page(
    doing: Doing,
    subject: Subject,
    about: About,
    *,
    instead: Mapping[str, Question] | None = None,
    fixed: Mapping[str, Any] | None = None,
    danger: bool = False,
    typed: Mapping[str, Any] | None = None,
    shown: Iterable[UUID | None] = (),
) -> ResponseReturnValue:
    """Ask for a command on its own page, or give it and go to the subject's page.

    `shown` are others whom the page names beside its subject.
    """
    asking = Asking(doing, subject.id, subject.version, fixed or {}, instead or {}, dict(typed or {}))
    if request.method == "POST":
        done = asking.post(request.form, changes(type(subject), subject.id))
        if done is not None:
            return redirect(recorded_at(doing.thing, subject.id, done.subject.version, done.position), 303)
    looked([subject.id, *shown], "form")
    words = questions.command(doing.key)
    return page(
        "command_form.html",
        title=words.title,
        status=asking.status,
        intro=words.intro,
        button=words.button,
        danger=danger,
        about=about,
        cancel_href=home_of(doing.thing, subject.id),
        **asking.form,
    )


def changes(kind: type[Subject], subject_id: UUID) -> Callable[[int], Sequence[str]]:
    """What this reader may know of what was recorded since a version, for a page that went stale."""

    def since(version: int) -> Sequence[str]:
        told = house().casework.stream(kind, subject_id)
        names = people(t.fact for t in told).names
        found = [
            entry
            for entry in entries(told, person(), names)
            if entry.version > version and entry.topic not in NO_NEWS
        ]
        if found:
            looked([subject_id], "history", told)
        return [entry.sentence for entry in found]

    return since


def entry_asked(seen: Sequence[Entry]) -> Entry:
    """The entry that a correction or a dispute is about, named by `?entry=`. One that isn't visible: 404."""
    asked = request.args.get("entry", "")
    for entry in seen:
        if asked.isdecimal() and entry.version == int(asked[:9]):
            return entry
    raise NotFound


def entry_page(doing: Doing, subject: Subject, seen: Sequence[Entry], about: About) -> ResponseReturnValue:
    """Correct or dispute an earlier entry that this reader sees."""
    entry = entry_asked(seen)
    about = [*about, {"label": _("Entry"), "text": entry.sentence, "lines": True}]
    if doing.verb == "dispute":
        return command_page(doing, subject, about, fixed={"version": entry.version})
    fields = [name for name in said_fields(FACTS[entry.topic]) if name in entry.fields and name != "pupil_id"]
    instead = with_options(doing.key, "field", [(name, label(name)) for name in fields])
    value = questions.command(doing.key).question("value")
    hint = _("The whole of it, as it should stand. Write a date as 2026-09-14, a number in figures.")
    instead["value"] = Question(value.name, value.question, hint, value.kind, (), value.required)
    only = {"field": fields[0]} if len(fields) == 1 else {}
    return command_page(doing, subject, about, fixed={"version": entry.version}, instead=instead, typed=only)


def with_links(
    days: list[dict[str, Any]], seen: Sequence[Entry], thing: str, subject_id: UUID
) -> list[dict[str, Any]]:
    """The history with links to correct and to dispute each entry that this reader may correct."""
    who = person()
    doing = BY_KEY.get(f"{thing}/correct")
    erased = any(value == ERASED_JSON for entry in seen for value in entry.fields.values())
    if doing is None or who.role not in doing.roles or erased:
        return days
    said_by_people = {
        d.fact for d in BY_KEY.values() if d.thing == thing and d.verb not in ("correct", "dispute")
    }
    may = {
        entry.version
        for entry in seen
        if FACTS[entry.topic] in said_by_people
        and who.role in may_record(FACTS[entry.topic])
        and any(name in entry.fields for name in said_fields(FACTS[entry.topic]))
        and (who.role != "mentor" or entry.recorded_by.id == who.account)
    }
    for one in (fact for group in days for fact in group["facts"]):
        if one["version"] in may:
            for verb in ("correct", "dispute"):
                one[f"{verb}_href"] = f"/{thing}/{subject_id}/do/{verb}?entry={one['version']}"
    return days


def text_now(seen: Sequence[Entry], name: str, field: str) -> str | None:
    """What a field of the newest entry of that name says now, corrections included; None without one."""
    for entry in reversed(seen):
        if entry.name == name and field in entry.fields:
            corrected = [one.new for one in entry.corrections if one.field == field]
            value = corrected[-1] if corrected else entry.fields[field]
            if value == ERASED_JSON:
                return ERASED_TEXT
            return value if isinstance(value, str) else None
    return None
