"""New bytes in albums/, tags/ and favorites/ through the real mount, with the programs that people use."""

from __future__ import annotations

import errno
import mmap
import os
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from blake3 import blake3

from havenfs.catalog import Catalog, collections, given
from havenfs.decisions import Keeper
from havenfs.views.uploads.loose import SETTLED_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.fuse

JPEG = b"\xff\xd8\xff\xe0"
MONTH = f"Uploads/{datetime.now().astimezone():%Y/%m}"


class Desk:
    """A mount with an album, its writable source `photos`, and a folder outside."""

    def __init__(self, shelf: Any, point: Path, outside: Path) -> None:
        self.shelf = shelf
        self.point = point
        self.outside = outside
        self.root = shelf.root.parent / "desk"  # the first source, by name, that can be written to
        self.uploads = self.root / MONTH
        self.album = point / "albums/Rome"
        self.album.mkdir()

    def file(self, name: str, data: bytes = JPEG + b"new bytes" * 1000) -> Path:
        path = self.outside / name
        path.write_bytes(data)
        return path

    def members(self) -> set[str]:
        """Hashes of what is in the album, by the catalog."""
        with Catalog(self.shelf.state.catalog) as catalog:
            rome = catalog.read(collections.named, "album", None, "Rome")
            return {str(row[1]) for row in catalog.read(given.rows, "member", collection=rome.uid)}

    def waiting(self) -> list[str]:
        folder = self.root / ".havenfs-uploads"
        return sorted(os.listdir(folder)) if folder.exists() else []


@pytest.fixture
def desk(workshop: Any, tmp_path: Path, serve: Any) -> Iterator[Desk]:
    outside = tmp_path / "outside"
    outside.mkdir()
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        yield Desk(workshop, mount.point, outside)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    result = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=20, cwd=cwd
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def listed(path: Path) -> list[str]:
    """What people put there."""
    return sorted(name for name in os.listdir(path) if name != "README.txt")


def hash_of(data: bytes) -> str:
    return blake3(data).hexdigest()


def refused(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError, match=r"Errno") as caught:
        operation(*arguments)
    assert caught.value.errno == number, caught.value


def test_what_is_copied_in_is_filed_and_in_the_album_at_once_with_its_time(desk: Desk) -> None:
    data = JPEG + os.urandom(3_000_000)
    photo = desk.file("photo.jpg", data)
    os.utime(photo, ns=(1_500_000_000_123_456_789, 1_500_000_000_123_456_789))
    run("cp", "-p", photo, desk.album)
    assert (desk.album / "photo.jpg").read_bytes() == data
    assert (desk.album / "photo.jpg").stat().st_mtime_ns == 1_500_000_000_123_456_789
    assert listed(desk.album) == ["photo.jpg"]
    assert (desk.uploads / "photo.jpg").read_bytes() == data
    assert (desk.uploads / "photo.jpg").stat().st_mtime_ns == 1_500_000_000_123_456_789
    assert desk.members() == {hash_of(data)}
    assert (desk.point / "by-date/_undated/photo.jpg").read_bytes() == data
    assert desk.waiting() == []
    assert "1 file put into the album" in (desk.point / ".haven/undo").read_text().splitlines()[0]


def test_each_program_that_copies_is_understood(desk: Desk) -> None:
    wanted: set[str] = set()
    for name in ("cp", "reflink", "dd", "rsync", "inplace", "mv", "shell", "tar"):
        data = JPEG + name.encode() * 50_000
        photo = desk.file(f"{name}.jpg", data)
        wanted.add(hash_of(data))
        target = desk.album / photo.name
        if name == "cp":
            run("cp", photo, target)
        elif name == "reflink":
            run("cp", "--reflink=auto", "-a", photo, target)
        elif name == "dd":
            run("dd", f"if={photo}", f"of={target}", "bs=7000", "status=none")
        elif name == "rsync":
            run("rsync", "-t", photo, f"{desk.album}/")
        elif name == "inplace":
            run("rsync", "-a", "--inplace", photo, f"{desk.album}/")
        elif name == "mv":
            run("mv", photo, target)
        elif name == "shell":
            run("sh", "-c", f"(head -c 1000 {photo}; tail -c +1001 {photo}) > {target}")
        else:
            run("tar", "cf", desk.outside / "all.tar", photo.name, cwd=desk.outside)
            run("tar", "xf", desk.outside / "all.tar", cwd=desk.album)
        assert target.read_bytes() == data, name
        assert (desk.uploads / photo.name).read_bytes() == data, name
    assert wanted <= desk.members()
    assert len(listed(desk.album)) == 8
    assert desk.waiting() == []


