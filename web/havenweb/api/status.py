"""Status: what is in the library, how far indexing is, what went wrong, and which model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from havenfs import __version__, standing
from havenfs.catalog import changes, progress, sources
from havenfs.entities import Kind, Stage
from havenfs.errors import ModelError
from havenfs.models import recommend, registry
from havenweb.binder import NoParameters, Operation

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenfs.config import State
    from havenweb.library import Library

TROUBLE_SHOWN = 100
MINIATURE = (
    "The built-in miniature model is searching: it knows simple scenes and everyday words. "
    "A full model finds far more; “havenfs models recommend” says which."
)
OFFER = (
    "The built-in miniature model is searching: it knows simple scenes and everyday words. For photographs, install a full "
    "one: {name} ({megabytes} MB, {licence}) by “havenfs models install {name}”, then “havenfs models use {name}”."
)
SWITCHING = "{new} is looking at the library; until it has seen everything, {old} answers searches."


class StageStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far one stage is, in assets."""

    stage: Stage
    queued: int
    done: int
    skipped: int
    """Nothing to do for them."""
    failed: int
    rate: float
    """Assets a second over the last minute."""
    eta_s: float | None
    """Seconds until its queue is empty; None while nothing moves."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far indexing is."""

    idle: bool
    """Nothing is left to do."""
    files: int
    identifying: int
    """Files that wait to be looked at for the first time."""
    failed: int
    """Files that cannot be read."""
    eta_s: float | None
    """Seconds until everything is done; None while unknown."""
    waits: str | None
    """Why nothing moves although something is left to do, in words; None: it moves."""
    stages: list[StageStatus]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that could not be indexed."""

    source: str
    path: str
    stage: Stage | None
    reason: str
    asset: int | None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Assets by kind."""

    photos: int
    videos: int
    documents: int


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What looking at pictures has brought so far."""

    tagged: int
    """With suggested tags."""
    copies: int
    """Photos of which there is another copy that differs in its bytes."""
    groups: int
    """Of such copies."""
    read: int
    """Pictures on which text was read."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """The model that searches by looks."""

    name: str
    miniature: bool


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the library at one moment."""

    version: str
    generation: int
    """Moves when the library changes."""
    model: Model | None
    notice: str | None
    """What the owner should know about the model, in words."""
    away: list[str]
    """Sources whose disks are not there, by name: their files are hidden until they are back."""
    counts: Counts
    found: Brought
    progress: Progress
    trouble: list[Trouble]
    mount: str | None
    """Where the tree is mounted."""


def _status(library: Library, _parameters: NoParameters) -> Status:
    counts = library.catalog.read(progress.visible)
    model, notice = _model(library.state, counts[Kind.PHOTO] + counts[Kind.VIDEO])
    return library.catalog.read(
        _read,
        model=model,
        notice=notice,
        waits=standing.waits(standing.ask(library.state.standing)),
        mount=str(library.mount) if library.mount else None,
    )


def _read(
    db: Connection, *, model: Model | None, notice: str | None, waits: str | None, mount: str | None
) -> Status:
    counts = progress.visible(db)
    found, brought = progress.progress(db), progress.found(db)
    return Status(
        version=__version__,
        generation=changes.generation(db),
        model=model,
        notice=notice,
        away=[source.name for source in sources.away(db)],
        counts=Counts(
            photos=counts[Kind.PHOTO], videos=counts[Kind.VIDEO], documents=counts[Kind.DOCUMENT]
        ),
        found=Brought(
            tagged=brought.tagged, copies=brought.copies, groups=brought.groups, read=brought.read
        ),
        progress=Progress(
            idle=found.idle,
            files=found.files,
            identifying=found.identifying,
            failed=found.failed,
            eta_s=found.eta_s,
            waits=None if found.idle else waits,
            stages=[
                StageStatus(
                    stage=stage,
                    queued=at.queued,
                    done=at.done,
                    skipped=at.skipped,
                    failed=at.failed,
                    rate=at.rate,
                    eta_s=at.eta_s,
                )
                for stage, at in found.stages.items()
            ],
        ),
        trouble=[
            Trouble(
                source=trouble.source,
                path=trouble.path.decode("utf-8", "replace"),
                stage=trouble.stage,
                reason=trouble.reason,
                asset=trouble.asset_id,
            )
            for trouble in progress.trouble(db, TROUBLE_SHOWN)
        ],
        mount=mount,
    )


def _model(state: State, pictures: int) -> tuple[Model | None, str | None]:
    try:
        active = registry.active(state)
    except ModelError as error:
        return None, f"Searching without looks, by words and dates only: {error}"
    answering = registry.answering(state)
    notice: str | None = None
    if answering.id != active.id:
        notice = SWITCHING.format(new=active.name, old=answering.name)
    elif active.miniature:
        offer = recommend.offer(state, pictures)
        choice = offer.choice if offer is not None else None
        notice = MINIATURE
        if choice is not None:
            notice = OFFER.format(
                name=choice.name, megabytes=choice.megabytes, licence=choice.licence
            )
    return Model(name=answering.name, miniature=answering.miniature), notice


STATUS = Operation(
    path="/api/status",
    name="status",
    summary="What is in the library and how far indexing is",
    parameters=NoParameters,
    response=Status,
    handle=_status,
)
