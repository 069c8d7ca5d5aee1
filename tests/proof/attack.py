"""What an attack on the record is, and the prepared record that each is tried on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from time import time
from typing import Final
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.house import House
from app.proof.ledger import root_of
from app.proof.log_rows import LOGS, LogRow, rows_of
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint, leaf_hash
from app.record.data_key import DataKey
from app.record.sealing import seal, unseal
from tests.proof.conftest import Proven

Statements = Sequence[str]

_TABLES: Final = (
    "origin",
    "events",
    "commands",
    "heads",
    "reads",
    "checkpoints",
    "cosignatures",
    "epochs",
)
_STAMPED: Final = {"events": "notification_id", "reads": "id"}
_FUNCTIONS: Final = """
    SELECT pg_get_functiondef(oid) FROM pg_proc
     WHERE pronamespace = 'record'::regnamespace AND prorettype = 'trigger'::regtype
"""
_TRIGGERS: Final = """
    SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled FROM pg_trigger
     WHERE NOT tgisinternal
       AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'record'::regnamespace)
"""
_OTHERS: Final = """
    SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND NOT tgname = ANY(%s)
       AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'record'::regnamespace)
"""
_RULES: Final = "SELECT rulename, 'record.' || tablename FROM pg_rules WHERE schemaname = 'record'"
RENUMBER: Final = (
    "UPDATE record.events SET notification_id = -n.new FROM (SELECT notification_id AS old,"
    " row_number() OVER (ORDER BY notification_id) AS new FROM record.events) n"
    " WHERE n.old = notification_id",
    "UPDATE record.events SET notification_id = -notification_id",
    "UPDATE record.heads SET size = (SELECT count(*) FROM record.events) WHERE log = 'events'",
)
"""Makes the numbers of facts gapless again."""


@dataclass(frozen=True)
class Attack:
    """One attack: what is done, who could do it, and what each observer is expected to say, in their order.

    `statements` are tried as they are, and then done with the guards off, or as they are if `guarded`; `keys`
    are such of the key store; `rebuild` makes the hashes beside all entries fit again. `aim` asks whether the
    statements have reached what they aimed at, and leaves it at trying. `act` does what statements don't;
    `ordinary` is what the database takes from the web server. `pack` alters a finished pack, the second
    argument says whether with the log key; None where that isn't possible. `missed` says why it is missed by
    those who miss it, and what to do about that.
    """

    name: str
    who: str
    expected: tuple[str, ...]
    missed: str = ""
    statements: Callable[["Scene"], Statements] | None = None
    keys: Callable[["Scene"], Statements] | None = None
    guarded: bool = False
    rebuild: bool = False
    aim: str = ""
    act: Callable[["Scene"], object] | None = None
    ordinary: bool = False
    pack: Callable[["Scene", bool], bytes | None] | None = None


def says(*words: str) -> tuple[str, ...]:
    """What each observer is expected to say, in their order; any other word is the check that they name."""
    plain = ("missed", "refused", "refused: stamped anew", "–")
    return tuple(word if word in plain else f"detected: {word}" for word in words)


@dataclass
class Scene:
    """A record with two checkpoints outside of it: `paper`, older, and `witnessed`, the newest, of which the
    governors' witness has signed; then facts that no checkpoint is over. It can be put back as it was."""

    proven: Proven
    case: UUID
    concern: UUID
    other_case: UUID
    new_case: UUID
    lead: UUID
    colleague: UUID
    data_keys: dict[UUID, DataKey]
    paper: bytes
    witnessed: bytes
    paper_size: int
    size: int
    file_then: bytes
    old_pack: bytes
    pack: bytes

    def __post_init__(self) -> None:
        of_the_case = self.of(self.case)
        # A fact of the case before both checkpoints: how it was referred.
        self.old = of_the_case[0].number
        # One between the two checkpoints, its purpose; others of the case come after it.
        self.mid = next(row.number for row in of_the_case if row.name == b"mentee-case.purpose-agreed")
        # The newest fact of all, after both.
        self.tail = of_the_case[-1].number
        self.touched = False
        self._file = self.proven.file.path.read_bytes()
        with psycopg.connect(self.superuser) as connection:
            self.functions: list[str] = [text for (text,) in connection.execute(_FUNCTIONS)]
            self._triggers = connection.execute(_TRIGGERS).fetchall()
        self.keep("late")
        with psycopg.connect(self.keys_superuser) as connection:
            connection.execute("CREATE TABLE kept AS TABLE keys.data_keys")

    @property
    def key(self) -> SigningKey:
        """The log key."""
        return self.proven.key

    @property
    def superuser(self) -> str:
        """The record's database, as its administrator."""
        return self.proven.superuser

    @property
    def keys_superuser(self) -> str:
        """The key store, as its administrator."""
        name = conninfo_to_dict(self.proven.settings.keys_database_url)["dbname"]
        return make_conninfo(self.superuser, dbname=name)

    @property
    def house(self) -> House:
        """The rooms."""
        return self.proven.house

    # Putting things back

    def keep(self, name: str) -> None:
        """Keep all tables of the record as they are, as a backup does."""
        keep_tables(self.superuser, name)

    def put_back(self, name: str = "late") -> None:
        """The record as a backup has it; with the newest one also guards, keys and checkpoint file."""
        with psycopg.connect(self.superuser) as connection:
            if name == "late":
                self._repair(connection)
            with guards_off(connection):
                connection.execute(("TRUNCATE " + ", ".join(f"record.{t}" for t in _TABLES)).encode())
                for table in _TABLES:
                    connection.execute(
                        f"INSERT INTO record.{table} SELECT * FROM kept_{name}.{table}".encode()
                    )
        if name == "late":
            self.house.forget()
            self.touched = False
            self.proven.file.path.write_bytes(self._file)
            with psycopg.connect(self.keys_superuser) as connection:
                connection.execute("ALTER TABLE keys.data_keys DISABLE TRIGGER USER")
                connection.execute("TRUNCATE keys.data_keys")
                connection.execute("INSERT INTO keys.data_keys SELECT * FROM kept")
                connection.execute("ALTER TABLE keys.data_keys ENABLE ALWAYS TRIGGER refuse_removal")
                connection.execute("ALTER TABLE keys.data_keys ENABLE ALWAYS TRIGGER check_change")
                connection.execute("ALTER TABLE keys.data_keys ENABLE TRIGGER say_destroyed")

    def repair(self) -> None:
        """Guards as migrations made them."""
        with psycopg.connect(self.superuser) as connection:
            self._repair(connection)

    def _repair(self, connection: psycopg.Connection) -> None:
        for text in self.functions:
            connection.execute(text.encode())
        for trigger, table in connection.execute(_OTHERS, [[name for name, *_ in self._triggers]]):
            connection.execute(f"DROP TRIGGER {trigger} ON {table}".encode())
        for rule, table in connection.execute(_RULES):
            connection.execute(f"DROP RULE {rule} ON {table}".encode())
        for name, table, text, enabled in self._triggers:
            connection.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}".encode())
            connection.execute(text.encode())
            always = "ALWAYS" if enabled == "A" else ""
            connection.execute(f"ALTER TABLE {table} ENABLE {always} TRIGGER {name}".encode())

    # What attackers do

    def alter(self, *statements: str, guarded: bool = False, rebuild: bool = False) -> None:
        """Statements of a superuser who has switched off what refuses changes, and on again afterwards."""
        off = nullcontext if guarded else guards_off
        with psycopg.connect(self.superuser) as connection, off(connection):
            for statement in statements:
                connection.execute(statement.encode())
            if rebuild:
                for log in LOGS:
                    self._rebuild(connection, log)

    def _rebuild(self, connection: psycopg.Connection, log: str) -> None:
        number = _STAMPED[log]
        with closing(rows_of(connection, log)) as rows:
            wrong = [(row.hashed, row.number) for row in rows if row.hashed != row.stored]
        for row in wrong:
            connection.execute(f"UPDATE record.{log} SET leaf_hash = %s WHERE {number} = %s".encode(), row)

    def alter_keys(self, *statements: str) -> None:
        """The same in the key store."""
        with psycopg.connect(self.keys_superuser) as connection:
            connection.execute("ALTER TABLE keys.data_keys DISABLE TRIGGER USER")
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, log: str = "events") -> list[LogRow]:
        """All entries of a log as they are now."""
        with psycopg.connect(self.superuser) as connection, closing(rows_of(connection, log)) as rows:
            return list(rows)

    def fact(self, position: int) -> LogRow:
        """One fact."""
        return next(row for row in self.rows() if row.number == position)

    def of(self, subject: UUID) -> list[LogRow]:
        """The facts of one subject."""
        return [row for row in self.rows() if row.owner == subject.bytes]

    def sealed_again(
        self, row: LogRow, other: Mapping[str, str] | None = None, *, version: int | None = None
    ) -> str:
        """A fact as whoever has the data keys seals it, saying something else, as a literal of SQL."""
        owner, topic = UUID(bytes=row.owner), row.name.decode()
        key = self.data_keys[owner]
        pub, priv = unseal(key, owner, row.version, topic, row.state)
        return literal(seal(key, owner, version or row.version, topic, pub, {**priv, **(other or {})}))

    def signed(self, size: int | None = None) -> bytes:
        """A checkpoint over the first facts as they now are, by the log key."""
        return signed_tree(self.key, self.key.name, [row.leaf for row in self.rows()[:size]])


