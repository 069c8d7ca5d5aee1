import re
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from app.wording.facts import (
    SHORT,
    correction_text,
    details,
    fact_title,
    label,
    sentence,
    tell,
    value_text,
)
from app.wording.fields import FIELDS
from app.wording.names import Called, Names, mentioned
from app.wording.sentences import SENTENCES, TITLES
from domain.concern_facts import Decided, Involved, Notified, PassedOn, Raised
from domain.fact import ENVELOPE, ERASED, FACTS, Fact, annotations_of, kept_fields
from domain.mentee_case_facts import Closed, Corrected, Disputed, Matched, Referred, SessionHeld
from domain.mentor import Applied
from domain.pupil import Enrolled
from domain.scheme import Adopted
from domain.staff import SYSTEM
from tests.wording.samples import ON, SOMEBODY, erased, fact

EVERY_FACT = pytest.mark.parametrize("fact_class", FACTS.values(), ids=FACTS)
NOBODY = Names()
AMY = UUID(int=7)


@EVERY_FACT
def test_every_fact_has_a_sentence_without_a_placeholder(fact_class: type[Fact]) -> None:
    said = sentence(fact(fact_class), NOBODY)
    assert re.fullmatch(r"[A-Z“(].*[.”]", said), said
    assert not re.search(r"[{}<>]|None|\(\d|[0-9a-f]{8}-|\.\.|  ", said), said


@EVERY_FACT
def test_every_fact_has_a_title_and_each_of_its_fields_a_label(fact_class: type[Fact]) -> None:
    assert fact_title(fact_class.TOPIC)
    assert all(label(name) for name in annotations_of(fact_class) if name not in ENVELOPE)


def test_there_are_no_words_for_facts_or_fields_that_do_not_exist() -> None:
    told = {topic for topic in FACTS if not topic.endswith((".corrected", ".disputed"))}
    assert set(SENTENCES) == told
    assert set(TITLES) == told | {"corrected", "disputed"}
    assert set(FIELDS) == {name for one in FACTS.values() for name in annotations_of(one)} - set(ENVELOPE)


@EVERY_FACT
def test_a_text_that_is_too_long_or_has_lines_is_never_cut_but_stands_below_in_full(
    fact_class: type[Fact],
) -> None:
    texts = [name for name, hint in annotations_of(fact_class).items() if hint in (str, str | None)]
    for long in ("x" * (SHORT + 1), "one\ntwo"):
        for name in set(texts) - {"field"}:
            whole = fact(fact_class, **{name: long})
            told = tell(whole, NOBODY)
            assert long not in told.sentence
            assert (label(name), long) in details(whole, NOBODY, told.shown)


@EVERY_FACT
def test_whatever_is_not_in_the_sentence_is_in_the_details(fact_class: type[Fact]) -> None:
    whole = fact(fact_class)
    told = tell(whole, NOBODY)
    below = {name for name, _text in details(whole, NOBODY, told.shown)}
    ids = {"case_id", "concern_id", "version"}
    for name in set(annotations_of(fact_class)) - set(ENVELOPE) - told.shown - ids:
        assert label(name) in below


@EVERY_FACT
def test_what_was_erased_reads_so_and_nothing_else_of_it_is_told(fact_class: type[Fact]) -> None:
    gone = erased(fact_class)
    told = tell(gone, NOBODY)
    texts = [text for _label, text in details(gone, NOBODY, told.shown)]
    sealed = set(annotations_of(fact_class)) - kept_fields(fact_class) - {"case_id", "concern_id"}
    assert "Erased" not in told.sentence
    assert "the " + "reason" not in told.sentence
    if sealed:
        assert "(erased)" in told.sentence or "(erased)" in texts
    for name in sealed - told.shown:
        assert (label(name), "(erased)") in details(gone, NOBODY, told.shown)


