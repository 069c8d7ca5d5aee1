"""`make bench`: one table, and the same as JSON in build/bench.json.

Exit 1 when a row is worse than what it holds: its demand, or less where that is known not to be reached.
"""

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from shutil import disk_usage
from typing import Final

import psycopg

from tests.benchmarks.appending import commands
from tests.benchmarks.ground import FOLDER, Ground, ground
from tests.benchmarks.packs import evidence
from tests.benchmarks.proofs import proven_appends, sealing, verifying
from tests.benchmarks.reading import catch_up, history_page, lag
from tests.benchmarks.row import HEADING, Row, line, reasons
from tests.benchmarks.sizes import LARGE, QUICK, sizes

SPEEDS: Final[dict[str, Callable[[Ground], Iterator[Row]]]] = {
    "commands": commands,
    "catch-up": catch_up,
    "lag": lag,
    "history": history_page,
    "sealing": sealing,
    "proof": proven_appends,
}
SIZES: Final = "sizes"
VERIFY: Final = "verify"
EVIDENCE: Final = "evidence"
ALL: Final = (*SPEEDS, VERIFY, EVIDENCE, SIZES)
VERIFIED: Final = {True: (10_000, 100_000), False: (10_000, 1_000_000)}
"""How many facts two records have that are verified: quick, or not."""
GIGABYTES: Final = 15


def main() -> int:
    """Measure what is asked for, as a rule everything; print as it comes."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(ALL)}; else all")
    parser.add_argument("--quick", action="store_true", help="with a small large record; says less")
    said = parser.parse_args()
    if unknown := set(said.parts) - {*ALL}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    parts = said.parts or [*ALL]
    if SIZES in parts and not said.quick and disk_usage(FOLDER).free < GIGABYTES * 10**9:
        parser.error(f"{GIGABYTES} GB must be free in {FOLDER}; --quick needs less")

    # Ended by another process, it must not leave gigabytes behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    machine: dict[str, object] = {"cores": os.cpu_count(), "python": platform.python_version()}
    rows: list[Row] = []
    print(HEADING)
    for row in _measured(parts, machine, quick=said.quick):
        print(line(row), flush=True)
        rows.append(row)
    for reason in reasons(rows):
        print(f"\nNot reached: {reason}.")
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    told = [
        asdict(row) | {"reached": row.reached if row.reach is not None else None, "held": row.held}
        for row in rows
    ]
    out.write_text(
        json.dumps(
            {"machine": machine, "quick": said.quick, "parts": parts, "rows": told},
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )
    return 0 if all(row.held for row in rows) else 1


def _measured(parts: list[str], machine: dict[str, object], *, quick: bool) -> Iterator[Row]:
    for part, measure in SPEEDS.items():
        if part in parts:
            # Each begins with an empty record, so that its row is the same with the other parts and without.
            with ground() as place:
                machine["postgresql"] = _version(place)
                yield from measure(place)
    if VERIFY in parts:
        with ground() as small, ground() as large:
            yield from verifying(small, large, *VERIFIED[quick])
    if EVIDENCE in parts:
        with ground() as place:
            yield from evidence(place)
    if SIZES in parts:
        with ground() as small, ground() as large:
            machine["postgresql"] = _version(small)
            yield from sizes(small, large, QUICK if quick else LARGE)


def _version(place: Ground) -> str:
    with psycopg.connect(place.superuser_url) as connection:
        return connection.info.parameter_status("server_version") or "unknown"
