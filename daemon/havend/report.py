"""What `status`, `search` and `models` say: gathered once as values, shown as text or JSON. Synchronous."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from havenfs import standing
from havenfs.catalog import Catalog, assets, guarded, progress as progressing, sources, trashed
from havenfs.entities import Stage
from havenfs.errors import EncoderUnavailable, ModelError
from havenfs.models import measured, recommend, registry
from havenfs.models.manifest import ModelKind

from . import transport
from .words import duration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from havenfs.catalog.progress import Brought, Progress, Trouble
    from havenfs.config import State
    from havenfs.entities import Asset, Hit, ModelId, Source
    from havenfs.models.measured import Measured
    from havenfs.models.recommend import Offer
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

MINIATURE = "Picture search runs on the miniature model {name}, trained on drawings: it knows some everyday words and little else."
MINIATURE_FACES = "Faces are found by the miniature model {name}, which knows drawn faces only."
OFFER = """\
For photographs, install a full one: {name} ({megabytes} MB, {licence}{time}):
  havenfs models install {name} && havenfs models use {name}
Others: havenfs models recommend. Not now: havenfs models decline."""
DECLINED = "Full ones: havenfs models recommend."
AWAY = """
           is away: not mounted, or nothing of what was known is there. Its files are hidden until it is back."""
SWITCHING = "{new} is looking at the library; until it has seen everything, {old} answers searches."
CATALOGUE = (
    "Others: havenfs models list --catalogue. What suits this machine: havenfs models recommend."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the library stands."""

    state: State
    sources: list[Source]
    away: list[Source]
    """Those of them whose disks are not there."""
    progress: Progress
    found: Brought
    trouble: list[Trouble]
    model: Model
    """The one for pictures that is in use."""
    answering: Model
    """The one that answers searches."""
    offer: Offer | None
    """A full model instead of the miniature; none once the owner has one, or wants none."""
    faces: Model
    mount: Running | None
    indexer: Standing | None
    """None: it does not run."""
    trash: int
    """Files in the trash."""
    alarms: list[guarded.Alarm]
    """Users whom the guard has stopped."""

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
        line = "Indexing: " + ", ".join(parts) + (f", about {duration(eta)} left" if eta else "")
        waits = standing.waits(self.indexer)
        return f"{line}; it waits: {waits}" if waits else line

    def as_text(self) -> str:
        """The whole report."""
        lines: list[str] = []
        if self.alarms:
            from havenfs.views.removing import (
                guard,
            )  # with all views: as long as the rest of a status

            for alarm in self.alarms:
                lines += [guard.sentence(alarm), ""]
        if self.model.miniature:
            lines += [MINIATURE.format(name=self.model.name), offered(self.offer) or DECLINED, ""]
        if self.answering.id != self.model.id:
            lines += [SWITCHING.format(new=self.model.name, old=self.answering.name), ""]
        if self.faces.miniature:
            lines += [MINIATURE_FACES.format(name=self.faces.name), ""]
        if not self.sources:
            lines.append(
                f"Nothing is indexed yet in {self.state.root}. Start with:\n"
                "  havenfs up --source ~/Pictures --mount ~/Haven"
            )
            return "\n".join(lines)
        lines += [
            f"source     {os.fsdecode(s.root)}{' (writable)' if s.writable else ''}{AWAY if s in self.away else ''}"
            for s in self.sources
        ]
        lines += [f"mount      {self.mount.as_text() if self.mount else 'none'}"]
        lines += [f"indexer    {self._indexer()}", f"state      {self.state.root}"]
        if self.trash:
            lines += [f"trash      {self.trash} files (trash/ in the mount)"]
        if self._found():
            lines += [f"found      {self._found()}"]
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

    def _found(self) -> str:
        """What was found in pictures, in words; nothing where nothing was."""
        f = self.found
        parts = [
            (f.tagged, f"{f.tagged} with suggested tags"),
            (f.copies, f"{f.copies} copies of {f.groups} pictures"),
            (f.read, f"{f.read} pictures with text"),
        ]
        return ", ".join(words for count, words in parts if count)

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
                {
                    "name": s.name,
                    "root": os.fsdecode(s.root),
                    "writable": s.writable,
                    "away": s in self.away,
                }
                for s in self.sources
            ],
            "mount": self.mount.as_json() if self.mount else None,
            "indexer": msgspec.to_builtins(self.indexer),
            "model": _model(self.model, active=True),
            "faces": _model(self.faces, active=True),
            "answering": self.answering.name,
            "offer": self.offer.choice.name if self.offer is not None else None,
            "trash": self.trash,
            "stopped": msgspec.to_builtins(self.alarms),
            "finished": self.finished,
            "files": p.files,
            "identifying": p.identifying,
            "skipped": p.skipped,
            "failed": p.failed,
            "assets": p.assets,
            "found": msgspec.to_builtins(self.found),
            "eta_s": p.eta_s,
            "stages": msgspec.to_builtins(p.stages),
            "trouble": [
                {"source": t.source, "path": _text(t.path), "stage": t.stage, "reason": t.reason}
                for t in self.trouble
            ],
        }


