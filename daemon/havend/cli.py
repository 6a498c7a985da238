"""The `havenfs` command: reads arguments, calls one function, turns errors into one line and an exit code.

What the commands take stands in `commands/`; their work is done elsewhere.
"""

from __future__ import annotations

import gc
import logging
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from havenfs import errors, service

from . import exits
from .commands import mount

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

FAMILIES: Final = {
    "up": ("up",),
    "mount": ("mount",),
    "index": ("index",),
    "deciding": ("undo", "guard", "sort"),
    "looking": ("web", "status", "search"),
    "folders": ("export", "demo"),
    "models": ("models",),
    "config": ("config", "version"),
}
"""The modules of `commands/` and what each brings, in the order in which people read of them."""

EPILOG = """\
exit codes:
  0    done; for up, mount, web and index run: stopped as asked
  1    it was understood but failed (nothing by that name, a disk that is away, ...)
  2    bad usage: an argument, a setting, a query or a model that cannot work; the message says what to do

Command reference and first steps: README.md.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = sys.argv[1:] if argv is None else list(argv)
    arguments = mount.plainly(given) or parser(_asked(given)).parse_args(given)
    service.configure_logging(arguments.command, verbose=arguments.verbose)
    command: Callable[[object], int] = arguments.run
    gc.freeze()  # or it would be walked now
    gc.enable()
    try:
        return command(arguments)
    except errors.HavenError as error:
        logging.getLogger(__name__).debug("failed", exc_info=True)
        print(f"havenfs: {error}", file=sys.stderr)
        return exits.code(error)
    except BrokenPipeError:  # `havenfs search ... | head`
        sys.stderr.close()
        return exits.OK
    except KeyboardInterrupt:
        return exits.OK


def parser(families: Iterable[str] = FAMILIES) -> argparse.ArgumentParser:
    """The command line, as far as these families go."""
    import argparse

    top = argparse.ArgumentParser(
        prog="havenfs",
        description="A household's photos, videos and documents as a file system whose folders are answers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("-v", "--verbose", action="store_true", help="log more, file names included")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for family in families:
        import_module(f"{__package__}.commands.{family}").add(commands)
    return top


def _asked(argv: Sequence[str]) -> Iterable[str]:
    """The family of the command that is asked for; all, where the command line is about all or none of them."""
    first = next((word for word in argv if word not in ("-v", "--verbose")), None)
    return [family for family, names in FAMILIES.items() if first in names] or FAMILIES
