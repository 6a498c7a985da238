"""The plan of the sample library's photos: what is taken when, where, with what, and under which name.

Decides everything that must be consistent across files (journeys, counters, names); draws nothing. A Shot can be sent
to another process. Deterministic in its arguments; thread-safe.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from havenfs.sample import prints
from havenfs.sample.cameras import CAMERAS, Camera
from havenfs.sample.cities import HOME, JOURNEYS, City
from havenfs.sample.people import PEOPLE, Person
from havenfs.sample.scenes import Scene, random_scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

FIRST_YEAR, YEARS = 2014, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One photo to be drawn and written."""

    path: str
    seed: tuple[int, int]
    """Of its own generator."""
    scene: Scene
    print: prints.Print | None = None
    """What is written on it; a sign stands in the scene, anything else replaces it."""
    people: tuple[Person, ...] = ()
    pose: Literal["bust", "figure"] = "bust"
    size: tuple[int, int] = (1024, 768)
    """Upright width and height."""
    taken: datetime | None = None
    """Wall clock at the place; None when nobody can know."""
    dated: Literal["exif", "name", "folder", "xmp", ""] = ""
    """Where the date stands."""
    day_only: bool = False
    offset: int | None = None
    """Minutes east of UTC, when it is written."""
    city: City | None = None
    """Where GPS says it is."""
    camera: Camera | None = None
    number: int = 1
    orientation: int = 1
    """EXIF orientation of the stored pixels, 1..8."""
    raw: bool = False
    """Whether a RAW lies beside it."""
    sidecar: Literal["", "full", "stem"] = ""
    """`photo.jpg.xmp`, `photo.xmp`, or none."""
    quality: int = 85


@dataclass(frozen=True, slots=True)
class _Share:
    """How a part of the photos is planned."""

    weight: float
    plan: Callable[[int, Generator], list[Shot]]


FEATURED: tuple[Scene, ...] = (
    Scene(settings=("street",), things=("car",), colours=("red",)),
    Scene(settings=("beach",), things=("dog",), colours=("brown",)),
    Scene(settings=("sea", "sunset"), things=("boat",), colours=("white",), light="sunset"),
    Scene(settings=("snow",), things=("dog",), colours=("black",)),
    Scene(settings=("street",), things=("bus",), colours=("yellow",)),
    Scene(settings=("room",), things=("cat",), colours=("black",)),
    Scene(settings=("beach",), things=("umbrella",), colours=("blue",)),
    Scene(settings=("sky",), things=("balloon",), colours=("red",)),
    Scene(settings=("night",), things=("house",), colours=("white",), light="night"),
    Scene(settings=("forest",), things=("bicycle",), colours=("red",)),
    Scene(settings=("beach",), things=("horse",), colours=("brown",)),
    Scene(settings=("table",), things=("cake",), colours=("pink",)),
    Scene(settings=("fireworks",), light="night"),
    Scene(settings=("mountain",)),
)
"""Always there, so that the queries of every sample library have answers."""

_NOT_PHOTOGRAPHED = frozenset({"page", "receipt"})  # those come with real words, from prints
_NO_STAGE = frozenset({"sky", "fireworks", "table", "page", "receipt", "sea", "night"})
"""Settings in which nobody stands."""