def offered(offer: Offer | None) -> str | None:
    """The offer in words: name, size, licence, how long it would look at the library, the command."""
    if offer is None:
        return None
    time = ""
    if offer.library_s is not None:
        time = f", about {duration(offer.library_s)} for {offer.pictures} pictures"
    return OFFER.format(
        name=offer.choice.name,
        megabytes=offer.choice.megabytes,
        licence=offer.choice.licence,
        time=time,
    )


def offer(state: State) -> str | None:
    """The offer to who starts, in words; None for who has a full model or wants none."""
    with contextlib.suppress(ModelError):  # the chosen model has gone: the indexer says so
        if registry.active(state).miniature:
            return offered(recommend.offer(state, 0))
    return None


def status(state: State) -> Status:
    """How the library in *state* stands. Raises NewerState."""
    with Catalog(state.catalog) as catalog:
        return status_of(catalog, state)


def status_of(catalog: Catalog, state: State) -> Status:
    """The same for who asks again and again and keeps the catalog open."""
    progress = catalog.read(progressing.progress)
    model = registry.active(state)
    return Status(
        state=state,
        sources=catalog.read(sources.configured),
        away=catalog.read(sources.away),
        progress=progress,
        found=catalog.read(progressing.found),
        trouble=catalog.read(progressing.trouble, 1000),
        model=model,
        answering=registry.answering(state),
        offer=recommend.offer(state, progress.assets) if model.miniature else None,
        faces=registry.active(state, ModelKind.FACES),
        mount=transport.running(state),
        indexer=standing.ask(state.standing),
        trash=catalog.read(trashed.count),
        alarms=[alarm for alarm in catalog.read(guarded.alarms) if alarm.lifted_ms is None],
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
    from havenfs.retrieval.search import Searcher  # with numpy 0.1 s, more than all of a status

    with Catalog(state.catalog) as catalog:
        answer = Searcher(catalog, AnyEncoder(state)).search(text, limit=limit)
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


class AnyEncoder:
    """The running indexer's text model; without one, the same model loaded here."""

    def __init__(self, state: State) -> None:
        from havenfs.retrieval.encoder import SocketEncoder

        self._state = state
        self._socket = SocketEncoder(state.encoder)

    def encode(self, text: str) -> tuple[ModelId, NDArray[np.float32]]:
        try:
            return self._socket.encode(text)
        except EncoderUnavailable:
            from havenfs.retrieval.encoder import LocalEncoder

            return LocalEncoder(registry.answering(self._state)).encode(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What can look at pictures here, and find faces in them."""

    models: list[Model]
    active: set[ModelId]
    """In use, or still answering."""
    measured: Measured
    waiting: list[str]
    """Models of which a part has been downloaded."""

    def as_text(self) -> str:
        """A line a model, those in use marked, with what each was measured to do here."""
        lines = [
            f"{'*' if m.id in self.active else ' '} {m.name:<32} {m.kind:<6}{m.dimension:>5} dimensions  {m.licence:<12} {m.description}"
            + self._speed(m)
            for m in self.models
        ]
        lines += [
            f"  {name:<32} partly downloaded: havenfs models install {name} goes on"
            for name in self.waiting
        ]
        return "\n".join([*lines, "", CATALOGUE])

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "models": [
                {
                    **_model(m, active=m.id in self.active),
                    "measured": msgspec.to_builtins(self.measured.models.get(m.id)),
                }
                for m in self.models
            ],
            "waiting": self.waiting,
        }

    def _speed(self, model: Model) -> str:
        trial = self.measured.models.get(model.id)
        if trial is None:
            return ""
        note = f" ({trial.note})" if trial.note else ""
        if trial.batch_ms is None or trial.text_ms is None:
            return f"\n      measured here: {trial.memory} MiB, by {trial.device}{note}"
        return (
            f"\n      measured here: {trial.batch_ms:.0f} ms a picture, {trial.text_ms:.0f} ms a query, {trial.memory} MiB,"
            f" by {trial.device}{note}"
        )


def models(state: State) -> Models:
    """The models built in and installed in *state*."""
    return Models(
        models=registry.installed(state),
        active=registry.in_use(state),
        measured=measured.read(state),
        waiting=registry.waiting(state),
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
