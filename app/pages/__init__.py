"""The pages, a few that belong together in each module. They give the commands and never touch the record."""

from flask import Flask

from app.pages import (
    account,
    case_list,
    cases,
    evidence,
    finding,
    matching,
    mentor,
    mentors,
    office,
    past,
    proof,
    pupils,
    referral,
    review,
    safeguarding,
    scheme,
    worried,
    worried_sending,
)
from app.pages.common import frame, wait_for_lists


def register(app: Flask) -> None:
    """Put every page at its address."""
    of_cases = (case_list, cases, finding, matching, past, review)
    for module in (account, mentor, referral, worried, worried_sending, *of_cases):
        app.register_blueprint(module.bp)
    for module in (mentors, pupils, safeguarding, scheme, office, evidence, proof):
        app.register_blueprint(module.bp)
    app.before_request(wait_for_lists)
    app.context_processor(frame)
