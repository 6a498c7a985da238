"""README.txt in empty folders over SMB: read, deleted with its folder, and in nobody's way."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from smbprotocol.header import NtStatus

from havenfs.decisions import Keeper, new_uid, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba, pytest.mark.timeout(180)]

README = "README.txt"
WORDS = b"How to water the plants while we are away.\n"


@pytest.fixture
def share(workshop: Any, room: Path, serve: Any, start_smbd: Any) -> Iterator[Any]:
    """A share in which albums stand that were made before, and are empty."""
    keeper = Keeper(workshop.catalog, workshop.state.journal)
    for name in ("Rome", "Siena", "Pisa"):
        made = values.MakeFolder(uid=new_uid(), folder=values.Folder.ALBUM, name=name)
        keeper.decide(made, by="me")
    with (
        serve(workshop.state.root, room / "mnt") as mount,
        start_smbd(room / "smb", {"havenfs": mount.point}, "force user = root") as shares,
    ):
        yield shares["havenfs"]


def test_it_is_read_and_folders_in_which_it_stands_are_deleted_as_explorer_and_deltree_do(
    share: Any, room: Path
) -> None:
    assert share.list("albums/Rome") == [README]
    assert b"This album is empty" in share.read(f"albums/Rome/{README}")
    assert b"This album is empty" in share.read("albums/Rome/readme.TXT")
    share.remove(f"albums/Rome/{README}")
    assert share.list("albums/Rome") == []
    share.rmdir("albums/Rome")
    said = share.ask("deltree albums/Siena")
    assert "NT_STATUS" not in said, said
    assert os.listdir(room / "mnt/albums") == ["Pisa"]
    # smbd itself looks whether a folder is empty, and asks nobody.
    with share.refused(NtStatus.STATUS_DIRECTORY_NOT_EMPTY):
        share.rmdir("albums/Pisa")


def test_it_goes_as_something_is_put_in_and_may_be_written_over(
    share: Any, room: Path, until: Any
) -> None:
    share.write("albums/Rome/new.jpg", b"\xff\xd8\xff\xe0" + b"new" * 1000)
    assert share.list("albums/Rome") == ["new.jpg"]
    share.remove("albums/Rome/new.jpg")
    share.rmdir("albums/Rome")
    # smbd opens what it has found: it meets the one that makes way, and is refused for a moment.
    with share.refused(NtStatus.STATUS_ACCESS_DENIED):
        share.write(f"albums/Siena/{README}", WORDS)
    until(lambda: README not in os.listdir(room / "mnt/albums/Siena"), 5)
    time.sleep(1)  # for so long the kernel remembers a name
    share.write(f"albums/Siena/{README}", WORDS)
    assert share.read(f"albums/Siena/{README}") == WORDS
    share.mkdir("albums/New folder")
    share.rename("albums/New folder", "albums/Bari")
    share.rmdir("albums/Bari")
    assert sorted(os.listdir(room / "mnt/albums")) == ["Pisa", "Siena"]
