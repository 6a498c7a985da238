"""A model in torch to two ONNX graphs in fp32 that run without it.

Inputs `image` float32 [n, 3, height, width] and `text` int32 [n, context], as in Immich's exports; output `embedding` float32
[n, dimension], unit length; any n.
"""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import onnx
import torch

if TYPE_CHECKING:
    from pathlib import Path

OPSET = 20
TOO_LARGE = 1_900_000_000
"""Bytes of weights from which they do not fit into the graph's own file (protobuf ends at 2 GB)."""


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


def export(model: Any, visual: Path, textual: Path, *, size: tuple[int, int], context: int) -> None:
    """Write both towers of *model*, whose pictures have *size* (height, width) and texts *context* tokens."""
    torch.backends.mha.set_fastpath_enabled(value=False)
    model.eval()
    _export(_Visual(model), torch.randn(2, 3, *size), "image", visual)
    # Not zeros: a padding token everywhere is a text that some towers divide by the length of.
    tokens = torch.full((2, context), 2, dtype=torch.int32)
    _export(_Textual(model), tokens, "text", textual)


def _export(tower: torch.nn.Module, example: torch.Tensor, name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shapes = {name: {0: torch.export.Dim("batch", min=1, max=1024)}}
    large = sum(p.numel() * p.element_size() for p in tower.parameters()) > TOO_LARGE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its own deprecations
        torch.onnx.export(
            tower.eval(), (example,), str(path), input_names=[name], output_names=["features"], dynamic_shapes=shapes,
            opset_version=OPSET, dynamo=True, external_data=large, verbose=False,
        )  # fmt: skip
    graph = onnx.load(path, load_external_data=False)
    _rename_output(graph)
    onnx.checker.check_model(graph if not large else str(path))
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
