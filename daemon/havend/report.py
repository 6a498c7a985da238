"""What `status`, `search` and `models` say: gathered once as values, shown as text or JSON. Synchronous."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from havenfs import standing
from havenfs.catalog import Catalog, assets, progress as progressing, sources
from havenfs.entities import Stage
from havenfs.errors import EncoderUnavailable
from havenfs.models import registry
from havenfs.models.manifest import ModelKind
from havenfs.retrieval.encoder import LocalEncoder, SocketEncoder
from havenfs.retrieval.search import Searcher

from . import transport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from havenfs.catalog.progress import Progress, Trouble
    from havenfs.config import State
    from havenfs.entities import Asset, Hit, ModelId, Source
    from havenfs.models.registry import Model
    from havenfs.standing import Standing

    from .transport import Running

SHOWN_TROUBLE = 10

DOING = {
    Stage.METADATA: "dates and places",
    Stage.PREVIEW: "previews",
    Stage.EMBED: "what pictures show",
    Stage.FACES: "faces",
    Stage.TEXT: "texts",
    Stage.TAGS: "suggested tags",
}
"""What each stage brings, in words for people."""

INSTALL = (
    "For a full model, put a directory in the layout of Immich's CLIP exports into {models}\n"
    "and write its name into {models}/active."
)
MINIATURE_FACES = (
    "Faces are found by the miniature model {name}, which knows drawn faces only. For photographs, put a pack of insightface\n"
    "(buffalo_l, ...), of Immich or of OpenCV's model zoo into {models} and write its name into {models}/active.faces."
)
MINIATURE = (
    "Picture search runs on the miniature model {name}, trained on drawings: it knows some everyday words and little else.\n"
    + INSTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the library stands."""

    state: State
    sources: list[Source]
    progress: Progress
    trouble: list[Trouble]
    model: Model
    """Of pictures."""
    faces: Model
    mount: Running | None
    indexer: Standing | None
    """None: it does not run."""

    @property
    def finished(self) -> bool:
        """Whether something was indexed and nothing is left to do."""
        return self.progress.files > 0 and self.progress.idle

    def progress_line(self) -> str:
        """One line: what is being done, how far, how long still."""
        p = self.progress
        if self.finished:
            failed = p.failed + len({t.asset_id for t in self.trouble if t.asset_id is not None})
            return f"Everything is indexed: {p.files} files" + (
                f", {failed} with trouble (havenfs status)." if failed else "."
            )
        if not p.files:
            return "Looking for files ..."
        parts = [f"{p.files - p.identifying} of {p.files} files identified"]
        for stage, s in p.stages.items():
            if s.queued:
                total = s.queued + s.done + s.skipped + s.failed
                parts.append(f"{DOING[stage]} {total - s.queued}/{total}")
        eta = p.eta_s
        line = "Indexing: " + ", ".join(parts) + (f", about {_duration(eta)} left" if eta else "")
        waits = standing.waits(self.indexer)
        return f"{line}; it waits: {waits}" if waits else line

    def as_text(self) -> str:
        """The whole report."""
        lines: list[str] = []
        if self.model.miniature:
            lines += [MINIATURE.format(name=self.model.name, models=self.state.models), ""]
        if self.faces.miniature:
            lines += [MINIATURE_FACES.format(name=self.faces.name, models=self.state.models), ""]
        if not self.sources:
            lines.append(
                f"Nothing is indexed yet in {self.state.root}. Start with:\n"
                "  havenfs up --source ~/Pictures --mount ~/Haven"
            )
            return "\n".join(lines)
        lines += [
            f"source     {os.fsdecode(s.root)}{' (writable)' if s.writable else ''}"
            for s in self.sources
        ]
        lines += [f"mount      {self.mount.as_text() if self.mount else 'none'}"]
        lines += [f"indexer    {self._indexer()}", f"state      {self.state.root}"]
        lines += ["", self.progress_line()]
        for stage, s in self.progress.stages.items():
            rate = f", {s.rate:.1f}/s" if s.rate else ""
            lines.append(
                f"  {DOING[stage]:<20} {s.done} done, {s.skipped} had none, {s.failed} failed, {s.queued} to do{rate}"
            )
        if self.trouble:
            lines += ["", "Could not be read (the rest is not affected):"]
            lines += [
                f"  {_printable(t.source, t.path)}: {f'{DOING[t.stage]}: ' if t.stage else ''}{t.reason}"
                for t in self.trouble[:SHOWN_TROUBLE]
            ]
            if len(self.trouble) > SHOWN_TROUBLE:
                lines.append("  ... all of them: .haven/errors in the mount, or --json")
        return "\n".join(lines)

    def _indexer(self) -> str:
        if self.indexer is None:
            return "not running"
        lacking = f"\n           its workers lack: {'; '.join(self.indexer.walls)}"
        return f"{self.indexer.budget}{lacking if self.indexer.walls else ''}"

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        p = self.progress
        return {
            "state": str(self.state.root),
            "sources": [
                {"name": s.name, "root": os.fsdecode(s.root), "writable": s.writable}
                for s in self.sources
            ],
            "mount": self.mount.as_json() if self.mount else None,
            "indexer": msgspec.to_builtins(self.indexer),
            "model": _model(self.model, active=True),
            "faces": _model(self.faces, active=True),
            "finished": self.finished,
            "files": p.files,
            "identifying": p.identifying,
            "skipped": p.skipped,
            "failed": p.failed,
            "assets": p.assets,
            "eta_s": p.eta_s,
            "stages": {stage: dataclasses.asdict(s) for stage, s in p.stages.items()},
            "trouble": [
                {"source": t.source, "path": _text(t.path), "stage": t.stage, "reason": t.reason}
                for t in self.trouble
            ],
        }


