"""Exporting where its extra is not installed: an error that says what to install, and the catalogue's own rules."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from havenfs.export import package

if TYPE_CHECKING:
    from pathlib import Path


def test_without_the_extra_it_is_said_what_to_install(tmp_path: Path):
    if importlib.util.find_spec("torch") is not None:
        return  # the other environment: tests/export/test_command.py
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "havend",
            "models",
            "export",
            "ViT-B-32:openai",
            "--out",
            tmp_path / "out",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install" in done.stderr
    assert "torch" in done.stderr


@pytest.mark.parametrize(
    ("name", "pretrained", "licence"),
    [
        ("ViT-B-32-256", "datacomp_s34b_b86k", "MIT"),
        ("ViT-B-32-SigLIP2-256", "webli", "Apache-2.0"),
        ("MobileCLIP2-S0", "dfndr2b", "apple-amlr (research only)"),
        ("ViT-B-32-quickgelu", "metaclip_400m", "CC-BY-NC-4.0 (not for commercial use)"),
        ("somebody", "weights.pt", "unknown"),
        ("ViT-B-32", None, "random weights: for tests only"),
    ],
)
def test_the_licence_of_weights_is_told_by_their_name(
    name: str, pretrained: str | None, licence: str
):
    assert package.licence(name, pretrained) == licence
