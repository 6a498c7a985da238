"""Stacks: what belongs together is one thing in the views, whichever way it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from havenfs.catalog import browse, changes, stacks
from havenfs.catalog.browse import ALL_FILES, Condition
from havenfs.entities import Role
from havenfs.views import affected

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.entities import AssetId

RAW = {"mime": "image/x-canon-cr2", "raw": 1}
FILM = {"kind": "video", "mime": "video/quicktime", "duration_ms": 2_900}
CAMERA = {"camera": "Canon EOS R5"}


def shown(shelf: Any, *conditions: Condition) -> list[str]:
    return sorted(asset.name for asset in shelf.catalog.read(browse.assets, conditions))


def roles(shelf: Any, asset_id: AssetId) -> dict[str, Role]:
    return {mate.name: mate.role for mate in shelf.catalog.read(stacks.of, asset_id)}


def rows(shelf: Any, statement: str) -> list[Any]:
    def ask(db: Any) -> list[Any]:
        return db.execute(statement).fetchall()

    return shelf.catalog.write(ask)


def rebuild(db: Any) -> None:
    db.execute("UPDATE asset SET primary_id = NULL, role = NULL, with_raw = 0, with_film = 0")
    db.execute("INSERT OR IGNORE INTO loose SELECT id FROM asset")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_raw_file_hides_behind_its_jpeg_whichever_comes_first(shelf: Any, order: tuple[int, int]):
    files: list[tuple[str, dict[str, Any]]] = [("a/IMG_1.CR2", RAW), ("a/IMG_1.JPG", {})]
    ids = [shelf.add(files[at][0], **files[at][1]) for at in order]
    assert shown(shelf) == ["IMG_1.JPG"]
    assert shown(shelf, Condition("raw")) == ["IMG_1.JPG"]
    assert shown(shelf, Condition(ALL_FILES)) == ["IMG_1.CR2", "IMG_1.JPG"]
    assert roles(shelf, ids[order.index(1)]) == {"IMG_1.CR2": Role.RAW}
    assert roles(shelf, ids[order.index(0)]) == {"IMG_1.JPG": Role.PRIMARY}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/IMG_1.JPG", "b/IMG_1.CR2"),  # another folder
        ("a/IMG_1.JPG", "a/IMG_12.CR2"),
        ("a/IMG_1.JPG", "a/IMG_1(1).CR2"),  # another picture of that name
        ("a/IMG_1.JPG", "a/IMG_1/IMG_1.CR2"),
        ("IMG_1.JPG", "IMG_1-2.CR2"),
    ],
)
def test_what_only_looks_alike_stays_apart(shelf: Any, first: str, second: str):
    shelf.add(first)
    shelf.add(second, **RAW)
    assert len(shown(shelf)) == 2


def test_two_finished_pictures_of_one_name_stay_apart(shelf: Any):
    shelf.add("a/plan.jpg")
    shelf.add("a/plan.png", mime="image/png")
    shelf.add("a/plan.pdf", kind="document", mime="application/pdf")
    assert len(shown(shelf)) == 3


def test_a_photo_and_its_short_film_are_a_live_photo(shelf: Any):
    photo = shelf.add("a/IMG_7.HEIC", mime="image/heic")
    film = shelf.add("a/IMG_7.MOV", **FILM)
    assert shown(shelf, Condition("live")) == shown(shelf) == ["IMG_7.HEIC"]
    assert shown(shelf, Condition("video")) == []
    assert roles(shelf, photo) == {"IMG_7.MOV": Role.FILM}
    shelf.put(film, duration_ms=90_000)  # a film of its own that happens to have this name
    assert shown(shelf) == ["IMG_7.HEIC", "IMG_7.MOV"]
    assert shown(shelf, Condition("live")) == []


def test_one_content_identifier_ties_and_two_part(shelf: Any):
    shelf.add("a/one.HEIC", content_id="A")
    shelf.add("b/two.MOV", **FILM, content_id="A")
    assert shown(shelf) == ["one.HEIC"]
    shelf.add("a/IMG_7.HEIC", content_id="B")
    shelf.add("a/IMG_7.MOV", **FILM, content_id="C")
    assert shown(shelf) == ["IMG_7.HEIC", "IMG_7.MOV", "one.HEIC"]


@pytest.mark.parametrize(
    ("original", "edited"),
    [
        ("IMG_1234.JPG", "IMG_E1234.JPG"),
        ("IMG_1234.HEIC", "IMG_E1234.JPG"),
        ("trip.jpg", "trip-edited.jpg"),
        ("trip(1).jpg", "trip-edited(1).jpg"),
        ("trip.jpg", "trip-bearbeitet.jpg"),
    ],
)
def test_an_edited_copy_stands_for_its_original(shelf: Any, original: str, edited: str):
    shelf.add(f"x/{original}")
    asset = shelf.add(f"x/{edited}")
    assert shown(shelf) == [edited]
    assert roles(shelf, asset) == {original: Role.ORIGINAL}


def test_all_that_an_iphone_writes_about_one_moment_is_one_thing(shelf: Any):
    shelf.add("x/IMG_1234.HEIC", mime="image/heic")
    shelf.add("x/IMG_1234.MOV", **FILM)
    edited = shelf.add("x/IMG_E1234.JPG")
    shelf.add("x/IMG_E1234.MOV", **FILM)
    assert shown(shelf) == ["IMG_E1234.JPG"]
    assert roles(shelf, edited) == {
        "IMG_1234.HEIC": Role.ORIGINAL,
        "IMG_1234.MOV": Role.FILM,
        "IMG_E1234.MOV": Role.FILM,
    }


def test_a_burst_shows_its_cover(shelf: Any):
    shelf.add("IMG_20190714_101500_BURST001.jpg")
    shelf.add("IMG_20190714_101500_BURST003_COVER.jpg")
    shelf.add("IMG_20190714_101500_BURST002.jpg")
    shelf.add("00000IMG_00000_BURST20180103170020000.jpg")
    shelf.add("00002IMG_00002_BURST20180103170020000_COVER.jpg")
    shelf.add("one.heic", burst_id="X")
    shelf.add("two.heic", burst_id="X")
    assert shown(shelf) == [
        "00002IMG_00002_BURST20180103170020000_COVER.jpg",
        "IMG_20190714_101500_BURST003_COVER.jpg",
        "one.heic",
    ]


def test_pictures_in_quick_succession_are_a_burst_and_a_series_is_not(shelf: Any):
    for number, second in enumerate((1, 1, 1, 2, 2, 5, 6, 7, 8), 9):
        shelf.add(f"DSC_{number:04}.JPG", taken=f"2020-01-01T00:00:{second:02}", **CAMERA)
    assert shown(shelf) == ["DSC_0009.JPG", *(f"DSC_{number:04}.JPG" for number in range(14, 18))]
    shelf.add("DSC_0100.JPG", taken="2020-01-01T00:01:00", **CAMERA)
    shelf.add("DSC_0101.JPG", taken="2020-01-01T00:01:00", **CAMERA)
    assert "DSC_0101.JPG" in shown(shelf)  # two are no burst
    shelf.add("DSC_0102.JPG", taken="2020-01-01T00:01:00", camera="another one")
    assert "DSC_0101.JPG" in shown(shelf)


def test_a_burst_of_raw_pairs_is_one_thing(shelf: Any):
    for number in range(4):
        for extension, kind in (("JPG", {}), ("NEF", RAW)):
            shelf.add(f"DSC_{number:04}.{extension}", taken="2020-01-01T00:00:00", **CAMERA, **kind)
    assert shown(shelf) == ["DSC_0000.JPG"]
    assert len(shown(shelf, Condition(ALL_FILES))) == 8


def test_a_mate_takes_the_place_of_a_primary_that_goes(shelf: Any):
    raw = shelf.add("IMG_1.CR2", **RAW)
    jpeg = shelf.add("IMG_1.JPG")
    start = shelf.catalog.read(changes.generation)
    shelf.remove(jpeg)
    assert shown(shelf) == ["IMG_1.CR2"]
    assert roles(shelf, raw) == {}
    found = shelf.catalog.read(changes.since, start)
    touched = affected(shelf.catalog, found)
    raws = {(name.name, name.gone, name.new) for name in touched if name.folder == "types/raw"}
    assert raws == {(b"IMG_1.JPG", True, False), (b"IMG_1.CR2", False, True)}


def test_what_stands_before_all_files_is_asked_of_stacks_and_what_follows_of_files(shelf: Any):
    shelf.add("IMG_1.CR2", **RAW)  # its date has not been read
    shelf.add("IMG_1.JPG", taken="2019-07-14T10:00:00")
    shelf.add("IMG_2.JPG", taken="2018-07-14T10:00:00")
    year, everything = Condition("year", 2019), Condition(ALL_FILES)
    assert shown(shelf, year) == ["IMG_1.JPG"]
    assert shown(shelf, year, everything) == ["IMG_1.CR2", "IMG_1.JPG"]
    assert shown(shelf, everything, year) == ["IMG_1.JPG"]
    for conditions in (
        [year, everything],
        [everything, year],
        [everything],
        [everything, everything],
    ):
        listed = shelf.catalog.read(browse.assets, conditions)
        ids = shelf.catalog.read(browse.ids, conditions)
        assert list(ids) == [asset.id for asset in listed]
        assert set(shelf.catalog.read(browse.those, conditions, ids)) == set(ids)
        assert all(shelf.catalog.read(browse.outlines, conditions, ids))
        assert shelf.catalog.read(browse.count, conditions) == len(listed)
        for asset in listed:
            assert shelf.catalog.read(browse.asset, conditions, asset.name) == asset
    assert shelf.catalog.read(browse.name_of, [year, everything], "img_2.jpg") is None


def test_nothing_is_left_loose_and_a_quiet_write_changes_nothing(shelf: Any):
    shelf.add("IMG_1.CR2", **RAW)
    shelf.add("IMG_1.JPG")
    start = shelf.catalog.read(changes.generation)
    shelf.catalog.write(rebuild)  # everything at once
    rows(shelf, "INSERT INTO loose SELECT id FROM asset")
    moved = shelf.catalog.read(changes.since, start)
    assert len(moved) == 4  # the rebuilding took the stack apart and made it again
    assert rows(shelf, "SELECT * FROM loose") == []


NAMES = st.sampled_from(
    [
        f"{folder}{stem}.{extension}"
        for folder in ("", "d/")
        for stem in ("IMG_0001", "IMG_0002", "IMG_0003", "IMG_E0001", "IMG_0001-edited", "IMG_0001(1)", "IMG_2_BURST01", "IMG_2_BURST02_COVER")
        for extension in ("JPG", "CR2", "MOV")
    ]
)  # fmt: skip
EVENTS = st.lists(
    st.tuples(st.sampled_from(["add", "hide", "rename", "date", "tie"]), NAMES, NAMES), max_size=25
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS)
def test_stacks_kept_up_are_those_made_from_nothing(
    shelf: Any, tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, str, str]]
):
    shelf = type(shelf)(tmp_path_factory.mktemp("stacks"))
    for what, name, other in events:
        _play(shelf, what, name, other)
    columns = "SELECT id, primary_id, role, with_raw, with_film FROM asset ORDER BY id"
    kept = rows(shelf, columns)
    shelf.catalog.write(rebuild)
    made = rows(shelf, columns)
    shelf.catalog.close()
    assert kept == made


def _play(shelf: Any, what: str, name: str, other: str) -> None:
    def act(db: Any) -> None:
        row = db.execute(
            "SELECT id, asset_id FROM file WHERE path = ?", (name.encode(),)
        ).fetchone()
        if row is None:
            return
        free = db.execute("SELECT 1 FROM file WHERE path = ?", (other.encode(),)).fetchone() is None
        match what:
            case "hide":
                db.execute("UPDATE file SET asset_id = NULL WHERE id = ?", (row[0],))
                db.execute("UPDATE asset SET file_id = NULL WHERE id = ?", (row[1],))
                db.execute("DELETE FROM file WHERE id = ?", (row[0],))
            case "rename" if free:
                db.execute("UPDATE file SET path = ? WHERE id = ?", (other.encode(), row[0]))
            case "date":
                db.execute(
                    "UPDATE asset SET taken_local = ?, taken_source = 'exif', camera = 'C' WHERE id = ?",
                    (len(other), row[1]),
                )
            case "tie":
                db.execute("UPDATE asset SET content_id = ? WHERE id = ?", (other[-8:], row[1]))
            case _:
                pass

    known = rows(shelf, f"SELECT 1 FROM file WHERE path = CAST('{name}' AS BLOB)")
    if what == "add" and not known:
        extra = {"JPG": {}, "CR2": RAW, "MOV": FILM}[name[-3:]]
        path: Path = shelf.root / name
        path.parent.mkdir(exist_ok=True)
        shelf.add(name, data=str(shelf.catalog.read(changes.generation)).encode(), **extra)
    elif what != "add":
        shelf.catalog.write(act)
