"""The file: where it lies, what it says, and where in it a mistake stands. Pure but for `load`."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from havenfs.errors import ConfigError

from .config import SETTINGS, Config
from .files import Files
from .guard import Guard
from .index import Indexing
from .people import People
from .sidecars import Sidecars
from .sort import RuleError, Sorting
from .trash import Trash


def default_file() -> Path:
    """`havenfs.toml` where systemd says that configuration is, else in `$XDG_CONFIG_HOME/havenfs` or `~/.config/havenfs`."""
    given = os.environ.get("CONFIGURATION_DIRECTORY")
    if given:
        return Path(given.split(":")[0]) / "havenfs.toml"
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "havenfs" / "havenfs.toml"


def load(file: Path | None) -> Config:
    """What *file* says; None: the default one, which need not be there. Raises ConfigError."""
    path = file or default_file()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if file is None:
            return Config()
        raise ConfigError(f"the settings {path} are not there. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"the settings {path} cannot be read: {said}.") from error
    return parse(text, path)


def parse(text: str, file: Path) -> Config:
    """What *text*, the contents of *file*, says. Raises ConfigError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from error
    known = {setting.key: setting for setting in SETTINGS}
    values: dict[str, dict[str, Any]] = {}
    for table, inner in tables.items():
        if not isinstance(inner, dict):
            raise _unknown(text, file, table)
        for name, value in cast("dict[str, Any]", inner).items():
            key = f"{table}.{name}"
            setting = known.get(key)
            if setting is None:
                raise _unknown(text, file, key)
            try:
                values.setdefault(table, {})[name] = setting.read(value)
            except RuleError as error:
                line = _rule_lines(text)[error.number : error.number + 1] or [_line(text, key)]
                raise ConfigError(f"{file}, line {line[0]}: {key}: {error}") from None
            except ValueError as error:
                raise ConfigError(f"{file}, line {_line(text, key)}: {key}: {error}") from None
    return Config(
        files=Files(**values.get("files", {})),
        index=Indexing(**values.get("index", {})),
        people=People(**values.get("people", {})),
        sidecars=Sidecars(**values.get("sidecars", {})),
        trash=Trash(**values.get("trash", {})),
        guard=Guard(**values.get("guard", {})),
        sort=_placed(Sorting(**values.get("sort", {})), text),
        file=file,
    )


def _placed(sort: Sorting, text: str) -> Sorting:
    """The same, each rule with its line."""
    lines = _rule_lines(text)
    if len(lines) != len(sort.rule):  # written in a way of its own
        return sort
    return replace(
        sort, rule=tuple(replace(r, line=n) for r, n in zip(sort.rule, lines, strict=True))
    )


def _rule_lines(text: str) -> list[int]:
    """Where each [[sort.rule]] stands."""
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if re.match(r"\s*\[\[\s*sort\s*\.\s*rule\s*\]\]", line)
    ]


def _unknown(text: str, file: Path, key: str) -> ConfigError:
    keys = [setting.key for setting in SETTINGS]
    near = difflib.get_close_matches(key, keys, 1, 0.5) or difflib.get_close_matches(
        key, [k.partition(".")[2] for k in keys], 1, 0.5
    )
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(keys)}"
    return ConfigError(f"{file}, line {_line(text, key)}: there is no setting {key}{hint}")


def _line(text: str, key: str) -> int:
    """Where *key* stands: tomllib does not tell. 1 when it is written in a way of its own."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            table = header[1]
            if table == key:
                return number
        elif entry := re.match(r"\s*([\w\"'.\- ]+?)\s*=", line):
            name = re.sub(r"[\"' ]", "", entry[1])
            if key in (f"{table}.{name}" if table else name, name if not table else None):
                return number
    return 1
