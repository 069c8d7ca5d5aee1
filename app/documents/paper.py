"""Draw a paper as PDF/A-3a and PDF/UA-1: for archives and for screen readers, to the same bytes each time.

Words reach the layout as JSON, never as text that is put together. They are laid out by a process of its own,
which ends with it: the layout program remembers what it drew, and nobody's words shall stay in its memory.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from app.documents.words import number_of

PAPERS: Final = Path(__file__).parent / "papers"
_DRAW: Final = Path(__file__).with_name("draw.py")
_SECONDS: Final = 120.0


class NotDrawn(Exception):
    """A paper couldn't be drawn. The message names the paper and nothing that it says."""


def pdf(name: str, said: Mapping[str, Any]) -> bytes:
    """The paper of this name. A character that no font has stands as its number, such as [U+1F600].

    Raises NotDrawn.
    """
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    drawn = _draw(name, text)
    if isinstance(drawn, str):
        # An archive's PDF must be able to show all that it says, so it isn't made with an unknown character.
        drawn = _draw(name, text.translate({ord(one): number_of(one) for one in drawn}))
    if isinstance(drawn, str):
        raise NotDrawn(f"{name} couldn't be drawn.")
    return drawn


def _draw(name: str, said: str) -> bytes | str:
    """The paper, or the characters that no font has."""
    asked = json.dumps({"paper": name, "said": said})
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_DRAW)],
            input=asked.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
            env={},
        )
    except (subprocess.SubprocessError, OSError):
        # What the program says of a fault quotes the words.
        raise NotDrawn(f"{name} couldn't be drawn.") from None
    if done.stdout.startswith(b"%PDF-"):
        return done.stdout
    return str(json.loads(done.stdout))
