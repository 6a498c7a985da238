"""The table `[sidecars]`: what is written beside originals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .setting import Setting, flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecars:
    """The table `[sidecars]`. Its fields are explained in SETTINGS."""

    write: bool = True


SETTINGS: Final = (
    Setting(
        table="sidecars",
        name="write",
        default="true",
        help="Whether what is decided here is written into an .xmp file beside each original too, where digiKam, darktable and\n"
        "Lightroom read it: tags, albums, persons with the regions of their faces, rating, caption, date and position. The originals themselves are never\n"
        "written to. For folders that are read-only it is written into the state directory, and goes along when exported.",
        read=flag,
    ),
)
