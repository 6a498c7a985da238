"""Drawn, captioned scenes: what is in one, the drawing, a sentence about it, and every word that is true of it.

The same scenes teach the miniature CLIP (with captions) and fill the sample library (with labels), at any size.
Some combinations of thing, colour and setting are held out: training never draws them, tests do. Everything is a
pure function of its random generator; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from havenfs.sample import film, grounds, pen, subjects, things
from havenfs.sample.portraits import PEOPLE, draw_person
from havenfs.sample.vocabulary import COLOURS, NUMBERS, PLACES, SETTINGS, SHAPES, SUBJECTS, THINGS

if TYPE_CHECKING:
    from PIL import Image

    from havenfs.sample.textures import Light
    from havenfs.sample.vocabulary import Rgb


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a drawing shows."""

    settings: tuple[str, ...]
    """Names in PLACES; the first one is the ground, or the subject that fills the picture."""
    things: tuple[str, ...] = ()
    """Names in THINGS, at most three kinds."""
    colours: tuple[str, ...] = ()
    """One for each of `things`: a name in COLOURS, or "" where nobody would name it."""
    count: int = 1
    """How many there are of the first thing, 1..3."""
    light: Light = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A sentence and what it claims, so that one can tell of which other scenes it is true as well."""

    text: str
    claims: frozenset[str]
    """Subset of `facts` of each scene of which the text is true."""


_SETTING_NAMES, _THING_NAMES, _COLOUR_NAMES = tuple(SETTINGS), tuple(THINGS), ("", *COLOURS)


def held_out(thing: str, colour: str, setting: str) -> bool:
    """Whether training never draws that combination: one in seven of them."""
    number = (
        31 * _THING_NAMES.index(thing)
        + 17 * _COLOUR_NAMES.index(colour)
        + 7 * _SETTING_NAMES.index(setting)
    )
    return number % 7 == (_THING_NAMES.index(thing) + 2 * _SETTING_NAMES.index(setting)) % 7


def random_scene(rng: np.random.Generator, *, heldout: bool = False) -> Scene:
    """A scene with nothing held out; with `heldout`, one whose first thing is a held-out combination."""
    while True:
        scene = _any_scene(rng, empty=not heldout)
        held = [
            held_out(thing, colour, scene.settings[0])
            for thing, colour in zip(scene.things, scene.colours, strict=True)
        ]
        if (held and held[0]) if heldout else not any(held):
            return scene


def _any_scene(rng: np.random.Generator, *, empty: bool) -> Scene:
    ground = _SETTING_NAMES[int(rng.integers(len(_SETTING_NAMES)))]
    setting = SETTINGS[ground]
    light: Light = "day"
    if setting.outdoors:
        light = (
            "night"
            if ground in {"night", "fireworks"}
            else "sunset"
            if ground == "sunset"
            else "day"
        )
        if light == "day" and ground != "forest":
            light = ("day", "day", "day", "day", "sunset", "night")[int(rng.integers(6))]
    lit = {"sunset": "sunset", "night": "night"}.get(light)
    settings = (ground, lit) if lit and lit != ground and ground != "fireworks" else (ground,)
    kinds = (
        0
        if not setting.things
        else int(rng.choice([0, 1, 2], p=[0.15, 0.65, 0.2] if empty else [0.0, 0.8, 0.2]))
    )
    chosen: list[str] = []
    while len(chosen) < kinds:
        usual = rng.random()
        pool = setting.things if usual < 0.5 else SHAPES if usual < 0.7 else _THING_NAMES
        thing = pool[int(rng.integers(len(pool)))]
        if thing not in chosen:
            chosen.append(thing)
    colours = tuple(_colour_of(thing, light, rng) for thing in chosen)
    count = int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])) if chosen else 1
    return Scene(settings=settings, things=tuple(chosen), colours=colours, count=count, light=light)


def random_subject(rng: np.random.Generator) -> Scene:
    """A scene that one subject fills."""
    name = tuple(SUBJECTS)[int(rng.integers(len(SUBJECTS)))]
    if name == "moon":
        return Scene(settings=(name,), light="night")
    lights: tuple[Light, ...] = ("day", "day", "day", "day", "day", "sunset", "night")
    light = lights[int(rng.integers(7))] if SUBJECTS[name].outdoors else "day"
    if name not in subjects.LIT:  # whoever is flash-lit before a soft background shows no evening
        return Scene(settings=(name,), light="day")
    return Scene(settings=(name,) if light == "day" else (name, light), light=light)


def _colour_of(thing: str, light: Light, rng: np.random.Generator) -> str:
    """One of the thing's colours; nothing is black in the dark, where nobody would see it."""
    colours = [colour for colour in THINGS[thing].colours if light != "night" or colour != "black"]
    return str(rng.choice(colours)) if colours else ""


