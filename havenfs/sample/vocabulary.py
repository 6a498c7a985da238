"""The words of the drawn world: colours, settings and things, with the everyday names that a search would use.

Tables only: nothing here draws (textures.py, things.py) or writes sentences (scenes.py). A word stands in the table
of everything of which it is true, so that "sand" means the beach and the desert; a caption with several words is
true of a drawing that has them all. No state, any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]

COLOURS: dict[str, Rgb] = {
    "red": (205, 38, 38),
    "orange": (240, 135, 25),
    "yellow": (240, 212, 50),
    "green": (45, 150, 60),
    "blue": (40, 85, 205),
    "purple": (135, 60, 170),
    "pink": (240, 140, 180),
    "brown": (122, 78, 42),
    "grey": (135, 135, 138),
    "white": (240, 240, 238),
    "black": (28, 28, 30),
}
"""Name of each colour and its sRGB centre; drawings vary around it."""

VIVID = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a drawing takes place."""

    words: tuple[str, ...]
    """Everyday words that are true of it, the usual one first."""
    phrases: tuple[tuple[str, str], ...]
    """Ways to say it after a noun, each with the word of `words` that it claims."""
    things: tuple[str, ...]
    """What one usually sees there; empty where the setting is the whole picture."""
    outdoors: bool = True
    """Whether it may lie in the light of night or of sunset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that can be seen in a setting."""

    words: tuple[str, ...]
    """Everyday words that are true of it, the usual one first."""
    plural: str
    colours: tuple[str, ...]
    """The colours in which it comes; empty when nobody would name its colour."""
    size: float
    """Usual height as a share of the picture's shorter side."""
    flies: bool = False
    """Whether it may hang in the sky."""


_STREET = ("car", "bus", "bicycle", "person", "dog", "tree", "house", "cat", "balloon")
_MEADOW = (
    "dog",
    "cat",
    "horse",
    "tree",
    "flower",
    "person",
    "ball",
    "bicycle",
    "house",
    "bird",
    "balloon",
)
_TABLE = ("cup", "cake", "pizza", "apple", "banana", "book", "flower", "ball", "cat")

SETTINGS: dict[str, Setting] = {
    "beach": Setting(
        words=("beach", "sand", "sea"),
        phrases=(("at the beach", "beach"), ("on the beach", "beach"), ("on the sand", "sand"), ("on a beach", "beach"),
                 ("by the sea", "sea")),
        things=("dog", "person", "ball", "boat", "bird", "umbrella", "horse", "bicycle"),
    ),
    "sea": Setting(
        words=("sea", "water", "ocean", "waves"),
        phrases=(("at sea", "sea"), ("on the water", "water"), ("in the water", "water"), ("on the ocean", "ocean"),
                 ("in the sea", "sea"), ("on the waves", "waves")),
        things=("boat", "fish", "bird", "ball"),
    ),
    "snow": Setting(
        words=("snow", "winter"),
        phrases=(("in the snow", "snow"), ("on snow", "snow"), ("in winter", "winter"), ("on a snowy day", "snow")),
        things=("dog", "person", "tree", "house", "car", "horse", "bird"),
    ),
    "forest": Setting(
        words=("forest", "trees", "woods"),
        phrases=(("in the forest", "forest"), ("in a forest", "forest"), ("among trees", "trees"), ("in the woods", "woods")),
        things=("dog", "person", "bird", "bicycle", "horse", "house", "cat"),
    ),
    "night": Setting(
        words=("night", "stars", "dark", "sky"),
        phrases=(("at night", "night"), ("in the night sky", "night"), ("under the stars", "stars"), ("in the dark", "dark")),
        things=("tree", "house", "person", "airplane", "car", "balloon"),
    ),
    "sunset": Setting(
        words=("sunset", "sun", "evening", "sky"),
        phrases=(("at sunset", "sunset"), ("in the evening", "evening"), ("with the sun going down", "sun")),
        things=("boat", "bird", "person", "tree", "horse", "airplane", "dog"),
    ),
    "street": Setting(
        words=("street", "city", "road", "buildings"),
        phrases=(("in the street", "street"), ("on the street", "street"), ("in the city", "city"), ("on the road", "road"),
                 ("in town", "city")),
        things=_STREET,
    ),
    "mountain": Setting(
        words=("mountain", "mountains"),
        phrases=(("in the mountains", "mountains"), ("on a mountain", "mountain"), ("in front of a mountain", "mountain")),
        things=("person", "dog", "horse", "house", "tree", "bird", "airplane", "car", "bicycle"),
    ),
    "meadow": Setting(
        words=("grass", "meadow", "field"),
        phrases=(("on the grass", "grass"), ("in a meadow", "meadow"), ("in the grass", "grass"), ("in a field", "field"),
                 ("on grass", "grass")),
        things=_MEADOW,
    ),
    "desert": Setting(
        words=("desert", "sand", "dunes"),
        phrases=(("in the desert", "desert"), ("in the sand", "sand"), ("on the dunes", "dunes")),
        things=("person", "horse", "car", "dog", "bird", "airplane"),
    ),
    "room": Setting(
        words=("room", "indoors", "home"),
        phrases=(("in a room", "room"), ("indoors", "indoors"), ("at home", "home"), ("in the living room", "room")),
        things=("person", "dog", "cat", "chair", "book", "cup", "cake", "balloon", "ball", "flower", "clock", "umbrella"),
        outdoors=False,
    ),
    "table": Setting(
        words=("table", "wood"),
        phrases=(("on a table", "table"), ("on the table", "table"), ("on a wooden table", "table"), ("on wood", "wood")),
        things=_TABLE,
        outdoors=False,
    ),
    "page": Setting(
        words=("document", "paper", "text", "page"),
        phrases=(("on paper", "paper"), ("in a document", "document"), ("on a page", "page")),
        things=(),
        outdoors=False,
    ),
    "receipt": Setting(
        words=("receipt", "paper", "text", "bill"),
        phrases=(("on a receipt", "receipt"),),
        things=(),
        outdoors=False,
    ),
    "brick": Setting(
        words=("brick", "wall", "bricks"),
        phrases=(("in front of a brick wall", "brick"), ("on a brick wall", "brick"), ("by the wall", "wall")),
        things=("bicycle", "cat", "flower", "person", "clock", "car", "dog", "chair"),
        outdoors=False,
    ),
    "sky": Setting(
        words=("sky", "clouds"),
        phrases=(("in the sky", "sky"), ("among the clouds", "clouds"), ("in the clouds", "clouds")),
        things=("airplane", "bird", "balloon"),
    ),
    "fireworks": Setting(
        words=("fireworks", "night", "sky"),
        phrases=(("with fireworks", "fireworks"), ("at night", "night")),
        things=(),
    ),
}  # fmt: skip

