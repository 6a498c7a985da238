"""Writes the model's directory: both towers, settings, tokenizer, README, and a manifest with hashes and figures.

The layout is that of Immich's exports, so that whatever reads one reads the other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from havenfs.miniature.clip import CONTEXT, MEAN, NAME, STD
from havenfs.miniature.drawings import SIZE
from havenfs.miniature.evaluation import PROMPT
from havenfs.miniature.tokenizer import END, START
from havenfs.sample.vocabulary import COLOURS, SETTINGS, SUBJECTS, THINGS, WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from havenfs.miniature.evaluation import Agreement, Recognition, Retrieval
    from havenfs.miniature.photographs import Reading
    from havenfs.models.calibration import Calibration

VISUAL, TEXTUAL = "visual/model.onnx", "textual/model.onnx"

Figures = dict[str, Any]


def write_settings(directory: Path, config: dict[str, Any], tokenizer: Tokenizer) -> None:
    """Write everything that does not come out of training."""
    for part in ("visual", "textual"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    _write_json(directory / "config.json", config)
    preprocess = {
        "size": [SIZE, SIZE], "mode": "RGB", "mean": [MEAN] * 3, "std": [STD] * 3,
        "interpolation": "bicubic", "resize_mode": "squash", "fill_color": 0,
    }  # fmt: skip
    _write_json(directory / "visual" / "preprocess_cfg.json", preprocess)
    tokenizer.save(str(directory / "textual" / "tokenizer.json"), pretty=False)
    _write_json(
        directory / "textual" / "tokenizer_config.json",
        {
            "bos_token": START,
            "eos_token": END,
            "pad_token": "!",
            "unk_token": END,
            "model_max_length": CONTEXT,
        },
    )


def measured(
    recognition: dict[str, tuple[Recognition, Recognition]],
    retrieval: Retrieval,
    agreement: dict[str, Agreement],
    **others: float,
) -> Figures:
    """The figures of the manifest. `recognition`: by form of the model ("torch", "fp32", "int8"), fresh and held out."""
    figures: Figures = {
        form: {"fresh": _rounded(asdict(fresh)), "heldout": _rounded(asdict(heldout))}
        for form, (fresh, heldout) in recognition.items()
    }
    return {
        "recognition": figures,
        "retrieval_int8": _rounded(asdict(retrieval)),
        "agreement": {form: _rounded(asdict(values), 5) for form, values in agreement.items()},
        **_rounded(others),
    }


def write_manifest(directory: Path, figures: Figures, floors: Calibration) -> None:
    """Write manifest.json last: it holds the SHA-256 of every other file."""
    files = {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    _write_json(
        directory / "manifest.json",
        {
            "name": NAME.removeprefix("havenfs-"),
            "kind": "clip",
            "dimension": 128,
            "context_length": CONTEXT,
            "licence": "MIT",
            "source": "trained by `python -m havenfs.miniature` on drawings by havenfs.sample; no photograph was used",
            "description": f"Miniature CLIP that knows {len(WORDS)} everyday words from drawings; for trying out and for tests",
            "miniature": True,
            "files": files,
            "measured": figures,
            "calibration": {
                "floor_sd": floors.floor_sd,
                "floor_cosine": floors.floor_cosine,
                "prompt": PROMPT,
            },
        },
    )


def write_readme(
    directory: Path, figures: Figures, floors: Calibration, readings: list[Reading]
) -> None:
    """Write the model's README.md: what it is, what it measured, what it is not."""
    ranks = [reading.rank for reading in readings if reading.rank is not None]
    first, three, ten = (sum(rank <= bar for rank in ranks) for bar in (1, 3, 10))
    lines = [
        "# mini-clip",
        "",
        "A real CLIP (open_clip ModifiedResNet and text transformer) of miniature size, trained for some minutes on two",
        "processor cores by `python -m havenfs.miniature` from drawings whose content is known. No photograph, no text from",
        "the web and no other model's weights went into it. It makes search work out of the box and in tests, offline. It",
        "knows drawings and a small vocabulary; for a library of real photographs install a full model.",
        "",
        f"Things: {', '.join(THINGS)}. Colours: {', '.join(COLOURS)}. Settings: {', '.join(SETTINGS)}. Whole",
        f"pictures of: {', '.join(SUBJECTS)}. Synonyms such as",
        '"plane" or "ocean" are in `havenfs/sample/vocabulary.py`. Words it has not learnt are meant to find nothing.',
        "",
        f"Pictures are squashed to {SIZE} x {SIZE} px; texts have at most {CONTEXT} tokens of CLIP's vocabulary cut to its first",
        "8,192 merges. Inputs `image` float32 [n, 3, 64, 64] and `text` int32 [n, 20], output `embedding` float32 [n, 128], unit",
        "length. int8: convolutions static QDQ U8S8 per channel (but the stem), weights of the attention pool, and the text tower",
        "dynamic with its embedding table.",
        "",
        "## Measured on drawings never seen in training",
        "",
        f"Top-1 among every thing x colour x setting ({figures['classes']:.0f} sentences) and each attribute alone; `fresh`:",
        "combinations that training may have drawn, `held out`: combinations that it never drew.",
        "",
        "| form | drawings | all of it | within 5 | thing | colour | setting |",
        "|---|---|---|---|---|---|---|",
    ]
    for form, both in figures["recognition"].items():
        for kind, label in (("fresh", "fresh"), ("heldout", "held out")):
            row = both[kind]
            cells = " | ".join(
                f"{row[name]:.3f}"
                for name in ("all_of_it", "within_five", "thing", "colour", "setting")
            )
            lines.append(f"| {form} | {label} | {cells} |")
    found = figures["retrieval_int8"]
    lines += [
        "",
        f"Searching {figures['library']:.0f} drawings for each word and coloured thing (int8, `{PROMPT}`): nDCG@10 {found['ndcg10']:.3f}.",
        f"With the floors {floors.floor_sd} sd and cosine {floors.floor_cosine}: {found['answered']:.1%} of the words that are there are answered,",
        f"precision {found['precision']:.3f}, recall {found['recall']:.3f}; {found['absent_empty']:.1%} of words for absent things (none of them used",
        f"in training) are answered with nothing. F1 {found['f1']:.3f}; with a floor in standard deviations alone the F1 is {found['f1_sd_alone']:.3f} and",
        f"{found['absent_empty_sd_alone']:.1%} of the absent words stay empty.",
        f"Best cosine of a query (5 %, 50 %, 95 %): {found['highest_present']} for what is there, {found['highest_absent']} for what is not.",
        "",
        "## Agreement with the model in torch",
        "",
        "| form | cosine mean | min | text min | top-10 overlap |",
        "|---|---|---|---|---|",
    ]
    for form, row in figures["agreement"].items():
        cells = " | ".join(
            f"{row[name]:.4f}"
            for name in ("cosine_mean", "cosine_min", "text_cosine_min", "top10_overlap")
        )
        lines.append(f"| {form} | {cells} |")
    lines += [
        "",
        f"Trained {figures['training_seconds']:.0f} processor seconds on each of two cores ({figures['steps']:.0f} steps of 2 x 128) on",
        f"{figures['drawings']:.0f} drawings that took {figures['drawing_seconds']:.0f} s to draw.",
        "",
        "## Real photographs",
        "",
        "Pictures that ship inside scikit-image and scikit-learn; rank of the best fitting word among all words for things,",
        f"settings and subjects. Of {len(ranks)} photographs it is first for {first}, among the first three for {three} and the first ten for {ten}.",
        "This is what such a model is worth on photographs:",
        "",
        "| photograph | fitting words | rank | most similar words |",
        "|---|---|---|---|",
    ]
    for reading in readings:
        best = ", ".join(f"{word} {score:.2f}" for word, score in reading.best)
        lines.append(
            f"| {reading.name} | {', '.join(reading.wanted) or 'none'} | {reading.rank or '-'} | {best} |"
        )
    (directory / "README.md").write_text("\n".join(lines) + "\n")


def _rounded(values: Any, digits: int = 4) -> Any:
    if isinstance(values, dict):
        return {key: _rounded(value, digits) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [_rounded(value, digits) for value in values]
    return round(values, digits) if isinstance(values, float) else values


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
