"""What the record holds, asked of the record itself."""

from uuid import UUID

from app.house import House


class Counting:
    """For a test's school: how many facts were recorded, and who looked."""

    house: House

    def facts(self) -> int:
        """How many facts the record holds."""
        with self.house.pool.connection() as connection:
            row = connection.execute("SELECT size FROM record.heads WHERE log = 'events'").fetchone()
            return int(row[0]) if row else 0

    def looks(self) -> list[tuple[UUID, str, list[UUID]]]:
        """Who looked, where, at what; oldest first."""
        with self.house.pool.connection() as connection:
            return connection.execute(
                "SELECT account, route, subjects FROM record.reads ORDER BY id"
            ).fetchall()
