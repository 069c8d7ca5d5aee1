"""What goes back: a thing with its version, a page of a list, each after the note that somebody looked."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request

from app.access import reads
from app.access.policy import house, person
from app.api.asking import LARGEST_POSITION, cursor_of
from app.api.shapes import text_of
from app.casework import Told
from app.commands import Invalid
from projections.positions import positions, wait_for

BEHIND: Final = "Casebook-Behind"
POSITION: Final = "Casebook-Position"


def answer(
    body: Any,
    status: int = 200,
    *,
    version: int | None = None,
    position: int | None = None,
    location: str | None = None,
) -> Response:
    """An answer in JSON, with the version that it shows and how far the record must be read to show it."""
    return answer_in(text_of(body), status, version=version, position=position, location=location)


def answer_in(
    text: str,
    status: int = 200,
    *,
    version: int | None = None,
    position: int | None = None,
    location: str | None = None,
) -> Response:
    """The same for a body that is JSON already."""
    response = Response(text, status, content_type="application/json")
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
    if position is not None:
        response.headers[POSITION] = str(position)
    if location is not None:
        response.headers["Location"] = location
    return response


def page(
    items: Sequence[Any],
    limit: int,
    last: str | None,
    *,
    behind: bool = False,
) -> Response:
    """A page of a list. `last` is the place of its last item when there are more."""
    response = answer({"items": list(items)})
    if last is not None:
        asked = {
            name: value for name, value in request.args.items() if name not in ("cursor", "limit", "after")
        }
        query = urlencode({**asked, "limit": limit, "cursor": cursor_of(last)})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    if behind:
        response.headers[BEHIND] = "1"
    return response


def waited_for(*lists: str) -> bool:
    """Wait, up to two seconds, until these lists show `?after=N`. True when they don't. Raises Invalid."""
    after = request.args.get("after")
    if after is None:
        return False
    if not re.fullmatch(r"\d{1,19}", after, re.ASCII):
        raise Invalid(after="Give the number from Casebook-Position.")
    return not wait_for(house().pool, min(int(after), LARGEST_POSITION), lists)


def rule() -> str:
    """The address's rule as the log of reads has it: no ids."""
    found = request.url_rule.rule if request.url_rule else ""
    return re.sub(r"<[^>]*>", "{id}", found)


def looked(subjects: Iterable[UUID | None], field_class: str, position: int | None) -> None:
    """Note, before the answer, that this person sees these subjects. Raises RecordUnavailable."""
    reads.log(house(), person(), rule(), subjects, field_class, position)


def looked_at_list(name: str, subjects: Iterable[UUID | None]) -> None:
    """The same for a page of a list, which shows nothing newer than the list's position."""
    with house().pool.connection() as connection:
        position = positions(connection).get(name)
    looked(subjects, name, position)


def newest(told: Sequence[Told]) -> int | None:
    """The position of the newest of these facts."""
    return told[-1].position if told else None
