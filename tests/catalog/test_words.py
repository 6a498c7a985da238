"""Words: what finds a text, a name, a part of a name, and what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from havenfs.catalog import changes, recent, words

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import AssetId


def found(shelf: Any, *asked: str) -> list[AssetId]:
    expression = words.all_words(asked)
    assert expression is not None
    return [m.asset_id for m in shelf.catalog.read(words.match, expression, 100)]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("IMG_0001.jpg", "IMG_0001.jpg"),
        ("IMG_0001.jpg", "img_00"),
        ("IMG_0001.jpg", "0001"),
        ("IMG_20190714_101500.jpg", "IMG_20"),
        ("MyInvoice2019.pdf", "invoice"),
        ("MyInvoice2019.pdf", "2019"),
        ("MyInvoice2019.pdf", "myinv"),
        ("Tax-return (final).docx", "return"),
        ("Überweisung.pdf", "uberweisung"),
        ("DSC00042.ARW", "DSC00042"),
    ],
)
def test_a_file_is_found_by_its_name_and_by_parts_of_it(shelf: Any, name: str, asked: str) -> None:
    shelf.add("something else.png")
    asset_id = shelf.add(name)
    assert found(shelf, asked) == [asset_id]


def test_texts_match_whole_words_only(shelf: Any) -> None:
    asset_id = shelf.add("a.jpg", text="the scar of a carpet")
    assert found(shelf, "car") == []
    assert found(shelf, "carpet") == [asset_id]


def test_singular_and_plural_are_one_word(shelf: Any) -> None:
    one, many = shelf.add("a.jpg", text="an invoice"), shelf.add("b.jpg", text="two invoices")
    assert set(found(shelf, "invoice")) == set(found(shelf, "invoices")) == {one, many}


def test_all_words_must_match_anywhere_and_stop_words_do_not_count(shelf: Any) -> None:
    asset_id = shelf.add("dog.jpg", caption="at the beach")
    shelf.add("dog2.jpg", caption="at home")
    assert found(shelf, "dog", "on", "a", "beach") == [asset_id]
    assert found(shelf, "dog", "cat") == []


def test_a_query_of_stop_words_alone_means_them(shelf: Any) -> None:
    asset_id = shelf.add("x.jpg", text="To be or not to be. By the way")
    shelf.add("y.jpg", text="nothing")
    assert found(shelf, "by", "the") == [asset_id]


def test_a_name_says_more_than_a_word_in_a_long_text(shelf: Any) -> None:
    long = shelf.add("a.jpg", text="lorem ipsum " * 50 + "invoice")
    named = shelf.add("invoice.pdf")
    assert found(shelf, "invoice") == [named, long]


def test_a_column_that_is_not_given_stays(shelf: Any) -> None:
    asset_id = shelf.add("a.jpg", text="hello")
    shelf.catalog.write(words.put, asset_id, document="world")
    assert found(shelf, "hello", "world") == [asset_id]
    shelf.catalog.write(words.put, asset_id, ocr="")
    assert found(shelf, "hello") == []
    assert found(shelf, "world") == [asset_id]


def test_what_is_removed_or_hidden_is_not_found(shelf: Any) -> None:
    a, b = shelf.add("a.jpg", text="hello"), shelf.add("b.jpg", text="hello")
    shelf.catalog.write(words.remove, a)
    assert found(shelf, "hello") == [b]
    shelf.remove(b)
    assert found(shelf, "hello") == []


def test_the_reason_names_the_column_and_shows_the_words_around(shelf: Any) -> None:
    long = "word " * 40 + "the total amount is 12 EUR " + "word " * 40
    text, named = shelf.add("a.jpg", text=long), shelf.add("amount.png")
    why = shelf.catalog.read(words.explain, words.all_words(["amount"]), [text, named])
    assert why[named] == ("name", "amount.png")
    assert why[text][0] == "ocr"
    assert "total amount is 12" in why[text][1]
    assert len(why[text][1]) < 120


def test_words_move_the_generation_only_when_they_change(shelf: Any) -> None:
    asset_id = shelf.add("a.jpg", text="hello")
    before = shelf.catalog.read(changes.generation)
    shelf.catalog.write(words.put, asset_id, ocr="hello")
    assert shelf.catalog.read(changes.generation) == before
    shelf.catalog.write(words.put, asset_id, ocr="bye")
    assert shelf.catalog.read(changes.generation) > before


def test_an_exact_phrase_keeps_its_order(shelf: Any) -> None:
    asset_id = shelf.add("a.jpg", text="total amount due")
    shelf.add("b.jpg", text="amount total")
    hits = shelf.catalog.read(words.match, words.phrase("total amount"), 9)
    assert [h.asset_id for h in hits] == [asset_id]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5))
def test_no_text_breaks_the_index(shelf: Any, asked: list[str]) -> None:
    expression = words.all_words(asked)
    if expression is not None:
        assert isinstance(shelf.catalog.read(words.match, expression, 5), list)
    quoted = words.phrase(" ".join(asked), ("ocr", "document"))
    if quoted is not None:
        assert isinstance(shelf.catalog.read(words.match, quoted, 5), list)


def test_the_last_queries_come_newest_first_and_once(shelf: Any) -> None:
    for text in ["a", "b", "a", *map(str, range(19))]:
        shelf.catalog.write(recent.add, text)
    listed = shelf.catalog.read(recent.recent)
    assert listed == [*map(str, range(18, -1, -1)), "a"]
    assert shelf.catalog.read(recent.recent, 2) == ["18", "17"]


def test_a_clock_that_goes_back_keeps_the_order(shelf: Any) -> None:
    shelf.catalog.write(recent.add, "first")
    shelf.catalog.write(_into_the_future)
    shelf.catalog.write(recent.add, "second")
    assert shelf.catalog.read(recent.recent) == ["second", "first"]


def _into_the_future(db: apsw.Connection) -> None:
    db.execute("UPDATE recent_query SET used = used + 1000000000")
