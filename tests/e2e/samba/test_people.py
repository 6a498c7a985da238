"""people/ from a Windows machine: what Explorer does when folders are made, renamed, dragged and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from smbprotocol.header import NtStatus

from tests.conftest import Shelf
from tests.identity.crowd import crowd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba]

ALL = [f"{number}.jpg" for number in range(6)]
OTHERS = ["_ignored", "_review", "_unnamed"]


@pytest.fixture
def share(tmp_path: Path, room: Path, serve: Any, start_smbd: Any) -> Iterator[Any]:
    """The share of a library in which C001 is in six pictures and C002 in the first four of them; whoever may write to its
    originals may say so, as the user of the share."""
    shelf = Shelf(tmp_path, writable=True)
    shelf.root.chmod(0o777)
    crowd(shelf)
    with (
        serve(shelf.state.root, room / "mnt") as mount,
        start_smbd(room / "smb", {"havenfs": mount.point}) as shares,
    ):
        yield shares["havenfs"]
    shelf.catalog.close()


def listed(share: Any, path: str) -> list[str]:
    return sorted(share.list(path))


def test_folders_are_renamed_made_and_deleted(share: Any):
    assert listed(share, "people/_unnamed") == ["C001", "C002"]
    share.rename("people/_unnamed/C001", "people/Alice")
    assert listed(share, "people") == ["Alice", *OTHERS]
    assert listed(share, "people/Alice") == ALL
    share.rename("people/Alice", "people/Alicia")
    assert listed(share, "people/alicia") == ALL
    share.mkdir("people/Bob")
    with share.refused(NtStatus.STATUS_OBJECT_NAME_COLLISION):
        share.mkdir("people/bob")
    with share.refused(NtStatus.STATUS_ACCESS_DENIED):
        share.mkdir("people/Bob/deeper")
    share.rmdir("people/Bob")
    assert listed(share, "people") == ["Alicia", *OTHERS]


def test_pictures_are_dragged_between_people_and_deleted(share: Any):
    assert "NT_STATUS" not in share.ask(
        "rename people/_unnamed/C001 people/Alice; mkdir people/Bob"
    )
    share.rename("people/_unnamed/C002/1.jpg", "people/Bob/1.jpg")
    assert listed(share, "people/Bob") == ALL[:4]
    share.rename("people/Alice/5.jpg", "people/Bob/5.jpg")
    assert listed(share, "people/Alice") == ALL[:5]
    assert "NT_STATUS" not in share.ask("del people/Bob/2.jpg")
    assert listed(share, "people/Bob") == ["0.jpg", "1.jpg", "3.jpg", "5.jpg"]
    assert share.read("people/Bob/0.jpg") == b"0.jpg" * 100
    assert "NT_STATUS" not in share.ask("deltree people/Bob")
    assert listed(share, "people") == ["Alice", *OTHERS]
    assert listed(share, "people/_unnamed") == ["C002"]


def test_who_may_not_write_originals_decides_nothing(
    shelf: Any, room: Path, serve: Any, start_smbd: Any
):
    crowd(shelf)
    with (
        serve(shelf.state.root, room / "mnt") as mount,
        start_smbd(room / "smb", {"havenfs": mount.point}) as shares,
        shares["havenfs"].refused(NtStatus.STATUS_ACCESS_DENIED),
    ):
        shares["havenfs"].mkdir("people/Bob")
