"""Who is signed in on which browser. In a table, so that access can be taken away at once."""

import hashlib
import hmac
from secrets import token_urlsafe
from typing import Any, Final
from uuid import UUID

from flask import Response, current_app
from psycopg_pool import ConnectionPool

from app.access.names import Names
from app.access.person import Person
from app.record.direct import Statement, number

COOKIE: Final = "casebook_session"
IDLE_MINUTES: Final = 60
LONGEST_HOURS: Final = 12

_START: Final = "INSERT INTO access.sessions (token_hash, account, csrf) VALUES (%s, %s, %s)"
_PERSON: Final = Statement(
    "casebook_session",
    "SELECT a.id, a.role, a.person_id, s.csrf, s.seen_at < now() - interval '1 minute',"
    " (SELECT size FROM record.heads WHERE log = 'events')"
    " FROM access.sessions s JOIN access.accounts a ON a.id = s.account"
    " WHERE s.token_hash = $1::bytea AND s.ended_at IS NULL AND a.disabled_at IS NULL"
    " AND s.seen_at > now() - make_interval(mins => $2::bigint::int)"
    " AND s.created_at > now() - make_interval(hours => $3::bigint::int)"
    " AND greatest(s.seen_at, s.created_at) < now() + interval '1 minute'",
)
_OWNER: Final = "SELECT account, csrf FROM access.sessions WHERE token_hash = %s"
_FORMS: Final = "SELECT csrf FROM access.sessions WHERE account = %s AND csrf <> %s"
_SEEN: Final = "UPDATE access.sessions SET seen_at = now() WHERE token_hash = %s"
_END: Final = "UPDATE access.sessions SET ended_at = now() WHERE token_hash = %s AND ended_at IS NULL"


class Sessions:
    """Sessions of browsers: an hour without a page ends one, and so do twelve hours in all.

    One of tomorrow, begun before the clock was set back, would last too long: it is over too.
    """

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool
        self.names = Names(pool)

    def start(self, account: UUID) -> str:
        """Sign somebody in. Gives the cookie's value; only its hash is kept."""
        token = token_urlsafe(32)
        with self._pool.connection() as connection:
            connection.execute(_START, [_hash(token), account, token_urlsafe(32)])
        return token

    def person(self, token: str) -> Person | None:
        """Whoever this cookie belongs to, with the session's CSRF token; None when the session is over."""
        asked = [_hash(token), number(IDLE_MINUTES), number(LONGEST_HOURS)]
        with self._pool.connection() as connection:
            rows = _PERSON.rows(connection, asked)
            if not rows:
                return None
            [(account, role, person_id, csrf, seen_long_ago, position)] = rows
            if seen_long_ago:
                connection.execute(_SEEN, [_hash(token)])
        mentor_id = person_id if role == "mentor" else None
        return Person(account, role, self.names.of(account, role), mentor_id, csrf, position)

    def owner(self, token: str, csrf: str) -> UUID | None:
        """Whom a form of this browser was made for, also when that session is over."""
        with self._pool.connection() as connection:
            row = connection.execute(_OWNER, [_hash(token)]).fetchone()
        return row[0] if row and _same(csrf, row[1]) else None

    def made_before(self, who: Person, csrf: str) -> bool:
        """Whether a form was made for the same person, in another session than theirs of now."""
        with self._pool.connection() as connection:
            rows = connection.execute(_FORMS, [who.account, who.csrf]).fetchall()
        return any(_same(csrf, made) for (made,) in rows)

    def end(self, token: str) -> None:
        """Sign out."""
        with self._pool.connection() as connection:
            connection.execute(_END, [_hash(token)])


def give_cookie(response: Response, token: str) -> None:
    """Put a session into a browser."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(COOKIE, token, httponly=True, samesite="Lax", secure=secure, path="/")


def take_cookie(response: Response) -> None:
    """Take the session out of a browser."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=secure, path="/")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
