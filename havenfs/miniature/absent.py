"""Everyday words that no drawing shows: so that a model learns to say "nothing like that here", and to test it.

The first list is used in training, the second one only for measuring. Values only; any thread.
"""

from __future__ import annotations

TAUGHT: tuple[str, ...] = (
    "guitar", "piano", "drum", "violin", "trumpet", "computer", "laptop", "phone", "keyboard", "camera", "television",
    "radio", "printer", "robot", "machine", "engine", "train", "truck", "tractor", "helicopter",
    "rocket", "ship", "submarine", "taxi", "ambulance", "elephant", "lion", "tiger", "bear", "wolf", "fox", "monkey",
    "giraffe", "zebra", "rabbit", "mouse", "sheep", "cow", "pig", "goat", "chicken", "duck", "snake", "frog", "turtle",
    "spider", "butterfly", "bee", "ant", "whale", "shark", "dolphin", "penguin", "owl", "eagle", "dinosaur", "dragon",
    "unicorn", "bread", "cheese", "soup", "rice", "pasta", "burger", "sandwich", "chocolate", "wine", "beer",
    "tomato", "potato", "carrot", "strawberry", "grapes", "lemon", "mushroom", "knife", "fork", "spoon",
    "bottle", "glass", "pan", "kitchen", "bathroom", "bed", "sofa", "lamp", "mirror", "carpet", "curtain", "door",
    "window", "stairs", "garage", "church", "castle", "bridge", "tower", "hospital", "school", "airport", "station",
    "museum", "library", "factory", "farm", "river", "waterfall", "island", "cave", "volcano",
    "jungle", "rain", "storm", "lightning", "rainbow", "fog", "ice", "fire", "smoke", "football", "tennis", "golf",
    "hockey", "basketball", "skiing", "swimming", "running", "cycling", "boxing", "wedding", "birthday", "christmas",
    "party", "concert", "dance", "music", "movie", "theatre", "hat", "shoe", "dress", "jacket", "shirt", "tie",
    "glasses", "watch", "bag", "suitcase", "ring box", "money", "map", "flag", "poster", "painting", "statue",
    "hammer", "scissors", "pencil", "candle", "gift", "doll", "puzzle", "kite", "skateboard", "scooter", "tent",
    "doctor", "nurse", "police", "soldier", "chef", "king", "queen", "ghost", "skeleton", "invoice", "contract",
    "passport", "diagram", "spreadsheet", "meeting", "office", "desk", "microscope", "satellite", "galaxy", "planet",
)  # fmt: skip

KEPT_BACK: tuple[str, ...] = (
    "saxophone", "tablet", "fridge", "locomotive", "spaceship", "kangaroo", "crocodile", "camel", "hedgehog", "squirrel",
    "octopus", "crab", "parrot", "noodles", "pancake", "cherry", "pineapple", "onion", "teapot", "pillow", "wardrobe",
    "fountain", "lighthouse", "windmill", "stadium", "cemetery", "glacier", "tornado", "surfing", "volleyball",
    "marathon", "graduation", "orchestra", "gloves", "necklace", "backpack", "microphone", "screwdriver", "ladder",
    "trampoline", "swing", "astronaut", "firefighter", "pirate", "mermaid", "certificate", "blueprint", "newspaper",
    "telescope", "cactus", "goose", "barbecue", "sculpture", "wheelchair", "x-ray", "jewellery", "crown",
)  # fmt: skip
