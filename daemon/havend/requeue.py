"""Queueing a stage again wherever another model did it: what follows when a person chooses another model.

Synchronous, one thread; others write meanwhile.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from havenfs.catalog import jobs

if TYPE_CHECKING:
    from havenfs.catalog import Catalog
    from havenfs.entities import ModelId, Stage

STEP: Final = 5000
"""Assets in one transaction, 30 ms of work. A million in one held up everybody who decided something for 5.5 s."""
PAUSE_S: Final = 0.03
"""Between two of them. SQLite gives the lock to whoever asks first, and who waits for it asks every 25 ms and less."""


def requeue(catalog: Catalog, stage: Stage, model: ModelId, *, step: int = STEP) -> int:
    """Queue *stage* again for all assets that another model than *model* has done it for; how many.

    What that one found stays until the new one has looked. If it is cut short, the next call does the rest.
    """
    count = 0
    for first in range(0, catalog.glance(jobs.last) + 1, step):
        done = catalog.write(jobs.requeue_for_model, stage, model, range(first, first + step))
        count += done
        if done:
            time.sleep(PAUSE_S)
    return count
