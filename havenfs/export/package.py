"""Writes what stands beside the towers in a model's directory: settings, the report of agreement, README, manifest.

The layout is that of Immich's exports, so that whatever reads one reads the other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from havenfs.export.agreement import TEXTS, Agreement
from havenfs.models import manifest as manifests
from havenfs.models.manifest import Manifest, ModelKind
from havenfs.models.measured import Trial  # noqa: TC001 -- msgspec reads it

if TYPE_CHECKING:
    from pathlib import Path

REPORT = "agreement.json"

LICENCES = (
    ("mobileclip", "apple-amlr (research only)"),
    ("datacompdr", "apple-amlr (research only)"),
    ("dfn", "apple-amlr (research only)"),
    ("metaclip", "CC-BY-NC-4.0 (not for commercial use)"),
    ("nllb", "CC-BY-NC-4.0 (not for commercial use)"),
    ("webli", "Apache-2.0"),
    ("pe-core", "Apache-2.0"),
    ("openai", "MIT"),
    ("laion", "MIT"),
    ("datacomp", "MIT"),
    ("commonpool", "MIT"),
)
"""What the authors say of weights, by a part of their name; the first that fits."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One form of the model: what it costs and how far it agrees with the one before."""

    bytes: int
    trial: Trial
    agreement: dict[str, Agreement]
    """By what it is compared with: "torch", "fp32"."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that exporting measured: agreement.json."""

    name: str
    weights: str
    pictures: int
    recipes: dict[str, str]
    """Of each tower's int8 form; "fp32, because ..." where that did not agree."""
    forms: dict[str, Form]
    """"fp32" and "int8"."""


def licence(name: str, pretrained: str | None) -> str:
    """Of the weights, as far as it is known here."""
    if pretrained is None:
        return "random weights: for tests only"
    text = f"{name} {pretrained}".lower()
    return next((words for part, words in LICENCES if part in text), "unknown")


def write_settings(directory: Path, config: dict[str, Any], preprocess: dict[str, Any]) -> None:
    """Write config.json and the preprocessing, and make the folders of the towers."""
    for part in ("visual", "textual"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    write_json(directory / manifests.CONFIG, config)
    write_json(directory / manifests.PREPROCESS, preprocess)


def write_json(path: Path, value: Any) -> None:
    """Write *value* for people to read."""
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_manifest(
    directory: Path, report: Report, *, name: str, licence: str, source: str
) -> None:
    """Write manifest.json last: it holds the SHA-256 of every other file."""
    config = manifests.decode(directory / manifests.CONFIG, manifests.CONFIGS)
    form = "fp32" if name.endswith("-fp32") else "int8"
    manifests.write(
        directory,
        Manifest(
            name=name,
            kind=ModelKind.CLIP,
            dimension=config.embed_dim,
            context_length=config.context_length,
            files={},
            licence=licence,
            source=source,
            description=f"{report.name} ({report.weights}), {form}",
            measured={
                "agreement": {
                    key: msgspec.to_builtins(value)
                    for key, value in report.forms[form].agreement.items()
                }
            },
        ),
    )


def write_report(directory: Path, report: Report, *, licence: str, source: str) -> None:
    """Write agreement.json and README.md."""
    write_json(directory / REPORT, msgspec.to_builtins(report))
    lines = [
        f"# {report.name}",
        "",
        f"Weights: {report.weights}. Licence: {licence}. Exported by `havenfs models export` from {source}.",
        "",
        "| form | MB | ms a picture | ms each of 8 | ms a text | MiB of memory |",
        "|---|---|---|---|---|---|",
    ]
    for form, row in report.forms.items():
        t = row.trial
        lines.append(
            f"| {form} | {row.bytes / 1e6:.1f} | {t.picture_ms:.1f} | {t.batch_ms:.1f} | {t.text_ms:.1f} | {t.memory} |"
        )
    lines += ["", "Two threads, on the machine that exported it, which may have been busy.", ""]
    lines += [f"- {tower}: {recipe}" for tower, recipe in report.recipes.items()]
    lines += [
        "",
        "## Agreement",
        "",
        f"On {report.pictures} real pictures and {len(TEXTS)} texts, through HavenFS's own preprocessing and tokenizer. Centred: after taking",
        "away the mean picture. Overlap: how many of the ten most similar pictures are the same.",
        "",
        "| form | with | cosine mean | min | centred | text mean | text min | alike | for a text |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for form, row in report.forms.items():
        for other, a in row.agreement.items():
            lines.append(
                f"| {form} | {other} | {a.cosine_mean:.5f} | {a.cosine_min:.5f} | {a.centred_mean:.5f} |"
                f" {a.text_cosine_mean:.5f} | {a.text_cosine_min:.5f} | {a.like_overlap:.3f} | {a.text_overlap:.3f} |"
            )
    if report.weights == "random":
        lines += ["", "Random weights: nothing here is about pictures, only about arithmetic."]
    (directory / "README.md").write_text("\n".join(lines) + "\n")
