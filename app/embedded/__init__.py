"""PostgreSQL for a machine that has no database: found, made, started as our child, stopped.

`Embedded(data_dir)` runs one; `attach(data_dir)` is for a command beside a running one.
"""

from app.embedded.error import EmbeddedError
from app.embedded.server import Database, Embedded, Role

attach = Embedded.attach

__all__ = ["Database", "Embedded", "EmbeddedError", "Role", "attach"]
