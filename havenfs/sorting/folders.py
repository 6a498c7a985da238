"""The profiles of all folders, kept up to date by the log of changes. One query a folder, asked again only after something in it
moved; memory is some kilobytes a folder and 16 bytes a file. One thread at a time."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from havenfs.catalog import browse, changes, sorting

from . import calibration, traits as traits_
from .calibration import Asked, Scale
from .model import Model
from .profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.sorting import Folder
    from havenfs.entities import AssetId, Place, PlaceId

    from .traits import Traits

log = logging.getLogger(__name__)

MOVED = 0.1
"""Share of all files that must have come or gone before how sure a score is is measured anew."""


class Folders:
    """What the folders of *catalog* hold, and the model of it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._profiles: dict[Folder, Profile] = {}
        self._where: dict[AssetId, Folder] = {}
        self._generation = -1
        self._embedder: int | None = None
        self._model: Model | None = None
        self._scale = Scale()
        self._scaled = 0
        """Files when the scale was measured."""
        self._stirred = 0
        """Files that came, went or changed since."""

    @property
    def scale(self) -> Scale:
        """How sure scores are."""
        return self._scale

    def model(self) -> Model:
        """The folders as they are now, weighed against each other."""
        dirty = self._catalog.read(self._follow)
        for folder in dirty:
            self._read(folder)
        if dirty or self._model is None:
            self._model = Model(self._profiles)
        count = len(self._where)
        if self._stirred > MOVED * max(self._scaled, 1):
            began = time.monotonic()
            self._scale = self._measured()
            self._scaled, self._stirred = count, 0
            log.debug("how sure proposals are was measured in %.1f s", time.monotonic() - began)
        return self._model

    def traits(self, ids: Iterable[AssetId]) -> list[Traits]:
        """What these files show, spelling and all."""
        return self._catalog.read(_traits, list(ids), self._embedder, spelling=True)

    def _follow(self, db: Connection) -> set[Folder]:
        """The folders that must be read again."""
        news = changes.since(db, self._generation) if self._generation >= 0 else None
        self._generation = changes.generation(db)
        embedder = sorting.model(db)
        if news is None or embedder != self._embedder:
            before = set(self._profiles)
            self._embedder = embedder
            self._where = sorting.folders(db)
            self._stirred += len(self._where)
            return before | set(self._where.values())
        ids = list({change.asset_id for change in news if change.asset_id is not None})
        now = sorting.where(db, ids)
        dirty: set[Folder] = set()
        for id_ in ids:
            old, new = self._where.pop(id_, None), now.get(id_)
            if new is not None:
                self._where[id_] = new
            dirty |= {folder for folder in (old, new) if folder is not None}
            self._stirred += old != new
        return dirty

    def _read(self, folder: Folder) -> None:
        rows, gazetteer = self._catalog.read(_members, folder, self._embedder)
        if rows:
            self._profiles[folder] = Profile.of(traits_.of(row, gazetteer) for row in rows)
        else:
            self._profiles.pop(folder, None)

    def _measured(self) -> Scale:
        """Hide some files, ask where they belong, and see how far the scores can be believed."""
        ids = list(self._where)
        dated = self._catalog.read(sorting.moments)
        asked = calibration.hidden([(id_, dated.get(id_)) for id_ in ids])
        found = self._catalog.read(_traits, asked, self._embedder, spelling=False)
        gone: dict[Folder, list[Traits]] = {}
        for traits in found:
            if traits.asset_id in self._where:
                gone.setdefault(self._where[traits.asset_id], []).append(traits)
        left = dict(self._profiles)
        for folder, some in gone.items():
            if folder not in left:
                continue
            left[folder] = left[folder].without(some)
            if left[folder].size <= 0:
                del left[folder]
        if not left:
            return Scale()
        model = Model(left)
        return calibration.fitted(
            [
                Asked(candidates=model.candidates(traits, calibration.CONSIDERED), truth=folder)
                for folder, some in gone.items()
                for traits in some
            ]
        )


def _members(
    db: Connection, folder: Folder, embedder: int | None
) -> tuple[list[sorting.Row], Mapping[PlaceId, Place]]:
    return sorting.members(db, folder, embedder), browse.gazetteer(db)


def _traits(
    db: Connection, ids: list[AssetId], embedder: int | None, *, spelling: bool
) -> list[Traits]:
    gazetteer = browse.gazetteer(db)
    return [
        traits_.of(row, gazetteer, spelling=spelling) for row in sorting.some(db, ids, embedder)
    ]
