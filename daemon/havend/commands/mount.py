"""`mount`: the mount alone, whose start somebody waits for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from havend import checks, transport as transports

if TYPE_CHECKING:
    import argparse

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Its parser."""
    from . import arguments as common  # with argparse, which `plainly` does without

    mount = commands.add_parser(
        "mount",
        parents=[common.state(), common.transport()],
        help="the mount alone, over what is indexed",
    )
    mount.add_argument(
        "--mount", type=Path, metavar="DIR", required=True, help="an empty folder to mount at"
    )
    mount.set_defaults(run=_mount)


def plainly(words: list[str]) -> SimpleNamespace | None:
    """What argparse would make of these words, written as units and programs write them: options by their full names,
    values behind them. None for anything else, mistakes included: argparse is to look at it, for 10 of the 100 ms in
    which a mount is to answer.
    """
    given = dict(zip(words[1::2], words[2::2], strict=False))
    transport = given.get("--transport", "auto")
    if (
        words[:1] != ["mount"]
        or len(words) % 2 == 0
        or not {"--mount"} <= given.keys() <= {"--state", "--mount", "--transport"}
        or any(value.startswith("-") for value in given.values())
        or transport not in transports.WANTED
    ):
        return None
    state = given.get("--state")
    return SimpleNamespace(
        command="mount",
        verbose=False,
        state=None if state is None else Path(state),
        mount=Path(given["--mount"]),
        transport=transport,
        run=_mount,
    )


def _mount(arguments: argparse.Namespace | SimpleNamespace) -> int:
    from havend import programs

    state = checks.state(arguments.state)
    return programs.mount(state, arguments.mount, transports.choose(arguments.transport))
