"""`havenfs models export`: reads arguments, exports, says what came out. A program of its own, so that torch stays in it."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
from pathlib import Path

from havenfs.errors import ConfigError, HavenError

EXTRA = ("torch", "open_clip", "onnxscript")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="havenfs models export",
        description="Turns an open_clip model into a directory that 'havenfs models install --from' takes: int8, with a report "
        "of how far it agrees with the original.",
    )
    parser.add_argument(
        "model",
        metavar="NAME[:PRETRAINED]",
        nargs="?",
        help="of open_clip, for example ViT-B-32-256:datacomp_s34b_b86k; PRETRAINED is a tag or a file",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        required=True,
        help="a new directory; its name is the model's",
    )
    parser.add_argument("--random", action="store_true", help="untrained weights, for tests")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="DIR",
        help="instead, an fp32 model's directory to make int8; no torch",
    )
    parser.add_argument(
        "--keep-fp32", action="store_true", help="keep the fp32 form as well, in DIR-fp32"
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="real pictures to learn ranges from and compare on",
    )
    parser.add_argument(
        "--tokenizer",
        type=Path,
        metavar="DIR",
        help="with a tokenizer.json, for models whose own is out of reach",
    )
    parser.add_argument("--licence", metavar="TEXT", help="of the weights, if you know better")
    return parser


def missing() -> list[str]:
    """Packages that exporting needs, but making int8 does not, and that are not installed."""
    return [name for name in EXTRA if importlib.util.find_spec(name) is None]


def main() -> int:
    """One export; returns the exit code of `havenfs`."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("havenfs").setLevel(logging.INFO)
    try:
        _run(arguments)
    except HavenError as error:
        sys.stderr.write(f"havenfs: {error}\n")
        return 2
    return 0


def _run(arguments: argparse.Namespace) -> None:
    shrinking = arguments.source is not None
    if shrinking == (arguments.model is not None):
        raise ConfigError("name a model of open_clip, or a directory with --from DIR.")
    absent = [] if shrinking else missing()
    if absent:
        raise ConfigError(
            f"exporting needs {', '.join(absent)}, which are not installed here. On a machine that can spare a gigabyte: "
            f"{sys.executable} -m pip install 'havenfs[training]'. The result is a folder that any machine takes with "
            "'havenfs models install --from'."
        )
    from havenfs.export import command  # only now: it needs what was looked for

    if shrinking:
        report = command.shrink(arguments.source, arguments.out, real=arguments.pictures)
    else:
        name, _, pretrained = arguments.model.partition(":")
        if bool(pretrained) == arguments.random:
            raise ConfigError(f"say which weights: {name}:PRETRAINED, or --random for a test.")
        report = command.export(
            name, pretrained or None, arguments.out, tokenizer=arguments.tokenizer, real=arguments.pictures,
            licence=arguments.licence, keep=arguments.keep_fp32,
        )  # fmt: skip
    sys.stdout.write((arguments.out / "README.md").read_text())
    sys.stdout.write(
        f"\n{report.name} is in {arguments.out}. Next: havenfs models install --from {arguments.out}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
