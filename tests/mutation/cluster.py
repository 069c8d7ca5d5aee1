"""One PostgreSQL for all trials: the tests' own takes longer to make than most trials take."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app.embedded import Embedded
from tests.databases import without_waiting_for_the_disk

PLACE: Final = "CASEBOOK_MUTATION_DATA_DIR"


@contextmanager
def one_cluster() -> Iterator[None]:
    """Run it for as long as there are trials."""
    with TemporaryDirectory(prefix="casebook-mutation-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        embedded = Embedded(Path(folder) / "data")
        embedded.start()
        without_waiting_for_the_disk(embedded)
        os.environ[PLACE] = str(embedded.data_dir)
        try:
            yield
        finally:
            embedded.remove()
