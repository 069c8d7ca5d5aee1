"""base64url without padding (RFC 4648, section 5), read strictly: for the same bytes one text, no other.

By the standard library, which keeps the interpreter's lock meanwhile. pybase64 is four times as fast alone,
but lets other threads run each time, and with eight of them a fact took three times as long to open.
"""

from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64

__all__ = ["NotBase64", "from_base64url", "to_base64url"]

_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# What belongs to other alphabets must not pass as ours: it becomes a character that no alphabet has.
_FROM_URL_SAFE = bytes.maketrans(b"-_+/=", b"+/***")
# By how many characters a text is longer than a multiple of four: what is missing, and how it may then end.
_PADDING = (b"", b"===", b"==", b"=")
_LAST = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")


def to_base64url(raw: bytes) -> bytes:
    """Bytes as text in ASCII."""
    return b2a_base64(raw, newline=False).translate(_TO_URL_SAFE).rstrip(b"=")


def from_base64url(text: bytes) -> bytes:
    """The bytes of a text. Raises NotBase64."""
    over = len(text) % 4
    raw = a2b_base64(text.translate(_FROM_URL_SAFE) + _PADDING[over], strict_mode=True)
    # Decoders overlook the last unused bits; then altered bytes would pass as the same.
    if over and text[-1] not in _LAST[over]:
        raise NotBase64("The last character has bits that nothing reads.")
    return raw