def labels(scene: Scene) -> tuple[str, ...]:
    """Every everyday word that is true of the scene, most telling first: a search for one of them should find it."""
    words = [word for name in scene.things for word in THINGS[name].words]
    words += [word for name in scene.settings for word in PLACES[name].words]
    words += [colour for colour in scene.colours if colour]
    return tuple(dict.fromkeys(words))


def facts(scene: Scene) -> frozenset[str]:
    """The labels, and what binds them: "red car", "2 car"."""
    found = set(labels(scene))
    for place, (name, colour) in enumerate(zip(scene.things, scene.colours, strict=True)):
        found |= {f"{colour} {word}" for word in THINGS[name].words if colour}
        found |= {f"{scene.count if place == 0 else 1} {word}" for word in THINGS[name].words}
    return frozenset(found)


def draw(scene: Scene, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """The scene as an RGB picture of that size: always another one, in composition, light and camera.

    About 3 ms at 112 px, 0.2 s at 1600 x 1200.
    """
    if scene.settings[0] in subjects.PAINTERS:
        return film.photographed(
            subjects.paint(scene.settings[0], width, height, scene.light, rng), rng
        )
    image, horizon = grounds.ground(scene.settings[0], width, height, scene.light, rng)
    short = min(width, height)
    whole = [
        name
        for place, name in enumerate(scene.things)
        for _ in range(scene.count if place == 0 else 1)
    ]
    hues = [
        hue
        for place, hue in enumerate(scene.colours)
        for _ in range(scene.count if place == 0 else 1)
    ]
    taken: list[float] = []
    placed: list[tuple[float, float, float, str, str]] = []
    for name, hue in zip(whole, hues, strict=True):
        crowd = (1, 1, 0.78, 0.64, 0.58)[min(4, len(whole))]
        half = min(0.92, THINGS[name].size * rng.uniform(1.0, 1.75) * crowd) * short / 2
        candidates = rng.uniform(half, max(half + 1, width - half), 8)
        x = float(
            max(candidates, key=lambda at: min((abs(at - other) for other in taken), default=0.0))
        )
        taken.append(x)
        placed.append((_foot(name, horizon, height, half, rng), x, half, name, hue))
    for y, x, half, name, hue in sorted(placed):
        if name == "person" and rng.random() < 0.7:
            _portray(image, x, y, half, rng)
        else:
            things.put(image, name, _dim(_tint(hue, rng), scene.light), (x, y), half, rng)
    return film.photographed(image, rng)


def _portray(image: Image.Image, x: float, y: float, half: float, rng: np.random.Generator) -> None:
    """One of the sample library's people, the whole figure or head and shoulders."""
    person, age = PEOPLE[int(rng.integers(len(PEOPLE)))], float(rng.uniform(3, 75))
    wide = half * (0.5 if rng.random() < 0.6 else 0.9)
    draw_person(image, person, (x - wide, y - half, x + wide, y + half), age, rng)


def _foot(name: str, horizon: float, height: int, half: float, rng: np.random.Generator) -> float:
    """The height of a thing's centre, in pixels from the top."""
    if THINGS[name].flies and rng.random() < 0.7:
        return float(rng.uniform(half, max(half + 1, height * max(horizon, 0.55) - half * 0.3)))
    lowest = height - half * 0.9
    return float(
        np.clip(rng.uniform(horizon * height, height) + half * 0.1 - half * 0.4, half * 0.8, lowest)
    )


def _tint(hue: str, rng: np.random.Generator) -> Rgb:
    base = COLOURS[hue] if hue else (200, 170, 130)
    light = rng.normal(0, 9)
    red, green, blue = (int(np.clip(value + light + rng.normal(0, 7), 0, 255)) for value in base)
    return (red, green, blue)


def _dim(colour: Rgb, light: Light) -> Rgb:
    """At night things are flash-lit: a little darker than by day."""
    return pen.shade(colour, 0.82) if light == "night" else colour


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A sentence, a phrase or a single word that is true of the scene, as a person would type it."""
    return describe(scene, rng).text


def describe(scene: Scene, rng: np.random.Generator) -> Description:
    """As `caption`, with what it claims."""
    form = rng.random()
    if not scene.things:
        text, claims = _bare_setting(scene, rng)
    elif form < 0.2:
        word = str(rng.choice(labels(scene)))
        text, claims = word, {word}
    elif form < 0.3:
        text, claims = _bare_setting(scene, rng)
    elif form < 0.6:
        text, claims = _noun(scene, 0 if rng.random() < 0.7 else len(scene.things) - 1, rng)
    else:
        text, claims = _noun(scene, 0, rng)
        if len(scene.things) > 1 and rng.random() < 0.5:
            second, more = _noun(scene, 1, rng)
            text, claims = (
                f"{text} {rng.choice(['and', 'with', 'next to'])} {second}",
                claims | more,
            )
        if rng.random() < 0.75:
            where, word = _place(scene, rng)
            text, claims = f"{text} {where}", claims | {word}
    return Description(text=_framed(text, rng), claims=frozenset(claims))


_FRAMES = (
    "{}",
    "{}",
    "{}",
    "a photo of {}",
    "a picture of {}",
    "an image of {}",
    "photo of {}",
    "a photo showing {}",
    "{} photo",
)


def _framed(text: str, rng: np.random.Generator) -> str:
    return str(rng.choice(_FRAMES)).format(text)


def _place(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    name = scene.settings[int(rng.integers(len(scene.settings)))]
    phrases = PLACES[name].phrases
    return phrases[int(rng.integers(len(phrases)))]


def _bare_setting(scene: Scene, rng: np.random.Generator) -> tuple[str, set[str]]:
    if len(scene.settings) > 1 and rng.random() < 0.4:
        word = str(rng.choice(PLACES[scene.settings[0]].words[:2]))
        where, other = PLACES[scene.settings[1]].phrases[0]
        return f"{word} {where}", {word, other}
    name = scene.settings[int(rng.integers(len(scene.settings)))]
    if rng.random() < 0.35:
        where, word = _place(scene, rng)
        return where, {word}
    word = str(rng.choice(PLACES[name].words))
    return str(rng.choice(["{}", "{}", "the {}", "a {}"])).format(word), {word}


def _noun(scene: Scene, index: int, rng: np.random.Generator) -> tuple[str, set[str]]:
    """A thing with or without its colour and number, and the claims in it."""
    thing, colour = THINGS[scene.things[index]], scene.colours[index]
    count = scene.count if index == 0 else 1
    first = rng.random() < 0.8
    word = thing.words[0] if first else str(rng.choice(thing.words))
    claims = {word}
    named = bool(colour) and rng.random() < 0.6
    if named:
        claims |= {colour, f"{colour} {word}"}
    said = f"{colour} {word}" if named else word
    if count > 1 and first and rng.random() < 0.6:
        many = f"{colour} {thing.plural}" if named else thing.plural
        if rng.random() < 0.6:
            return f"{NUMBERS[count]} {many}", claims | {f"{count} {word}"}
        return many, claims
    if rng.random() < 0.35:
        return said, claims
    article = "the" if rng.random() < 0.15 else "an" if said[0] in "aeiou" else "a"
    return f"{article} {said}", claims
