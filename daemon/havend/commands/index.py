"""`index`: the indexer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import arguments as common

if TYPE_CHECKING:
    import argparse

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Its parsers."""
    common_to_both = [common.state(), common.sources(), common.config(), common.budget()]
    index = commands.add_parser("index", help="the indexer")
    index_commands = index.add_subparsers(dest="index_command", metavar="COMMAND", required=True)
    run = index_commands.add_parser("run", parents=common_to_both, help="the indexer alone")
    run.add_argument("--once", action="store_true", help="end when everything is indexed")
    run.set_defaults(run=_run)

    rebuild = index_commands.add_parser(
        "rebuild",
        parents=common_to_both,
        help="delete the database and index everything again; what people decided comes back",
        description="Everything else that uses the state directory must be stopped. What people decided comes back from the "
        "journal, decisions.jsonl.",
    )
    rebuild.set_defaults(run=_rebuild)


def _run(arguments: argparse.Namespace) -> int:
    from havend import programs

    state = common.chosen_state(arguments)
    return programs.index(
        state,
        common.chosen_sources(arguments, state),
        once=arguments.once,
        config=arguments.config,
        budget=arguments.budget,
    )


def _rebuild(arguments: argparse.Namespace) -> int:
    from havend import programs, rebuild
    from havenfs import settings

    state = common.chosen_state(arguments)
    sources = common.chosen_sources(arguments, state)
    settings.load(arguments.config)  # a mistake is said before anything is deleted
    rebuild.clear(state)
    return programs.index(
        state, sources, once=True, config=arguments.config, budget=arguments.budget
    )
