"""Faces: the same numbers as insightface's and OpenCV's own programs on the same files, and what is made of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import cv2 as opencv
import msgspec
import numpy as np
import onnx as onnx_package
import pytest
from PIL import Image, ImageFilter

from havenfs.entities import Face, Region
from havenfs.errors import ModelError
from havenfs.extract import faces as looking
from havenfs.extract.detectors import YuNet
from havenfs.extract.faces import FaceFinder
from havenfs.extract.recognisers import FaceRecogniser
from havenfs.models import packs, registry
from havenfs.models.manifest import ModelKind
from havenfs.sample.portraits import PEOPLE, draw_person

if TYPE_CHECKING:
    from pathlib import Path

cv2 = cast(Any, opencv)
onnx = cast(Any, onnx_package)
MINI = registry.builtin(ModelKind.FACES)
SIDE = MINI.calibration.face_side


def group(seed: int, people: int = 3, size: tuple[int, int] = (1000, 700)) -> Image.Image:
    """Heads and shoulders beside each other."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(int(value) for value in rng.integers(40, 200, 3)))
    wide = size[0] / people
    for place in range(people):
        side = wide * rng.uniform(0.7, 1)
        person = PEOPLE[int(rng.integers(len(PEOPLE)))]
        box = (wide * place, size[1] - side, wide * place + side, float(size[1]))
        draw_person(image, person, box, float(rng.uniform(5, 70)), rng)
    return image


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(MINI, threads=1)


def vector(face: Face) -> np.ndarray[Any, Any]:
    return np.frombuffer(face.vector, "<f4")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_faces_are_those_of_insightfaces_own_program(tmp_path: Path, finder: FaceFinder) -> None:
    from insightface.app import FaceAnalysis

    shutil.copy(MINI.directory / packs.DETECTION, tmp_path / "det_mini.onnx")
    shutil.copy(MINI.directory / packs.RECOGNITION, tmp_path / "w600k_mini.onnx")
    reference: Any = FaceAnalysis(name=str(tmp_path), providers=["CPUExecutionProvider"])
    reference.prepare(ctx_id=-1, det_thresh=0.5, det_size=(SIDE, SIDE))
    compared = 0
    for seed in range(4):
        image = group(seed, people=2 + seed)
        theirs = reference.get(np.asarray(image)[:, :, ::-1].copy())
        ours = finder.find(image)
        assert len(ours) == len(theirs) > 0
        for one, other in zip(ours, theirs, strict=True):
            assert float(vector(one) @ other.normed_embedding) >= 0.9999
            box = np.array(one.region[1:]) * np.array(image.size * 2)
            assert np.abs(box - np.clip(other.bbox, 0, image.size * 2)).max() < 0.01
            assert one.score == pytest.approx(float(other.det_score), abs=1e-6)
            compared += 1
    assert compared >= 8


def test_a_flat_pack_gives_the_same_as_the_layout_with_directories(
    tmp_path: Path, finder: FaceFinder
) -> None:
    pack = tmp_path / "buffalo_mini"
    pack.mkdir()
    shutil.copy(MINI.directory / packs.DETECTION, pack / "det_500m.onnx")
    shutil.copy(MINI.directory / packs.RECOGNITION, pack / "w600k_mbf.onnx")
    model = replace(registry.load(pack), dimension=128, calibration=MINI.calibration)
    assert FaceFinder(model, threads=1).find(group(5)) == finder.find(group(5))
    with pytest.raises(ModelError, match=r"gave \(\d, 128\) instead of \(\d, 512\)"):
        FaceFinder(replace(model, dimension=512), threads=1).find(group(5))


