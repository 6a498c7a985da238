"""`config`, `version`: the settings, and what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import havenfs
from havend import exits

from . import arguments as common

if TYPE_CHECKING:
    import argparse

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Their parsers."""
    config = common.config()
    settle = commands.add_parser("config", help="the settings")
    settle_commands = settle.add_subparsers(dest="config_command", metavar="COMMAND", required=True)
    show = settle_commands.add_parser(
        "show",
        parents=[config],
        help="every setting with its meaning and what it is set to, as a file",
    )
    show.set_defaults(run=_show)
    check = settle_commands.add_parser(
        "check", parents=[config], help="whether the settings can be read"
    )
    check.set_defaults(run=_check)

    version = commands.add_parser("version", help="print the version")
    version.set_defaults(run=_version)


def _show(arguments: argparse.Namespace) -> int:
    from havenfs import settings

    config = settings.load(arguments.config)
    print(f"# {config.file or f'as it comes; to change it, write {settings.default_file()}'}\n")
    print(settings.as_text(config))
    return exits.OK


def _check(arguments: argparse.Namespace) -> int:
    from havenfs import settings
    from havenfs.sorting import rules

    config = settings.load(arguments.config)
    rules.ready(config)
    print(f"{config.file} is right." if config.file else f"There is no {settings.default_file()}.")
    return exits.OK


def _version(_: argparse.Namespace) -> int:
    print(havenfs.__version__)
    return exits.OK
