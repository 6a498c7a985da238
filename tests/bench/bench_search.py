"""Relevance on the sample library, and latency of the vector search against a float32 vec0 table.

    python tests/bench/bench_search.py --state STATE --library LIBRARY   # an indexed `havenfs demo` library
    python tests/bench/bench_search.py --vectors 10000 100000            # invented vectors, no library
    python tests/bench/bench_search.py                                   # draws, indexes, judges, then 10,000 vectors

nDCG@10 with gains of 0 and 1 over the queries of the truth file; queries for absent things must have no hit at all.
Latency: processor time of one thread (the machine may be busy), warm, median of 5 rounds of 20 queries, ours and the
reference in turn.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from havenfs.catalog import Catalog, filters, vectors
from havenfs.config import State
from havenfs.entities import AssetId, Embedding, ModelId
from havenfs.models import registry
from havenfs.retrieval.encoder import LocalEncoder
from havenfs.retrieval.search import Searcher
from havenfs.sample import library, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw
    from numpy.typing import NDArray

    from havenfs.entities import Hit

D = 512
ROUNDS, QUERIES = 5, 20
BAR_NDCG, BAR_EMPTY = 0.9, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """Figures of one library."""

    ndcg: dict[str, float]
    """Query -> nDCG@10."""
    precision: dict[str, float]
    recall: dict[str, float]
    answered: dict[str, int]
    """Absent query -> hits, for those that have any."""
    absent: int
    unindexed: int
    """Paths of the truth that are no asset (their files cannot be read)."""


def relevance(catalog: Catalog, searcher: Searcher, library: truth.Truth) -> Relevance:
    """Ask every query of the truth file."""
    ids = catalog.read(_ids)
    known = {path: ids[os.fsencode(path)] for path in library.assets if os.fsencode(path) in ids}
    ndcg: dict[str, float] = {}
    precision: dict[str, float] = {}
    recall: dict[str, float] = {}
    for query, paths in library.queries.items():
        wanted = {known[path] for path in paths if path in known}
        if not wanted:
            continue
        hits = [hit.asset_id for hit in searcher.search(query).hits]
        right = len(wanted & set(hits))
        ndcg[query] = _ndcg(hits, wanted)
        precision[query] = right / len(hits) if hits else 0.0
        recall[query] = right / len(wanted)
    answered: dict[str, tuple[Hit, ...]] = {
        query: searcher.search(query).hits for query in library.absent
    }
    return Relevance(
        ndcg=ndcg,
        precision=precision,
        recall=recall,
        answered={query: len(hits) for query, hits in answered.items() if hits},
        absent=len(library.absent),
        unindexed=len(library.assets) - len(known),
    )


def _ids(db: apsw.Connection) -> dict[bytes, AssetId]:
    rows: list[Any] = db.execute(
        "SELECT path, asset_id FROM file WHERE asset_id IS NOT NULL"
    ).fetchall()
    return {path: AssetId(asset_id) for path, asset_id in rows}


def _ndcg(hits: list[AssetId], wanted: set[AssetId]) -> float:
    gained = sum(1 / math.log2(rank + 2) for rank, hit in enumerate(hits[:10]) if hit in wanted)
    return gained / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(wanted))))


def report(found: Relevance) -> None:
    """Print the table."""
    print(f"{'query':28} nDCG@10  precision  recall")
    for query in found.ndcg:
        print(
            f"{query:28} {found.ndcg[query]:7.3f} {found.precision[query]:10.3f} {found.recall[query]:7.3f}"
        )
    mean = statistics.fmean
    empty = 1 - len(found.answered) / found.absent
    print(
        f"{'mean':28} {mean(found.ndcg.values()):7.3f} {mean(found.precision.values()):10.3f}"
        f" {mean(found.recall.values()):7.3f}"
    )
    print(
        f"bar nDCG@10 {BAR_NDCG}; absent queries empty {empty:.1%} of {found.absent} (bar {BAR_EMPTY:.0%})"
    )
    print(
        f"answered though absent: {found.answered or 'none'}; paths without an asset: {found.unindexed}"
    )


def clusters(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors in 200 clusters around a common direction, as CLIP's are."""
    rng = np.random.default_rng(seed)
    middle, centres = rng.normal(size=D), rng.normal(size=(200, D))
    rows = 1.5 * middle + centres[rng.integers(0, 200, n)] + 0.7 * rng.normal(size=(n, D))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def latency(n: int) -> None:
    """Print the medians of ours, of a float32 vec0 table, and of a filter that leaves 1,000."""
    rows = clusters(n)
    queries = (
        clusters(QUERIES, seed=0)[:, :] + np.random.default_rng(5).normal(size=(QUERIES, D)) * 0.01
    )
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    model = ModelId("bench@000000000000")
    with (
        tempfile.TemporaryDirectory() as directory,
        Catalog(Path(directory) / "catalog.db") as catalog,
    ):
        catalog.write(_fill, rows, model)
        some = [AssetId(i) for i in range(1, n, n // 1000)]
        exact = rows @ queries.T
        recall = statistics.fmean(
            len(
                {int(i) - 1 for i, _ in catalog.read(vectors.nearest, model, q, 10)[:10]}
                & set(np.argsort(-exact[:, j])[:10].tolist())
            )
            / 10
            for j, q in enumerate(queries)
        )
        for k in (10, 200):
            ours = _median(queries, lambda q, k=k: catalog.read(vectors.nearest, model, q, k))
            theirs = _median(queries, lambda q, k=k: catalog.read(_float32, q, k))
            print(
                f"{n:9,} vectors k={k:<4} ours {ours:7.2f} ms   vec0 float32 {theirs:7.2f} ms   {theirs / ours:5.2f}x"
                + (f"   recall@10 {recall:.3f}" if k == 10 else "")
            )
        inside = _median(queries, lambda q: catalog.read(vectors.within, model, q, some))
        through = _median(
            queries,
            lambda q: (
                catalog.read(filters.find, filters.among(some), limit=4000)
                and catalog.read(vectors.within, model, q, some)
            ),
        )
        print(
            f"{n:9,} vectors, filter to {len(some)}: {inside:.2f} ms; with the filter itself {through:.2f} ms (bar 2 ms)"
        )


def _median(queries: NDArray[np.float32], ask: Callable[[NDArray[np.float32]], object]) -> float:
    """Milliseconds of one query."""
    ask(queries[0])
    rounds: list[float] = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        for query in queries:
            ask(query)
        rounds.append((time.thread_time() - start) * 1000 / len(queries))
    return statistics.median(rounds)


def _fill(db: apsw.Connection, rows: NDArray[np.float32], model: ModelId) -> None:
    db.execute("INSERT INTO source (name, root) VALUES ('bench', x'2f')")
    db.execute(
        f"CREATE VIRTUAL TABLE reference USING vec0 (vector float[{D}] distance_metric=cosine)"
    )
    for n, row in enumerate(rows, start=1):
        content = n.to_bytes(32, "big")
        db.execute(
            "INSERT INTO file (id, source_id, path, size, mtime_ns, device, inode, state, hash)"
            " VALUES (?, 1, ?, 1, 1, 1, ?, 'known', ?)",
            (n, content, n, content),
        )
        db.execute(
            "INSERT INTO asset (id, hash, name, name_key, kind, mime, file_id, added)"
            " VALUES (?, ?, ?, ?, 'photo', 'image/jpeg', ?, 0)",
            (n, content, str(n), str(n), n),
        )
        blob = row.astype("<f4").tobytes()
        vectors.put(db, AssetId(n), [Embedding(model=model, vector=blob)])
        db.execute("INSERT INTO reference (rowid, vector) VALUES (?, ?)", (n, blob))


def _float32(db: apsw.Connection, query: NDArray[np.float32], k: int) -> list[Any]:
    return db.execute(
        "SELECT rowid, distance FROM reference WHERE vector MATCH ? AND k = ?", (query.tobytes(), k)
    ).fetchall()


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, help="state directory of an indexed sample library")
    parser.add_argument("--library", type=Path, help="that library")
    parser.add_argument("--vectors", type=int, nargs="*", default=[], help="sizes for the latency")
    asked = parser.parse_args()
    if asked.state and asked.library:
        judge(State(root=asked.state), asked.library)
    elif not asked.vectors:
        with tempfile.TemporaryDirectory() as scratch:
            state, directory = Path(scratch) / "state", Path(scratch) / "library"
            library.write(directory)
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "havend",
                    "index",
                    "run",
                    "--once",
                    "--source",
                    str(directory),
                    "--state",
                    str(state),
                ],
                check=True,
                timeout=1800,
            )
            judge(State(root=state), directory)
        asked.vectors = [10_000]
    for n in asked.vectors:
        latency(n)


def judge(state: State, directory: Path) -> None:
    """Print how relevant the answers of an indexed sample library are."""
    with Catalog(state.catalog) as catalog:
        model = registry.active(state)
        print(f"model {model.id}, {model.calibration}")
        report(relevance(catalog, Searcher(catalog, LocalEncoder(model)), truth.load(directory)))


if __name__ == "__main__":
    main()
