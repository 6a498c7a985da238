"""What one new photo costs among a million: finding its copies by four indexes, against comparing it with every hash.

    python tests/bench/bench_duplicates.py [--assets 1000000]

Hashes are random, but for a thousand of one wall. Processor time of one thread, warm, median of 5 rounds of 40 photos, ours
and the peer (numpy over an array of all hashes that is kept in memory) in turn.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import million
import numpy as np

from havenfs.catalog import Catalog, duplicates
from havenfs.entities import AssetId

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw

ROUNDS, PHOTOS = 5, 40


def fill(db: apsw.Connection, assets: int) -> None:
    """Hashes and grids for everything."""
    rng = np.random.default_rng(5)
    bits = rng.integers(-(1 << 63), 1 << 63, (assets, 2))
    bits[:1000, 0] = bits[0, 0]
    cells = rng.integers(0, 256, 256 + assets, dtype=np.uint8).tobytes()
    db.execute("DROP TRIGGER asset_changed")
    db.executemany(
        "UPDATE asset SET phash = ?, text_likeness = 0 WHERE id = ?",
        ((int(bits[i, 0]), i + 1) for i in range(assets)),
    )
    db.executemany(
        "INSERT INTO look (asset_id, inner, grid) VALUES (?, ?, ?)",
        ((i + 1, int(bits[i, 1]), cells[i : i + 256]) for i in range(assets)),
    )


def median(work: Callable[[int], object], rounds: list[list[int]]) -> float:
    """Milliseconds a photo."""
    costs: list[float] = []
    for photos in rounds:
        begun = time.process_time()
        for photo in photos:
            work(photo)
        costs.append((time.process_time() - begun) / len(photos) * 1e3)
    return statistics.median(costs)


def main() -> None:
    """Build, measure, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="havenfs-bench-") as directory:
        state = Path(directory)
        million.write(state, state / "root", options.assets)
        with Catalog(state / "catalog.db") as catalog:
            before = (state / "catalog.db").stat().st_size
            catalog.write(fill, options.assets)
            catalog.connection().pragma("wal_checkpoint(truncate)")
            grown = ((state / "catalog.db").stat().st_size - before) / options.assets
            rng = np.random.default_rng(6)
            photos = rng.integers(2000, options.assets, (ROUNDS + 1) * PHOTOS).tolist()
            rounds = [photos[i * PHOTOS : (i + 1) * PHOTOS] for i in range(ROUNDS + 1)]
            hashes = np.array(
                [h for (h,) in catalog.connection().execute("SELECT phash FROM asset ORDER BY id")],
                np.int64,
            ).view(np.uint64)

            def ours(photo: int) -> None:
                catalog.write(duplicates.settle, AssetId(photo))

            def everything(photo: int) -> None:
                np.flatnonzero(np.bitwise_count(hashes ^ hashes[photo - 1]) <= 7)

            median(ours, rounds[:1])
            median(everything, rounds[:1])
            ours_ms, peer_ms = median(ours, rounds[1:]), median(everything, rounds[1:])
            wall = median(ours, [[8] * 5])
        print(f"{options.assets} photos, {grown:.0f} bytes each for hashes, grids and indexes")
        print(f"a new photo, whole: {ours_ms:.2f} ms; one of a thousand equal walls: {wall:.1f} ms")
        print(
            f"peer, the comparison of hashes alone: {peer_ms:.2f} ms; ratio {ours_ms / peer_ms:.2f}"
        )


if __name__ == "__main__":
    main()
