"""Makes the pictures of docs/screenshots again: `python -m tests.journeys.screenshots`."""

from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.journeys.chromium import QUIET, installed_browser
from tests.journeys.demo import Demo, running_demo
from tests.journeys.glass import Glass
from tests.journeys.reader import Reader

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"


def take_all(demo: Demo, browser: Browser) -> None:
    """What the README shows, and a case."""
    glass = Glass(browser)

    def seat(sign_in: str, screen: str) -> Reader:
        reader = Reader(browser, glass, demo.address, screen)
        reader.sign_in(sign_in)
        reader.open("/")
        return reader

    coordinator = seat("coordinator", "desktop")
    _take(coordinator, "today")
    coordinator.follow("Review", within="#review", last=True)
    coordinator.open(coordinator.page.url.removesuffix("/review"))
    _take(coordinator, "case")

    mentor = seat("mentor", "phone")
    _take(mentor, "mentor")
    mentor.open("/worried")
    _take(mentor, "worried")

    lead = seat("dsl", "desktop")
    lead.go(lead.page.locator("#being_dealt_with a").first)
    _take(lead, "concern")


def _take(reader: Reader, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    reader.page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    with running_demo() as started, sync_playwright() as playwright:
        take_all(started, playwright.chromium.launch(executable_path=installed_browser(), args=list(QUIET)))
