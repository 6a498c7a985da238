"""Writes the directory of the miniature faces model: two graphs, README, and a manifest with hashes and figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from havenfs.models import packs
from havenfs.models.manifest import hash_file

from .drawings import CROP, SIDE
from .evaluation import FALSE_ACCEPTS, READABLE
from .nets import DIMENSION

if TYPE_CHECKING:
    from pathlib import Path

    from .evaluation import Measured

NAME = "mini-faces"
SCORE = 0.5
"""From which a detection is a face."""

Figures = dict[str, Any]


def figures(forms: dict[str, Measured], **others: Any) -> Figures:
    """The figures of the manifest, by form of the model ("fp32", "int8")."""
    return {
        form: {
            "detection": _rounded(asdict(measured.detection)),
            "verification": _rounded(asdict(measured.verification)),
        }
        for form, measured in forms.items()
    } | _rounded(others)


def write_manifest(directory: Path, measured: Figures, *, same_person: float) -> None:
    """Write manifest.json last: it holds the SHA-256 of every other file."""
    files = {
        str(path.relative_to(directory)): hash_file(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    manifest = {
        "name": NAME,
        "kind": "faces",
        "dimension": DIMENSION,
        "licence": "MIT",
        "source": "trained by `python -m havenfs.miniature.faces` on drawings by havenfs.sample; no photograph was used",
        "description": "Miniature detector and recogniser of drawn faces; for trying out and for tests",
        "miniature": True,
        "files": files,
        "measured": measured,
        "calibration": {
            "face_side": SIDE,
            "face_score": SCORE,
            "same_person": round(same_person, 3),
        },
    }
    (directory / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def write_readme(directory: Path, measured: Figures) -> None:
    """Write the model's README.md: what it is, what it measured, what it is not."""
    sizes = {
        part: (directory / part).stat().st_size / 1e6
        for part in (packs.DETECTION, packs.RECOGNITION)
    }
    lines = [
        "# mini-faces",
        "",
        "A detector with the outputs of SCRFD and a recogniser with those of ArcFace, of miniature size, trained for a few",
        "minutes on two processor cores by `python -m havenfs.miniature.faces` from drawings of people whose features were",
        "drawn by lot. No photograph and no other model's weights went into it, and none of the sample library's people. It",
        "makes faces work out of the box and in tests, offline, through insightface's own code. **It knows drawn faces only**:",
        "for a library of photographs install a full pack.",
        "",
        f"`{packs.DETECTION}` ({sizes[packs.DETECTION]:.2f} MB): `input.1` float32 [1, 3, h, w], (pixel - 127.5) / 128; scores, boxes and five landmarks",
        f"at strides 8, 16 and 32. Pictures are brought to {SIDE} px. `{packs.RECOGNITION}` ({sizes[packs.RECOGNITION]:.2f} MB): `input.1` float32",
        f"[n, 3, {CROP}, {CROP}], (pixel - 127.5) / 127.5; `embedding` float32 [n, {DIMENSION}]. int8: convolutions static QDQ U8S8 per channel,",
        "but for the first ones and the detector's last ones.",
        "",
        "## Measured on drawings of people never seen in training",
        "",
        f"Detection at an overlap of 0.5, at the score {SCORE} (average precision: from 0.2 up). Verification of every two faces of at least",
        f"{READABLE} px that were found: accepted pairs of one person where {FALSE_ACCEPTS:.1%} of the pairs of two are accepted.",
        "",
        "| form | average precision | recall | precision | landmarks off by | accepted | accuracy | cosine |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for form in ("fp32", "int8"):
        found, same = measured[form]["detection"], measured[form]["verification"]
        lines.append(
            f"| {form} | {found['average_precision']:.3f} | {found['recall']:.3f} | {found['precision']:.3f} "
            f"| {found['landmark_error']:.1%} of the face | {same['accepted']:.3f} | {same['accuracy']:.3f} | {same['cosine']:.2f} |"
        )
    same = measured["int8"]["verification"]
    lines += [
        "",
        f"{measured['int8']['detection']['faces']} faces in {measured['gallery']} drawings; {same['faces']} of them of {same['people']} people compared. Vectors of int8 and fp32 agree",
        f"to a cosine of {measured['agreement']['cosine_mean']:.4f} (mean; {measured['agreement']['cosine_min']:.3f} least).",
        "",
        f"Trained {measured['training_seconds']:.0f} processor seconds each, side by side ({measured['steps']} steps of 32 views and of 64 faces), on",
        f"{measured['drawings']} drawings of {measured['people']} people.",
        "",
        "The bars in `tests/models/test_mini_faces.py` were set after these results: they notice a model that has become worse,",
        "and say nothing about how good one ought to be.",
    ]
    (directory / "README.md").write_text("\n".join(lines) + "\n")


def _rounded(value: Any, digits: int = 4) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one, digits) for key, one in value.items()}
    return round(value, digits) if isinstance(value, float) else value
