from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.school import School


@pytest.fixture(scope="package")
def school() -> Iterator[School]:
    """One school for every fault in turn: what one of them breaks for good, the next one meets."""
    with TemporaryDirectory(prefix="casebook-faults-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = School(Path(folder))
        try:
            made.prepare()
            yield made
        finally:
            made.clear()
