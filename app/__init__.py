"""Casebook's web application: wiring only."""

import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Commands and the projector come by here, too, and need no web to begin.
    from flask import Flask

    from app.house import House
    from app.settings import Settings


def create_app(settings: "Settings", house: "House | None" = None) -> "Flask":
    """The web application: pages, API, health.

    Touches no database: each process builds its own house at its first request, after any fork. A `house`
    that is given is used instead and stays the caller's to close.
    """
    from flask import Flask
    from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app import health, metrics
    from app.access.policy import allow_anyone, guard
    from app.errors import handle_errors
    from app.logs import log_requests
    from app.record import patience
    from app.security import secure
    from app.wording.common import _

    folder = Path(__file__).parent
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.json.sort_keys = False  # type: ignore[attr-defined] # answers keep the order of their schema
    app.config.update(SECRET_KEY=settings.secret_key, DEMO=settings.demo)
    app.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(folder / "templates"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    app.jinja_env.globals.update(_=_, demo=settings.demo)
    app.extensions["casebook"] = _Rooms(settings, house)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
    log_requests(app)
    app.before_request(patience.begin)
    app.teardown_request(lambda _error: patience.end())
    metrics.register(app)
    secure(app, over_tls=settings.secure_cookies)
    guard(app)
    handle_errors(app)
    allow_anyone(app.view_functions["static"])
    health.register(app)
    _register(app)
    return app


def _register(app: "Flask") -> None:
    from app import api, pages

    api.register(app)
    pages.register(app)


class _Rooms:
    """The house of this process, built when first asked for."""

    def __init__(self, settings: "Settings", house: "House | None") -> None:
        self.settings = settings
        self._house = house
        self._built_by = os.getpid()
        self._lock = Lock()

    @property
    def house(self) -> "House":
        """Built again after a fork: pool threads don't survive one."""
        if self._house is None or self._built_by != os.getpid():
            with self._lock:
                if self._house is None or self._built_by != os.getpid():
                    from app.house import House
                    from app.metrics import CountedCasework

                    made = House(self.settings, casework=CountedCasework)
                    self._house, self._built_by = made, os.getpid()
        return self._house
