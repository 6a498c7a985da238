"""The tagger: suggests tags for what has been embedded. Asks a worker for the words as vectors, once a model and list of
words; the rest is a product of matrices here, thousands of pictures a second. Trio; the catalog in threads.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import trio

from havenfs.catalog import tags as catalog_tags
from havenfs.entities import ModelId, Stage
from havenfs.models import taxonomy
from havenfs.retrieval.tagging import Tagger, sentences

from .pool import Settings, Worker, WorkerDiedError, WorkerUnfitError
from .protocol import Encoded, EncodeText, NoModel
from .requeue import requeue

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from havenfs.catalog import Catalog
    from havenfs.entities import AssetId
    from havenfs.models.registry import Model

log = logging.getLogger(__name__)

BATCH = 512
PAUSE_S = 10.0  # between looks for work: a tag is not what anybody waits for
ANSWER_S = 60.0  # for one sentence; the first one loads the model
AGAIN_S = 1800.0  # after words could not be made: a machine short of memory has some again


class Tagging:
    """Suggests tags by the model that *model* returns at that moment (None: nothing for now)."""

    def __init__(
        self, catalog: Catalog, settings: Callable[[], Settings], model: Callable[[], Model | None]
    ) -> None:
        self._catalog = catalog
        self._settings = settings
        self._model = model
        self._ready: tuple[ModelId, Tagger] | None = None
        self._asked: ModelId | None = None
        """What another one did before is queued again."""
        self._unable: tuple[ModelId, float] | None = None
        """By which the words could not be made, and until when it is not asked for them again."""

    async def follow(self) -> None:
        """Tag what comes, until cancelled."""
        while True:
            await self.catch_up()
            await trio.sleep(PAUSE_S)

    async def catch_up(self) -> None:
        """Tag everything that can be tagged now."""
        await trio.to_thread.run_sync(self._skip)
        model = self._model()
        if model is None:
            return
        by = ModelId(f"{model.id}+{taxonomy.load().digest}")
        if self._unable and by == self._unable[0] and trio.current_time() < self._unable[1]:
            return
        if by != self._asked:
            await trio.to_thread.run_sync(requeue, self._catalog, Stage.TAGS, by)
            self._asked = by
        if not await trio.to_thread.run_sync(self._waits, model):
            return
        if self._ready is None or self._ready[0] != by:
            words = await self._words(model, by)
            if words is None:
                self._unable = by, trio.current_time() + AGAIN_S
                return
            self._ready = by, Tagger(taxonomy.load(), model.calibration, words)
        tagger = self._ready[1]
        while await trio.to_thread.run_sync(self._step, model, by, tagger):
            pass

    def _skip(self) -> None:
        self._catalog.write(catalog_tags.skip)

    def _kept(self, by: ModelId) -> NDArray[np.float32] | None:
        return self._catalog.read(catalog_tags.words, by)

    def _keep(self, by: ModelId, words: NDArray[np.float32]) -> None:
        self._catalog.write(catalog_tags.keep_words, by, words)

    def _waits(self, model: Model) -> bool:
        return bool(self._catalog.read(catalog_tags.waiting, model.id, 1))

    def _step(self, model: Model, by: ModelId, tagger: Tagger) -> bool:
        """Tag one batch; whether there was one."""
        found = self._catalog.read(catalog_tags.waiting, model.id, BATCH)
        if not found:
            return False
        rows = tagger.tags(np.concatenate(list(found.values())))
        given: dict[AssetId, list[tuple[str, float]]] = {}
        start = 0
        for asset_id, frames in found.items():
            best: dict[str, float] = {}
            for row in rows[
                start : start + len(frames)
            ]:  # of a video, what is to be seen in any frame
                for tag, score in row:
                    best[tag] = max(score, best.get(tag, 0.0))
            given[asset_id] = list(best.items())
            start += len(frames)
        self._catalog.write(catalog_tags.put, by, given)
        return True

    async def _words(self, model: Model, by: ModelId) -> NDArray[np.float32] | None:
        """The words as vectors: kept ones, or made by a worker."""
        kept = await trio.to_thread.run_sync(self._kept, by)
        if kept is not None:
            return kept
        rows: list[NDArray[np.float32]] = []
        async with Worker(self._settings()) as worker:
            for text in sentences(taxonomy.load(), model.calibration):
                try:
                    answer = await worker.ask(EncodeText(text, model.id), timeout_s=ANSWER_S)
                except (WorkerDiedError, WorkerUnfitError) as error:
                    log.error("no tags: the text model %s", error)  # noqa: TRY400 -- for the owner
                    return None
                if isinstance(answer, NoModel):
                    log.error("no tags: %s", answer.reason)
                    return None
                if not isinstance(answer, Encoded) or answer.model != model.id:
                    log.error("no tags: the text model does not answer as it should")
                    return None
                vector = np.frombuffer(answer.vector, "<f4")
                if vector.shape != (model.dimension,) or not np.isfinite(vector).all():
                    log.error("no tags: the text model's answer makes no sense")
                    return None
                rows.append(vector)
        words = np.stack(rows)
        await trio.to_thread.run_sync(self._keep, by, words)
        log.info("%d phrases for tags are known to %s", len(rows), model.id)
        return words
