"""A school's record with a log key and a checkpoint file, as an anchor has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.embedded import Embedded
from app.house import House
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.clocks import SKEW_SECONDS
from app.proof.kept_keys import KeptKeys
from app.proof.log_key import create_log_key
from app.proof.note import SigningKey
from app.proof.verify import Report, Verifier
from app.settings import Settings
from tests.giving import a_case, a_pupil


@dataclass
class Proven:
    """One record, its anchor, and a superuser who may do anything to it."""

    house: House
    settings: Settings
    key: SigningKey
    file: CheckpointFile
    superuser: str

    def anchor(self) -> Anchor:
        """An anchor that remembers nothing, as after a restart."""
        return Anchor(self.settings.database_url, self.key.name, self.key, self.file)

    def verify(
        self,
        *given: bytes,
        deep: bool = False,
        keys: KeptKeys | None = None,
        skew: float = SKEW_SECONDS,
    ) -> Report:
        """The live record against the anchor's file and what was given by hand."""
        verifier = Verifier(
            self.settings.database_url,
            keys or self.settings.keys_database_url,
            self.key.name,
            self.key.verifier_key,
            every_header=deep,
            skew=skew,
        )
        notes = [("file", note) for note in self.file.notes()]
        return verifier.verify([*notes, *(("paper", note) for note in given)])

    def attack(self, *statements: str) -> None:
        """Statements of a superuser who has switched off what refuses changes."""
        with psycopg.connect(self.superuser) as connection:
            connection.execute("SET session_replication_role = replica")
            for table in ("events", "reads", "checkpoints", "heads"):
                connection.execute(f"ALTER TABLE record.{table} DISABLE TRIGGER USER".encode())
            for statement in statements:
                connection.execute(statement.encode())
            for table in ("events", "reads", "checkpoints", "heads"):
                connection.execute(f"ALTER TABLE record.{table} ENABLE ALWAYS TRIGGER refuse_change".encode())
            for table in ("events", "reads"):
                connection.execute(f"ALTER TABLE record.{table} ENABLE TRIGGER stamp".encode())

    def log_read(self) -> None:
        """Somebody looks at something."""
        self.house.reads.log(
            uuid4(), "/cases/{id}", [uuid4(), uuid4()], role="dsl", field_class="case", position=1
        )


@pytest.fixture
def proven(settings: Settings, cluster: Embedded, tmp_path: Path) -> Iterator[Proven]:
    with with_an_anchor(settings, cluster, tmp_path) as made:
        yield made


@contextmanager
def with_an_anchor(settings: Settings, cluster: Embedded, folder: Path) -> Iterator[Proven]:
    """A log key and a checkpoint file, in a folder, for a record that has none yet."""
    key = create_log_key(folder / "log-key", settings.origin)
    file = CheckpointFile(folder / "checkpoints.txt")
    settings = replace(settings, log_key_file=folder / "log-key", checkpoint_file=file.path)
    database = psycopg.conninfo.conninfo_to_dict(settings.database_url)["dbname"]
    superuser = make_conninfo(cluster.url("superuser"), dbname=database)
    with House(settings) as house:
        yield Proven(house, settings, key, file, superuser)


CUT = (
    "DELETE FROM record.events WHERE notification_id > 4",
    "UPDATE record.heads SET size = 4 WHERE log = 'events'",
    "DELETE FROM record.reads WHERE id > 1",
    "UPDATE record.heads SET size = 1 WHERE log = 'reads'",
    "DELETE FROM record.checkpoints WHERE size > 3",
    "DELETE FROM record.checkpoints WHERE size > 1 AND origin LIKE '%/reads'",
)
"""What an older back-up doesn't have."""


@pytest.fixture
def rolled_back(proven: Proven) -> Proven:
    """Three facts and a read signed, then ten and two; then back to the first four facts and one read."""
    a_case(proven.house)
    a_pupil(proven.house)
    proven.log_read()
    proven.anchor().checkpoint()
    for _ in range(7):
        a_pupil(proven.house)
    proven.log_read()
    proven.anchor().checkpoint()
    proven.attack(*CUT)
    return proven
