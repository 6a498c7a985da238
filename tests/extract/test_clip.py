"""The two towers: the model that ships, and tiny graphs written byte by byte that have what other exports have."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

from havenfs.errors import ModelError
from havenfs.extract.clip import PictureEncoder, TextEncoder
from havenfs.models import registry

if TYPE_CHECKING:
    from pathlib import Path

FLOAT, UINT8, INT32, INT64, FLOAT16 = 1, 2, 6, 7, 10


def field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def tensor(name: str, kind: int, shape: list[int | str]) -> bytes:
    dims = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def node(operation: str, inputs: list[str], output: str, **attributes: int) -> bytes:
    """One operation; attributes are integers."""
    content = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operation)
    return content + b"".join(
        field(5, field(1, k) + field(3, v) + field(20, 2)) for k, v in attributes.items()
    )


def graph(nodes: list[bytes], inputs: list[bytes], output: bytes) -> bytes:
    """A whole ONNX file (onnx.proto of ONNX 1.12, operator set 17)."""
    content = b"".join(field(1, item) for item in nodes) + field(2, "tiny")
    content += b"".join(field(11, item) for item in inputs) + field(12, output)
    return field(1, 8) + field(8, field(2, 17)) + field(7, content)


def picture_graph(batch: int | str = "n", kind: int = FLOAT, operation: str = "Identity") -> bytes:
    """The mean of each channel: [n, 3]."""
    nodes = [
        node("Cast", ["image"], "float", to=FLOAT),
        node("GlobalAveragePool", ["float"], "pooled"),
        node("Flatten", ["pooled"], "flat", axis=1),
        node(operation, ["flat"], "embedding"),
    ]
    return graph(
        nodes, [tensor("image", kind, [batch, 3, 8, 8])], tensor("embedding", FLOAT, [batch, 3])
    )


def text_graph(
    batch: int | str = "n", kind: int = INT32, name: str = "text", *, mask: bool = False
) -> bytes:
    """The token numbers themselves (or the mask): [n, 3]."""
    inputs = [tensor(name, kind, [batch, 3])]
    if mask:
        inputs.append(tensor("attention_mask", INT64, [batch, 3]))
    nodes = [node("Cast", ["attention_mask" if mask else name], "embedding", to=FLOAT)]
    return graph(nodes, inputs, tensor("embedding", FLOAT, [batch, 3]))


def export(
    directory: Path, visual: bytes | None = None, textual: bytes | None = None, **preprocess: Any
) -> registry.Model:
    """A model directory of the published layout, without a manifest."""
    (directory / "visual").mkdir(parents=True)
    (directory / "textual").mkdir()
    (directory / "visual/model.onnx").write_bytes(visual or picture_graph())
    (directory / "textual/model.onnx").write_bytes(textual or text_graph())
    (directory / "config.json").write_text(
        json.dumps({"embed_dim": 3, "text_cfg": {"context_length": 3}})
    )
    settings = {
        "size": [8, 8],
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "resize_mode": "squash",
    } | preprocess
    (directory / "visual/preprocess_cfg.json").write_text(json.dumps(settings))
    tokenizer = Tokenizer(
        models.WordLevel({"<pad>": 0, "dog": 3, "beach": 4, "?": 5}, unk_token="?")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(directory / "textual/tokenizer.json"))
    (directory / "textual/tokenizer_config.json").write_text('{"pad_token": {"content": "<pad>"}}')
    return registry.load(directory)


def plain(*colour: int) -> Image.Image:
    return Image.new("RGB", (30, 20), colour)


COLOURS = [plain(200, 10 * n, 30) for n in range(11)]


def expected(images: list[Image.Image]) -> np.ndarray:
    rows = np.array([image.getpixel((0, 0)) for image in images], np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_vectors_have_unit_length_even_when_the_graph_does_not_normalise(tmp_path: Path):
    vectors = PictureEncoder(export(tmp_path / "m")).encode(COLOURS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_any_number_of_pictures_keeps_its_order_whatever_batch_the_graph_takes(
    tmp_path: Path, batch: int | str
):
    encoder = PictureEncoder(export(tmp_path / "m", picture_graph(batch)))
    for count in (1, 3, 4, 8, 11):
        np.testing.assert_allclose(
            encoder.encode(COLOURS[:count]), expected(COLOURS[:count]), atol=1e-5
        )
    assert encoder.encode([]).shape == (0, 3)


@pytest.mark.parametrize("kind", [FLOAT, FLOAT16])
def test_pictures_are_given_in_the_type_that_the_graph_wants(tmp_path: Path, kind: int):
    vectors = PictureEncoder(export(tmp_path / "m", picture_graph(kind=kind))).encode(COLOURS[:2])
    np.testing.assert_allclose(vectors, expected(COLOURS[:2]), atol=1e-3)


def test_graphs_that_normalise_themselves_are_given_bytes(tmp_path: Path):
    model = export(tmp_path / "m", picture_graph(kind=UINT8), mean=[0.5, 0.5, 0.5])
    np.testing.assert_allclose(
        PictureEncoder(model).encode(COLOURS[:2]), expected(COLOURS[:2]), atol=1e-5
    )


def test_pixels_are_normalised_by_the_models_mean_and_deviation(tmp_path: Path):
    model = export(tmp_path / "m", mean=[0.5, 0, 0], std=[0.5, 1, 0.5])
    row = np.array([(0.8 - 0.5) / 0.5, 0.4, 0.2 / 0.5])
    vectors = PictureEncoder(model).encode([plain(204, 102, 51)])
    np.testing.assert_allclose(vectors[0], row / np.linalg.norm(row), atol=1e-6)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_pictures_of_any_mode_are_taken(tmp_path: Path, mode: str):
    image = plain(255, 255, 255).convert(mode)
    vectors = PictureEncoder(export(tmp_path / "m")).encode([image])
    np.testing.assert_allclose(vectors[0], np.full(3, 3**-0.5), atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "name", "batch"), [(INT32, "text", 1), (INT64, "input_ids", "n"), (INT64, "text", 2)]
)
def test_texts_are_given_under_the_name_and_type_that_the_graph_wants(
    tmp_path: Path, kind: int, name: str, batch: int | str
):
    encoder = TextEncoder(export(tmp_path / "m", textual=text_graph(batch, kind, name)))
    np.testing.assert_allclose(encoder.encode("dog beach"), [0.6, 0.8, 0], atol=1e-6)
    assert encoder.encode_all(["dog", "beach dog dog dog", "dog"]).shape == (3, 3)


def test_the_attention_mask_is_given_where_it_is_wanted(tmp_path: Path):
    encoder = TextEncoder(export(tmp_path / "m", textual=text_graph(name="input_ids", mask=True)))
    np.testing.assert_allclose(encoder.encode("dog beach"), [0.5**0.5, 0.5**0.5, 0], atol=1e-6)


def test_a_context_length_that_the_graph_contradicts_is_an_error(tmp_path: Path):
    model = export(tmp_path / "m")
    (tmp_path / "m/config.json").write_text('{"embed_dim": 3, "text_cfg": {"context_length": 4}}')
    with pytest.raises(ModelError, match="takes 3 tokens, the configuration says 4"):
        TextEncoder(model)


def test_a_vector_of_another_length_than_promised_is_an_error(tmp_path: Path):
    model = export(tmp_path / "m")
    (tmp_path / "m/config.json").write_text('{"embed_dim": 4}')
    with pytest.raises(ModelError, match=r"gave \(1, 3\) instead of \(1, 4\)"):
        PictureEncoder(registry.load(model.directory)).encode(COLOURS[:1])


@pytest.mark.parametrize(("operation", "colour"), [("Log", (0, 0, 0)), ("Identity", (0, 0, 0))])
def test_a_vector_without_direction_is_an_error(
    tmp_path: Path, operation: str, colour: tuple[int, int, int]
):
    encoder = PictureEncoder(export(tmp_path / "m", picture_graph(operation=operation)))
    with pytest.raises(ModelError, match="a vector that is no number"):
        encoder.encode([plain(*colour)])


@pytest.mark.parametrize("content", [b"", b"\x08\x08junk", struct.pack("<I", 7) * 50])
def test_a_damaged_graph_is_an_error_with_its_path(tmp_path: Path, content: bytes):
    model = export(tmp_path / "m")
    (tmp_path / "m/visual/model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"visual/model\.onnx cannot be loaded"):
        PictureEncoder(model)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"mode": "L"}, "not supported"),
        ({"interpolation": "lanczos"}, "not supported"),
        ({"resize_mode": "stretch"}, "not one of"),
        ({"std": [0, 1, 1]}, "not positive"),
        ({"size": [1, 2, 3]}, "preprocess_cfg.json"),
    ],
)
def test_preprocessing_that_is_unknown_is_an_error(
    tmp_path: Path, setting: dict[str, Any], words: str
):
    model = export(tmp_path / "m", **setting)
    with pytest.raises(ModelError, match=words):
        PictureEncoder(model)


def test_the_built_in_model_gives_the_same_vectors_with_and_without_its_manifest(tmp_path: Path):
    builtin = registry.builtin()
    shutil.copytree(builtin.directory, tmp_path / "copy")
    (tmp_path / "copy/manifest.json").unlink()
    copy = registry.load(tmp_path / "copy")
    assert copy.id != builtin.id
    assert copy.dimension == builtin.dimension
    ours, theirs = PictureEncoder(builtin), PictureEncoder(copy)
    assert (ours.model, theirs.model) == (builtin.id, copy.id)
    np.testing.assert_array_equal(ours.encode(COLOURS), theirs.encode(COLOURS))
    np.testing.assert_array_equal(
        TextEncoder(builtin).encode("a red car"), TextEncoder(copy).encode("a red car")
    )


def test_the_built_in_model_sees_the_same_alone_and_in_company():
    encoder = PictureEncoder(registry.builtin())
    rng = np.random.default_rng(3)
    images = [
        Image.fromarray(rng.integers(0, 256, (6, 9, 3), np.uint8)).resize((300, 200))
        for _ in range(10)
    ]
    together = encoder.encode(images)
    alone = np.concatenate([encoder.encode([image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=2e-3)


def test_pictures_and_texts_of_the_built_in_model_share_one_space():
    model = registry.builtin()
    text = TextEncoder(model).encode("a photo of a beach")
    picture = PictureEncoder(model).encode([plain(80, 140, 220)])[0]
    assert text.shape == picture.shape == (model.dimension,)
    assert abs(float(text @ picture)) <= 1


def test_the_encoder_works_without_torch_and_loads_none():
    code = (
        "import sys; from havenfs.extract.clip import TextEncoder; from havenfs.models import registry; "
        "TextEncoder(registry.builtin()).encode('x'); "
        "print(sorted({'torch', 'torchvision', 'open_clip', 'transformers', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
