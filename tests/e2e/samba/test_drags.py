"""What Explorer and Finder do, in each folder that people fill: drag (rename), copy, new folder, rename a folder, delete a folder.

By two clients: smbclient for one half of it, smbprotocol for the other, which cannot delete what it may not write to. `test_people`, `test_trash` and `test_views_written` do the
same in people/, the trash and with new bytes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from smbprotocol.header import NtStatus

from tests.e2e.furnished import BILLS, LETTER, PLAIN, ROME, SCAN, SHOT, SNOW, furnished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba, pytest.mark.timeout(180)]

DENIED = NtStatus.STATUS_ACCESS_DENIED
UNDATED, JULY = "by-date/_undated", "by-date/2019/07"
BELONGS = "inbox/_suggested/photos/Letters/Bills"


class House:
    """A share, and the originals behind it."""

    def __init__(self, share: Any, originals: Path) -> None:
        self.share = share
        self.originals = originals

    def names(self, path: str) -> list[str]:
        return sorted(self.share.list(path))

    def done(self, commands: str) -> None:
        said = self.share.ask(commands)
        assert "NT_STATUS" not in said, said

    def copy(self, path: str, to: str) -> None:
        """As Explorer copies within a share: read and written."""
        self.share.write(to, self.share.read(path))


@pytest.fixture
def house(tmp_path: Path, room: Path, serve: Any, start_smbd: Any) -> Iterator[House]:
    shelf = furnished(tmp_path)
    for folder, _, names in os.walk(shelf.root):
        os.chmod(folder, 0o777)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o666)
    with (
        serve(shelf.state.root, room / "mnt") as mount,
        start_smbd(room / "smb", {"havenfs": mount.point}) as shares,
    ):
        yield House(shares["havenfs"], shelf.root)
    shelf.catalog.close()


@pytest.mark.parametrize("view", ["albums", "tags"])
def test_albums_and_tags_are_made_filled_renamed_and_deleted(house: House, view: str) -> None:
    share = house.share
    share.mkdir(f"{view}/a")
    house.done(f"mkdir {view}/b; mkdir {view}/a/inner")
    share.rename(f"{JULY}/{ROME}", f"{view}/a/{ROME}")  # dragged: it is there too
    assert house.names(JULY) == [ROME]
    house.copy(f"{UNDATED}/{SCAN}", f"{view}/a/{SCAN}")
    assert house.names(f"{view}/a") == ["inner", ROME, SCAN]
    share.rename(f"{view}/a/{SCAN}", f"{view}/b/{SCAN}")  # dragged on: it is there
    assert house.names(f"{view}/a") == ["inner", ROME]
    assert house.names(f"{view}/b") == [SCAN]
    house.done(f"rename {view}/a/inner {view}/c")
    share.rename(f"{view}/c", f"{view}/d")
    share.remove(f"{view}/b/{SCAN}")
    share.rmdir(f"{view}/b")
    house.done(f"deltree {view}/a")
    left = [name for name in house.names(view) if not name.startswith("_")]
    assert left == ["d"]
    assert house.names(JULY) == [ROME]
    assert SCAN in house.names(UNDATED)


def test_favorites_are_dragged_copied_and_deleted(house: House) -> None:
    share = house.share
    share.rename(f"{JULY}/{ROME}", f"favorites/{ROME}")
    house.copy(f"{UNDATED}/{PLAIN}", f"favorites/{PLAIN}")
    assert house.names("favorites") == [PLAIN, ROME]
    house.done(f"del favorites/{ROME}")
    assert house.names("favorites") == [PLAIN]
    assert house.names(JULY) == [ROME]
    with share.refused(DENIED):
        share.mkdir("favorites/deeper")


def test_what_has_no_date_is_dragged_and_copied_into_months(house: House) -> None:
    share = house.share
    share.rename(f"{UNDATED}/{SCAN}", f"{JULY}/{SCAN}")
    assert house.names(JULY) == [ROME, SCAN]
    assert SCAN not in house.names(UNDATED)
    house.done("mkdir by-date/1987; mkdir by-date/1987/05")
    house.copy(f"{UNDATED}/{PLAIN}", f"by-date/1987/05/{PLAIN}")
    house.done(f"rename {UNDATED}/{LETTER} by-date/1987/05/{LETTER}")
    assert house.names("by-date/1987/05") == [LETTER, PLAIN]
    with share.refused(DENIED):
        share.rename(f"by-date/2019/12/{SNOW}", f"{JULY}/{SNOW}")  # its file says when
    with share.refused(DENIED):
        share.remove(f"{JULY}/{ROME}")
    with share.refused(DENIED):
        share.rename(JULY, "by-date/2019/08")
    with share.refused(NtStatus.STATUS_DIRECTORY_NOT_EMPTY):  # says smbd itself
        share.rmdir("by-date/2019")
    house.done("mkdir by-date/1988")
    with share.refused(DENIED):
        share.rmdir("by-date/1988")
    assert "NT_STATUS" in share.ask('mkdir "by-date/New folder"')
    assert house.names("by-date/2019") == ["07", "12"]


def test_what_has_no_place_is_dragged_and_copied_into_cities(house: House) -> None:
    share = house.share
    share.rename(f"places/_nowhere/{SCAN}", f"places/Italy/Rome/{SCAN}")
    house.done("mkdir places/France; mkdir places/France/Paris")
    house.copy(f"places/_nowhere/{PLAIN}", f"places/France/Paris/{PLAIN}")
    share.rename(f"places/Italy/Rome/{SCAN}", f"places/France/Paris/{SCAN}")
    assert house.names("places/France/Paris") == [PLAIN, SCAN]
    assert house.names("places/Italy/Rome") == [ROME]
    with share.refused(DENIED):
        share.rename(f"places/Italy/Rome/{ROME}", f"places/France/Paris/{ROME}")
    with share.refused(DENIED):
        share.rename("places/France", "places/Francia")
    assert "NT_STATUS" in share.ask("mkdir places/Atlantis")


def test_what_is_dropped_into_the_inbox_is_filed_by_dragging_and_refused_by_deleting(
    house: House, until: Callable[..., float]
) -> None:
    share, inbox = house.share, house.originals / "Inbox"
    share.write("inbox/note.txt", b"remember the milk")
    assert (inbox / "note.txt").read_bytes() == b"remember the milk"
    share.mkdir("inbox/card")
    share.rename("inbox/note.txt", "inbox/card/note.txt")
    share.rename("inbox/card", "inbox/box")
    assert house.names("inbox/box") == ["note.txt"]
    house.done("deltree inbox/box")
    assert not (inbox / "box").exists()
    (day,) = share.list("trash")
    assert share.list(f"trash/{day}") == ["note.txt"]
    assert house.names(BELONGS) == [*BILLS, SHOT]
    share.rename(f"{BELONGS}/{BILLS[0]}", f"inbox/_accept/{BILLS[0]}")
    house.done(f"rename {BELONGS}/{BILLS[1]} inbox/_accept/{BILLS[1]}")
    filed = house.originals / "Letters/Bills"
    assert sorted(path.name for path in filed.iterdir()) == BILLS[:2]
    until(lambda: not {BILLS[0], BILLS[1]} & set(house.names("inbox")))
    house.done(f"del {BELONGS}/{BILLS[2]}; del {BELONGS}/{BILLS[3]}")
    assert house.names(BELONGS) == [*BILLS[4:], SHOT]
    assert {BILLS[2], BILLS[3]} <= set(house.names("inbox"))
    (filed / BILLS[4]).write_bytes(b"other bytes of that name")
    with share.refused(NtStatus.STATUS_OBJECT_NAME_COLLISION):
        share.rename(f"{BELONGS}/{BILLS[4]}", f"inbox/_accept/{BILLS[4]}")
    with share.refused(DENIED):
        share.mkdir("inbox/_accept/folder")


def test_a_suggested_tag_is_taken_on_by_dragging_and_refused_by_deleting(house: House) -> None:
    share = house.share
    share.mkdir("tags/dog")
    share.rename("tags/_suggested/dog/0.jpg", "tags/dog/0.jpg")
    house.done(f"del tags/_suggested/dog/{PLAIN}")
    assert house.names("tags/dog") == ["0.jpg"]
    assert PLAIN not in house.names("tags/_suggested/dog")


def test_a_search_is_saved_by_a_new_folder_renamed_and_deleted(house: House) -> None:
    share = house.share
    share.mkdir("saved/type=document")
    house.done('rename "saved/type=document" saved/Papers')
    assert LETTER in house.names("saved/Papers")
    assert "NOT_EMPTY" in share.ask("rmdir saved/Papers")  # smbd does not ask us
    share.mkdir("saved/type=video")
    house.done("rmdir saved/type=video")
    assert house.names("saved") == ["Papers"]


def test_a_copy_is_deleted(house: House) -> None:
    house.done("del duplicates/c0.jpg/c2.jpg")
    assert not (house.originals / "copies/c2.jpg").exists()
    assert house.names("duplicates/c0.jpg") == ["_copies.txt", "c0.jpg", "c1.jpg"]
