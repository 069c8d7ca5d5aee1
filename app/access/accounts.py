"""Local accounts: who may sign in, with a password or with a program's bearer token.

No name stands here in clear: an account is found by a keyed hash of the sign-in name. What its owner is
called, and that a token was issued, are facts in the record.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from functools import cache
from secrets import token_urlsafe
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg_pool import ConnectionPool

from app.access.names import Names
from app.access.person import Person
from app.access.throttling import NAME, PAIR, SOURCE, TOKENS, Throttle
from app.record.direct import Statement

TOKEN_DAYS: Final = 365
LONGEST_PASSWORD: Final = 1_000
_TOKEN: Final = "casebook_"  # noqa: S105 -- what a token begins with, so that a leaked one is recognised

_OPEN: Final = """
    INSERT INTO access.accounts (id, role, password_hash, person_id) VALUES (%s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash,
                                   person_id = excluded.person_id
"""
_FORGET_NAMES: Final = "DELETE FROM access.logins WHERE account = %s"
_NAME: Final = "INSERT INTO access.logins (login_key, account) VALUES (%s, %s)"
_BY_NAME: Final = """
    SELECT a.id, a.role, a.person_id, a.password_hash
      FROM access.logins l JOIN access.accounts a ON a.id = l.account
     WHERE l.login_key = %s AND a.disabled_at IS NULL
"""
_BY_ID: Final = "SELECT id, role, person_id FROM access.accounts WHERE id = %s AND disabled_at IS NULL"
_HASH: Final = "SELECT password_hash FROM access.accounts WHERE id = %s AND disabled_at IS NULL"
_BEARER: Final = Statement(
    "casebook_bearer",
    "SELECT a.id, a.role, a.person_id, (SELECT size FROM record.heads WHERE log = 'events')"
    " FROM access.tokens t JOIN access.accounts a ON a.id = t.account WHERE t.token_hash = $1::bytea"
    " AND t.revoked_at IS NULL AND t.expires_at > now() AND a.disabled_at IS NULL",
)
_ISSUE: Final = """
    INSERT INTO access.tokens (token_hash, account, expires_at)
    SELECT %s, id, now() + make_interval(days => %s)
      FROM access.accounts WHERE id = %s AND disabled_at IS NULL
"""
_END: Final = "UPDATE access.accounts SET disabled_at = now() WHERE id = %s AND disabled_at IS NULL"
_END_TOKENS: Final = "UPDATE access.tokens SET revoked_at = now() WHERE account = %s AND revoked_at IS NULL"
_END_SESSIONS: Final = "UPDATE access.sessions SET ended_at = now() WHERE account = %s AND ended_at IS NULL"
_FORGET_SIGN_IN: Final = "UPDATE access.accounts SET password_hash = NULL WHERE id = %s"
_REHASH: Final = "UPDATE access.accounts SET password_hash = %s WHERE id = %s"


@cache
def _nobody() -> str:
    """What a password is compared with when nobody has the name: that takes as long as a wrong password."""
    return PasswordHasher().hash(token_urlsafe())


class NameTaken(Exception):
    """Another account has this sign-in name."""


class NoAccount(Exception):
    """There is no such open account."""


class Accounts:
    """Accounts, found by keyed hashes of sign-in names: with another `secret` nobody is found."""

    def __init__(self, pool: ConnectionPool[Any], secret: str) -> None:
        self._pool = pool
        self._secret = hmac.digest(secret.encode(), b"casebook-sign-in/1", "sha256")
        self._hasher = PasswordHasher()
        self._nobody = _nobody()
        self.throttle = Throttle(pool, secret)
        self.names = Names(pool)

    def open(
        self,
        account_id: UUID,
        role: str,
        sign_in_names: Sequence[str],
        password: str | None,
        person_id: UUID | None = None,
    ) -> None:
        """Open an account, or set it again: the same id twice leaves the last one's names and password.

        Raises NameTaken when another account has one of the names; then nothing is changed.
        """
        hashed = self._hasher.hash(_normal(password)) if password is not None else None
        keys = sorted({self._login_key(name) for name in sign_in_names})
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute(_OPEN, [account_id, role, hashed, person_id])
                connection.execute(_FORGET_NAMES, [account_id])
                for key in keys:
                    connection.execute(_NAME, [key, account_id])
        except psycopg.errors.UniqueViolation:
            raise NameTaken from None

    def by_password(self, name: str, password: str, source: str) -> Person | None:
        """Whoever signs in with this name and password; None when either is wrong, and nobody learns which.

        `source` is the network address. Raises Throttled after too many wrong ones.
        """
        what = "name:" + _folded(name)
        self.throttle.attempt(what, source, PAIR, NAME, SOURCE)
        row = self._one(_BY_NAME, self._login_key(name))
        hashed = row[3] if row and row[3] else self._nobody
        if not self._is_right(hashed, password) or row is None or not row[3]:
            return None
        self.throttle.forgive(what, source)
        if self._hasher.check_needs_rehash(hashed):
            with self._pool.connection() as connection:
                connection.execute(_REHASH, [self._hasher.hash(_normal(password)), row[0]])
        return self._person(row)

    def confirm(self, person: Person, password: str, source: str) -> bool:
        """Whether this is the person's own password, asked again before what can't be taken back.

        `source` is the network address. Raises Throttled after too many wrong ones.
        """
        what = f"account:{person.account}"
        self.throttle.attempt(what, source, PAIR, NAME, SOURCE)
        row = self._one(_HASH, person.account)
        if row is None or not row[0] or not self._is_right(row[0], password):
            return False
        self.throttle.forgive(what, source)
        return True

    def find(self, name: str) -> UUID | None:
        """The account with this sign-in name."""
        row = self._one(_BY_NAME, self._login_key(name))
        return row[0] if row else None

    def person(self, account_id: UUID) -> Person | None:
        """Whoever has this account, while it is open."""
        row = self._one(_BY_ID, account_id)
        return self._person(row) if row else None

    def issue_token(self, account_id: UUID, days: int = TOKEN_DAYS) -> str:
        """A bearer token that acts for this account, given once: only its hash is kept. Raises NoAccount."""
        token = _TOKEN + token_urlsafe(32)
        with self._pool.connection() as connection:
            if connection.execute(_ISSUE, [_hash(token), days, account_id]).rowcount != 1:
                raise NoAccount
        return token

    def by_token(self, token: str) -> Person | None:
        """Whoever a bearer token acts for; None when it is unknown, revoked or too old."""
        with self._pool.connection() as connection:
            rows = _BEARER.rows(connection, [_hash(token)])
        return self._person(rows[0], rows[0][3]) if rows else None

    def wrong_token(self, source: str) -> None:
        """Count an unknown token from this place. Raises Throttled after too many."""
        self.throttle.attempt("token", source, TOKENS)

    def end(self, account_id: UUID) -> None:
        """End the account at once, with its sessions and tokens. Its sign-in names stay taken."""
        with self._pool.connection() as connection, connection.transaction():
            for statement in (_END, _END_TOKENS, _END_SESSIONS):
                connection.execute(statement, [account_id])

    def _is_right(self, hashed: str, password: str) -> bool:
        try:
            return len(password) <= LONGEST_PASSWORD and self._hasher.verify(hashed, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    def forget(self, account_id: UUID) -> None:
        """Forget an account's sign-in names and password: its owner was erased. Without one nothing happens.

        Raises psycopg.Error.
        """
        with self._pool.connection() as connection, connection.transaction():
            for statement in (_FORGET_NAMES, _FORGET_SIGN_IN):
                connection.execute(statement, [account_id])

    def _person(self, row: tuple[Any, ...], position: int | None = None) -> Person:
        account, role, person_id = row[:3]
        mentor_id = person_id if role == "mentor" else None
        return Person(account, role, self.names.of(account, role), mentor_id, position=position)

    def _one(self, statement: LiteralString, asked: object) -> tuple[Any, ...] | None:
        with self._pool.connection() as connection:
            row: tuple[Any, ...] | None = connection.execute(statement, [asked], prepare=True).fetchone()
            return row

    def _login_key(self, name: str) -> bytes:
        return hmac.digest(self._secret, _folded(name).encode("utf-8", "surrogatepass"), "sha256")


def _folded(name: str) -> str:
    """However somebody types their name: capitals, accents composed or not, spaces around it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _hash(token: str) -> bytes:
    """Tokens are random, so a plain hash is enough to keep the table from being one of passwords."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
