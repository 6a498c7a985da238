"""The locator: finds out in which place the positions lie that people gave, by asking a worker: the borders of the world
are 80 MB. Trio; the catalog in threads."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio

from havenfs.catalog import corrections

from .pool import Settings, Worker, WorkerDiedError, WorkerUnfitError
from .protocol import Locate, Located

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog import Catalog
    from havenfs.catalog.corrections import Spot
    from havenfs.entities import Locality

log = logging.getLogger(__name__)

BATCH = 200
PAUSE_S = 1.0  # somebody who has just said where a picture was taken may look there
ANSWER_S = 60.0  # the first one reads the borders


class Locating:
    """Locates what comes."""

    def __init__(self, catalog: Catalog, settings: Callable[[], Settings]) -> None:
        self._catalog = catalog
        self._settings = settings

    async def follow(self) -> None:
        """Locate what comes, until cancelled. An idle library costs a look into an empty table a second."""
        while True:
            await self.catch_up()
            await trio.sleep(PAUSE_S)

    async def catch_up(self) -> None:
        """Locate everything that is waiting. What a worker cannot answer waits for the next time."""
        while spots := await trio.to_thread.run_sync(self._waiting):
            async with Worker(self._settings()) as worker:
                for spot in spots:
                    asked = Locate(
                        latitude=spot.latitude, longitude=spot.longitude, centre=spot.centre
                    )
                    try:
                        answer = await worker.ask(asked, timeout_s=ANSWER_S)
                    except (WorkerDiedError, WorkerUnfitError) as error:
                        log.error("no place for a position: the worker %s", error)  # noqa: TRY400 -- for the owner
                        return
                    if not isinstance(answer, Located):
                        log.error(
                            "no place for a position: the worker does not answer as it should"
                        )
                        return
                    await trio.to_thread.run_sync(self._locate, spot, answer.locality)

    def _waiting(self) -> list[Spot]:
        return self._catalog.read(corrections.unlocated, BATCH)

    def _locate(self, spot: Spot, locality: Locality | None) -> None:
        self._catalog.write(corrections.locate, spot, locality)
