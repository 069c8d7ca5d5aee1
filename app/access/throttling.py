"""Counting attempts, so that guessing and flooding are slowed down.

Counted in a table, because each process has a memory of its own. What is counted stands there as a keyed
hash: the table tells nobody whose name was tried, nor from where. An attempt is counted before it is judged,
so that guesses made in parallel count too; one that was turned away isn't, so that waiting helps.
"""

import hmac
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from psycopg_pool import ConnectionPool


class Throttled(Exception):
    """Too many attempts. `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many attempts. Wait, then try again.")
        self.seconds = seconds


@dataclass(frozen=True)
class Limit:
    """At most `times` different attempts within `seconds`; `by` says what the attempts have in common."""

    times: int
    seconds: int
    by: str


PAIR: Final = Limit(8, 15 * 60, "login_key = %(what)s AND source_key = %(source)s")
"""Wrong passwords for one name from one place."""
NAME: Final = Limit(40, 15 * 60, "login_key = %(what)s")
"""Wrong passwords for one name from anywhere: high, so that nobody locks another out from one place."""
SOURCE: Final = Limit(200, 15 * 60, "source_key = %(source)s")
"""Wrong passwords from one place: a school's pupils often share one address."""
TOKENS: Final = Limit(1000, 5 * 60, "login_key = %(what)s AND source_key = %(source)s")
"""Unknown bearer tokens from one place: nobody guesses one, so this only keeps a flood out of the table. A
good token is never refused for them."""
MENTORING_REFERRALS: Final = Limit(60, 60 * 60, "login_key = %(what)s")
"""Mentoring referrals that one referrer sends; each counts once, however often it is sent."""

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(encode(%s, 'hex'), 7))"
_KNOWN: Final = "SELECT 1 FROM access.sign_in_failures WHERE login_key = %(what)s AND source_key = %(source)s"
# What was counted while the clock was ahead isn't held against anybody until the clock is there again.
_COUNT: Final = """
    SELECT count(*), extract(epoch FROM min(failed_at) - now()) + %(seconds)s
      FROM access.sign_in_failures
     WHERE failed_at > now() - make_interval(secs => %(seconds)s)
       AND failed_at < clock_timestamp() + interval '1 minute' AND """
_NOTE: Final = "INSERT INTO access.sign_in_failures (login_key, source_key) VALUES (%(what)s, %(source)s)"
_FORGIVE: Final = """
    DELETE FROM access.sign_in_failures
     WHERE (login_key = %(what)s AND source_key = %(source)s) OR failed_at < now() - interval '1 day'
"""


class Throttle:
    """Counts attempts under keys made from the service's secret."""

    def __init__(self, pool: ConnectionPool[Any], secret: str) -> None:
        self._pool = pool
        self._secret = hmac.digest(secret.encode(), b"casebook-throttle/1", "sha256")

    def attempt(self, what: str, source: str, *limits: Limit, once: bool = False) -> None:
        """Count one attempt, unless a limit is reached: then raise Throttled.

        With `once`, the same thing from the same source counts no second time.
        """
        keys = self._keys(what, source)
        with self._pool.connection() as connection, connection.transaction():
            connection.execute(_LOCK, [keys["what"]])
            if once and connection.execute(_KNOWN, keys).fetchone():
                return
            for limit in limits:
                row = connection.execute(_COUNT + limit.by, {**keys, "seconds": limit.seconds}).fetchone()
                if row and row[0] >= limit.times:
                    raise Throttled(max(1, ceil(row[1])))
            connection.execute(_NOTE, keys)

    def forgive(self, what: str, source: str) -> None:
        """Forget the attempts of somebody who turned out to be right, and everything older than a day."""
        with self._pool.connection() as connection:
            connection.execute(_FORGIVE, self._keys(what, source))

    def _keys(self, what: str, source: str) -> dict[str, bytes]:
        return {"what": self._key("what", what), "source": self._key("source", source)}

    def _key(self, *parts: str) -> bytes:
        return hmac.digest(self._secret, "\x1f".join(parts).encode("utf-8", "surrogatepass"), "sha256")
