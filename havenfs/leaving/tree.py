"""The folders of an export: where each asset goes, its bytes, and the sidecar beside it.

Can be broken off and started again at any moment: what is there is finished, because everything gets its name last.
Synchronous; one export a directory.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from havenfs import mates
from havenfs.errors import ConfigError, Exists, HavenError, SourceGone, Unreadable
from havenfs.extract.original import opened
from havenfs.extract.packet import MAX_BYTES
from havenfs.sidecars.beside import mirrored
from havenfs.sidecars.merge import merge, read

from .placing import PART, How, place, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from havenfs.config import State
    from havenfs.entities import Asset, Source, SourceId
    from havenfs.sidecars.given import Given
    from havenfs.sidecars.regions import Frame

NOTE = ".havenfs-export"
"""Tells an export that may be gone on with from a folder of somebody else's."""
_SAYS = "HavenFS exports into this folder. Nothing needs this file but a further export into it.\nlayout: {layout}\n"


class Layout(StrEnum):
    """How an export is arranged."""

    BY_DATE = "by-date"
    AS_IS = "as-is"


@dataclass(slots=True)
class Report:
    """What an export did."""

    done: Counter[How] = field(default_factory=Counter["How"])
    sidecars: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Original and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export."""

    directory: Path
    layout: Layout
    how: How
    state: State
    sources: Mapping[SourceId, Source]
    given: Callable[[Asset], Given]
    """What is to stand in the sidecar of an asset."""
    frame: Callable[[Asset], Frame | None]
    """The picture as it is stored, in which its regions count."""

    def prepare(self) -> None:
        """Make the directory, or see that it is an export of this layout. Raises ConfigError."""
        note, says = self.directory / NOTE, _SAYS.format(layout=self.layout)
        real = self.directory.resolve()
        for source in self.sources.values():
            root = Path(os.fsdecode(source.root)).resolve()
            if real.is_relative_to(root) or root.is_relative_to(real):
                raise ConfigError(
                    f"{self.directory} and the source {root} lie in each other. Export to another place."
                )
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if not note.exists():
                if any(self.directory.iterdir()):
                    raise ConfigError(f"{self.directory} is not empty. Export to a new folder.")
                note.write_text(says)
            elif note.read_text() != says:
                raise ConfigError(
                    f"{self.directory} is an export of another layout. Use that layout or a new folder."
                )
        except OSError as error:
            raise ConfigError(f"{self.directory} cannot be written: {error.strerror}.") from error

    def run(self, assets: Iterable[Asset], progress: Callable[[int], None]) -> Report:
        """Export *assets*; *progress* is told how many are done. Raises OSError when the target's disk is full or fails."""
        report = Report()
        for number, asset in enumerate(assets, 1):
            original = self.sources[asset.source_id].root + b"/" + asset.path
            target = self._target(asset)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                report.done[place(original, target, asset, self.how)] += 1
            except (Exists, SourceGone, Unreadable) as error:
                report.left_out.append((os.fsdecode(original), str(error)))
                continue
            finally:
                progress(number)
            try:
                report.sidecars += self._sidecar(asset, original, target)
            except HavenError as error:
                report.left_out.append((os.fsdecode(original) + " (sidecar)", str(error)))
        return report

    def _target(self, asset: Asset) -> Path:
        if self.layout is Layout.AS_IS:
            return self.directory / self.sources[asset.source_id].name / os.fsdecode(asset.path)
        taken = asset.taken
        # A date that is only the file's own time is no date: the views say undated too.
        sure = taken is not None and asset.taken_source not in (None, "mtime")
        folder = f"{taken:%Y/%m}" if taken is not None and sure else "undated"
        return self.directory / folder / asset.name

    def _sidecar(self, asset: Asset, original: bytes, target: Path) -> bool:
        """Write the sidecar of *target*, where there is anything to say. Raises Exists, Unreadable."""
        name, data = _sidecar_of(original)
        held = b"/".join(mirrored(self.state, asset.hash))
        data = _read(held) or data
        # Lightroom finds its own by the stem alone.
        by_stem = name is not None and not name.startswith(os.path.basename(original))  # noqa: PTH119 -- bytes
        beside = target.with_suffix(".xmp") if by_stem else target.with_name(target.name + ".xmp")
        try:
            # Nothing agreed: then it is only added to, and what the sidecar says stands.
            frame = self.frame(asset)
            data = (
                merge(data, _beyond(self.given(asset), data), frame=frame, agreed={}).data or data
            )
        except Unreadable:
            if data is not None:
                _write(beside, data)  # damaged, but theirs
            raise
        if data is None:
            return False
        return _write(beside, data)


def _beyond(given: Given, data: bytes | None) -> Given:
    """*given* without words that a tag of the sidecar contains: programs repeat the parts of a path as words."""
    if data is None:
        return given
    parts = {part for path in read(data).given.tags for part in path}
    tags = (path for path in given.tags if len(path) > 1 or not parts.issuperset(path))
    return replace(given, tags=tuple(tags))


def _sidecar_of(original: bytes) -> tuple[bytes | None, bytes | None]:
    """Name and bytes of the sidecar beside *original*."""
    folder, name = os.path.split(original)
    try:
        found = mates.sidecars(name, os.listdir(folder))  # noqa: PTH208 -- bytes
    except OSError:
        return None, None
    for beside in found:
        data = _read(folder + b"/" + beside)
        if data is not None:
            return beside, data
    return None, None


def _read(path: bytes) -> bytes | None:
    try:
        with opened(path) as file:
            return file.read(MAX_BYTES + 1)
    except (SourceGone, Unreadable):
        return None


def _write(path: Path, data: bytes) -> bool:
    """Put it there; False if it was. Raises Exists."""
    if path.exists():
        if path.read_bytes() == data:
            return False
        raise Exists(f"another {path.name} is there")
    part = path.with_name(path.name[:60] + PART)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        settle(part, path)
    finally:
        part.unlink(missing_ok=True)
    return True
