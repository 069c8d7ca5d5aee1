"""The same commands and reads as the pages, as JSON for programs."""

from copy import deepcopy
from functools import cache
from typing import Any, cast

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Flask, Response, render_template
from flask_smorest import Blueprint as DescribedBlueprint
from marshmallow import ValidationError

from app.access.policy import allow_anyone
from app.api import checkpoints
from app.api.answering import answer
from app.api.asking import errors_of
from app.api.commands import API, view_of
from app.api.document import (
    DESCRIPTION,
    Document,
    command_doc,
    complete,
    describe,
    described,
    named,
    reading_doc,
)
from app.api.reading import READINGS
from app.commands import FOR_PROGRAMS
from app.errors import problem

__all__ = ["create_openapi", "register"]


def register(app: Flask) -> None:
    """Put the API at /api/v1."""
    app.register_blueprint(_addresses(Blueprint("api", __name__, url_prefix=API)))
    app.add_url_rule(f"{API}/openapi.json", "openapi", openapi)
    app.add_url_rule(f"{API}/docs", "api_docs", docs)
    app.register_error_handler(ValidationError, lambda error: problem(422, errors=errors_of(error)))


def _addresses(blueprint: Blueprint) -> Blueprint:
    for reading in READINGS:
        view = described(reading.view, reading.roles, reading_doc(reading))
        method = "POST" if reading.by_post else "GET"
        blueprint.add_url_rule(reading.path, f"read-{reading.view.__name__}", view, methods=[method])
    for doing in FOR_PROGRAMS:
        view = described(view_of(doing), doing.roles, command_doc(doing))
        blueprint.add_url_rule(doing.rule, doing.key.replace("/", "-"), view, methods=["POST"])
    checkpoints.register(blueprint)
    return blueprint


def create_openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    return deepcopy(_document())


@cache
def _document() -> dict[str, Any]:
    # Made when first asked for, by an application beside: it takes as long as starting all the rest.
    beside = Flask(__name__)
    beside.config.update(API_TITLE="Casebook", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    document = Document(
        beside,
        spec_kwargs={
            "info": {"description": DESCRIPTION},
            "servers": [{"url": "/"}],
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=named),
        },
    )
    describe(document)
    document.register_blueprint(
        _addresses(DescribedBlueprint("api", __name__, url_prefix=API, description=""))
    )
    return complete(cast("dict[str, Any]", document.spec.to_dict()))


@allow_anyone
def openapi() -> Response:
    """The description of the API, for programs."""
    return answer(create_openapi())


@allow_anyone
def docs() -> str:
    """The description of the API, for people."""
    return render_template("api/docs.html", title="The API", api=create_openapi())
