"""`havenfs models export`, whole: a directory that installs, with a report of what it measured. Needs the training extra."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from havenfs.config import State
from havenfs.errors import ConfigError
from havenfs.models import install, manifest as manifests, registry

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.training,
    pytest.mark.timeout(600),
    # torch's exporter and onnxscript announce changes in themselves that are no business of ours
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
    ),
]

CONFIG = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 128, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}


def exporter(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "havenfs.export", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_an_export_says_how_far_it_agrees_and_installs(tmp_path: Path):
    from havenfs.export import command

    out = tmp_path / "small"
    report = command.export("small-whole", None, out, config=CONFIG, keep=True)
    assert report.forms["fp32"].agreement["torch"].cosine_min >= 0.9999
    assert report.forms["fp32"].agreement["torch"].like_overlap >= 0.99
    assert report.forms["int8"].agreement["fp32"].cosine_mean >= 0.95
    assert report.forms["int8"].bytes < 0.5 * report.forms["fp32"].bytes
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files == {
        "README.md", "agreement.json", "config.json", "manifest.json", "visual/model.onnx", "visual/preprocess_cfg.json",
        "textual/model.onnx", "textual/tokenizer.json", "textual/tokenizer_config.json",
    }  # fmt: skip
    manifest = manifests.read(out)
    assert manifest is not None
    assert set(manifest.files) == files - {"manifest.json"}
    assert manifest.licence == "random weights: for tests only"
    assert manifest.source == "open_clip small-whole random"
    told = json.loads((out / "agreement.json").read_text())
    assert told["forms"]["int8"]["trial"]["picture_ms"] > 0
    readme = (out / "README.md").read_text()
    assert "| int8 | torch |" in readme
    assert "Random weights" in readme
    state = State(root=tmp_path / "state")
    model = install.bring(state, out, name=None, accepted=False, try_out=lambda _: None)
    assert registry.verify(model) == []

    again = tmp_path / "again"
    done = exporter("--from", tmp_path / "small-fp32", "--out", again)
    assert done.returncode == 0, done.stderr
    assert registry.load(again).dimension == 64
    assert "small-fp32" in (manifests.read(again) or manifest).source
    assert (again / "visual/model.onnx").stat().st_size == (
        out / "visual/model.onnx"
    ).stat().st_size


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ViT-B-32",), "say which weights"),
        (("ViT-B-32:openai", "--random"), "say which weights"),
        (("Nonsense", "--random"), "open_clip has no model 'Nonsense'; it has"),
        (("ViT-B-32:nonsense",), "has no weights 'nonsense' of ViT-B-32; it has openai"),
        ((), "name a model"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, arguments: tuple[str, ...], words: str):
    done = exporter(*arguments, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_weights_that_cannot_be_fetched_or_are_none_are_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    out = tmp_path / "out"
    done = exporter("ViT-B-32:laion2b_s34b_b79k", "--out", out)
    assert done.returncode == 2, done.stderr
    said = done.stderr.splitlines()[-1]
    assert "'laion2b_s34b_b79k' of ViT-B-32 could not be fetched from http://127.0.0.1:9/" in said
    assert "HF_ENDPOINT" in said
    assert "Traceback" not in done.stderr
    (tmp_path / "weights.pt").write_bytes(b"no weights")
    done = exporter(f"ViT-B-32:{tmp_path / 'weights.pt'}", "--out", out)
    assert done.returncode == 2, done.stderr
    assert "weights.pt does not hold weights of ViT-B-32" in done.stderr
    assert not out.exists()


def test_too_few_pictures_are_said(tmp_path: Path):
    from havenfs.export import pictures

    Image.new("RGB", (150, 150)).save(tmp_path / "one.jpg")
    with pytest.raises(ConfigError, match="only 5 pictures"):
        pictures.real(tmp_path)
    assert len(pictures.real(None)) > 60
