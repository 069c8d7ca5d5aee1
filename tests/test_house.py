import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
LONGEST_FILE = 330
# Can be copied out as one file, so that whoever checks a pack needs nothing else of ours.
LONGER = {"app/proof/verifier.py": 1000}


def kept_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, text=True, check=True)
    return [HOUSE / name for name in listed.stdout.split("\0") if name and (HOUSE / name).is_file()]


def imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_no_room_is_crowded() -> None:
    crowded = {
        name: lines
        for file in kept_files()
        for name in [str(file.relative_to(HOUSE))]
        if file.suffix == ".py"
        and (lines := len(file.read_text("utf-8").splitlines())) > LONGER.get(name, LONGEST_FILE)
    }
    assert crowded == {}


def test_no_file_names_the_machine_that_it_was_written_on() -> None:
    # Put together here, so that this file doesn't name them.
    foreign = re.compile(
        "/"
        + "work/|/"
        + "root/|/"
        + "home/[a-z]|--index"
        + "-url|registry"
        + r"\.npmjs|files\.python"
        + "hosted"
    )
    named = []
    for file in kept_files():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        named += [f"{file.relative_to(HOUSE)}: {found[0]}" for found in foreign.finditer(text)]
    assert named == []


def test_what_happens_in_a_scheme_needs_the_standard_library_and_the_librarys_domain_alone() -> None:
    outside = {
        f"{file.name}: {name}"
        for file in (HOUSE / "domain").rglob("*.py")
        for name in imported(file)
        if name.split(".")[0] not in sys.stdlib_module_names | {"domain"} and name != "eventsourcing.domain"
    }
    assert outside == set()


def test_exact_versions_are_pinned_for_every_dependency() -> None:
    pins = [line for line in (HOUSE / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", pin)] == []


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", "LICENSE", "Makefile", ".ci/run", "docs/decisions"]
)
def test_a_newcomer_finds(name: str) -> None:
    assert (HOUSE / name).exists()
