"""What several commands take: the arguments, each as a parent for parsers, and what they come to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from havend import checks, transport as transports
from havenfs.config import Budget

if TYPE_CHECKING:
    from havenfs.config import SourceConfig, State

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]
    """Where a family adds its parsers."""


class Answer(Protocol):
    """What a command prints, in either form."""

    def as_text(self) -> str:
        """For people."""
        ...

    def as_json(self) -> Any:
        """For scripts."""
        ...


def state() -> argparse.ArgumentParser:
    """`--state`, which :func:`chosen_state` reads."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where HavenFS keeps its own files (default: $XDG_STATE_HOME/havenfs, ~/.local/state/havenfs)",
    )
    return parent


def sources() -> argparse.ArgumentParser:
    """`--source` and `--writable`, which :func:`chosen_sources` reads."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--source",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="a folder of originals; may be given several times. Nothing in it is ever changed",
    )
    parent.add_argument(
        "--writable",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="like --source, but below files/ it can be written, by whoever may write the folder itself",
    )
    return parent


def transport() -> argparse.ArgumentParser:
    """`--transport`."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--transport",
        choices=transports.WANTED,
        default="auto",
        help="how the kernel is spoken to; auto takes the best that works here (default: %(default)s)",
    )
    return parent


def config() -> argparse.ArgumentParser:
    """`--config`."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the settings (default: $XDG_CONFIG_HOME/havenfs/havenfs.toml, ~/.config/havenfs/havenfs.toml, "
        "if it is there)",
    )
    return parent


def budget() -> argparse.ArgumentParser:
    """`--budget`."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--budget",
        type=Budget,
        choices=tuple(Budget),
        help="how much of the machine the indexer takes, whatever the settings say",
    )
    return parent


def as_json() -> argparse.ArgumentParser:
    """`--json`, which :func:`say` heeds."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--json", action="store_true", help="print JSON, for scripts")
    return parent


def chosen_state(arguments: argparse.Namespace) -> State:
    """The state directory. Raises ConfigError."""
    return checks.state(arguments.state)


def chosen_sources(arguments: argparse.Namespace, state: State) -> tuple[SourceConfig, ...]:
    """The folders to index: those named, else those of the settings. Raises ConfigError."""
    given, writable = arguments.source, arguments.writable
    if not given and not writable:
        from havenfs import settings

        named = settings.load(arguments.config).files.source
        given = [Path(source.path) for source in named if not source.writable]
        writable = [Path(source.path) for source in named if source.writable]
    return checks.sources(given, state, writable=writable)


def say(arguments: argparse.Namespace, answer: Answer) -> None:
    """Print it in the form that was asked for."""
    print(json.dumps(answer.as_json(), indent=2) if arguments.json else answer.as_text())
