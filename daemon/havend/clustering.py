"""Clustering in the indexer: gives new faces to people as they come, and thinks all of it over when there is time.

A new face costs a fraction of a millisecond, so it is done beside whatever else goes on. A pass over all faces costs seconds to
minutes: it waits until the indexer has nothing to do (sooner while a library grows by halves), rests while others want the
machine, and is thrown away if the program ends. Trio; the work in threads.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import trio

from havenfs.catalog import clusters, persons
from havenfs.errors import ConfigError
from havenfs.identity import VERSION, Constraints, Rules, likeness, partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.clusters import Made
    from havenfs.entities import ModelId
    from havenfs.identity import Clusterer
    from havenfs.models.registry import Model
    from havenfs.settings import People

log = logging.getLogger(__name__)

BATCH = 32
"""Faces of one transaction, in which others cannot write: 20 ms, and 0.1 s among 200,000 faces of 512 dimensions."""
PAUSE_S = 10.0
GROWN = 0.5
"""Share of all faces that must have changed for a pass while there is other work; each then costs more than all before it."""
CHANGED = 0.02
"""The same when there is none. What changed less is right but for a few faces (tests/bench/bench_identity.py)."""
DAY_S = 24 * 3600
"""Since the last pass or the start, from when on any change is reason enough."""
REST_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What clustering asks the indexer. Any thread."""

    model: Callable[[], Model | None]
    """The model of faces in use; None: nothing for now."""
    people: Callable[[], People]
    """What the owner set. Raises ConfigError."""
    idle: Callable[[], bool]
    """Whether nothing is left to look at."""
    waits: Callable[[], bool]
    """Whether others want the machine."""
    said: Callable[[Connection], Constraints] = persons.said
    """What people have said by now."""


class _EndedError(Exception):
    """The program ends: what the pass has found is not wanted."""


class Clustering:
    """Keeps `catalog.clusters` up to date."""

    def __init__(self, catalog: Catalog, around: Surroundings) -> None:
        self._catalog = catalog
        self._around = around
        self._people: People | None = None
        self._clusterer: Clusterer | None = None
        """While faces come; given up when none do, for its memory."""
        self._compared = 0
        """Faces that it knows of, as the catalog counts: another number, and some went behind its back."""
        self._said = Constraints()
        self._passed = time.monotonic()
        self._ended = False

    async def follow(self) -> None:
        """Cluster what comes, until cancelled."""
        try:
            while True:
                await self.catch_up()
                await trio.sleep(PAUSE_S)
        finally:
            self._ended = True

    async def catch_up(self, *, last: bool = False) -> None:
        """Give all new faces to somebody, and think everything over if it is time; with *last* also if hardly anything is new."""
        model = self._around.model()
        try:
            self._people = self._around.people()
        except ConfigError:  # said by who follows the settings
            if self._people is None:
                return
        if model is None:
            return
        made = await trio.to_thread.run_sync(self._made)
        if self._comparable(made, model.id):
            while await trio.to_thread.run_sync(self._step, model.id):
                pass
            made = await trio.to_thread.run_sync(self._made)
        self._clusterer = None
        if await trio.to_thread.run_sync(partial(self._due, made, model.id, last=last)):
            await trio.to_thread.run_sync(partial(self._pass, model), abandon_on_cancel=True)

    def _made(self) -> Made | None:
        return self._catalog.read(clusters.made)

    def _comparable(self, made: Made | None, model: ModelId) -> bool:
        """Whether new faces can be compared with what there is."""
        return (
            made is not None
            and (made.model, made.algorithm) == (model, VERSION)
            and made.settings == str(self._people)
        )

    def _due(self, made: Made | None, model: ModelId, *, last: bool) -> bool:
        idle = last or self._around.idle()
        if made is None:
            return bool(self._catalog.read(clusters.waiting, model, 1, smallest=0))
        if not self._comparable(made, model):
            return idle  # until all have been looked at anew, what there was answers
        if made.changed == 0:
            return False
        if not idle:
            return made.changed > GROWN * made.faces
        old = time.monotonic() - self._passed > DAY_S
        return last or old or made.changed > CHANGED * made.faces

    def _step(self, model: ModelId) -> bool:
        """Give a batch to somebody; whether there may be another."""
        new = self._catalog.read(clusters.waiting, model, 1, smallest=0)
        if not len(new) and self._catalog.read(self._around.said) == self._said:
            return False
        try:
            return self._catalog.write(self._compare, model)
        except BaseException:
            self._clusterer = None  # it knows what was not kept
            raise

    def _compare(self, db: Connection, model: ModelId) -> bool:
        assert self._people is not None
        smallest = self._people.smallest
        new = clusters.waiting(db, model, BATCH, smallest=smallest)
        said = self._around.said(db)
        made = clusters.made(db)
        assert made is not None
        known = self._clusterer is not None and self._compared == clusters.compared(db)
        # Who decides moves faces himself, in the catalog (`heeding`): begin with what he has left.
        if self._clusterer is None or not known or said != self._said:
            rules = self._rules(made.same_person, made.strangers)
            self._clusterer = clusters.restore(db, model, rules, said, smallest=smallest)
        if said != self._said:
            self._clusterer.constrain(said)
            self._said = said
        for row, face in enumerate(new.ids.tolist()):
            self._clusterer.add(
                face,
                new.vectors[row],
                quality=float(new.quality[row]),
                picture=int(new.pictures[row]),
            )
        clusters.keep(db, self._clusterer)
        self._compared = clusters.compared(db)
        return len(new) == BATCH

    def _pass(self, model: Model) -> None:
        assert self._people is not None
        people = self._people
        began = time.monotonic()
        faces = self._catalog.read(clusters.gallery, model.id, smallest=people.smallest)
        said = self._catalog.read(self._around.said)
        same_person = people.same_person or model.calibration.same_person
        rules = self._rules(*likeness(same_person, faces))
        found = partition(faces, said, rules, self._rest)

        def keep(db: Connection) -> int:
            clusterer = clusters.restore(db, model.id, rules, said, smallest=people.smallest)
            clusterer.consolidate(faces, said, rules, found)
            clusters.keep(db, clusterer)
            clusters.finish(
                db, model.id, rules, algorithm=VERSION, settings=str(people), faces=len(faces)
            )
            return len(clusterer.clusters)

        self._rest()
        count = self._catalog.write(keep)
        self._said = said
        self._passed = time.monotonic()
        log.info(
            "%d faces are of %d people, found in %.1f s",
            len(faces),
            count,
            time.monotonic() - began,
        )

    def _rules(self, same_person: float, strangers: float) -> Rules:
        assert self._people is not None
        return Rules(
            same_person=same_person,
            strangers=strangers,
            quality=self._people.quality,
            least=self._people.faces,
        )

    def _rest(self) -> None:
        """Wait until nobody else wants the machine. Raises _EndedError in a thread that nobody waits for any more."""
        while self._around.waits() and not self._ended:
            time.sleep(REST_S)
        if self._ended:
            raise _EndedError
