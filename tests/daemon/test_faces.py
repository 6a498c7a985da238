"""Faces from end to end: a drawn library through the real indexer, held against the truth about it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from havend import report
from havenfs.catalog import Catalog, browse, clusters, faces
from havenfs.config import State
from havenfs.entities import Region, Stage
from havenfs.models import registry
from havenfs.models.manifest import ModelKind
from havenfs.sample import library

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from havenfs.catalog.faces import Known
    from havenfs.sample.truth import Truth

PHOTOS = 60


@dataclass(frozen=True, slots=True)
class Indexed:
    """The library, what is true of it, and what was found."""

    state: State
    truth: Truth
    faces: dict[str, list[Known]]
    """Path -> faces."""


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Indexed:
    """The photos whose people are known, and those without any, indexed by the real command."""
    root: Path = tmp_path_factory.mktemp("faces")
    truth = library.write(root / "library", photos=PHOTOS, seed=3)
    state = State(root=root / "state")
    for path, known in truth.assets.items():
        background = "person" in known.labels and not known.people  # of whom no truth is told
        if known.kind == "photo" and path not in truth.hard and not background:
            (root / "chosen" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / "library" / path, root / "chosen" / path)
    subprocess.run(
        [sys.executable, "-m", "havend", "index", "run", "--once", "--source", root / "chosen", "--state", state.root],
        check=True, timeout=100,
    )  # fmt: skip
    with Catalog(state.catalog) as catalog:
        shown = catalog.read(browse.assets, (browse.Condition("photo"),))
        found = {os.fsdecode(asset.path): catalog.read(faces.of_asset, asset.id) for asset in shown}
    return Indexed(state, truth, found)


def matched(indexed: Indexed) -> tuple[dict[int, str], int, int]:
    """Found face -> person, over all photos whose people are known; how many there are, and how many were found."""
    people: dict[int, str] = {}
    drawn = found = 0
    for path, known in indexed.truth.assets.items():
        if path not in indexed.faces:
            continue
        drawn += len(known.faces)
        found += len(indexed.faces[path])
        for truth in known.faces:
            place = Region(0, *truth.box)
            for face in indexed.faces[path]:
                if face.region.overlap(place) >= 0.5:
                    people[face.id] = truth.name
    return people, drawn, found


def test_faces_are_found_where_they_were_drawn_and_seldom_elsewhere(indexed: Indexed):
    people, drawn, found = matched(indexed)
    print(f"{drawn} faces drawn, {found} found, {len(people)} of them right")
    assert drawn >= 15
    assert len(people) / drawn >= 0.85
    assert found - len(people) <= 0.15 * len(indexed.faces), "a false one in seven pictures"


def test_the_faces_of_one_person_are_more_alike_than_those_of_two(indexed: Indexed):
    people, _, _ = matched(indexed)
    model = registry.builtin(ModelKind.FACES)
    with Catalog(indexed.state.catalog) as catalog:
        ids, matrix = catalog.read(faces.vectors, model.id)
    rows: NDArray[np.float32] = matrix.astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    names = [people.get(face_id) for face_id in ids]
    first, second = np.triu_indices(len(ids), 1)
    known = np.array(
        [names[a] is not None and names[b] is not None for a, b in zip(first, second, strict=True)]
    )
    same = np.array([names[a] == names[b] for a, b in zip(first, second, strict=True)])
    cosines = (rows @ rows.T)[first, second]
    ours, others = cosines[known & same], cosines[known & ~same]
    higher = float((ours[:, None] > others[None]).mean())
    print(f"{len(ours)} pairs of one person, {len(others)} of two: {higher:.3f} in the right order")
    assert len(ours) >= 8
    assert higher >= 0.75


def test_faces_are_clustered_when_everything_is_indexed(indexed: Indexed):
    people, _, _ = matched(indexed)
    model = registry.builtin(ModelKind.FACES)
    with Catalog(indexed.state.catalog) as catalog:
        made = catalog.read(clusters.made)
        assert not len(catalog.read(clusters.waiting, model.id, 1, smallest=0))
        unnamed = catalog.read(clusters.unnamed)
        members = [catalog.read(clusters.members, cluster.id) for cluster in unnamed]
    assert made is not None
    assert (made.model, made.changed) == (model.id, 0)
    assert made.faces >= sum(len(found) for found in indexed.faces.values())  # mates have some too
    names = [[people[m.face_id] for m in some if m.face_id in people] for some in members]
    right = sum(max(map(some.count, some), default=0) for some in names)
    print(f"{len(unnamed)} clusters, {right} of {sum(map(len, names))} faces beside their own")
    assert right >= 0.75 * sum(map(len, names))


def test_the_terminal_says_that_faces_are_looked_for_by_the_miniature(indexed: Indexed):
    status = report.status(indexed.state)
    assert status.finished
    assert status.progress.stages[Stage.FACES].done >= len(indexed.faces)
    assert not [
        trouble for trouble in status.trouble if trouble.stage is Stage.FACES and not trouble.reason
    ]
    assert "miniature model mini-faces" in status.as_text()
    assert status.as_json()["faces"]["name"] == "mini-faces"
    listing = report.models(indexed.state).as_text()
    assert "* mini-faces" in listing
    assert "* mini-clip" in listing


def test_searches_find_pictures_by_the_number_of_faces(indexed: Indexed):
    pairs = {path for path, found in indexed.faces.items() if len(found) >= 2}
    found = report.search(indexed.state, "faces=2.. type=photo", 500)
    assert {
        os.fsdecode(asset.path)
        for _, asset, _ in found.hits
        if os.fsdecode(asset.path) in indexed.faces
    } == pairs
    assert len(report.search(indexed.state, "has=face type=photo", 500).hits) >= len(pairs) > 0
