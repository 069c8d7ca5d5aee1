"""One concern as its page shows it: clocks, gaps, decisions with their reasons, actions, and who knows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.access.policy import house, person
from app.access.relation import about_of, may_see_concern
from app.commands import BY_KEY
from app.forms import today
from app.history import Entry, by_day, entries
from app.next_actions import concern_actions
from app.pages.common import looked, page, recorded, stream
from app.pages.doing import text_now, with_links
from app.pages.links import page_of
from app.pages.people import people
from app.wording import questions
from app.wording.common import ERASED_TEXT, _, day, how_long, moment, ngettext
from app.wording.facts import value_text
from domain.concern import Concern
from domain.concern_facts import Notified, OutcomeReceived, ReceiptConfirmed, ReferredOut
from projections.roll import day_typed

READY: Final = frozenset(
    {
        *("acknowledge", "decide", "refer-out", "record-outcome", "assign-action", "close", "reopen"),
        *("approve-closing", "confirm-receipt"),
    }
)
"""Commands with a button of their own; the others wait behind "Other things you can record"."""


class SeenConcern:
    """A concern as this reader may see it. Not there, or not theirs: 404."""

    def __init__(self, concern_id: UUID) -> None:
        self.concern, self.told = stream(Concern, concern_id)
        if not may_see_concern(person(), about_of(self.concern)):
            raise NotFound
        self.people = people(t.fact for t in self.told)
        self.entries: list[Entry] = entries(self.told, person(), self.people.names)

    def of(self, name: str) -> Iterator[Entry]:
        """The entries of that name, oldest first."""
        return (entry for entry in self.entries if entry.name == name)

    def said(self, field: str) -> str | None:
        """A text of what was raised, as it stands now."""
        return text_now(self.entries, "Raised", field)

    def first(self, name: str) -> Entry | None:
        """The first entry of that name."""
        return next(self.of(name), None)

    @property
    def who(self) -> str:
        """Whom it is about."""
        if about_of(self.concern) == "staff":
            return self.said("about_words") or _("A member of staff")
        pupil_id = self.concern.pupil_id
        if isinstance(pupil_id, UUID):
            pupil = self.people.pupil(pupil_id)
            return ", ".join(filter(None, (pupil["name"], pupil["year"], pupil["form"])))
        return self.said("about_words") or _("A pupil who isn’t named in a case")

    @property
    def about(self) -> list[dict[str, Any]]:
        """The lines on top of the page and of its forms."""
        concern, role = self.concern, person().role
        lines: list[dict[str, Any]] = [{"label": _("About"), "text": self.who}]
        if isinstance(concern.pupil_id, UUID) and "dsl" in role:
            lines[0]["href"] = f"/pupils/{concern.pupil_id}"
        if concern.raised_by:
            lines.append({"label": _("Raised by"), "text": self.people.called(concern.raised_by)})
        if isinstance(concern.case_id, UUID) and ("dsl" in role or role == "inspector"):
            lines.append(
                {"label": _("Case"), "text": _("Open the case"), "href": f"/cases/{concern.case_id}"}
            )
        informed = self.said("mentee_informed")
        if informed:
            lines.append({"label": _("Child knows it was passed on"), "text": informed})
        return lines


def concern_page(seen: SeenConcern) -> ResponseReturnValue:
    """Everything about one concern on one page."""
    concern = seen.concern
    pupil_id = concern.pupil_id if isinstance(concern.pupil_id, UUID) else None
    looked([concern.id, pupil_id], "concern", seen.told)
    verbs = _verbs(seen)
    raised = seen.told[0]
    teller = seen.people.called(raised.fact.recorded_by)
    told_text = _("Recorded by {who}, {moment}").format(who=teller, moment=moment(raised.recorded_at))
    danger = seen.entries[0].fields.get("immediate_danger") if seen.entries else None
    lead = pupil_id is not None and "dsl" in person().role
    return page(
        "safeguarding/concern.html",
        title=_("Concern about {who}").format(who=seen.who),
        concern={
            "state": concern.state,
            "childs_words": seen.said("childs_words"),
            "told_text": told_text,
            "facts": seen.said("facts"),
            "opinion": seen.said("opinion"),
            "danger": danger is True,
            "history_href": f"/pupils/{pupil_id}/history" if lead else None,
        },
        about=seen.about,
        clocks=_clocks(seen),
        gaps=_gaps(seen),
        next_actions=_actions(seen, [verb for verb in verbs if verb in READY]),
        more_actions=_actions(seen, [verb for verb in verbs if verb not in READY], primary=False),
        decisions=[_decision(seen, entry) for entry in seen.of("Decided")],
        todo=_todo(seen),
        told=list(_who_knows(seen)),
        days=with_links(by_day(seen.entries, datetime.now(UTC)), seen.entries, "concerns", concern.id),
        recorded=recorded("concerns", seen.told, seen.people.names),
    )


def _gaps(seen: SeenConcern) -> list[dict[str, str]]:
    """What is missing in what was raised; of an erased concern nobody can say."""
    if seen.concern.erased:
        return [{"text": ERASED_TEXT}]
    return [{"text": str(gap)} for gap in _list(seen.entries[0].fields.get("gaps") if seen.entries else None)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _verbs(seen: SeenConcern) -> list[str]:
    concern, told = seen.concern, seen.concern.told
    if concern.erased:
        return []
    verbs = concern_actions(concern, person().role)
    if not verbs:
        return []
    decided = list(seen.of("Decided"))
    if decided and decided[-1].fields.get("decision") != "refer" and "refer-out" in verbs:
        verbs.append(verbs.pop(verbs.index("refer-out")))
    if told.count(OutcomeReceived) < told.count(ReferredOut):
        verbs.insert(0, "record-outcome")
    if concern.closed and not concern.closing_approved and concern.closed_by != person().account:
        verbs.insert(0, "approve-closing")
    if concern.transferred and ReceiptConfirmed not in told:
        verbs.append("confirm-receipt")
    return verbs


def _actions(seen: SeenConcern, verbs: list[str], *, primary: bool = True) -> list[dict[str, Any]]:
    """Commands as buttons. One that asks for nothing is given by its button."""
    buttons = []
    for number, verb in enumerate(verbs):
        words = questions.command(f"concerns/{verb}")
        post = not words.questions
        buttons.append(
            {
                "text": words.button if post else words.title,
                "href": page_of(words.key, seen.concern.id),
                "primary": primary and not number,
                "post": post,
                "command_id": str(uuid4()) if post else None,
                "version": seen.concern.version if post else None,
            }
        )
    return buttons


def _clocks(seen: SeenConcern) -> list[dict[str, Any]]:
    policy, raised_at = house().casework.policy(), seen.told[0].recorded_at
    # A concern that was reopened needs a decision of its own.
    reopened = next(iter(reversed(list(seen.of("Reopened")))), None)
    since = reopened.recorded_at if reopened else raised_at
    decided = next((e for e in seen.of("Decided") if e.recorded_at >= since), None)
    return [
        _clock(_("Acknowledged"), raised_at, seen.first("Acknowledged"), policy.acknowledge_within_hours),
        _clock(
            _("Decided, since it was reopened") if reopened else _("Decided"),
            since,
            decided,
            policy.decide_within_hours,
        ),
        *_answer_awaited(seen),
    ]


def _answer_awaited(seen: SeenConcern) -> Iterator[dict[str, Any]]:
    """How long another body hasn't answered. The scheme has no standard for others."""
    asked = list(seen.of("ReferredOut"))
    if seen.concern.closed or len(asked) <= seen.concern.told.count(OutcomeReceived):
        return
    age = how_long(asked[-1].recorded_at, datetime.now(UTC))
    yield {"label": _("Answer from outside"), "text": _("Not yet: {age}").format(age=age)}


