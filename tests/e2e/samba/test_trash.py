"""Deleting and restoring over SMB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.fuse, pytest.mark.samba]


def test_what_a_client_deletes_it_can_move_out_of_the_trash(
    smb: Any, workshop: Any, until: Callable[..., float]
) -> None:
    rome = workshop.root / "2019/rome"
    for folder in (workshop.root / "2019", rome):
        folder.chmod(0o777)
    data = (rome / "IMG_0001.jpg").read_bytes()
    assert "NT_STATUS" not in smb.ask('cd "files/photos/2019/rome"; del IMG_0001.jpg')
    assert not (rome / "IMG_0001.jpg").exists()
    (day,) = smb.list("trash")
    assert smb.list(f"trash/{day}") == ["IMG_0001.jpg"]
    assert smb.read(f"trash/{day}/IMG_0001.jpg") == data
    moved = smb.ask(f'rename "trash/{day}/IMG_0001.jpg" "files/photos/2019/rome/back.jpg"')
    assert "NT_STATUS" not in moved
    assert (rome / "back.jpg").read_bytes() == data
    until(lambda: smb.list("trash") in ([], ["README.txt"]))
    assert "NT_STATUS" not in smb.ask('cd "files/photos/2019/rome"; del back.jpg')
    assert not (rome / "back.jpg").exists()
