"""base64url without padding (RFC 4648, section 5), read strictly: for the same bytes one text, no other."""

from binascii import Error as NotBase64

from pybase64 import b64decode, b64encode

__all__ = ["NotBase64", "from_base64url", "to_base64url"]

_ALPHABET_S_END = b"-_"
# What belongs to other alphabets, which the decoder takes too, must not pass as ours. (Python finds a number
# among bytes six times as fast as a byte.)
_PLUS, _SLASH, _EQUALS = b"+/="
# By how many characters a text is longer than a multiple of four: what is missing, and how it may then end.
_PADDING = (b"", b"===", b"==", b"=")
_LAST = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")


def to_base64url(raw: bytes) -> bytes:
    """Bytes as text in ASCII."""
    return b64encode(raw, _ALPHABET_S_END).rstrip(b"=")


def from_base64url(text: bytes) -> bytes:
    """The bytes of a text. Raises NotBase64."""
    if _PLUS in text or _SLASH in text or _EQUALS in text:
        raise NotBase64("The text isn't base64url without padding.")
    over = len(text) % 4
    raw = b64decode(text + _PADDING[over], _ALPHABET_S_END, True)
    # Decoders overlook the last unused bits; then altered bytes would pass as the same.
    if over and text[-1] not in _LAST[over]:
        raise NotBase64("The last character has bits that nothing reads.")
    return raw
