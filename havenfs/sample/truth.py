"""The truth about a sample library: what is in each file, which queries have which answers, which have none.

Values, and their JSON file inside the library (`.havenfs-truth.json`, a dot-file, so never indexed itself). Paths are
relative to the library; names that are not UTF-8 carry surrogates (PEP 383: `os.fsencode` gives the bytes). No state.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from havenfs.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = ".havenfs-truth.json"
VERSION = 3
"""Goes up when the same arguments draw another library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Where the face of a person is drawn."""

    name: str
    box: tuple[float, float, float, float]
    """Left, top, right, bottom as shares of the upright picture, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is true of one file."""

    kind: str
    """"photo", "video" or "document"."""
    labels: tuple[str, ...] = ()
    """Everyday words; a search for one of them should find the file."""
    facts: tuple[str, ...] = ()
    """Bound words that hold beyond the labels: "red car", "2 dog"."""
    people: tuple[str, ...] = ()
    faces: tuple[Face, ...] = ()
    taken: str | None = None
    """ISO 8601 as far as a reader of the file, its name and its folders can know: with an offset, without, or a day."""
    city: str | None = None
    country: str | None = None
    text: str | None = None
    """Words that stand on the picture or in the document."""
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    """The last three stand in an XMP sidecar."""
    same_as: str | None = None
    """Path of the file of which this is a byte for byte copy."""
    near: str | None = None
    """Path of the picture of which this is a smaller, cropped or recompressed copy."""
    mate: str | None = None
    """Path of the file that stands for it in the views: the JPEG of a RAW, the photo of a film, the edited copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The arguments that a library was drawn with."""

    photos: int
    seed: int
    version: int = VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything that is true of a sample library."""

    stamp: Stamp
    finished: bool
    """False while it is being drawn."""
    files: tuple[str, ...]
    """Every path that belongs to the library, sidecars and hard ones included."""
    assets: dict[str, Known]
    hard: dict[str, str]
    """Path -> what is hard about it. Those that are also in `assets` can be read; the others end with a reason."""
    queries: dict[str, tuple[str, ...]]
    """Query -> paths of all files that answer it."""
    absent: tuple[str, ...]
    """Queries for what is nowhere in the library."""


def load(directory: Path) -> Truth:
    """Return the truth about the library in *directory*. Raises NotFound; ConfigError for a damaged truth file."""
    path = directory / FILE_NAME
    try:
        raw = cast("dict[str, Any]", json.loads(path.read_text("ascii")))
        return Truth(
            stamp=Stamp(**raw["stamp"]),
            finished=raw["finished"],
            files=tuple(raw["files"]),
            assets={name: _known(entry) for name, entry in raw["assets"].items()},
            hard=dict(raw["hard"]),
            queries={query: tuple(answers) for query, answers in raw["queries"].items()},
            absent=tuple(raw["absent"]),
        )
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{directory} is no sample library: it has no {FILE_NAME}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{path} is damaged ({error}); delete the sample library and draw it again"
        ) from error


def save(truth: Truth, directory: Path) -> None:
    """Write the truth file, whole or not at all."""
    raw = asdict(truth)
    raw["assets"] = {path: _compact(known) for path, known in truth.assets.items()}
    temporary = directory / (FILE_NAME + ".new")
    # ASCII only: lone surrogates have no UTF-8 form, but JSON can escape them.
    temporary.write_text(json.dumps(raw, indent=1, ensure_ascii=True), "ascii")
    temporary.replace(directory / FILE_NAME)


_ALWAYS = ("kind", "labels", "people", "taken", "city", "country", "text")


def _compact(known: Known) -> dict[str, Any]:
    return {
        key: value
        for key, value in asdict(known).items()
        if value not in (None, ()) or key in _ALWAYS
    }


def _known(entry: Mapping[str, Any]) -> Known:
    fields: dict[str, Any] = {
        key: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for key, value in entry.items()
    }
    fields["faces"] = tuple(
        Face(name=face["name"], box=tuple(face["box"])) for face in entry.get("faces", ())
    )
    return Known(**fields)


# --- questions ----------------------------------------------------------------------------------------------

_FILLERS = frozenset({"a", "an", "the", "on", "in", "at", "of", "with", "and"})


def answers(query: str, assets: Mapping[str, Known]) -> tuple[str, ...]:
    """Return the paths of which *query* is true: a place, a year, a bound fact ("red car"), or all of its words.

    A word is true of a file that shows it (labels) or on which it stands (text). Files for which another one stands are
    no answers of their own.
    """
    return tuple(
        path for path, known in assets.items() if known.mate is None and _holds(query, known)
    )


def _holds(query: str, known: Known) -> bool:
    wanted = query.lower()
    if wanted in {(known.city or "").lower(), (known.country or "").lower()}:
        return True
    if re.fullmatch(r"(19|20)\d\d", wanted):
        return (known.taken or "").startswith(wanted)
    if wanted in known.facts:
        return True
    written = set(re.findall(r"\w+", (known.text or "").lower()))
    words = [word for word in re.findall(r"\w+", wanted) if word not in _FILLERS]
    if all(word in written for word in words):
        return True
    if len(words) == 2 and words[0] in _COLOURS:
        return False  # a colour belongs to its noun: only a fact can say so
    return all(word in known.labels for word in words)


_COLOURS = frozenset(
    {
        "red",
        "orange",
        "yellow",
        "green",
        "blue",
        "purple",
        "pink",
        "brown",
        "grey",
        "white",
        "black",
    }
)

ASKED = (
    "dog", "cat", "horse", "bird", "car", "boat", "bicycle", "airplane", "flower", "cake", "umbrella", "balloon",
    "beach", "snow", "forest", "night", "sunset", "street", "mountain", "fireworks", "desert", "food", "receipt",
    "red car", "yellow bus", "white boat", "black cat", "blue umbrella", "red balloon", "orange tree",
    "dog on a beach", "boat at sunset", "dog in the snow", "horse on the beach", "house at night", "bicycle in the forest",
    "espresso", "diesel", "pharmacy", "thunderstorm", "electricity", "insurance", "pancakes", "vaccination", "museum",
    "Italy", "Rome", "Kyoto", "Norway", "Porto", "Edinburgh", "2016", "2019", "2021",
)  # fmt: skip
"""Asked of every sample library; those without an answer in a small one are left out."""

ABSENT = (
    "zebra", "helicopter over a volcano", "elephant", "violin", "submarine", "lighthouse keeper", "penguin", "giraffe",
    "pyramid", "microscope", "skateboard", "kangaroo", "wedding dress", "crocodile", "saxophone", "chess tournament",
    "spaceship", "qwzrtk", "blorptang vexil", "iguana", "waterfall in the jungle", "Antarctica", "1962",
)  # fmt: skip
"""Never drawn and never written."""


def questions(assets: Mapping[str, Known]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return the queries that have answers here, with all of them, and those for what is not here."""
    found = {query: answers(query, assets) for query in ASKED}
    return (
        {query: paths for query, paths in found.items() if paths},
        tuple(query for query in ABSENT if not answers(query, assets)),
    )