def zoo(path: Path, side: int) -> None:
    """A graph with the outputs of YuNet and weights by lot."""
    rng = np.random.default_rng(2)
    make, tensor = onnx.helper.make_node, onnx.numpy_helper.from_array
    nodes, constants, outputs = [], [], []
    for part, numbers, scale in (
        ("cls", 1, 0.02),
        ("obj", 1, 0.02),
        ("bbox", 4, 0.004),
        ("kps", 10, 0.004),
    ):
        for stride in (8, 16, 32):
            name, places = f"{part}_{stride}", (side // stride) ** 2
            weights = rng.normal(0, scale / stride, (numbers, 3, stride, stride))
            constants += [
                tensor(weights.astype(np.float32), f"{name}.w"),
                tensor(np.array([1, places, numbers]), f"{name}.shape"),
            ]
            nodes += [
                make("Conv", ["input", f"{name}.w"], [f"{name}.maps"], strides=[stride, stride]),
                make("Transpose", [f"{name}.maps"], [f"{name}.last"], perm=[0, 2, 3, 1]),
                make("Reshape", [f"{name}.last", f"{name}.shape"], [f"{name}.rows"]),
                make("Sigmoid" if numbers == 1 else "Identity", [f"{name}.rows"], [name]),
            ]
            outputs.append(onnx.helper.make_tensor_value_info(name, 1, [1, places, numbers]))
    taken = onnx.helper.make_tensor_value_info("input", 1, [1, 3, side, side])
    graph = onnx.helper.make_graph(nodes, "yunet", [taken], outputs, constants)
    opset = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def test_yunets_outputs_are_read_as_opencv_reads_them(tmp_path: Path) -> None:
    path, side = tmp_path / "face_detection_yunet_random.onnx", 192
    zoo(path, side)
    pixels = np.random.default_rng(3).integers(0, 256, (side, side, 3), np.uint8)
    reference = cv2.FaceDetectorYN.create(str(path), "", (side, side), 0.5, 0.3, 5000)
    _, theirs = reference.detect(pixels)
    found = YuNet(path, side, 1).detect(pixels, 0.5)
    assert len(theirs) == len(found.scores) > 20
    boxes = np.concatenate([found.boxes[:, :2], found.boxes[:, 2:] - found.boxes[:, :2]], 1)
    ours = np.concatenate([boxes, found.points.reshape(-1, 10), found.scores[:, None]], 1)
    assert np.abs(ours - theirs[np.argsort(-theirs[:, 14], kind="stable")]).max() < 1e-2


def test_a_yunet_of_before_2023_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    shutil.copy(MINI.directory / packs.DETECTION, tmp_path / "face_detection_yunet_2022mar.onnx")
    with pytest.raises(ModelError, match="no YuNet of 2023 or later: it has no cls_16"):
        YuNet(tmp_path / "face_detection_yunet_2022mar.onnx", 320, 1)


def sface(path: Path) -> None:
    """A graph with the input and output of SFace and weights by lot."""
    rng = np.random.default_rng(4)
    tensor = onnx.numpy_helper.from_array
    constants = [
        tensor(rng.normal(0, 0.02, (24, 3, 8, 8)).astype(np.float32), "w"),
        tensor(rng.normal(0, 0.02, (24 * 14 * 14, 128)).astype(np.float32), "m"),
    ]
    nodes = [
        onnx.helper.make_node("Conv", ["data", "w"], ["maps"], strides=[8, 8]),
        onnx.helper.make_node("Flatten", ["maps"], ["row"]),
        onnx.helper.make_node("MatMul", ["row", "m"], ["fc1"]),
    ]
    info = onnx.helper.make_tensor_value_info
    taken, given = info("data", 1, [1, 3, 112, 112]), info("fc1", 1, [1, 128])
    graph = onnx.helper.make_graph(nodes, "sface", [taken], [given], constants)
    opset = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def test_sface_sees_and_says_what_it_does_in_opencv(tmp_path: Path, finder: FaceFinder) -> None:
    path = tmp_path / "face_recognition_sface_random.onnx"
    sface(path)
    pack = packs.Pack(
        detector=packs.Detector.YUNET,
        detection=path,
        recogniser=packs.Recogniser.SFACE,
        recognition=path,
    )
    ours, theirs = FaceRecogniser(pack, 128, 1), cv2.FaceRecognizerSF.create(str(path), "")
    image = group(7)
    pixels = np.asarray(image)[:, :, ::-1].copy()
    found = finder.find(image)
    assert len(found) >= 2
    for face in found:
        points = (np.array(face.points).reshape(5, 2) * image.size).astype(np.float32)
        row = np.array([0, 0, 1, 1, *points.ravel(), 1], np.float32)
        crop = theirs.alignCrop(pixels, row)
        aligned = ours.aligned(pixels, points)
        assert np.abs(aligned.astype(int) - crop).mean() < 1
        reference = theirs.feature(crop)[0]
        cosine = ours.encode([crop])[0] @ (reference / np.linalg.norm(reference))
        assert float(cosine) >= 0.9999


def test_a_face_is_good_when_it_is_large_sharp_and_looks_at_us(finder: FaceFinder) -> None:
    sharp = group(9, people=2)
    blurred = sharp.filter(ImageFilter.GaussianBlur(3))
    small = sharp.resize((320, 224))
    best, soft, little = (
        min(finder.find(image), key=lambda face: face.region.left)
        for image in (sharp, blurred, small)
    )
    assert soft.sharpness < best.sharpness
    assert little.size < 80 < best.size
    assert msgspec.structs.replace(best, sharpness=soft.sharpness).quality < best.quality
    assert msgspec.structs.replace(best, size=little.size).quality < best.quality
    assert msgspec.structs.replace(best, frontal=0.1).quality < best.quality
    straight = [(30, 40), (70, 40), (50, 60), (35, 80), (65, 80)]
    turned = [(30, 40), (70, 40), (66, 60), (45, 80), (70, 80)]
    profile = [(48, 40), (52, 40), (60, 60), (48, 80), (54, 80)]
    assert looking.frontal(straight) > 0.85
    assert looking.frontal(straight) > looking.frontal(turned) > looking.frontal(profile)
    assert looking.frontal(profile) == 0


@pytest.mark.parametrize("size", [(3, 3000), (2, 1200), (1440, 2), (1, 1), (8, 8), (64, 1440)])
def test_the_thinnest_picture_has_no_faces_and_is_no_trouble(
    finder: FaceFinder, size: tuple[int, int]
) -> None:
    assert finder.find(Image.new("RGB", size, "white")) == ()


def test_the_frames_that_differ_most_are_looked_at() -> None:
    shades = [10, 12, 200, 11, 90, 201, 92]
    frames = [Image.new("RGB", (32, 24), (shade, shade, shade)) for shade in shades]
    assert looking.distinct(frames, 3) == [0, 5, 6]
    assert looking.distinct(frames[:1] * 5, 4) == [0]
    assert looking.distinct([], 4) == []


def test_faces_of_a_video_know_their_frame(finder: FaceFinder) -> None:
    found = finder.look([group(1), Image.new("RGB", (90, 60)), group(2)], [0, 500, 1000])
    assert {face.region.frame_ms for face in found.found} == {0, 1000}
    assert all(isinstance(face.region, Region) for face in found.found)


def test_nobody_pays_for_insightface_before_faces_are_looked_for() -> None:
    code = (
        "import sys, havenfs.extract.visit, havenfs.extract.faces, havend.worker, havend.indexer;"
        "print([name for name in ('insightface', 'cv2', 'onnx', 'skimage', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