def _clock(label: str, since: datetime, done: Entry | None, hours: int) -> dict[str, Any]:
    until = done.recorded_at if done else datetime.now(UTC)
    age = how_long(since, until)
    return {
        "label": label,
        "text": _("After {age}").format(age=age) if done else _("Not yet: {age}").format(age=age),
        "standard_text": within(hours),
        "over": until - since > timedelta(hours=hours),
    }


def within(hours: int) -> str:
    """A standard in words."""
    return ngettext("Standard: within {n} hour", "Standard: within {n} hours", hours).format(n=hours)


def _decision(seen: SeenConcern, entry: Entry) -> dict[str, Any]:
    policy_version = next(t.fact.policy_version for t in seen.told if t.position == entry.position)
    return {
        "what": value_text(entry.fields.get("decision"), seen.people.names, "decision"),
        "rationale": text_now([entry], "Decided", "rationale") or "",
        "alternatives": text_now([entry], "Decided", "alternatives"),
        "by": entry.recorded_by.text,
        "at_text": moment(entry.recorded_at),
        "policy_text": _("rules version {n}").format(n=policy_version),
    }


def _todo(seen: SeenConcern) -> list[dict[str, Any]]:
    done = {entry.fields.get("action_version"): entry for entry in seen.of("ActionCompleted")}
    may = person().role in BY_KEY["concerns/complete-action"].roles
    rows = []
    for entry in seen.of("ActionAssigned"):
        due = date.fromisoformat(str(entry.fields["due_on"]))
        corrected = [one.value for one in entry.corrections if one.field == "due_on"]
        due = (day_typed(corrected[-1].strip()) if corrected else None) or due
        completed = done.get(entry.version)
        page_for = f"{page_of('concerns/complete-action', seen.concern.id)}?action={entry.version}"
        rows.append(
            {
                "action": text_now([entry], "ActionAssigned", "action") or "",
                "owner": text_now([entry], "ActionAssigned", "owner") or "",
                "due_text": _("By {day}").format(day=day(due)),
                "state": "overdue" if completed is None and due < today() else None,
                "done_text": _("Done {day}").format(day=day(completed.happened_on)) if completed else None,
                "href": page_for if completed is None and may else None,
            }
        )
    return rows


def _who_knows(seen: SeenConcern) -> Iterator[dict[str, Any]]:
    """Who learned of it, when and on what basis, in the order of the record."""
    names = seen.people.names
    if seen.concern.erased:
        yield {"name": ERASED_TEXT, "role": "", "at_text": ""}
        return
    for told in seen.told:
        if isinstance(told.fact, Notified) and told.fact.times == 1:
            for account in told.fact.told:
                role = names.role(account)
                at = _("alerted {moment}").format(moment=moment(told.recorded_at))
                yield {
                    "name": names.person(account),
                    "role": names.title(role) if role else "",
                    "at_text": at,
                }
    for entry in seen.entries:
        at = moment(entry.recorded_at)
        if entry.name == "Raised":
            for one in _list(entry.fields.get("passed_on")):
                yield {
                    "name": str(one.get("whom", "")),
                    "role": _("told before it was recorded"),
                    "at_text": at,
                }
        elif entry.name == "InformationShared":
            shared = {
                field: text_now([entry], entry.name, field) or "" for field in ("with_whom", "what", "basis")
            }
            yield {"name": shared.pop("with_whom"), "role": "", **shared, "at_text": at}
        elif entry.name == "ChildInformed":
            yield {
                "name": _("The child"),
                "role": "",
                "what": text_now([entry], entry.name, "words"),
                "at_text": at,
            }
