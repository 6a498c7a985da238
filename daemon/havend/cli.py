"""The `havenfs` command: reads arguments, calls one function, turns errors into one line and an exit code.

Every command's work is done elsewhere; what stands here is words for people.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

import havenfs
from havenfs import errors, service
from havenfs.config import Budget

from . import checks, exits, transport as transports

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from havenfs.config import SourceConfig, State
    from havenfs.models.install import Progress

EPILOG = """\
exit codes:
  0    done; for up, mount, web and index run: stopped as asked
  1    it was understood but failed (nothing by that name, a disk that is away, ...)
  2    bad usage: an argument, a setting, a query or a model that cannot work; the message says what to do

Command reference and first steps: README.md.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    arguments = parser().parse_args(argv)
    service.configure_logging(arguments.command, verbose=arguments.verbose)
    command: Callable[[argparse.Namespace], int] = arguments.run
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


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="havenfs",
        description="A household's photos, videos and documents as a file system whose folders are answers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("-v", "--verbose", action="store_true", help="log more, file names included")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    state = argparse.ArgumentParser(add_help=False)
    state.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where HavenFS keeps its own files (default: $XDG_STATE_HOME/havenfs, ~/.local/state/havenfs)",
    )
    sources = argparse.ArgumentParser(add_help=False)
    sources.add_argument(
        "--source",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="a folder of originals; may be given several times. Nothing in it is ever changed",
    )
    sources.add_argument(
        "--writable",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="like --source, but below files/ it can be written, by whoever may write the folder itself",
    )
    transport = argparse.ArgumentParser(add_help=False)
    transport.add_argument(
        "--transport",
        choices=transports.WANTED,
        default="auto",
        help="how the kernel is spoken to; auto takes the best that works here (default: %(default)s)",
    )
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the settings (default: $XDG_CONFIG_HOME/havenfs/havenfs.toml, ~/.config/havenfs/havenfs.toml, "
        "if it is there)",
    )
    budget = argparse.ArgumentParser(add_help=False)
    budget.add_argument(
        "--budget",
        type=Budget,
        choices=tuple(Budget),
        help="how much of the machine the indexer takes, whatever the settings say",
    )
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON, for scripts")

    up = commands.add_parser(
        "up",
        parents=[state, sources, transport, config, budget],
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

    mount = commands.add_parser(
        "mount", parents=[state, transport], help="the mount alone, over what is indexed"
    )
    mount.add_argument(
        "--mount", type=Path, metavar="DIR", required=True, help="an empty folder to mount at"
    )
    mount.set_defaults(run=_mount)

    index = commands.add_parser("index", help="the indexer")
    index_commands = index.add_subparsers(dest="index_command", metavar="COMMAND", required=True)
    run = index_commands.add_parser(
        "run", parents=[state, sources, config, budget], help="the indexer alone"
    )
    run.add_argument("--once", action="store_true", help="end when everything is indexed")
    run.set_defaults(run=_index_run)

    rebuild = index_commands.add_parser(
        "rebuild",
        parents=[state, sources, config, budget],
        help="delete the database and index everything again; what people decided comes back",
        description="Everything else that uses the state directory must be stopped. What people decided comes back from the "
        "journal, decisions.jsonl.",
    )
    rebuild.set_defaults(run=_index_rebuild)

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
        parents=[state, config, as_json],
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

    _add_export(commands, state, as_json)

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

    _add_models(commands, state, as_json)

    settle = commands.add_parser("config", help="the settings")
    settle_commands = settle.add_subparsers(dest="config_command", metavar="COMMAND", required=True)
    show = settle_commands.add_parser(
        "show",
        parents=[config],
        help="every setting with its meaning and what it is set to, as a file",
    )
    show.set_defaults(run=_config_show)
    check = settle_commands.add_parser(
        "check", parents=[config], help="whether the settings can be read"
    )
    check.set_defaults(run=_config_check)

    version = commands.add_parser("version", help="print the version")
    version.set_defaults(run=_version)
    return top


def _add_export(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
    state: argparse.ArgumentParser,
    as_json: argparse.ArgumentParser,
) -> None:
    export = commands.add_parser(
        "export",
        parents=[state, as_json],
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


def _add_models(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
    state: argparse.ArgumentParser,
    as_json: argparse.ArgumentParser,
) -> None:
    models = commands.add_parser("models", help="the models that look at pictures")
    model_commands = models.add_subparsers(dest="models_command", metavar="COMMAND", required=True)
    listing = model_commands.add_parser(
        "list", parents=[state, as_json], help="built in and installed, with their speed here"
    )
    listing.add_argument(
        "--catalogue", action="store_true", help="instead, those that can be installed by name"
    )
    listing.set_defaults(run=_models_list)

    recommend = model_commands.add_parser(
        "recommend", parents=[state, as_json], help="measure this machine; which model suits it"
    )
    recommend.set_defaults(run=_models_recommend)

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
    install.set_defaults(run=_models_install)

    use = model_commands.add_parser(
        "use",
        parents=[state],
        help="choose a model; the old one answers until the new one is ready",
    )
    use.add_argument("name", metavar="NAME")
    use.set_defaults(run=_models_use)

    verify = model_commands.add_parser(
        "verify", parents=[state, as_json], help="compare models with what was installed"
    )
    verify.add_argument("names", metavar="NAME", nargs="*", help="default: all of them")
    verify.set_defaults(run=_models_verify)

    remove = model_commands.add_parser("remove", parents=[state], help="delete an installed model")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_models_remove)

    decline = model_commands.add_parser(
        "decline", parents=[state], help="no more offers of a full model"
    )
    decline.add_argument("--undo", action="store_true", help="make them again")
    decline.set_defaults(run=_models_decline)

    export = model_commands.add_parser(
        "export",
        help="turn an open_clip model into one that HavenFS takes (needs the training extra)",
        add_help=False,  # the exporter's own says more
        prefix_chars="+",  # its options are the exporter's
    )
    export.add_argument("arguments", nargs="*")
    export.set_defaults(run=_models_export)


def _state(arguments: argparse.Namespace) -> State:
    return checks.state(arguments.state)


def _sources(arguments: argparse.Namespace, state: State) -> tuple[SourceConfig, ...]:
    given, writable = arguments.source, arguments.writable
    if not given and not writable:
        from havenfs import settings

        named = settings.load(arguments.config).files.source
        given = [Path(source.path) for source in named if not source.writable]
        writable = [Path(source.path) for source in named if source.writable]
    return checks.sources(given, state, writable=writable)


def _up(arguments: argparse.Namespace) -> int:
    from havenfs import settings  # each program loads only what it runs

    from . import up

    state = _state(arguments)
    sources = _sources(arguments, state)
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


def _mount(arguments: argparse.Namespace) -> int:
    from . import programs

    state = _state(arguments)
    return programs.mount(state, arguments.mount, transports.choose(arguments.transport))


def _index_run(arguments: argparse.Namespace) -> int:
    from . import programs

    state = _state(arguments)
    return programs.index(
        state,
        _sources(arguments, state),
        once=arguments.once,
        config=arguments.config,
        budget=arguments.budget,
    )


def _index_rebuild(arguments: argparse.Namespace) -> int:
    from havenfs import settings

    from . import programs, rebuild

    state = _state(arguments)
    sources = _sources(arguments, state)
    settings.load(arguments.config)  # a mistake is said before anything is deleted
    rebuild.clear(state)
    return programs.index(
        state, sources, once=True, config=arguments.config, budget=arguments.budget
    )


def _undo(arguments: argparse.Namespace) -> int:
    from . import decisions

    state = _state(arguments)
    if arguments.list:
        listing = decisions.last(state, arguments.limit)
        print(json.dumps(listing.as_json(), indent=2) if arguments.json else listing.as_text())
        return exits.OK
    if arguments.burst is not None:
        brought = decisions.undo_burst(state, arguments.burst or None)
        print(json.dumps(brought.as_json(), indent=2) if arguments.json else brought.as_text())
        return exits.OK
    done = decisions.undo(state, arguments.id, rest=arguments.rest)
    print(json.dumps(done.as_json(), indent=2) if arguments.json else done.as_text())
    return exits.OK


def _guard_lift(arguments: argparse.Namespace) -> int:
    from . import decisions

    print(f"{decisions.lift(_state(arguments), arguments.user)} can remove files again.")
    return exits.OK


def _sort(arguments: argparse.Namespace) -> int:
    from havenfs import settings

    from . import sorting

    if not 0 <= arguments.above <= 1:
        raise errors.ConfigError("--above takes a number from 0 to 1.")
    found = sorting.sort(
        _state(arguments),
        settings.load(arguments.config),
        accept=sorting.Which(
            ids=tuple(arguments.accept), everything=arguments.all, above=arguments.above
        ),
        dry_run=arguments.dry_run,
    )
    print(json.dumps(found.as_json(), indent=2) if arguments.json else found.as_text())
    return exits.FAILED if found.failed else exits.OK


def _web(arguments: argparse.Namespace) -> int:
    from . import programs

    state = _state(arguments)
    if arguments.link:
        from havenfs import owner

        print(owner.link(arguments.http, state.owner_key))
        return exits.OK
    return programs.web(state, arguments.http, arguments.mount)


def _status(arguments: argparse.Namespace) -> int:
    from . import report

    status = report.status(_state(arguments))
    print(json.dumps(status.as_json(), indent=2) if arguments.json else status.as_text())
    return exits.OK


def _search(arguments: argparse.Namespace) -> int:
    from . import report

    answer = report.search(_state(arguments), " ".join(arguments.query), arguments.limit)
    print(json.dumps(answer.as_json(), indent=2) if arguments.json else answer.as_text())
    return exits.OK


def _export(arguments: argparse.Namespace) -> int:
    from havenfs.leaving.placing import How
    from havenfs.leaving.tree import Layout

    from . import leaving

    terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        if terminal:
            print(f"\rExporting: {done} of {total}", end="", file=sys.stderr, flush=True)

    exported = leaving.export(
        _state(arguments),
        arguments.directory,
        query=arguments.query,
        view=arguments.view,
        layout=Layout(arguments.layout),
        how=How.COPY if arguments.copy else How.LINK if arguments.link else How.BEST,
        progress=progress,
    )
    if terminal:
        print("\r\033[K", end="", file=sys.stderr)
    print(json.dumps(exported.as_json(), indent=2) if arguments.json else exported.as_text())
    return exits.OK if exported.complete else exits.FAILED


def _demo(arguments: argparse.Namespace) -> int:
    from havenfs.sample import library

    directory: Path = arguments.directory
    terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        if terminal:
            print(
                f"\rDrawing the sample library: {done} of {total}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    truth = library.write(
        directory, photos=arguments.photos, seed=arguments.seed, progress=progress
    )
    if terminal:
        print("\r\033[K", end="", file=sys.stderr)
    print(
        f"The sample library is in {directory}: {len(truth.assets)} files, {len(truth.hard)} hard ones."
    )
    return exits.OK


def _models_list(arguments: argparse.Namespace) -> int:
    from . import models, report

    listing = models.choices() if arguments.catalogue else report.models(_state(arguments))
    print(json.dumps(listing.as_json(), indent=2) if arguments.json else listing.as_text())
    return exits.OK


def _config_show(arguments: argparse.Namespace) -> int:
    from havenfs import settings

    config = settings.load(arguments.config)
    print(f"# {config.file or f'as it comes; to change it, write {settings.default_file()}'}\n")
    print(settings.as_text(config))
    return exits.OK


def _config_check(arguments: argparse.Namespace) -> int:
    from havenfs import settings
    from havenfs.sorting import rules

    config = settings.load(arguments.config)
    rules.ready(config)
    print(f"{config.file} is right." if config.file else f"There is no {settings.default_file()}.")
    return exits.OK


def _models_recommend(arguments: argparse.Namespace) -> int:
    from . import models

    found = models.recommended(_state(arguments))
    print(json.dumps(found.as_json(), indent=2) if arguments.json else found.as_text())
    return exits.OK


def _models_install(arguments: argparse.Namespace) -> int:
    from . import models

    state = _state(arguments)
    accepted: bool = arguments.accept_licence
    if (arguments.name is None) == (arguments.source is None):
        raise errors.ConfigError(
            "name a model of the catalogue, or a folder or archive with --from PATH."
        )
    if arguments.source is not None:
        model = models.bring(state, arguments.source, arguments.alias, accepted=accepted)
    else:
        with _Download() as download:
            model = models.fetch(state, arguments.name, accepted=accepted, progress=download.show)
    print(
        f"{model.name} is installed ({model.licence}). Use it with: havenfs models use {model.name}"
    )
    return exits.OK


class _Download:
    """One line on a terminal that says how far a download is."""

    def __enter__(self) -> Self:
        self._terminal = sys.stderr.isatty()
        return self

    def show(self, progress: Progress) -> None:
        if self._terminal:
            done, total = progress.done / 1e6, progress.total / 1e6
            print(
                f"\r\033[K{done:.0f} of {total:.0f} MB: {progress.file}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _models_use(arguments: argparse.Namespace) -> int:
    from . import models

    print(models.use(_state(arguments), arguments.name))
    return exits.OK


def _models_verify(arguments: argparse.Namespace) -> int:
    from . import models

    found = models.verify(_state(arguments), arguments.names)
    print(json.dumps(found.as_json(), indent=2) if arguments.json else found.as_text())
    return exits.OK if found.good else exits.FAILED


def _models_remove(arguments: argparse.Namespace) -> int:
    from . import models

    print(models.remove(_state(arguments), arguments.name))
    return exits.OK


def _models_decline(arguments: argparse.Namespace) -> int:
    from havenfs.models import recommend

    recommend.decline(_state(arguments), offers=arguments.undo)
    return exits.OK


def _models_export(arguments: argparse.Namespace) -> int:
    from . import models

    models.export(arguments.arguments)
    return exits.OK


def _version(_: argparse.Namespace) -> int:
    print(havenfs.__version__)
    return exits.OK
