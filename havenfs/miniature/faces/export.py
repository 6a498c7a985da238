"""From the two trained networks to int8 ONNX files that insightface takes for its own.

Convolutions static QDQ U8S8 per channel, calibrated on drawings; but for the first one of each network, which sees the
pixels (quantising it lost 6 points of recall, and vectors agreed with those of fp32 to 0.89 instead of 0.99), and the
last ones of the detector, because a landmark that is an eighth of a stride off turns the face that the recogniser sees.
"""

# torch and onnx are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from .drawings import CROP, VIEW
from .nets import STRIDES, OnePicture

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .nets import Detector, Recogniser

OPSET = 17
INPUT = "input.1"
OUTPUTS = [f"{part}_{stride}" for part in ("score", "bbox", "kps") for stride in STRIDES]


def export(detector: Detector, recogniser: Recogniser, detection: Path, recognition: Path) -> None:
    """Write both in fp32: any height and width that are multiples of 32 for one, any number of faces for the other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its own end
        # The older exporter: the newer one insists on proving that height and width are multiples of 32.
        torch.onnx.export(
            OnePicture(detector).eval(), (torch.randn(1, 3, VIEW, VIEW),), str(detection),
            input_names=[INPUT], output_names=OUTPUTS, opset_version=OPSET, dynamo=False,
            dynamic_axes={INPUT: {2: "height", 3: "width"}} | {name: {0: f"places_{name}"} for name in OUTPUTS},
        )  # fmt: skip
        torch.onnx.export(
            recogniser.eval(), (torch.randn(2, 3, CROP, CROP),), str(recognition),
            input_names=[INPUT], output_names=["embedding"], opset_version=OPSET, dynamo=False,
            dynamic_axes={INPUT: {0: "faces"}, "embedding": {0: "faces"}},
        )  # fmt: skip
    for path in (detection, recognition):
        onnx.checker.check_model(onnx.load(path))


class _Pictures(CalibrationDataReader):
    def __init__(self, pixels: NDArray[np.uint8], divisor: float) -> None:
        self._rows = iter(pixels)
        self._divisor = divisor

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:  # type: ignore[override]
        row = next(self._rows, None)
        if row is None:
            return None
        return {INPUT: ((row.astype(np.float32) - 127.5) / self._divisor).transpose(2, 0, 1)[None]}


def quantise(source: Path, target: Path, pixels: NDArray[np.uint8], divisor: float) -> None:
    """Write the int8 form; *pixels* [n, side, side, 3] for calibration, normalised by *divisor*."""
    prepared = source.with_suffix(".prepared.onnx")
    logging.disable(logging.WARNING)  # the quantiser advises at every call what was just done
    try:
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared)
        del graph.graph.value_info[:]  # stale shapes make the quantiser fail
        onnx.save(graph, prepared)
        convolutions = [node for node in graph.graph.node if node.op_type == "Conv"]
        outermost = [node.name for node in convolutions if _is_last(node, graph.graph)]
        outermost.append(convolutions[0].name)
        quantize_static(
            str(prepared), str(target), _Pictures(pixels, divisor), quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
            op_types_to_quantize=["Conv"], nodes_to_exclude=outermost,
            calibrate_method=CalibrationMethod.MinMax,
        )  # fmt: skip
        onnx.checker.check_model(onnx.load(target))
    finally:
        logging.disable(logging.NOTSET)
        prepared.unlink(missing_ok=True)


def _is_last(node: onnx.NodeProto, graph: onnx.GraphProto) -> bool:
    """Whether no other convolution sees what this one gives."""
    after, reached = {node.output[0]}, True
    while reached:
        reached = False
        for other in graph.node:
            if other.output[0] not in after and after & set(other.input):
                if other.op_type == "Conv":
                    return False
                after.update(other.output)
                reached = True
    return True
