"""ONNX graphs in onnxruntime sessions, set up for a worker that shares a weak machine. Says nothing about what they do.

Loading a graph can kill the process when the file is malicious or badly exported: load models only where a crash is
contained.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import onnxruntime

from havenfs.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

ort = cast(Any, onnxruntime)  # comes without types

faults = ort.capi.onnxruntime_pybind11_state
FAULTS: tuple[type[Exception], ...] = (
    faults.Fail,
    faults.InvalidArgument,
    faults.InvalidGraph,
    faults.InvalidProtobuf,
    faults.NoModel,
    faults.NoSuchFile,
    faults.NotImplemented,
    faults.RuntimeException,
)
"""What loading or running a graph raises."""


def opened(path: Path, threads: int) -> Any:
    """Return the session of the graph at *path*; a run of it takes so many *threads*. Raises ModelError."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, min(threads, len(os.sched_getaffinity(0))))
    options.inter_op_num_threads = 1
    # The arena never gives memory back and grows with every new shape; without it ViT-B/32 runs equally fast.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = (
        False  # a plan per shape, and the last batch is shorter than the others
    )
    # Idle threads of onnxruntime spin by default. On a busy machine of two cores that cost ViT-B/32 62 ms of processor
    # time a picture instead of 37, and made it slower too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors; its warnings are about optimisations of the graph
    try:
        return ort.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except FAULTS as error:
        reason = f"{path} cannot be loaded: {error}"
        raise ModelError(reason) from error
