"""The file that would say what is set, every setting with its help. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from havenfs.config import Budget

from .config import SETTINGS, Config
from .index import LEAST_MEMORY, Quiet
from .sort import Rule

if TYPE_CHECKING:
    from .files import Originals


def as_text(config: Config) -> str:
    """The file that would say what *config* says, every setting with its help."""
    lines: list[str] = []
    table = ""
    for setting in SETTINGS:
        if setting.table != table:
            table = setting.table
            lines += ["", f"[{table}]"] if lines else [f"[{table}]"]
        lines += ["", *(f"# {line}" for line in setting.help.splitlines())]
        value = getattr(getattr(config, table), setting.name)
        lines.append(f"{setting.name} = {_written(value, empty=setting.default)}")
    return "\n".join(lines)


def _inline(part: Rule | Originals) -> str:
    """One of several tables, inline. JSON's strings are TOML's, for what neither escapes differently; its booleans too."""
    keys = ("name", "query", "to") if isinstance(part, Rule) else ("path", "writable")
    parts = (f"{key} = {json.dumps(getattr(part, key), ensure_ascii=False)}" for key in keys)
    return f"{{{', '.join(parts)}}}"


def _written(value: object, *, empty: str) -> str:
    match value:
        case Budget():
            return f'"{value}"'
        case Quiet():
            parts = (
                f"{s.start // 60:02}:{s.start % 60:02}-{s.end // 60:02}:{s.end % 60:02}"
                for s in value.spans
            )
            return f'"{", ".join(parts)}"'
        case tuple() if not value:
            return empty
        case tuple():
            parts = cast("tuple[str | Rule | Originals, ...]", value)
            tables = [_inline(part) for part in parts if not isinstance(part, str)]
            return f"[{', '.join(tables)}]" if tables else f'"{", ".join(map(str, parts))}"'
        case bool():
            return str(value).lower()
        case int() if value >= LEAST_MEMORY:
            return f'"{value >> 20}M"'
        case None:
            return "0"
        case _:
            return str(value)
