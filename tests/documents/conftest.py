"""A real Chromium, and axe-core, for the page in a pack."""

from tests.journeys.conftest import browser as browser
from tests.journeys.conftest import glass as glass