XMP = """<?xml version="1.0"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>
"""


@pytest.mark.parametrize("first", ["picture", "sidecar"])
def test_sidecars_come_along_with_their_pictures_in_any_order(desk: Desk, first: str) -> None:
    desk.uploads.mkdir(parents=True)
    (desk.uploads / "b.jpg").write_bytes(JPEG + b"another one of that name" * 100)
    pictures = [desk.file(f"{stem}.jpg", JPEG + os.urandom(9000)) for stem in "abcd"]
    sidecars = [
        desk.outside / name for name in ("a.jpg.xmp", "b.jpg.xmp", "c.xmp", "d.AAE", "d.jpg.json")
    ]
    for path in sidecars:
        path.write_text('{"title": "d.jpg"}' if path.suffix == ".json" else XMP + path.name)
    order = [pictures, sidecars] if first == "picture" else [sidecars, pictures]
    for paths in order:
        run("cp", "-a", *paths, f"{desk.album}/")
    for name in ("a.jpg.xmp", "b (2).jpg.xmp", "c.xmp", "d.AAE", "d.jpg.json"):
        lies = desk.uploads / name
        assert lies.read_text() == (desk.outside / name.replace(" (2)", "")).read_text(), name
    assert (desk.uploads / "b (2).jpg").read_bytes() == pictures[1].read_bytes()
    assert not (desk.uploads / "b.jpg.xmp").exists(), "that would be the other one's"
    assert desk.waiting() == []
    run("rm", "-r", desk.album)
    assert len(list(desk.uploads.iterdir())) == 10, "originals stay"


def test_what_lies_beside_a_picture_that_is_known_is_no_mistake(desk: Desk) -> None:
    data = JPEG + os.urandom(9000)
    run("cp", desk.file("a.jpg", data), desk.album)
    (desk.point / "albums/Other").mkdir()
    (desk.outside / "a.jpg.xmp").write_text(XMP)
    run("cp", "-a", desk.outside / "a.jpg", desk.outside / "a.jpg.xmp", desk.point / "albums/Other")
    assert [path.name for path in desk.uploads.iterdir()] == ["a.jpg"]
    run("rm", "-r", desk.point / "albums/Other")
    assert desk.waiting() == []
    (desk.outside / "a.bin").write_bytes(b"\0\1\2" * 100)
    refused(errno.EINVAL, lambda: (desk.album / "a.bin").write_bytes(b"\0\1\2" * 100))