SUBJECTS: dict[str, Setting] = {
    "portrait": Setting(words=("portrait", "face", "person", "people"),
                        phrases=(("a portrait of a person", "portrait"), ("a person's face", "face")), things=()),
    "group": Setting(words=("group", "people", "person"), phrases=(("a group of people", "group"),), things=()),
    "baby": Setting(words=("baby", "person", "people"), phrases=(("a little baby", "baby"),), things=()),
    "cat's face": Setting(words=("cat", "animal", "pet", "fur"), phrases=(("the face of a cat", "cat"),), things=()),
    "dog's face": Setting(words=("dog", "animal", "pet", "fur"), phrases=(("the face of a dog", "dog"),), things=()),
    "blossom": Setting(words=("flower", "blossom", "plant"), phrases=(("a flower up close", "flower"),), things=()),
    "leaves": Setting(words=("leaves", "plant", "foliage"), phrases=(("green leaves", "leaves"),), things=()),
    "lawn": Setting(words=("grass", "lawn", "meadow", "field"), phrases=(("blades of grass", "grass"),), things=()),
    "stones": Setting(words=("stones", "rocks", "gravel"), phrases=(("a lot of stones", "stones"),), things=()),
    "meal": Setting(words=("meal", "food", "plate", "dish"), phrases=(("food on a plate", "food"), ("a meal", "meal")),
                    things=()),
    "motorcycle": Setting(words=("motorcycle", "motorbike"), phrases=(("a parked motorcycle", "motorcycle"),), things=()),
    "screenshot": Setting(words=("screenshot", "text", "screen"), phrases=(("the screen of a phone", "screen"),), things=(),
                          outdoors=False),
    "text": Setting(words=("text", "document", "paper", "page"), phrases=(("a page of text", "text"),), things=(),
                    outdoors=False),
    "living room": Setting(words=("room", "indoors", "home", "furniture"), phrases=(("in a living room", "room"),), things=(),
                           outdoors=False),
    "skyline": Setting(words=("skyline", "city", "buildings"), phrases=(("the skyline of a city", "skyline"),), things=()),
    "architecture": Setting(words=("architecture", "building", "buildings"), phrases=(("an old building", "building"),),
                            things=()),
    "mountains": Setting(words=("mountains", "mountain"), phrases=(("high mountains", "mountains"),), things=()),
    "hills": Setting(words=("hills", "field", "countryside"), phrases=(("rolling hills", "hills"),), things=()),
    "lake": Setting(words=("lake", "water"), phrases=(("a calm lake", "lake"), ("at the lake", "lake")), things=()),
    "garden": Setting(words=("garden", "park", "trees"), phrases=(("in the garden", "garden"), ("in the park", "park")),
                      things=()),
    "moon": Setting(words=("moon", "night", "dark", "sky"), phrases=(("the moon at night", "moon"),), things=(),
                    outdoors=False),
}  # fmt: skip
"""What fills a whole picture and has nothing put into it. Here a phrase stands for itself. The sample library shows none of
them: they are what a household photographs besides, for models to learn."""

