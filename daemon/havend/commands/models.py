"""`models`: the models that look at pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from havend import exits
from havenfs import errors

from . import arguments as common
from .terminal import Line

if TYPE_CHECKING:
    import argparse

    from havenfs.models.install import Progress

    from .arguments import Commands


def add(commands: Commands) -> None:
    """Their parsers."""
    state = common.state()
    as_json = common.as_json()

    models = commands.add_parser("models", help="the models that look at pictures")
    model_commands = models.add_subparsers(dest="models_command", metavar="COMMAND", required=True)
    listing = model_commands.add_parser(
        "list", parents=[state, as_json], help="built in and installed, with their speed here"
    )
    listing.add_argument(
        "--catalogue", action="store_true", help="instead, those that can be installed by name"
    )
    listing.set_defaults(run=_list)

    recommend = model_commands.add_parser(
        "recommend", parents=[state, as_json], help="measure this machine; which model suits it"
    )
    recommend.set_defaults(run=_recommend)

    install = model_commands.add_parser(
        "install",
        parents=[state],
        help="download a model, or take it from a folder or an archive",
        description="Downloads go to huggingface.co, or where HF_ENDPOINT says, through the proxies of the environment. What "
        "was broken off goes on where it was.",
    )
    install.add_argument("name", metavar="NAME", nargs="?", help="of the catalogue")
    install.add_argument(
        "--from", dest="source", type=Path, metavar="PATH", help="a folder, zip or tar; no network"
    )
    install.add_argument(
        "--name", dest="alias", metavar="NAME", help="what to call what PATH holds"
    )
    install.add_argument(
        "--accept-licence",
        action="store_true",
        help="for models whose licence restricts their use: you have read and accept it",
    )
    install.set_defaults(run=_install)

    use = model_commands.add_parser(
        "use",
        parents=[state],
        help="choose a model; the old one answers until the new one is ready",
    )
    use.add_argument("name", metavar="NAME")
    use.set_defaults(run=_use)

    verify = model_commands.add_parser(
        "verify", parents=[state, as_json], help="compare models with what was installed"
    )
    verify.add_argument("names", metavar="NAME", nargs="*", help="default: all of them")
    verify.set_defaults(run=_verify)

    remove = model_commands.add_parser("remove", parents=[state], help="delete an installed model")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_remove)

    decline = model_commands.add_parser(
        "decline", parents=[state], help="no more offers of a full model"
    )
    decline.add_argument("--undo", action="store_true", help="make them again")
    decline.set_defaults(run=_decline)

    export = model_commands.add_parser(
        "export",
        help="turn an open_clip model into one that HavenFS takes (needs the training extra)",
        add_help=False,  # the exporter's own says more
        prefix_chars="+",  # its options are the exporter's
    )
    export.add_argument("arguments", nargs="*")
    export.set_defaults(run=_export)


def _list(arguments: argparse.Namespace) -> int:
    from havend import models, report

    listing = (
        models.choices() if arguments.catalogue else report.models(common.chosen_state(arguments))
    )
    common.say(arguments, listing)
    return exits.OK


def _recommend(arguments: argparse.Namespace) -> int:
    from havend import models

    found = models.recommended(common.chosen_state(arguments))
    common.say(arguments, found)
    return exits.OK


def _install(arguments: argparse.Namespace) -> int:
    from havend import models

    state = common.chosen_state(arguments)
    accepted: bool = arguments.accept_licence
    if (arguments.name is None) == (arguments.source is None):
        raise errors.ConfigError(
            "name a model of the catalogue, or a folder or archive with --from PATH."
        )
    if arguments.source is not None:
        model = models.bring(state, arguments.source, arguments.alias, accepted=accepted)
    else:
        with Line() as line:

            def progress(now: Progress) -> None:
                done, total = now.done / 1e6, now.total / 1e6
                line.show(f"{done:.0f} of {total:.0f} MB: {now.file}")

            model = models.fetch(state, arguments.name, accepted=accepted, progress=progress)
    print(
        f"{model.name} is installed ({model.licence}). Use it with: havenfs models use {model.name}"
    )
    return exits.OK


def _use(arguments: argparse.Namespace) -> int:
    from havend import models

    print(models.use(common.chosen_state(arguments), arguments.name))
    return exits.OK


def _verify(arguments: argparse.Namespace) -> int:
    from havend import models

    found = models.verify(common.chosen_state(arguments), arguments.names)
    common.say(arguments, found)
    return exits.OK if found.good else exits.FAILED


def _remove(arguments: argparse.Namespace) -> int:
    from havend import models

    print(models.remove(common.chosen_state(arguments), arguments.name))
    return exits.OK


def _decline(arguments: argparse.Namespace) -> int:
    from havenfs.models import recommend

    recommend.decline(common.chosen_state(arguments), offers=arguments.undo)
    return exits.OK


def _export(arguments: argparse.Namespace) -> int:
    from havend import models

    models.export(arguments.arguments)
    return exits.OK
