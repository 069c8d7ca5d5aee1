"""How commands speak: results on stdout, complaints and progress on stderr."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

Commands = Any
"""What argparse's `add_subparsers` gives; its class has no public name."""


class Failed(Exception):
    """The command ends here, with these lines on stderr and this exit status."""

    def __init__(self, *lines: str, status: int = 1) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.status = status


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int | None], help_text: str
) -> argparse.ArgumentParser:
    """A command of its own, with the help that `casebook --help` shows."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    made.set_defaults(run=run)
    return made


def complain(*lines: str) -> None:
    """Say what went wrong."""
    for line in lines:
        print(f"casebook: {line}", file=sys.stderr)


def progress(text: str) -> None:
    """Say what is being done, to a person at a terminal and to nobody else."""
    if sys.stderr.isatty():
        print(f"{text} …", file=sys.stderr, flush=True)


def as_json(value: Any) -> None:
    """Print for a program."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print for a person: columns as wide as their widest cell."""
    cells = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
