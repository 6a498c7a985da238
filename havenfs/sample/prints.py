"""What stands on receipts, signs, screens and scanned letters of the sample library, and how they look.

Words first (`receipt`, `sign`, `screen`, `letter` make a Print from a generator), then the drawing of a Print.
Pure functions; thread-safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from havenfs.sample import fonts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.random import Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """Something with readable text on it."""

    form: Literal["receipt", "sign", "screen", "letter"]
    lines: tuple[str, ...]
    """As they stand, top to bottom. On a receipt a tab separates the item from its price."""

    @property
    def text(self) -> str:
        """All words, a line per line."""
        return "\n".join(line.replace("\t", " ") for line in self.lines)


_SHOPS: dict[str, tuple[tuple[str, float], ...]] = {
    "Espresso Corner": (
        ("Espresso", 2.2),
        ("Cappuccino", 3.4),
        ("Croissant", 2.6),
        ("Lemonade", 1.9),
    ),
    "Village Grocer": (
        ("Tomatoes", 3.1),
        ("Carrots", 1.8),
        ("Spinach", 2.4),
        ("Olive oil", 7.9),
        ("Cheese", 5.3),
    ),
    "Hardware Depot": (
        ("Hammer", 14.5),
        ("Screws", 3.9),
        ("Paintbrush", 6.2),
        ("Ladder", 49.0),
        ("Batteries", 8.9),
    ),
    "Riverside Pharmacy": (
        ("Bandages", 4.2),
        ("Vitamins", 11.8),
        ("Sunscreen", 13.4),
        ("Toothpaste", 2.9),
    ),
    "Corner Bakery": (
        ("Sourdough bread", 4.1),
        ("Pretzel", 1.6),
        ("Muffin", 2.7),
        ("Sandwich", 5.2),
    ),
    "Noodle House": (("Ramen", 11.5), ("Dumplings", 6.8), ("Jasmine tea", 2.9), ("Mochi", 4.4)),
    "Fuel Station": (("Diesel", 62.4), ("Engine oil", 12.0), ("Chewing gum", 1.5)),
    "Quill and Ink": (("Notebook", 4.9), ("Pencils", 3.2), ("Envelopes", 2.8), ("Calendar", 12.0)),
}

_SIGNS: tuple[tuple[str, ...], ...] = (
    ("MUSEUM", "OPEN DAILY", "FROM TEN TO FIVE"), ("NO PARKING", "KEEP THE ENTRANCE CLEAR"), ("EMERGENCY EXIT", "PUSH BAR TO OPEN"),
    ("BAKERY", "FRESH BREAD", "EVERY MORNING"), ("WELCOME", "TO OUR VILLAGE"), ("PLATFORM 4", "TRAINS TO THE NORTH"),
    ("PRIVATE GARDEN", "PLEASE KEEP OUT"), ("PHARMACY", "OPEN DAY AND EVENING"), ("SLOW DOWN", "CHILDREN PLAYING"),
    ("TICKETS", "ADULTS 12", "STUDENTS 8"), ("PUBLIC LIBRARY", "READING IS FREE"), ("DANGER", "HIGH VOLTAGE"),
    ("HARBOUR", "FERRY LEAVES HOURLY"), ("CASTLE", "TWO KILOMETRES"), ("CLOSED", "BACK ON MONDAY"), ("ICE CREAM", "VANILLA AND LEMON"),
    ("TOILETS", "SECOND FLOOR"), ("ELEVATOR", "MAXIMUM EIGHT PERSONS"),
)  # fmt: skip

_CHATS: tuple[tuple[str, ...], ...] = (
    (
        "Messages",
        "When does the train arrive?",
        "At half past nine",
        "Great, see you at the station",
    ),
    ("Boarding pass", "Flight HV 4821", "Gate B17", "Seat 14C", "Boarding 18:05"),
    ("Weather", "Thunderstorm", "Tomorrow 17 degrees", "Wind from the west"),
    ("Shopping list", "Milk", "Potatoes", "Washing powder", "Light bulbs"),
    ("Wireless network", "Guest password", "maple-otter-93"),
    ("Delivery", "Your parcel arrives today", "Tracking number", "PX 77 3310 94"),
    ("Bank transfer", "Rent for March", "Payment confirmed", "Reference 20881"),
    ("Recipe", "Pumpkin soup", "One onion", "Ginger and coconut milk", "Simmer for twenty minutes"),
)

_LETTERS: tuple[tuple[str, ...], ...] = (
    ("School report", "Mathematics: very good", "Geography: good", "Handwriting: could be tidier", "The teacher, M. Okafor"),
    ("Certificate", "for swimming fifty metres", "awarded to Clara", "Municipal swimming pool"),
    ("Birth certificate", "Registry office", "Certified copy", "Entered in the register"),
    ("Warranty", "Washing machine model W-810", "Valid for five years", "Keep this with the invoice"),
    ("Dear grandmother,", "thank you for the parcel.", "The scarf fits very well.", "We visit you in autumn.", "With love, Clara"),
    ("Vaccination record", "Tetanus", "Measles", "Next appointment in ten years"),
)  # fmt: skip


def receipt(day: date, rng: Generator) -> Print:
    """Return what a shop prints on *day*."""
    shops = list(_SHOPS)
    shop = shops[int(rng.integers(len(shops)))]
    goods = _SHOPS[shop]
    chosen = rng.permutation(len(goods))[: int(rng.integers(2, len(goods) + 1))]
    lines = [shop.upper(), day.strftime("%d.%m.%Y"), ""]
    total = 0.0
    for index in chosen:
        name, price = goods[int(index)]
        many = int(rng.integers(1, 4))
        total += many * price
        lines.append(f"{many} {name}\t{many * price:.2f}")
    lines += ["", f"TOTAL\t{total:.2f}", f"VAT included\t{total * 0.17:.2f}", "", "Thank you"]
    return Print(form="receipt", lines=tuple(lines))


def sign(rng: Generator) -> Print:
    """Return what stands on a sign in the street."""
    return Print(form="sign", lines=_SIGNS[int(rng.integers(len(_SIGNS)))])


def screen(rng: Generator) -> Print:
    """Return what somebody took a screenshot of."""
    return Print(form="screen", lines=_CHATS[int(rng.integers(len(_CHATS)))])


def letter(rng: Generator) -> Print:
    """Return what somebody laid on the scanner."""
    return Print(form="letter", lines=_LETTERS[int(rng.integers(len(_LETTERS)))])


def labels(print_: Print) -> tuple[str, ...]:
    """Return the everyday words that are true of how it looks."""
    return {
        "receipt": ("receipt", "paper", "text", "bill"),
        "sign": ("sign", "text"),
        "screen": ("screenshot", "text"),
        "letter": ("document", "paper", "text", "page"),
    }[print_.form]


def draw(
    print_: Print, width: int, height: int, rng: Generator, behind: Image.Image | None = None
) -> Image.Image:
    """Return an RGB picture of it. A sign stands in front of *behind* (of that size), a receipt lies on a table."""
    match print_.form:
        case "receipt":
            return _receipt(print_.lines, width, height, rng)
        case "sign":
            return _sign(
                print_.lines, behind or Image.new("RGB", (width, height), (150, 170, 180)), rng
            )
        case "screen":
            return _screen(print_.lines, width, height, rng)
        case "letter":
            return _letter(print_.lines, width, height, rng)


def _grain(image: Image.Image, rng: Generator, strength: float) -> Image.Image:
    """Return *image* under uneven light, with noise of *strength* (standard deviation, 0..255)."""
    width, height = image.size
    slope = np.linspace(rng.uniform(0.86, 1), rng.uniform(0.94, 1.04), width, dtype=np.float32)[
        None, :, None
    ]
    pixels = np.asarray(image, dtype=np.float32) * slope
    pixels += rng.normal(0, strength, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _receipt(lines: Sequence[str], width: int, height: int, rng: Generator) -> Image.Image:
    table = (int(rng.integers(50, 110)), int(rng.integers(40, 80)), int(rng.integers(30, 70)))
    paper_height = round(height * 0.94)
    row = paper_height / (len(lines) + 2)
    size = round(min(row * 0.72, width * 0.9 / 24 / 0.6))
    paper_width = round(min(width * 0.94, size * 0.6 * 29))
    paper = Image.new("RGBA", (paper_width, paper_height), (250, 248, 242, 255))
    pen = ImageDraw.Draw(paper)
    choice = int(rng.integers(8))
    margin = size * 0.9
    for place, line in enumerate(lines):
        y = row * (place + 1)
        face = fonts.font("receipt", choice, size if place else round(size * 1.15))
        left, _, right = line.partition("\t")
        start = margin if right else (paper_width - pen.textlength(left, face)) / 2
        pen.text((start, y), left, (34, 32, 36), face)
        if right:
            pen.text(
                (paper_width - margin - pen.textlength(right, face), y), right, (34, 32, 36), face
            )
    turned = paper.rotate(float(rng.uniform(-2.5, 2.5)), Image.Resampling.BICUBIC, expand=True)
    image = Image.new("RGB", (width, height), table)
    at = (
        (width - turned.width) // 2 + int(rng.integers(-width // 30, width // 30 + 1)),
        (height - turned.height) // 2,
    )
    shadow = Image.new("RGB", turned.size, (16, 12, 10))
    image.paste(
        shadow, (at[0] + 8, at[1] + 8), turned.getchannel("A").filter(ImageFilter.GaussianBlur(6))
    )
    image.paste(turned, at, turned)
    return _grain(image, rng, 3)


def _sign(lines: Sequence[str], behind: Image.Image, rng: Generator) -> Image.Image:
    image = behind.copy()
    width, height = image.size
    colours = [((20, 60, 130), (250, 250, 250)), ((245, 245, 238), (20, 20, 20)), ((170, 24, 24), (255, 255, 255)),
               ((16, 96, 56), (255, 255, 250)), ((246, 204, 30), (20, 20, 16))]  # fmt: skip
    board, ink = colours[int(rng.integers(len(colours)))]
    choice = int(rng.integers(8))
    size = round(height * float(rng.uniform(0.09, 0.13)))
    pen = ImageDraw.Draw(image)
    while (
        size > 12
        and max(pen.textlength(line, fonts.font("sign", choice, size)) for line in lines)
        > width * 0.7
    ):
        size = round(size * 0.92)
    face = fonts.font("sign", choice, size)
    wide = max(pen.textlength(line, face) for line in lines) + size * 1.2
    tall = size * 1.35 * len(lines) + size * 0.5
    x, y = (width - wide) / 2, height * float(rng.uniform(0.14, 0.3))
    for post in (x + wide * 0.2, x + wide * 0.8):
        pen.rectangle(
            (post - size * 0.08, y + tall, post + size * 0.08, height), fill=(96, 96, 100)
        )
    pen.rounded_rectangle((x, y, x + wide, y + tall), size * 0.2, board, ink, max(2, size // 16))
    for place, line in enumerate(lines):
        start = (width - pen.textlength(line, face)) / 2
        pen.text((start, y + size * 0.3 + place * size * 1.35), line, ink, face)
    return image


def _screen(lines: Sequence[str], width: int, height: int, rng: Generator) -> Image.Image:
    dark = bool(rng.random() < 0.35)
    image = Image.new("RGB", (width, height), (24, 26, 32) if dark else (246, 246, 250))
    pen = ImageDraw.Draw(image)
    accent = [(30, 110, 220), (20, 130, 90), (180, 60, 90), (110, 70, 190)][int(rng.integers(4))]
    choice, size = int(rng.integers(8)), round(width * 0.052)
    face, title = (
        fonts.font("screen", choice, size),
        fonts.font("screen", choice, round(size * 1.3)),
    )
    pen.rectangle((0, 0, width, size * 3.6), fill=accent)
    clock = f"{int(rng.integers(7, 23)):02}:{int(rng.integers(60)):02}"
    pen.text(
        (size * 0.8, size * 0.25),
        clock,
        (255, 255, 255),
        fonts.font("screen", choice, round(size * 0.7)),
    )
    pen.text((size * 0.8, size * 1.5), lines[0], (255, 255, 255), title)
    y = size * 4.8
    for line in lines[1:]:
        wide = pen.textlength(line, face) + size * 1.4
        mine = bool(rng.random() < 0.4)
        x = width - wide - size * 0.8 if mine else size * 0.8
        bubble = accent if mine else (52, 56, 66) if dark else (255, 255, 255)
        ink = (255, 255, 255) if mine or dark else (20, 20, 24)
        pen.rounded_rectangle((x, y, x + wide, y + size * 2.1), size * 0.6, bubble)
        pen.text((x + size * 0.7, y + size * 0.45), line, ink, face)
        y += size * 2.8
    pen.rounded_rectangle(
        (width * 0.35, height - size * 0.7, width * 0.65, height - size * 0.5), 4, (128, 128, 132)
    )
    return image


def _letter(lines: Sequence[str], width: int, height: int, rng: Generator) -> Image.Image:
    paper = int(rng.integers(238, 254))
    image = Image.new("RGB", (width, height), (paper, paper, paper - 6))
    pen = ImageDraw.Draw(image)
    choice = int(rng.integers(8))
    size = round(width * 0.042)
    y = height * 0.09
    for place, line in enumerate(lines):
        face = fonts.font("letter", choice, size if place else round(size * 1.5))
        pen.text((width * 0.1, y), line, (30, 30, 44), face)
        y += size * (3.2 if place == 0 else 2.1)
    turned = image.rotate(
        float(rng.uniform(-0.7, 0.7)), Image.Resampling.BICUBIC, fillcolor=(paper, paper, paper - 6)
    )
    return _grain(turned, rng, 2)
