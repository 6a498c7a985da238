"""The long-running programs, as systemd and `havenfs up` start them: run until stopped, say when ready."""

from __future__ import annotations

import gc
import logging
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from . import checks, transport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from havenfs.config import Budget, SourceConfig, State
    from havenfs.settings import Indexing

    from .transport import Choice

log = logging.getLogger(__name__)


def mount(state: State, directory: Path, choice: Choice) -> int:
    """Serve the tree on *directory* until SIGTERM or SIGINT."""
    log.info("transport %s: %s", choice.transport, choice.reason)
    if choice.transport == "direct":  # each transport is loaded by the mount alone
        gc.disable()  # until the supervisor has frozen what is loaded now, all of it needed: 8 ms of the start
        from .direct import program

        return program.run(state, directory, choice)
    from . import mount as mounting, serving  # trio is half of what a mount would load

    mountpoint = checks.mountpoint(directory, checks.configured(state), state)
    transport.record(state, mountpoint, choice)
    try:
        return serving.until_stopped(
            partial(mounting.run, state, mountpoint), f"mounted at {mountpoint}"
        )
    finally:
        transport.erase(state)


def index(
    state: State,
    sources: Sequence[SourceConfig],
    *,
    once: bool,
    config: Path | None,
    budget: Budget | None,
) -> int:
    """Index *sources* until SIGTERM or SIGINT; with *once*, until everything is done. *budget* wins over the settings
    in *config*, which are followed while it runs. Raises ConfigError."""
    from dataclasses import replace

    from havenfs import settings

    from . import indexer, serving

    def indexing() -> Indexing:
        found = settings.load(config).index
        return replace(found, budget=budget) if budget else found

    options = indexer.Options(
        indexing=indexing(),
        again=indexing,
        people=lambda: settings.load(config).people,
        sidecars=lambda: settings.load(config).sidecars,
        trash=lambda: settings.load(config).trash,
        guard=lambda: settings.load(config).guard,
        settings=lambda: settings.load(config),
    )
    return serving.until_stopped(
        partial(indexer.run, state, sources, once=once, options=options), "indexing"
    )


def web(state: State, http: str, mountpoint: Path | None) -> int:
    """Become the web program: it runs on uvicorn, so nothing of this process is of use to it."""
    command = [sys.executable, "-m", "havenweb", "--state", str(state.root), "--http", http]
    if mountpoint:
        command += ["--mount", str(mountpoint)]
    os.execv(sys.executable, command)
