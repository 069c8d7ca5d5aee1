"""Lay out one paper: a process of its own, which `app.documents.paper` starts and which ends with the paper.

Reads {"paper": file name, "said": JSON text} and writes the PDF, or, as a JSON text, the characters that no
font has. It imports nothing of ours, so that it starts quickly. Only fonts of ours are used: those of the
machine would make another file on another machine.
"""

import json
import sys
from pathlib import Path
from typing import Final

import typst

PAPERS: Final = Path(__file__).parent / "papers"
PROBE: Final = PAPERS / "probe.typ"
COMPILER: Final = typst.Compiler(root=PAPERS, font_paths=[PAPERS / "fonts"], ignore_system_fonts=True)


def draw(source: Path, said: str) -> bytes:
    """The PDF. Raises typst.TypstError for what the standards don't allow."""
    made = COMPILER.compile(source, format="pdf", sys_inputs={"said": said}, pdf_standards=["a-3a", "ua-1"])
    if not isinstance(made, bytes):
        raise TypeError("A paper is one file.")
    return made


def unknown(characters: str) -> str:
    """Those of these characters that no font has, found by halves."""
    try:
        draw(PROBE, characters)
    except typst.TypstError:
        half = len(characters) // 2
        return unknown(characters[:half]) + unknown(characters[half:]) if half else characters
    return ""


def main() -> None:
    """Draw what is asked for."""
    asked = json.load(sys.stdin.buffer)
    try:
        made = draw(PAPERS / asked["paper"], asked["said"])
    except typst.TypstError:
        found = unknown("".join(sorted(set(asked["said"]))))
        if not found:
            raise
        made = json.dumps(found).encode()
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
