"""The pages, one module for each reader. They give the commands of the API and never touch the record."""

from flask import Flask

from app.pages import (
    account,
    cases,
    coordinator,
    mentor,
    mentors,
    office,
    past,
    pupils,
    referral,
    safeguarding,
    scheme,
    worried,
)
from app.pages.common import frame


def register(app: Flask) -> None:
    """Put every page at its address."""
    of_staff = (cases, coordinator, mentors, past, pupils, safeguarding, scheme, office)
    for module in (account, mentor, referral, worried, *of_staff):
        app.register_blueprint(module.bp)
    app.register_blueprint(worried.sending)
    app.context_processor(frame)
