"""Names: legal everywhere, readable, reversible, unique."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from havenfs.catalog import Catalog, contents, files, names, sources
from havenfs.config import SourceConfig
from havenfs.entities import Identity, Kind, SourceId

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.catalog.catalog import Connection

FORBIDDEN = set('\\/:*?"<>|') | {chr(c) for c in range(0x20)} | {"\x7f"}
TWINS = {names.legal(c) for c in FORBIDDEN} | {"．", "␠"}
DEVICES = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))}

texts = st.text(min_size=0, max_size=400) | st.text(
    alphabet='ab. :?*"<>|/\\\x00\x1f~CONnulé́👍🏽👨‍👩', max_size=300
)


@settings(deadline=None)  # a busy machine is no failure
@given(texts)
def test_every_text_becomes_a_name_that_windows_and_posix_accept(text: str) -> None:
    name = names.legal(text)
    assert 1 <= len(name.encode("utf-8")) <= 255
    assert not FORBIDDEN & set(name)
    assert name[-1] not in ". "
    assert name.split(".")[0].rstrip(" ").casefold() not in DEVICES
    assert name not in (".", "..")


@settings(deadline=None)  # a busy machine is no failure
@given(texts)
def test_a_legal_name_stays_as_it_is(text: str) -> None:
    name = names.legal(text)
    assert names.legal(name) == name
    assert unicodedata.is_normalized("NFC", name)


@settings(deadline=None)  # a busy machine is no failure
@given(texts.filter(lambda t: t and not TWINS & set(unicodedata.normalize("NFC", t))))
def test_a_name_that_fits_is_kept_whole(text: str) -> None:
    if names.fits(text) and not "！" <= text[0] <= "～":
        assert names.original(names.legal(text)) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("x" * 255, True),
        ("x" * 256, False),
        ("x" * 250 + ":a", True),
        ("x" * 253 + ":a", False),
        ("x" * 254 + ".", False),
        ("x" * 252 + ".", True),
        ("con." + "x" * 249, True),
        ("con." + "x" * 250, False),
        ("e\u0301" * 127, True),
        ("é" * 128, False),
    ],
)
def test_what_fits_is_told_by_how_it_is_shown(name: str, fits: bool) -> None:
    assert names.fits(name) is fits
    assert len(names.legal(name).encode()) <= 255


@settings(deadline=None)  # a busy machine is no failure
@given(texts.filter(lambda t: t and not TWINS & set(unicodedata.normalize("NFC", t))))
def test_what_was_replaced_can_be_read_back(text: str) -> None:
    wanted = unicodedata.normalize("NFC", text)
    name = names.legal(text)
    # A cut name lost its end, and a name that looks like a full-width device name is the one ambiguity of first letters.
    if (
        len(wanted.translate(names._LEGAL).encode("utf-8", "replace")) <= 250
        and not "！" <= wanted[0] <= "～"
    ):
        assert names.original(name) == wanted


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("what?.jpg", "what？.jpg"),
        ("a:b.jpg", "a：b.jpg"),
        ("tab\there", "tab␉here"),
        ("ends.", "ends．"),
        ("ends ", "ends␠"),
        ("NUL", "ＮUL"),
        ("con.txt", "ｃon.txt"),
        ("concert.txt", "concert.txt"),
        ("cafe\u0301.jpg", "café.jpg"),
        ("..", ".．"),
        ("", "unnamed"),
    ],
)
def test_examples(written: str, shown: str) -> None:
    assert names.legal(written) == shown


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"caf\xc3\xa9.jpg", "café.jpg"),
        (b"caf\xe9.jpg", "café.jpg"),
        ("日本".encode() + b"\xe9.jpg", "日本\ufffd.jpg"),
    ],
)
def test_names_that_are_not_utf8_are_read_sensibly(raw: bytes, text: str) -> None:
    assert names.text(raw) == text


def test_a_long_name_keeps_its_extension_and_whole_graphemes() -> None:
    family = "👨‍👩‍👧"
    name = names.legal(family * 30 + ".jpeg")
    stem = name.removesuffix(".jpeg")
    assert stem == family * (len(stem) // len(family))
    assert 230 < len(name.encode()) <= 255
    assert names.legal("x" + "e\u0323\u0302" * 200 + ".heic").endswith(".heic")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    catalog = Catalog(tmp_path / "catalog.db")
    catalog.write(sources.configure, [SourceConfig(name="photos", root=tmp_path)])
    return catalog


def add(catalog: Catalog, path: bytes, content: bytes) -> str:
    def insert(db: Connection) -> str:
        files.add(db, SourceId(1), [files.Seen(path=path, size=1, mtime_ns=0, device=1, inode=1)])
        file = files.by_path(db, SourceId(1), path)
        assert file is not None
        identity = Identity(hash=content, size=1, mime="image/jpeg", kind=Kind.PHOTO)
        asset_id = contents.add(db, file, identity, Kind.PHOTO)
        row = db.execute("SELECT name FROM asset WHERE id = ?", (asset_id,)).fetchone()
        assert row is not None
        return str(row[0])

    return catalog.write(insert)


def test_the_first_keeps_its_name_and_later_ones_show_their_content(catalog: Catalog) -> None:
    assert add(catalog, b"a/IMG_1.jpg", bytes(32)) == "IMG_1.jpg"
    second = add(catalog, b"b/IMG_1.jpg", bytes([255] * 32))
    assert second == "IMG_1~7777.jpg"
    # another content whose first characters are the same needs one more of them
    third = add(catalog, b"c/img_1.JPG", bytes([255, 255, 240] + [0] * 29))
    assert (
        third == "img_1~77777.JPG" or third == "img_1~7777a.JPG" or third.startswith("img_1~7777")
    )
    assert names.key(third) not in (names.key(second), names.key("IMG_1.jpg"))


def test_a_long_name_that_is_taken_still_fits(catalog: Catalog) -> None:
    long = "é" * 120 + ".jpg"
    first = add(catalog, b"a/" + long.encode(), bytes(32))
    second = add(catalog, b"b/" + long.encode(), bytes([7] * 32))
    assert first == long
    assert second != first
    assert len(second.encode()) <= 255
    assert second.endswith(".jpg")