def status(state: State) -> Status:
    """How the library in *state* stands. Raises NewerState."""
    with Catalog(state.catalog) as catalog:
        return status_of(catalog, state)


def status_of(catalog: Catalog, state: State) -> Status:
    """The same for who asks again and again and keeps the catalog open."""
    return Status(
        state=state,
        sources=catalog.read(sources.configured),
        progress=catalog.read(progressing.progress),
        trouble=catalog.read(progressing.trouble, 1000),
        model=registry.active(state),
        faces=registry.active(state, ModelKind.FACES),
        mount=transport.running(state),
        indexer=standing.ask(state.standing),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search from the terminal found."""

    hits: list[tuple[Hit, Asset, str]]
    """With the path of the original."""
    notes: tuple[str, ...]

    def as_text(self) -> str:
        """A line a hit: score, date, original, reason."""
        lines = [
            f"{hit.score:4.2f}  {_day(asset)}  {path}\n      {'; '.join(hit.reasons)}"
            for hit, asset, path in self.hits
        ] or ["Nothing was found."]
        return "\n".join([*lines, *(f"({note})" for note in self.notes)])

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "hits": [
                {
                    "id": asset.id,
                    "name": asset.name,
                    "path": path,
                    "kind": asset.kind,
                    "score": round(hit.score, 4),
                    "reasons": list(hit.reasons),
                }
                for hit, asset, path in self.hits
            ],
            "notes": list(self.notes),
        }


def search(state: State, text: str, limit: int) -> Found:
    """Search the library in *state*. Raises InvalidQuery."""
    with Catalog(state.catalog) as catalog:
        answer = Searcher(catalog, _AnyEncoder(state)).search(text, limit=limit)
        roots = {s.id: s.root for s in catalog.read(sources.configured)}
        found = {a.id: a for a in catalog.read(assets.many, [h.asset_id for h in answer.hits])}
        hits = [
            (
                h,
                found[h.asset_id],
                _text(roots[found[h.asset_id].source_id] + b"/" + found[h.asset_id].path),
            )
            for h in answer.hits
            if h.asset_id in found
        ]
        return Found(hits=hits, notes=answer.notes)


class _AnyEncoder:
    """The running indexer's text model; without one, the same model loaded here."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._socket = SocketEncoder(state.encoder)

    def encode(self, text: str) -> tuple[ModelId, NDArray[np.float32]]:
        try:
            return self._socket.encode(text)
        except EncoderUnavailable:
            return LocalEncoder(registry.active(self._state)).encode(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What can look at pictures here, and find faces in them."""

    models: list[Model]
    active: list[Model]
    """The one of each kind that is in use."""
    state: State

    def as_text(self) -> str:
        """A line a model, the active one marked, and where others go."""
        lines = [
            f"{'*' if m in self.active else ' '} {m.name:<28} {m.kind:<6} {m.dimension:>5} dimensions  {m.licence:<12} {m.description}"
            for m in self.models
        ]
        return "\n".join([*lines, "", INSTALL.format(models=self.state.models)])

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"models": [_model(m, active=m in self.active) for m in self.models]}


def models(state: State) -> Models:
    """The models built in and installed in *state*."""
    return Models(
        models=registry.installed(state),
        active=[registry.active(state, kind) for kind in ModelKind],
        state=state,
    )


def _model(model: Model, *, active: bool) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "kind": model.kind,
        "dimension": model.dimension,
        "miniature": model.miniature,
        "licence": model.licence,
        "description": model.description,
        "directory": str(model.directory),
        "active": active,
    }


def _day(asset: Asset) -> str:
    return f"{asset.taken:%Y-%m-%d}" if asset.taken else " " * 10


def _printable(source: str, path: bytes) -> str:
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in f"{source}/{_text(path)}"
    )


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
