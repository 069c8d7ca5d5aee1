"""Everything that a process of Casebook needs, put together once: pools, record, keys, casework, lists.

Build it after forking: pool threads don't survive a fork. Close it at the end.
"""

from functools import cached_property
from time import monotonic
from typing import Self

import psycopg

from app import naming
from app.access.accounts import Accounts
from app.access.sessions import Sessions
from app.casework import Casework
from app.forgetting.matters import Matters
from app.history import again
from app.proof.known_keys import KnownKeys
from app.proof.published import Published
from app.record import key_watch
from app.record.catching_up import CatchingUp, Where
from app.record.key_watch import KeyWatch
from app.record.keys import Keks, KeyStore
from app.record.mapper import SealedMapper
from app.record.pool import open_pool
from app.record.reads import ReadLog
from app.record.recorder import Recorder
from app.settings import Settings
from projections.staff import Staff


class House:
    """One process's rooms. `settings` says where the databases and secrets are.

    `casework` is the kind of casework: the web's counts what it does. `lease` is for how many seconds keys in
    memory are used without word from the key store.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pool_size: int = 8,
        casework: type[Casework] = Casework,
        lease: float | None = None,
    ) -> None:
        self.settings = settings
        self.pool = open_pool(settings.database_url, max_size=pool_size)
        self.keys_pool = open_pool(settings.keys_database_url, max_size=max(2, pool_size // 2))
        self.lease = key_watch.LEASE_SECONDS if lease is None else lease
        self._watch = KeyWatch(settings.keys_database_url, self.forget, lease=self.lease)
        self.keks = Keks.from_file(settings.kek_file)
        self.keys = KeyStore(self.keys_pool, self.keks, fresh=self._watch.fresh)
        self.recorder = Recorder(self.pool)
        self.mapper = SealedMapper(self.keys)
        self.casework = casework(
            self.recorder,
            self.keys,
            self.mapper,
            secret=settings.secret_key,
            lead_name=self.lead_name,
            matters=Matters(self.pool),
        )
        self.reads = ReadLog(self.pool, self.keys)
        self.accounts = Accounts(self.pool, settings.secret_key)
        self.sessions = Sessions(self.pool)
        self._lead: tuple[float, str | None] = (float("-inf"), None)

    def lead_name(self) -> str | None:
        """The safeguarding lead's name, at most ten seconds old; None while that list is being filled."""
        asked_at, name = self._lead
        if monotonic() - asked_at > 10:
            try:
                lead = self.staff.lead()
            except psycopg.Error:  # a list that isn't there yet must not stop a command
                lead = None
            name = lead.name if lead else None
            self._lead = (monotonic(), name)
        return name

    @cached_property
    def staff(self) -> Staff:
        """Names of the people with an account."""
        return Staff(self.pool)

    def catching_up(self) -> CatchingUp:
        """The record in order, for whoever may be far behind. Close it at the end."""
        told = self.settings
        return CatchingUp(self.recorder, Where(told.database_url, told.keys_database_url, told.kek_file))

    @property
    def log_keys(self) -> KnownKeys:
        """The log keys that are known here."""
        return KnownKeys(self.settings, self.pool)

    @cached_property
    def published(self) -> Published:
        """Checkpoints, for whoever asks."""
        return Published(self.pool, self.settings.witness_keys, lambda: self.log_keys())

    def forget(self) -> None:
        """Let go of everything that this process remembers of people: somebody was erased."""
        self.keys.forget()
        self.mapper.forget()
        self.casework.forget()
        self.accounts.names.forget()
        self.sessions.names.forget()
        naming.forget()
        again.forget()

    def close(self) -> None:
        """Give the connections back."""
        self._watch.close()
        self.pool.close()
        self.keys_pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
