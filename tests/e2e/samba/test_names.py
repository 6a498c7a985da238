"""Names over SMB: what Windows forbids, another spelling, and none at all."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from smbprotocol.header import NtStatus

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba]

STATUS_INTEGER_OVERFLOW = 0xC0000095  # smbprotocol does not name it
FORBIDDEN = '"*:<>?\\|\x01\x1f'
RESERVED = ("dot.", "dots...", "space ", "CON", "nul.txt", "COM1", "lpt3.jpg", "aux")
PLAIN = (
    "plain.txt",
    "Ärger.jpg",
    "日本語.png",
    "🏔️ Berg.jpg",
    "#%&'()+,;=@[]^`{}~$!.txt",
    "a" * 223 + ".txt",
    ".hidden",
    "What\uf025 A Mac\uf022s.txt",  # how a Mac sends "What? A Mac:s.txt"
    "What？ A view：s.txt",
)


def put(path: Path, data: bytes) -> None:
    """A file of the share's user: smbprotocol wants to change the attributes of what it deletes."""
    path.write_bytes(data)
    shutil.chown(path, "nobody")


@pytest.fixture
def odd(workshop: Any) -> Path:
    """A folder of the share, as it lies on the disk, that the share's user may write to."""
    made: Path = workshop.root / "odd"
    made.mkdir()
    made.chmod(0o777)
    return made


@pytest.mark.parametrize("name", [*(f"a {character} b.txt" for character in FORBIDDEN), *RESERVED])
def test_a_name_that_windows_forbids_is_reached_by_an_alias(smb: Any, odd: Path, name: str):
    put(odd / name, b"odd")
    (odd / "even.txt").write_bytes(b"even")
    [alias] = [seen for seen in smb.list("files/photos/odd") if seen != "even.txt"]
    assert alias != name
    assert smb.read(f"files/photos/odd/{alias}") == b"odd"
    smb.rename(f"files/photos/odd/{alias}", "files/photos/odd/renamed.txt")
    assert (odd / "renamed.txt").read_bytes() == b"odd"
    put(odd / name, b"odd")
    smb.remove(f"files/photos/odd/{alias}")
    assert not (odd / name).exists()


@pytest.mark.parametrize("character", '*<>?|\x01"')
def test_a_client_cannot_make_a_name_that_windows_forbids(smb: Any, odd: Path, character: str):
    with smb.refused(NtStatus.STATUS_OBJECT_NAME_INVALID):
        smb.write(f"files/photos/odd/a {character} b.txt", b"x")
    assert not list(odd.iterdir())


@pytest.mark.parametrize("name", PLAIN)
def test_every_other_name_is_the_same_on_both_sides(smb: Any, odd: Path, name: str):
    put(odd / name, b"here")
    assert smb.list("files/photos/odd") == [name]
    assert smb.read(f"files/photos/odd/{name}") == b"here"
    smb.remove(f"files/photos/odd/{name}")
    smb.write(f"files/photos/odd/{name}", b"there")
    assert (odd / name).read_bytes() == b"there"


def test_the_longest_name_is_seen_and_opened_but_not_made(smb: Any, odd: Path):
    """The question for another spelling is an extended attribute's name, and 255 bytes hold 227 of it."""
    put(odd / ("a" * 255), b"long")
    assert smb.list("files/photos/odd") == ["a" * 255]
    assert smb.read("files/photos/odd/" + "a" * 255) == b"long"
    with smb.refused(STATUS_INTEGER_OVERFLOW):
        smb.write("files/photos/odd/" + "b" * 228, b"long")


def test_a_name_that_is_not_utf8_hides_nothing_else(smb: Any, odd: Path):
    names = {f"plain {number}.txt" for number in range(50)}
    for name in names:
        (odd / name).touch()
    for number in range(10):
        os.close(os.open(bytes(odd) + b"/latin %d \xe9.txt" % number, os.O_CREAT | os.O_WRONLY))
    assert set(smb.list("files/photos/odd")) == names


def test_a_name_that_differs_in_case_only_is_the_same_for_a_client(smb: Any, workshop: Any):
    smb.write("files/photos/Note.txt", b"one")
    smb.write("files/photos/NOTE.TXT", b"two")
    assert (workshop.root / "Note.txt").read_bytes() == b"two"
    assert not (workshop.root / "NOTE.TXT").exists()
    smb.ask("cd files/photos; rename note.txt NOTE.txt")
    assert smb.list("files/photos", "note*") == ["NOTE.txt"]
    with smb.refused(NtStatus.STATUS_OBJECT_NAME_COLLISION):
        smb.mkdir("FILES/PHOTOS/note.TXT")


def test_of_two_names_that_differ_in_case_each_is_reached_by_its_own(smb: Any, workshop: Any):
    (workshop.root / "a.txt").write_bytes(b"small")
    (workshop.root / "A.txt").write_bytes(b"large")
    assert smb.read("files/photos/a.txt") == b"small"
    assert smb.read("files/photos/A.txt") == b"large"
    assert smb.read("files/photos/A.TXT") in (b"small", b"large")


def test_a_name_that_a_mac_wrote_in_the_other_unicode_form_is_found(smb: Any, workshop: Any):
    (workshop.root / "Cafe\u0301.jpg").write_bytes(b"coffee")
    assert smb.read("files/photos/Cafe\u0301.jpg") == b"coffee"
    assert smb.read("files/photos/Caf\u00e9.jpg") == b"coffee"
