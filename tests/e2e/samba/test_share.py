"""What a client of the share sees and may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from smbprotocol.header import NtStatus

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba]

MEDIA_WRITE_PROTECTED = 0xC00000A2  # smbprotocol does not name it
READ_ONLY = (NtStatus.STATUS_ACCESS_DENIED, MEDIA_WRITE_PROTECTED)


def test_the_share_lists_reads_respells_and_searches(smb: Any, workshop: Any, tmp_path: Path):
    top = smb.ask("ls")
    for name in ("by-date", "files", "places", "search", "types"):
        assert name in top
    original = (workshop.root / "2019/rome/IMG_0001.jpg").read_bytes()
    assert "getting file" in smb.ask("get by-date/2019/07/IMG_0001.jpg one.jpg", cwd=tmp_path)
    assert (tmp_path / "one.jpg").read_bytes() == original
    assert "getting file" in smb.ask("get BY-DATE/2019/07/img_0001.JPG two.jpg", cwd=tmp_path)
    assert (tmp_path / "two.jpg").read_bytes() == original
    assert smb.read("FILES/PHOTOS/2019/Rome/Img_0001.jpg") == original
    assert "NOT_FOUND" in smb.ask("get by-date/2019/07/desktop.ini none", cwd=tmp_path)
    assert smb.list("search/fountain") == ["IMG_0001.jpg"]
    assert smb.list("Search/FOUNTAIN") == ["IMG_0001.jpg"]
    assert smb.list("search/fountain/@places/Italy/Rome") == ["IMG_0001.jpg"]


def test_a_view_refuses_and_says_so(smb: Any, tmp_path: Path):
    (tmp_path / "new.jpg").write_bytes(b"new")
    assert "ACCESS_DENIED" in smb.ask("put new.jpg by-date/new.jpg", cwd=tmp_path)
    assert "ACCESS_DENIED" in smb.ask("put new.jpg by-date/2019/07/new.jpg", cwd=tmp_path)
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.write("by-date/2019/07/IMG_0001.jpg", b"other")
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.open("types/photos/IMG_0001.jpg", "r+b")
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.remove("places/Italy/Rome/IMG_0001.jpg")
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.rename("by-date/2019/07/IMG_0001.jpg", "by-date/2019/07/other.jpg")
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.mkdir("types/mine")
    with smb.refused(NtStatus.STATUS_OBJECT_NAME_COLLISION):
        smb.mkdir("search/there already")
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.write("by-date/.DS_Store", b"Finder")
    assert smb.list("by-date/2019/07") == ["IMG_0001.jpg", "IMG_0002.jpg"]


def test_files_is_a_disk(smb: Any, workshop: Any):
    (workshop.root / "2019").chmod(0o777)
    smb.write("files/photos/new.bin", b"first")
    assert (workshop.root / "new.bin").read_bytes() == b"first"
    with smb.open("files/photos/new.bin", "ab") as file:
        file.write(b", second")
    with smb.open("files/photos/new.bin", "r+b") as file:
        file.seek(5)
        file.write(b"!")
    assert (workshop.root / "new.bin").read_bytes() == b"first! second"
    smb.mkdir("files/photos/made")
    smb.rename("files/photos/new.bin", "files/photos/made/moved.bin")
    assert smb.list("files/photos/made") == ["moved.bin"]
    smb.rename("files/photos/made", "files/photos/2019/made")
    assert (workshop.root / "2019/made/moved.bin").read_bytes() == b"first! second"
    smb.remove("files/photos/2019/made/moved.bin")
    smb.rmdir("files/photos/2019/made")
    assert not (workshop.root / "2019/made").exists()


def test_what_is_made_has_the_rights_of_its_folder_and_no_right_to_execute(smb: Any, workshop: Any):
    (workshop.root / "family").mkdir()
    (workshop.root / "family").chmod(0o777)
    smb.write("files/photos/family/note.txt", b"x")
    smb.mkdir("files/photos/family/inner")
    assert (workshop.root / "family/note.txt").stat().st_mode & 0o7777 == 0o666
    assert (workshop.root / "family/inner").stat().st_mode & 0o7777 == 0o777


def test_a_read_only_source_is_read_only(smb: Any):
    assert smb.read("files/archive/1999/negative.jpg")
    with smb.refused(*READ_ONLY):
        smb.write("files/archive/1999/new.jpg", b"x")
    with smb.refused(*READ_ONLY):
        smb.remove("files/archive/1999/negative.jpg")


def test_the_rights_of_the_disk_hold(smb: Any, workshop: Any):
    secret = workshop.root / "secret.txt"
    secret.write_bytes(b"mine")
    secret.chmod(0o600)
    (workshop.root / "closed").mkdir(mode=0o755)
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.read("files/photos/secret.txt")
    with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
        smb.write("files/photos/closed/new.txt", b"x")


def test_delete_on_close_deletes_at_the_last_close(smb: Any, workshop: Any):
    smb.write("files/photos/temporary", b"x")
    first = smb.open("files/photos/temporary")
    smb.remove("files/photos/temporary")  # smbprotocol opens it with FILE_DELETE_ON_CLOSE
    assert first.read() == b"x"
    with smb.refused(NtStatus.STATUS_DELETE_PENDING):
        smb.read("files/photos/temporary")
    assert (workshop.root / "temporary").exists()
    first.close()
    assert not (workshop.root / "temporary").exists()
    with smb.refused(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND):
        smb.stat("files/photos/temporary")


def test_a_file_that_one_client_appends_to_grows_for_another(smb: Any, tmp_path: Path):
    with smb.open("files/desk/log", "ab") as writer, smb.open("files/desk/log") as reader:
        for number in range(20):
            line = b"line %03d\n" % number
            writer.write(line)
            writer.flush()
            # On the wire: the file object believes the size that it met.
            assert reader.raw.fd.read(9 * number, 9) == line
            assert smb.stat("files/desk/log").st_size == 9 * (number + 1)
        assert "getting file" in smb.ask("get files/desk/log log", cwd=tmp_path)
    assert (tmp_path / "log").read_bytes().count(b"\n") == 20


def test_a_file_that_a_local_program_appends_to_grows(smb: Any, point: Path, workshop: Any):
    smb.write("files/photos/log", b"")
    with (point / "files/photos/log").open("ab", buffering=0) as writer:
        for number in range(20):
            writer.write(b"line\n")
            assert len(smb.read("files/photos/log")) == 5 * (number + 1)


def test_a_hole_is_read_as_zeros_and_a_cut_file_is_short(smb: Any, workshop: Any):
    with smb.open("files/desk/sparse", "wb") as file:
        file.seek(3 << 20)
        file.write(b"end")
    assert smb.read("files/desk/sparse") == bytes(3 << 20) + b"end"
    with smb.open("files/desk/sparse", "r+b") as file:
        file.truncate(2)
    assert smb.read("files/desk/sparse") == bytes(2)


def test_finder_keeps_its_files_in_files(smb: Any, workshop: Any, tmp_path: Path):
    """What a Finder copy does over SMB: the file, its AppleDouble, the folder's .DS_Store, and the way back."""
    double = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(60)
    smb.write("files/photos/._pic.jpg", double)
    smb.write("files/photos/pic.jpg", b"picture")
    smb.write("files/photos/._pic.jpg", double + b"again")
    smb.write("files/photos/.DS_Store", b"\0\0\0\1Bud1")
    assert (workshop.root / "._pic.jpg").read_bytes() == double + b"again"
    assert {".DS_Store", "._pic.jpg", "pic.jpg"} <= set(smb.list("files/photos"))
    assert smb.stat("files/photos/._pic.jpg").st_file_attributes & 2  # hidden, for Windows
    assert not smb.stat("files/photos/pic.jpg").st_file_attributes & 2
    assert "getting file" in smb.ask('get "files/photos/._pic.jpg" double', cwd=tmp_path)
    smb.rename("files/photos/pic.jpg", "files/photos/moved.jpg")
    smb.rename("files/photos/._pic.jpg", "files/photos/._moved.jpg")
    smb.remove("files/photos/moved.jpg")
    smb.remove("files/photos/._moved.jpg")
    assert not {"._moved.jpg", "moved.jpg"} & set(smb.list("files/photos"))


def test_ten_thousand_entries_are_listed_by_either_client(smb: Any, workshop: Any):
    names = {f"DSC_{number:05}.jpg" for number in range(10_000)}
    (workshop.root / "many").mkdir()
    for name in names:
        (workshop.root / "many" / name).touch()
    assert set(smb.list("files/photos/many")) == names
    assert smb.ask("cd files/photos/many; ls").count("DSC_") == 10_000
    assert smb.list("files/photos/many", "DSC_0123*") == [f"DSC_0123{i}.jpg" for i in range(10)]
