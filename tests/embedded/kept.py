"""One word, kept in a database and found there again."""

from collections.abc import Callable
from pathlib import Path

import psycopg

from app.embedded import Embedded

Make = Callable[[Path], Embedded]


def write_one(embedded: Embedded) -> None:
    with psycopg.connect(embedded.url("owner")) as connection:
        connection.execute("CREATE TABLE kept (word text PRIMARY KEY)")
        connection.execute("INSERT INTO kept VALUES ('here')")


def read_one(embedded: Embedded) -> str:
    with psycopg.connect(embedded.url("owner")) as connection:
        return str(connection.execute("SELECT word FROM kept").fetchall())