PLACES: dict[str, Setting] = SETTINGS | SUBJECTS
"""Both, by the names that scenes have for them."""

SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")

THINGS: dict[str, Thing] = {
    "dog": Thing(words=("dog", "animal", "pet"), plural="dogs", colours=("brown", "black", "white", "grey"), size=0.42),
    "cat": Thing(words=("cat", "animal", "pet"), plural="cats", colours=("orange", "black", "white", "grey"), size=0.42),
    "bird": Thing(words=("bird", "animal"), plural="birds", colours=("blue", "red", "yellow", "black", "white", "brown"),
                  size=0.3, flies=True),
    "fish": Thing(words=("fish", "animal"), plural="fish", colours=("orange", "red", "yellow", "blue", "grey"), size=0.34),
    "horse": Thing(words=("horse", "animal"), plural="horses", colours=("brown", "black", "white", "grey"), size=0.52),
    "car": Thing(words=("car",), plural="cars", colours=("red", "blue", "green", "yellow", "white", "black", "grey", "orange"),
                 size=0.4),
    "bus": Thing(words=("bus",), plural="buses", colours=("red", "yellow", "green", "blue", "white", "orange"), size=0.5),
    "bicycle": Thing(words=("bicycle", "bike"), plural="bicycles", colours=("red", "blue", "green", "black", "yellow", "white"),
                     size=0.45),
    "boat": Thing(words=("boat",), plural="boats", colours=("white", "red", "blue", "brown", "green", "yellow"), size=0.45),
    "airplane": Thing(words=("airplane", "plane"), plural="airplanes", colours=("white", "grey", "blue", "red"), size=0.4,
                      flies=True),
    "tree": Thing(words=("tree",), plural="trees", colours=("green", "orange"), size=0.58),
    "flower": Thing(words=("flower", "plant"), plural="flowers",
                    colours=("red", "pink", "yellow", "purple", "white", "blue", "orange"), size=0.42),
    "house": Thing(words=("house", "building"), plural="houses",
                   colours=("white", "red", "yellow", "blue", "brown", "grey", "pink"), size=0.52),
    "ball": Thing(words=("ball", "toy"), plural="balls", colours=VIVID[:8], size=0.28),
    "cake": Thing(words=("cake", "food"), plural="cakes", colours=("white", "pink", "brown", "yellow"), size=0.4),
    "pizza": Thing(words=("pizza", "food"), plural="pizzas", colours=(), size=0.5),
    "apple": Thing(words=("apple", "fruit", "food"), plural="apples", colours=("red", "green", "yellow"), size=0.3),
    "banana": Thing(words=("banana", "fruit", "food"), plural="bananas", colours=("yellow",), size=0.36),
    "cup": Thing(words=("cup", "mug"), plural="cups", colours=("white", "red", "blue", "green", "yellow", "black", "orange"),
                 size=0.34),
    "book": Thing(words=("book",), plural="books", colours=("red", "blue", "green", "brown", "black", "purple", "yellow"),
                  size=0.38),
    "balloon": Thing(words=("balloon",), plural="balloons", colours=VIVID, size=0.45, flies=True),
    "umbrella": Thing(words=("umbrella",), plural="umbrellas", colours=("red", "blue", "yellow", "green", "black", "pink"),
                      size=0.5),
    "chair": Thing(words=("chair",), plural="chairs", colours=("red", "brown", "white", "black", "green", "blue"), size=0.48),
    "clock": Thing(words=("clock",), plural="clocks", colours=("white", "black", "red", "brown"), size=0.34, flies=True),
    "person": Thing(words=("person", "people"), plural="people", colours=(), size=0.62),
    "circle": Thing(words=("circle", "shape"), plural="circles", colours=VIVID, size=0.34, flies=True),
    "square": Thing(words=("square", "shape"), plural="squares", colours=VIVID, size=0.34, flies=True),
    "triangle": Thing(words=("triangle", "shape"), plural="triangles", colours=VIVID, size=0.36, flies=True),
    "star": Thing(words=("star", "shape"), plural="stars", colours=VIVID, size=0.36, flies=True),
    "cross": Thing(words=("cross", "shape"), plural="crosses", colours=VIVID, size=0.34, flies=True),
    "ring": Thing(words=("ring", "shape"), plural="rings", colours=VIVID, size=0.34, flies=True),
}  # fmt: skip

NUMBERS = {1: "one", 2: "two", 3: "three"}

WORDS: frozenset[str] = frozenset(
    (
        *(word for setting in PLACES.values() for word in setting.words),
        *(word for thing in THINGS.values() for word in thing.words),
        *COLOURS,
    )
)
"""Every word that is true of some drawing."""
