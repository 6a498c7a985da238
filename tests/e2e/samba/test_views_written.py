"""Writing into views over SMB, with two clients: put, overwrite, litter, del, deltree."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from smbprotocol.exceptions import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba, pytest.mark.timeout(180)]

JPEG = b"\xff\xd8\xff\xe0"
MONTH = f"Uploads/{datetime.now().astimezone():%Y/%m}"


@pytest.fixture
def share(point: Path, room: Path, start_smbd: Any) -> Iterator[Any]:
    """The shipped share, in which everybody acts as the one whose albums they are."""
    (point / "albums/Rome").mkdir()
    with start_smbd(room / "smb", {"havenfs": point}, "force user = root") as shares:
        yield shares["havenfs"]


def undo(point: Path) -> str:
    return (point / ".haven/undo").read_text().splitlines()[0]


def test_what_smbclient_puts_into_an_album_is_filed_and_goes_with_deltree(
    share: Any, point: Path, workshop: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "holiday"
    (folder / "more").mkdir(parents=True)
    for n in range(5):
        (folder / f"p{n}.jpg").write_bytes(JPEG + b"%d" % n * 100_000)
        (folder / "more" / f"q{n}.jpg").write_bytes(JPEG + b"q%d" % n * 100_000)
    said = share.ask("cd albums/Rome; prompt off; recurse on; mput *", cwd=folder)
    assert "NT_STATUS" not in said, said
    assert sorted(os.listdir(point / "albums/Rome")) == ["more", *(f"p{n}.jpg" for n in range(5))]
    desk = workshop.root.parent / "desk" / MONTH
    assert len(os.listdir(desk)) == 10
    assert (desk / "q3.jpg").read_bytes() == (folder / "more/q3.jpg").read_bytes()
    said = share.ask("cd albums/Rome; del p0.jpg; put p1.jpg p1.jpg", cwd=folder)
    assert not (point / "albums/Rome/p0.jpg").exists()
    said = share.ask("deltree albums/Rome")
    assert "NT_STATUS" not in said, said
    assert os.listdir(point / "albums") == []
    # What was deleted a moment before goes with the rest, and would come back with it.
    assert "dissolved the album “Rome”, with 10 files and 1 folder in it" in undo(point)
    assert len(os.listdir(desk)) == 10
    assert not (workshop.root.parent / "desk/.havenfs-uploads").exists() or not os.listdir(
        workshop.root.parent / "desk/.havenfs-uploads"
    )


def test_explorer_creates_sets_the_size_writes_closes_and_sets_times(
    share: Any, point: Path, workshop: Any
) -> None:
    data = JPEG + b"explorer" * 40_000
    with share.open("albums/Rome/new.jpg", "xb") as file:
        file.write(data)
    assert share.read("albums/Rome/new.jpg") == data
    share.write("albums/Rome/desktop.ini", b"[.ShellClassInfo]")
    assert share.read("albums/Rome/DESKTOP.INI") == b"[.ShellClassInfo]"
    share.write("albums/Rome/._new.jpg", b"\x00\x05\x16\x07")
    share.remove("albums/Rome/._new.jpg")
    assert set(share.list("albums/Rome")) == {"desktop.ini", "new.jpg"}
    with pytest.raises(InvalidParameter):  # when it is closed
        share.write("albums/Rome/program.exe", b"MZ\x00\x01" * 100)
    assert set(share.list("albums/Rome")) == {"desktop.ini", "new.jpg"}
    share.remove("albums/Rome/new.jpg")
    share.remove("albums/Rome/desktop.ini")
    share.rmdir("albums/Rome")
    assert os.listdir(point / "albums") == []
