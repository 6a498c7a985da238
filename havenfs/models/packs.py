"""Which files of a pack are the face detector and the recogniser, and by whose rules they run.

Three layouts load as they are published: Immich's (`detection/model.onnx`, `recognition/model.onnx`), insightface's (all
files in one directory, `det_10g.onnx` beside `w600k_r50.onnx` and some that are not needed here), and the files of
OpenCV's model zoo (YuNet and SFace), whose names tell them apart. Knows names, opens no file. Safe in any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DETECTION = "detection/model.onnx"
RECOGNITION = "recognition/model.onnx"

# As insightface does, the first name in sorted order is taken: https://github.com/deepinsight/insightface, model_zoo.
SCRFD = ("det_*.onnx", "scrfd*.onnx")
ARCFACE = ("w600k_*.onnx", "glint*.onnx", "*arcface*.onnx")
YUNET = ("*yunet*.onnx",)
SFACE = ("*sface*.onnx",)


class Detector(StrEnum):
    """How the outputs of a detector are read."""

    SCRFD = "scrfd"
    YUNET = "yunet"


class Recogniser(StrEnum):
    """How a face is aligned and normalised for a recogniser."""

    ARCFACE = "arcface"
    SFACE = "sface"


DIMENSIONS = {Recogniser.ARCFACE: 512, Recogniser.SFACE: 128}
"""Length of the vectors where no manifest says it: that of every published recogniser of the sort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The two graphs of a model of kind FACES."""

    detector: Detector
    detection: Path
    recogniser: Recogniser
    recognition: Path


def find(directory: Path) -> Pack | None:
    """Return the pack in *directory*; None where detector or recogniser is missing."""
    if (directory / DETECTION).is_file() and (directory / RECOGNITION).is_file():
        return Pack(
            detector=Detector.SCRFD,
            detection=directory / DETECTION,
            recogniser=Recogniser.ARCFACE,
            recognition=directory / RECOGNITION,
        )
    scrfd, yunet = _first(directory, SCRFD), _first(directory, YUNET)
    arcface, sface = _first(directory, ARCFACE), _first(directory, SFACE)
    detection, recognition = scrfd or yunet, arcface or sface
    if detection is None or recognition is None:
        return None
    return Pack(
        detector=Detector.SCRFD if scrfd else Detector.YUNET,
        detection=detection,
        recogniser=Recogniser.ARCFACE if arcface else Recogniser.SFACE,
        recognition=recognition,
    )


def _first(directory: Path, patterns: tuple[str, ...]) -> Path | None:
    found = sorted(path for pattern in patterns for path in directory.glob(pattern))
    return found[0] if found else None
