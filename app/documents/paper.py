"""Draw a paper as PDF/A-3a and PDF/UA-1: for archives and for screen readers, to the same bytes each time.

Words reach the layout as JSON, never as text that is put together. Only fonts of ours are used: those of the
machine would make another file on another machine.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import typst

from app.documents.words import number_of

PAPERS: Final = Path(__file__).parent / "papers"
FONTS: Final = PAPERS / "fonts"
_PROBE: Final = PAPERS / "probe.typ"
_one_at_a_time: Final = Lock()


def pdf(name: str, said: Mapping[str, Any]) -> bytes:
    """The paper of this name. A character that no font has stands as its number, such as [U+1F600]."""
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    try:
        return _compile(PAPERS / name, text)
    except typst.TypstError:
        # An archive's PDF must be able to show all that it says, so it isn't made with an unknown character.
        unknown = {ord(one): number_of(one) for one in _unknown("".join(sorted(set(text))))}
        return _compile(PAPERS / name, text.translate(unknown))


def _compile(source: Path, said: str) -> bytes:
    with _one_at_a_time:
        made = _compiler().compile(
            source, format="pdf", sys_inputs={"said": said}, pdf_standards=["a-3a", "ua-1"]
        )
    if not isinstance(made, bytes):
        raise TypeError("A paper is one file.")
    return made


def _unknown(characters: str) -> Iterable[str]:
    """Those of these characters that no font of ours has, found by halves."""
    try:
        _compile(_PROBE, characters)
    except typst.TypstError:
        if len(characters) == 1:
            return characters
        half = len(characters) // 2
        return [*_unknown(characters[:half]), *_unknown(characters[half:])]
    return ()


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(root=PAPERS, font_paths=[FONTS], ignore_system_fonts=True)
