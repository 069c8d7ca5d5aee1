"""A reader at a real browser. Each page that they come to is checked, whatever the story wants of it."""

import re
from collections.abc import Callable
from typing import Final

from playwright.sync_api import Browser, Locator, Page, Request, Response, StorageState

from app.demo.people import PASSWORD
from tests.journeys.glass import Glass

SCREENS: Final = {"desktop": (1280, 900), "phone": (375, 812)}
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OURS: Final = re.compile(r"\b(aggregate|projection|originator|stream|command_id|undefined)\b")
"""Programmers' words."""


class Reader:
    """Somebody who signs in, reads, fills in and presses. `steps` counts what their hands did."""

    def __init__(
        self,
        browser: Browser,
        glass: Glass,
        address: str,
        screen: str = "desktop",
        *,
        scripts: bool = False,
        signed_in: StorageState | None = None,
    ) -> None:
        self.width, self.height = SCREENS[screen]
        context = browser.new_context(
            viewport={"width": self.width, "height": self.height},
            java_script_enabled=scripts,
            base_url=address,
            storage_state=signed_in,
            has_touch=screen == "phone",
        )
        context.set_default_timeout(30_000)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self._complains(message.text))
        self.page.on("pageerror", lambda error: self._complains(str(error)))
        self.page.on("requestfailed", self._misses)
        self._glass = glass
        self._complaints: list[str] = []
        self.faults: list[str] = []
        self.pages = 0
        self.steps = 0

    def _complains(self, text: str) -> None:
        self._complaints.append(text)

    def _misses(self, request: Request) -> None:
        # Whoever goes on to another page gives up what was still on its way.
        if request.failure != "net::ERR_ABORTED":
            self._complains(f"{request.url}: {request.failure}")

    # --- going from page to page

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Through the page."""
        self.open("/sign-in")
        self.fill("User name", name)
        self.fill("Password", password)
        self.press("Sign in")
        assert "/sign-in" not in self.page.url, self.text

    def open(self, path: str, status: int = 200) -> None:
        """Type an address, or take one from the history."""
        self._arrived(self.page.goto(path, wait_until="load"), status)

    def follow(self, text: str, *, within: str = "main", last: bool = False) -> None:
        """A link that begins with these words."""
        links = self.page.locator(f"{within} a").filter(has_text=re.compile(rf"^\s*{re.escape(text)}"))
        self.go(links.last if last else links.first)

    def press(self, text: str, status: int = 200) -> None:
        """A button that begins with these words."""
        buttons = self.page.locator("button").filter(has_text=re.compile(rf"^\s*{re.escape(text)}"))
        self.go(buttons.first, status)

    def go(self, what: Locator, status: int = 200) -> None:
        """A link or button that is at hand."""
        self.steps += 1
        self.go_by(what.click, status)

    def go_by(self, act: Callable[[], None], status: int = 200) -> None:
        """Whatever else leads to another page."""
        with self.page.expect_navigation(wait_until="load") as seen:
            act()
        self._arrived(seen.value, status)

    # --- filling in

    def fill(self, label: str, text: str, *, within: str = "main") -> None:
        """A box with this label."""
        self.steps += 1
        self.page.locator(within).get_by_label(label, exact=False).first.fill(text)

    def choose(self, label: str) -> None:
        """A radio button or a tick box."""
        self.steps += 1
        self.page.locator("main").get_by_label(label, exact=False).first.check()

    def unfold(self, text: str) -> None:
        """What is shown on demand."""
        self.steps += 1
        self.page.locator("summary").filter(has_text=text).click()

    # --- reading

    @property
    def text(self) -> str:
        """What stands on the page, apart from its frame, in one line."""
        return " ".join(self.page.locator("main").inner_text().split())

    @property
    def html(self) -> str:
        """All of the page, as a curious reader would look at its source."""
        return self.page.content()

    @property
    def own_html(self) -> str:
        """The page apart from its frame, whose menu is the same for everybody in the role."""
        return self.page.locator("main").inner_html()

    # --- what is true of every page

    def _arrived(self, response: Response | None, status: int) -> None:
        self.pages += 1
        assert response is not None
        assert response.status == status, f"{response.status} {self.page.url}: {self.text[:1500]}"
        found = self._glass.faults(self.page.url, self.html, self.width, self.height)
        needed = self.page.evaluate("document.documentElement.scrollWidth")
        if needed > self.width:
            found.append(f"{needed} pixels wide")
        headings = [one.strip() for one in self.page.locator("h1").all_inner_texts()]
        title = self.page.title()
        if len(headings) != 1:
            found.append(f"headings {headings}")
        elif not title.removeprefix("Error: ").startswith(headings[0]):
            found.append(f"title “{title}” under the heading “{headings[0]}”")
        if bool(self.page.locator(".govuk-error-summary").count()) != title.startswith("Error: "):
            found.append(f"title “{title}” doesn’t go with the list of errors")
        if "default-src 'none'" not in response.headers.get("content-security-policy", ""):
            found.append("no content security policy")
        if "no-store" not in response.headers.get("cache-control", ""):
            found.append("could be kept by a cache")
        text = self.page.locator("body").inner_text()
        found += [f"shows an id: {one}" for one in UUID.findall(text)]
        found += [f"shows “{one}”" for one in OURS.findall(text)]
        # A browser notes each answer of 400 and more; the story says which it expects.
        found += [one for one in self._complaints if status < 400 or f"status of {status}" not in one]
        self._complaints.clear()
        self.faults += [f"{self.page.url} at {self.width}: {one}" for one in found]
