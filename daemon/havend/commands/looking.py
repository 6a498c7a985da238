"""`web`, `status`, `search`: ways to look at the library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from havend import exits

from . import arguments as common

if TYPE_CHECKING:
    import argparse

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Their parsers."""
    state = common.state()
    as_json = common.as_json()

    web = commands.add_parser("web", parents=[state], help="the web page alone")
    web.add_argument(
        "--http", metavar="HOST:PORT", default="127.0.0.1:8440", help="default: %(default)s"
    )
    web.add_argument(
        "--mount",
        type=Path,
        metavar="DIR",
        help="where the library is mounted, for the paths it shows",
    )
    web.add_argument(
        "--link",
        action="store_true",
        help="instead, print the address that opens the page for a browser: without it the page shows, and changes nothing",
    )
    web.set_defaults(run=_web)

    status = commands.add_parser(
        "status", parents=[state, as_json], help="what is indexed, and what is left"
    )
    status.set_defaults(run=_status)

    search = commands.add_parser(
        "search", parents=[state, as_json], help="search from the terminal"
    )
    search.add_argument(
        "query", nargs="+", metavar="QUERY", help="for example: dog on a beach place:Italy 2019"
    )
    search.add_argument(
        "--limit", type=int, default=20, metavar="N", help="at most N hits (default: %(default)s)"
    )
    search.set_defaults(run=_search)


def _web(arguments: argparse.Namespace) -> int:
    from havend import programs

    state = common.chosen_state(arguments)
    if arguments.link:
        from havenfs import owner

        print(owner.link(arguments.http, state.owner_key))
        return exits.OK
    return programs.web(state, arguments.http, arguments.mount)


def _status(arguments: argparse.Namespace) -> int:
    from havend import report

    common.say(arguments, report.status(common.chosen_state(arguments)))
    return exits.OK


def _search(arguments: argparse.Namespace) -> int:
    from havend import report

    state = common.chosen_state(arguments)
    common.say(arguments, report.search(state, " ".join(arguments.query), arguments.limit))
    return exits.OK
