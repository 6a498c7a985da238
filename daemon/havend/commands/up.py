"""`up`: everything, in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from havend import checks

from . import arguments as common

if TYPE_CHECKING:
    import argparse

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Its parser."""
    up = commands.add_parser(
        "up",
        parents=[
            common.state(),
            common.sources(),
            common.transport(),
            common.config(),
            common.budget(),
        ],
        help="index, mount and serve the web page, all in the foreground",
    )
    up.add_argument(
        "--mount", type=Path, metavar="DIR", required=True, help="an empty folder to mount at"
    )
    http = up.add_mutually_exclusive_group()
    http.add_argument(
        "--http",
        metavar="HOST:PORT",
        default="127.0.0.1:8440",
        help="where the web page answers; this machine only until there are accounts (default: %(default)s)",
    )
    http.add_argument(
        "--no-http", dest="http", action="store_const", const=None, help="no web page"
    )
    up.set_defaults(run=_up)


def _up(arguments: argparse.Namespace) -> int:
    from havend import up
    from havenfs import settings  # each program loads only what it runs

    state = common.chosen_state(arguments)
    sources = common.chosen_sources(arguments, state)
    settings.load(arguments.config)  # a mistake is said here and not by a child
    indexing: list[str] = []
    if arguments.config:
        indexing += ["--config", str(arguments.config.absolute())]
    if arguments.budget:
        indexing += ["--budget", arguments.budget]
    made = not checks.listed(arguments.mount)
    mountpoint = checks.mountpoint(arguments.mount, sources, state)
    return up.main(
        state,
        sources,
        mountpoint,
        arguments.http,
        transport=arguments.transport,
        indexing=indexing,
        made_mountpoint=made,
        verbose=arguments.verbose,
    )
