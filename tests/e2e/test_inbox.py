"""inbox/ through the real mount: drop, look at the proposal, accept it by mv, refuse it by rm, take either back."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from havend import decisions
from havenfs.catalog import browse, inbox
from havenfs.settings import Config
from havenfs.sorting.sorter import Sorter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse


@pytest.fixture
def desk(shelf_of_papers: Any, tmp_path: Path, serve: Any) -> Iterator[tuple[Any, Path]]:
    with serve(shelf_of_papers.state.root, tmp_path / "mnt") as mount:
        yield shelf_of_papers, mount.point


def run(*command: str | Path) -> str:
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr
    return result.stdout


def listed(path: Path) -> list[str]:
    """What people put there."""
    return sorted(name for name in os.listdir(path) if name != "README.txt")


def refused(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError, match=r"Errno") as caught:
        operation(*arguments)
    assert caught.value.errno == number, caught.value


def drop(desk: tuple[Any, Path], until: Callable[..., float], name: str = "new.txt") -> str:
    """A letter from the waterworks, dropped and proposed for."""
    shelf, mount = desk
    (mount / "inbox" / name).write_text("Waterworks meter reading bill, the new one " + name)
    found = shelf.catalog.read(inbox.standing)
    mine = next(each for each in found if each.path.endswith(name.encode()))
    shelf.put_words(mine.id, "waterworks meter reading bill consumption")
    Sorter(shelf.catalog).sort(Config())
    until(lambda: (mount / "inbox/_suggested/papers/Letters/Waterworks" / mine.name).exists(), 5)
    return mine.name


def test_what_is_dropped_is_real_and_indexed_at_close(desk: tuple[Any, Path]) -> None:
    shelf, mount = desk
    top = mount / "inbox"
    assert listed(top) == ["_accept", "_suggested"]
    (top / "note.txt").write_text("remember the milk")
    (top / "card").mkdir()
    run("cp", mount / "files/papers/Letters/Bank/1.txt", top / "card")
    assert listed(top) == ["_accept", "_suggested", "card", "note.txt"]
    assert (shelf.papers / "Inbox/note.txt").read_text() == "remember the milk"
    assert (mount / "files/papers/Inbox/card/1.txt").exists()
    assert shelf.catalog.read(browse.asset, (), "note.txt").path == b"Inbox/note.txt"
    run("mv", top / "card/1.txt", top / "moved.txt")
    run("mv", top / "moved.txt", mount / "files/papers/Letters")
    run("mv", mount / "files/papers/Letters/moved.txt", top)
    assert (shelf.papers / "Inbox/moved.txt").exists()
    with (top / "note.txt").open("a") as file:
        file.write(", and bread")
    run("mv", top / "card", top / "box")
    (top / "box").rmdir()
    (top / "box").mkdir()
    (top / "box/x.txt").write_text("x")
    run("rm", "-r", top / "box", top / "moved.txt", top / "note.txt")
    assert listed(top) == ["_accept", "_suggested"]
    assert listed(shelf.papers / "Inbox") == []


def test_a_proposal_is_accepted_by_mv_and_taken_back(
    desk: tuple[Any, Path], until: Callable[..., float]
) -> None:
    shelf, mount = desk
    name = drop(desk, until)
    suggested = mount / "inbox/_suggested/papers/Letters/Waterworks"
    why = os.getxattr(suggested / name, "user.haven.why").decode()
    assert why.startswith("papers/Letters/Waterworks (")
    assert "says “" in why
    (mount / "albums/Bills").mkdir()
    os.link(suggested / name, mount / "albums/Bills" / name)
    run("mv", suggested / name, mount / "inbox/_accept")
    assert (shelf.papers / "Letters/Waterworks/new.txt").exists()
    assert (mount / "files/papers/Letters/Waterworks/new.txt").read_text().startswith("Waterworks")
    assert listed(mount / "inbox/_accept") == []
    until(lambda: listed(mount / "inbox") == ["_accept", "_suggested"], 5)
    until(lambda: listed(mount / "inbox/_suggested") == [], 5)
    assert listed(mount / "albums/Bills") == [name]
    assert (
        "filed “new.txt” into “files/papers/Letters/Waterworks”"
        in (mount / ".haven/undo").read_text()
    )
    decisions.undo(shelf.state, None, rest=False)
    assert not (shelf.papers / "Letters/Waterworks/new.txt").exists()
    assert (shelf.papers / "Inbox/new.txt").exists()
    until(lambda: "new.txt" in listed(mount / "inbox"), 5)
    assert listed(mount / "albums/Bills") == [name]


def test_a_proposal_is_refused_by_rm_and_not_made_again_until_that_is_taken_back(
    desk: tuple[Any, Path], until: Callable[..., float]
) -> None:
    shelf, mount = desk
    name = drop(desk, until)
    suggested = mount / "inbox/_suggested/papers/Letters/Waterworks"
    run("rm", suggested / name)
    until(lambda: not suggested.exists(), 5)
    assert (mount / "inbox/new.txt").exists()
    Sorter(shelf.catalog).sort(Config())
    assert not suggested.exists()
    decisions.undo(shelf.state, None, rest=False)
    Sorter(shelf.catalog).sort(Config())
    until(lambda: suggested.exists() and listed(suggested) == [name], 5)


def test_what_has_no_meaning_there_has_the_errno_of_the_table(
    desk: tuple[Any, Path], until: Callable[..., float]
) -> None:
    shelf, mount = desk
    name = drop(desk, until)
    suggested = mount / "inbox/_suggested/papers/Letters/Waterworks"
    accept = mount / "inbox/_accept"
    (shelf.papers / "Letters/Waterworks/new.txt").write_text("another one of that name")
    refused(errno.EEXIST, os.rename, suggested / name, accept / name)
    assert (shelf.papers / "Inbox/new.txt").exists()
    refused(errno.EPERM, os.rename, mount / "inbox/new.txt", accept / "new.txt")
    refused(errno.EPERM, os.rename, suggested / name, mount / "inbox/other.txt")
    refused(errno.EPERM, os.mkdir, accept / "folder")
    refused(errno.EPERM, os.mkdir, mount / "inbox/_suggested/folder")
    refused(errno.EPERM, os.rmdir, suggested)
    refused(errno.EPERM, os.link, mount / "inbox/new.txt", accept / "new.txt")
    refused(errno.EEXIST, os.mkdir, mount / "inbox/_accept")
    refused(errno.EPERM, os.rmdir, mount / "inbox/_suggested")
    refused(errno.EPERM, os.rename, mount / "inbox/_suggested", mount / "inbox/mine")
    with pytest.raises(PermissionError):
        (accept / "new.txt").write_text("x")
    run("mv", suggested / name, mount / "files/papers/Letters")
    assert (shelf.papers / "Letters/new.txt").exists()
    until(lambda: listed(mount / "inbox") == ["_accept", "_suggested"], 5)


def test_without_a_source_to_write_to_it_is_empty_and_says_read_only(
    household: Any, tmp_path: Path, serve: Any
) -> None:
    with serve(household.state.root, tmp_path / "mnt") as mount:
        top = mount.point / "inbox"
        assert listed(top) == ["_accept", "_suggested"]
        refused(errno.EROFS, os.mkdir, top / "x")
        refused(errno.EROFS, os.mknod, top / "y")


def test_before_it_is_there_it_is_shown_as_it_will_be_and_made_like_what_it_is_in(
    desk: tuple[Any, Path], until: Callable[..., float]
) -> None:
    shelf, mount = desk
    os.chmod(shelf.papers, 0o2775)
    os.chown(shelf.papers, 1234, 4321)
    until(lambda: _who(mount / "inbox") == (0o2775, 1234, 4321), 5)
    assert not (shelf.papers / "Inbox").exists()
    (mount / "inbox/card").mkdir()
    assert _who(shelf.papers / "Inbox") == (0o2775, 1234, 4321)


def _who(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mode & 0o7777, found.st_uid, found.st_gid
