"""Which log keys a process knows, to tell what was signed: from the settings, the anchor or its own file."""

from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any, Final

from psycopg_pool import ConnectionPool

from app.proof.epoch import own_origin
from app.proof.log_key import LogKeyRefused, load_log_key
from app.proof.signer import NotSigned, RemoteKey
from app.proof.verifier import NotVerified, VerifierKey
from app.settings import Settings

AGAIN_SECONDS: Final = 60.0
"""How soon the anchor is asked again: another key may take the place of the one that it has."""


_of_anchors: dict[tuple[str, str], tuple[float, tuple[VerifierKey, ...]]] = {}
"""What each anchor said, and when it was asked last: one memory for all of a process."""
_lock = Lock()


class KnownKeys:
    """The public halves, the newest first; none where nothing tells. Safe between threads."""

    def __init__(self, settings: Settings, pool: ConnectionPool[Any]) -> None:
        self._settings = settings
        self._pool = pool
        self._anchor = settings.signer_url or "", settings.signer_token

    def __call__(self) -> tuple[VerifierKey, ...]:
        """Those that are known. Raises psycopg.Error and PoolTimeout."""
        settings = self._settings
        try:
            if settings.log_vkey:
                return tuple(VerifierKey.parse(text) for text in settings.log_vkey.split())
            if settings.signer_url:
                return self._of_the_anchor()
            if settings.log_key_file:
                with self._pool.connection() as connection:
                    origin = own_origin(connection)
                return (load_log_key(settings.log_key_file, origin or settings.origin).verifier_key,)
        except (NotVerified, LogKeyRefused):
            pass
        return ()

    def ask_again(self) -> None:
        """Something is signed with a key that isn't known here: let the anchor be asked at once."""
        with _lock:
            _, keys = _of_anchors.get(self._anchor, (0.0, ()))
            _of_anchors[self._anchor] = float("-inf"), keys

    def _of_the_anchor(self) -> tuple[VerifierKey, ...]:
        """What the anchor says, and what it said before: a page shouldn't wait for it each time."""
        with _lock:
            asked_at, keys = _of_anchors.get(self._anchor, (float("-inf"), ()))
            if monotonic() - asked_at > AGAIN_SECONDS:
                with suppress(NotSigned, NotVerified):
                    keys = tuple(dict.fromkeys((RemoteKey(*self._anchor).verifier_key, *keys)))
                _of_anchors[self._anchor] = monotonic(), keys
            return keys
