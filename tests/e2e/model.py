"""A file system in dicts: what POSIX and Linux say each call does, for the state machine to compare the mount with.

Paths are tuples of names below a root, as root sees them: no permissions. Symlinks are never followed. Every call
returns what the system call would and raises OSError with its number. Times are not modelled: the machine compares them with the disk.
"""

from __future__ import annotations

import errno
import os

Path = tuple[str, ...]

NOREPLACE, EXCHANGE = 1, 2  # of renameat2(2)
NAME_MAX = 255


class Node:
    """What has a number and attributes, whatever it is called."""

    def __init__(self, mode: int) -> None:
        self.mode = mode
        """Permission bits."""
        self.links = 1
        self.xattrs: dict[str, bytes] = {}


class File(Node):
    """Bytes."""

    def __init__(self, mode: int) -> None:
        super().__init__(mode)
        self.data = bytearray()

    def read(self, offset: int, size: int) -> bytes:
        """pread."""
        return bytes(self.data[offset : offset + size])

    def write(self, offset: int, data: bytes) -> int:
        """pwrite; what lies between the end and *offset* becomes zeros."""
        if data:
            self.data += bytes(max(0, offset - len(self.data)))
            self.data[offset : offset + len(data)] = data
        return len(data)

    def truncate(self, size: int) -> None:
        """ftruncate, in both directions."""
        del self.data[size:]
        self.data += bytes(size - len(self.data))


class Link(Node):
    """A symlink."""

    def __init__(self, target: str) -> None:
        super().__init__(0o777)
        self.target = target


class Folder(Node):
    """Names."""

    def __init__(self, mode: int, *, writable: bool = True) -> None:
        super().__init__(mode)
        self.names: dict[str, Node] = {}
        self.writable = writable


