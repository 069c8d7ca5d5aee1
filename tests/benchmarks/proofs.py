"""What proof costs: sealing, the ledger under each append, and verifying the whole record again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from time import perf_counter, sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import StoredEvent

from app.casework import Casework
from app.proof.log_key import create_log_key
from app.record.data_key import DataKey
from app.record.mapper import SealedMapper
from app.record.sealing import seal, unseal
from tests.benchmarks.copying import copy_cases
from tests.benchmarks.ground import ACCOUNT, NOTES, Ground, a_case, people, per_second, save, side_by_side
from tests.benchmarks.memory import MORE_MEGABYTES, megabytes
from tests.benchmarks.row import Row, ratio_row
from tests.benchmarks.writers import FACTS, command

STRICT = (
    "the header is read strictly, name by name, and the key that commits is worked out again: all of it in "
    "Python, beside 5 µs of AES"
)
IN_COMPANY = (
    "when many commit together the disk costs little, and what is left beside sealing is Python and one "
    "insert for all"
)
WRITERS = ((1, 300), (8, 400), (32, 640))
_TIMES = 20_000
# Prints what it found and how long it took.
_VERIFY = """
import sys, time
from app.cli import main
began = time.perf_counter()
status = main(["verify", "--json"])
print(status, time.perf_counter() - began, file=sys.stderr)
"""


def sealing(_ground: Ground) -> Iterator[Row]:
    """One fact of a usual length, sealed and opened, against AES-GCM of the same bytes alone."""
    key, agg = DataKey(os.urandom(16), os.urandom(32)), uuid4()
    pub = {
        "recorded_by": str(ACCOUNT),
        "command_id": str(uuid4()),
        "policy_version": 1,
        "held_on": "2026-09-01",
    }
    priv = {"focus": "Lunch time", "notes": NOTES, "minutes": 30}
    cipher, iv, plain = AESGCM(os.urandom(32)), os.urandom(12), json.dumps(priv).encode()

    def ours() -> tuple[float, ...]:
        began = perf_counter()
        for version in range(1, _TIMES + 1):
            unseal(key, agg, version, "t.t", seal(key, agg, version, "t.t", pub, priv))
        return ((perf_counter() - began) / _TIMES * 1e6,)

    def theirs() -> tuple[float, ...]:
        began = perf_counter()
        for _ in range(_TIMES):
            cipher.decrypt(iv, cipher.encrypt(iv, plain, b"t"), b"t")
        return ((perf_counter() - began) / _TIMES * 1e6,)

    [(both, alone)] = side_by_side(ours, theirs)
    name = "one fact sealed and opened, against AES-GCM alone"
    yield Row(name, both, alone, "µs", both, 40, more_is_better=False, holds=60, why=STRICT, sign="µs")


def proven_appends(ground: Ground) -> Iterator[Row]:
    """Commands with sealing and ledger, against the same commands with plain JSON and no leaf."""
    work = ground.house.casework
    for threads, count in WRITERS:
        cases = save(ground.house, [a_case(FACTS) for _ in range(count)])
        proven = partial(_given, work, cases, threads)
        # From here on this process remembers them: what is measured is deciding, sealing and appending.
        proven()
        [(ours, theirs)] = side_by_side(proven, partial(_given_plainly, ground, cases, threads))
        name = (
            f"command sealed and in the ledger, against neither, {threads} writer{'s' if threads > 1 else ''}"
        )
        known = (0.65, IN_COMPANY) if threads > 1 else None
        yield ratio_row(name, ours, theirs, "commands/s", 0.8, known=known)


def _given(work: Casework, cases: list[UUID], threads: int) -> tuple[float, ...]:
    return (per_second(partial(command, work), cases, threads),)


def _given_plainly(ground: Ground, cases: list[UUID], threads: int) -> tuple[float, ...]:
    with _without_proof(ground):
        return _given(ground.house.casework, cases, threads)


class _Plain(SealedMapper):
    """Stores facts as plain JSON."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The fact, readable by anybody."""
        state = json.dumps(vars(domain_event), default=str).encode()
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.TOPIC,
            state=state,
        )


