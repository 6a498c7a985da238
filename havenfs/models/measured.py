"""What models and this machine were measured to do: `<state>/models/measured.json`, DERIVED, written by commands alone.

A file that is damaged, or of another machine, counts as none. Safe in any thread; the last writer wins.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from havenfs.errors import ModelError

from .manifest import decode

if TYPE_CHECKING:
    from havenfs.config import State
    from havenfs.entities import ModelId

FILE = "measured.json"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a model did here. Milliseconds are medians, on the threads of one worker."""

    memory: int
    """MiB at most in the process in which the towers ran one after the other."""
    device: str
    """The execution provider that ran it."""
    picture_ms: float | None = None
    """One picture at a time, from 1440 px on; None for models that take none."""
    batch_ms: float | None = None
    """Each of a batch."""
    text_ms: float | None = None
    note: str | None = None
    """Why a faster device that is installed did not run it."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What this machine is to a model."""

    cores: int
    memory: int
    """MiB."""
    instructions: tuple[str, ...]
    """Of those that matter to models, what the processor has."""
    gigaflop_ms: float
    """For a gigaflop of an image tower in fp32, on the threads of one worker."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known."""

    machine: Machine | None = None
    models: dict[str, Trial] = {}
    """By ModelId."""


_MEASURED = msgspec.json.Decoder(Measured)


def read(state: State) -> Measured:
    """What is known; nothing when nothing was measured."""
    path = state.models / FILE
    if not path.exists():
        return Measured()
    try:
        return decode(path, _MEASURED)
    except ModelError:
        return Measured()


def record_model(state: State, model: ModelId, trial: Trial) -> None:
    """Keep *trial*. Raises OSError."""
    known = read(state)
    _write(state, msgspec.structs.replace(known, models={**known.models, model: trial}))


def record_machine(state: State, machine: Machine) -> None:
    """Keep *machine*. Raises OSError."""
    _write(state, msgspec.structs.replace(read(state), machine=machine))


def _write(state: State, measured: Measured) -> None:
    state.models.mkdir(parents=True, exist_ok=True)
    temporary = state.models / f".{FILE}.{os.getpid()}"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
    temporary.replace(state.models / FILE)
