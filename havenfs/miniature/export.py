"""From a trained model to two int8 ONNX towers that run without torch.

Visual: static QDQ U8S8 per channel for the convolutions, the layout that they run fastest in; of the attention pool
only the weights, because quantising its activations lost a tenth of every top ten; nothing of the stem (three
convolutions of 8 and 16 channels). Text: dynamic, the embedding table (Gather) included. Each finished file is loaded once in a throw-away process, because a bad graph can end onnxruntime
by a signal.
"""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from havenfs.miniature.clip import CONTEXT, MEAN, STD
from havenfs.miniature.drawings import SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

OPSET = 20


class _Visual(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.model.encode_image(image, normalize=True)


class _Textual(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        return self.model.encode_text(text, normalize=True)


def export(model: Any, visual: Path, textual: Path) -> None:
    """Write both towers in fp32: inputs `image` float32 [n, 3, side, side], `text` int32 [n, context]; output `embedding`."""
    torch.backends.mha.set_fastpath_enabled(value=False)
    model.eval()
    _export(_Visual(model), torch.randn(2, 3, SIZE, SIZE), "image", visual)
    _export(_Textual(model), torch.zeros(2, CONTEXT, dtype=torch.int32), "text", textual)


def _export(tower: torch.nn.Module, example: torch.Tensor, name: str, path: Path) -> None:
    shapes = {name: {0: torch.export.Dim("batch", min=1, max=1024)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its own deprecations
        torch.onnx.export(
            tower.eval(), (example,), str(path), input_names=[name], output_names=["features"], dynamic_shapes=shapes,
            opset_version=OPSET, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
    graph = onnx.load(path)
    _rename_output(graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _rename_output(graph: onnx.ModelProto) -> None:
    """Call the output `embedding`: exporting the text tower under that name collides with a node of its own."""
    old = graph.graph.output[0].name
    taken = {name for node in graph.graph.node for name in (*node.input, *node.output)}
    taken |= {tensor.name for tensor in graph.graph.initializer}
    renames = {old: "embedding"}
    if "embedding" in taken and old != "embedding":
        renames["embedding"] = "embedding_rows"
    for node in graph.graph.node:
        node.input[:] = [renames.get(name, name) for name in node.input]
        node.output[:] = [renames.get(name, name) for name in node.output]
    for tensor in graph.graph.initializer:
        tensor.name = renames.get(tensor.name, tensor.name)
    for value in graph.graph.value_info:
        value.name = renames.get(value.name, value.name)
    graph.graph.output[0].name = "embedding"


class _Pictures(CalibrationDataReader):
    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._batches = iter(
            [{"image": normalised(pixels[at : at + 16])} for at in range(0, len(pixels), 16)]
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:  # type: ignore[override]
        return next(self._batches, None)


def normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [n, side, side, 3] as the image tower's input."""
    return np.ascontiguousarray(
        ((pixels.astype(np.float32) / 255 - MEAN) / STD).transpose(0, 3, 1, 2)
    )


def quantise(source: Path, target: Path, pixels: NDArray[np.uint8] | None) -> None:
    """Write the int8 form of a tower: static with calibration pictures (visual), dynamic without (text)."""
    prepared = source.with_suffix(".prepared.onnx")
    logging.disable(logging.WARNING)  # the quantiser advises at every call what was just done
    try:
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared)
        del graph.graph.value_info[:]  # stale shapes make the quantiser fail
        onnx.save(graph, prepared)
        if pixels is None:
            quantize_dynamic(
                str(prepared), str(target), weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm", "Gather"]
            )  # fmt: skip
            return
        stem = [node.name for node in graph.graph.node if node.op_type == "Conv"][:3]
        quantize_static(
            str(prepared), str(target), _Pictures(pixels), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["Conv"], nodes_to_exclude=stem,
            calibrate_method=CalibrationMethod.MinMax,
        )  # fmt: skip
        graph = onnx.load(target)
        _quantise_weights(graph.graph)
        onnx.checker.check_model(graph)
        onnx.save(graph, target)
    finally:
        logging.disable(logging.NOTSET)
        prepared.unlink(missing_ok=True)


def _quantise_weights(graph: onnx.GraphProto) -> None:
    """Store the weights of matrix products in int8 with a scale per output, to be expanded when the model runs."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    expanding: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type not in {"MatMul", "Gemm"} or node.input[1] not in constants:
            continue
        name = node.input[1]
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        outputs = 0 if transposed else 1
        weights = onnx.numpy_helper.to_array(constants[name])
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


_SMOKE = """
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions(); options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
wanted = session.get_inputs()[0]
for batch in (1, 3):
    shape = [batch, *wanted.shape[1:]]
    rows = session.run(None, {wanted.name: numpy.zeros(shape, "float32" if "float" in wanted.type else "int32")})[0]
    assert rows.shape[0] == batch and numpy.isfinite(rows).all()
"""


def smoke(path: Path) -> None:
    """Load and run a tower in a process of its own. Raises subprocess.CalledProcessError."""
    subprocess.run(
        [sys.executable, "-c", _SMOKE, str(path)], check=True, timeout=120, capture_output=True
    )
