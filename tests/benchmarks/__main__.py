"""`make bench`: one table, and the same as JSON in build/bench.json. Exit 1 when a row isn't reached."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.ground import ground
from tests.benchmarks.rows import Row, catch_up, commands, history_page, lag

MEASURED = (commands, catch_up, lag, history_page)


def line(row: Row) -> str:
    """One row of the table."""
    baseline = "–" if row.baseline is None else f"{row.baseline:,.1f}"
    ratio = "" if row.baseline is None else f"{row.ratio:.2f} ×"
    measured = f"{row.name:<60}{row.ours:>12,.1f}{baseline:>12} {row.unit:<11}{ratio:>9}"
    verdict = "reached" if row.reached else "NOT REACHED"
    return f"{measured}  {'≥' if row.more_is_better else '≤'} {row.reach:<5}{verdict}"


def main() -> int:
    """Measure everything; print as it comes."""
    print(f"{'':<60}{'ours':>12}{'baseline':>12} {'unit':<11}{'ratio':>9}  reach")
    rows: list[Row] = []
    with ground() as place:
        for measure in MEASURED:
            for row in measure(place):
                print(line(row), flush=True)
                rows.append(row)
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([asdict(row) | {"reached": row.reached} for row in rows], indent=1) + "\n")
    return 0 if all(row.reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
