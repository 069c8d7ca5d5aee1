from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.kill.servers import Servers


@pytest.fixture
def servers() -> Iterator[Servers]:
    """A school's servers, prepared and not yet started; ended and removed afterwards."""
    with TemporaryDirectory(prefix="casebook-kill-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = Servers(Path(folder))
        try:
            made.prepare()
            yield made
        finally:
            made.clear()
