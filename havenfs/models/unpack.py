"""Copies a model out of a folder or an archive that somebody brought: only what a model has, only regular files.

An archive is data from outside. Names are checked, links and devices refused, sizes bounded while unpacking, and nothing is
written outside the target. Reads zip and tar (plain, gz, bz2, xz). Blocking; any thread.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from gzip import BadGzipFile
from lzma import LZMAError
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from havenfs.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("visual", "textual", "detection", "recognition")
TOP = ("config.json", "manifest.json", "README.md", "LICENSE", "LICENSE.txt", "agreement.json")
ENTRIES = 2000
LARGEST = 16 << 30
"""Bytes of one model; the largest of the catalogue has 5 GB."""
EASY = 64 << 20
SWELLING = 40
"""Beyond EASY bytes, an archive may unpack to so many times its size: weights hardly shrink, bombs do."""
CHUNK = 1 << 20
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, BadGzipFile, zlib.error, LZMAError, EOFError)


def folder(source: Path, target: Path) -> None:
    """Copy the model in the folder *source* into the empty folder *target*. Raises InstallError, OSError."""
    left = LARGEST
    for path in sorted(source.rglob("*")):
        name = _wanted(path.relative_to(source).as_posix())
        if name is None or path.is_dir():
            continue
        if path.is_symlink() or not path.is_file():
            raise InstallError(f"{path} is not a plain file")
        with path.open("rb") as content:
            left -= _write(content, target / name, left)


def archive(source: Path, target: Path) -> None:
    """Unpack the model in the archive *source* into the empty folder *target*. Raises InstallError, OSError."""
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as opened:
                _unpack(_zipped(opened), source, target)
        elif tarfile.is_tarfile(source):
            with tarfile.open(source) as tar:
                _unpack(_tarred(tar), source, target)
        else:
            raise InstallError(f"{source} is no archive of a kind that is read here (zip, tar)")
    except DAMAGED as error:
        raise InstallError(f"{source} is damaged: {error}") from error
    except (NotImplementedError, RuntimeError, UnicodeDecodeError) as error:  # a method, a password
        raise InstallError(f"{source} cannot be unpacked: {error}") from error


def _unpack(entries: Iterator[tuple[str, IO[bytes] | None]], source: Path, target: Path) -> None:
    size = source.stat().st_size
    left = min(LARGEST, max(EASY, size * SWELLING))
    seen: set[str] = set()
    for count, (path, content) in enumerate(entries):
        if count >= ENTRIES:
            raise InstallError(f"{source} has too many entries to be a model")
        if (
            path.startswith("/")
            or "\\" in path
            or ".." in PurePosixPath(path).parts
            or "\0" in path
        ):
            raise InstallError(f"{source} holds {path[:200]!r}, a name that leads out of it")
        name = _wanted(path)
        if name is None and "/" in path:  # packed with the folder around it
            name = _wanted(path.split("/", 1)[1])
        if name is None:
            continue
        if content is None:
            raise InstallError(f"{source} holds {path!r}, which is no plain file")
        if name.lower() in seen:
            raise InstallError(f"{source} holds {name} twice")
        seen.add(name.lower())
        with content:
            left -= _write(content, target / name, left)


def _zipped(opened: zipfile.ZipFile) -> Iterator[tuple[str, IO[bytes] | None]]:
    for info in opened.infolist():
        if info.is_dir():
            continue
        kind = (
            info.external_attr >> 28
        )  # the type bits of a Unix mode; 0 where it came from elsewhere
        yield info.filename, opened.open(info) if kind in (0, 8) else None


def _tarred(opened: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes] | None]]:
    for member in opened:
        if member.isdir():
            continue
        yield member.name.removeprefix("./"), opened.extractfile(member) if member.isreg() else None
    # The checksum of what was compressed stands at its very end, behind what a reader of tar asks for.
    left = EASY
    while rest := cast("IO[bytes]", opened.fileobj).read(CHUNK):
        left -= len(rest)
        if left < 0:
            raise tarfile.TarError("it goes on after its end")


def _wanted(path: str) -> str | None:
    """*path* if a model has such a file, else None. Only files directly in its folders count."""
    parts = path.split("/")
    if len(parts) == 1:
        return (
            path if path in TOP or path.endswith(".onnx") else None
        )  # insightface's packs are flat
    return path if len(parts) == 2 and parts[0] in FOLDERS and parts[1].strip(".") else None


def _write(content: IO[bytes], path: Path, most: int) -> int:
    path.parent.mkdir(exist_ok=True)
    written = 0
    with path.open("xb") as out:
        while chunk := content.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise InstallError(f"{path.name} is larger than a model can be here")
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return written
