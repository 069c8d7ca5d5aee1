import re
from datetime import date, datetime
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import pytest

from app.wording.command_words import COMMANDS, OF_AN_ENTRY
from app.wording.fields import FIELDS
from app.wording.questions import THINGS, command, happened_on, recorded_facts
from domain.fact import said_fields
from tests.wording.samples import kind_of

KEYS = sorted(recorded_facts())
EVERY_COMMAND = pytest.mark.parametrize("key", KEYS)


@EVERY_COMMAND
def test_every_command_asks_for_each_field_of_its_fact_once_and_for_nothing_else(key: str) -> None:
    asked = [question.name for question in command(key).questions]
    assert asked == list(said_fields(recorded_facts()[key]))
    assert all(question.question for question in command(key).questions)


@EVERY_COMMAND
def test_every_command_says_what_to_do_and_what_was_recorded(key: str) -> None:
    words = command(key)
    assert words.title
    assert words.button
    assert words.done.endswith(".")
    assert all(text == "" or text.endswith(".") for text in (words.next, words.intro))


@EVERY_COMMAND
def test_a_field_is_asked_in_a_way_that_fits_its_type(key: str) -> None:
    hints = said_fields(recorded_facts()[key])
    for question in command(key).questions:
        assert question.kind in _fitting(kind_of(hints[question.name])), question.name


def _fitting(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return ("choice",)
    if get_origin(kind) is tuple:
        return ("choices", "words")
    plain: dict[Any, tuple[str, ...]] = {
        str: ("text", "words", "choice"),
        int: ("number",),
        bool: ("flag",),
        date: ("date",),
        datetime: ("datetime",),
        UUID: ("choice",),
    }
    return plain[kind]


@EVERY_COMMAND
def test_every_choice_of_a_fixed_list_has_words_in_its_order(key: str) -> None:
    hints = said_fields(recorded_facts()[key])
    for question in command(key).questions:
        kind = kind_of(hints[question.name])
        if get_origin(kind) is Literal:
            assert tuple(value for value, _text in question.options) == get_args(kind)


def test_no_words_are_left_over() -> None:
    entries = {f"{thing}/{verb}" for thing in THINGS for verb in OF_AN_ENTRY}
    assert set(COMMANDS) | entries == set(KEYS)
    assert not set(COMMANDS) & entries
    for key, words in COMMANDS.items():
        assert set(words.ask) <= set(said_fields(recorded_facts()[key])), key
    asked = {name for key in KEYS for name in said_fields(recorded_facts()[key])}
    assert {name for name, field in FIELDS.items() if field.question} == asked


def test_a_mentoring_referral_and_a_safeguarding_referral_are_never_just_a_referral() -> None:
    for key in KEYS:
        words = command(key)
        texts = [words.title, words.button, words.done, words.next, words.intro]
        texts += [part for question in words.questions for part in (question.question, question.hint)]
        for text in texts:
            assert not re.search(r"(?<!mentoring )(?<!safeguarding )referral", text, re.IGNORECASE), text


def test_a_question_serves_the_templates_field_macro() -> None:
    field = command("concerns/decide").question("decision").as_field("monitor")
    assert field["label"] == "What have you decided?"
    assert field["options"][0] == {"value": "refer", "text": "Make a safeguarding referral"}
    assert (field["value"], field["kind"], field["required"]) == ("monitor", "choice", True)


def test_a_command_may_put_a_shared_question_in_its_own_words() -> None:
    assert command("cases/close").question("reason").question == "Why are you closing this case?"
    assert command("mentors/select").question("reason").question == "Why?"
    assert command("cases/close").question("reason").kind == "words"


def test_every_command_may_ask_on_which_day_it_happened() -> None:
    assert (happened_on().kind, happened_on().required) == ("date", False)


def test_an_unknown_command_has_no_words() -> None:
    with pytest.raises(KeyError):
        command("cases/forget")
