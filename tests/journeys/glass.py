"""A looking glass: shows axe-core and a narrow screen what a reader sees, without asking for it again.

Pages are read without JavaScript, and axe-core is JavaScript: so another window is handed the same HTML.
"""

import re
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, Page, Route

NARROWEST = 320
CHANGING = re.compile(r'\b(?:value|content)="[^"]*"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+')
"""What differs between two pages of a kind: ids, numbers, and what was typed."""


LOOK = re.compile(r'<(\w+)(?:[^>]*?\sclass="([^"]*)")?')
"""What the stylesheet colours an element by."""


class Glass:
    """One window for all readers."""

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context(bypass_csp=True)
        self._context.add_init_script(
            files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
        )
        self._window: Page = self._context.new_page()
        self._seen: set[tuple[int, frozenset[str]]] = set()
        self._coloured: set[tuple[str, str]] = set()

    def faults(self, address: str, html: str, width: int, height: int) -> list[str]:
        """What axe-core finds at this width, and whether it has to be moved sideways on a narrow screen.

        A page that holds nothing but elements seen together before, a longer list say, isn't looked at again.
        """
        kind = width, frozenset(re.findall("<[^>]+>", CHANGING.sub("*", html)))
        if kind in self._seen:
            return []
        self._seen.add(kind)
        address = address.partition("#")[0]

        def answer(route: Route) -> None:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

        self._window.route(address, answer)
        try:
            self._window.set_viewport_size({"width": width, "height": height})
            self._window.goto(address, wait_until="load")
            looks = set(LOOK.findall(html))
            # Most of the time goes into colours: those of elements that were looked at before are known.
            found = [f"axe: {one}" for one in self._axe(colours=not looks <= self._coloured)]
            self._coloured |= looks
            self._window.set_viewport_size({"width": NARROWEST, "height": height})
            needed = self._window.evaluate("document.documentElement.scrollWidth")
            if needed > NARROWEST:
                found.append(f"{needed} pixels wide on a screen of {NARROWEST}")
            return found
        finally:
            self._window.unroute(address)

    def _axe(self, *, colours: bool) -> list[str]:
        options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
        violations: list[dict[str, Any]] = self._window.evaluate(
            "async (options) => (await axe.run(document, options)).violations", options
        )
        return [
            f"{one['id']}: {one['help']}: {', '.join(str(node['html'])[:200] for node in one['nodes'])}"
            for one in violations
        ]
