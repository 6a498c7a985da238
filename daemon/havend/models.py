"""What `havenfs models` does for the owner: installs, chooses, checks, recommends. Gathered here, shown as text or JSON.

The one part of havend that may reach out of the house, and only when the owner asks for it. Synchronous; no program that
serves imports it.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from havenfs.catalog import Catalog, progress
from havenfs.entities import Kind
from havenfs.models import catalogue, install, measured, recommend, registry
from havenfs.models.manifest import ModelKind

from . import trial
from .words import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from havenfs.config import State
    from havenfs.models.catalogue import Choice
    from havenfs.models.measured import Machine
    from havenfs.models.recommend import Estimate
    from havenfs.models.registry import Model


def fetch(
    state: State, name: str, *, accepted: bool, progress: Callable[[install.Progress], None]
) -> Model:
    """Install the model of that name of the catalogue. Raises LicenceNotAccepted, InstallError, ModelError."""
    trials: list[measured.Trial] = []
    model = install.fetch(
        state,
        catalogue.named(name),
        accepted=accepted,
        try_out=lambda directory: trials.append(trial.model(directory)),
        progress=progress,
    )
    measured.record_model(state, model.id, trials[0])
    return model


def bring(state: State, source: Path, name: str | None, *, accepted: bool) -> Model:
    """Install the model in a folder or an archive. Raises as `fetch`."""
    trials: list[measured.Trial] = []
    model = install.bring(
        state,
        source,
        name=name,
        accepted=accepted,
        try_out=lambda directory: trials.append(trial.model(directory)),
    )
    measured.record_model(state, model.id, trials[0])
    return model


def use(state: State, name: str) -> str:
    """Choose a model; says what happens now. Raises ModelError, also when it does not run here."""
    model = registry.named(state, name)
    measured.record_model(state, model.id, trial.model(model.directory))
    model = registry.use(state, name)
    if model.kind is ModelKind.FACES:
        return f"Faces are looked for by {model.name} from now on. Names and decisions stay."
    answering = registry.answering(state)
    if answering.id == model.id:
        return f"{model.name} is in use."
    return (
        f"{model.name} looks at the library now; until it has seen everything, {answering.name} goes on answering.\n"
        "How far it is: havenfs status"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is wrong with installed models."""

    problems: dict[str, list[str]]
    """By name of the model; empty lists for those that are as their manifest says."""
    unchecked: list[str]
    """Models that came without a manifest."""

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.problems.values())

    def as_text(self) -> str:
        """A line a model, a line a problem."""
        lines: list[str] = []
        for name, problems in self.problems.items():
            if name in self.unchecked:
                lines.append(f"{name}: has no manifest, so nothing can be compared")
            else:
                lines.append(f"{name}: {'damaged' if problems else 'as it was installed'}")
            lines += [f"  {problem}" for problem in problems]
        if not self.good:
            lines.append("Install what is damaged again: havenfs models install NAME")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return dataclasses.asdict(self)


def verify(state: State, names: Sequence[str]) -> Verified:
    """Compare the models of these names (all of them without any) with their manifests. Raises ModelError."""
    models = [registry.named(state, name) for name in names] or registry.installed(state)
    return Verified(
        problems={model.name: registry.verify(model) for model in models},
        unchecked=[m.name for m in models if not (m.directory / "manifest.json").exists()],
    )


def remove(state: State, name: str) -> str:
    """Delete a model. Raises ModelError, InstallError."""
    return f"{install.remove(state, name)} is removed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What suits this machine and its library."""

    machine: Machine
    pictures: int
    estimates: list[Estimate]
    """CLIP models, the best first."""

    def as_text(self) -> str:
        """The machine, the recommendation, and the others."""
        m, first = self.machine, self.estimates[0]
        instructions = f", {' '.join(m.instructions)}" if m.instructions else ""
        return "\n".join(
            [
                f"This machine: {m.cores} cores, {m.memory / 1024:.1f} GB of memory{instructions}; {m.gigaflop_ms:.0f} ms for a gigaflop.",
                f"A library of {self.pictures} pictures and videos.",
                "",
                f"Recommended: {first.choice.name} ({first.choice.megabytes} MB, {first.choice.licence}),",
                f"about {duration(first.library_s)} for the whole library:",
                f"  havenfs models install {first.choice.name} && havenfs models use {first.choice.name}",
                "",
                f"{'':38}{'MB':>6}{'s each':>8}{'library':>10}  languages   licence",
                *(_line(e) for e in self.estimates),
                "",
                "Times are of the published fp32 files on this machine; 'havenfs models export' makes int8 ones, about three",
                "times as fast.",
            ]
        )

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "machine": msgspec.to_builtins(self.machine),
            "pictures": self.pictures,
            "models": [
                {
                    "name": e.choice.name,
                    "licence": e.choice.licence,
                    "free": e.choice.free,
                    "megabytes": e.choice.megabytes,
                    "fits": e.fits,
                    "picture_s": round(e.picture_s, 3),
                    "library_s": round(e.library_s),
                }
                for e in self.estimates
            ],
        }


def recommended(state: State) -> Recommendation:
    """Measure this machine, and say what suits it. Raises ModelError."""
    machine = trial.machine()
    measured.record_machine(state, machine)
    pictures = library_size(state) or recommend.TYPICAL
    clip = [choice for choice in catalogue.choices() if choice.kind is ModelKind.CLIP]
    return Recommendation(
        machine=machine,
        pictures=pictures,
        estimates=recommend.estimate(clip, machine, pictures),
    )


def library_size(state: State) -> int:
    """Pictures and videos in the catalog, none if there is none yet."""
    if not state.catalog.exists():
        return 0
    with Catalog(state.catalog) as catalog:
        counts = catalog.read(progress.visible)
    return counts[Kind.PHOTO] + counts[Kind.VIDEO]


def _line(e: Estimate) -> str:
    choice = e.choice
    note = "" if e.fits else "  (more memory than this machine should give)"
    return (
        f"  {choice.name:<44}{choice.megabytes:>6}{e.picture_s:>8.2f}{duration(e.library_s):>10}"
        f"  {choice.languages:<11} {choice.licence}{note}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The catalogue."""

    choices: tuple[Choice, ...]

    def as_text(self) -> str:
        """Three lines a model."""
        return "\n".join(
            f"{c.name}  ({c.kind}, {c.megabytes} MB, {c.languages})\n"
            f"    {c.description}. {c.accuracy}\n"
            f"    {c.licence}{'' if c.free else '  -- must be accepted: --accept-licence'}"
            for c in self.choices
        )

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"models": [msgspec.to_builtins(choice) for choice in self.choices]}


def choices() -> Choices:
    """What `install` knows by name."""
    return Choices(choices=catalogue.choices())


def export(arguments: Sequence[str]) -> None:
    """Become the exporter: torch stays out of this program."""
    os.execv(sys.executable, [sys.executable, "-m", "havenfs.export", *arguments])
