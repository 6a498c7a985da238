"""A household moves its library to another disk, renames folders, takes another model for faces and loses the database; all of it
through the real programs. What people decided is there afterwards, row by row."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from havenfs.catalog import Catalog, given
from havenfs.config import State
from havenfs.models import registry
from havenfs.models.manifest import ModelKind
from havenfs.sample import library

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = [
    pytest.mark.fuse,
    pytest.mark.timeout(600),
    pytest.mark.parametrize("transport", ["direct"], indirect=True),
]

JPEG = b"\xff\xd8\xff\xe0"
Rows = dict[str, list[given.Row]]


def havenfs(state: State, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "havend", *map(str, arguments), "--state", str(state.root)],
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(state: State) -> Rows:
    """All GIVEN rows."""
    with Catalog(state.catalog) as catalog:
        return {table: catalog.read(given.rows, table) for table in given.TABLES}


def content(path: Path) -> str:
    return os.getxattr(path, "user.haven.hash").decode()


def contents(folder: Path) -> set[str]:
    """Of the files in a folder of the views: names are given anew with the database."""
    return {content(entry) for entry in folder.iterdir() if entry.is_file()}


def another_model(state: State, room: Path) -> None:
    """A pack that finds the same faces and tells them apart in a space of its own: the coordinates of ours, other way round."""
    ours = registry.builtin(ModelKind.FACES).directory
    (room / "recognition").mkdir(parents=True)
    shutil.copytree(ours / "detection", room / "detection")
    model = onnx.load(ours / "recognition/model.onnx")
    output = model.graph.output[0]
    size = output.type.tensor_type.shape.dim[1].dim_value
    turned = np.eye(size, dtype=np.float32)[::-1].copy()
    model.graph.initializer.append(numpy_helper.from_array(turned, "turned"))
    inner = f"{output.name}_before"
    for node in model.graph.node:
        node.output[:] = [inner if name == output.name else name for name in node.output]
        node.input[:] = [inner if name == output.name else name for name in node.input]
    model.graph.node.append(helper.make_node("MatMul", [inner, "turned"], [output.name]))
    assert output.type.tensor_type.elem_type == TensorProto.FLOAT
    onnx.save(model, room / "recognition/model.onnx")
    manifest = json.loads((ours / "manifest.json").read_text())
    files = {
        str(path.relative_to(room)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in room.rglob("*.onnx")
    }
    (room / "manifest.json").write_text(json.dumps({**manifest, "name": "turned", "files": files}))
    havenfs(state, "models", "install", "--from", room, "--name", "turned")
    havenfs(state, "models", "use", "turned")


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    """Another disk, with numbers of its own."""
    point = tmp_path / "other disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", point], check=True)
    yield point
    subprocess.run(["umount", "-l", point], check=True)


def draw(photos: Path, room: Path) -> None:
    """Photos of a few people, and some of nobody: the rest would only take its time."""
    truth = library.write(room, photos=90, seed=3)
    others = 0
    for path, known in truth.assets.items():
        family = {"Anna", "Ben", "Henry", "Imani"} & set(known.people)
        others += not known.people
        if (
            known.kind == "photo"
            and path not in truth.hard
            and (family or (not known.people and others < 14))
        ):
            (photos / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(room / path, photos / path)


def decide(top: Path) -> None:
    """Something of every kind."""
    shown = sorted(each.name for each in (top / "types/photos").iterdir())
    photos = [top / "types/photos" / name for name in shown]
    for folder in ("albums/Rome", "albums/Rome/Day 1", "tags/dog", "tags/dog/small"):
        (top / folder).mkdir()
    for number, photo in enumerate(photos[:8]):
        os.link(
            photo,
            top
            / ("albums/Rome", "albums/Rome/Day 1", "tags/dog/small", "favorites")[number % 4]
            / photo.name,
        )
    (top / "albums/Rome/new.jpg").write_bytes(JPEG + b"of no camera" * 1000)
    (top / "saved/type=photo 2019").mkdir()
    os.rename(top / "saved/type=photo 2019", top / "saved/That year")
    for name, value in (
        ("user.xdg.comment", "Nelly"), ("user.baloo.rating", "6"), ("user.haven.date", "1987-05-02"),
        ("user.haven.gps", "50.73, 7.1"), ("user.xdg.tags", "beach, dog"),
    ):  # fmt: skip
        os.setxattr(photos[8], name, value.encode())
    groups = sorted(each.name for each in (top / "people/_unnamed").iterdir())
    assert len(groups) >= 3, "the drawn people are told apart"
    os.rename(top / "people/_unnamed" / groups[0], top / "people/Alice")
    os.rename(top / "people/_unnamed" / groups[1], top / "people/Bob")
    os.rename(top / "people/_unnamed" / groups[2], top / "people/_ignored" / groups[2])
    (top / "people/Carol").mkdir()
    alone = next(each for each in photos if not os.path.exists(top / "people/Alice" / each.name))
    os.link(alone, top / "people/Carol" / alone.name)
    os.unlink(next((top / "people/Alice").iterdir()))
    moved = next((top / "people/Bob").iterdir())
    os.rename(moved, top / "people/Carol" / moved.name)
    undated = top / "by-date/_undated"
    if undated.exists():
        (top / "by-date/1999").mkdir(exist_ok=True)
        (top / "by-date/1999/05").mkdir(exist_ok=True)
        old = next(each for each in undated.iterdir() if each.name != "new.jpg")
        os.rename(old, top / "by-date/1999/05" / old.name)
    (top / "places/Italy").mkdir(exist_ok=True)
    (top / "places/Italy/Siena").mkdir(exist_ok=True)
    lost = next(
        each
        for each in (top / "places/_nowhere").iterdir()
        if each.name != "new.jpg" and "user.haven.gps" not in os.listxattr(each)
    )
    os.rename(lost, top / "places/Italy/Siena" / lost.name)
    group = next((top / "duplicates").iterdir(), None)
    if group is not None:
        os.rmdir(group)
    for folder, _, names in os.walk(top / "files/photos"):
        if names and "Uploads" not in folder:
            os.unlink(Path(folder) / sorted(names)[0])
            break


def seen(top: Path) -> dict[str, set[str]]:
    """What people see of it."""
    folders = ["albums/Rome", "albums/Rome/Day 1", "tags/dog", "tags/dog/small", "tags/beach", "favorites", "by-date/1987/05",
               "by-date/1999/05", "places/Italy/Siena", "saved/That year"]  # fmt: skip
    found = {folder: contents(top / folder) for folder in folders if (top / folder).exists()}
    (day,) = (top / "trash").iterdir()
    found["trash"] = {str((each.name, each.read_bytes()[:2000])) for each in day.iterdir()}
    return found


def test_all_that_was_decided_moves_along(
    serve: Any, tmp_path: Path, disk: Path, transport: str
) -> None:
    state, photos = State(root=tmp_path / "state"), tmp_path / "disk/photos"
    draw(photos, tmp_path / "drawn")
    havenfs(state, "index", "run", "--once", "--writable", photos)
    with serve(state.root, tmp_path / "mnt") as mount:
        decide(mount.point)
    havenfs(state, "index", "run", "--once", "--writable", photos)
    with serve(state.root, tmp_path / "mnt") as mount:
        before_seen = seen(mount.point)
    before = rows(state)
    kinds = {table for table, those in before.items() if those}
    assert kinds >= {
        "person", "face_said", "person_tag", "collection", "member", "favorite", "given_rating", "given_caption",
        "given_date", "given_position", "saved_search", "trashed",
    }  # fmt: skip

    # To another disk, folders renamed; another model; no database.
    new = disk / "photos"
    subprocess.run(["cp", "-a", photos, new], check=True)
    shutil.rmtree(photos.parent)
    folders = [each for each in new.iterdir() if each.is_dir() and not each.name.startswith(".")]
    for number, folder in enumerate(folders):
        folder.rename(new / f"folder {number}")
    another_model(state, tmp_path / "turned")
    for file in state.root.glob("catalog.db*"):
        file.unlink()
    havenfs(state, "index", "run", "--once", "--writable", new)

    after = rows(state)
    for table, those in before.items():
        assert after[table] == those, table
    assert model_of_faces(state) == {"turned"}
    with serve(state.root, tmp_path / "mnt") as mount:
        assert seen(mount.point) == before_seen
        people_are_as_they_were_said(mount.point, after)


def model_of_faces(state: State) -> set[str]:
    """Which model has told the faces apart."""

    def names(db: Any) -> set[str]:
        rows_: Any = db.execute(
            "SELECT DISTINCT m.name FROM face_vector v JOIN model m ON m.id = v.model_id"
        )
        return {name.partition("@")[0] for (name,) in rows_}

    with Catalog(state.catalog) as catalog:
        return catalog.read(names)


def people_are_as_they_were_said(top: Path, those: Rows) -> None:
    """Whoever was said to be in a picture is in it, and nobody of whom it was said that he is not."""
    names = {row[0]: row[1] for row in those["person"] if row[1]}
    there = {uid: contents(top / "people" / str(name)) for uid, name in names.items()}
    visible = contents(top / "types/photos")
    yes = {(row[-2], row[0]) for row in those["face_said"] if row[-1]}
    yes |= {(row[1], row[0]) for row in those["person_tag"] if row[-1]}
    no = {(row[1], row[0]) for row in those["person_tag"] if not row[-1]} - yes
    assert yes
    assert no
    for uid, hash_ in yes:
        if uid in names and hash_ in visible:
            assert hash_ in there[uid]
    for uid, hash_ in no:
        assert hash_ not in there[uid]
