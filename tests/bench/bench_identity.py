"""Clustering of faces: quality, time and memory of ours and of DBSCAN, HDBSCAN and Chinese Whispers on the same vectors.

Run: python tests/bench/bench_identity.py [--size N ...] [--dimension D] [--seed S] [--sample PHOTOS] [--methods NAME ...]
     python tests/bench/bench_identity.py --size --arrivals 200000 --dimension 512

The vectors are those of `tests/identity/family.py`, and with --sample the faces of the drawn library as the built-in model sees
them. Each method runs in a process of its own; its memory is the peak of that process. Peers get every threshold of a short
list, and the one that is best *by the truth* is printed, which nobody at home could choose. Ours gets the model's own cosine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from havenfs.identity import (
    Clusterer,
    Constraints,
    Directions,
    Gallery,
    Member,
    Rules,
    gallery,
    likeness,
)
from havenfs.identity.gallery import unit
from tests.identity.family import STRANGER, Family, family
from tests.identity.measures import agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

SAME_PERSON = 0.5
AT_MOST_S = 170
ADDED = 500
MODES = {
    "ours": (0.0,),
    "DBSCAN": (0.4, 0.45, 0.5, 0.55),  # cosine distance
    "HDBSCAN": (3.0, 5.0),  # smallest cluster
    "Chinese Whispers": (0.35, 0.4, 0.45, 0.5),  # cosine
}
LARGEST = {"DBSCAN": 20_000, "HDBSCAN": 20_000, "Chinese Whispers": 20_000}
"""Faces beyond which a peer needs more memory or time than this bench gives."""


def labels(clusterer: Clusterer, faces: Gallery) -> NDArray[np.int64]:
    return np.array(
        [
            clusterer.members[face].cluster if face in clusterer.members else -1
            for face in faces.ids.tolist()
        ]
    )


def rules(faces: Gallery, same_person: float) -> Rules:
    cosine, strangers = likeness(same_person, faces)
    return Rules(same_person=cosine, strangers=strangers)


def whole(faces: Gallery, same_person: float) -> Clusterer:
    chosen = rules(faces, same_person)
    clusterer = Clusterer(chosen, faces.vectors.shape[1])
    clusterer.consolidate(faces, Constraints(), chosen)
    return clusterer


def ours(faces: Gallery, _: float, same_person: float) -> NDArray[np.int64]:
    return labels(whole(faces, same_person), faces)


def dbscan(faces: Gallery, eps: float, _: float) -> NDArray[np.int64]:
    from sklearn.cluster import DBSCAN

    found: Any = DBSCAN(eps=eps, min_samples=3, metric="cosine", algorithm="brute")
    return found.fit_predict(faces.units(slice(None)))


def hdbscan(faces: Gallery, smallest: float, _: float) -> NDArray[np.int64]:
    from sklearn import cluster

    method: Any = cluster.HDBSCAN  # its stub takes `copy` for a word
    found: Any = method(min_cluster_size=int(smallest), copy=True)
    return found.fit_predict(faces.units(slice(None)))


def chinese_whispers(
    faces: Gallery, least: float, _: float, *, rounds: int = 20
) -> NDArray[np.int64]:
    """Biemann 2006, as dlib and digiKam have it: each face takes the label with the most weight among its neighbours, in an
    order of chance, until nothing changes."""
    units = faces.units(slice(None))
    n = len(units)
    near: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float32]] = []
    for start in range(0, n, 512):
        tile = units[start : start + 512] @ units.T
        for row, cosines in enumerate(tile, start):
            others = np.flatnonzero(cosines >= least)
            others = others[others != row]
            near.append(others)
            weights.append(cosines[others])
    rng = np.random.default_rng(0)
    label = np.arange(n)
    for _ in range(rounds):
        changed = 0
        for row in rng.permutation(n).tolist():
            if len(near[row]):
                names, place = np.unique(label[near[row]], return_inverse=True)
                new = names[np.argmax(np.bincount(place, weights[row]))]
                changed += int(new != label[row])
                label[row] = new
        if not changed:
            break
    return label


METHODS: dict[str, Callable[[Gallery, float, float], NDArray[np.int64]]] = {
    "ours": ours,
    "DBSCAN": dbscan,
    "HDBSCAN": hdbscan,
    "Chinese Whispers": chinese_whispers,
}


def one(method: str, mode: float, file: Path) -> None:
    """In a process of its own: print the result of a method as JSON."""
    with np.load(file) as kept:
        faces = gallery(kept["ids"], kept["vectors"], kept["quality"], kept["pictures"])
        people, same_person = kept["people"], float(kept["same_person"])
    began = time.perf_counter()
    found = METHODS[method](faces, mode, same_person)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said: dict[str, Any] = {"seconds": seconds, "peak": peak, "agreement": agreement(found, people)}
    print(json.dumps(said))


def added(file: Path) -> None:
    """In a process of its own: the last ADDED faces (or a tenth) put in one by one, after a pass over the others."""
    with np.load(file) as kept:
        faces = gallery(kept["ids"], kept["vectors"], kept["quality"], kept["pictures"])
        people, same_person = kept["people"], float(kept["same_person"])
    late = min(ADDED, len(faces) // 10)
    order = np.random.default_rng(1).permutation(len(faces))
    rest = order[late:]
    clusterer = whole(
        gallery(faces.ids[rest], faces.vectors[rest], faces.quality[rest], faces.pictures[rest]),
        same_person,
    )
    times: list[float] = []
    for row in order[:late].tolist():
        began = time.perf_counter()
        clusterer.add(
            int(faces.ids[row]),
            faces.vectors[row],
            quality=float(faces.quality[row]),
            picture=int(faces.pictures[row]),
        )
        times.append(time.perf_counter() - began)
    said = {
        "p50": float(np.median(times)) * 1e3,
        "p99": float(np.quantile(times, 0.99)) * 1e3,
        "f": agreement(labels(clusterer, faces), people).f,
        "exemplars": len(clusterer.directions.clusters),
    }
    print(json.dumps(said))


def settled(known: Family, rows: NDArray[np.int64], chosen: Rules) -> Clusterer:
    """Who is who among *rows* as the truth has it: exemplars of so many faces each, and who is seen once is loose."""
    faces = known.faces
    able = rows[faces.quality[rows] >= chosen.quality]
    able = able[np.argsort(known.people[able], kind="stable")]
    able = able[known.people[able] < STRANGER]
    people, starts = np.unique(known.people[able], return_index=True)
    directions: list[NDArray[np.float32]] = []
    owners: list[int] = []
    members: dict[int, Member] = {}
    for person, mine in zip(people.tolist(), np.split(able, starts[1:]), strict=True):
        members |= {face: Member(person, 0.5) for face in faces.ids[mine].tolist()}
        for start in range(0, len(mine), chosen.exemplar):
            some = faces.units(mine[start : start + chosen.exemplar])
            directions.append(unit(some.sum(axis=0, keepdims=True))[0])
            owners.append(person)
    clusterer = Clusterer(chosen, faces.vectors.shape[1], unused=int(people[-1]) + 1)
    there = gallery(faces.ids[rows], faces.vectors[rows], faces.quality[rows], faces.pictures[rows])
    pictures = dict(zip(there.ids.tolist(), there.pictures.tolist(), strict=True))
    clusterer.restore(
        members, {}, Directions(np.stack(directions), np.array(owners)), Constraints(), pictures,
        there.without(members.keys()),
    )  # fmt: skip
    return clusterer


def arrivals(size: int, dimension: int, seed: int) -> None:
    known = family(size, seed=seed, dimension=dimension)
    faces = known.faces
    chosen = rules(faces, SAME_PERSON)
    order = np.random.default_rng(1).permutation(len(faces))
    late, rest = order[:ADDED].tolist(), np.sort(order[ADDED:])
    clusterer = settled(known, rest, chosen)
    every = faces.units(rest)
    waited: dict[str, list[float]] = {"ours": [], "every face": []}
    worked: dict[str, list[float]] = {"ours": [], "every face": []}
    for row in late:
        one = faces.units(np.array([row]))[0]
        ask: dict[str, Callable[[], object]] = {
            "ours": lambda row=row: clusterer.add(
                int(faces.ids[row]),
                faces.vectors[row],
                quality=float(faces.quality[row]),
                picture=int(faces.pictures[row]),
            ),
            "every face": lambda one=one: int((every @ one).argmax()),
        }
        for name, asked in ask.items():
            began, before = time.perf_counter(), time.thread_time()
            asked()
            worked[name].append((time.thread_time() - before) * 1e3)
            waited[name].append((time.perf_counter() - began) * 1e3)
    loose = len(clusterer) - len(clusterer.members)
    print(
        f"\n{size} faces of {dimension} dimensions, {len(clusterer.directions.clusters)} exemplars, {loose} loose faces\n"
    )
    print("| one new face among them | processor ms p50 | p99 | by the clock p50 | p99 |")
    print("|---|---|---|---|---|")
    for name in waited:
        row = (np.quantile(some[name], at) for some in (worked, waited) for at in (0.5, 0.99))
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |")
    print(f"ratio {np.median(worked['every face']) / np.median(worked['ours']):.1f}", flush=True)


def compare(title: str, known: Family, same_person: float, methods: Sequence[str]) -> None:
    print(f"\n{title}\n")
    print("| method | B-cubed P | R | F | pairs P | R | F | seconds | peak MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "faces.npz"
        faces = known.faces
        np.savez(
            file, ids=faces.ids, vectors=faces.vectors, quality=faces.quality, pictures=faces.pictures,
            people=known.people, same_person=same_person,
        )  # fmt: skip
        for method in methods:
            if len(faces) > LARGEST.get(method, 1 << 30):
                print(f"| {method} | not run at this size |")
                continue
            results = [
                (mode, result) for mode in MODES[method] if (result := run(method, mode, file))
            ]
            if not results:
                print(f"| {method} | no result in {AT_MOST_S} s |")
                continue
            mode, best = max(results, key=lambda pair: pair[1]["agreement"][2])
            figures = " | ".join(f"{value:.3f}" for value in best["agreement"])
            name = method if method == "ours" else f"{method}, {mode:g}"
            print(
                f"| {name} | {figures} | {best['seconds']:.1f} | {best['peak']:.0f} |", flush=True
            )
            if method == "ours" and (late := run("added", 0.0, file)):
                print(
                    f"| ours, one by one | F {late['f']:.3f}; p50 {late['p50']:.2f} ms, p99 {late['p99']:.2f} ms; "
                    f"{late['exemplars']} exemplars |",
                    flush=True,
                )


def run(method: str, mode: float, file: Path) -> dict[str, Any] | None:
    command = [sys.executable, __file__, "--one", method, str(mode), file]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=AT_MOST_S, env=os.environ
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    return json.loads(done.stdout)


def sample(photos: int) -> tuple[Family, float]:
    """The faces of the drawn library whose people are known, as the built-in model sees them, and its `same_person`."""
    from PIL import Image, ImageOps

    from havenfs.catalog.vectors import quantise
    from havenfs.entities import Region
    from havenfs.extract.faces import FaceFinder
    from havenfs.models import registry
    from havenfs.models.manifest import ModelKind
    from havenfs.sample import library

    model = registry.builtin(ModelKind.FACES)
    finder = FaceFinder(model, threads=2)
    names: dict[str, int] = {}
    rows: list[tuple[NDArray[np.int8], float, int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "library"
        truth = library.write(root, photos=photos, seed=7)
        for picture, (path, known) in enumerate(sorted(truth.assets.items())):
            if known.kind != "photo" or not known.faces or path in truth.hard:
                continue
            try:
                image = ImageOps.exif_transpose(Image.open(root / path)).convert("RGB")
            except OSError:  # a RAW
                continue
            image.thumbnail((1440, 1440))
            for face in finder.find(image):
                for drawn in known.faces:
                    if face.region.overlap(Region(0, *drawn.box)) >= 0.5:
                        vector = quantise(np.frombuffer(face.vector, "<f4"))
                        whose = names.setdefault(drawn.name, len(names))
                        # below 40 px, as the settings have it, no face founds a cluster
                        rows.append(
                            (vector, face.quality if face.size >= 40 else 0.0, picture, whose)
                        )
    vectors, quality, pictures, people = zip(*rows, strict=True)
    faces = gallery(
        np.arange(1, len(rows) + 1),
        np.stack(vectors),
        np.array(quality, np.float32),
        np.array(pictures, np.int64),
    )
    return Family(faces, np.array(people)), model.calibration.same_person


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs="*", default=[2_000, 20_000])
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample", type=int, metavar="PHOTOS")
    parser.add_argument("--arrivals", type=int, nargs="*", default=[], metavar="N")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        method, mode, file = chosen.one
        if method == "added":
            added(Path(file))
        else:
            one(method, float(mode), Path(file))
        return
    methods: list[str] = chosen.methods
    for size in chosen.size:
        known = family(size, seed=chosen.seed, dimension=chosen.dimension)
        title = (
            f"{size} faces of {chosen.dimension} dimensions, {len(np.unique(known.people))} people"
        )
        compare(title, known, SAME_PERSON, methods)
    for size in chosen.arrivals:
        arrivals(size, chosen.dimension, chosen.seed)
    if chosen.sample:
        known, same_person = sample(chosen.sample)
        title = f"sample library: {len(known.faces)} faces of {len(np.unique(known.people))} people"
        compare(title, known, same_person, methods)


if __name__ == "__main__":
    main()
