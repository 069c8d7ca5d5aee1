"""A form that was sent after its session was over: sealed for whoever it was made for, and for nobody else.

The seal travels in the page that asks to sign in again. Nothing of it is stored here, so nothing is left
behind when somebody never comes back.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from os import urandom
from time import time
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.access.sessions import LONGEST_HOURS

_NONCE: Final = 12


@dataclass(frozen=True)
class Unsent:
    """Where a form was going, and what was typed into it."""

    path: str
    fields: tuple[tuple[str, str], ...]


def seal(secret: str, account: UUID, unsent: Unsent) -> str:
    """Seal a form under the service's secret, for one account."""
    body = json.dumps([int(time()), unsent.path, unsent.fields]).encode()
    nonce = urandom(_NONCE)
    return urlsafe_b64encode(nonce + _box(secret).encrypt(nonce, body, account.bytes)).decode()


def unseal(secret: str, account: UUID, sealed: str) -> Unsent | None:
    """The form again; None for another account, after half a day, and for anything that was changed."""
    try:
        raw = urlsafe_b64decode(sealed.encode())
        body = _box(secret).decrypt(raw[:_NONCE], raw[_NONCE:], account.bytes)
    except (ValueError, InvalidTag):
        return None
    sealed_at, path, fields = json.loads(body)
    if time() - sealed_at > LONGEST_HOURS * 3600:
        return None
    return Unsent(path, tuple((name, value) for name, value in fields))


def _box(secret: str) -> AESGCM:
    return AESGCM(hmac.digest(secret.encode(), b"casebook-unsent/1", "sha256"))
