from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.embedded import Embedded
from tests.embedded.kept import Make


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder with a short path that every account can reach, unlike pytest's own."""
    with TemporaryDirectory(prefix="casebook-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def made(room: Path) -> Iterator[Make]:
    """Embedded databases that are removed afterwards, wherever their files went."""
    all_made: list[Embedded] = []

    def make(data_dir: Path) -> Embedded:
        all_made.append(Embedded(data_dir))
        return all_made[-1]

    yield make
    for embedded in all_made:
        embedded.stop()
    for embedded in all_made:
        embedded.remove()