class Model:
    """The folders of several sources: a rename or link from one to another is EXDEV, a change of a read-only one EROFS."""

    def __init__(self, sources: dict[str, bool]) -> None:
        self.sources = {name: Folder(0o755, writable=flag) for name, flag in sources.items()}

    # --- looking ------------------------------------------------------------------------------------------

    def folder(self, path: Path) -> Folder:
        """The folder at a path."""
        here: Folder = self.sources[path[0]]
        for name in path[1:]:
            found = self._entry(here, name)
            if not isinstance(found, Folder):
                raise _error(errno.ENOTDIR)
            here = found
        return here

    def node(self, path: Path) -> Node:
        """What is at a path."""
        if len(path) == 1:
            return self.sources[path[0]]
        return self._entry(self.folder(path[:-1]), path[-1])

    def folders(self) -> list[Path]:
        """Every folder there is."""
        found: list[Path] = [(name,) for name in self.sources]
        for path in found:
            here = self.folder(path)
            found += [
                (*path, name) for name, node in here.names.items() if isinstance(node, Folder)
            ]
        return found

    def nodes(self) -> dict[Path, Node]:
        """Everything that has a name."""
        return {
            (*path, name): node
            for path in self.folders()
            for name, node in self.folder(path).names.items()
        }

    def links(self, path: Path) -> int:
        """st_nlink."""
        node = self.node(path)
        if isinstance(node, Folder):
            return 2 + sum(isinstance(below, Folder) for below in node.names.values())
        return node.links

    def readlink(self, path: Path) -> str:
        """The target of a symlink."""
        node = self.node(path)
        if not isinstance(node, Link):
            raise _error(errno.EINVAL)
        return node.target

    def listdir(self, path: Path) -> set[str]:
        """The names in a folder."""
        return set(self.folder(path).names)

    # --- files --------------------------------------------------------------------------------------------

    def open(self, path: Path, flags: int, mode: int) -> File:
        """open(2) with O_NOFOLLOW."""
        folder = self.folder(path[:-1])
        try:
            node = self._entry(folder, path[-1])
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                raise
            self._change(path)
            made = File(mode)
            folder.names[path[-1]] = made
            return made
        if flags & os.O_CREAT and flags & os.O_EXCL:
            raise _error(errno.EEXIST)
        if isinstance(node, Link):
            raise _error(errno.ELOOP)
        writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_TRUNC)
        if isinstance(node, Folder) and (writing or flags & os.O_CREAT):
            raise _error(errno.EISDIR)
        if writing:
            self._change(path)
        assert isinstance(node, File)  # the machine lists folders otherwise
        if flags & os.O_TRUNC:
            node.truncate(0)
        return node

    def truncate(self, path: Path, size: int) -> None:
        """truncate(2)."""
        node = self.node(path)
        if isinstance(node, Folder):
            raise _error(errno.EISDIR)
        assert isinstance(node, File)
        self._change(path)
        node.truncate(size)

    # --- names --------------------------------------------------------------------------------------------

    def mkdir(self, path: Path, mode: int) -> None:
        """mkdir(2)."""
        self._new(path, Folder(mode))

    def symlink(self, target: str, path: Path) -> None:
        """symlink(2)."""
        self._new(path, Link(target))

    def link(self, path: Path, new: Path) -> None:
        """link(2)."""
        node = self.node(path)
        self._absent(new)
        if isinstance(node, Folder):
            raise _error(errno.EPERM)
        self._change(path)
        self._change(new)
        if path[0] != new[0]:
            raise _error(errno.EXDEV)
        self.folder(new[:-1]).names[new[-1]] = node
        node.links += 1

    def unlink(self, path: Path) -> None:
        """unlink(2)."""
        node = self.node(path)
        if isinstance(node, Folder):
            raise _error(errno.EISDIR)
        self._change(path)
        self._drop(path)

    def rmdir(self, path: Path) -> None:
        """rmdir(2)."""
        node = self.node(path)
        if not isinstance(node, Folder):
            raise _error(errno.ENOTDIR)
        self._change(path)
        if node.names:
            raise _error(errno.ENOTEMPTY)
        self._drop(path)

    def rename(self, old: Path, new: Path, flags: int) -> None:
        """renameat2(2)."""
        node = self.node(old)
        there = self._there(new)
        if flags & NOREPLACE and there is not None:
            raise _error(errno.EEXIST)
        if flags & EXCHANGE and there is None:
            raise _error(errno.ENOENT)
        if new[: len(old)] == old and new != old:  # into itself
            raise _error(errno.EINVAL)
        if old[: len(new)] == new and old != new:  # onto what it lies in
            raise _error(errno.EINVAL if flags & EXCHANGE else errno.ENOTEMPTY)
        if there is node:
            return  # two names of one file: nothing happens, says POSIX
        if not flags & EXCHANGE and there is not None:
            if isinstance(node, Folder) and not isinstance(there, Folder):
                raise _error(errno.ENOTDIR)
            if isinstance(there, Folder) and not isinstance(node, Folder):
                raise _error(errno.EISDIR)
        self._change(old)
        self._change(new)
        if old[0] != new[0]:
            raise _error(errno.EXDEV)
        if flags & EXCHANGE:
            assert there is not None
            self.folder(old[:-1]).names[old[-1]] = there
            self.folder(new[:-1]).names[new[-1]] = node
            return
        if isinstance(there, Folder) and there.names:
            raise _error(errno.ENOTEMPTY)
        if there is not None:
            self._drop(new)
        del self.folder(old[:-1]).names[old[-1]]
        self.folder(new[:-1]).names[new[-1]] = node

    # --- attributes ---------------------------------------------------------------------------------------

    def chmod(self, path: Path, mode: int) -> None:
        """chmod(2)."""
        node = self.node(path)
        self._change(path)
        node.mode = mode

    def setxattr(self, path: Path, name: str, value: bytes, flags: int) -> None:
        """setxattr(2)."""
        node = self.node(path)
        self._change(path)
        if flags & os.XATTR_CREATE and name in node.xattrs:
            raise _error(errno.EEXIST)
        if flags & os.XATTR_REPLACE and name not in node.xattrs:
            raise _error(errno.ENODATA)
        node.xattrs[name] = value

    def getxattr(self, path: Path, name: str) -> bytes:
        """getxattr(2)."""
        try:
            return self.node(path).xattrs[name]
        except KeyError:
            raise _error(errno.ENODATA) from None

    def removexattr(self, path: Path, name: str) -> None:
        """removexattr(2)."""
        node = self.node(path)
        self._change(path)
        if node.xattrs.pop(name, None) is None:
            raise _error(errno.ENODATA)

    # --- how ----------------------------------------------------------------------------------------------

    def _entry(self, folder: Folder, name: str) -> Node:
        if len(os.fsencode(name)) > NAME_MAX:
            raise _error(errno.ENAMETOOLONG)
        try:
            return folder.names[name]
        except KeyError:
            raise _error(errno.ENOENT) from None

    def _there(self, path: Path) -> Node | None:
        try:
            return self.node(path)
        except FileNotFoundError:
            self.folder(path[:-1])  # its folder must be there
            return None

    def _absent(self, path: Path) -> None:
        if self._there(path) is not None:
            raise _error(errno.EEXIST)

    def _new(self, path: Path, node: Node) -> None:
        self._absent(path)
        self._change(path)
        self.folder(path[:-1]).names[path[-1]] = node

    def _drop(self, path: Path) -> None:
        self.folder(path[:-1]).names.pop(path[-1]).links -= 1

    def _change(self, path: Path) -> None:
        if not self.sources[path[0]].writable:
            raise _error(errno.EROFS)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
