"""ONNX Runtime sessions as our workers want them: as fast as two cores are, as small as a NAS needs.

Measured on ViT-B/32 (fp32 and int8), `tests/bench/bench_clip.py` shows the sum of it beside the settings of a peer:

- threads: two make it 1.8 times as fast as one; more leave nothing for the NAS.
- no arena: it never gives memory back and grows with each new shape; without it the tower is as fast.
- no memory pattern: a plan per shape, and the last batch is shorter than the others.
- threads that wait do not spin: spinning cost 62 ms of processor time a picture instead of 37 on a busy machine.

Other devices (CUDA, OpenVINO, ...) run a model where a build of onnxruntime with that provider is installed; if one fails to
start, the processor does it and `note` says why. Any thread.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import onnxruntime

from havenfs.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

ort = cast(Any, onnxruntime)  # comes without types

PROCESSOR = "CPUExecutionProvider"
FASTER = (
    "CUDAExecutionProvider",
    "MIGraphXExecutionProvider",
    "ROCMExecutionProvider",
    "OpenVINOExecutionProvider",
)
"""Devices that are taken when the installed onnxruntime offers them, best first. Not those that compile for minutes at each
start (TensorRT) or send the graph elsewhere (Azure)."""

faults = ort.capi.onnxruntime_pybind11_state
FAULTS: tuple[type[Exception], ...] = (
    faults.EPFail,
    faults.Fail,
    faults.InvalidArgument,
    faults.InvalidGraph,
    faults.InvalidProtobuf,
    faults.NoModel,
    faults.NoSuchFile,
    faults.NotImplemented,
    faults.RuntimeException,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A loaded graph."""

    runs: Any
    """The onnxruntime.InferenceSession."""
    device: str
    """The provider that runs it."""
    note: str | None
    """Why a faster one does not."""


def session(path: Path, threads: int) -> Session:
    """Load the graph at *path*. Raises ModelError."""
    note: str | None = None
    offered = ort.get_available_providers()
    for provider in (*(name for name in FASTER if name in offered), PROCESSOR):
        providers = [provider] if provider == PROCESSOR else [provider, PROCESSOR]
        try:
            made = ort.InferenceSession(
                str(path), sess_options=_options(threads), providers=providers
            )
        except (*FAULTS, ValueError) as error:  # ValueError: a provider that cannot even be named
            if provider == PROCESSOR:
                raise ModelError(f"{path} cannot be loaded: {error}") from error
            note = f"{provider} is installed but does not start: {str(error)[:300]}"
            continue
        used = str(made.get_providers()[0])
        if used != provider:  # onnxruntime falls back by itself, and says so only on stderr
            note = f"{provider} is installed but does not start"
        return Session(runs=made, device=used, note=note)
    raise AssertionError("the processor is always there")


def _options(threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, min(threads, len(os.sched_getaffinity(0))))
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors; its warnings are about optimisations of the graph
    return options
