"""`undo`, `guard`, `sort`: what was decided and what is to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havend import exits
from havenfs import errors

from . import arguments as common

if TYPE_CHECKING:
    import argparse

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Their parsers."""
    state = common.state()
    as_json = common.as_json()

    undo = commands.add_parser(
        "undo",
        parents=[state, as_json],
        help="take back what was decided: the last thing, or any other",
    )
    undo.add_argument("id", metavar="ID", nargs="?", help="first digits of one in the list")
    undo.add_argument("--list", action="store_true", help="what was decided last, newest first")
    undo.add_argument(
        "--limit", type=int, default=20, metavar="N", help="list at most N (default: %(default)s)"
    )
    undo.add_argument(
        "--rest",
        action="store_true",
        help="where something was decided since, leave that and take back the rest",
    )
    undo.add_argument(
        "--burst",
        metavar="USER",
        nargs="?",
        const="",
        help="instead, every removal for which the guard has stopped this user (default: the last one)",
    )
    undo.set_defaults(run=_undo)

    guard = commands.add_parser(
        "guard", help="the guard against mass deletion: who removed too much at once"
    )
    guard_commands = guard.add_subparsers(dest="guard_command", metavar="COMMAND", required=True)
    lift = guard_commands.add_parser(
        "lift",
        parents=[state],
        help="it was meant: let the user go on removing, without limit for an hour",
    )
    lift.add_argument("user", metavar="USER", nargs="?", help="default: who was stopped last")
    lift.set_defaults(run=_guard_lift)

    sort = commands.add_parser(
        "sort",
        parents=[state, common.config(), as_json],
        help="where the files in the inbox belong, and why; and put them there",
        description="Says where each file in inbox/ belongs, how sure that is, and why. Moves nothing unless asked to; what was "
        "moved is taken back with `havenfs undo`.",
    )
    which = sort.add_mutually_exclusive_group()
    which.add_argument(
        "--accept",
        metavar="ID",
        action="append",
        default=[],
        help="file this one at the best place; give it several times for several",
    )
    which.add_argument("--all", action="store_true", help="file all, each at the best place")
    sort.add_argument(
        "--above",
        type=float,
        default=0.0,
        metavar="SURE",
        help="only what is at least so sure, 0 to 1: --all --above 0.9",
    )
    sort.add_argument(
        "--dry-run", action="store_true", help="say what would be filed, move nothing"
    )
    sort.set_defaults(run=_sort)


def _undo(arguments: argparse.Namespace) -> int:
    from havend import decisions

    state = common.chosen_state(arguments)
    if arguments.list:
        common.say(arguments, decisions.last(state, arguments.limit))
    elif arguments.burst is not None:
        common.say(arguments, decisions.undo_burst(state, arguments.burst or None))
    else:
        common.say(arguments, decisions.undo(state, arguments.id, rest=arguments.rest))
    return exits.OK


def _guard_lift(arguments: argparse.Namespace) -> int:
    from havend import decisions

    user = decisions.lift(common.chosen_state(arguments), arguments.user)
    print(f"{user} can remove files again.")
    return exits.OK


def _sort(arguments: argparse.Namespace) -> int:
    from havend import sorting
    from havenfs import settings

    if not 0 <= arguments.above <= 1:
        raise errors.ConfigError("--above takes a number from 0 to 1.")
    found = sorting.sort(
        common.chosen_state(arguments),
        settings.load(arguments.config),
        accept=sorting.Which(
            ids=tuple(arguments.accept), everything=arguments.all, above=arguments.above
        ),
        dry_run=arguments.dry_run,
    )
    common.say(arguments, found)
    return exits.FAILED if found.failed else exits.OK
