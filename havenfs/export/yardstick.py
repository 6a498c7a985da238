"""Writes the graph that measures a machine: three feed-forward blocks of ViT-B/32, weights that take no room in the file.

`python -m havenfs.export.yardstick havenfs/extract/yardstick.onnx`. The matrices are constants that onnxruntime expands and
packs when it loads them, as it does with those of a model.
"""

# onnx is an extra and comes without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import sys

import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCKS = 3
WIDTH = 768
TOKENS = 50


def graph() -> onnx.ModelProto:
    """Per block: four products of WIDTH x WIDTH, one of WIDTH x 4 WIDTH, a Gelu, and one back."""
    import numpy as np

    nodes, initialisers = [], []
    for name, shape in (
        ("square", (WIDTH, WIDTH)),
        ("wide", (WIDTH, 4 * WIDTH)),
        ("back", (4 * WIDTH, WIDTH)),
    ):
        initialisers.append(numpy_helper.from_array(np.array(shape, np.int64), f"{name}.shape"))
    last = "rows"
    for block in range(BLOCKS):
        for step in range(6):
            shape = "square" if step < 4 else ("wide", "back")[step - 4]
            key = f"{block}.{step}"
            constant = helper.make_tensor(
                f"{key}.value", TensorProto.FLOAT, [1], [0.001 + 0.0001 * (6 * block + step)]
            )
            nodes.append(
                helper.make_node(
                    "ConstantOfShape", [f"{shape}.shape"], [f"{key}.weights"], value=constant
                )
            )
            nodes.append(helper.make_node("MatMul", [last, f"{key}.weights"], [f"{key}.out"]))
            last = f"{key}.out"
            if step == 4:
                nodes.append(helper.make_node("Gelu", [last], [f"{key}.gelu"]))
                last = f"{key}.gelu"
    nodes.append(helper.make_node("Identity", [last], ["out"]))
    row = [1, TOKENS, WIDTH]
    made = helper.make_graph(
        nodes, "yardstick",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, row)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, row)],
        initialisers,
    )  # fmt: skip
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


if __name__ == "__main__":
    model = graph()
    onnx.checker.check_model(model)
    onnx.save(model, sys.argv[1])
