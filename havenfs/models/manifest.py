"""Reads what a model directory says about itself: our manifest.json, or the files of a plain published export.

A manifest is data from outside: every field is checked, and what is wrong is said in one ModelError. Knows files, no
model runtime. Safe in any thread; nothing is cached.
"""

from __future__ import annotations

import hashlib
import os
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from havenfs.entities import ModelId
from havenfs.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

T = TypeVar("T")

NAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
)  # one path component, and "@" ends it in a ModelId
LARGEST_JSON = (
    4 << 20
)  # bytes; a manifest has hundreds, the longest published config a few thousand
LONGEST_LINE = 500  # characters; the longest description of ours has 200
CHUNK = 1 << 20

MANIFEST = "manifest.json"
VISUAL = "visual/model.onnx"
TEXTUAL = "textual/model.onnx"
CONFIG = "config.json"
PREPROCESS = "visual/preprocess_cfg.json"
TOKENIZER = "textual/tokenizer.json"
TOKENIZER_CONFIG = "textual/tokenizer_config.json"
NEEDED = (VISUAL, TEXTUAL, CONFIG, PREPROCESS, TOKENIZER)
"""Files of a model of kind CLIP; those of kind FACES: `packs`."""

Positive = Annotated[int, msgspec.Meta(ge=1, le=65536)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class ModelKind(StrEnum):
    """What a model is for. One of each kind is in use at a time."""

    CLIP = "clip"
    """Pictures and texts in one space."""
    FACES = "faces"
    """Finds faces, and tells the people apart."""


class CalibrationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The `calibration` object of a manifest; a field that is absent keeps the default."""

    floor_sd: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    floor_cosine: Annotated[float, msgspec.Meta(ge=-1, le=1)] | None = None
    prompt: Annotated[str, msgspec.Meta(pattern=r"\{\}", max_length=200)] | None = None
    face_side: Annotated[int, msgspec.Meta(ge=64, le=4096)] | None = None
    face_score: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    same_person: Annotated[float, msgspec.Meta(ge=-1, le=1)] | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest.json. Fields that are not named here are ignored: later versions may add some."""

    name: str
    kind: str
    """A `ModelKind`; another word is of a later version."""
    dimension: Positive
    files: dict[str, Digest]
    """Relative path to SHA-256 of every file that belongs to the model."""
    context_length: Positive | None = None
    licence: str = "unknown"
    source: str = ""
    description: str = ""
    miniature: bool = False
    measured: dict[str, object] = {}
    calibration: CalibrationEntry = CalibrationEntry()


class _TextConfig(msgspec.Struct, frozen=True):
    context_length: Positive = 77
    tokenizer_kwargs: dict[str, object] = {}


class Config(msgspec.Struct, frozen=True):
    """The part of open_clip's config.json that running a model needs."""

    embed_dim: Positive
    text_cfg: _TextConfig = _TextConfig()

    @property
    def context_length(self) -> int:
        """Tokens of one text."""
        return self.text_cfg.context_length

    @property
    def clean(self) -> str | None:
        """How texts are cleaned before tokenising: "canonicalize" for SigLIP, else None or another word."""
        clean = self.text_cfg.tokenizer_kwargs.get("clean")
        return clean if isinstance(clean, str) else None


class Preprocess(msgspec.Struct, frozen=True):
    """A preprocess_cfg.json, as open_clip writes it."""

    size: Positive | Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1, max_length=2)] = 224
    """A side, or height and width, in pixels."""
    mode: str = "RGB"
    mean: tuple[float, float, float] = (
        0.48145466,
        0.4578275,
        0.40821073,
    )  # of CLIP's first training set
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"
    fill_color: int = 0

    @property
    def height_width(self) -> tuple[int, int]:
        """The size of the model's input."""
        if isinstance(self.size, int):
            return self.size, self.size
        return self.size[0], self.size[-1]


MANIFESTS = msgspec.json.Decoder(Manifest)
CONFIGS = msgspec.json.Decoder(Config)
PREPROCESSES = msgspec.json.Decoder(Preprocess)


def decode(path: Path, decoder: msgspec.json.Decoder[T]) -> T:
    """Return what the JSON file at *path* says. Raises ModelError that names the file and what is wrong in it."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_JSON + 1)
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        raise ModelError(reason) from error
    if len(raw) > LARGEST_JSON:
        reason = f"{path} is too large for what it should hold"
        raise ModelError(reason)
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # ValidationError is a DecodeError
        reason = f"{path}: {error}"
        raise ModelError(reason) from error


def read(directory: Path) -> Manifest | None:
    """Return the checked manifest of *directory*, its words fit to be printed; None when there is none. Raises ModelError."""
    path = directory / MANIFEST
    if not path.exists():
        return None
    manifest = decode(path, MANIFESTS)
    if NAME.fullmatch(manifest.name) is None:
        reason = (
            f"{path}: {manifest.name!r} is no name for a model (letters, digits, '.', '_', '-')"
        )
        raise ModelError(reason)
    for name in manifest.files:
        parts = name.split("/")
        if name.startswith("/") or "\\" in name or not all(parts) or {".", ".."} & set(parts):
            reason = f"{path}: {name!r} is not a path inside the model's directory"
            raise ModelError(reason)
        if not name.isprintable():
            reason = f"{path}: {name!r} is no name for a file of a model"
            raise ModelError(reason)
    return msgspec.structs.replace(
        manifest,
        kind=_line(manifest.kind),
        licence=_line(manifest.licence),
        source=_line(manifest.source),
        description=_line(manifest.description),
    )


def _line(words: str) -> str:
    """What a stranger says about a model, as one line that can be printed: it may tell a terminal to do anything."""
    words = " ".join(words.split())[:LONGEST_LINE]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


def write(directory: Path, manifest: Manifest) -> None:
    """Write *manifest* to *directory* with the SHA-256 of every file that is there now, durably. The last thing that is done
    to a model."""
    files = {
        path.relative_to(directory).as_posix(): hash_file(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != MANIFEST and not path.name.startswith(".")
    }
    whole = msgspec.structs.replace(manifest, files=files)
    said = {key: value for key, value in msgspec.to_builtins(whole).items() if value is not None}
    said["calibration"] = {k: v for k, v in said["calibration"].items() if v is not None}
    with (directory / MANIFEST).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def identify(
    directory: Path, name: str, *, parts: Iterable[str] = ("visual", "textual")
) -> ModelId:
    """Return the id of the model in *directory*: its name and what its manifest, or else its files, say; *parts* are
    the directories in which those lie ("." for itself).

    The manifest holds the hash of every file, so hashing the manifest is enough. Without one, the settings and the
    sizes of the files stand for the content: hashing gigabytes at each start would cost more than it protects.
    """
    digest = hashlib.sha256()
    path = directory / MANIFEST
    if path.exists():
        digest.update(path.read_bytes())
    else:
        for file in (CONFIG, PREPROCESS, TOKENIZER_CONFIG):
            if (directory / file).exists():
                digest.update((directory / file).read_bytes())
        for part in parts:
            for file in sorted((directory / part).iterdir()):
                if file.is_file():
                    digest.update(f"{part}/{file.name} {file.stat().st_size}\n".encode())
    return ModelId(f"{name}@{digest.hexdigest()[:12]}")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
