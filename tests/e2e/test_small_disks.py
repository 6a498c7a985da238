"""Disks that are full, and disks that can do little: what people put there is whole or refused with the disk's own word."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import trio
from blake3 import blake3

from havend.credentials import Acting
from havend.sidecars import Writing
from havenfs.catalog import collections, given
from havenfs.decisions import Keeper, values
from havenfs.entities import Caller, Source, SourceId
from havenfs.originals import staging
from havenfs.settings import Sidecars
from havenfs.views.uploads.loose import SETTLED_S

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from io import FileIO
    from pathlib import Path

pytestmark = pytest.mark.fuse

JPEG = b"\xff\xd8\xff\xe0"
MONTH = f"Uploads/{datetime.now().astimezone():%Y/%m}"
ROOM = 4 << 20


def run(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def tmpfs(place: Path) -> Generator[None]:
    run("mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=777", "full", place)
    try:
        yield
    finally:
        run("umount", "--lazy", place)


@contextmanager
def image(place: Path, size: int, *make: str) -> Generator[str]:
    """A device that is a file beside *place*, with the file system that *make* makes."""
    file = place.with_suffix(".img")
    file.touch()
    os.truncate(file, size)
    run(*make, file)
    device = run("losetup", "--find", "--show", file).strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@contextmanager
def exfat(place: Path) -> Generator[None]:
    """A stick: no owners, no modes, no links, no attributes, and numbers of files that change."""
    with image(place, 64 << 20, "mkfs.exfat") as device:
        run("mount.exfat-fuse", device, place)
        try:
            yield
        finally:
            run("umount", "--lazy", place)


@contextmanager
def quota(place: Path) -> Generator[None]:
    """Four MiB of a disk that has room. Of btrfs, because quotas of ext4 and tmpfs need more of a kernel than some are built with."""
    with image(place, 256 << 20, "mkfs.btrfs", "--quiet") as device:
        run("mount", device, place)
        try:
            run("btrfs", "quota", "enable", place)
            run("btrfs", "subvolume", "create", place / "desk")
            run("btrfs", "qgroup", "limit", str(ROOM), place / "desk")
            run("mount", "--bind", place / "desk", place)
            try:
                place.chmod(0o777)
                yield
            finally:
                run("umount", "--lazy", place)
        finally:
            run("umount", "--lazy", place)


@contextmanager
def reserving(place: Path) -> Generator[None]:
    """A disk of which a fifth is root's."""
    with image(place, 40 << 20, "mkfs.ext4", "-q", "-m", "20") as device:
        run("mount", device, place)
        try:
            place.chmod(0o777)
            yield
        finally:
            run("umount", "--lazy", place)


_FILLING = """
import errno, os, sys
place, first = sys.argv[1], int(sys.argv[2])
os.setgroups([])
os.setuid(int(sys.argv[3]))
here, there = (os.open(f"{place}/{name}", os.O_RDWR | os.O_CREAT) for name in "ab")
done = 0
try:
    while not first or done < first:
        done += os.write(here, bytes(1 << 16))
    while copied := os.copy_file_range(here, there, 1 << 16, done % first, done - first):
        done += copied
except OSError as error:
    assert error.errno == errno.ENOSPC, error
print(done)
for descriptor, name in ((here, "a"), (there, "b")):
    os.close(descriptor)
    os.unlink(f"{place}/{name}")
"""


