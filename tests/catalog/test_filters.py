"""What each key of the search language selects from a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import assets, filters, words
from havenfs.decisions import Keeper, new_uid, values
from havenfs.query import TERMS, And, Field, parse

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import AssetId


@pytest.fixture
def library(household: Any) -> Any:
    """The household, with what its files do not say."""
    household.add(
        "Trip/Zürich/DSC_100.tiff",
        taken="2018-08-02T23:59:59",
        place=("Switzerland", "Zurich", "Zürich"),
        latitude=47.37,
        longitude=8.54,
        camera="NIKON D90",
        lens="35mm f/1.8",
        iso=200,
        aperture=2.8,
        focal_mm=35.0,
        width=4288,
        height=2848,
    )
    household.add(
        "Trip/100%_sure.mov", kind="video", duration_ms=90_400, taken="2018-12-31T00:00:00"
    )
    return household


def found(library: Any, text: str) -> set[str]:
    """Names of the assets that pass all fields of *text*."""
    node = parse(text).where
    fields = node.items if isinstance(node, And) else (node,)

    def run(db: apsw.Connection) -> set[str]:
        tests = [filters.compile_field(db, f) for f in fields if isinstance(f, Field)]
        assert len(tests) == len(fields)
        ids = filters.find(db, filters.all_of(tests), limit=100, order="name")
        assert filters.keep(db, filters.all_of(tests), ids) == set(ids)
        return {_name(db, i) for i in ids}

    return library.catalog.read(run)


def _name(db: apsw.Connection, asset_id: AssetId) -> str:
    row: Any = db.execute("SELECT name FROM asset WHERE id = ?", (asset_id,)).fetchone()
    return row[0].split("~")[0]


ROME = {"IMG_0001.jpg", "IMG_0002.jpg"}
ALL = 11


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("country=italy", {*ROME, "clip.mp4"}),
        ("place=ROME", ROME),
        ("place=lazio", ROME),
        ("city=Rome,Munich", {*ROME, "IMG_0001"}),
        ("city=Italy", set()),
        ("city=zurich", {"DSC_100.tiff"}),
        ("place=Zürich", {"DSC_100.tiff"}),
        ("city=any country=Italy", ROME),
        ("city=none country=Italy", {"clip.mp4"}),
        ("place=Atlantis", set()),
        ("place=none", {"scan.jpg", "invoice.pdf", "screen.png", "100%_sure.mov"}),
        ("near=41.91;12.51;5", {"IMG_0001.jpg"}),
        ("near=41.99;12.5;5", set()),
        ("near=47.3;8.5", {"DSC_100.tiff"}),
        ("type=video", {"clip.mp4", "100%_sure.mov"}),
        ("type=document,screenshot", {"invoice.pdf", "screen.png"}),
        ("type=raw", {"scan.jpg"}),
        ("type=live", {"a.jpg"}),
        ("date=2019-07", ROME),
        ("date=2018-08-02", {"DSC_100.tiff"}),
        ("on=2018-08-02", {"DSC_100.tiff"}),
        ("date=2018-08-03..2018-12-30", set()),
        ("date=..2018", {"DSC_100.tiff", "100%_sure.mov"}),
        ("before=2018-12-31", {"DSC_100.tiff"}),
        ("after=2019", {"clip.mp4", "screen.png"}),
        ("date=none", {"scan.jpg", "invoice.pdf", "a.jpg", "b.jpg"}),
        ("year=2018..2018", {"DSC_100.tiff", "100%_sure.mov"}),
        ("month=dec", {"IMG_0001", "100%_sure.mov"}),
        ("year=2019 month=july", ROME),
        ("camera=nikon", {"DSC_100.tiff"}),
        ("camera=any", {"DSC_100.tiff", "IMG_0001.jpg"}),
        ("lens=35mm", {"DSC_100.tiff"}),
        ("iso=100..400", {"DSC_100.tiff"}),
        ("f=2.8", {"DSC_100.tiff"}),
        ("f=2.9..", set()),
        ("mm=35", {"DSC_100.tiff"}),
        ("mp=12", {"DSC_100.tiff"}),
        ("mp=13..", set()),
        ("dur=1m..", {"100%_sure.mov"}),
        ("dur=90", {"100%_sure.mov"}),
        ("rating=4..", {"IMG_0001.jpg"}),
        ("rating=0..3", set()),
        ("ext=tif", {"DSC_100.tiff"}),
        ("ext=.PDF,png", {"invoice.pdf", "screen.png"}),
        ("name=img_000", {*ROME, "IMG_0001"}),
        ("name=100%", {"100%_sure.mov"}),
        ("name=1%", set()),
        ("name=*.mp?", {"clip.mp4"}),
        ("in=rome", ROME),
        ("in=2019", {*ROME, "IMG_0001"}),
        ("in=2019/rome", ROME),
        ("in=trip/zürich", {"DSC_100.tiff"}),
        ("in=rom", set()),
        ("size=..1K", {"clip.mp4"}),
        ("text=invoice", {"invoice.pdf"}),
        ("text='a dog'", {"invoice.pdf"}),
        ("text='dog a'", set()),
        ("has=text", {"invoice.pdf"}),
        ("has=gps", {"IMG_0001.jpg", "DSC_100.tiff"}),
        ("is=raw,live", {"scan.jpg", "a.jpg"}),
        ("is=undated", {"scan.jpg", "invoice.pdf", "a.jpg", "b.jpg"}),
        ("person=Alice", set()),
        ("tag=any", set()),
        ("fav=yes", set()),
        ("has=face", set()),
    ],
)
def test_each_key_selects_what_the_manual_says(library: Any, text: str, names: set[str]) -> None:
    if text == "size=..1K":
        library.catalog.write(_resize)
    assert found(library, text) == names


def _resize(db: apsw.Connection) -> None:
    db.execute(
        "UPDATE file SET size = CASE WHEN CAST(path AS TEXT) LIKE '%clip.mp4' THEN 900 ELSE 1100 END"
    )


@pytest.mark.parametrize(
    "text", ["person=none", "tag=none", "album=none", "fav=no", "faces=none", "is=untagged"]
)
def test_nothing_is_tagged_yet(library: Any, text: str) -> None:
    assert len(library.catalog.read(_ids, text)) == ALL


@pytest.mark.parametrize(
    "text", ["camera=nikon", "rating=4..", "date=2019", "place=rome", "mp=1..", "near=0;0;1"]
)
def test_a_filter_and_its_opposite_make_the_whole_library(library: Any, text: str) -> None:
    def run(db: apsw.Connection) -> tuple[set[int], set[int]]:
        node = parse(text).where
        assert isinstance(node, Field)
        test = filters.compile_field(db, node)
        return set(filters.find(db, test, limit=99)), set(
            filters.find(db, filters.negate(test), limit=99)
        )

    yes, no = library.catalog.read(run)
    assert not yes & no
    assert len(yes | no) == ALL


def _ids(db: apsw.Connection, text: str) -> list[AssetId]:
    node = parse(text).where
    assert isinstance(node, Field)
    return filters.find(db, filters.compile_field(db, node), limit=99)


def test_copies_are_assets_with_two_files(library: Any) -> None:
    library.catalog.write(_copy)
    assert found(library, "is=dup") == {"scan.jpg"}


def _copy(db: apsw.Connection) -> None:
    db.execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash, asset_id)"
        " SELECT source_id, CAST('copy.jpg' AS BLOB), size, 1, 1, 1, 'known', hash, asset_id FROM file"
        "  WHERE path = CAST('old/scan.jpg' AS BLOB)"
    )


def test_what_is_gone_is_never_found(library: Any) -> None:
    gone = library.catalog.read(_ids, "name=scan")
    library.remove(gone[0])
    assert found(library, "name=scan") == set()
    library.catalog.write(_unplug)
    assert found(library, "place=none") == set()


def _unplug(db: apsw.Connection) -> None:
    db.execute("UPDATE source SET present = 0")


def test_each_filter_of_the_language_has_its_meaning_here() -> None:
    keys = {term.keys[0] for term in TERMS if term.keys and not term.shapes}
    assert keys - {"like"} == set(filters.TESTS)


def test_each_example_of_the_help_runs(library: Any) -> None:
    for term in TERMS:
        if term.keys and not term.shapes and term.keys[0] != "like":
            assert isinstance(found(library, term.example), set)


def test_the_names_of_places_are_known_without_accents_and_capitals(library: Any) -> None:
    names = library.catalog.read(filters.places_named)
    assert names["zurich"] in ("Zurich", "Zürich")
    assert names["united states"] == "United States"
    assert words.fold("ÉVORA") == "evora"


def test_words_in_the_text_index_are_what_text_finds(library: Any) -> None:
    asset_id = library.catalog.read(_ids, "name=scan")[0]
    library.catalog.write(words.put, asset_id, document="Große Rechnung")
    assert found(library, "text=grosse") == set()
    assert found(library, "text=GROßE") == {"scan.jpg"}


def test_albums_tags_and_favourites_are_those_that_people_gave(library: Any) -> None:
    keeper = Keeper(library.catalog, library.state.journal)
    wanted = library.catalog.read(_ids, "name=scan")
    (scan,) = [asset.hash for asset in library.catalog.read(assets.many, wanted)]
    for kind in values.Folder:
        folder = values.MakeFolder(uid=new_uid(), folder=kind, name=f"My {kind}")
        keeper.decide(folder, by="me")
        keeper.decide(values.Fill(uid=folder.uid, contents=(scan,), inside=True), by="me")
    keeper.decide(values.SetFavorite(contents=(scan,), favorite=True), by="me")
    for text in ("album='MY ALBUM'", "tag='my tag'", "fav=yes", "album=any", "tag=any"):
        assert found(library, text) == {"scan.jpg"}
    for text in ("album='my tag'", "tag='my album'"):
        assert found(library, text) == set()
    for text in ("fav=no", "album=none", "tag=none", "is=untagged"):
        assert "scan.jpg" not in found(library, text)
        assert len(library.catalog.read(_ids, text)) == ALL - 1
