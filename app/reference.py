"""The reference on a receipt: short enough to say aloud, and no way to the case by itself."""

from hashlib import sha256
from typing import Final
from uuid import UUID

# Without I, L, O and U, which are taken for other characters or make words.
_SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def reference_of(subject_id: UUID) -> str:
    """The reference of a case or concern, such as K7QM-4XTD: always the same for the same one."""
    number = int.from_bytes(sha256(b"casebook-reference/1\n" + subject_id.bytes).digest()[:5], "big")
    signs = "".join(_SIGNS[number >> shift & 31] for shift in range(35, -1, -5))
    return f"{signs[:4]}-{signs[4:]}"
