"""The search language: what each form means, and that no text breaks the parser."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings, strategies as st

from havenfs.errors import InvalidQuery
from havenfs.query import (
    TERMS,
    And,
    Choice,
    Circle,
    Days,
    Field,
    Name,
    Not,
    Or,
    Presence,
    Query,
    Range,
    Words,
    help_text,
    parse,
)

TODAY = date(2019, 11, 20)  # a Wednesday


def where(text: str) -> object:
    return parse(text, today=TODAY).where


def days(a: str, b: str) -> Days:
    return Days(date.fromisoformat(a), date.fromisoformat(b))


def field(key: str, *values: object) -> Field:
    return Field(key, values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("dog on a beach", Words("dog on a beach")),
        ("  Dog \t on  a beach ", Words("Dog on a beach")),
        ("dog AND beach", Words("dog beach")),
        ("dog OR cat", Or((Words("dog"), Words("cat")))),
        ("a b OR c OR d", Or((Words("a b"), Words("c"), Words("d")))),
        ("(a OR b) OR c", Or((Words("a"), Words("b"), Words("c")))),
        ("beach -dog", And((Words("beach"), Not(Words("dog"))))),
        ("beach NOT dog", And((Words("beach"), Not(Words("dog"))))),
        ("NOT (a b)", Not(Words("a b"))),
        ("--dog", Words("dog")),
        ("not a dog", Words("not a dog")),
        ("rome - italy", Words("rome italy")),
        ("rome, italy", Words("rome italy")),
        ("(a OR b) c", And((Or((Words("a"), Words("b"))), Words("c")))),
        ('"total amount"', Words("total amount", quoted=True)),
        ("'total amount' x", And((Words("total amount", quoted=True), Words("x")))),
        ("alice's dog", Words("alice's dog")),
        ("rock 'n roll", Words("rock n roll")),
        ("person=Alice", field("person", Name("Alice"))),
        ("Person:Alice", field("person", Name("Alice"))),
        ("who=Alice,'Bob B'", field("person", Name("Alice"), Name("Bob B"))),
        ("dog tag=x cat", And((Words("dog cat"), field("tag", Name("x"))))),
        ("tag=none", field("tag", Presence.NONE)),
        ("place=ANY", field("place", Presence.ANY)),
        ("tag='none'", field("tag", Name("none"))),
        ("type=photos,VIDEO", field("type", Choice("photo"), Choice("video"))),
        ("near=41.9;-12.5;20", field("near", Circle(41.9, -12.5, 20))),
        ("near=41.9;12.5", field("near", Circle(41.9, 12.5, 10))),
        ("rating=4..", field("rating", Range(4, None))),
        ("iso=100", field("iso", Range(100, 100))),
        ("f=2.8", field("f", Range(2.75, 2.85))),
        ("mm=70mm..", field("mm", Range(70, None))),
        ("dur=1m30s..1:45", field("dur", Range(90, 105))),
        ("month=jul,8", field("month", Range(7, 7), Range(8, 8))),
        ("in=Scans/2019", field("in", Name("Scans/2019"))),
        ("http://a.b/c", Words("http://a.b/c")),
        ("12:30", Words("12:30")),
    ],
)
def test_each_form_means_what_the_manual_says(text: str, meaning: object) -> None:
    assert where(text) == meaning


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2019", "2019-01-01", "2019-12-31"),
        ("2019-07", "2019-07-01", "2019-07-31"),
        ("2020-02", "2020-02-01", "2020-02-29"),
        ("2019-07-14", "2019-07-14", "2019-07-14"),
        ("2019..2021", "2019-01-01", "2021-12-31"),
        ("last summer", "2019-06-01", "2019-08-31"),
        ("last winter", "2018-12-01", "2019-02-28"),
        ("this year", "2019-01-01", "2019-12-31"),
        ("today", "2019-11-20", "2019-11-20"),
        ("Yesterday", "2019-11-19", "2019-11-19"),
        ("last week", "2019-11-11", "2019-11-17"),
        ("last month", "2019-10-01", "2019-10-31"),
        ("last year", "2018-01-01", "2018-12-31"),
        ("summer 2019", "2019-06-01", "2019-08-31"),
        ("winter 2018", "2018-12-01", "2019-02-28"),
        ("July 2019", "2019-07-01", "2019-07-31"),
        ("in july 2019", "2019-07-01", "2019-07-31"),
        ("christmas 2018", "2018-12-24", "2018-12-26"),
        ("last christmas", "2018-12-24", "2018-12-26"),
    ],
)
def test_a_bare_date_is_a_filter(text: str, first: str, last: str) -> None:
    assert where(text) == field("date", days(first, last))


def test_last_summer_in_july_is_the_one_that_is_over() -> None:
    query = parse("last summer", today=date(2019, 7, 10))
    assert query.where == field("date", days("2018-06-01", "2018-08-31"))


def test_a_date_leaves_the_other_words_together_and_remembers_how_it_was_said() -> None:
    node = where("dog in july 2019 on a beach")
    assert node == And((Words("dog on a beach"), field("date", days("2019-07-01", "2019-07-31"))))
    assert isinstance(node, And)
    assert isinstance(node.items[1], Field)
    assert node.items[1].said == "july 2019"


def test_what_is_no_date_stays_words() -> None:
    assert where("2019-02-30") == Words("2019-02-30")
    assert where("12345") == Words("12345")
    assert where('"2019"') == Words("2019", quoted=True)
    assert where("may flowers") == Words("may flowers")


def test_open_ranges_of_dates_have_one_end() -> None:
    assert where("2019..") == field("date", Days(date(2019, 1, 1), None))
    assert where("date=..2019-07") == field("date", Days(None, date(2019, 7, 31)))


def test_the_shape_of_the_answer_is_kept_apart() -> None:
    assert parse("dog limit=500 sort=-date score=0.5..") == Query(
        where=Words("dog"), limit=500, sort=Choice("date", reverse=True), score=Range(0.5, None)
    )
    assert parse("limit=5") == Query(limit=5)


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "nothing to search for"),
        (" , - ", 0, "nothing to search for"),
        ("dog persn=Alice", 4, "did you mean 'person'"),
        ("zzzz=1", 0, "no search key"),
        ("dog (cat", 4, "never closed"),
        ("dog )", 4, "never opened"),
        ("()", 1, "empty parenthesis"),
        ("OR dog", 0, "nothing stands before OR"),
        ("dog OR", 6, "must follow"),
        ("NOT", 3, "must follow"),
        ('a "b', 2, "never closed"),
        ('""', 0, "nothing between"),
        ("date=", 5, "a value must follow date="),
        ("date=soon", 5, "is no date"),
        ("rating=9", 7, "whole number from 0 to 5"),
        ("rating=4..2", 7, "runs backwards"),
        ("size=big", 5, "is no size"),
        ("type=song", 5, "is none of"),
        ("near=91;0;1", 5, "no place on earth"),
        ("before=2019..", 7, "has no end"),
        ("a OR limit=3", 5, "outside of OR"),
        ("limit=3 limit=4", 8, "twice"),
        ("limit=3..4", 0, "one number"),
        ("x \udcff", 2, "not text"),
        ("(" * 40 + "a" + ")" * 40, 32, "nested too deeply"),
        ("a" * 2001, 2000, "at most 2000"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, position: int, reason: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse(text, today=TODAY)
    assert caught.value.position == position
    assert reason in caught.value.reason


def test_a_folder_name_needs_only_what_windows_allows() -> None:
    assert parse("person=Alice -tag='road trip' 2019..2021", path=True, today=TODAY) == parse(
        'person:Alice NOT tag:"road trip" date:2019..2021', today=TODAY
    )
    assert parse("person：Alice ＂a b＂", path=True) == parse('person:Alice "a b"')


def test_composed_and_decomposed_letters_are_the_same_search() -> None:
    assert parse("cafe\u0301") == parse("café")


@pytest.mark.parametrize("term", TERMS, ids=lambda t: t.keys[0] if t.keys else t.example)
def test_each_term_documents_itself(term: object) -> None:
    assert term in TERMS
    for t in TERMS:
        assert t.help
        assert not t.help.endswith(".")
        assert t.example in help_text()
        query = parse(t.example, today=TODAY)
        if t.keys:
            assert t.kind is not None
            assert f"{t.keys[0]}=" in t.example
            assert f"{t.keys[0]}=" in str(query)
            assert all(key == key.casefold() for key in t.keys)


def test_the_help_names_every_key_of_the_language() -> None:
    keys = [
        "person",
        "with",
        "faces",
        "place",
        "country",
        "city",
        "near",
        "tag",
        "album",
        "in",
        "name",
        "ext",
        "type",
        "date",
        "year",
        "month",
        "before",
        "after",
        "on",
        "camera",
        "lens",
        "iso",
        "f",
        "mm",
        "rating",
        "fav",
        "text",
        "lang",
        "like",
        "size",
        "mp",
        "dur",
        "has",
        "is",
        "sort",
        "limit",
        "score",
    ]
    assert {t.keys[0] for t in TERMS if t.keys} == set(keys)
    for key in keys:
        assert f"{key}=" in help_text()


PIECES = st.sampled_from(
    [
        "dog",
        "beach",
        "OR",
        "AND",
        "NOT",
        "-",
        "(",
        ")",
        "'",
        '"',
        ",",
        ";",
        "..",
        "=",
        ":",
        "2019",
        "last",
        "summer",
        "july",
        "in",
        "person=",
        "tag:",
        "date=",
        "near=",
        "1;2;3",
        "size=",
        "5M",
        "f=2.8",
        "none",
        "any",
        "sort=date",
        "limit=3",
        "score=.5",
        "é",
        "̸",
        "＂",
        ":",
        "http://",
        "x=y",
        "'a",
        "b'",
        '"c',
        'd"',
        "'tis",
        "dogs'",
        "year=2019",
        "dur=1:30",
        "today",
    ]
)
QUERIES = st.one_of(
    st.text(max_size=40),
    st.lists(PIECES, max_size=8).map(" ".join),
    st.lists(PIECES, max_size=8).map("".join),
    st.text(alphabet="ab '\"()-=:,;.0129OR\u0338", max_size=24),
)


@settings(max_examples=600, deadline=None)
@given(QUERIES, st.booleans())
def test_any_text_is_a_query_or_says_why_not_and_its_canonical_form_is_the_same_query(
    text: str, path: bool
) -> None:
    try:
        parse(text, path=path, today=TODAY)
    except InvalidQuery as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert 0 <= refused.position <= len(refused.text)
        assert refused.reason
        return
    query = parse(text, path=path, today=TODAY)
    assert parse(str(query), path=path, today=TODAY) == query
    assert str(parse(str(query), path=path, today=TODAY)) == str(query)
