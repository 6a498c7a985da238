"""Everything that a file can be goes into `files/` and comes back, by `rsync -aHAXS --checksum`."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fuse

# --modify-window=-1: to the nanosecond.
RSYNC = ("rsync", "-aHAXS", "--checksum", "--numeric-ids", "--modify-window=-1")
NAMES = (
    b"plain", b" leading", b"trailing ", b"new\nline", b"-rf", b"quote'\"", b"back\\slash", b"~", b"*?[x]", b"a:b",
    b"con.txt", "zwölf Ümläute".encode(), "e\u0301 and é".encode(), b"not utf-8 \xff\xfe", b"\xe9t\xe9", b"\x01\x7f",
    "写真".encode(), b".hidden", b"x" * 255, "🐕".encode() * 63,
)  # fmt: skip


def furnish(root: Path, run: Any) -> None:
    """One of everything, with odd modes, owners and times."""
    top = os.fsencode(root)
    for number, name in enumerate(NAMES):
        path = os.path.join(top, name)
        with open(path, "wb") as file:
            file.write(name * number * 100)
        os.chown(path, 1000 + number, 2000 + number)
        os.chmod(path, (0o600, 0o755, 0o4755, 0o2711, 0o444, 0o000)[number % 6])
        os.utime(path, ns=(1_000_000_000_123_456_789 + number, 1_234_567_890_987_654_321 - number))
    deep = root / "deep/er/est"
    deep.mkdir(parents=True)
    (root / "deep").chmod(0o2770)
    (root / "deep/er").chmod(0o1777)
    os.link(root / "plain", deep / "the same")
    os.link(root / "plain", root / "deep/once more")
    (root / "dangling").symlink_to("no/where\n")
    (root / "upwards").symlink_to("../../../../../../etc/passwd")
    os.lchown(root / "dangling", 1234, 4321)
    os.utime(root / "dangling", ns=(1, 86_400_000_000_001), follow_symlinks=False)
    os.mkfifo(root / "fifo", 0o640)
    os.mknod(root / "socket", 0o600 | stat.S_IFSOCK)
    os.mknod(root / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(root / "block", 0o660 | stat.S_IFBLK, os.makedev(7, 200))
    with (root / "holes").open("wb") as file:
        for offset in (0, 3 << 20, 60 << 20):
            file.seek(offset)
            file.write(os.urandom(70_000))
        file.truncate(64 << 20)
    (root / "big").write_bytes(os.urandom(3_000_001))
    (root / "empty").touch()
    os.utime(root / "empty", ns=(-1_000_000_001, -2_000_000_003))  # before 1970
    (root / "tagged").write_text("tagged")
    os.setxattr(root / "tagged", "user.dog", b"\0binary\xff")
    os.setxattr(root / "tagged", "user.empty", b"")
    os.setxattr(root / "deep", "user.folder", b"yes" * 300)
    os.setxattr(root / "tagged", "trusted.root", b"only")
    run("setfacl", "-m", "u:1001:rw,g:2002:r,m::rw", root / "tagged")
    run("setfacl", "-d", "-m", "u:1001:rwx,g::r-x,o::-", root / "deep/er")


def seen(root: Path) -> dict[bytes, Any]:
    """What lstat and the extended attributes say of everything below *root*."""
    found: dict[bytes, Any] = {}
    top = os.fsencode(root)
    for where, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(where, name)
            status = os.lstat(path)
            found[path[len(top) :]] = (
                oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns,
                None if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_nlink),
                status.st_rdev,
                os.readlink(path) if stat.S_ISLNK(status.st_mode) else None,
                {key: os.getxattr(path, key, follow_symlinks=False)
                 for key in sorted(os.listxattr(path, follow_symlinks=False))},
            )  # fmt: skip
    return found


def test_everything_goes_in_and_comes_back_as_it_was(place: Any, run: Any, tmp_path: Path):
    here, back = tmp_path / "here", tmp_path / "back"
    here.mkdir()
    furnish(here, run)
    given = seen(here)
    assert len(given) == len(NAMES) + 15

    run(*RSYNC, f"{here}/", place.files)
    assert seen(place.disk) == given
    assert seen(place.files) == given
    assert (place.disk / "holes").stat().st_blocks * 512 < 1 << 20
    twins = {(place.files / name).stat().st_ino for name in ("plain", "deep/er/est/the same", "deep/once more")}  # fmt: skip
    assert len(twins) == 1

    run(*RSYNC, f"{place.files}/", back)
    assert seen(back) == given
    assert (back / "holes").stat().st_blocks * 512 < 1 << 20
    for one, other in ((here, place.files), (place.files, back)):
        assert run(*RSYNC, "--dry-run", "--itemize-changes", "--delete", f"{one}/", other) == ""


def test_an_update_touches_what_changed_and_nothing_else(place: Any, run: Any, tmp_path: Path):
    here = tmp_path / "here"
    here.mkdir()
    furnish(here, run)
    run(*RSYNC, f"{here}/", place.files)
    (here / "plain").write_text("new")
    with (here / "big").open("r+b") as file:
        file.write(b"new")
    (here / "dangling").unlink()
    (here / "deep").rename(here / "deeper")
    for options in ((), ("--inplace",)):
        done = run(*RSYNC, *options, "--delete", "--itemize-changes", f"{here}/", place.files)
        assert ("deeper" in done) == (options == ())
        assert seen(place.disk) == seen(place.files) == seen(here)
