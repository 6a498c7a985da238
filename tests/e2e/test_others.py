"""What people do who do not run the mount, but may write to the disk that takes new files: they decide. Needs root."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse

OWNER, STRANGER = 65534, 4242


def does(uid: int, *command: object) -> str:
    """What a command complains of; nothing when it is done."""
    done = subprocess.run(
        [str(word) for word in command],
        user=uid,
        group=uid,
        extra_groups=[],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert bool(done.returncode) == bool(done.stderr), done
    return done.stderr.rpartition(": ")[2].strip()


@pytest.fixture
def top(workshop: Any, serve: Any, open_house: Path) -> Iterator[Path]:
    """Of a mount over a desk of the owner's, that takes new files."""
    os.chown(workshop.root.parent / "desk", OWNER, OWNER)
    with serve(workshop.state.root, open_house / "mnt") as mount:
        yield mount.point


def test_the_owner_moves_answers_into_albums_and_strangers_may_not(top: Path):
    assert does(OWNER, "mkdir", top / "albums/A") == ""
    for place in (
        "search/fountain",
        "types/photos",
        "by-date/2019/07",
        "by-date/2019/@types/photos",
    ):
        shown = top / place / "IMG_0001.jpg"
        assert does(STRANGER, "mv", shown, top / "albums/A/") == "Permission denied"
        assert does(OWNER, "mv", shown, top / "albums/A/") == ""
        assert os.listdir(top / "albums/A") == ["IMG_0001.jpg"]
        assert shown.exists(), "it stays where it is an answer"
        assert does(OWNER, "rm", top / "albums/A/IMG_0001.jpg") == ""
        assert does(OWNER, "ln", shown, top / "albums/A/") == ""
        assert does(OWNER, "rm", top / "albums/A/IMG_0001.jpg") == ""


def test_why_nothing_can_be_done_in_an_answer_is_told_to_the_owner(top: Path):
    shown = top / "types/photos/IMG_0001.jpg"
    assert does(OWNER, "rm", shown) == "Operation not permitted"
    assert does(OWNER, "mkdir", top / "types/mine") == "Operation not permitted"
    assert does(STRANGER, "rm", shown) == "Permission denied"


def test_a_search_is_saved_by_moving_it(top: Path):
    assert os.listdir(top / "search/fountain")
    assert does(OWNER, "mv", top / "search/fountain", top / "saved/Wells") == ""
    assert "IMG_0001.jpg" in os.listdir(top / "saved/Wells")


def test_a_folder_of_originals_is_no_album(top: Path):
    assert does(0, "mkdir", top / "albums/A", top / "files/photos/folder") == ""
    assert (
        does(0, "mv", top / "files/photos/folder", top / "albums/A/") == "Operation not permitted"
    )


def test_who_decides_is_seen_when_it_changes(
    workshop: Any, serve: Any, open_house: Path, until: Callable[..., float]
):
    """As on the first day: the mount is there before anything is configured."""
    desk = workshop.root.parent / "desk"
    with serve(workshop.state.root, open_house / "mnt") as mount:
        album = mount.point / "albums/A"
        assert does(OWNER, "mkdir", album) == "Permission denied"
        os.chown(desk, OWNER, OWNER)
        workshop.add("new.jpg")
        until(lambda: not does(OWNER, "mkdir", album))
        assert (mount.point / "albums").stat().st_uid == OWNER


def test_what_is_being_put_in_is_nothing_to_walk_into(top: Path):
    (top / "albums/A").mkdir()
    with (top / "albums/A/x.part").open("wb") as file:
        file.write(b"half")
        for folder in ("desk", "photos"):
            names = os.listdir(top / "files" / folder)
            assert ".havenfs-uploads" not in names
        assert not (top / "files/desk/.havenfs-uploads").exists()
        with pytest.raises(PermissionError):
            (top / "files/desk/.havenfs-uploads").mkdir()
