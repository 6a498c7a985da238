"""Removing, restoring and purging through the real mount, with the programs that people use."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from blake3 import blake3

from havenfs.catalog import guarded, trashed
from havenfs.decisions import Keeper, asking
from havenfs.errors import NotRunning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.fuse

ORIGINAL = "files/photos/2019/rome/IMG_0001.jpg"
PICTURE = "by-date/2019/07/IMG_0001.jpg"


@pytest.fixture
def mounted(workshop: Any, tmp_path: Path, serve: Any) -> Iterator[Path]:
    rehash(workshop)
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        yield mount.point


def rehash(shelf: Any) -> None:
    """Give originals the hashes and the bytes that the mount finds them by: pictures by their first bytes, and BLAKE3."""

    def put(db: Any) -> None:
        rows = db.execute(
            "SELECT f.id, f.asset_id, s.root, f.path FROM file f JOIN source s ON s.id = f.source_id"
        ).fetchall()
        for file_id, asset_id, root, path in rows:
            where = os.fsdecode(root + b"/" + path)
            with open(where, "r+b") as file:
                data = b"\xff\xd8\xff\xe0" + path * 50
                file.write(data)
                file.truncate()
            status = os.lstat(where)
            content = blake3(data).digest()
            db.execute(
                "UPDATE file SET size = ?, mtime_ns = ?, hash = ? WHERE id = ?",
                (status.st_size, status.st_mtime_ns, content, file_id),
            )
            db.execute("UPDATE asset SET hash = ? WHERE id = ?", (content, asset_id))

    shelf.catalog.write(put)


def run(*command: str | Path, code: int = 0) -> str:
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60)
    assert result.returncode == code, result.stderr
    return result.stderr if code else result.stdout


def havenfs(shelf: Any, *arguments: str, code: int = 0) -> str:
    state = ("--state", str(shelf.state.root))
    return run(sys.executable, "-m", "havend", *arguments, *state, code=code)


def listed(path: Path) -> list[str]:
    """What people put there."""
    return sorted(name for name in os.listdir(path) if name != "README.txt")


def day(mounted: Path) -> Path:
    (only,) = listed(mounted / "trash")
    return mounted / "trash" / only


def refused(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError, match=r"Errno") as caught:
        operation(*arguments)
    assert caught.value.errno == number, caught.value


def test_what_is_removed_is_restored_as_the_same_with_its_album(
    mounted: Path, workshop: Any, until: Callable[..., float]
) -> None:
    (mounted / "albums/Rome").mkdir()
    os.link(mounted / PICTURE, mounted / "albums/Rome/IMG_0001.jpg")
    identity = os.getxattr(mounted / ORIGINAL, "user.haven.id")
    before = (mounted / ORIGINAL).stat()
    data = (mounted / ORIGINAL).read_bytes()

    run("rm", mounted / ORIGINAL)
    assert not (mounted / ORIGINAL).exists()
    until(lambda: not (mounted / PICTURE).exists())
    assert listed(mounted / "albums/Rome") == []
    assert listed(mounted / "search/fountain") == []
    lying = day(mounted) / "IMG_0001.jpg"
    assert lying.read_bytes() == data
    assert (lying.stat().st_ino, lying.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert b"IMG_0001.jpg" in b"".join(
        os.fsencode(name)
        for _, _, names in os.walk(workshop.root / ".haven-trash")
        for name in names
    )
    assert ".haven-trash" not in listed(mounted / "files/photos")
    assert not (mounted / "files/photos/.haven-trash").exists()

    run("mv", lying, mounted / "files/photos/2019/back.jpg")
    back = mounted / "files/photos/2019/back.jpg"
    assert back.read_bytes() == data
    assert back.stat().st_ino == before.st_ino
    assert os.getxattr(back, "user.haven.id") == identity
    until(lambda: listed(mounted / "albums/Rome") == ["IMG_0001.jpg"])
    until(lambda: (mounted / PICTURE).exists())
    assert (mounted / PICTURE).read_bytes() == data
    until(lambda: listed(mounted / "trash") == [])
    assert listed(workshop.root / ".haven-trash") == []


def test_what_the_trash_does_not_do_has_the_errno_of_the_table(mounted: Path) -> None:
    run("rm", mounted / ORIGINAL)
    lying = day(mounted) / "IMG_0001.jpg"
    (mounted / "albums/A").mkdir()
    refused(errno.EPERM, os.rename, lying, mounted / "albums/A/IMG_0001.jpg")
    refused(errno.EINVAL, os.link, lying, mounted / "albums/A/IMG_0001.jpg")
    refused(errno.EPERM, os.link, lying, mounted / "files/photos/again.jpg")
    refused(errno.EPERM, os.rename, lying, day(mounted) / "other.jpg")
    refused(errno.EPERM, os.rename, lying, mounted / "trash/other.jpg")
    refused(errno.EPERM, os.truncate, lying, 0)
    refused(errno.EPERM, os.open, lying, os.O_RDWR)
    refused(errno.EPERM, os.chmod, lying, 0o600)
    refused(errno.EPERM, os.setxattr, lying, "user.a", b"b")
    refused(errno.EPERM, os.mkdir, day(mounted) / "a")
    refused(errno.EPERM, os.mkdir, mounted / "trash/2019-01-01")
    refused(errno.EPERM, os.open, day(mounted) / "new.jpg", os.O_CREAT | os.O_WRONLY)
    refused(errno.EPERM, os.mkdir, mounted / "files/photos/.haven-trash")
    refused(errno.EPERM, os.rename, mounted / "files/photos/2019", mounted / "trash/2019")
    refused(errno.EXDEV, os.rename, lying, mounted / "files/desk/IMG_0001.jpg")
    refused(errno.EROFS, os.unlink, mounted / "files/archive/1999/negative.jpg")
    assert lying.exists()


def test_purging_is_for_who_removed_it_and_for_good(mounted: Path, workshop: Any) -> None:
    for path in (workshop.root, workshop.root / "2019", workshop.root / "2019/rome"):
        path.chmod(0o777)
    os.chmod(workshop.root.parent, 0o755)
    run("rm", mounted / ORIGINAL)
    run("mv", mounted / "files/photos/2019/rome/IMG_0002.jpg", mounted / "trash")
    run("rm", mounted / "files/photos/2019/IMG_0001.jpg")
    names = listed(day(mounted))
    assert len(names) == 3
    assert names[0] == "IMG_0001.jpg"
    assert names[1].startswith("IMG_0001~")
    folder = day(mounted)
    pid = os.fork()
    if not pid:
        try:
            os.setuid(65534)
            os.unlink(folder / "IMG_0002.jpg")
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (errno.EPERM, errno.EACCES)
    run("rm", folder / "IMG_0001.jpg")
    run("rm", folder / names[1])
    assert "deleted 1 file for good" in (mounted / ".haven/undo").read_text()
    purge = havenfs(workshop, "undo", "--list").split()[0]
    assert "for good" in havenfs(workshop, "undo", purge, code=1)
    os.rmdir(folder)
    time.sleep(1.1)
    assert listed(mounted / "trash") == []
    assert listed(workshop.root / ".haven-trash") == []
    assert workshop.catalog.read(trashed.count) == 0


def test_rm_of_a_day_and_what_is_no_asset(mounted: Path, workshop: Any) -> None:
    (mounted / "files/photos/build.o").write_bytes(b"\x7fELF" + bytes(100))
    run("rm", mounted / "files/photos/build.o")
    assert listed(mounted / "trash") == []
    (mounted / "files/photos/2019/rome/IMG_0001.xmp").write_text("<x:xmpmeta/>")
    run("rm", "-r", mounted / "files/photos/2019/rome")
    assert listed(day(mounted)) == ["IMG_0001.jpg", "IMG_0001.xmp", "IMG_0002.jpg"]
    run("rm", "-r", day(mounted))
    assert workshop.catalog.read(trashed.count) == 0


def test_undo_brings_the_file_back_or_beside(
    mounted: Path, workshop: Any, until: Callable[..., float]
) -> None:
    data = (mounted / ORIGINAL).read_bytes()
    run("rm", "-r", mounted / "files/photos/2019/rome")
    for _ in range(2):
        taken = havenfs(workshop, "undo")
        assert "Took back: moved “IMG_000" in taken
    until(lambda: (mounted / ORIGINAL).exists())
    until(lambda: (mounted / PICTURE).exists())
    assert (mounted / ORIGINAL).read_bytes() == data
    assert listed(mounted / "trash") == []
    havenfs(workshop, "undo", havenfs(workshop, "undo", "--list").split()[0])  # and again
    until(lambda: len(listed(mounted / "trash")) == 1)
    (name,) = listed(day(mounted))
    until(lambda: not (mounted / "files/photos/2019/rome" / name).exists())
    (mounted / "files/photos/2019/rome" / name).write_bytes(b"\xff\xd8\xff\xe0 another")
    havenfs(workshop, "undo", havenfs(workshop, "undo", "--list").split()[0])
    stem = name.removesuffix(".jpg")
    until(lambda: (mounted / f"files/photos/2019/rome/{stem} (restored).jpg").exists())


def test_the_guard_stops_lets_bring_back_and_is_lifted(
    mounted: Path, workshop: Any, until: Callable[..., float]
) -> None:
    workshop.catalog.write(guarded.set_limits, guarded.Limits(removals=20, percent=0))
    many = mounted / "files/photos/many"
    many.mkdir()
    for number in range(30):
        (many / f"{number}.jpg").write_bytes(b"\xff\xd8\xff\xe0 %d" % number)
    said = run("rm", "-r", many, code=1)
    assert "Read-only file system" in said
    left = len(listed(many))
    assert left == 9
    refused(errno.EROFS, os.unlink, mounted / ORIGINAL)
    refused(errno.EROFS, os.rename, mounted / ORIGINAL, mounted / "trash/IMG_0001.jpg")
    refused(errno.EROFS, os.rmdir, day(mounted))
    (mounted / "files/photos/still.jpg").write_bytes(b"\xff\xd8\xff\xe0 writing goes on")
    assert "can remove nothing more" in (mounted / ".haven/errors").read_text()
    assert '"removed": 21' in (mounted / ".haven/status.json").read_text()
    assert "can remove nothing more" in havenfs(workshop, "status")
    assert "21 operations" in havenfs(workshop, "undo", "--burst")
    until(lambda: len(listed(many)) == 30)
    havenfs(workshop, "guard", "lift")
    assert "can remove nothing more" not in havenfs(workshop, "status")
    run("rm", "-r", many)
    assert len(listed(day(mounted))) == 30


def test_a_copy_goes_to_the_trash_and_hands_on_its_album_and_the_last_one_stays(
    mounted: Path, workshop: Any, until: Callable[..., float]
) -> None:
    workshop.catalog.write(_copies)
    group = mounted / "duplicates/IMG_0001.jpg"
    names = [name for name in listed(group) if name != "_copies.txt"]
    assert len(names) == 3
    (mounted / "albums/A").mkdir()
    os.link(mounted / PICTURE, mounted / "albums/A/IMG_0001.jpg")
    run("rm", group / "IMG_0001.jpg")
    assert not (mounted / ORIGINAL).exists()
    until(lambda: len(listed(mounted / "albums/A")) == 1)
    assert listed(mounted / "albums/A") != ["IMG_0001.jpg"]
    assert listed(day(mounted)) == ["IMG_0001.jpg"]
    until(lambda: listed(mounted / "duplicates") == ["IMG_0002.jpg"])  # the oldest that is left
    until(lambda: not (group / "IMG_0001.jpg").exists())
    group = mounted / "duplicates/IMG_0002.jpg"
    run("rm", group / "IMG_0002.jpg")
    (last,) = (name for name in names if name not in ("IMG_0001.jpg", "IMG_0002.jpg"))
    until(lambda: listed(mounted / "duplicates") == [])
    assert (mounted / "files/photos/2019/IMG_0001.jpg").exists()
    assert listed(mounted / "albums/A") == [last]
    for _ in range(2):
        havenfs(workshop, "undo")
    until(lambda: (mounted / ORIGINAL).exists())
    until(lambda: listed(mounted / "duplicates") == ["IMG_0001.jpg"])
    until(lambda: listed(mounted / "albums/A") == ["IMG_0001.jpg"])


def test_a_folder_of_copies_is_removed_and_does_not_come_back(
    mounted: Path, workshop: Any, until: Callable[..., float]
) -> None:
    workshop.catalog.write(_copies)
    os.rmdir(mounted / "duplicates/IMG_0001.jpg")
    until(lambda: listed(mounted / "duplicates") == [])
    assert "no copies of each other" in (mounted / ".haven/undo").read_text()
    assert (mounted / ORIGINAL).exists()


def _copies(db: Any) -> None:
    """Three pictures that are taken for copies, for want of real ones."""
    db.execute(
        "INSERT INTO duplicate SELECT id, (SELECT min(id) FROM asset WHERE name LIKE 'IMG_%') FROM asset"
        " WHERE name LIKE 'IMG_%'"
    )


def take_back(shelf: Any) -> str | None:
    """What the web page does: ask the mount to take the last thing back."""
    last = Keeper(shelf.catalog, shelf.state.journal).last(1)[0].operation
    question = asking.Question(what=asking.Undo(operation=last.id), door="web page")
    return asking.ask(shelf.state.deciding, question)


def test_what_the_mount_is_asked_to_take_back_is_where_it_was_in_every_folder(
    workshop: Any, mounted: Path, until: Callable[..., float]
) -> None:
    before = (mounted / ORIGINAL).read_bytes()
    (mounted / ORIGINAL).unlink()
    assert not (mounted / PICTURE).exists()
    assert take_back(workshop)
    until(lambda: (mounted / ORIGINAL).exists() and (mounted / PICTURE).exists(), 1.0)
    assert (mounted / ORIGINAL).read_bytes() == (mounted / PICTURE).read_bytes() == before
    assert (
        "(web page): took back: moved “IMG_0001.jpg” to the trash"
        in (mounted / ".haven/undo").read_text()
    )


@pytest.mark.parametrize("transport", ["direct"], indirect=True)
def test_the_server_that_takes_over_answers_at_the_same_socket(
    workshop: Any, serve: Any, tmp_path: Path, until: Callable[..., float]
) -> None:
    rehash(workshop)
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        original = mount.point / ORIGINAL
        for _ in range(3):
            original.unlink()
            server, *_ = children(mount.process.pid)  # the next one may be waiting already
            os.kill(server, signal.SIGKILL)
            until(lambda gone=server: gone not in (children(mount.process.pid) or [gone]), 10.0)
            until(lambda: answers(workshop), 10.0)
            until(original.exists, 1.0)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def answers(shelf: Any) -> bool:
    try:
        return take_back(shelf) is not None
    except NotRunning:  # between two servers
        return False