def literal(raw: bytes) -> str:
    """Bytes, as SQL writes them."""
    return f"'\\x{raw.hex()}'::bytea"


def signed_tree(key: SigningKey, origin: str, leaves: Sequence[bytes]) -> bytes:
    """A checkpoint over these leaves."""
    text = str(Checkpoint(origin, len(leaves), root_of(leaf_hash(leaf) for leaf in leaves)))
    return signed_note(text, key.sign(text), key.cosign(text, int(time())))


def keep_tables(superuser: str, name: str) -> None:
    """A copy of every table of the record, beside it."""
    with psycopg.connect(superuser) as connection:
        connection.execute(f"CREATE SCHEMA kept_{name}".encode())
        for table in _TABLES:
            connection.execute(f"CREATE TABLE kept_{name}.{table} AS TABLE record.{table}".encode())


@contextmanager
def guards_off(connection: psycopg.Connection) -> Iterator[None]:
    """Nothing is refused, and nothing stamped."""
    for table in _TABLES:
        connection.execute(f"ALTER TABLE record.{table} DISABLE TRIGGER USER".encode())
    yield
    for table in _TABLES:
        connection.execute(f"ALTER TABLE record.{table} ENABLE ALWAYS TRIGGER refuse_change".encode())
    for table in _STAMPED:
        connection.execute(f"ALTER TABLE record.{table} ENABLE TRIGGER stamp".encode())
