"""Names that are litter or in passing, and how much of it is kept."""

from __future__ import annotations

import errno
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from havenfs.views.uploads import loose as module
from havenfs.views.uploads.litter import is_litter, is_passing
from havenfs.views.uploads.loose import Looseness

if TYPE_CHECKING:
    from collections.abc import Iterator

LITTER = [
    "._a.jpg",
    ".DS_Store",
    "Thumbs.db",
    "thumbs.DB",
    "desktop.ini",
    "~$a.docx",
    ".~lock.a.odt#",
    ".Trash-1000",
]
PASSING = [
    ".a.jpg.Xy12zZ",
    "a.jpg.part",
    "x.tmp",
    ".a.swp",
    "a.jpg~",
    "4913",
    "a.crdownload",
    ".notes",
    "a.pdf.sb-1a2b3c4d-Ab12Cd",
]
PLAIN = [
    "a.jpg",
    "Thumbs.db.jpg",
    "desktop.jpg",
    "a.tmp.jpg",
    "~a.jpg",
    "part.jpg",
    "49134",
    "IMG_0001~k7f3.jpg",
    "README.txt",
]


@pytest.fixture
def loose() -> Iterator[Looseness]:
    made = Looseness()
    yield made
    made.close()


@pytest.mark.parametrize("name", LITTER)
def test_litter_is_told_by_its_name(name: str) -> None:
    assert is_litter(name.encode())
    assert is_passing(name.encode())


@pytest.mark.parametrize("name", PASSING)
def test_what_waits_for_its_name_is_told_by_the_one_it_has(name: str) -> None:
    assert is_passing(name.encode())
    assert not is_litter(name.encode())


@pytest.mark.parametrize("name", PLAIN)
def test_what_people_call_their_files_is_neither(name: str) -> None:
    assert not is_passing(name.encode())


def test_the_oldest_litter_goes_when_there_is_too_much(
    loose: Looseness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    for number in range(30):
        loose.litter("album", b"._%d" % number, None, 0o644, nullcontext())
    assert list(loose.within("album")) == [b"._%d" % number for number in range(20, 30)]
    kept = loose.named("album", b"._29")
    assert kept is not None
    assert os.listdir(kept.source.root + b"/" + os.path.dirname(kept.path)) != []


def test_litter_has_little_room_and_what_is_open_stays(
    loose: Looseness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOM", 1000)
    monkeypatch.setattr(module, "LARGEST", 400)
    pieces = [loose.litter("album", b"._%d" % n, None, 0o644, nullcontext()) for n in range(4)]
    for piece in pieces[:2]:
        piece.opens = 1
        loose.grow(piece.source, piece.path, 400)
    loose.grow(pieces[2].source, pieces[2].path, 150)
    with pytest.raises(OSError, match="too large") as caught:
        loose.grow(pieces[3].source, pieces[3].path, 401)
    assert caught.value.errno == errno.EFBIG
    loose.grow(pieces[3].source, pieces[3].path, 199)
    assert list(loose.within("album")) == [b"._0", b"._1", b"._3"]
    for _ in range(2):  # trying again makes no room
        with pytest.raises(OSError, match="space") as caught:
            loose.grow(pieces[3].source, pieces[3].path, 300)
        assert caught.value.errno == errno.ENOSPC


def test_all_of_it_is_gone_with_the_mount() -> None:
    loose = Looseness()
    piece = loose.litter("album", b"._a", None, 0o644, nullcontext())
    assert os.path.isdir(piece.source.root)
    loose.close()
    assert not os.path.exists(piece.source.root)
    assert loose.within("album") == {}
