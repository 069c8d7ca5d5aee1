"""The browser of this machine."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")


def installed_browser() -> str | None:
    """Chromium or Chrome of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)
