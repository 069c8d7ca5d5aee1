"""Stands in for the conftest that makes a PostgreSQL: loaded by each trial, as a plugin of its pytest."""

import os
from pathlib import Path

import pytest

from app.embedded import Embedded
from tests.mutation.cluster import PLACE


@pytest.fixture(scope="session")
def cluster() -> Embedded:
    """The one that is running already."""
    return Embedded.attach(Path(os.environ[PLACE]))
