"""A tower in fp32 to int8, by the recipe that measured best for its kind. Needs onnx; no torch.

Transformers: dynamic, QInt8 weights per channel, on MatMul and Gemm, for texts the embedding table (Gather) too: 3.0 times as
fast as fp32, a quarter of the file. QUInt8 weights were 1.75 times slower, fp16 ended the process by a signal, int4 half as fast.
Convolutions: static QDQ U8S8 per channel, with pictures to learn the ranges from: S8S8 was 1.5 times slower. Their few matrix
products (attention pools, heads) keep fp32 activations and int8 weights: quantising both lost a tenth of every top ten.
"""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BATCH = 16


class _Pictures(CalibrationDataReader):
    def __init__(self, name: str, pixels: NDArray[np.float32], batch: int) -> None:
        self._batches = iter(
            [{name: pixels[at : at + batch]} for at in range(0, len(pixels) - batch + 1, batch)]
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:  # type: ignore[override]
        return next(self._batches, None)


def visual(
    source: Path, target: Path, pixels: NDArray[np.float32], *, keep_convolutions: int = 0
) -> str:
    """Write the int8 form of an image tower; returns the recipe in words.

    *pixels*: the input of some dozens of real pictures, float32 [n, 3, height, width]. *keep_convolutions*: so many of the
    first ones stay as they are (a stem of very few channels loses more than it gains).
    """
    if not _convolutional(source):
        _dynamic(source, target, ["MatMul", "Gemm"])
        return "dynamic QInt8 per channel on MatMul and Gemm"
    _static(source, target, pixels, keep_convolutions)
    return f"static QDQ U8S8 per channel on Conv, from {len(pixels)} pictures; weights of MatMul and Gemm in int8"


def textual(source: Path, target: Path) -> str:
    """Write the int8 form of a text tower; returns the recipe in words."""
    _dynamic(source, target, ["MatMul", "Gemm", "Gather"])
    return "dynamic QInt8 per channel on MatMul and Gemm, and the embedding table"


def _convolutional(path: Path) -> bool:
    """Whether it is made of convolutions: a transformer has one or a few of them, that cut the picture into patches.

    Their weights say less: in a small one of the ResNets the attention pool has more than all convolutions, and little to do.
    """
    nodes = onnx.load(path, load_external_data=False).graph.node
    layers = Counter(node.op_type for node in nodes)
    return layers["Conv"] > layers["MatMul"] + layers["Gemm"]


def _dynamic(source: Path, target: Path, operations: list[str]) -> None:
    prepared = _prepared(source)
    try:
        with _silence():
            quantize_dynamic(
                str(prepared), str(target), weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=operations
            )  # fmt: skip
    finally:
        prepared.unlink(missing_ok=True)


def _static(source: Path, target: Path, pixels: NDArray[np.float32], keep: int) -> None:
    prepared = _prepared(source)
    try:
        graph = onnx.load(prepared)
        stem = [node.name for node in graph.graph.node if node.op_type == "Conv"][:keep]
        wanted = graph.graph.input[0]
        first = wanted.type.tensor_type.shape.dim[0]
        batch = first.dim_value if first.HasField("dim_value") else BATCH
        with _silence():
            quantize_static(
                str(prepared), str(target), _Pictures(wanted.name, pixels, batch), quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["Conv"],
                nodes_to_exclude=stem, calibrate_method=CalibrationMethod.MinMax,
            )  # fmt: skip
        graph = onnx.load(target)
        _quantise_weights(graph.graph)
        onnx.checker.check_model(graph)
        onnx.save(graph, target)
    finally:
        prepared.unlink(missing_ok=True)


def _prepared(source: Path) -> Path:
    """A copy of *source* with what is constant folded, and without shapes: stale ones make the quantiser fail."""
    prepared = source.with_suffix(".prepared.onnx")
    with _silence():
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(prepared)
    del graph.graph.value_info[:]
    onnx.save(graph, prepared)
    return prepared


class _silence:  # noqa: N801
    """The quantiser advises at every call what was just done."""

    def __enter__(self) -> None:
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(logging.NOTSET)


def _quantise_weights(graph: onnx.GraphProto) -> None:
    """Store the weights of matrix products in int8 with a scale per output, to be expanded when the model runs."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    uses: list[str] = [name for node in graph.node for name in node.input]
    expanding: list[onnx.NodeProto] = []
    for node in graph.node:
        name = node.input[1] if len(node.input) > 1 else ""
        if node.op_type not in {"MatMul", "Gemm"} or name not in constants:
            continue
        weights = onnx.numpy_helper.to_array(constants[name])
        if weights.ndim != 2 or uses.count(name) != 1:
            continue
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        outputs = 0 if transposed else 1
        scale = np.maximum(np.abs(weights).max(axis=1 - outputs) / 127, 1e-12).astype(np.float32)
        small = np.clip(np.round(weights / np.expand_dims(scale, 1 - outputs)), -127, 127).astype(
            np.int8
        )
        graph.initializer.remove(constants.pop(name))
        graph.initializer.extend(
            [
                onnx.numpy_helper.from_array(small, f"{name}.int8"),
                onnx.numpy_helper.from_array(scale, f"{name}.scale"),
            ]
        )
        expanding.append(
            onnx.helper.make_node(
                "DequantizeLinear", [f"{name}.int8", f"{name}.scale"], [f"{name}.expanded"], name=f"{name}.expand", axis=outputs
            )
        )  # fmt: skip
        node.input[1] = f"{name}.expanded"
    for node in reversed(expanding):
        graph.node.insert(0, node)
