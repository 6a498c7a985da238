"""Damage: what disks, cables, half copies and people with bad intentions make of a file. Pure functions of a generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

HEAD = 600
"""Where most formats keep their structure; half of the damage goes there."""
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(body: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """*body* after one to four kinds of damage; *others* are files of the same type to splice from."""
    raw = bytearray(body)
    for _ in range(int(rng.choice([1, 1, 2, 4]))):
        damage = DAMAGES[int(rng.integers(len(DAMAGES)))]
        damage(raw, others, rng)
        if not raw:
            raw = bytearray(body[:1])
    return bytes(raw)


def _place(raw: bytearray, rng: np.random.Generator) -> int:
    return int(rng.integers(0, min(len(raw), HEAD) if rng.random() < 0.5 else len(raw)))


def _flip(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    for _i in range(int(rng.integers(1, 40))):
        raw[_place(raw, rng)] ^= 1 << int(rng.integers(8))


def _noise(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    at = _place(raw, rng)
    width = int(rng.integers(1, 64))
    raw[at : at + width] = rng.bytes(min(width, len(raw) - at))


def _cut(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    del raw[_place(raw, rng) :]


def _hole(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    at = _place(raw, rng)
    del raw[at : at + int(rng.integers(1, 4096))]


def _zeros(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    at = _place(raw, rng) & ~511
    width = min(int(rng.integers(1, 9)) * 512, len(raw) - at)
    raw[at : at + width] = bytes(width)


def _number(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    """A length, count, offset or size that lies: an extreme, or one more or less than it was."""
    width = int(rng.choice([2, 4, 4, 8]))
    order = "big" if rng.random() < 0.5 else "little"
    at = _place(raw, rng)
    old = int.from_bytes(raw[at : at + width], order)
    new = (
        EXTREMES[int(rng.integers(len(EXTREMES)))]
        if rng.random() < 0.6
        else old + int(rng.choice([-1, 1, 16, -16]))
    )
    raw[at : at + width] = (new % (1 << (8 * width))).to_bytes(width, order)


def _twice(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    """A chunk again, once or many times: nesting and tables grow."""
    at = _place(raw, rng)
    chunk = bytes(raw[at : at + int(rng.integers(4, 512))])
    raw[at:at] = chunk * int(rng.choice([1, 1, 2, 200]))


def _splice(raw: bytearray, others: Sequence[bytes], rng: np.random.Generator) -> None:
    """The beginning of one file and the end of another."""
    other = others[int(rng.integers(len(others)))]
    raw[_place(raw, rng) :] = other[int(rng.integers(0, len(other))) :]


def _exchange(raw: bytearray, _: Sequence[bytes], rng: np.random.Generator) -> None:
    """Two chunks in each other's place."""
    width = int(rng.integers(1, 256))
    a, b = _place(raw, rng), _place(raw, rng)
    if abs(a - b) >= width and max(a, b) + width <= len(raw):
        raw[a : a + width], raw[b : b + width] = raw[b : b + width], raw[a : a + width]


DAMAGES: tuple[Callable[[bytearray, Sequence[bytes], np.random.Generator], None], ...] = (
    _flip,
    _noise,
    _cut,
    _hole,
    _zeros,
    _number,
    _number,
    _twice,
    _splice,
    _exchange,
)
