"""What keeps the record from being changed by ordinary statements: triggers and their functions, as migrated.

Whoever may define triggers can switch them off, or put another function in the place of one. It is noticed
here for as long as it lasts; what was done meanwhile is told by checkpoints.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from psycopg import Connection

_ON_INSERT: Final = 1 | 2 | 4
"""BEFORE INSERT, FOR EACH ROW (pg_trigger.tgtype)."""
_ON_CHANGE: Final = 2 | 8 | 16 | 32
"""BEFORE UPDATE OR DELETE OR TRUNCATE, FOR EACH STATEMENT."""
_ON_LOSS: Final = 2 | 8 | 32
"""BEFORE DELETE OR TRUNCATE, FOR EACH STATEMENT: the head of a log is moved by each entry."""
_KEPT: Final = (
    *("origin", "events", "commands", "reads", "checkpoints", "cosignatures", "epochs"),
    "refusals",
)
TRIGGERS: Final = {
    **{(table, "refuse_change"): ("A", _ON_CHANGE, "refuse_change") for table in _KEPT},
    ("heads", "refuse_change"): ("A", _ON_LOSS, "refuse_change"),
    ("events", "stamp"): ("O", _ON_INSERT, "stamp_event"),
    ("reads", "stamp"): ("O", _ON_INSERT, "stamp_read"),
}
"""By table and name: how it is switched on, what it is fired by, and its function."""
FUNCTIONS: Final = {
    "refuse_change": "bf1fb3e97fd1c877f6c12c758bf290c69afd52c1cc4ff7867137a24590caf05d",
    "stamp_event": "ff8cf5b9db6ca4ca1bee70c28f0540a1a0fa15b8c080fb7f746573dde41df733",
    "stamp_read": "6dc62736d168170483a3826d35368bd2266810ece68afdad09297ad663a93d72",
}
"""SHA-256 of each function: its text, whether it has its owner's rights, and its settings."""
_FOUND_TRIGGERS: Final = """
    SELECT c.relname, t.tgname, t.tgenabled, t.tgtype, p.proname, p.pronamespace = 'record'::regnamespace
           AND t.tgqual IS NULL AND t.tgattr::text = ''
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
     WHERE c.relnamespace = 'record'::regnamespace AND NOT t.tgisinternal
"""
_FOUND_FUNCTIONS: Final = """
    SELECT proname, concat_ws(E'\\n', prosecdef, array_to_string(proconfig, ','), prosrc) FROM pg_proc
     WHERE pronamespace = 'record'::regnamespace AND pronargs = 0 AND proname = ANY(%s)
"""
_RULES: Final = """
    SELECT tablename || '.' || rulename FROM pg_rules WHERE schemaname = 'record' ORDER BY 1
"""


def wrong_guards(connection: Connection[Any]) -> Iterator[str]:
    """What isn't as migrations made it, in sentences."""
    found = {
        (table, name): (enabled, fired, function) if whole else None
        for table, name, enabled, fired, function, whole in connection.execute(_FOUND_TRIGGERS)
    }
    for table, name in sorted(TRIGGERS):
        if found.pop((table, name), None) != TRIGGERS[table, name]:
            yield f"the trigger {table}.{name} is off, gone or another"
    guarded = {table for table, _ in TRIGGERS}
    for table, name in sorted(found):
        if table in guarded:
            yield f"the trigger {table}.{name} isn't one of Casebook's"
    for (name,) in connection.execute(_RULES):
        yield f"the rule {name} isn't one of Casebook's"
    texts = dict(connection.execute(_FOUND_FUNCTIONS, [list(FUNCTIONS)]).fetchall())
    for name, digest in FUNCTIONS.items():
        if sha256(texts.get(name, "").encode()).hexdigest() != digest:
            yield f"the function {name} isn't Casebook's"
