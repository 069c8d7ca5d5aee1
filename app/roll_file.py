"""The school's roll as a CSV file: what its rows say, or every fault that it has.

Messages name lines, never pupils.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.forms import LONGEST_NAME
from app.upn import why_not_a_upn
from domain.pupil import YEAR_GROUPS

COLUMNS: Final = ("upn", "given_name", "family_name", "known_as", "born_on", "year_group", "tutor_group")
LONGEST_FILE: Final = 20_000_000  # bytes; the largest school's roll is a hundredth of it
_MAY_BE_EMPTY: Final = frozenset({"upn", "known_as"})


class RollRefused(Exception):
    """The file can't be imported. `errors` has a line for each fault: `line N: reason`."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__(f"{len(errors)} {'error' if len(errors) == 1 else 'errors'}; nothing was imported")
        self.errors = list(errors)


@dataclass(frozen=True)
class Row:
    """One pupil of the file, with the line on which the row begins."""

    line: int
    upn: str | None
    given_name: str
    family_name: str
    known_as: str | None
    born_on: date
    year_group: int
    tutor_group: str

    @property
    def details(self) -> tuple[object, ...]:
        """Everything but the UPN: what makes two rows without one equal."""
        return (*self.identity, self.known_as, self.year_group, self.tutor_group)

    @property
    def identity(self) -> tuple[object, ...]:
        """What a person would call the same pupil."""
        return (self.given_name, self.family_name, self.born_on)


def read_roll(content: bytes, today: date) -> list[Row]:
    """The rows of a file. Raises RollRefused with every fault that it has."""
    if len(content) > LONGEST_FILE:
        raise RollRefused([f"line 1: the file is larger than {LONGEST_FILE // 1_000_000} MB"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        raise RollRefused([f"line {line}: this isn't UTF-8; save the file as “CSV UTF-8”"]) from None
    errors: list[str] = []
    rows: list[Row] = []
    lines_of_upns: dict[str, int] = {}
    for line, cells, wrong in _records(text):
        if wrong:
            errors.append(f"line {line}: {wrong}")
            continue
        row, faults = _row(line, cells, today)
        errors += [f"line {line}: {fault}" for fault in faults]
        upn = _clean(cells["upn"]).upper()
        if upn and upn in lines_of_upns:
            errors.append(f"line {line}: the same UPN as on line {lines_of_upns[upn]}")
        lines_of_upns.setdefault(upn, line)
        if row:
            rows.append(row)
    if not rows and not errors:
        errors.append("line 1: no pupils follow")
    if errors:
        raise RollRefused(errors)
    return rows


def _records(text: str) -> Iterator[tuple[int, dict[str, str], str | None]]:
    """Each row with the line on which it begins, and why it isn't a row where it isn't."""
    # Line ends of any make, before the csv module meets them: it stops at a lone carriage return.
    reader = csv.reader(io.StringIO(re.sub(r"\r\n?", "\n", text)), strict=True)
    header: list[str] | None = None
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            yield begins, {}, "the quotation marks don't pair up"
            return
        line, begins = begins, reader.line_num + 1
        if not any(_clean(cell) for cell in cells):
            continue
        if header is None:
            header = [_clean(cell) for cell in cells]
            wrong = _wrong_header(header)
            if wrong:
                yield line, {}, wrong
                return
        elif len(cells) != len(header):
            yield line, {}, f"{len(cells)} columns instead of {len(header)}"
        else:
            yield line, dict(zip(header, cells, strict=True)), None
    if header is None:
        yield 1, {}, "the file is empty"


def _wrong_header(header: list[str]) -> str | None:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        return f"missing {'column' if len(missing) == 1 else 'columns'}: {', '.join(missing)}"
    if len(header) > len(COLUMNS):
        # What stands there may be a pupil's name when the header line itself is missing.
        return f"unknown or repeated columns; the columns are {', '.join(COLUMNS)}"
    return None


def _row(line: int, cells: dict[str, str], today: date) -> tuple[Row | None, list[str]]:
    faults = []
    for name, cell in cells.items():
        if any(unicodedata.category(c) == "Cc" for c in cell):
            faults.append(f"{name} holds characters that can't be stored")
        elif len(cell) > LONGEST_NAME:
            faults.append(f"{name} is longer than {LONGEST_NAME} characters")
        elif not _clean(cell) and name not in _MAY_BE_EMPTY:
            faults.append(f"{name} is empty")
    if faults:
        return None, faults
    said = {name: _clean(cell) for name, cell in cells.items()}
    upn = said["upn"].upper() or None
    wrong = why_not_a_upn(upn) if upn else None
    born_on = _day(said["born_on"])
    if wrong:
        faults.append(wrong)
    if born_on is None:
        faults.append("born_on must be a date like 2013-02-28")
    elif born_on > today:
        faults.append("born_on is in the future")
    elif born_on.year < 1990:
        faults.append("born_on is too long ago for a pupil")
    year = said["year_group"]
    if not re.fullmatch(r"\d{1,2}", year, re.ASCII) or int(year) not in YEAR_GROUPS:
        faults.append("year_group must be a number from 0 (Reception) to 13")
    if faults or born_on is None:
        return None, faults
    return Row(
        line=line,
        upn=upn,
        given_name=said["given_name"],
        family_name=said["family_name"],
        known_as=said["known_as"] or None,
        born_on=born_on,
        year_group=int(year),
        tutor_group=said["tutor_group"],
    ), []


def _clean(cell: str) -> str:
    """One way to write each letter, so that the same name is the same text in next year's file."""
    return unicodedata.normalize("NFC", cell.strip())


def _day(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