def plan(photos: int, seed: int) -> list[Shot]:
    """Return *photos* shots with unique paths, in a natural set of folders."""
    rng = np.random.default_rng([seed, 1])
    shares = (
        _Share(0.52, _journeys),
        _Share(0.14, _phone),
        _Share(0.05, _received),
        _Share(0.06, _birthdays),
        _Share(0.05, _receipts),
        _Share(0.05, _signs),
        _Share(0.04, _screenshots),
        _Share(0.03, _scans),
        _Share(0.03, _downloads),
        _Share(0.03, _edited),
    )
    counts = [int(photos * share.weight) for share in shares]
    if photos >= 2 * len(shares):
        counts = [max(1, count) for count in counts]
    counts[0] += photos - sum(counts)
    shots = [
        shot for share, count in zip(shares, counts, strict=True) for shot in share.plan(count, rng)
    ]
    shots = _feature(shots, max(1, photos // 100), rng)
    shots = _vary(shots, photos, rng)
    return [
        replace(shot, path=path, seed=(seed, index))
        for index, (shot, path) in enumerate(zip(shots, _unique(shots), strict=True))
    ]


def _unique(shots: list[Shot]) -> list[str]:
    """Their paths; the second of the same name gets a number, as a file manager does it."""
    seen: set[str] = set()
    paths: list[str] = []
    for shot in shots:
        path, many = shot.path, 1
        while path.casefold() in seen:
            many += 1
            stem, _, extension = shot.path.rpartition(".")
            path = f"{stem} ({many}).{extension}"
        seen.add(path.casefold())
        paths.append(path)
    return paths


# --- the parts ----------------------------------------------------------------------------------------------


def _scene(rng: Generator) -> Scene:
    while True:
        scene = random_scene(rng)
        if scene.settings[0] not in _NOT_PHOTOGRAPHED and (scene.things or rng.random() < 0.7):
            return scene


def _moment(rng: Generator) -> datetime:
    """A daytime moment within the ten years."""
    day = datetime(FIRST_YEAR, 1, 1) + timedelta(days=int(rng.integers(365 * YEARS)))  # noqa: DTZ001 - a wall clock
    return day + timedelta(
        hours=int(rng.integers(8, 22)), minutes=int(rng.integers(60)), seconds=int(rng.integers(60))
    )


def _populated(shot: Shot, rng: Generator, *, likely: float = 0.4) -> Shot:
    """The same shot, perhaps with people in it who are born by then."""
    if shot.taken is None or rng.random() > likely or shot.scene.settings[0] in _NO_STAGE:
        return shot
    alive = [person for person in PEOPLE if person.born < shot.taken.year]
    many = int(rng.choice([1, 2, 3, 4], p=[0.55, 0.25, 0.12, 0.08]))
    who = tuple(alive[int(index)] for index in rng.permutation(len(alive))[:many])
    pose: Literal["bust", "figure"] = "bust" if rng.random() < 0.6 else "figure"
    scene = shot.scene
    if pose == "bust" or many > 1 or scene.count > 1:  # they would stand in front of it
        scene = replace(scene, things=(), colours=(), count=1)
    return replace(shot, scene=scene, people=who, pose=pose)


def _journeys(count: int, rng: Generator) -> list[Shot]:
    shots: list[Shot] = []
    trips = max(min(len(JOURNEYS), count // 2), count // 14, 1)
    folders: set[str] = set()
    for trip in range(trips):
        cities = JOURNEYS[trip % len(JOURNEYS)]
        year = FIRST_YEAR + (trip * 3 + trip // YEARS) % YEARS
        start = datetime(year, int(rng.integers(1, 13)), int(rng.integers(1, 22)))  # noqa: DTZ001 - a wall clock
        countries = " and ".join(dict.fromkeys(city.country for city in cities))
        form = (
            "{year}/{what} holiday",
            "{year}/Trip to {what}",
            "{year}/{what}",
            "Holidays/{what} {year}",
        )[trip % 4]
        folder = form.format(year=year, what=countries)
        while folder in folders:
            folder += " again"
        folders.add(folder)
        camera = CAMERAS[("reflex", "compact", "tablet", "phone")[trip % 4]]
        many = count // trips + (1 if trip < count % trips else 0)
        for place in range(many):
            city = cities[place * len(cities) // many]
            taken = start + timedelta(
                days=place * 7 // many,
                hours=9,
                seconds=round(place * 36000 / many) % 36000 + int(rng.integers(600)),
            )
            shot = Shot(
                path=f"{folder}/{_name(camera, place + 1, taken)}",
                seed=(0, 0),
                scene=_scene(rng),
                taken=taken,
                dated="exif",
                offset=city.minutes(taken.month) if camera.zoned else None,
                city=city,
                camera=camera,
                number=place + 1,
                raw=camera is CAMERAS["reflex"] and place % 12 == 1,
            )
            shots.append(_populated(shot, rng))
    return shots


def _name(camera: Camera, number: int, taken: datetime) -> str:
    """The file name that the camera gives; two of three HEIC leave the phone converted to JPEG."""
    name = camera.name.format(number=number, taken=taken)
    return name.replace(".HEIC", ".JPG") if number % 3 else name


def _at_home(path: str, camera: Camera, taken: datetime, number: int, rng: Generator) -> Shot:
    return Shot(
        path=path,
        seed=(0, 0),
        scene=_scene(rng),
        taken=taken,
        dated="exif",
        offset=HOME.minutes(taken.month) if camera.zoned else None,
        city=HOME if camera.located else None,
        camera=camera,
        number=number,
    )


def _phone(count: int, rng: Generator) -> list[Shot]:
    """Everyday photos: two phones and an old camera without GPS and without time zone."""
    shots: list[Shot] = []
    for place in range(count):
        taken = _moment(rng)
        folder, camera = (
            ("Phone/Camera", CAMERAS["phone"]),
            ("Old camera/DCIM/100OLYMP", CAMERAS["old"]),
            ("Phone/Old phone/DCIM/100APPLE", CAMERAS["tablet"]),
        )[place % 3]
        shot = _at_home(
            f"{folder}/{_name(camera, place + 1, taken)}",
            camera,
            taken,
            place + 1,
            rng,
        )
        shots.append(_populated(shot, rng, likely=0.6))
    return shots


def _received(count: int, rng: Generator) -> list[Shot]:
    """Pictures whose EXIF was stripped on the way: only the name still has the date."""
    shots: list[Shot] = []
    for place in range(count):
        taken = _moment(rng)
        messenger = place % 2 == 0
        name = (
            f"WhatsApp Images/IMG-{taken:%Y%m%d}-WA{place:04}.jpg"
            if messenger
            else f"Phone/Backup/IMG_{taken:%Y%m%d_%H%M%S}.jpg"
        )
        shot = Shot(
            path=name,
            seed=(0, 0),
            scene=_scene(rng),
            taken=taken,
            size=(800, 600),
            dated="name",
            day_only=messenger,
            quality=70,
        )
        shots.append(_populated(shot, rng, likely=0.6))
    return shots


def _birthdays(count: int, rng: Generator) -> list[Shot]:
    """Only the folder has the date; the hero is on every picture."""
    shots: list[Shot] = []
    for place in range(count):
        index = (place // 4 * 5) % len(PEOPLE)
        hero = PEOPLE[index]
        year = FIRST_YEAR + (place // 4 * 7) % YEARS
        taken = datetime(max(year, hero.born + 1), index + 1, 2 * index + 3)  # noqa: DTZ001 - a wall clock
        scene = (
            replace(FEATURED[11], colours=("white",))
            if place % 4 == 3
            else Scene(settings=("room",))
        )
        shot = Shot(
            path=f"Birthdays/{taken:%Y-%m-%d} {hero.name}/IMG_{place % 4 + 1:04}.jpg",
            seed=(0, 0),
            scene=scene,
            taken=taken,
            dated="folder",
            day_only=True,
        )
        if place % 4 != 3:
            others = [
                person for person in PEOPLE if person is not hero and person.born < taken.year
            ]
            guest = (others[int(rng.integers(len(others)))],) if place % 4 else ()
            shot = replace(shot, people=(hero, *guest))
        shots.append(shot)
    return shots


def _receipts(count: int, rng: Generator) -> list[Shot]:
    shots: list[Shot] = []
    for place in range(count):
        taken = _moment(rng)
        shot = _at_home(
            f"Documents/Receipts/IMG_{taken:%Y%m%d_%H%M%S}.jpg", CAMERAS["phone"], taken, place, rng
        )
        shots.append(replace(shot, print=prints.receipt(taken.date(), rng), size=(900, 1200)))
    return shots


def _signs(count: int, rng: Generator) -> list[Shot]:
    shots: list[Shot] = []
    settings = ("street", "meadow", "sky", "mountain", "brick", "beach")
    for place in range(count):
        taken = _moment(rng)
        camera = CAMERAS["phone"]
        shot = _at_home(
            f"Phone/Camera/{camera.name.format(number=place, taken=taken)}",
            camera,
            taken,
            place,
            rng,
        )
        shots.append(
            replace(
                shot,
                print=prints.sign(rng),
                scene=Scene(settings=(settings[place % len(settings)],)),
            )
        )
    return shots


def _screenshots(count: int, rng: Generator) -> list[Shot]:
    shots: list[Shot] = []
    for _ in range(count):
        taken = _moment(rng)
        path = f"Phone/Screenshots/Screenshot_{taken:%Y%m%d-%H%M%S}.png"
        shots.append(
            Shot(
                path=path,
                seed=(0, 0),
                scene=_scene(rng),
                print=prints.screen(rng),
                size=(720, 1280),
                taken=taken,
                dated="name",
            )
        )
    return shots


def _scans(count: int, rng: Generator) -> list[Shot]:
    """TIFFs: letters, and old prints whose date stands in a sidecar at best."""
    shots: list[Shot] = []
    for place in range(count):
        shot = Shot(path=f"Scans/scan_{place + 1:04}.tif", seed=(0, 0), scene=_scene(rng))
        if place % 2 == 0:
            shot = replace(shot, print=prints.letter(rng), size=(900, 1270))
        elif place % 4 == 1:
            shot = replace(shot, taken=_moment(rng), dated="xmp", sidecar="full")
        shots.append(shot)
    return shots


def _downloads(count: int, rng: Generator) -> list[Shot]:
    """No date anywhere."""
    names = ("picture ({0}).webp", "wallpaper {0}.avif", "drawing {0}.png", "unnamed ({0}).jpg")
    return [
        Shot(
            path=f"Downloads/{names[place % 4].format(place + 1)}",
            seed=(0, 0),
            scene=_scene(rng),
            size=(800, 600),
        )
        for place in range(count)
    ]


def _edited(count: int, rng: Generator) -> list[Shot]:
    """Exported again in newer formats that still carry the EXIF."""
    shots: list[Shot] = []
    for place in range(count):
        taken = _moment(rng)
        extension = ("avif", "webp", "png")[place % 3]
        shot = _at_home(
            f"Phone/Edited/IMG_{place + 1:04}-edited.{extension}",
            CAMERAS["phone"],
            taken,
            place,
            rng,
        )
        shots.append(_populated(shot, rng))
    return shots


# --- what goes across the parts -----------------------------------------------------------------------------


def _plain(shot: Shot) -> bool:
    """Whether it shows nothing but its scene."""
    return shot.print is None and not shot.people and shot.dated != "folder"


def _feature(shots: list[Shot], times: int, rng: Generator) -> list[Shot]:
    """Replace the scenes of some by the featured ones, each *times* times if there is room."""
    free = [index for index, shot in enumerate(shots) if _plain(shot)]
    chosen = [free[int(index)] for index in rng.permutation(len(free))]
    varied = list(shots)
    for place, index in enumerate(chosen[: times * len(FEATURED)]):
        varied[index] = replace(varied[index], scene=FEATURED[place % len(FEATURED)])
    return varied


def _vary(shots: list[Shot], photos: int, rng: Generator) -> list[Shot]:
    """Give some another shape, an orientation flag, twelve megapixels, or a sidecar."""
    varied: list[Shot] = []
    flag, large = 0, max(1, photos // 150)
    for index, shot in enumerate(shots):
        changed = shot
        jpeg = shot.path.lower().endswith(".jpg")
        if shot.print is None and shot.size == (1024, 768):
            if rng.random() < 0.25:
                changed = replace(changed, size=(768, 1024))
            elif rng.random() < 0.15:
                changed = replace(changed, size=(1280, 960))
        if jpeg and shot.dated == "exif" and not shot.raw and shot.print is None:
            if index % 7 == 3:
                changed = replace(changed, orientation=2 + flag % 7)
                flag += 1
            elif large and index % 9 == 4 and not shot.people:
                changed = replace(changed, size=(4000, 3000))
                large -= 1
        if jpeg and index % 23 == 5 and not changed.sidecar:
            changed = replace(changed, sidecar="stem" if index % 2 else "full")
        varied.append(changed)
    return varied
