"""A school's servers whose clock can be set, as a broken time server or somebody's slip of the hand does."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.embedded.binaries import find_binaries
from tests.faults.school import School

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


def library() -> Path | None:
    """libfaketime, which tells the programs that it is loaded into another time."""
    if sys.platform != "linux":
        return None
    found = [path for pattern in LIBRARIES for path in Path("/").glob(pattern.lstrip("/"))]
    return found[0] if found else None


@dataclass
class ClockedSchool(School):
    """A school on whose servers, PostgreSQL included, it is as late as `set` says. Stopwatches run on."""

    library: Path = field(default=Path(), kw_only=True)
    patch: pytest.MonkeyPatch = field(kw_only=True)

    def prepare(self) -> None:
        """Start everything at the true time."""
        self.set(0)
        self._bend_postgres()
        super().prepare()

    def set(self, hours: int) -> None:
        """So many hours before or after the true time, from about now on."""
        written = self.folder / "clock.new"
        written.write_text(f"{hours * 3600:+d}\n")
        written.chmod(0o644)
        written.rename(self._file)

    def found(self, record: str, keys: str) -> None:
        """Web and projector live in that time too."""
        super().found(record, keys)
        for process in (self.web, self.projector):
            process.environment |= self._settings

    @property
    def _file(self) -> Path:
        return self.folder / "clock"

    @property
    def _settings(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def _bend_postgres(self) -> None:
        """A folder of programs in which `postgres` is the true one with the other time."""
        true = find_binaries().folder
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "initdb").symlink_to(true / "initdb")
        assigned = "\n".join(f"export {name}='{value}'" for name, value in self._settings.items())
        postgres = folder / "postgres"
        postgres.write_text(f'#!/bin/sh\n{assigned}\nexec {true / "postgres"} "$@"\n')
        postgres.chmod(0o755)
        self.patch.setenv("CASEBOOK_POSTGRES_BIN", str(folder))
