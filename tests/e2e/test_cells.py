"""Every cell of the table of operations, through the real mount: what each directory answers to each gesture, and what is seen then.

A row of `TABLE` is a directory; its cells are carried out in order, so that what one makes another may use. The tests that are
named beside look deeper: `test_decisions` (albums, tags, favorites, saved), `test_people`, `test_corrections` (by-date, places),
`test_inbox`, `test_trash` (with duplicates), `test_uploads` (new bytes), `test_dissolving` (rm -r), and over SMB `samba/`.
"""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from .furnished import BILLS, COPIES, DOUBT, JPEG, LETTER, PLAIN, ROME, SCAN, SNOW, furnished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Gesture = Callable[["Today"], object]

pytestmark = pytest.mark.fuse

EPERM, EINVAL, EEXIST = errno.EPERM, errno.EINVAL, errno.EEXIST
ENOTEMPTY = errno.ENOTEMPTY
UNDATED, NOWHERE = "by-date/_undated", "places/_nowhere"
JULY, ROMA = "by-date/2019/07", "places/Italy/Rome"
BELONGS = "inbox/_suggested/photos/Letters/Bills"
ORIGINALS = "files/photos"


class Today:
    """The top of the mount, with the only day of its trash called TODAY."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def __truediv__(self, path: str) -> Path:
        if "TODAY" in path:
            days = os.listdir(self._top / "trash")
            path = path.replace("TODAY", days[0] if days else "TODAY")
        return self._top / path


class Cell(NamedTuple):
    """One gesture."""

    column: str
    gesture: Gesture
    answer: int = 0
    """An errno; 0: it is done."""
    there: str = ""
    """Paths that are there then, blank between them."""
    gone: str = ""
    """Paths that are not."""


def link(path: str, to: str) -> Gesture:
    """`cp -l` of a file into a folder, under its own name."""
    return lambda top: os.link(top / path, top / to / path.rpartition("/")[2])


def create(path: str, data: bytes = JPEG) -> Gesture:
    """`cp` of new bytes; those of one path are like no others."""
    return lambda top: (top / path).write_bytes(data + path.encode())


def link_as(path: str, to: str) -> Gesture:
    return lambda top: os.link(top / path, top / to)


def empty(path: str) -> Gesture:
    """`rm` of all that is in a folder."""
    return lambda top: [os.unlink(each) for each in (top / path).iterdir()]


def copy(path: str, to: str) -> Gesture:
    """`cp` of bytes that the library has."""
    return lambda top: shutil.copyfile(top / path, top / to / path.rpartition("/")[2])


def move(path: str, to: str) -> Gesture:
    return lambda top: os.rename(top / path, top / to)


def remove(path: str) -> Gesture:
    return lambda top: os.unlink(top / path)


def mkdir(path: str) -> Gesture:
    return lambda top: os.mkdir(top / path)


def rmdir(path: str) -> Gesture:
    return lambda top: os.rmdir(top / path)


def write(path: str) -> Gesture:
    """Open what is there, and write to it."""
    return lambda top: os.close(os.open(top / path, os.O_WRONLY))


def refusing(folder: str, a_file: str, *, lives: str = "") -> list[Cell]:
    """All cells of an answer that takes nothing; *lives*: the columns that mean something here."""
    name = a_file.rpartition("/")[2]
    cells = [
        Cell("link in", link_as(f"{UNDATED}/{SCAN}", f"{folder}/new.jpg"), EPERM),
        Cell("cp in", create(f"{folder}/new.jpg"), EPERM),
        Cell("mv in", move(f"{UNDATED}/{SCAN}", f"{folder}/new.jpg"), EPERM),
        Cell("mv in from files", move(f"{ORIGINALS}/old/{SCAN}", f"{folder}/new.jpg"), EPERM),
        Cell("rm", remove(a_file), EPERM, there=a_file),
        Cell("mkdir", mkdir(f"{folder}/new"), EPERM),
        Cell("rename", move(folder, f"{folder.rpartition('/')[0] or '.'}/renamed"), EPERM),
        Cell("rmdir", rmdir(folder), EPERM, there=folder),
        Cell("write", write(a_file), EPERM),
        Cell("mv out to files", move(a_file, f"{ORIGINALS}/{name}"), EPERM),
    ]
    return [cell for cell in cells if cell.column not in lives.split(", ")]


TABLE: dict[str, list[Cell]] = {
    "files": [
        Cell("cp in", create(f"{ORIGINALS}/f.jpg"), there=f"{ORIGINALS}/f.jpg {UNDATED}/f.jpg"),
        Cell("link in", link_as(f"{ORIGINALS}/f.jpg", f"{ORIGINALS}/g.jpg"), there=f"{ORIGINALS}/g.jpg"),
        Cell("link in from a view", link(f"{JULY}/{ROME}", ORIGINALS), EPERM),
        Cell("mkdir", mkdir(f"{ORIGINALS}/made"), there=f"{ORIGINALS}/made"),
        Cell("mv in", move(f"{ORIGINALS}/g.jpg", f"{ORIGINALS}/made/g.jpg"), there=f"{ORIGINALS}/made/g.jpg"),
        Cell("rename", move(f"{ORIGINALS}/made", f"{ORIGINALS}/done"), there=f"{ORIGINALS}/done/g.jpg", gone=f"{ORIGINALS}/made"),
        Cell("rmdir", rmdir(f"{ORIGINALS}/done"), ENOTEMPTY),
        Cell("write", write(f"{ORIGINALS}/f.jpg")),
        Cell("rm", remove(f"{ORIGINALS}/done/g.jpg"), gone=f"{ORIGINALS}/done/g.jpg"),
        Cell("rmdir", rmdir(f"{ORIGINALS}/done"), gone=f"{ORIGINALS}/done"),
        Cell("rm", remove(f"{ORIGINALS}/f.jpg"), gone=f"{ORIGINALS}/f.jpg {UNDATED}/f.jpg", there="trash/TODAY/f.jpg"),
    ],
    "inbox": [
        Cell("cp in", create("inbox/i.jpg"), there=f"inbox/i.jpg {ORIGINALS}/Inbox/i.jpg {UNDATED}/i.jpg"),
        Cell("mkdir", mkdir("inbox/card"), there=f"{ORIGINALS}/Inbox/card"),
        Cell("mv in", move("inbox/i.jpg", "inbox/card/i.jpg"), there="inbox/card/i.jpg"),
        Cell("mv in from files", move("inbox/card/i.jpg", "inbox/i.jpg"), there="inbox/i.jpg"),
        Cell("rename", move("inbox/card", "inbox/box"), there="inbox/box", gone="inbox/card"),
        Cell("write", write("inbox/i.jpg")),
        Cell("rmdir", rmdir("inbox/box"), gone="inbox/box"),
        Cell("rm", remove("inbox/i.jpg"), gone="inbox/i.jpg", there="trash/TODAY/i.jpg"),
    ],
    "inbox/_suggested": [
        *refusing("inbox/_suggested/photos", f"{BELONGS}/{BILLS[0]}", lives="rm, mv out to files"),
        *refusing(BELONGS, f"{BELONGS}/{BILLS[0]}", lives="rm, mv out to files"),
        Cell("rm", remove(f"{BELONGS}/{BILLS[0]}"), gone=f"{BELONGS}/{BILLS[0]}", there=f"inbox/{BILLS[0]}"),
        Cell("mv out to files", move(f"{BELONGS}/{BILLS[1]}", f"{ORIGINALS}/{BILLS[1]}"), there=f"{ORIGINALS}/{BILLS[1]}"),
    ],
    "inbox/_accept": [
        *(cell for cell in refusing("inbox/_accept", f"{BELONGS}/{BILLS[2]}") if cell.column not in ("rm", "write", "mv out to files")),
        Cell("mv in from the inbox", move(f"inbox/{BILLS[2]}", f"inbox/_accept/{BILLS[2]}"), EPERM),
        Cell("mv in", move(f"{BELONGS}/{BILLS[2]}", f"inbox/_accept/{BILLS[2]}"),
             there=f"{ORIGINALS}/Letters/Bills/{BILLS[2]}", gone=f"inbox/{BILLS[2]} {BELONGS}/{BILLS[2]}"),
        Cell("other bytes have the name", create(f"{ORIGINALS}/Letters/Bills/{BILLS[3]}", b"others")),
        Cell("mv in", move(f"{BELONGS}/{BILLS[3]}", f"inbox/_accept/{BILLS[3]}"), EEXIST, there=f"inbox/{BILLS[3]}"),
    ],
    "people/Name": [
        Cell("mkdir", mkdir("people/Ann"), there="people/Ann"),
        Cell("mkdir", mkdir("people/ann"), EEXIST),
        Cell("mkdir", mkdir("people/_ann"), EINVAL),
        Cell("rmdir", rmdir("people/Ann"), gone="people/Ann"),
        Cell("rename from _unnamed", move("people/_unnamed/C002", "people/Ann"), there="people/Ann/0.jpg", gone="people/_unnamed/C002"),
        Cell("link in", link(f"{UNDATED}/{PLAIN}", "people/Ann"), there=f"people/Ann/{PLAIN} {UNDATED}/{PLAIN}"),
        Cell("cp in", create("people/Ann/p.jpg"), there=f"people/Ann/p.jpg {UNDATED}/p.jpg"),
        Cell("cp in of no media", create("people/Ann/p.exe", b"MZ\0\1"), EINVAL, gone="people/Ann/p.exe"),
        Cell("mkdir", mkdir("people/Ben"), there="people/Ben"),
        Cell("mv in from a person", move("people/Ann/1.jpg", "people/Ben/1.jpg"), there="people/Ben/1.jpg", gone="people/Ann/1.jpg"),
        Cell("mv in from a view", move(f"{JULY}/{ROME}", f"people/Ben/{ROME}"), there=f"people/Ben/{ROME} {JULY}/{ROME}"),
        Cell("mv in from files", move(f"{ORIGINALS}/2019/{SNOW}", f"people/Ben/{SNOW}"), there=f"people/Ben/{SNOW} {ORIGINALS}/2019/{SNOW}"),
        Cell("rm", remove("people/Ann/2.jpg"), gone="people/Ann/2.jpg", there=f"{UNDATED}/2.jpg"),
        Cell("mkdir deeper", mkdir("people/Ann/deeper"), EPERM),
        Cell("rename", move("people/Ann", "people/Anna"), there="people/Anna/0.jpg", gone="people/Ann"),
        Cell("rename elsewhere", move("people/Anna", "albums/Anna"), EPERM),
        Cell("rmdir", rmdir("people/Anna"), ENOTEMPTY),
        Cell("write", write("people/Anna/0.jpg"), EPERM),
        Cell("rename onto a person", move("people/Ben", "people/Anna"), there=f"people/Anna/{ROME} people/Anna/0.jpg", gone="people/Ben"),
        Cell("rm of all", empty("people/Anna")),
        Cell("rmdir after that", rmdir("people/Anna"), gone="people/Anna"),
    ],
    "people/_review": [
        Cell("name", move("people/_unnamed/C001", "people/Ray"), there=f"people/_review/Ray/{DOUBT}"),
        *refusing("people/_review", f"people/_review/Ray/{DOUBT}", lives="rm"),
        *refusing("people/_review/Ray", f"people/_review/Ray/{DOUBT}", lives="rm"),
        Cell("mv out", move(f"people/_review/Ray/{DOUBT}", f"people/Ray/{DOUBT}"), there=f"people/Ray/{DOUBT}", gone="people/_review/Ray"),
        Cell("rename", move("people/Ray", "people/_review/Ray"), EPERM),
    ],
    "people/_review, no": [
        Cell("name", move("people/_unnamed/C001", "people/Ray"), there=f"people/_review/Ray/{DOUBT}"),
        Cell("rm", remove(f"people/_review/Ray/{DOUBT}"), gone=f"people/_review/Ray people/Ray/{DOUBT}", there=f"{UNDATED}/{DOUBT}"),
    ],
    "people/_ignored": [
        Cell("rename", move("people/_unnamed/C002", "people/_ignored/C002"), there="people/_ignored/C002/0.jpg", gone="people/_unnamed/C002"),
        *(cell for cell in refusing("people/_ignored/C002", "people/_ignored/C002/0.jpg", lives="rm") if cell.column != "rename"),
        Cell("rm", remove("people/_ignored/C002/0.jpg"), gone="people/_ignored/C002", there="people/_unnamed/C002/0.jpg"),
        Cell("link in", link(f"{UNDATED}/{DOUBT}", "people/_ignored"), there="people/_ignored/C001"),
        Cell("link in, nobody is in it", link(f"{UNDATED}/{PLAIN}", "people/_ignored"), EINVAL),
        Cell("cp in", create("people/_ignored/new.jpg"), EPERM),
        Cell("rename out", move("people/_ignored/C001", "people/Igor"), there="people/Igor/0.jpg", gone="people/_ignored/C001"),
        Cell("rename of a person", move("people/Igor", "people/_ignored/Igor"), there="people/_ignored/Igor", gone="people/Igor"),
        Cell("mkdir", mkdir("people/_ignored/new"), EPERM),
        Cell("rmdir", rmdir("people/_ignored/Igor"), EPERM),
        Cell("rename of it", move("people/_ignored", "people/Ignored"), EPERM),
        Cell("mv in", move(f"{UNDATED}/0.jpg", "people/_ignored/0.jpg"), there="people/_ignored/C002"),
    ],
    "people/_unnamed": refusing("people/_unnamed", "people/_unnamed/C001/0.jpg")
    + [cell for cell in refusing("people/_unnamed/C001", "people/_unnamed/C001/0.jpg") if cell.column != "rename"],
    "tags": [
        Cell("mkdir", mkdir("tags/t"), there="tags/t"),
        Cell("mkdir", mkdir("tags/T"), EEXIST),
        Cell("mkdir deeper", mkdir("tags/t/u"), there="tags/t/u"),
        Cell("link in", link(f"{JULY}/{ROME}", "tags/t"), there=f"tags/t/{ROME} {JULY}/{ROME}"),
        Cell("cp in", create("tags/t/t.jpg"), there=f"tags/t/t.jpg {UNDATED}/t.jpg"),
        Cell("cp in at the top", create("tags/t.jpg"), EPERM),
        Cell("mv in from a view", move(f"{UNDATED}/{SCAN}", f"tags/t/{SCAN}"), there=f"tags/t/{SCAN} {UNDATED}/{SCAN}"),
        Cell("mv in from files", move(f"{ORIGINALS}/2019/{SNOW}", f"tags/t/{SNOW}"), there=f"tags/t/{SNOW} {ORIGINALS}/2019/{SNOW}"),
        Cell("mv in from a tag", move(f"tags/t/{SCAN}", f"tags/t/u/{SCAN}"), there=f"tags/t/u/{SCAN}", gone=f"tags/t/{SCAN}"),
        Cell("rm", remove(f"tags/t/{ROME}"), gone=f"tags/t/{ROME}", there=f"{JULY}/{ROME}"),
        Cell("rename", move("tags/t/u", "tags/v"), there=f"tags/v/{SCAN}", gone="tags/t/u"),
        Cell("rename onto a tag", move("tags/v", "tags/t"), there=f"tags/t/{SCAN} tags/t/{SNOW}", gone="tags/v"),
        Cell("rename elsewhere", move("tags/t", "albums/t"), EPERM),
        Cell("rmdir", rmdir("tags/t"), ENOTEMPTY),
        Cell("write", write(f"tags/t/{SNOW}"), EPERM),
        Cell("rm of all", empty("tags/t")),
        Cell("rmdir after that", rmdir("tags/t"), gone="tags/t"),
    ],
    "favorites": [
        Cell("link in", link(f"{JULY}/{ROME}", "favorites"), there=f"favorites/{ROME}"),
        Cell("cp in", create("favorites/f2.jpg"), there=f"favorites/f2.jpg {UNDATED}/f2.jpg"),
        Cell("mv in", move(f"{UNDATED}/{SCAN}", f"favorites/{SCAN}"), there=f"favorites/{SCAN} {UNDATED}/{SCAN}"),
        Cell("rm", remove(f"favorites/{ROME}"), gone=f"favorites/{ROME}", there=f"{JULY}/{ROME}"),
        Cell("mkdir", mkdir("favorites/deeper"), EPERM),
        Cell("rename", move("favorites", "best"), EPERM),
        Cell("rmdir", rmdir("favorites"), EPERM),
        Cell("write", write(f"favorites/{SCAN}"), EPERM),
    ],
    "tags/_suggested": [
        *refusing("tags/_suggested", "tags/_suggested/dog/0.jpg", lives="rm"),
        *refusing("tags/_suggested/dog", "tags/_suggested/dog/0.jpg", lives="rm"),
        *refusing("tags/_untagged", f"tags/_untagged/{ROME}"),
        Cell("a tag", mkdir("tags/dog")),
        Cell("mv out", move("tags/_suggested/dog/0.jpg", "tags/dog/0.jpg"), there="tags/dog/0.jpg"),
        Cell("rm", remove(f"tags/_suggested/dog/{PLAIN}"), gone=f"tags/_suggested/dog/{PLAIN}", there=f"{UNDATED}/{PLAIN}"),
    ],
    "albums": [
        Cell("mkdir", mkdir("albums/a"), there="albums/a"),
        Cell("mkdir", mkdir("albums/A"), EEXIST),
        Cell("mkdir deeper", mkdir("albums/a/b"), there="albums/a/b"),
        Cell("link in", link(f"{JULY}/{ROME}", "albums/a"), there=f"albums/a/{ROME} {JULY}/{ROME}"),
        Cell("link in at the top", link(f"{JULY}/{ROME}", "albums"), EPERM),
        Cell("cp in", create("albums/a/a.jpg"), there=f"albums/a/a.jpg {UNDATED}/a.jpg"),
        Cell("mv in from a view", move(f"{UNDATED}/{SCAN}", f"albums/a/{SCAN}"), there=f"albums/a/{SCAN} {UNDATED}/{SCAN}"),
        Cell("mv in from files", move(f"{ORIGINALS}/2019/{SNOW}", f"albums/a/{SNOW}"), there=f"albums/a/{SNOW} {ORIGINALS}/2019/{SNOW}"),
        Cell("mv in from an album", move(f"albums/a/{SCAN}", f"albums/a/b/{SCAN}"), there=f"albums/a/b/{SCAN}", gone=f"albums/a/{SCAN}"),
        Cell("rm", remove(f"albums/a/{ROME}"), gone=f"albums/a/{ROME}", there=f"{JULY}/{ROME}"),
        Cell("rename", move("albums/a/b", "albums/c"), there=f"albums/c/{SCAN}", gone="albums/a/b"),
        Cell("rename onto an album", move("albums/c", "albums/a"), EEXIST, there="albums/c"),
        Cell("rename into itself", move("albums/c", "albums/c/d"), EINVAL),
        Cell("rename elsewhere", move("albums/c", "tags/c"), EPERM),
        Cell("rmdir", rmdir("albums/c"), ENOTEMPTY),
        Cell("write", write(f"albums/c/{SCAN}"), EPERM),
        Cell("rm of all", remove(f"albums/c/{SCAN}"), gone=f"albums/c/{SCAN}"),
        Cell("rmdir after that", rmdir("albums/c"), gone="albums/c"),
    ],
    "by-date": [
        Cell("mkdir", mkdir("by-date/1987"), there="by-date/1987"),
        Cell("mkdir", mkdir("by-date/1987/05"), there="by-date/1987/05"),
        Cell("mkdir of no year", mkdir("by-date/May"), EINVAL),
        Cell("mkdir of no month", mkdir("by-date/1987/13"), EINVAL),
        Cell("mkdir deeper", mkdir("by-date/1987/05/01"), EPERM),
        Cell("link in, no date", link(f"{UNDATED}/{SCAN}", "by-date/1987/05"), there=f"by-date/1987/05/{SCAN}", gone=f"{UNDATED}/{SCAN}"),
        Cell("link in, a date", link(f"{JULY}/{ROME}", "by-date/1987/05"), EPERM),
        Cell("mv in, no date", move(f"{UNDATED}/{PLAIN}", f"by-date/1987/05/{PLAIN}"), there=f"by-date/1987/05/{PLAIN}", gone=f"{UNDATED}/{PLAIN}"),
        Cell("mv in, a date", move(f"{JULY}/{ROME}", f"by-date/1987/05/{ROME}"), EPERM, there=f"{JULY}/{ROME}"),
        Cell("mv in from files", move(f"{ORIGINALS}/papers/{LETTER}", f"by-date/1987/05/{LETTER}"), there=f"by-date/1987/05/{LETTER} {ORIGINALS}/papers/{LETTER}"),
        Cell("mv on", move(f"by-date/1987/05/{PLAIN}", f"{JULY}/{PLAIN}"), there=f"{JULY}/{PLAIN}", gone=f"by-date/1987/05/{PLAIN}"),
        Cell("cp in, no date", copy(f"by-date/1987/05/{SCAN}", JULY), there=f"{JULY}/{SCAN}", gone=f"by-date/1987/05/{SCAN}"),
        Cell("cp in, a date", copy(f"by-date/2019/12/{SNOW}", JULY), EPERM, gone=f"{JULY}/{SNOW}"),
        Cell("cp in, new bytes", create(f"{JULY}/d.jpg"), EPERM, gone=f"{JULY}/d.jpg"),
        Cell("rm", remove(f"{JULY}/{ROME}"), EPERM),
        Cell("rename", move("by-date/2019", "by-date/2018"), EPERM),
        Cell("rename of a month", move(JULY, "by-date/2019/08"), EPERM),
        Cell("rmdir", rmdir(JULY), EPERM),
        Cell("mkdir", mkdir("by-date/1988"), there="by-date/1988"),
        Cell("rmdir, nothing in it yet", rmdir("by-date/1988"), EPERM),
        Cell("write", write(f"{JULY}/{ROME}"), EPERM),
        Cell("link in at the top", link(f"{JULY}/{ROME}", "by-date/2019"), EPERM),
    ],
    "places": [
        Cell("mkdir", mkdir("places/France"), there="places/France"),
        Cell("mkdir", mkdir("places/France/Paris"), there="places/France/Paris"),
        Cell("mkdir of no country", mkdir("places/Atlantis"), EINVAL),
        Cell("mkdir of no city", mkdir("places/France/Atlantis"), EINVAL),
        Cell("mkdir deeper", mkdir("places/France/Paris/Montmartre"), EPERM),
        Cell("link in, no position", link(f"{NOWHERE}/{SCAN}", "places/France/Paris"), there=f"places/France/Paris/{SCAN}", gone=f"{NOWHERE}/{SCAN}"),
        Cell("link in, a position", link(f"{ROMA}/{ROME}", "places/France/Paris"), EPERM),
        Cell("mv in, no position", move(f"{NOWHERE}/{PLAIN}", f"{ROMA}/{PLAIN}"), there=f"{ROMA}/{PLAIN}", gone=f"{NOWHERE}/{PLAIN}"),
        Cell("mv in, a position", move(f"{ROMA}/{ROME}", f"places/France/Paris/{ROME}"), EPERM, there=f"{ROMA}/{ROME}"),
        Cell("mv on", move(f"{ROMA}/{PLAIN}", f"places/France/Paris/{PLAIN}"), there=f"places/France/Paris/{PLAIN}", gone=f"{ROMA}/{PLAIN}"),
        Cell("cp in, no position", copy(f"places/France/Paris/{SCAN}", ROMA), there=f"{ROMA}/{SCAN}", gone=f"places/France/Paris/{SCAN}"),
        Cell("cp in, a position", copy(f"places/Germany/Munich/{SNOW}", ROMA), EPERM, gone=f"{ROMA}/{SNOW}"),
        Cell("cp in, new bytes", create(f"{ROMA}/l.jpg"), EPERM, gone=f"{ROMA}/l.jpg"),
        Cell("rm", remove(f"{ROMA}/{ROME}"), EPERM),
        Cell("rename", move("places/Italy", "places/Italia"), EPERM),
        Cell("rename of a city", move(ROMA, "places/Italy/Roma"), EPERM),
        Cell("rmdir", rmdir(ROMA), EPERM),
        Cell("write", write(f"{ROMA}/{ROME}"), EPERM),
        Cell("link in at the country", link(f"{NOWHERE}/{DOUBT}", "places/Italy"), EPERM),
    ],
    "search": [
        *refusing("search/type=photo", "search/type=photo/rome.jpg", lives="rename"),
        Cell("mkdir", mkdir("search/type=video"), EEXIST),
        Cell("rename to an album", move("search/type=photo", "albums/photos"), EPERM),
        Cell("an album", mkdir("albums/s")),
        Cell("mv out", move(f"search/type=photo/{ROME}", f"albums/s/{ROME}"), there=f"albums/s/{ROME} search/type=photo/{ROME}"),
        Cell("rename to saved", move("search/type=document", "saved/Papers"), there=f"saved/Papers/{LETTER}"),
    ],
    "types": refusing("types/photos", "types/photos/rome.jpg") + refusing("types", "types/photos/rome.jpg"),
    "@ facets": refusing("types/photos/@places/Italy/Rome", f"types/photos/@places/Italy/Rome/{ROME}"),
    "@ facets of what people fill": [
        Cell("a tag", mkdir("tags/f")),
        Cell("filled", link(f"{JULY}/{ROME}", "tags/f")),
        *refusing("by-date/2019/@tags/f", f"by-date/2019/@tags/f/{ROME}"),
    ],
    "saved": [
        Cell("mkdir", mkdir("saved/type=document"), there=f"saved/type=document/{LETTER}"),
        Cell("mkdir again", mkdir("saved/type=document"), EEXIST),
        Cell("mkdir of no query", mkdir("saved/colour=red"), EINVAL),
        *refusing("saved/type=document", f"saved/type=document/{LETTER}", lives="rename, rmdir"),
        Cell("rename", move("saved/type=document", "saved/Letters"), there=f"saved/Letters/{LETTER}", gone="saved/type=document"),
        Cell("rename elsewhere", move("saved/Letters", "albums/Letters"), EPERM),
        Cell("rmdir", rmdir("saved/Letters"), gone="saved/Letters"),
    ],
    "duplicates": [
        *refusing("duplicates", f"duplicates/c0.jpg/{COPIES[1]}", lives="rm"),
        *refusing("duplicates/c0.jpg", f"duplicates/c0.jpg/{COPIES[1]}", lives="rm, rmdir"),
        Cell("an album", mkdir("albums/copies")),
        Cell("filled", link(f"duplicates/c0.jpg/{COPIES[2]}", "albums/copies"), there=f"albums/copies/{COPIES[2]}"),
        Cell("rm of the report", remove("duplicates/c0.jpg/_copies.txt"), EPERM),
        Cell("rm", remove(f"duplicates/c0.jpg/{COPIES[2]}"), gone=f"duplicates/c0.jpg/{COPIES[2]} albums/copies/{COPIES[2]} {ORIGINALS}/copies/{COPIES[2]}",
             there=f"trash/TODAY/{COPIES[2]} albums/copies/{COPIES[0]}"),
        Cell("rmdir", rmdir("duplicates/c0.jpg"), gone="duplicates/c0.jpg", there=f"{ORIGINALS}/copies/{COPIES[1]}"),
    ],
    "trash": [
        Cell("mv in from files", move(f"{ORIGINALS}/2019/{ROME}", f"trash/{ROME}"), there=f"trash/TODAY/{ROME}", gone=f"{ORIGINALS}/2019/{ROME} {JULY}/{ROME}"),
        Cell("mv in from a view", move(f"by-date/2019/12/{SNOW}", f"trash/{SNOW}"), EPERM, there=f"by-date/2019/12/{SNOW}"),
        Cell("cp in", create("trash/new.jpg"), EPERM),
        Cell("cp in of a day", create("trash/TODAY/new.jpg"), EPERM),
        Cell("link in", link(f"{ORIGINALS}/2019/{SNOW}", "trash"), EPERM),
        Cell("mkdir", mkdir("trash/2019-01-01"), EPERM),
        Cell("rename", move("trash/TODAY", "trash/2019-01-01"), EPERM),
        Cell("write", write(f"trash/TODAY/{ROME}"), EPERM),
        Cell("mv out to an album", move(f"trash/TODAY/{ROME}", f"favorites/{ROME}"), EPERM),
        Cell("mv out", move(f"trash/TODAY/{ROME}", f"{ORIGINALS}/2019/{ROME}"), there=f"{ORIGINALS}/2019/{ROME} {JULY}/{ROME}", gone=f"trash/TODAY/{ROME}"),
        Cell("rm in files", remove(f"{ORIGINALS}/2019/{ROME}"), there=f"trash/TODAY/{ROME}"),
        Cell("rm", remove(f"trash/TODAY/{ROME}"), gone=f"trash/TODAY/{ROME}"),
        Cell("rm in files", remove(f"{ORIGINALS}/2019/{SNOW}"), there=f"trash/TODAY/{SNOW}"),
        Cell("rmdir", rmdir("trash/TODAY"), gone="trash/TODAY"),
    ],
    ".haven": [*refusing(".haven", ".haven/status.json", lives="mv out to files"), Cell("mv out", move(".haven/status.json", "albums/status.json"), EPERM)],
    "what programs make for themselves": [
        Cell("an album", mkdir("albums/l")),
        Cell("a person", mkdir("people/Lea")),
        *(
            Cell(f"mkdir in {folder}", mkdir(f"{folder}/{name}"), EPERM, gone=f"{folder}/{name}")
            for folder in ("albums", "albums/l", "tags", "favorites", "people", "people/Lea", "saved")
            for name in (".Trash-1000", "@eaDir", ".rsync-partial", ".~tmp~", "#recycle", ".TemporaryItems")
        ),
        *(Cell(f"mkdir in {folder}", mkdir(f"{folder}/.Trash-1000"), EINVAL) for folder in ("by-date", "by-date/2019", "places", "places/Italy")),
        Cell("rename to it", move("albums/l", "albums/.l"), EPERM, there="albums/l"),
        Cell("rename to it", move("people/Lea", "people/.Lea"), EPERM, there="people/Lea"),
        Cell("rename to it", move("search/type=photo", "saved/.photos"), EPERM),
        Cell("in a real folder", mkdir("inbox/.rsync-partial"), there=f"{ORIGINALS}/Inbox/.rsync-partial"),
    ],
    "the top": [
        cell for cell in refusing(".", f"favorites/{SCAN}") if cell.column in ("link in", "cp in", "mv in", "mv in from files", "mkdir")
    ],
}  # fmt: skip


@pytest.fixture
def top(tmp_path: Path, serve: Any) -> Iterator[Path]:
    shelf = furnished(tmp_path)
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        yield mount.point
    shelf.catalog.close()


@pytest.mark.parametrize("directory", TABLE)
def test_each_cell_of_the_table(directory: str, top: Path, until: Callable[..., float]) -> None:
    for cell in TABLE[directory]:
        where = f"{directory}, {cell.column}"
        answer = 0
        try:
            cell.gesture(Today(top))
        except OSError as error:
            answer = error.errno or -1
        assert answer == cell.answer, f"{where}: {errno.errorcode.get(answer, 'done')}"
        for path in cell.there.split():
            until(lambda path=path: os.path.lexists(Today(top) / path), 3)
        for path in cell.gone.split():
            until(lambda path=path: not os.path.lexists(Today(top) / path), 3)
