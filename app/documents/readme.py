"""README.txt of a pack: what it proves, what it doesn't, how to check it, for whoever unpacks it."""

from collections.abc import Iterable
from textwrap import wrap
from typing import Final

from app.documents.story import Story
from app.documents.words import about_rows
from app.wording import proof as say

_WIDTH: Final = 92
_FILE: Final = "pack.zip"
_KEY: Final = "LOG-KEY"


def readme_txt(story: Story) -> bytes:
    """The text, in UTF-8, with lines that fit a screen."""
    lines = [say.README_TITLE, "=" * len(say.README_TITLE), ""]
    lines += [say.DEMO, ""] if story.demo else []
    lines += _listed(f"{label}: {' '.join(text.split())}" for label, text in about_rows(story))
    lines += _part(say.README_WHAT, _listed(f"{name}: {what}" for name, what in say.README_FILES))
    lines += _part(say.WHAT_IS_PROVEN, [say.PROMISE, "", *_listed(say.PROVEN)])
    lines += _part(say.WHAT_IS_NOT, _listed(say.NOT_PROVEN))
    lines += _part(say.LEFT_OUT, _listed(story.left_out))
    lines += _part(say.README_CHECK, _how())
    return ("\n".join(lines) + "\n").encode()


def _how() -> list[str]:
    alone = [line.format(file=_FILE, key=_KEY) for line in say.IN_A_FOLDER]
    return [
        *wrap(say.README_STEPS, _WIDTH),
        "",
        *wrap(say.FIRST, _WIDTH),
        *_listed(say.WHERE_KEYS_ARE),
        "",
        say.README_ONE,
        "",
        f"   {say.WITH_CASEBOOK.format(file=_FILE, key=_KEY)}",
        "",
        say.README_TWO,
        "",
        *(f"   {line}" for line in alone),
        "",
        *wrap(say.README_GET, _WIDTH),
        "",
        *wrap(say.README_MORE, _WIDTH),
        "",
        f"   {say.WITH_CHECKPOINT.format(file='checkpoint.txt')}",
        "",
        *wrap(say.NEWER_CHECKPOINT, _WIDTH),
        "",
        *wrap(say.README_ANSWER, _WIDTH),
    ]


def _part(heading: str, lines: Iterable[str]) -> list[str]:
    return ["", heading, "-" * len(heading), "", *lines]


def _listed(items: Iterable[str]) -> list[str]:
    return [
        line
        for item in items
        for line in wrap(item, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
    ]
