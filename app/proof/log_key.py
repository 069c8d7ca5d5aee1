"""The file of the log key, with which checkpoints and evidence packs are signed.

Whoever holds it can sign a false history: it belongs to the anchor alone, on another account or machine than
the database, and in no back-up of either.
"""

import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from pathlib import Path

from app.proof.note import SigningKey
from app.whole_file import write_once


class LogKeyRefused(Exception):
    """The file of the log key can't be used; the message tells an administrator why."""


def create_log_key(path: Path, name: str) -> SigningKey:
    """Make a new key in a new file that only its owner can read. Raises FileExistsError."""
    key = SigningKey(name, os.urandom(32))
    write_once(path, urlsafe_b64encode(key.seed).rstrip(b"=") + b"\n")
    return key


def load_log_key(path: Path, name: str) -> SigningKey:
    """Read the key that signs in this name: 32 bytes in base64url.

    Raises LogKeyRefused when the file is missing, can be read by anybody but its owner, or holds something
    else.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(1024)
    except OSError as error:
        raise LogKeyRefused(f"The log key's file {path} can't be read: {error.strerror}.") from None
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise LogKeyRefused(f"Others may read the file {path}. Make it its owner's alone: chmod 600.")
    text = raw.strip()
    try:
        seed = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except NotBase64:
        seed = b""
    if len(seed) != 32 or urlsafe_b64encode(seed).rstrip(b"=") != text:
        raise LogKeyRefused(f"The file {path} doesn't hold a log key: 32 bytes in base64url.")
    return SigningKey(name, seed)