def test_a_folder_comes_along_with_its_attributes_and_nobody_complains(desk: Desk) -> None:
    """What the folder is already and its times are taken; another mode would be a lie, because nobody keeps it."""
    for number, command in enumerate((["cp", "-a"], ["mv"], ["rsync", "-a"], ["cp", "-rp"])):
        day = desk.outside / f"day {number}"
        day.mkdir()
        (day / f"{number}.jpg").write_bytes(JPEG + b"%d" % number * 5000)
        os.utime(day, (5, 5))
        done = subprocess.run(
            [*command, day, desk.album], capture_output=True, text=True, timeout=20
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        assert listed(desk.album / day.name) == [f"{number}.jpg"]
    run("rsync", "-a", f"{desk.outside}/day 0/", f"{desk.album}/")
    assert listed(desk.album) == ["0.jpg", "day 0", "day 1", "day 2", "day 3"]
    refused(errno.EPERM, os.chmod, desk.album, 0o700)
    refused(errno.EPERM, os.chown, desk.album, 1234, 1234)
    refused(errno.EPERM, os.utime, desk.point / "types", (5, 5))
    (desk.point / "inbox/day").mkdir()
    os.utime(desk.point / "inbox", (5, 5))
    os.chmod(desk.point / "inbox", 0o750)
    found = (desk.root / "Inbox").stat()
    assert (found.st_mtime, found.st_mode & 0o777) == (5, 0o750)  # a real directory


def test_a_file_is_written_in_any_order_and_read_back_before_it_is_filed(desk: Desk) -> None:
    target = desk.album / "holes.jpg"
    handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    os.ftruncate(handle, 1 << 20)
    os.pwrite(handle, b"the end", 900_000)
    assert target.stat().st_size == 1 << 20
    assert desk.members() == set()
    with mmap.mmap(handle, 1 << 20) as mapped:
        mapped[:4] = JPEG
        mapped.flush()
    assert os.pread(handle, 7, 900_000) == b"the end"
    assert target.read_bytes()[:4] == JPEG
    os.utime(handle, ns=(5_000_000_000, 5_000_000_000))
    os.close(handle)
    data = (desk.uploads / "holes.jpg").read_bytes()
    assert (len(data), data[:4], data[900_000:900_007]) == (1 << 20, JPEG, b"the end")
    assert (desk.uploads / "holes.jpg").stat().st_mtime == 5
    assert desk.members() == {hash_of(data)}


def test_what_is_no_photo_video_or_document_is_refused_at_close_and_leaves_nothing(
    desk: Desk,
) -> None:
    program = desk.file("program", b"\x7fELF" + bytes(1000))
    result = subprocess.run(["cp", program, desk.album], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "Invalid argument" in result.stderr
    assert listed(desk.album) == []
    assert not (desk.album / "program").exists()
    assert "program cannot be put into a folder" in (desk.point / ".haven/errors").read_text()
    assert desk.waiting() == []
    assert not desk.uploads.exists()
    refused(errno.EPERM, (desk.point / "albums/photo.jpg").write_bytes, JPEG)
    refused(errno.EPERM, (desk.point / "by-date/2019/07/photo.jpg").write_bytes, JPEG)


def test_bytes_that_the_library_has_are_kept_once(desk: Desk) -> None:
    data = JPEG + b"one copy" * 9000
    (desk.point / "files/photos/known.jpg").write_bytes(data)
    run("cp", desk.file("another name.jpg", data), desk.album)
    assert (desk.album / "another name.jpg").read_bytes() == data
    assert desk.members() == {hash_of(data)}
    run("cp", desk.point / "by-date/_undated/known.jpg", desk.point / "favorites")
    assert listed(desk.point / "favorites") == ["known.jpg"]
    assert not desk.uploads.exists()


def test_a_copy_of_known_bytes_takes_attributes_like_the_picture_that_it_is(desk: Desk) -> None:
    (desk.point / "files/photos/known.jpg").write_bytes(JPEG + b"one copy" * 9000)
    run("cp", desk.point / "by-date/_undated/known.jpg", desk.album)
    os.setxattr(desk.album / "known.jpg", "user.xdg.comment", b"Nelly")
    assert os.getxattr(desk.point / "by-date/_undated/known.jpg", "user.xdg.comment") == b"Nelly"


def test_what_is_undone_at_once_is_gone_at_once_and_a_mate_has_its_time_set(desk: Desk) -> None:
    (desk.album / "soon.jpg").write_bytes(JPEG + b"soon")
    assert listed(desk.album) == ["soon.jpg"]
    keeper = Keeper(desk.shelf.catalog, desk.shelf.state.journal)
    keeper.revert(keeper.last(1)[0].operation.id, by="me")
    assert listed(desk.album) == []
    (desk.album / "soon.jpg").write_bytes(JPEG + b"soon")
    assert listed(desk.album) == ["soon.jpg"]
    assert desk.members() == {hash_of(JPEG + b"soon")}
    assert listed(desk.uploads) == ["soon.jpg"]
    (desk.album / "soon.jpg").unlink()
    raw = b"II*\x00\x10\x00\x00\x00CR\x02\x00" + b"raw" * 1000
    for name, data in (("IMG_7.jpg", JPEG + b"seven"), ("IMG_7.cr2", raw)):
        desk.file(name, data)
        os.utime(desk.outside / name, (9, 9))
    run("tar", "cf", desk.outside / "pair.tar", "IMG_7.cr2", "IMG_7.jpg", cwd=desk.outside)
    run("tar", "xf", desk.outside / "pair.tar", cwd=desk.album)
    assert {path.stat().st_mtime for path in desk.uploads.glob("IMG_7.*")} == {9}
    assert len(desk.members()) == 2


RAW = b"II*\x00\x10\x00\x00\x00CR\x02\x00" + b"raw" * 1000
PAIR = {"DSC_2.CR2": RAW, "DSC_2.JPG": JPEG + b"two" * 1000}


@pytest.fixture
def pair(desk: Desk) -> Path:
    """Where the library has a RAW and its JPEG."""
    for name, data in PAIR.items():
        (desk.point / "files/photos" / name).write_bytes(data)
    assert set(PAIR) <= set(listed(desk.point / "by-date/_undated/@all-files"))
    assert "DSC_2.CR2" not in listed(desk.point / "by-date/_undated")
    return desk.point / "files/photos"


@pytest.mark.parametrize("names", [list(PAIR), list(reversed(PAIR))], ids=["raw", "jpeg"])
@pytest.mark.parametrize(
    "copy",
    [
        ["cp"],
        ["cp", "-p"],
        ["rsync", "-a", "--no-owner", "--no-group"],
        ["rsync", "--inplace"],
        ["mv"],
    ],
    ids=" ".join,
)
def test_a_raw_and_its_jpeg_that_the_library_has_are_copied_in_one_after_the_other(
    desk: Desk, pair: Path, copy: list[str], names: list[str]
) -> None:
    for name in names:  # each is closed before the next is begun
        run(*copy, desk.file(name, PAIR[name]), desk.album)
    assert listed(desk.album) == ["DSC_2.JPG"]
    assert desk.members() == {hash_of(PAIR["DSC_2.JPG"])}
    assert not desk.uploads.exists()
    for name, data in PAIR.items():  # who has copied them may compare them
        assert (desk.album / name).read_bytes() == data
    run("rm", "-r", desk.album)
    assert listed(desk.point / "albums") == []
    assert set(PAIR) <= set(listed(pair))


def test_a_raw_and_its_jpeg_that_are_new_are_one_in_the_album_and_go_with_it(desk: Desk) -> None:
    for names in (list(PAIR), list(reversed(PAIR))):
        for name in names:
            run("cp", desk.file(name, PAIR[name] + names[0].encode()), desk.album)
        assert listed(desk.album) == ["DSC_2.JPG"]
        assert len(desk.members()) == 2
        run("rm", "-r", desk.album)
        assert listed(desk.point / "albums") == []
        desk.album.mkdir()


def test_a_raw_alone_brings_the_stack_that_the_library_has(
    desk: Desk, pair: Path, until: Callable[..., float]
) -> None:
    raw, jpeg = desk.album / "DSC_2.CR2", desk.album / "DSC_2.JPG"
    run("cp", pair / "DSC_2.CR2", desk.album)
    assert listed(desk.album) == ["DSC_2.CR2"]
    assert desk.members() == {hash_of(PAIR["DSC_2.JPG"])}
    assert not jpeg.exists()  # that name is free as long as its writer may want it
    run("rm", raw)
    assert listed(desk.album) == []
    assert desk.members() == set()
    run("cp", pair / "DSC_2.CR2", desk.album)
    until(lambda: listed(desk.album) == ["DSC_2.JPG"], SETTLED_S + 5)
    run("cp", pair / "DSC_2.CR2", desk.album)  # what is here already is called as it was
    assert listed(desk.album) == ["DSC_2.JPG"]
    assert jpeg.read_bytes() == PAIR["DSC_2.JPG"]
    assert raw.read_bytes() == PAIR["DSC_2.CR2"]
    run("rm", raw)
    assert listed(desk.album) == ["DSC_2.JPG"]
    run("rm", jpeg)
    assert desk.members() == set()


def test_each_of_two_names_of_the_same_bytes_can_be_copied(desk: Desk) -> None:
    data = JPEG + b"one copy" * 9000
    (desk.point / "files/photos/known.jpg").write_bytes(data)
    for name in ("known (1).jpg", "known.jpg"):
        run("cp", desk.file(name, data), desk.album)
    assert desk.members() == {hash_of(data)}
    run("rm", "-r", desk.album)
    assert listed(desk.point / "albums") == []


def test_an_upload_becomes_an_asset_like_others_and_a_taken_name_another_one(
    desk: Desk, until: Callable[..., float]
) -> None:
    data = JPEG + b"the other IMG_0001"
    for _ in range(2):
        run("cp", desk.file("IMG_0001.jpg", data), desk.album)
        run("rm", desk.album / "IMG_0001.jpg")
        assert listed(desk.album) == []
    other = JPEG + b"and one more"
    run("cp", desk.file("IMG_0001.jpg", other), desk.album)
    (desk.album / "IMG_0001.jpg").write_bytes(other + b"!")  # its writer's still
    assert listed(desk.uploads) == ["IMG_0001 (2).jpg", "IMG_0001.jpg"]
    assert listed(desk.album) == ["IMG_0001.jpg"]
    until(lambda: listed(desk.album) != ["IMG_0001.jpg"], SETTLED_S + 5)
    (name,) = listed(desk.album)
    assert name == "IMG_0001 (2).jpg"  # as it is called in files/
    assert (desk.album / name).read_bytes() == other + b"!"
    assert hash_of(other + b"!") in desk.members()
    refused(errno.EPERM, (desk.album / name).write_bytes, b"x")


def test_litter_lives_beside_files_and_nowhere_else(desk: Desk) -> None:
    for name in (
        "._photo.jpg",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "~$letter.docx",
        ".~lock.a.odt#",
    ):
        (desk.album / name).write_bytes(b"notes of a system" * 10)
        assert (desk.album / name).read_bytes() == b"notes of a system" * 10
    (desk.point / "albums/.DS_Store").write_bytes(b"order")
    (desk.point / "tags/Thumbs.db").write_bytes(b"order")
    (desk.point / "favorites/._x").write_bytes(b"order")
    assert len(listed(desk.album)) == 6
    os.rename(desk.album / "desktop.ini", desk.album / ".desktop.old")
    os.remove(desk.album / ".desktop.old")
    for name in listed(desk.album):
        os.remove(desk.album / name)
    assert listed(desk.album) == []
    assert desk.waiting() == []
    assert not desk.uploads.exists()
    refused(errno.EFBIG, os.truncate, desk.point / "tags/Thumbs.db", 1 << 30)
    refused(errno.EPERM, os.mkdir, desk.album / ".Trash-1000")
    assert not (desk.point / "search/Thumbs.db").exists()


def test_a_program_that_saves_under_a_passing_name_first_files_at_the_rename(desk: Desk) -> None:
    passing, data = desk.album / "letter.pdf.part", b"%PDF-1.4 " + b"x" * 5000
    passing.write_bytes(data)
    os.utime(passing, ns=(7_000_000_000, 7_000_000_000))
    assert desk.members() == set()
    os.rename(passing, desk.album / "letter.pdf")
    assert listed(desk.album) == ["letter.pdf"]
    assert (desk.uploads / "letter.pdf").read_bytes() == data
    assert (desk.uploads / "letter.pdf").stat().st_mtime == 7
    assert desk.members() == {hash_of(data)}
    (desk.album / "4913").write_bytes(b"")
    (desk.album / "no media.tmp").write_bytes(b"\x00\x01")
    refused(errno.EINVAL, os.rename, desk.album / "no media.tmp", desk.album / "no media.jpg")
    assert listed(desk.album) == ["4913", "letter.pdf", "no media.tmp"]
    run("cp", "-l", desk.point / "by-date/2019/07/IMG_0002.jpg", desk.album)
    (desk.album / ".IMG_0002.jpg.a1B2c3").write_bytes(JPEG + b"edited")
    refused(
        errno.EPERM, os.rename, desk.album / ".IMG_0002.jpg.a1B2c3", desk.album / "IMG_0002.jpg"
    )


def test_nothing_can_be_put_where_no_source_can_be_written(
    household: Any, tmp_path: Path, serve: Any
) -> None:
    with serve(household.state.root, tmp_path / "mnt") as mount:
        (mount.point / "albums/Rome").mkdir()
        refused(errno.EROFS, (mount.point / "albums/Rome/new.jpg").write_bytes, JPEG)
        assert "--writable" in (mount.point / ".haven/errors").read_text()
        (mount.point / "albums/Rome/.DS_Store").write_bytes(b"order")


def test_a_kill_amid_uploads_leaves_whole_files_with_their_albums_or_nothing(
    workshop: Any, tmp_path: Path, serve: Any
) -> None:
    root = workshop.root.parent / "desk"
    for attempt in range(6):
        with serve(workshop.state.root, tmp_path / f"mnt{attempt}") as mount:
            album = mount.point / f"albums/Kill {attempt}"
            album.mkdir()
            script = (
                "import sys, os\n"
                "for i in range(10000):\n"
                "    with open(f'{sys.argv[1]}/k%d-{sys.argv[2]}.jpg' % i, 'wb') as f:\n"
                "        f.write(b'\\xff\\xd8\\xff\\xe0' + b'%06d%s' % (i, sys.argv[2].encode()) * 30000)\n"
                "    print(i, flush=True)\n"
            )
            writer = subprocess.Popen(
                ["python3", "-c", script, str(album), str(attempt)],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            time.sleep(0.25 + 0.11 * attempt)
            os.killpg(mount.process.pid, signal.SIGKILL)
            mount.process.wait(10)
            subprocess.run(
                ["umount", "-l", mount.point], check=False, timeout=10, capture_output=True
            )
            told = len(writer.communicate(timeout=20)[0].split())
        with serve(workshop.state.root, tmp_path / f"again{attempt}") as mount:
            shown = [
                mount.point / f"albums/Kill {attempt}" / n
                for n in listed(mount.point / f"albums/Kill {attempt}")
            ]
            originals = (
                {path.read_bytes() for path in (root / MONTH).glob(f"k*-{attempt}.jpg")}
                if (root / MONTH).exists()
                else set()
            )
            assert {path.read_bytes() for path in shown} == originals
            assert told <= len(shown) <= told + 1
            assert {len(data) for data in originals} <= {4 + 30000 * (6 + len(str(attempt)))}
            assert not (root / ".havenfs-uploads").exists()


@pytest.mark.parametrize("transport", ["direct"], indirect=True)
def test_an_upload_goes_on_when_the_server_dies_amid_it(
    workshop: Any, tmp_path: Path, serve: Any, until: Callable[..., float]
) -> None:
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        children = Path(f"/proc/{mount.process.pid}/task/{mount.process.pid}/children")
        (mount.point / "albums/Rome").mkdir()
        target = mount.point / "albums/Rome/long.jpg"
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(handle, JPEG + b"first" * 100_000)
        for number in range(3):
            before = children.read_text().split()[0]
            os.kill(int(before), signal.SIGKILL)
            until(lambda before=before: children.read_text().split()[:1] not in ([], [before]), 10)
            os.write(handle, b"second %d" % number * 50_000)
        os.close(handle)
        data = target.read_bytes()
        assert data == JPEG + b"first" * 100_000 + b"".join(
            b"second %d" % number * 50_000 for number in range(3)
        )
        root = workshop.root.parent / "desk"
        assert (root / MONTH / "long.jpg").read_bytes() == data
        assert os.listdir(root / ".havenfs-uploads") == []
        assert listed(mount.point / "albums/Rome") == ["long.jpg"]
