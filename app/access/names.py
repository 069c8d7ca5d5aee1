"""The name that an account's owner goes by, for their own pages."""

from time import monotonic
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool

from app.wording.common import ROLES
from projections.staff import Staff

SECONDS: Final = 30.0
MOST: Final = 5_000


class Names:
    """Display names by account, at most half a minute old.

    A list that is out of order never stops anybody's sign-in: then they are called what their role is called.
    """

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._staff = Staff(pool)
        self._known: dict[UUID, tuple[float, str]] = {}

    def of(self, account: UUID, role: str) -> str:
        """The person's name, or what their role is called."""
        asked_at, name = self._known.get(account, (float("-inf"), ""))
        if monotonic() - asked_at < SECONDS:
            return name
        try:
            found = self._staff.names([account]).get(account)
        except psycopg.Error:
            found = None
        if found is None:
            return ROLES.get(role, role)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[account] = (monotonic(), found)
        return found

    def forget(self) -> None:
        """Look everybody up again: somebody may have been erased."""
        self._known.clear()
