"""Moving originals for the programs that are no mount: with the rights of whoever runs them, and into the catalog at once."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from havenfs.views.filing import Mover

from .arrivals import Arrivals

if TYPE_CHECKING:
    from collections.abc import Generator

    from havenfs.catalog import Catalog
    from havenfs.config import State
    from havenfs.entities import Source
    from havenfs.views.library import Relocated


@contextmanager
def relocating(catalog: Catalog, state: State) -> Generator[Relocated]:
    """What is to be told of each file that was moved. A mount that runs notices by itself."""
    arrivals = Arrivals(catalog, state)

    def relocated(source: Source, path: bytes, to: Source, new_path: bytes) -> None:
        arrivals.renamed(source, path, to, new_path, directory=False)

    try:
        yield relocated
    finally:
        arrivals.close()


@contextmanager
def moving(catalog: Catalog, state: State) -> Generator[Mover]:
    """What moves files back for `Keeper.revert`."""
    with relocating(catalog, state) as relocated:
        yield Mover(catalog, nullcontext(), relocated)
