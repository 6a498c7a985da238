"""`export`, `demo`: folders that are written outside of the library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from havend import exits

from . import arguments as common
from .terminal import Line

if TYPE_CHECKING:
    import argparse

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Their parsers."""
    export = commands.add_parser(
        "export",
        parents=[common.state(), common.as_json()],
        help="leave, or take something along: plain folders, with sidecars that other programs read",
        description="Writes a plain folder tree with an XMP sidecar beside each file that there is something to say about. Broken "
        "off, the same command goes on. A hard link is the original itself under one more name: who edits one edits both.",
    )
    export.add_argument(
        "directory", type=Path, metavar="DIR", help="a new folder, or an export to go on with"
    )
    what = export.add_mutually_exclusive_group()
    what.add_argument("--query", metavar="Q", help="only what this search finds")
    what.add_argument("--view", metavar="PATH", help="only what this folder shows: places/Italy")
    how = export.add_mutually_exclusive_group()
    how.add_argument("--copy", action="store_true", help="copies, each read back and verified")
    how.add_argument(
        "--link", action="store_true", help="hard links only; what cannot be linked is left out"
    )
    export.add_argument(
        "--layout",
        choices=("by-date", "as-is"),
        default="by-date",
        help="folders by year and month, or as the originals have them (default: %(default)s)",
    )
    export.set_defaults(run=_export)

    demo = commands.add_parser("demo", help="draw a sample library to try things on")
    demo.add_argument("directory", type=Path, metavar="DIR", help="where to; made if missing")
    demo.add_argument(
        "--photos", type=int, default=400, metavar="N", help="how many (default: %(default)s)"
    )
    demo.add_argument(
        "--seed",
        type=int,
        default=7,
        metavar="N",
        help="same seed, same library (default: %(default)s)",
    )
    demo.set_defaults(run=_demo)


def _export(arguments: argparse.Namespace) -> int:
    from havend import leaving
    from havenfs.leaving.placing import How
    from havenfs.leaving.tree import Layout

    with Line() as line:
        exported = leaving.export(
            common.chosen_state(arguments),
            arguments.directory,
            query=arguments.query,
            view=arguments.view,
            layout=Layout(arguments.layout),
            how=How.COPY if arguments.copy else How.LINK if arguments.link else How.BEST,
            progress=lambda done, total: line.show(f"Exporting: {done} of {total}"),
        )
    common.say(arguments, exported)
    return exits.OK if exported.complete else exits.FAILED


def _demo(arguments: argparse.Namespace) -> int:
    from havenfs.sample import library

    directory: Path = arguments.directory
    with Line() as line:
        truth = library.write(
            directory,
            photos=arguments.photos,
            seed=arguments.seed,
            progress=lambda done, total: line.show(
                f"Drawing the sample library: {done} of {total}"
            ),
        )
    print(
        f"The sample library is in {directory}: {len(truth.assets)} files, {len(truth.hard)} hard ones."
    )
    return exits.OK
