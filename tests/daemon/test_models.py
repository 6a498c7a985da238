"""`havenfs models`, as the owner types it: the real commands, a hub on loopback, a library of two models."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from PIL import Image

from havend import indexer, report, tagger, trial
from havenfs.catalog import Catalog, vectors
from havenfs.config import SourceConfig, State
from havenfs.errors import ModelError
from havenfs.models import catalogue, measured, recommend, registry
from havenfs.models.manifest import ModelKind

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.models.catalogue import Choice

MINIATURE = registry.BUILTIN[ModelKind.CLIP]


def havenfs_command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "havend", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **environment},
    )


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path / "state")


def command(state: State, *arguments: str | Path, **environment: str) -> str:
    """The output of `havenfs models ...`, which succeeds."""
    done = havenfs_command("models", *arguments, "--state", state.root, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_is_brought_tried_listed_checked_and_removed(state: State):
    assert "twin is installed (MIT)" in command(
        state, "install", "--from", MINIATURE, "--name", "twin"
    )
    listed = json.loads(command(state, "list", "--json"))["models"]
    assert [m["name"] for m in listed if m["kind"] == "clip"] == ["mini-clip", "twin"]
    speed = next(m for m in listed if m["name"] == "twin")["measured"]
    assert speed["picture_ms"] > 0
    assert speed["text_ms"] > 0
    assert speed["device"] == "CPUExecutionProvider"
    assert "ms a picture" in command(state, "list")
    assert "twin: as it was installed" in command(state, "verify")
    (state.models / "twin/visual/model.onnx").write_bytes(b"rotten")
    done = havenfs_command("models", "verify", "--state", state.root)
    assert done.returncode == 1
    assert "visual/model.onnx differs from the manifest" in done.stdout
    assert "twin is removed" in command(state, "remove", "twin")
    done = havenfs_command("models", "use", "twin", "--state", state.root)
    assert done.returncode == 2
    assert "no model 'twin' is installed" in done.stderr


def test_a_graph_that_kills_who_loads_it_is_not_installed(state: State, tmp_path: Path):
    source = tmp_path / "bad"
    shutil.copytree(MINIATURE, source)
    (source / "manifest.json").unlink()
    (source / "visual/model.onnx").write_bytes(b"\x08\x08" + os.urandom(5000))
    done = havenfs_command("models", "install", "--from", source, "--state", state.root)
    assert done.returncode == 1
    assert "cannot be loaded" in done.stderr
    assert str(source) in done.stderr
    assert [m.name for m in registry.installed(state, ModelKind.CLIP)] == ["mini-clip"]


def test_how_a_trial_died_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial, "memory_mib", lambda: 64)  # of which it may have half
    with pytest.raises(ModelError, match=r"ended the process|memory|allocat"):
        trial.model(MINIATURE)


def test_a_download_with_a_licence_is_asked_about_first(state: State):
    done = havenfs_command(
        "models", "install", "buffalo_l", "--state", state.root, HF_ENDPOINT="http://127.0.0.1:9"
    )
    assert done.returncode == 2
    assert "non-commercial" in done.stderr
    assert "--accept-licence" in done.stderr


def test_without_a_network_a_download_fails_in_one_line(state: State):
    done = havenfs_command(
        "models",
        *("install", "ViT-B-32__openai", "--state", state.root),
        HF_ENDPOINT="http://127.0.0.1:9",
        NO_PROXY="*",
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "http://127.0.0.1:9" in done.stderr


def test_the_full_model_is_offered_until_it_is_declined(state: State):
    before = havenfs_command("status", "--state", state.root).stdout
    assert "havenfs models install ViT-B-32-SigLIP2-256__webli" in before
    assert "1540 MB, Apache-2.0" in before
    command(state, "decline")
    after = havenfs_command("status", "--state", state.root).stdout
    assert "models install" not in after
    assert "miniature model" in after
    command(state, "decline", "--undo")
    assert havenfs_command("status", "--state", state.root).stdout == before


def test_a_recommendation_is_measured_and_kept(state: State):
    found = json.loads(command(state, "recommend", "--json"))
    assert found["machine"]["gigaflop_ms"] > 0
    assert found["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert measured.read(state).machine is not None
    assert found["models"][0]["free"]
    assert found["models"][0]["fits"]


def machine(gigaflop_ms: float, memory: int = 4096) -> measured.Machine:
    return measured.Machine(cores=2, memory=memory, instructions=(), gigaflop_ms=gigaflop_ms)


def ranked(machine: measured.Machine, pictures: int) -> list[Choice]:
    clip = [c for c in catalogue.choices() if c.kind is ModelKind.CLIP]
    return [e.choice for e in recommend.estimate(clip, machine, pictures)]


def test_slow_and_small_machines_are_given_lighter_models():
    assert ranked(machine(20), 20_000)[0].name == "ViT-B-32-SigLIP2-256__webli"
    assert ranked(machine(2), 20_000)[0].gigaflops > 30
    small = ranked(machine(20, memory=2048), 20_000)[0]
    assert small.memory <= 1024
    assert ranked(machine(200), 100_000)[0].gigaflops < 12
    for choices in (ranked(machine(20), 20_000), ranked(machine(2, 64_000), 1000)):
        assert choices[0].free


async def test_the_old_model_answers_until_the_new_one_has_seen_everything(tmp_path: Path):
    state = State(root=tmp_path / "state")
    photos = tmp_path / "photos"
    photos.mkdir()
    for n in range(6):
        Image.new("RGB", (320, 240), (40 * n, 90, 200 - 30 * n)).save(photos / f"{n}.jpg")
    sources = [SourceConfig(name="photos", root=photos)]

    async def index() -> None:
        with trio.fail_after(90):
            await indexer.run(state, sources, once=True)

    await index()
    await trio.to_thread.run_sync(
        command, state, "install", "--from", str(MINIATURE), "--name", "twin"
    )
    said = await trio.to_thread.run_sync(command, state, "use", "twin")
    assert "mini-clip goes on answering" in said
    old, new = registry.builtin(), registry.active(state)
    assert (registry.answering(state), new.name) == (old, "twin")

    def found() -> tuple[str, int, Any]:
        answer = report.search(state, "blue", 10)
        with Catalog(state.catalog) as catalog:
            seen = dict(catalog.read(vectors.models))
        return report.status(state).as_text(), len(answer.hits), seen

    before = await trio.to_thread.run_sync(found)
    assert (
        "twin is looking at the library; until it has seen everything, mini-clip answers"
        in before[0]
    )
    assert before[2] == {old.id: 6}
    await index()
    after = await trio.to_thread.run_sync(found)
    assert registry.answering(state) == new
    assert "answers searches" not in after[0]
    assert after[1] == before[1]
    assert after[2] == {
        old.id: 6,
        new.id: 6,
    }  # processes that keep queries' vectors still ask for the old ones

    with Catalog(state.catalog) as catalog:
        assert catalog.write(vectors.forget, {new.id}, 4)
        assert not catalog.write(vectors.forget, {new.id}, 4)
        assert dict(catalog.read(vectors.models)) == {new.id: 6}
    assert (await trio.to_thread.run_sync(found))[1] == before[1]


async def test_tags_go_over_to_the_new_model_while_the_old_one_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(indexer, "OWNER_S", 3.0)  # long enough for the tagger to look in between
    monkeypatch.setattr(tagger, "PAUSE_S", 0.1)
    state = State(root=tmp_path / "state")
    photos = tmp_path / "photos"
    photos.mkdir()
    for n in range(6):
        Image.new("RGB", (320, 240), (40 * n, 90, 200 - 30 * n)).save(photos / f"{n}.jpg")
        os.utime(photos / f"{n}.jpg", (1_500_000_000, 1_500_000_000))
    asked_while_old_answers: list[str] = []
    words = tagger.Tagging._words

    async def noted(self: Any, model: Any, by: Any) -> Any:
        if registry.answering(state).id != model.id:
            asked_while_old_answers.append(model.name)
        return await words(self, model, by)

    monkeypatch.setattr(tagger.Tagging, "_words", noted)

    def tagged_by() -> set[tuple[str, str]]:
        with Catalog(state.catalog) as catalog:
            return catalog.read(
                lambda db: set(db.execute("SELECT state, model FROM job WHERE stage = 'tags'"))
            )

    def settled(name: str) -> bool:
        return (
            registry.answering(state).name == name
            and all(s == "done" and m.startswith(f"{name}@") for s, m in tagged_by())
            and "Everything is indexed" in report.status(state).as_text()
        )

    async def until_settled(name: str) -> None:
        with trio.fail_after(60):
            while not await trio.to_thread.run_sync(settled, name):
                await trio.sleep(0.2)

    async with trio.open_nursery() as nursery:
        await nursery.start(partial(indexer.run, state, [SourceConfig(name="photos", root=photos)]))
        await until_settled("mini-clip")
        await trio.to_thread.run_sync(
            command, state, "install", "--from", str(MINIATURE), "--name", "twin"
        )
        await trio.to_thread.run_sync(command, state, "use", "twin")
        await until_settled("twin")
        nursery.cancel_scope.cancel()
    assert asked_while_old_answers == ["twin"]


def test_going_back_before_it_is_ready_changes_nothing(state: State):
    command(state, "install", "--from", MINIATURE, "--name", "twin")
    registry.use(state, "twin")
    assert registry.answering(state).name == "mini-clip"
    registry.use(state, "mini-clip")
    assert registry.answering(state) == registry.active(state) == registry.builtin()
