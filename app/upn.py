"""Unique Pupil Numbers, as the Department for Education makes them.

A letter that checks the rest, then twelve digits; a temporary number ends in a letter instead of a digit.
Source: DfE, "Unique pupil numbers (UPNs): a guide for schools and local authorities".
"""

import re
from typing import Final

LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"  # no I, O or S, which look like digits
_SHAPE: Final = re.compile(rf"[{LETTERS}][0-9]{{11}}[0-9{LETTERS}]")


def check_letter(rest: str) -> str:
    """The letter in front of the other twelve characters: weights 2 to 13, remainder by 23."""
    values = (int(c) if c.isdigit() else LETTERS.index(c) for c in rest)
    return LETTERS[sum(weight * value for weight, value in enumerate(values, start=2)) % len(LETTERS)]


def why_not_a_upn(upn: str) -> str | None:
    """What is wrong with it, for whoever typed it and without repeating it; None when it is right."""
    if not _SHAPE.fullmatch(upn):
        return "the UPN must be a letter and twelve digits (a temporary one ends in a letter)"
    if upn[0] != check_letter(upn[1:]):
        return "the UPN's check letter doesn't fit its digits"
    return None
