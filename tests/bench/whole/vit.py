"""ViT-B/32 as an image tower of CLIP, with random weights: what such a model costs does not depend on what it has learnt.

`write` puts down the fp32 form, operator by operator as torch's exporter does it, and `havenfs.export`'s int8 form of it.
"""

# onnx comes without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from havenfs.export import quantise

if TYPE_CHECKING:
    from pathlib import Path

SIDE, PATCH, WIDTH, LAYERS, HEADS, OUT = 224, 32, 768, 12, 12, 512
TOKENS = (SIDE // PATCH) ** 2 + 1


class _Graph:
    """Nodes and weights as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._rng = np.random.default_rng(0)

    def weight(self, *shape: int, scale: float = 0.02) -> str:
        name = f"weight_{len(self.weights)}"
        values = self._rng.standard_normal(shape, np.float32) * np.float32(scale)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def whole(self, *values: int) -> str:
        name = f"whole_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def number(self, value: float, kind: type[np.generic]) -> str:
        name = f"number_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(value, kind), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def linear(self, rows: str, wide: int, out: int) -> str:
        product = self.node("MatMul", rows, self.weight(wide, out))
        return self.node("Add", product, self.weight(out))

    def norm(self, rows: str) -> str:
        return self.node("LayerNormalization", rows, self.weight(WIDTH, scale=1.0), self.weight(WIDTH), axis=-1)  # fmt: skip


def _attention(g: _Graph, rows: str) -> str:
    """Multi-head attention over the tokens."""
    joint = g.linear(rows, WIDTH, 3 * WIDTH)
    heads = g.node("Reshape", joint, g.whole(0, TOKENS, 3, HEADS, WIDTH // HEADS))
    turned = g.node("Transpose", heads, perm=[2, 0, 3, 1, 4])
    q, k, v = (g.node("Gather", turned, g.number(part, np.int64), axis=0) for part in range(3))
    scaled = g.node("Mul", q, g.number((WIDTH // HEADS) ** -0.5, np.float32))
    scores = g.node("MatMul", scaled, g.node("Transpose", k, perm=[0, 1, 3, 2]))
    mixed = g.node("MatMul", g.node("Softmax", scores, axis=-1), v)
    back = g.node("Transpose", mixed, perm=[0, 2, 1, 3])
    return g.linear(g.node("Reshape", back, g.whole(0, TOKENS, WIDTH)), WIDTH, WIDTH)


def graph() -> onnx.ModelProto:
    """Pixels [n, 3, SIDE, SIDE] to vectors [n, OUT]."""
    g = _Graph()
    patches = g.node("Conv", "image", g.weight(WIDTH, 3, PATCH, PATCH), strides=[PATCH, PATCH])
    rows = g.node(
        "Transpose", g.node("Reshape", patches, g.whole(0, WIDTH, TOKENS - 1)), perm=[0, 2, 1]
    )
    many = g.node("Gather", g.node("Shape", "image"), g.whole(0), axis=0)
    shape = g.node("Concat", many, g.whole(1, WIDTH), axis=0)
    rows = g.node("Concat", g.node("Expand", g.weight(1, 1, WIDTH), shape), rows, axis=1)
    rows = g.norm(g.node("Add", rows, g.weight(TOKENS, WIDTH)))
    for _ in range(LAYERS):
        rows = g.node("Add", rows, _attention(g, g.norm(rows)))
        wide = g.node("Gelu", g.linear(g.norm(rows), WIDTH, 4 * WIDTH))
        rows = g.node("Add", rows, g.linear(wide, 4 * WIDTH, WIDTH))
    first = g.node("Gather", g.norm(rows), g.number(0, np.int64), axis=1)
    g.nodes.append(helper.make_node("MatMul", [first, g.weight(WIDTH, OUT)], ["embedding"]))
    made = helper.make_graph(
        g.nodes, "vit-b-32",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", OUT])],
        g.weights,
    )  # fmt: skip
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def write(exact: Path, small: Path) -> None:
    """Write the fp32 form to *exact* and the int8 form to *small*, whose directories there are."""
    model = graph()
    onnx.checker.check_model(model)
    onnx.save(model, exact)
    quantise.visual(exact, small, np.zeros((0, 3, SIDE, SIDE), np.float32))
