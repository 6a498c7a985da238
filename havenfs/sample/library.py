"""Writes a sample library: the photos, videos and papers of an invented family, with the truth about each file.

Drawn in parallel processes, the same for the same arguments. Writes below the given directory only, and only when
that is empty or a sample library already. One call at a time per directory.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from havenfs.errors import ConfigError, NotFound
from havenfs.sample import copies, documents, hard, photos, shots, truth, videos
from havenfs.sample.truth import Known, Stamp, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

_ALONE = 32
"""Up to so many pictures are drawn without starting processes (which costs about a second each)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Everything that is to be written, apart from the hard files."""

    shots: list[shots.Shot]
    clips: list[videos.Clip]
    papers: list[documents.Paper]
    copies: list[copies.Copy]

    def files(self) -> Iterator[str]:
        """Every path, sidecars and RAWs included."""
        for shot in self.shots:
            yield shot.path
            if shot.raw:
                yield photos.raw_path(shot)
            if shot.sidecar:
                yield photos.sidecar(shot)
        for other in (*self.clips, *self.papers, *self.copies):
            yield other.path


def write(
    directory: Path,
    *,
    photos: int = 400,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> Truth:
    """Draw a library of that many photos below *directory*, with videos, documents, duplicates and hard files on top.

    *progress* is told how many of how many files are done. Over a library of the same arguments nothing is done;
    one of other arguments is replaced. Raises ConfigError when the directory holds anything else.
    """
    if photos < 1:
        raise ConfigError(f"a sample library needs at least 1 photo, not {photos}")
    stamp = Stamp(photos=photos, seed=seed)
    before = _present(directory)
    if (
        before is not None
        and before.finished
        and before.stamp == stamp
        and _complete(directory, before)
    ):
        return before
    plan = _plan(photos, seed)
    files = tuple(plan.files())
    try:
        if before is not None:
            _clear(directory, before)
        directory.mkdir(parents=True, exist_ok=True)
        unfinished = Truth(
            stamp=stamp, finished=False, files=files, assets={}, hard={}, queries={}, absent=()
        )
        truth.save(unfinished, directory)
        assets = _draw(directory, plan, progress)
        readable, difficult = hard.write(directory, seed)
    except OSError as error:
        raise ConfigError(f"cannot write the sample library: {error}") from error
    assets.update(readable)
    assets = dict(sorted(assets.items()))
    queries, absent = truth.questions(assets)
    whole = Truth(
        stamp=stamp,
        finished=True,
        files=(*files, *difficult),
        assets=assets,
        hard=difficult,
        queries=queries,
        absent=absent,
    )
    truth.save(whole, directory)
    return whole


def _present(directory: Path) -> Truth | None:
    """The library that is there; None when there is nothing. Raises ConfigError when there is something else."""
    try:
        return truth.load(directory)
    except NotFound:
        pass
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory} is not a directory; name a new or an empty one")
    if directory.exists() and any(directory.iterdir()):
        raise ConfigError(
            f"{directory} is not empty and not a sample library; name a new or an empty directory"
        )
    return None


def _complete(directory: Path, present: Truth) -> bool:
    return all(os.path.lexists(directory / path) for path in present.files)


def _clear(directory: Path, present: Truth) -> None:
    """Remove what an older or interrupted run has written, and nothing else."""
    for path in present.files:
        (directory / path).unlink(missing_ok=True)
    for folder in sorted(
        {parent for path in present.files for parent in Path(path).parents}, reverse=True
    ):
        if folder != Path():
            with contextlib.suppress(OSError):  # someone's own file lies in it
                (directory / folder).rmdir()


def _plan(count: int, seed: int) -> _Plan:
    taken = shots.plan(count, seed)
    return _Plan(
        shots=taken,
        clips=videos.plan(max(4, count // 60), seed),
        papers=documents.plan(max(12, count // 10), seed),
        copies=copies.plan(taken, max(3, count // 40), max(3, count // 30), seed),
    )


def _draw(
    directory: Path, plan: _Plan, progress: Callable[[int, int], None] | None
) -> dict[str, Known]:
    """Write all planned files; return the truth about them."""
    root = str(directory)
    work = [*plan.shots, *plan.clips, *plan.papers]
    total = len(work) + len(plan.copies)
    assets: dict[str, Known] = {}
    # Closed at once when progress raises, so that the rest is not drawn for nobody.
    with contextlib.closing(_made(root, work)) as made:
        for done, found in enumerate(made, 1):
            assets.update(found)
            if progress is not None:
                progress(done, total)
    for done, copy in enumerate(plan.copies, len(work) + 1):
        assets.update(copies.make(root, copy, assets[copy.of]))
        if progress is not None:
            progress(done, total)
    return assets


def _made(
    root: str, work: list[shots.Shot | videos.Clip | documents.Paper]
) -> Generator[list[tuple[str, Known]]]:
    roots = [root] * len(work)
    if len(work) <= _ALONE:
        yield from map(make, roots, work)
        return
    # Spawned, not forked: the caller may have threads.
    context = multiprocessing.get_context("spawn")
    workers = min(len(os.sched_getaffinity(0)), 8)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_quiet) as pool:
        yield from pool.map(make, roots, work, chunksize=8)


def _quiet() -> None:
    """Leave Ctrl-C to the process that started this one: it stops the pool, without a traceback from each worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def make(root: str, item: shots.Shot | videos.Clip | documents.Paper) -> list[tuple[str, Known]]:
    """Write one planned thing below *root*; runs in a worker process."""
    match item:
        case shots.Shot():
            return photos.develop(root, item)
        case videos.Clip():
            return videos.film(root, item)
        case documents.Paper():
            return documents.write(root, item)
