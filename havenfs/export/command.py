"""Exports one model: fp32 towers, int8 towers, the agreement of both with the original, and the directory around them."""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from havenfs.errors import ConfigError
from havenfs.export import package, pictures, quantise
from havenfs.export.agreement import COSINE, OVERLAP, TEXTS, Agreement, Vectors, agree
from havenfs.export.package import Form, Report
from havenfs.export.probe import probe
from havenfs.extract.clip import PictureEncoder, TextEncoder
from havenfs.extract.pixels import Pixels
from havenfs.extract.tokens import Tokens
from havenfs.models import manifest as manifests, registry

if TYPE_CHECKING:
    from PIL import Image

    from havenfs.export.original import Original

log = logging.getLogger(__name__)

CALIBRATING = 128  # pictures, for ranges of activations


def export(
    name: str,
    pretrained: str | None,
    out: Path,
    *,
    config: dict[str, Any] | None = None,
    tokenizer: Path | None = None,
    real: Path | None = None,
    licence: str | None = None,
    keep: bool = False,
    seed: int = 0,
) -> Report:
    """Export open_clip's model *name* with the weights *pretrained* (None: random) to the new directory *out*.

    *config* stands for open_clip's own configuration, *tokenizer* is a folder with a tokenizer.json for models whose own is
    out of reach, *real* a folder of pictures to compare on. *keep*: the fp32 form stays too, in `<out>-fp32`. Raises
    ConfigError, ModelError.
    """
    from havenfs.export import original as originals, towers

    exact = out.with_name(f"{out.name}-fp32")
    for target in (out, exact) if keep else (out,):
        _free(target)
    photos = pictures.real(real)
    original = originals.load(name, pretrained=pretrained, config=config, seed=seed)
    with tempfile.TemporaryDirectory(dir=_parent(out), prefix=".export-") as folder:
        fp32 = Path(folder) / "fp32"
        package.write_settings(fp32, original.config, original.preprocess)
        _tokenizer(original, tokenizer, fp32 / "textual")
        log.info("exporting %s", name)
        towers.export(
            original.model, fp32 / manifests.VISUAL, fp32 / manifests.TEXTUAL, size=original.size, context=original.context
        )  # fmt: skip
        ids, _ = Tokens(fp32).encode(TEXTS)
        torch = Vectors(
            images=originals.images(original, photos), texts=originals.texts(original, ids)
        )
        del original
        weights = "random" if pretrained is None else pretrained
        report = _shrink(fp32, Path(folder) / "int8", photos, torch, name=name, weights=weights)
        words = licence or package.licence(name, pretrained)
        source = f"open_clip {name} {weights}"
        if keep:
            _finish(fp32, exact, report, licence=words, source=source)
        _finish(Path(folder) / "int8", out, report, licence=words, source=source)
    return report


def shrink(source: Path, out: Path, *, real: Path | None = None) -> Report:
    """Make the int8 form of the fp32 model in *source*, in the new directory *out*. Needs onnx, no torch. Raises ConfigError,
    ModelError."""
    _free(out)
    model = registry.load(source)
    photos = pictures.real(real)
    with tempfile.TemporaryDirectory(dir=_parent(out), prefix=".export-") as folder:
        fp32 = Path(folder) / "fp32"
        shutil.copytree(source, fp32, ignore=shutil.ignore_patterns("manifest.json", "README.md"))
        report = _shrink(
            fp32, Path(folder) / "int8", photos, None, name=model.name, weights="as in fp32"
        )
        _finish(Path(folder) / "int8", out, report, licence=model.licence, source=model.name)
    return report


def _shrink(
    fp32: Path,
    int8: Path,
    photos: list[Image.Image],
    torch: Vectors | None,
    *,
    name: str,
    weights: str,
) -> Report:
    """The int8 form of *fp32* in the directory *int8*, and how far both agree with *torch*."""
    speed = probe(fp32)
    exact = _vectors(fp32, photos)
    shutil.copytree(fp32, int8, ignore=shutil.ignore_patterns("*.onnx", "*.data", "*.onnx_data"))
    log.info("quantising")
    fit = Pixels(manifests.decode(fp32 / manifests.PREPROCESS, manifests.PREPROCESSES))
    pixels = np.stack([fit.array(photo) for photo in photos[:CALIBRATING]])
    recipes = {
        "visual": quantise.visual(fp32 / manifests.VISUAL, int8 / manifests.VISUAL, pixels),
        "textual": quantise.textual(fp32 / manifests.TEXTUAL, int8 / manifests.TEXTUAL),
    }
    small = _vectors(int8, photos)
    found = agree(exact, small)
    verdicts = (
        ("visual", found.cosine_mean, found.like_overlap),
        ("textual", found.text_cosine_mean, found.text_overlap),
    )
    for tower, cosine, overlap in verdicts:
        if weights != "random" and (cosine < COSINE or overlap < OVERLAP):
            log.warning(
                "the int8 form of the %s tower does not agree (cosine %.3f, overlap %.2f): it stays in fp32",
                tower, cosine, overlap,
            )  # fmt: skip
            recipes[tower] = (
                f"fp32, because its int8 form had a cosine of {cosine:.3f} and an overlap of {overlap:.2f} only"
            )
            for path in (fp32 / tower).iterdir():
                if path.suffix != ".json":
                    shutil.copy2(path, int8 / tower / path.name)
            small = _vectors(int8, photos)
    against = {} if torch is None else {"torch": torch}
    return Report(
        name=name,
        weights=weights,
        pictures=len(photos),
        recipes=recipes,
        forms={
            "fp32": Form(bytes=_bytes(fp32), trial=speed, agreement=_all(exact, against)),
            "int8": Form(
                bytes=_bytes(int8),
                trial=probe(int8),
                agreement=_all(small, {**against, "fp32": exact}),
            ),
        },
    )


def _all(one: Vectors, others: dict[str, Vectors]) -> dict[str, Agreement]:
    return {name: agree(other, one) for name, other in others.items()}


def _vectors(directory: Path, photos: list[Image.Image]) -> Vectors:
    """What the product makes of the model in *directory*, once it is known to run."""
    model = registry.load(directory)
    return Vectors(
        images=PictureEncoder(model).encode(photos), texts=TextEncoder(model).encode_all(TEXTS)
    )


def _finish(directory: Path, out: Path, report: Report, *, licence: str, source: str) -> None:
    package.write_report(directory, report, licence=licence, source=source)
    package.write_manifest(directory, report, name=out.name, licence=licence, source=source)
    registry.load(directory)
    directory.rename(out)


def _tokenizer(original: Original, given: Path | None, directory: Path) -> None:
    if given is None:
        from havenfs.export import original as originals

        originals.write_tokenizer(original, directory)
        return
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (given / name).exists():
            shutil.copyfile(given / name, directory / name)
    if not (directory / "tokenizer.json").exists():
        raise ConfigError(f"{given} holds no tokenizer.json")


def _free(out: Path) -> None:
    if out.exists():
        raise ConfigError(f"{out} exists already. Name a new directory.")
    if manifests.NAME.fullmatch(out.name) is None:
        raise ConfigError(f"{out.name!r} is no name for a model (letters, digits, '.', '_', '-')")


def _parent(out: Path) -> Path:
    parent = out.resolve().parent
    if not parent.is_dir():
        raise ConfigError(f"{parent} does not exist. Make it with 'mkdir -p {parent}'.")
    return parent


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
