"""A demo that runs for all journeys."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, StorageState

from tests.journeys.demo import Demo, running_demo
from tests.journeys.glass import Glass
from tests.journeys.reader import Reader

Seat = Callable[..., Reader]


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    """The invented school, on a port of its own."""
    with running_demo() as started:
        yield started


@pytest.fixture(scope="package")
def cookies() -> dict[str, StorageState]:
    """Of everybody who signed in already."""
    return {}


@pytest.fixture
def seat(demo: Demo, browser: Browser, glass: Glass, cookies: dict[str, StorageState]) -> Iterator[Seat]:
    """Give somebody a browser: `seat("dsl", "phone")`. No page that anybody saw may have a fault."""
    taken: list[Reader] = []

    def sit(sign_in: str, screen: str = "desktop", *, scripts: bool = False) -> Reader:
        signed_in = cookies.get(sign_in)
        reader = Reader(browser, glass, demo.address, screen, scripts=scripts, signed_in=signed_in)
        taken.append(reader)
        if signed_in is None:
            reader.sign_in(sign_in)
            cookies[sign_in] = reader.page.context.storage_state()
        return reader

    yield sit
    for reader in taken:
        reader.page.context.close()
    faults = [fault for reader in taken for fault in reader.faults]
    assert not faults, "\n".join(faults)