def fit(place: Path, user: int, first: int = 0) -> int:
    """How many bytes a user can write to a disk until it is full: by write(2), or only so many, then by copy_file_range(2)."""
    done = subprocess.run(
        [sys.executable, "-c", _FILLING, place, str(first), str(user)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.usefixtures("open_house")
def test_what_a_disk_reserves_for_root_is_for_nobody_else(
    workshop: Any, tmp_path: Path, serve: Any, transport: str
) -> None:
    disk, somebody, most = tmp_path / "desk", 4711, 1 << 20
    with reserving(disk), serve(workshop.state.root, tmp_path / "mnt") as mount:
        desk = mount.point / "files/desk"
        room = fit(disk, somebody)
        assert fit(disk, 0) > room + 4 * most
        assert room - most < fit(desk, somebody) < room + most
        assert room - most < fit(desk, somebody, 8 << 20) < room + most
        if transport == "direct":  # the other one knows no fallocate
            assert fit(desk, 0) < room + most  # passed through, it is done as nobody
            command = ["fallocate", "--length", str(room + 2 * most), desk / "large"]
            done = subprocess.run(
                command, user=somebody, capture_output=True, text=True, timeout=30, check=False
            )
            assert "No space left" in done.stderr
            (desk / "large").unlink()
            run(*command)
            (desk / "large").unlink()
        else:
            assert fit(desk, 0) > room + 4 * most


def test_what_is_reserved_for_root_is_no_room_for_the_rest_of_an_upload(tmp_path: Path) -> None:
    place = tmp_path / "desk"
    place.mkdir()
    source = Source(id=SourceId(1), name="desk", root=os.fsencode(place), writable=True)
    with reserving(place):
        somebody = Acting(Caller(4711, 4711, 0))
        waiting, descriptor = staging.make(source, 0o600, somebody)
        os.close(descriptor)
        staging.check_room(source, somebody)
        with (place / "large").open("wb") as file:
            found = os.statvfs(place)
            os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_bsize)
        with pytest.raises(OSError, match="No space left"):
            staging.check_room(source, somebody)
        assert everything(place) == sorted(["large", os.fsdecode(waiting)])


@pytest.fixture
def full(household: Any, tmp_path: Path, serve: Any) -> Iterator[tuple[Path, Path]]:
    """A mount whose uploads go to a disk of four MiB, and that disk."""
    disk = tmp_path / "desk"
    household.source("desk", disk, writable=True)
    with tmpfs(disk), serve(household.state.root, tmp_path / "mnt") as mount:
        (mount.point / "albums/Rome").mkdir()
        yield mount.point, disk


def everything(disk: Path) -> list[str]:
    return sorted(str(path.relative_to(disk)) for path in disk.rglob("*") if path.is_file())


def members(household: Any) -> int:
    rome = household.catalog.read(collections.named, "album", None, "Rome")
    return len(household.catalog.read(given.rows, "member", collection=rome.uid))


def test_an_upload_to_a_full_disk_is_refused_whole_and_the_next_one_works(
    full: tuple[Path, Path], household: Any, until: Callable[..., float]
) -> None:
    point, disk = full
    album = point / "albums/Rome"
    data = JPEG + os.urandom(3 << 20)
    (album / "first.jpg").write_bytes(data)
    assert everything(disk) == [f"{MONTH}/first.jpg"]
    with pytest.raises(OSError, match="No space left") as caught:
        (album / "second.jpg").write_bytes(JPEG + os.urandom(3 << 20))
    assert caught.value.errno == errno.ENOSPC
    (album / "second.jpg").unlink(missing_ok=True)
    assert os.listdir(album) == ["first.jpg"]
    assert everything(disk) == [f"{MONTH}/first.jpg"]
    assert members(household) == 1
    done = subprocess.run(
        ["cp", point / "files/desk" / MONTH / "first.jpg", point / "files/desk/copy.jpg"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert "No space left" in done.stderr
    (disk / "copy.jpg").unlink()
    (point / "files/desk" / MONTH / "first.jpg").unlink()  # to the trash: it is as full as before
    with pytest.raises(OSError, match="No space left"):
        (album / "third.jpg").write_bytes(JPEG + os.urandom(3 << 20))
    (album / "third.jpg").unlink(missing_ok=True)
    run("rm", "-r", *(point / "trash").glob("2*"))
    third = JPEG + os.urandom(3 << 20)
    until(
        lambda: os.statvfs(disk).f_bfree * 4096 > 3 << 20, SETTLED_S + 5
    )  # its writer may want it
    (album / "third.jpg").write_bytes(third)
    assert (disk / MONTH / "third.jpg").read_bytes() == third
    assert everything(disk) == [f"{MONTH}/third.jpg"]


def test_what_does_not_fit_leaves_nothing_behind_when_its_writer_gives_up(
    full: tuple[Path, Path], household: Any
) -> None:
    """`cp` leaves what it could not write, and rsync removes it; neither may be half a picture in an album."""
    point, disk = full
    large = disk.parent / "large.jpg"
    large.write_bytes(JPEG + os.urandom(6 << 20))
    for command in (
        ["cp", large, point / "albums/Rome"],
        ["rsync", large, f"{point}/albums/Rome/"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert "No space left" in done.stderr
    assert members(household) == 0
    small = JPEG + b"small" * 1000
    (point / "albums/Rome/small.jpg").write_bytes(small)
    assert (disk / MONTH / "small.jpg").read_bytes() == small


@pytest.fixture
def allotted(household: Any, tmp_path: Path, serve: Any) -> Iterator[tuple[Path, Path]]:
    """A mount whose uploads go to a disk with a quota of four MiB, and that disk."""
    disk = tmp_path / "desk"
    household.source("desk", disk, writable=True)
    with quota(disk), serve(household.state.root, tmp_path / "mnt") as mount:
        (mount.point / "albums/Rome").mkdir()
        yield mount.point, disk


def test_what_a_quota_refuses_is_refused_whole_and_the_next_one_works(
    allotted: tuple[Path, Path], household: Any, until: Callable[..., float]
) -> None:
    point, disk = allotted
    album, desk = point / "albums/Rome", point / "files/desk"
    first, large, third = (JPEG + os.urandom(size << 20) for size in (2, 3, 1))
    (album / "first.jpg").write_bytes(first)
    photo = disk.parent / "large.jpg"
    photo.write_bytes(large)
    for command, place in (("cp", album), ("rsync", album), ("rsync", desk), ("cp", desk)):
        done = subprocess.run(
            [command, photo, f"{place}/"], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode != 0
        assert "Disk quota exceeded" in done.stderr
        if (command, place) == ("cp", desk):  # it leaves what fits
            with pytest.raises(OSError, match="quota"):
                (desk / "large.jpg").unlink()  # a name in the trash is one more
            assert (desk / "large.jpg").read_bytes() == (disk / "large.jpg").read_bytes()
            assert os.listdir(point / "trash") == ["README.txt"]
            (disk / "large.jpg").unlink()
        settled(disk, until)
    with pytest.raises(OSError, match="quota") as caught:
        (album / "second.jpg").write_bytes(large)
    assert caught.value.errno == errno.EDQUOT
    assert os.listdir(album) == ["first.jpg"]
    assert members(household) == 1
    settled(disk, until)
    (album / "third.jpg").write_bytes(third)
    assert (disk / MONTH / "third.jpg").read_bytes() == third
    assert (album / "first.jpg").read_bytes() == first
    assert members(household) == 2


def settled(disk: Path, until: Callable[..., float]) -> None:
    """Nothing but the first photo is there, and the quota counts no more than that, which takes the disk a commit."""
    until(lambda: everything(disk) == [f"{MONTH}/first.jpg"])
    shown = ("btrfs", "qgroup", "show", "--raw", "--sync", "-f", disk)
    until(lambda: int(run(*shown).split()[-3]) < 3 << 20)


@pytest.fixture
def stick(household: Any, tmp_path: Path, serve: Any) -> Iterator[tuple[Path, Path]]:
    """A mount whose uploads go to an exFAT stick, and that stick."""
    disk = tmp_path / "desk"
    household.source("desk", disk, writable=True)
    with exfat(disk), serve(household.state.root, tmp_path / "mnt") as mount:
        (mount.point / "albums/Rome").mkdir()
        yield mount.point, disk


def test_on_a_stick_that_knows_no_links_uploads_are_whole(
    stick: tuple[Path, Path], household: Any
) -> None:
    point, disk = stick
    album = point / "albums/Rome"
    for name in ("cp", "rsync", "shell", "nobody"):
        photo = disk.parent / f"{name}.jpg"
        photo.write_bytes(JPEG + name.encode() * 50_000)
        if name == "shell":
            run("sh", "-c", f"cat {photo} > {album}/shell.jpg")
        elif name == "nobody":  # whose files cannot be given to him there
            nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            command = [*nobody, "sh", "-c", "cat > nobody.jpg"]
            with photo.open("rb") as file:
                subprocess.run(command, cwd=album, stdin=file, check=True, timeout=30)
        else:
            run(*(["rsync", "-t"] if name == "rsync" else ["cp"]), photo, album)
        assert (album / photo.name).read_bytes() == photo.read_bytes()
        assert (disk / MONTH / photo.name).read_bytes() == photo.read_bytes()
    assert members(household) == 4
    assert not (disk / ".havenfs-uploads").exists() or not os.listdir(disk / ".havenfs-uploads")


def test_on_a_stick_files_go_to_the_trash_and_come_back(
    stick: tuple[Path, Path], household: Any, until: Callable[..., float]
) -> None:
    point, disk = stick
    data = JPEG + b"holiday" * 10_000
    (point / "files/desk/holiday.jpg").write_bytes(data)
    run("mv", point / "files/desk/holiday.jpg", point / "files/desk/summer.jpg")
    assert (disk / "summer.jpg").read_bytes() == data
    run("rm", point / "files/desk/summer.jpg")
    assert not (disk / "summer.jpg").exists()
    (day,) = (point / "trash").glob("2*")
    assert (day / "summer.jpg").read_bytes() == data
    keeper = Keeper(household.catalog, household.state.journal)
    assert "summer.jpg" in keeper.last(1)[0].operation.words
    run("mv", day / "summer.jpg", point / "files/desk/back.jpg")
    assert (disk / "back.jpg").read_bytes() == data
    run("rm", point / "files/desk/back.jpg")
    (day,) = (point / "trash").glob("2*")
    run("rm", day / "back.jpg")
    assert everything(disk) == []


def test_on_a_stick_sidecars_stand_beside_their_originals(
    stick: tuple[Path, Path], household: Any
) -> None:
    point, disk = stick
    (point / "albums/Rome/one.jpg").write_bytes(JPEG + b"one" * 10_000)
    content = blake3((disk / MONTH / "one.jpg").read_bytes()).digest()
    keeper = Keeper(household.catalog, household.state.journal)
    writing = Writing(household.catalog, household.state, Sidecars)
    for stars in (3, 5):  # a new file, then another in its place
        keeper.decide(values.SetRating(contents=(content,), stars=stars), by="me")
        trio.run(writing.catch_up)
        assert run("exiftool", "-s3", "-Rating", disk / MONTH / "one.jpg.xmp").strip() == str(stars)
    assert everything(disk) == [f"{MONTH}/one.jpg", f"{MONTH}/one.jpg.xmp"]


def fill(file: FileIO) -> None:
    for _ in range(8):
        file.write(JPEG + bytes(1 << 20))


def test_who_begins_anew_after_a_full_disk_and_fits_is_filed(
    full: tuple[Path, Path], household: Any
) -> None:
    point, disk = full
    with (point / "albums/Rome/one.jpg").open("wb", buffering=0) as file:
        with pytest.raises(OSError, match="No space left"):
            fill(file)
        file.seek(0)
        file.truncate()
        file.write(JPEG + b"smaller")
    assert (disk / MONTH / "one.jpg").read_bytes() == JPEG + b"smaller"
    assert members(household) == 1
