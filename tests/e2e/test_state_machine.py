"""Random operations through the kernel on `files/`, each also done to a file system in dicts; and the disk looked at."""

from __future__ import annotations

import ctypes
import errno
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,
)

from .model import EXCHANGE, NOREPLACE, File, Folder, Link, Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path as RealPath

    from .model import Path

pytestmark = pytest.mark.fuse

LONG = settings.get_current_profile_name() == "long"
BOUNDED = settings(
    max_examples=5000 if LONG else 300,
    stateful_step_count=100 if LONG else 40,
    derandomize=not LONG,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),  # explaining traces every line, which takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
STALE_S = 1.1  # what happens behind the mount shows within a second

NAMES = st.sampled_from(["a", "b", "c", "ä b", "x" * 255, "y" * 256])
SOURCES = st.sampled_from(["photos", "photos", "photos", "desk", "archive"])
WHERE = st.integers(0, 7)
OFFSETS = st.sampled_from([0, 1, 100, 4095, 4096, 4097, 70_000, 200_000])
DATA = st.sampled_from([b"", b"x", b"hello", b"\0" * 5000, bytes(range(256)) * 20, b"Q" * 140_001])
MODES = st.sampled_from([0o644, 0o600, 0o777, 0o400, 0o000, 0o755])
XATTRS = st.sampled_from(["user.one", "user.two"])
FLAGS = st.sampled_from(
    [
        os.O_RDONLY,
        os.O_WRONLY,
        os.O_RDWR,
        os.O_RDWR | os.O_CREAT,
        os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
        os.O_RDWR | os.O_CREAT | os.O_EXCL,
        os.O_RDWR | os.O_TRUNC,
        os.O_WRONLY | os.O_APPEND,
        os.O_RDWR | os.O_CREAT | os.O_APPEND,
    ]
)

_libc = ctypes.CDLL(None, use_errno=True)


def renameat2(old: str, new: str, flags: int) -> None:
    if _libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@dataclass(frozen=True, eq=False)
class Handle:
    """An open file, here and in the model."""

    fd: int
    node: File
    flags: int

    @property
    def appends(self) -> bool:
        return bool(self.flags & os.O_APPEND)


