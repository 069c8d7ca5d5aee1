"""`make mutate`: change the rules one at a time, and see whether a test says so.

Ends with 1 when fewer than nine in ten are noticed, or when one survives that nobody accepted.
"""

import argparse
import random
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path
from time import monotonic

# What takes long to load and isn't ours, once for all trials.
import eventsourcing.persistence  # noqa: F401
import flask  # noqa: F401
import hypothesis.stateful  # noqa: F401
import psycopg_pool  # noqa: F401

from tests.mutation.cluster import one_cluster
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import passes, tried

ROOT = Path(__file__).parent.parent.parent
REACH = 0.9
DOMAIN = sorted(f"domain/{path.name}" for path in (ROOT / "domain").glob("[a-z]*.py"))
# The longest one comes last: most changes are noticed before it.
RULES = sorted(f"tests/domain/{path.name}" for path in (ROOT / "tests/domain").glob("test_*.py"))
RULES.sort(key=lambda file: file.endswith("any_order.py"))
SEALING = [f"app/record/{name}.py" for name in ("base64url", "data_key", "sealing")]
SEALED = tuple(f"tests/record/test_{name}.py" for name in ("data_key", "sealing", "canonical"))
STORED = ("-p", "tests.record.conftest", "-p", "tests.mutation.attached")
# Its thousand changes take hours, so it is tried only when it is named.
VERIFIER = "app/proof/verifier.py"
PROOF = (
    *(f"tests/proof/test_{name}.py" for name in ("note", "two_keys", "pack_attacks")),
    # The rest of these proves every proof of every tree, which takes a minute.
    "tests/proof/test_ledger.py::test_a_published_inclusion_proof",
    "tests/proof/test_ledger.py::test_a_published_consistency_proof",
    "tests/proof/test_ledger.py::test_the_record_s_own_roots_and_proofs_to_the_byte",
    "tests/proof/test_ledger.py::test_a_tree_that_grows_in_any_steps_has_the_root_of_the_whole",
    "tests/proof/test_verifier_alone.py",
    "tests/proof/test_pack_bytes.py",
)
# These need a database, and are tried only when they are named. What is noticed without one comes first.
ON_A_DATABASE = {
    f"app/record/{name}.py": (*STORED, *(f"tests/record/test_{test}.py" for test in tests))
    for name, tests in {
        "mapper": ("unsealed", "opened", "mapper"),
        "shapes": ("shapes", "mapper"),
        "opened": ("opened_streams", "opened"),
    }.items()
}
TESTS_OF = {
    **dict.fromkeys(DOMAIN, tuple(RULES)),
    **dict.fromkeys(SEALING, SEALED),
    VERIFIER: PROOF,
    **ON_A_DATABASE,
}


def accepted() -> dict[str, dict[str, str]]:
    """By file and name of the mutant, why nobody would notice it."""
    listed = tomllib.loads((Path(__file__).parent / "accepted.toml").read_text("utf-8"))["accepted"]
    found: dict[str, dict[str, str]] = {}
    for entry in listed:
        found.setdefault(entry["file"], {}).update(dict.fromkeys(entry["changes"], entry["why"]))
    return found


def main() -> int:
    """Try all mutants of the files that are named, or of domain and sealing; print a line for each file."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    asked.add_argument("files", nargs="*", default=DOMAIN + SEALING, help="such as domain/mentor.py")
    asked.add_argument("--sample", type=int, help="try so many of each file, picked by --seed")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--jobs", type=int, default=2)
    said = asked.parse_args()
    known = accepted()
    print(f"{'':<28}{'mutants':>8}{'noticed':>9}{'survived':>10}{'accepted':>10}{'seconds':>9}")
    noticed = total = 0
    strange: list[Mutant] = []
    with one_cluster() if ON_A_DATABASE.keys() & set(said.files) else nullcontext():
        for file in said.files:
            begun, tests = monotonic(), ("--noconftest", *TESTS_OF[file])
            if not passes(ROOT, tests, file):
                print(f"{file}: its tests fail without any change", file=sys.stderr)
                return 1
            limit = 10 * (monotonic() - begun) + 5
            mutants = mutants_of(ROOT, file)
            if said.sample and said.sample < len(mutants):
                mutants = random.Random(said.seed).sample(mutants, said.sample)
            verdicts = tried(ROOT, mutants, tests, jobs=said.jobs, seconds=limit)
            survivors = [mutant for mutant, verdict in verdicts if verdict == "survived"]
            new = [mutant for mutant in survivors if mutant.name not in known.get(file, {})]
            dead = len(mutants) - len(survivors)
            counts = f"{len(mutants):>8}{dead:>9}{len(survivors):>10}{len(survivors) - len(new):>10}"
            print(f"{file:<28}{counts}{monotonic() - begun:>9.0f}", flush=True)
            noticed, total, strange = noticed + dead, total + len(mutants), strange + new
    print(f"{noticed} of {total} were noticed: {noticed / total:.1%}")
    for mutant in strange:
        print(f"survived: {mutant.file} [{mutant.operator}] {mutant.name}")
    return 0 if noticed >= REACH * total and not strange else 1


if __name__ == "__main__":
    sys.exit(main())
