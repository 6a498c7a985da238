"""Searching a library whose looks are invented but behave like real ones: what is found, in which order, and why."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from havenfs.catalog import vectors
from havenfs.errors import InvalidQuery
from havenfs.query import parse
from havenfs.retrieval.search import NO_PICTURES, NOT_YET, Searcher


def test_a_word_finds_the_pictures_that_show_it_and_no_others(gallery: Any) -> None:
    for word in ("dog", "cat", "beach", "snow"):
        found = set(gallery.ids(word))
        assert len(found & gallery.showing(word)) >= 0.9 * len(gallery.showing(word))
        assert len(found & gallery.showing(word)) >= 0.8 * len(found)


def test_a_phrase_finds_what_shows_all_of_it_first(gallery: Any) -> None:
    both = gallery.showing("dog", "beach")
    assert set(gallery.ids("dog on the beach")[: len(both)]) == both


@pytest.mark.parametrize(
    "absent", ["zebra", "violin", "submarine", "elephant in a jungle", "qwrtz", "wedding dress"]
)
def test_what_is_not_there_is_answered_with_nothing(gallery: Any, absent: str) -> None:
    assert len(gallery.ids(absent)) <= 1  # one in a hundred of random looks passes 2.5 spreads


def test_each_hit_says_why(gallery: Any) -> None:
    receipt = gallery.add("scan.jpg", "paper", text="Dog food 12.99 EUR")
    hits = {hit.asset_id: hit.reasons for hit in gallery.searcher.search("dog").hits}
    assert hits[receipt] == ("text: Dog food 12.99 EUR",)
    assert all(why == ("looks like 'dog'",) for i, why in hits.items() if i != receipt)


def test_an_exact_text_hit_is_kept_however_the_picture_looks(gallery: Any) -> None:
    receipt = gallery.add("scan.jpg", "paper", text="one zebra crossing")
    assert gallery.ids("zebra")[0] == receipt


def test_scores_fall_from_one_and_the_order_is_always_the_same(gallery: Any) -> None:
    first = gallery.searcher.search("dog OR snow")
    scores = [hit.score for hit in first.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    other = Searcher(gallery.catalog, gallery.eye)
    assert other.search("dog OR snow") == first


def test_a_place_among_the_words_filters_and_says_so(gallery: Any) -> None:
    dogs, rome = set(gallery.ids("dog")), set(gallery.ids("place=Rome"))
    hits = gallery.searcher.search("dog in rome").hits
    assert {h.asset_id for h in hits} == dogs & rome
    assert all(h.reasons == ("looks like 'dog'", "in Rome") for h in hits)
    alone = gallery.searcher.search("rome", limit=500).hits
    assert {h.asset_id for h in alone} == rome
    assert all("in Rome" in h.reasons for h in alone)


def test_a_date_among_the_words_filters_and_says_so(gallery: Any) -> None:
    hits = gallery.searcher.search("dog 2016").hits
    assert {h.asset_id for h in hits} == set(gallery.ids("dog")) & set(
        gallery.ids("year=2016", limit=500)
    )
    assert all("date: 2016" in h.reasons for h in hits)


def test_filters_do_not_lower_the_bar_for_pictures(gallery: Any) -> None:
    gallery.catalog.write(_only_cats_in_2001, gallery.showing("cat"))
    assert set(gallery.ids("dog year=2001")) <= set(gallery.ids("dog"))
    assert set(gallery.ids("cat year=2001")) == set(gallery.ids("cat")) & gallery.showing("cat")


def _only_cats_in_2001(db: Any, ids: set[int]) -> None:
    for asset_id in ids:
        db.execute("UPDATE asset SET taken_local = 978350400 WHERE id = ?", (asset_id,))


def test_not_is_the_rest_of_the_library(gallery: Any) -> None:
    dogs, rest = set(gallery.ids("dog")), gallery.ids("-dog", limit=1000)
    assert dogs & set(rest) == set()
    assert len(dogs) + len(rest) == len(gallery.truth)
    assert set(gallery.ids("beach -dog")) == set(gallery.ids("beach")) - dogs


def test_or_joins_words_and_filters(gallery: Any) -> None:
    either = set(gallery.ids("dog OR (cat city=Munich) OR name=IMG_0299", limit=1000))
    expected = set(gallery.ids("dog")) | (
        set(gallery.ids("cat")) & set(gallery.ids("city=Munich", limit=500))
    )
    assert either == expected | set(gallery.ids("name=IMG_0299"))


def test_the_answer_has_200_hits_unless_the_query_says_otherwise(gallery: Any) -> None:
    assert len(gallery.ids("type=photo")) == 200
    assert len(gallery.ids("type=photo limit=250")) == 250
    assert len(gallery.ids("type=photo limit=3", limit=10)) == 3
    assert len(gallery.ids("dog", limit=2)) == 2


def test_an_answer_can_be_sorted_and_cut_by_score(gallery: Any) -> None:
    dogs = gallery.ids("dog")
    by_name = gallery.ids("dog sort=name")
    assert set(by_name) == set(dogs)
    assert by_name == sorted(dogs)
    assert gallery.ids("dog sort=-name") == by_name[::-1]
    assert gallery.ids("dog sort=-score") == dogs[::-1]
    cut = gallery.searcher.search("dog score=0.95..").hits
    assert 0 < len(cut) < len(dogs)
    assert all(hit.score >= 0.95 for hit in cut)


def test_like_finds_what_looks_the_same_itself_first(gallery: Any) -> None:
    some = sorted(gallery.showing("dog", "snow"))
    found = gallery.ids(f"like=img_{some[0] - 1:04}.jpg")
    assert found[0] == some[0]
    assert set(found[1:6]) <= gallery.showing("dog", "snow")
    assert gallery.ids("like=nothing.jpg") == []


def test_without_an_encoder_words_and_filters_still_answer(gallery: Any) -> None:
    receipt = gallery.add("scan.jpg", "paper", text="dog food")
    gallery.eye.open = False
    answer = gallery.searcher.search("dog")
    assert [h.asset_id for h in answer.hits] == [receipt]
    assert answer.notes == (NO_PICTURES,)
    assert Searcher(gallery.catalog, None).search("dog").notes == (NO_PICTURES,)
    assert gallery.searcher.search("type=photo").notes == ()
    gallery.eye.open = True
    assert len(gallery.ids("dog")) > 10


def test_a_model_that_has_seen_nothing_yet_is_said(shelf: Any, gallery: Any) -> None:
    gallery.eye.model = "new@000000000000"
    assert gallery.searcher.search("dog").notes == (NOT_YET,)


def test_an_answer_is_remembered_until_the_library_changes(gallery: Any) -> None:
    first = gallery.searcher.search("dog")
    assert gallery.searcher.search("  DOG ".lower()) is first
    asked = len(gallery.eye.asked)
    new = gallery.add("new.jpg", "dog")
    second = gallery.searcher.search("dog")
    assert second.generation > first.generation
    assert new in {hit.asset_id for hit in second.hits}
    assert len(gallery.eye.asked) == asked + 1


def test_a_parsed_query_and_its_text_are_the_same_search(gallery: Any) -> None:
    assert gallery.searcher.search(parse("dog city=Rome")) is gallery.searcher.search(
        "dog city=Rome"
    )


def test_a_text_that_cannot_be_read_is_refused(gallery: Any) -> None:
    with pytest.raises(InvalidQuery):
        gallery.searcher.search("persn=Alice")


def test_pictures_that_are_gone_are_not_found(gallery: Any) -> None:
    gone = gallery.ids("dog")[0]
    gallery.shelf.remove(gone)
    assert gone not in gallery.ids("dog")


def test_many_threads_get_the_same_answers(gallery: Any) -> None:
    texts = ["dog", "cat beach", "rome", "-snow", "2017 car"] * 6
    expected = {text: gallery.ids(text) for text in texts}
    fresh = Searcher(gallery.catalog, gallery.eye)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(fresh.search, texts))
    assert [[h.asset_id for h in a.hits] for a in answers] == [expected[text] for text in texts]


def test_vectors_of_a_removed_library_answer_nothing(gallery: Any) -> None:
    gallery.catalog.write(_unplug)
    assert (
        gallery.catalog.read(vectors.nearest, gallery.eye.model, gallery.eye.encode("dog")[1], 10)
        == []
    )
    assert gallery.ids("dog") == []


def _unplug(db: Any) -> None:
    db.execute("UPDATE source SET present = 0")
