"""The table `[files]`: the folders of originals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from .setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Originals:
    """A table `[[files.source]]`: a folder of originals."""

    path: str
    """Absolute."""
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The table `[files]`. Its fields are explained in SETTINGS."""

    source: tuple[Originals, ...] = ()


def _sources(value: Any) -> tuple[Originals, ...]:
    said = 'give a table [[files.source]] with path = "/absolute/path" for each folder, and writable = true where people write'
    if not isinstance(value, list):
        raise ValueError(said)  # noqa: TRY004 -- told with its place
    found: list[Originals] = []
    for each in cast("list[Any]", value):
        match each:
            case {"path": str(path), **rest} if path.startswith("/") and (
                rest.keys() <= {"writable"} and isinstance(rest.get("writable", False), bool)
            ):
                found.append(Originals(path=path, writable=bool(rest.get("writable", False))))
            case _:
                raise ValueError(said)
    return tuple(found)


SETTINGS: Final = (
    Setting(
        table="files",
        name="source",
        default="[]",
        help="The folders of your files, where none are named to a command with --source or --writable: as a service, this is the\n"
        "one place. Each is a table [[files.source]]:\n"
        '  [[files.source]]\n  path = "/srv/photos"\n  writable = true\n'
        "writable: people may work in it through the mount, and HavenFS writes sidecars and keeps a trash there. Else nothing in\n"
        "it is ever changed. After a change: systemctl daemon-reload; systemctl restart havenfs-index",
        read=_sources,
    ),
)
