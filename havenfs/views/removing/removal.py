"""What removing a file in `files/` means: to the trash, or gone as on any disk.

To the trash goes what somebody would miss: the files of assets, which are photos, videos and documents that were looked at,
and XMP and AAE sidecars, in which other programs keep what people did. Everything else is removed as ever, and costs one
point read more (4 us): what no asset is (builds, databases, locks, probes), what nobody has looked at yet, and, unless people
have decided something about it (an album, a tag, a name):

* temporary files by their names, which programs write and remove by themselves;
* what is in a work tree of git, Mercurial, Subversion or Jujutsu: that is where removed files come back from, and switching a
  branch removes hundreds;
* plain text that is not called a document: source code, of which builds and packages remove thousands.

What is renamed over is not removed but written: editors save so, and the asset goes on with its new content. What is removed
on the disk itself, past the mount, is gone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from havenfs.catalog import trashed
from havenfs.catalog.catalog import TROUBLE
from havenfs.errors import InvalidName, NotFound, ReadOnly, SourceGone
from havenfs.originals import disk
from havenfs.views import deciding

if TYPE_CHECKING:
    from havenfs.catalog.trashed import Original
    from havenfs.entities import Source
    from havenfs.originals.disk import Rights
    from havenfs.views.library import Library

SIDECARS: Final = (b".xmp", b".aae")
TEXTS: Final = (
    b".txt",
    b".text",
    b".md",
    b".markdown",
    b".rst",
    b".csv",
    b".tsv",
    b".html",
    b".htm",
)
"""How text is called that people write, not programs."""
TEMPORARY: Final = (b".tmp", b".temp", b".part", b".partial", b".crdownload", b".swp")
REMOVED_S: Final = 60.0
"""`rm -r` of a work tree may come to the repository first: so long after, the rest is still taken for one."""
REMEMBERED: Final = 256
WORK_TREES: Final = (b".git", b".hg", b".svn", b".jj")


def remove(library: Library, source: Source, path: bytes, rights: Rights) -> None:
    """Remove a file that is no directory, as unlink(2), or move it to the trash.

    Raises ReadOnly also when its remover was stopped by the guard, or when the catalog cannot say what it is.
    """
    if library.bin is None:
        disk.unlink(source, path, rights)
        return
    if (top := _repository_of(path)) is not None:
        _note(library, source, top)
        disk.unlink(source, path, rights)
        return
    who = None if library.guard.quiet else deciding.who(rights)
    if who is not None:
        library.guard.check(who)
    if not source.writable or not _wanted(library, source, path):
        disk.unlink(source, path, rights)
        return
    discard(library, source, path, rights)


def discard(library: Library, source: Source, path: bytes, rights: Rights) -> None:
    """Move a file to the trash, whatever sort of asset it is. Raises InvalidName when it is none."""
    if library.bin is None:
        raise ReadOnly("nothing can be moved to the trash here")
    disk.writable(source)
    who, began = deciding.who(rights), time.time()
    library.guard.check(who)
    original = _original(library, source, path)
    if original is None and not path.lower().endswith(SIDECARS):
        raise InvalidName("no photo, video or document, or one that was not looked at yet")
    content = _content(source, path, original) if original is not None else None
    library.bin.take(source, path, content, rights, by=who)
    if original is not None:
        library.guard.count(who, began)
    library.bin.make_room()


def _wanted(library: Library, source: Source, path: bytes) -> bool:
    original = _original(library, source, path)
    if original is None:
        return path.lower().endswith(SIDECARS)
    low = path.lower()
    common = (
        low.endswith(TEMPORARY)
        or low.rpartition(b"/")[2].startswith(b"~$")
        or (original.mime.startswith("text/") and not low.endswith(TEXTS))
        or _versioned(library, source, path)
    )
    return not common or library.catalog.read(trashed.decided, original.content)


def _original(library: Library, source: Source, path: bytes) -> Original | None:
    try:
        return library.catalog.glance(trashed.original, source.id, path)
    except TROUBLE as error:
        raise ReadOnly(f"what is removed cannot be looked up: {error}") from error


def _content(source: Source, path: bytes, original: Original) -> bytes | None:
    """The content that a file has, as far as that is known without reading it."""
    status = disk.status(source, path)
    same = (status.st_size, status.st_mtime_ns) == (original.size, original.mtime_ns)
    return original.content if original.settled and same else None


def _repository_of(path: bytes) -> bytes | None:
    """The top of the work tree in whose repository a path lies, or whose `.git` file it is; None for any other path."""
    for name in WORK_TREES:
        before, found, _ = (b"/" + path + b"/").partition(b"/" + name + b"/")
        if found:
            return before[1:]
    return None


def _note(library: Library, source: Source, top: bytes) -> None:
    if len(library.work_trees) >= REMEMBERED:
        library.work_trees.clear()
    library.work_trees[source.id, top] = time.monotonic()


def _versioned(library: Library, source: Source, path: bytes) -> bool:
    """Whether some folder above, in the source, is the top of a work tree, or was one a moment ago."""
    above = path.rpartition(b"/")[0]
    while True:
        if time.monotonic() < library.work_trees.get((source.id, above), -REMOVED_S) + REMOVED_S:
            _note(library, source, above)
            return True
        for name in WORK_TREES:
            try:
                disk.child(source, above, name)
            except (NotFound, OSError, SourceGone):
                continue
            return True
        if not above:
            return False
        above = above.rpartition(b"/")[0]
