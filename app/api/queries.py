"""What may be asked of a list or a history, and which words a search takes."""

from typing import Any, Final

from marshmallow import Schema, fields, validate

from app.api.asking import LARGEST_POSITION
from app.forms import LONGEST_TEXT, Day, Moment, Whole, storable

CASE_STATES: Final = ("referred", "matched", "at_review", "closed", "declined")
CONCERN_STATES: Final = ("received", "acknowledged", "being_dealt_with", "closed")


class Count(fields.Integer):
    """A whole number in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not str(value).isascii() or not str(value).isdecimal() or len(str(value)) > 18:
            raise self.make_error("invalid")
        return int(value)


class ListQuery(Schema):
    """Where in a list, and how much of it."""

    limit = Count(load_default=50, validate=validate.Range(min=1, max=100))
    cursor = fields.String(load_default=None)
    after = Count(validate=validate.Range(min=0, max=LARGEST_POSITION))


class CasesQuery(ListQuery):
    """Which cases."""

    state = fields.String(load_default=None, validate=validate.OneOf(CASE_STATES))
    mentor_id = fields.UUID(load_default=None)


class MentorsQuery(ListQuery):
    """Which mentors: with `free=1` those who can take one more case."""

    free = fields.String(load_default="0", validate=validate.OneOf(("0", "1")))


class ConcernsQuery(ListQuery):
    """Which concerns."""

    state = fields.String(load_default=None, validate=validate.OneOf(CONCERN_STATES))


class OneQuery(Schema):
    """One thing is read from the record itself, which holds position `after` already."""

    after = Count(validate=validate.Range(min=0, max=LARGEST_POSITION))


class HistoryQuery(OneQuery):
    """Which part of a history: what was recorded by then, what happened by then."""

    as_at = Moment(load_default=None)
    happened_until = Day(load_default=None)


class Search(Schema):
    """Words that names begin with."""

    q = fields.String(required=True, validate=[validate.Length(min=1, max=LONGEST_TEXT), storable])
    limit = Whole(load_default=50, validate=validate.Range(min=1, max=100))