@contextmanager
def _without_proof(ground: Ground) -> Iterator[None]:
    work, sealed = ground.house.casework, ground.house.casework.mapper
    with psycopg.connect(ground.superuser_url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_get_functiondef('record.stamp_event'::regproc)").fetchone()
        if row is None:
            raise LookupError("The record has no stamp.")
        whole = str(row[0])
        start = whole.index("NEW.leaf_hash :=")
        without = whole[:start] + f"NEW.leaf_hash := '\\x{'00' * 32}'::bytea; RETURN NEW; END $function$"
        connection.execute(without.encode())
        work.mapper = _Plain(ground.house.keys)
        try:
            yield
        finally:
            work.mapper = sealed
            connection.execute(whole.encode())


@dataclass(frozen=True)
class _Verified:
    seconds: float
    megabytes: float
    facts: int


def verifying(small: Ground, large: Ground, few: int, many: int) -> Iterator[Row]:
    """`casebook verify` of a whole record, against its limits; and the memory that it takes."""
    for ground, facts in ((small, few), (large, many)):
        known, position = people(ground.house, 20)
        copy_cases(ground.settings, ground.superuser_url, (facts - position) // FACTS, FACTS, known)
    less, more = _verify(small), _verify(large)
    again = _verify(large)
    limit = _limits(large, more.facts)
    seconds = min(more.seconds, again.seconds)
    name = f"verify, {more.facts:,} facts, against hashing, nodes and COPY alone"
    ours, least = seconds * 1e6 / more.facts, limit * 1e6 / more.facts
    yield ratio_row(name, ours, least, "µs a fact", 2.0, more_is_better=False)
    name = f"memory of verify, {more.facts:,} facts against {less.facts:,}"
    grown = more.megabytes - less.megabytes
    yield Row(
        name,
        more.megabytes,
        less.megabytes,
        "MB",
        grown,
        MORE_MEGABYTES,
        more_is_better=False,
        sign="MB more",
    )


def _verify(ground: Ground) -> _Verified:
    settings = ground.settings
    key = settings.data_dir / "log-key"
    if not key.exists():
        create_log_key(key, settings.origin)
    told = {
        "CASEBOOK_DATABASE_URL": settings.database_url,
        "CASEBOOK_KEYS_DATABASE_URL": settings.keys_database_url,
        # As on the anchor's machine, which has none.
        "CASEBOOK_KEK_FILE": str(settings.data_dir / "none"),
        "CASEBOOK_SECRET_KEY": settings.secret_key,
        "CASEBOOK_ORIGIN": settings.origin,
        "CASEBOOK_DATA_DIR": str(settings.data_dir / "none"),
        "CASEBOOK_LOG_KEY_FILE": str(key),
        "CASEBOOK_CHECKPOINT_FILE": str(settings.data_dir / "checkpoints.txt"),
    }
    environment = os.environ | told
    # As on any day: almost everything is covered by a checkpoint.
    signing = [sys.executable, "-m", "app", "checkpoint"]
    subprocess.run(signing, env=environment, check=True, stdout=subprocess.DEVNULL)
    verifying = subprocess.Popen(
        [sys.executable, "-c", _VERIFY],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    most = 0.0
    while verifying.poll() is None:
        most = max(most, megabytes(verifying.pid))
        sleep(0.05)
    said, complaints = verifying.communicate()
    status, seconds = complaints.split()[-2:]
    if status != "0":
        raise AssertionError(said)
    facts = json.loads(said)["logs"][0]["entries"]
    return _Verified(float(seconds), most, facts)


def _limits(ground: Ground, facts: int) -> float:
    """Seconds for what can't be left out: hashing the same bytes, the tree's nodes, the server's COPY."""
    with psycopg.connect(ground.superuser_url, autocommit=True) as connection:
        began = perf_counter()
        connection.execute(
            "COPY (SELECT * FROM record.events ORDER BY notification_id) TO '/dev/null' (FORMAT binary)"
        )
        copied = perf_counter() - began
        states = [state for (state,) in connection.execute("SELECT state FROM record.events LIMIT 20000")]
    # Each fact is hashed three times: what is sealed, that with its name and time, and that with its place.
    content, leaf = os.urandom(64), os.urandom(57)
    began = perf_counter()
    for state in states:
        sha256(state).digest()
        sha256(content).digest()
        sha256(leaf).digest()
    hashed = (perf_counter() - began) / len(states) * facts
    left, right = os.urandom(32), os.urandom(32)
    began = perf_counter()
    for _ in range(100_000):
        sha256(b"\x01" + left + right).digest()
    nodes = (perf_counter() - began) / 100_000 * facts
    return copied + hashed + nodes
