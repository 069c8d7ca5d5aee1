"""A history as pages show it: by day, the newest first."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from app.history.entries import Correction, Entry
from app.wording.common import LONDON, _, day, moment, short_day
from app.wording.facts import label


def by_day(found: Sequence[Entry], now: datetime) -> list[dict[str, Any]]:
    """Entries by the day on which they were recorded, newest first, as the timeline's template takes them."""
    today = now.astimezone(LONDON).date()
    newest_first = sorted(found, key=lambda entry: entry.position, reverse=True)
    return [
        {"day_text": _day_text(recorded_on, today), "facts": [_fact(entry) for entry in group]}
        for recorded_on, group in groupby(newest_first, key=_recorded_on)
    ]


def _recorded_on(entry: Entry) -> date:
    return entry.recorded_at.astimezone(LONDON).date()


def _day_text(when: date, today: date) -> str:
    if when == today:
        return _("Today, {day}").format(day=day(when))
    if when == today - timedelta(days=1):
        return _("Yesterday, {day}").format(day=day(when))
    return day(when)


def _fact(entry: Entry) -> dict[str, Any]:
    tags = (["corrected"] if entry.corrections else []) + (["disputed"] if entry.disputes else [])
    return {
        "id": f"entry-{entry.version}",
        "version": entry.version,
        "name": entry.name,
        "sentence": entry.sentence,
        "recorded_at_text": moment(entry.recorded_at),
        "recorded_by_text": entry.recorded_by.text,
        "happened_on_text": short_day(entry.happened_on, entry.recorded_at) if entry.late else None,
        "late": entry.late,
        "tags": tags,
        "details": [{"label": name, "text": text} for name, text in entry.details],
        "corrections": [_correction(one) for one in entry.corrections],
    }


def _correction(one: Correction) -> dict[str, Any]:
    return {
        "field_label": label(one.field),
        "old": one.old,
        "new": one.new,
        "reason": one.reason,
        "by": one.recorded_by.text,
        "at": moment(one.recorded_at),
    }
