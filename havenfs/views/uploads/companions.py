"""Sidecars that are put into a folder with their pictures: XMP, Apple's .aae, Takeout's JSON. No view shows them; each goes beside
its picture among the originals, called after it, whichever of the two comes first.

That of a picture which the library has already, and whose own sidecar lies with it, has no place to go to: it is let go of after
a while (`loose`), as is one whose picture never comes. Any thread.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from havenfs import mates
from havenfs.errors import HavenError
from havenfs.originals import staging

if TYPE_CHECKING:
    from havenfs.entities import Source
    from havenfs.views.library import Library

    from .loose import Loose

log = logging.getLogger(__name__)


def join(library: Library, sidecar: Loose) -> None:
    """A sidecar is whole: it goes to its picture, if that has been filed. Raises what the disk raises."""
    pictures = library.loose.pictures(sidecar.folder, mates.owners(sidecar.name))
    present = {sidecar.name, *pictures}
    for name, (source, path) in pictures.items():
        if sidecar.name in mates.beside(name, present):
            _accompany(library, sidecar, name, source, path)
            return


def follow(library: Library, picture: Loose) -> None:
    """A picture has been filed: what waits for it goes there too. That is no reason for the picture to fail."""
    waiting = {
        loose.name: loose
        for loose in library.loose.within(picture.folder).values()
        if loose.accompanies and staging.waits(loose.path) and not loose.opens
    }
    if not waiting:
        return
    stem = picture.name.rpartition(b".")[0]
    present = {*waiting, *library.loose.pictures(picture.folder, (stem + b".", stem + b"/"))}
    for name in waiting.keys() & mates.beside(picture.name, present):
        try:
            _accompany(library, waiting[name], picture.name, picture.source, picture.path)
        except (HavenError, OSError) as error:
            log.info("a sidecar could not follow its picture: %s", error)


def _accompany(library: Library, sidecar: Loose, name: bytes, source: Source, path: bytes) -> None:
    """Beside the picture that came as *name* and lies at *path*; where another sidecar is so called, nothing is done."""
    folder, _, lies = path.rpartition(b"/")
    target = folder + b"/" + _called(sidecar.name, name, lies)
    with sidecar.lock:
        if not staging.waits(sidecar.path) or sidecar.source.id != source.id:
            return
        waited = sidecar.path
        os.fsync(sidecar.descriptor)
        if not staging.place_at(source, waited, sidecar.descriptor, target, sidecar.rights):
            return
        library.loose.filed(sidecar, target)
        staging.drop(source, waited)
    if library.recorder is not None:
        library.recorder.written(source, target)


def _called(sidecar: bytes, name: bytes, lies: bytes) -> bytes:
    """What the sidecar of *name* is called beside the same picture that is called *lies*."""
    if name == lies:
        return sidecar
    stem = name.rpartition(b".")[0]
    if sidecar.startswith(name):
        return lies + sidecar[len(name) :]
    if sidecar.startswith(stem + b"."):
        return lies.rpartition(b".")[0] + sidecar[len(stem) :]
    return lies + b".json"  # Takeout has cut or numbered it