@EVERY_FACT
def test_a_hidden_field_is_in_neither_sentence_nor_details(fact_class: type[Fact]) -> None:
    texts = {name for name, hint in annotations_of(fact_class).items() if hint in (str, str | None)}
    for name in texts - {"field"}:
        canary = fact(fact_class, **{name: "canary"})
        told = tell(canary, NOBODY, {name})
        assert "canary" not in told.sentence
        assert "canary" not in str(details(canary, NOBODY, told.shown | {name}))


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        (
            fact(SessionHeld, minutes=30, focus="Lunch", notes="Talked. Smiled.", friend_came=False),
            "Met for 30 minutes on 17 September 2026. Lunch. Talked. Smiled.",
        ),
        (
            fact(SessionHeld, minutes=1, focus="Maths?", notes=""),
            "Met for 1 minute on 17 September 2026. A friend came along. Maths?",
        ),
        (
            fact(Matched, mentor_id=AMY, sessions_planned=6, reason=None),
            "Matched with Amy Jones, for 6 sessions in all.",
        ),
        (fact(Applied, pupil_id=UUID(int=99), statement="I like to help."),
         "A pupil applied to be a peer mentor. “I like to help.”"),
        (
            fact(Decided, decision="no_further_action", rationale="Explained by both", alternatives=None),
            "Decided on no further action. Rationale: Explained by both.",
        ),
        (
            fact(Closed, outcome="Settled", reason="She is happy!"),
            "Closed the case. Outcome: Settled. Reason: She is happy!",
        ),
        (
            fact(Notified, told=(SOMEBODY, SYSTEM), channel="email"),
            "Alerted Ms Price and Casebook by email.",
        ),
        (
            fact(Corrected, version=5, field="held_on", value="2026-09-16", reason="Wrong day"),
            "Corrected “Held on” in entry 5. It should say: 16 September 2026. Reason: Wrong day.",
        ),
        (
            fact(Corrected, version=1, field="pupil_id", value=str(AMY), reason="Found on the roll"),
            "Corrected “Pupil” in entry 1. It should say: Amy Jones. Reason: Found on the roll.",
        ),
        (fact(Disputed, version=5, words="I wasn’t there"), "Disputed entry 5. “I wasn’t there”"),
    ],
)  # fmt: skip
def test_sentences_read_as_people_would_say_them(whole: Fact, said: str) -> None:
    names = Names({SOMEBODY: Called("Ms Price", "coordinator")}, {AMY: "Amy Jones"}, {AMY: "Amy Jones"})
    assert sentence(whole, names) == said


def test_braces_in_what_people_wrote_are_just_text() -> None:
    held = fact(SessionHeld, focus="{notes} {0}", notes='{"_type_": "date"}')
    assert '{notes} {0}. {"_type_": "date"}' in sentence(held, NOBODY)


def test_an_answer_that_nobody_gave_has_no_line_but_a_no_to_danger_has() -> None:
    raised = fact(Raised, immediate_danger=False, opinion=None, gaps=(), basis="")
    labels = dict(details(raised, NOBODY))
    assert labels["In danger now"] == "No"
    assert not {"Opinion", "To ask about", "Basis"} & set(labels)
    assert "A friend came" not in dict(details(fact(SessionHeld, friend_came=False), NOBODY))


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("route", "parent", "A parent or guardian"),
        ("reasons", ("friendships", "Netball"), "Friendships and Netball"),
        ("year_group", 0, "Reception"),
        ("born_on", date(2013, 3, 27), "27 March 2013"),
        ("passed_on", (PassedOn("Mr Lee", "1:05pm"), PassedOn("Mum")), "Mr Lee (1:05pm) and Mum"),
        ("involved", (Involved(AMY, "saw it"),), "a pupil: saw it"),
        ("mentor_id", AMY, "a peer mentor"),
        ("mentor_years", (9, 10), "Year 9 and Year 10"),
        ("friend_came", True, "Yes"),
        ("notes", "several\nlines ", "several\nlines "),
        ("gaps", ERASED, "(erased)"),
    ],
)
def test_values_read_as_words_in_full(field: str, value: Any, text: str) -> None:
    assert value_text(value, NOBODY, field) == text


@pytest.mark.parametrize(
    ("field", "typed", "text"),
    [
        ("held_on", "2026-02-30", "2026-02-30"),
        ("route", "self", "The pupil"),
        ("pupil_id", "no id", "a pupil"),
        ("an old field", "words", "words"),
    ],
)
def test_a_corrected_value_that_makes_no_sense_still_shows(field: str, typed: str, text: str) -> None:
    assert correction_text(field, typed, NOBODY) == text


def test_everybody_whom_facts_mention_can_be_looked_up_at_once() -> None:
    one, two, three = UUID(int=11), UUID(int=12), UUID(int=13)
    facts = [
        fact(Referred, pupil_id=one),
        fact(Matched, mentor_id=AMY),
        fact(Raised, involved=(Involved(two, "saw it"),), pupil_id=None),
        fact(Notified, told=(SYSTEM,)),
        fact(Corrected, field="pupil_id", value=str(three)),
        fact(Corrected, field="pupil_id", value="no id"),
        erased(Raised),
        erased(Notified),
    ]
    found = mentioned(facts)
    assert [set(ids) for ids in found] == [{SOMEBODY, SYSTEM}, {one, two, three}, {AMY}]


def test_a_fact_whose_every_clause_is_left_out_still_has_its_title() -> None:
    whole = fact(Enrolled, tutor_group="x" * 200, known_as=None, given_name="x" * 200)
    assert sentence(whole, NOBODY) == "Put a pupil on the roll."
    assert tell(fact(Closed), NOBODY, {"outcome", "reason"}).sentence == "Closed the case."
    moved = fact(FACTS["pupil.moved-up"], tutor_group="x" * 200)
    assert sentence(moved, NOBODY) == "Moved up."


def test_all_rules_of_a_scheme_are_listed() -> None:
    adopted = fact(Adopted, closing_needs_second_person=True, happened_on=ON)
    told = tell(adopted, NOBODY)
    assert len(details(adopted, NOBODY, told.shown)) + len(told.shown) == len(annotations_of(Adopted)) - 4
