"""Trying a model out, or the machine, in a process that may die of it: confined as a worker is, and thrown away.

`python -m havend.trial`, started by commands of the owner; the answer is one line of JSON on stdout.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from havenfs.errors import ModelError
from havenfs.models import measured, recommend
from havenfs.models.measured import Machine, Trial

from . import confine

if TYPE_CHECKING:
    from havenfs.config import State

log = logging.getLogger(__name__)

TRIAL_S = 300.0
THREADS = 2
INSTRUCTIONS = ("avx", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "asimddp", "i8mm")


class _Answer(msgspec.Struct):
    trial: Trial | None = None
    gigaflop_ms: float | None = None
    error: str | None = None


_ANSWERS = msgspec.json.Decoder(_Answer)


def model(directory: Path) -> Trial:
    """Load and run the model in *directory*. Raises ModelError that says how it failed, or how its process ended."""
    found = _ask("--model", str(directory)).trial
    if found is None:
        raise ModelError(f"trying out {directory} brought no answer")
    return found


def machine() -> Machine:
    """Measure this machine: a second. Raises ModelError."""
    found = _ask("--yardstick").gigaflop_ms
    if found is None:
        raise ModelError("measuring this machine brought no answer")
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory=memory_mib(),
        instructions=instructions(),
        gigaflop_ms=round(found, 2),
    )


def measure_once(state: State) -> None:
    """Measure this machine if it never was, so that an offer of a full model can say how long it would take."""
    if measured.read(state).machine is not None or recommend.declined(state):
        return
    try:
        measured.record_machine(state, machine())
    except (ModelError, OSError) as error:
        log.info("this machine was not measured: %s", error)


def memory_mib() -> int:
    """Of the machine, or of the container's or unit's share if that is less."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text(encoding="ascii").strip() if limit.exists() else "max"
    return min(pages, int(said) if said.isdigit() else pages) >> 20


def instructions() -> tuple[str, ...]:
    """Of INSTRUCTIONS, what the processor says that it has."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, said = line.partition(":")
        if name.strip() in ("flags", "Features"):
            has = set(said.split())
            return tuple(name for name in INSTRUCTIONS if name in has)
    return ()


def _ask(*arguments: str) -> _Answer:
    command = [
        *(sys.executable, "-m", "havend.trial", *arguments),
        *("--parent", str(os.getpid()), "--memory", str(memory_mib() << 19)),  # half of it
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TRIAL_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"trying it out took longer than {TRIAL_S:.0f} s") from error
    try:
        answer = _ANSWERS.decode(done.stdout.splitlines()[-1])
    except (IndexError, msgspec.DecodeError):
        code = done.returncode
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        log.debug("%s", done.stderr.decode(errors="replace")[-2000:])
        raise ModelError(
            f"trying it out ended the process {how}: the model is not put in place"
        ) from None
    if answer.error is not None:
        raise ModelError(answer.error)
    return answer


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(prog="havend.trial", description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--yardstick", action="store_true")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries print where they please
    confine.confine(
        arguments.parent,
        memory=arguments.memory,
        budget=None,
        readable=[os.fsencode(arguments.model.absolute())] if arguments.model else [],
    )
    from havenfs.extract import trial
    from havenfs.models import registry

    try:
        if arguments.yardstick:
            answer = _Answer(gigaflop_ms=trial.yardstick(threads=THREADS))
        else:
            answer = _Answer(trial=trial.run(registry.load(arguments.model), threads=THREADS))
    except ModelError as error:
        answer = _Answer(error=str(error))
    except MemoryError:
        answer = _Answer(error="it needs more memory than this machine can give it")
    answers.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    main()
