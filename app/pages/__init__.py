"""The pages, a few that belong together in each module. They give the commands and never touch the record."""

from flask import Flask

from app.access.policy import rescued_by
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
    unsent,
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
    app.register_blueprint(unsent.bp)
    for endpoint, view in app.view_functions.items():
        if view.__module__.startswith(__name__) and not hasattr(view, "access_rescue"):
            app.view_functions[endpoint] = rescued_by(unsent.keep)(view)
    app.before_request(wait_for_lists)
    app.context_processor(frame)
