"""The truth file: it survives the disk, and its answers follow from what is drawn and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenfs.errors import ConfigError, NotFound
from havenfs.sample import truth
from havenfs.sample.truth import Known, Stamp, Truth
from havenfs.sample.vocabulary import WORDS

if TYPE_CHECKING:
    from pathlib import Path


def test_the_truth_survives_the_disk(drawn: Truth, directory: Path) -> None:
    assert truth.load(directory) == drawn


def test_names_that_are_not_utf8_survive_the_disk(tmp_path: Path) -> None:
    odd = Truth(
        stamp=Stamp(photos=1, seed=1), finished=True, files=("\udcff.jpg",), assets={"\udcff.jpg": Known(kind="photo")},
        hard={"\udcff.jpg": "not UTF-8"}, queries={"x": ("\udcff.jpg",)}, absent=("y",),
    )  # fmt: skip
    truth.save(odd, tmp_path)
    assert truth.load(tmp_path) == odd


def test_a_directory_without_or_with_a_damaged_truth_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no sample library"):
        truth.load(tmp_path)
    (tmp_path / truth.FILE_NAME).write_text('{"stamp": {}}')
    with pytest.raises(ConfigError, match="damaged"):
        truth.load(tmp_path)


def test_thirty_queries_have_answers_and_fifteen_have_none(drawn: Truth) -> None:
    assert len(drawn.queries) >= 30
    assert len(drawn.absent) >= 15
    assert all(set(paths) <= set(drawn.assets) for paths in drawn.queries.values())
    assert all(drawn.queries.values())
    words = {word for query in drawn.absent for word in query.lower().split()}
    assert not words - {"a", "the", "in", "over", "wedding"} & WORDS


def test_a_word_is_true_of_what_shows_it_and_of_what_it_stands_on() -> None:
    assets = {
        "shown": Known(kind="photo", labels=("car", "street", "red"), facts=("red car",)),
        "other": Known(
            kind="photo", labels=("car", "red", "ball", "beach"), facts=("red ball", "blue car")
        ),
        "written": Known(kind="document", text="The invoice for the CAR.\nRed tape"),
        "placed": Known(
            kind="photo", city="Rome", country="Italy", taken="2019-07-14T10:00:00+02:00"
        ),
    }
    assert truth.answers("car", assets) == ("shown", "other", "written")
    assert truth.answers("red car", assets) == ("shown", "written")
    assert truth.answers("car on a beach", assets) == ("other",)
    assert truth.answers("invoice", assets) == ("written",)
    assert (
        truth.answers("italy", assets)
        == truth.answers("Rome", assets)
        == truth.answers("2019", assets)
        == ("placed",)
    )
    assert truth.answers("zebra", assets) == ()


def test_faces_lie_in_the_picture_and_belong_to_the_people_on_it(drawn: Truth) -> None:
    populated = [known for known in drawn.assets.values() if known.faces]
    assert populated
    for known in populated:
        assert tuple(face.name for face in known.faces) == known.people
        for face in known.faces:
            left, top, right, bottom = face.box
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1