class Files(RuleBasedStateMachine):
    """`files/` against the model. `serve` gives the mount and the real directories of the sources."""

    mount: ClassVar[RealPath]
    disks: ClassVar[dict[str, RealPath]]
    runs: ClassVar[Iterator[int]]
    handles = Bundle("handles")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model({"photos": True, "desk": True, "archive": False})
        self.room = f"run{next(self.runs)}"
        """A folder of this run's own in each source, so that runs need no cleaning up."""
        self.open: list[Handle] = []
        for disk in self.disks.values():
            (disk / self.room).mkdir(0o755)
        # Something to fail to change.
        archive = self.disks["archive"] / self.room
        archive.joinpath("a").write_bytes(b"kept")
        archive.joinpath("a").chmod(0o644)
        archive.joinpath("b").mkdir(0o755)
        kept = File(0o644)
        kept.data[:] = b"kept"
        self.model.sources["archive"].names.update(a=kept, b=Folder(0o755))

    def teardown(self) -> None:
        try:
            self.compare_everything()
        finally:
            for handle in self.open:
                os.close(handle.fd)

    # --- how ----------------------------------------------------------------------------------------------

    def at(self, path: Path) -> str:
        return str(self.mount.joinpath("files", path[0], self.room, *path[1:]))

    def behind(self, path: Path) -> str:
        return str(self.disks[path[0]].joinpath(self.room, *path[1:]))

    def pick(self, source: str, where: int, name: str | None = None) -> Path:
        """The *where*-th folder of a source, or a name in it."""
        folders = [path for path in self.model.folders() if path[0] == source]
        folder = folders[where % len(folders)]
        return folder if name is None else (*folder, name)

    def both(self, real: Callable[[], Any], model: Callable[[], Any]) -> tuple[Any, Any] | None:
        """Do it to both; what each returned, None if both refused with the same number."""
        refused: list[int | None] = [None, None]
        answers: list[Any] = [None, None]
        for side, call in enumerate((real, model)):
            try:
                answers[side] = call()
            except OSError as error:
                refused[side] = error.errno
        names = [errno.errorcode.get(number or 0, "fine") for number in refused]
        assert refused[0] == refused[1], f"the mount says {names[0]}, the model {names[1]}"
        return (answers[0], answers[1]) if refused[0] is None else None

    def look(self, *paths: Path) -> None:
        """What the mount says of some paths is what is on the disk, and what the model has."""
        for path in paths:
            try:
                node = self.model.node(path)
            except OSError as error:
                missing = error.errno
                with pytest.raises(OSError, match=r".*") as caught:
                    os.lstat(self.at(path))
                assert caught.value.errno == missing  # of the other error
                continue
            shown, real = os.lstat(self.at(path)), os.lstat(self.behind(path))
            for field in ("mode", "nlink", "uid", "gid", "size", "mtime_ns", "ctime_ns", "blocks"):
                said, true = (getattr(status, f"st_{field}") for status in (shown, real))
                assert said == true, f"{field} of {path}"
            assert shown.st_mode & 0o777 == node.mode
            assert shown.st_nlink == self.model.links(path)

    def compare_everything(self) -> None:
        """The whole tree: through the mount, on the disk and in the model."""
        for folder in self.model.folders():
            assert set(os.listdir(self.at(folder))) == self.model.listdir(folder)
            assert set(os.listdir(self.behind(folder))) == self.model.listdir(folder)
        for path, node in self.model.nodes().items():
            self.look(path)
            if isinstance(node, File):
                for side in (self.at(path), self.behind(path)):
                    with open(side, "rb") as file:
                        assert file.read() == node.data, side
            elif isinstance(node, Link):
                assert os.readlink(self.at(path)) == node.target
            if not isinstance(node, Link):
                own = {name for name in os.listxattr(self.at(path)) if "haven" not in name}
                assert own == set(node.xattrs)

    # --- files --------------------------------------------------------------------------------------------

    @rule(target=handles, source=SOURCES, where=WHERE, name=NAMES, flags=FLAGS, mode=MODES)
    def open_a_file(self, source: str, where: int, name: str, flags: int, mode: int) -> Any:
        path = self.pick(source, where, name)
        if isinstance(self.model.folder(path[:-1]).names.get(name), Folder) and not flags & (
            os.O_WRONLY | os.O_RDWR | os.O_CREAT
        ):
            return multiple()
        opened = self.both(
            lambda: os.open(self.at(path), flags | os.O_NOFOLLOW, mode),
            lambda: self.model.open(path, flags, mode),
        )
        if opened is None:
            return multiple()
        handle = Handle(opened[0], opened[1], flags)
        self.open.append(handle)
        return handle

    @rule(handle=handles, offset=OFFSETS, data=DATA)
    def write(self, handle: Handle, offset: int, data: bytes) -> None:
        def model() -> int:
            if handle.flags & os.O_ACCMODE == os.O_RDONLY:
                raise OSError(errno.EBADF, "")
            # Linux appends whatever the offset (pwrite(2), BUGS).
            return handle.node.write(len(handle.node.data) if handle.appends else offset, data)

        answers = self.both(lambda: os.pwrite(handle.fd, data, offset), model)
        assert answers is None or answers[0] == answers[1]
        self.see(handle)

    @rule(handle=handles, offset=OFFSETS, size=st.sampled_from([1, 4096, 131_072, 300_000]))
    def read(self, handle: Handle, offset: int, size: int) -> None:
        def model() -> bytes:
            if handle.flags & os.O_ACCMODE == os.O_WRONLY:
                raise OSError(errno.EBADF, "")
            return handle.node.read(offset, size)

        answers = self.both(lambda: os.pread(handle.fd, size, offset), model)
        assert answers is None or answers[0] == answers[1]

    @rule(handle=handles, size=OFFSETS)
    def ftruncate(self, handle: Handle, size: int) -> None:
        def model() -> None:
            if handle.flags & os.O_ACCMODE == os.O_RDONLY:
                raise OSError(errno.EINVAL, "")
            handle.node.truncate(size)

        self.both(lambda: os.ftruncate(handle.fd, size), model)
        self.see(handle)

    @rule(handle=handles, data_only=st.booleans())
    def fsync(self, handle: Handle, data_only: bool) -> None:
        (os.fdatasync if data_only else os.fsync)(handle.fd)

    @rule(handle=handles, mode=MODES)
    def fchmod(self, handle: Handle, mode: int) -> None:
        # A handle may outlive its file's last name; a read-only source has no writable handles, but readable ones.
        if any(handle.node is node for node in self.model.sources["archive"].names.values()):
            with pytest.raises(OSError, match="Read-only"):
                os.fchmod(handle.fd, mode)
            return
        os.fchmod(handle.fd, mode)
        handle.node.mode = mode
        assert os.fstat(handle.fd).st_mode & 0o777 == mode

    @rule(handle=consumes(handles))
    def close(self, handle: Handle) -> None:
        self.open.remove(handle)
        os.close(handle.fd)

    @rule(handle=handles)
    def see(self, handle: Handle) -> None:
        status = os.fstat(handle.fd)
        assert status.st_size == len(handle.node.data)
        assert status.st_nlink == handle.node.links

    @rule(source=SOURCES, where=WHERE, name=NAMES, size=OFFSETS)
    def truncate(self, source: str, where: int, name: str, size: int) -> None:
        path = self.pick(source, where, name)
        if isinstance(self.model.folder(path[:-1]).names.get(name), Link):
            return
        self.both(lambda: os.truncate(self.at(path), size), lambda: self.model.truncate(path, size))
        self.look(path)

    # --- names --------------------------------------------------------------------------------------------

    @rule(source=SOURCES, where=WHERE, name=NAMES, mode=MODES)
    def mkdir(self, source: str, where: int, name: str, mode: int) -> None:
        path = self.pick(source, where, name)
        if len(path) > 5:
            return
        self.both(lambda: os.mkdir(self.at(path), mode), lambda: self.model.mkdir(path, mode))
        self.look(path, path[:-1])

    @rule(source=SOURCES, where=WHERE, name=NAMES, aim=st.sampled_from(["a", "../b", "/etc"]))
    def symlink(self, source: str, where: int, name: str, aim: str) -> None:
        path = self.pick(source, where, name)
        self.both(lambda: os.symlink(aim, self.at(path)), lambda: self.model.symlink(aim, path))
        self.look(path)

    @rule(source=SOURCES, where=WHERE, name=NAMES)
    def readlink(self, source: str, where: int, name: str) -> None:
        path = self.pick(source, where, name)
        answers = self.both(lambda: os.readlink(self.at(path)), lambda: self.model.readlink(path))
        assert answers is None or answers[0] == answers[1]

    @rule(
        source=SOURCES, where=WHERE, name=NAMES,
        to=SOURCES, new_where=WHERE, new_name=NAMES,
        flags=st.sampled_from([0, 0, 0, NOREPLACE, EXCHANGE]),
    )  # fmt: skip
    def rename(
        self, source: str, where: int, name: str, to: str, new_where: int, new_name: str, flags: int
    ) -> None:
        old, new = self.pick(source, where, name), self.pick(to, new_where, new_name)
        self.both(
            lambda: renameat2(self.at(old), self.at(new), flags),
            lambda: self.model.rename(old, new, flags),
        )
        self.look(*(path for path in (old, new) if self.stands(path)))

    @rule(
        source=SOURCES, where=WHERE, name=NAMES, to=SOURCES, new_where=WHERE, new_name=NAMES
    )  # fmt: skip
    def link(
        self, source: str, where: int, name: str, to: str, new_where: int, new_name: str
    ) -> None:
        old, new = self.pick(source, where, name), self.pick(to, new_where, new_name)
        self.both(
            lambda: os.link(self.at(old), self.at(new), follow_symlinks=False),
            lambda: self.model.link(old, new),
        )
        self.look(old, new)

    @rule(source=SOURCES, where=WHERE, name=NAMES)
    def unlink(self, source: str, where: int, name: str) -> None:
        path = self.pick(source, where, name)
        self.both(lambda: os.unlink(self.at(path)), lambda: self.model.unlink(path))
        self.look(path, path[:-1])

    @rule(source=SOURCES, where=WHERE, name=NAMES)
    def rmdir(self, source: str, where: int, name: str) -> None:
        path = self.pick(source, where, name)
        self.both(lambda: os.rmdir(self.at(path)), lambda: self.model.rmdir(path))
        self.look(path, path[:-1])

    @rule(source=SOURCES, where=WHERE)
    def listdir(self, source: str, where: int) -> None:
        path = self.pick(source, where)
        with os.scandir(self.at(path)) as listing:
            shown = {entry.name: entry.is_dir(follow_symlinks=False) for entry in listing}
        names = self.model.folder(path).names
        assert shown == {name: isinstance(node, Folder) for name, node in names.items()}

    # --- attributes ---------------------------------------------------------------------------------------

    @rule(source=SOURCES, where=WHERE, name=NAMES, mode=MODES)
    def chmod(self, source: str, where: int, name: str, mode: int) -> None:
        path = self.pick(source, where, name)
        if isinstance(self.model.folder(path[:-1]).names.get(name), Link):
            return
        self.both(lambda: os.chmod(self.at(path), mode), lambda: self.model.chmod(path, mode))
        self.look(path)

    @rule(
        source=SOURCES,
        where=WHERE,
        name=NAMES,
        when=st.sampled_from([0, 1, 1_500_000_000_123_456_789]),
    )
    def utimens(self, source: str, where: int, name: str, when: int) -> None:
        path = self.pick(source, where, name)
        done = self.both(
            lambda: os.utime(self.at(path), ns=(when + 5, when), follow_symlinks=False),
            lambda: self.model.chmod(path, self.model.node(path).mode),
        )
        if done:
            status = os.lstat(self.at(path))
            assert (status.st_atime_ns, status.st_mtime_ns) == (when + 5, when)
        self.look(path)

    @rule(
        source=SOURCES, where=WHERE, name=NAMES, attribute=XATTRS, value=st.sampled_from([b"", b"v", b"w" * 900]),
        flags=st.sampled_from([0, os.XATTR_CREATE, os.XATTR_REPLACE]),
    )  # fmt: skip
    def setxattr(
        self, source: str, where: int, name: str, attribute: str, value: bytes, flags: int
    ) -> None:
        path = self.pick(source, where, name)
        if isinstance(self.model.folder(path[:-1]).names.get(name), Link):
            return
        if source == "archive":
            flags = 0  # whether the attribute or the source is asked for first is each transport's own business
        self.both(
            lambda: os.setxattr(self.at(path), attribute, value, flags),
            lambda: self.model.setxattr(path, attribute, value, flags),
        )
        self.look(path)

    @rule(source=SOURCES, where=WHERE, name=NAMES, attribute=XATTRS, remove=st.booleans())
    def getxattr(self, source: str, where: int, name: str, attribute: str, remove: bool) -> None:
        path = self.pick(source, where, name)
        if isinstance(self.model.folder(path[:-1]).names.get(name), Link):
            return
        answers = self.both(
            lambda: os.getxattr(self.at(path), attribute),
            lambda: self.model.getxattr(path, attribute),
        )
        assert answers is None or answers[0] == answers[1]
        if remove:
            self.both(
                lambda: os.removexattr(self.at(path), attribute),
                lambda: self.model.removexattr(path, attribute),
            )

    # --- somebody else --------------------------------------------------------------------------------------

    @rule(
        source=SOURCES, where=WHERE, name=NAMES, data=DATA, what=st.sampled_from(["write", "remove", "move"]),
        rare=st.integers(0, 40),
    )  # fmt: skip
    def happen_on_the_disk(
        self, source: str, where: int, name: str, data: bytes, what: str, rare: int
    ) -> None:
        """Rarely, because it takes a second to show."""
        path = self.pick(source, where, name)
        node = self.model.folder(path[:-1]).names.get(name)
        if rare != 7 or source == "archive" or len(name) == 256:
            return
        if node is None:
            made = self.model.open(path, os.O_CREAT | os.O_RDWR, 0o644)
            made.data[:] = data
            with open(self.behind(path), "wb") as file:
                file.write(data)
            os.chmod(self.behind(path), 0o644)
        elif isinstance(node, File):
            if what == "write":
                node.data[:] = data
                with open(self.behind(path), "wb") as file:
                    file.write(data)
            elif what == "remove":
                self.model.unlink(path)
                os.unlink(self.behind(path))
            elif "moved" not in self.model.folder(path[:-1]).names:
                self.model.rename(path, (*path[:-1], "moved"), 0)
                os.rename(self.behind(path), self.behind((*path[:-1], "moved")))
        time.sleep(STALE_S)
        self.look(path)

    def stands(self, path: Path) -> bool:
        try:
            self.model.folder(path[:-1])
        except OSError:
            return False
        return True


@pytest.fixture
def bare_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.timeout(7200 if LONG else 300)
@pytest.mark.usefixtures("bare_umask")
def test_files_is_a_file_system(workshop: Any, tmp_path: RealPath, serve: Any):
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        Files.mount = mount.point
        Files.disks = {
            "photos": workshop.root,
            "desk": tmp_path / "desk",
            "archive": tmp_path / "archive",
        }
        Files.runs = iter(range(1_000_000))
        run_state_machine_as_test(Files, settings=BOUNDED)
