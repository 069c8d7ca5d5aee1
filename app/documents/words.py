"""A story as texts alone, in the order in which every paper shows them: page and PDF can't tell it twice."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from app.documents.story import Entry, Look, Story, Subject
from app.wording import proof as say
from app.wording.common import LONDON, day, moment, short_day

# Control characters, and marks that put text into another order than it was written in.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def visible(text: str) -> str:
    """A text in which nothing is hidden: what can't be seen, or reorders the rest, stands as its number."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub(lambda found: number_of(found[0]), lines)


def number_of(character: str) -> str:
    """What stands for a character that can't be shown: [U+202E]."""
    return f"[U+{ord(character):04X}]"


def in_words(story: Story) -> dict[str, Any]:
    """Everything that the papers of a pack say, as texts, lists and mappings."""
    said: dict[str, Any] = _seen(
        {
            "title": say.HISTORY.format(school=story.school),
            "made_at": story.made_at.astimezone(LONDON).isoformat(),
            "author": f"Casebook, {story.school}",
            "demo": say.DEMO if story.demo else "",
            "reading": {"heading": say.FOR_READING_TITLE, "text": say.FOR_READING},
            "about": {"heading": say.ABOUT, "rows": _about(story)},
            "contents": say.CONTENTS,
            "subjects": [_subject(one, number) for number, one in enumerate(story.subjects, 1)],
            "words": {
                "was": say.WAS,
                "now": say.NOW,
            },
            "looks": {
                "heading": say.LOOKS,
                "intro": say.OF_LOOKS,
                "columns": say.LOOK_COLUMNS,
                "rows": [_look(one) for one in story.looks],
                "empty": say.NO_LOOKS,
            },
            "people": {
                "heading": say.PEOPLE,
                "intro": say.OF_PEOPLE,
                "columns": say.PEOPLE_COLUMNS,
                "rows": [[one.name, one.role, str(one.id)] for one in story.people],
            },
            "left_out": {"heading": say.LEFT_OUT, "items": story.left_out},
            "proven": {"heading": say.WHAT_IS_PROVEN, "promise": say.PROMISE, "items": say.PROVEN},
            "not_proven": {"heading": say.WHAT_IS_NOT, "items": say.NOT_PROVEN},
        }
    )
    return said


def about_rows(story: Story) -> list[tuple[str, str]]:
    """Who made the pack, for whom, why, and what it covers: labels and texts."""
    return [(visible(label), visible(text)) for label, text in _about(story)]


def _about(story: Story) -> list[tuple[str, str]]:
    covers = say.COVERS_TEXT.format(n=f"{story.size:,}", origin=story.origin)
    return [
        (say.MADE_FOR, story.for_whom),
        (say.WHY, story.why),
        (say.MADE_BY, story.made_by),
        (say.MADE_AT, moment(story.made_at)),
        (say.COVERS, covers),
        (say.CHECKPOINT_AT, moment(story.checkpoint_at) if story.checkpoint_at else say.NO_TIME),
        (say.NAMES, say.NAMED if story.with_names else say.CODED),
    ]


def _subject(subject: Subject, number: int) -> dict[str, Any]:
    return {
        "anchor": f"part-{number}",
        "title": subject.title,
        "number": say.NUMBER.format(id=subject.id),
        "erased": say.ERASED_NOTE if subject.erased else "",
        "empty": "" if subject.entries else say.NO_ENTRIES,
        "days": [
            {"day": day(recorded_on), "entries": [_entry(one) for one in some]}
            for recorded_on, some in groupby(
                subject.entries, key=lambda one: one.recorded_at.astimezone(LONDON).date()
            )
        ],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    tags = (
        (entry.late, say.LATE),
        (entry.corrections, say.CORRECTED),
        (entry.disputes, say.DISPUTED),
        (entry.erased, say.ERASED),
    )
    recorded = [
        say.RECORDED.format(moment=moment(entry.recorded_at), who=entry.recorded_by),
        say.HAPPENED.format(day=short_day(entry.happened_on, entry.recorded_at)) if entry.late else "",
        say.PLACE.format(n=entry.index, version=entry.version),
    ]
    return {
        "sentence": entry.sentence,
        "tags": [text for is_so, text in tags if is_so],
        "fields": entry.fields,
        "corrections": [
            {
                "label": one.label,
                "old": one.old,
                "new": one.new,
                "by": say.CORRECTED_BY.format(
                    moment=moment(one.recorded_at), who=one.recorded_by, reason=one.reason
                ),
            }
            for one in entry.corrections
        ],
        "disputes": [
            {
                "words": one.words,
                "by": say.DISPUTED_BY.format(moment=moment(one.recorded_at), who=one.recorded_by),
            }
            for one in entry.disputes
        ],
        "recorded": " · ".join(filter(None, recorded)),
    }


def _look(look: Look) -> list[str]:
    when = moment(look.at)
    if look.until:
        when = say.SEVERAL.format(first=day(look.at), last=day(look.until), n=look.times)
    who = f"{look.who}, {look.role}" if look.role else look.who
    return [when, who, f"{look.what}: {look.about}", look.why]


def _seen(said: Any) -> Any:
    if isinstance(said, str):
        return visible(said)
    if isinstance(said, dict):
        return {name: _seen(one) for name, one in said.items()}
    if isinstance(said, Sequence):
        return [_seen(one) for one in said]
    return said
