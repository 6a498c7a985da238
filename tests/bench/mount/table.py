"""The bars, the ratios held against them, and how both are printed.

A ratio is the median over the rounds of (ours / peer) within one round, so that what slows the whole machine down for
a while slows both sides of it.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Values = dict[str, dict[str, dict[str, list[float]]]]
"""measure -> subject -> name of a number -> its value in each round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: a number of ours, beside the same number of a peer."""

    mark: str
    """Its number in the list of goals; empty: told for its own sake."""
    what: str
    measure: str
    number: str
    peer: str | None
    """None: the number itself, in its own unit."""
    bar: float | None = None
    server: str = "direct"
    """The transport that the bar is for; the other one's figures stand beside it."""
    held: frozenset[str] = frozenset()
    """Transports whose figure is the same on every machine, because both sides of it do the same kind of work."""

    @property
    def title(self) -> str:
        """Names the row."""
        return f"{self.mark} {self.what}".strip()

    @property
    def rate(self) -> bool:
        """Whether more is better."""
        return not self.number.endswith(("_us", "_s", "_ms", "_mib"))

    @property
    def goal(self) -> str:
        """The bar in words."""
        return "" if self.bar is None else f"{'>=' if self.rate else '<='} {self.bar:g}"

    def met(self, value: float) -> bool:
        """Whether a figure reaches the bar."""
        return self.bar is None or (value >= self.bar if self.rate else value <= self.bar)


BOTH = frozenset({"direct", "pyfuse3"})

ROWS = [
    Row(
        mark="F1",
        what="1 GiB read in sequence, MB/s, / disk",
        measure="sequential",
        number="cold_mb",
        peer="disk",
        bar=0.95,
    ),
    Row(
        mark="F2",
        what="random 4 KiB reads, /s, / disk",
        measure="random",
        number="cold_k",
        peer="disk",
        bar=0.95,
        held=frozenset({"direct"}),
    ),
    Row(
        mark="F3",
        what="256 x 1 MiB open + read, MB/s, / disk",
        measure="read",
        number="cold_mb",
        peer="disk",
        bar=0.75,
    ),
    Row(
        mark="F3",
        what="the same, / passthrough_hp",
        measure="read",
        number="cold_mb",
        peer="passthrough_hp",
        bar=1.5,
    ),
    Row(
        mark="F4",
        what="second copy in memory after reading 1 GiB, MiB",
        measure="sequential",
        number="kept_mib",
        peer=None,
        bar=8,
    ),
    Row(
        mark="F5",
        what="cold stat, p50, one CPU, / passthrough_hp",
        measure="stat",
        number="cold_us",
        peer="passthrough_hp",
        bar=0.9,
    ),
    Row(
        mark="",
        what="cold stat, p50, any CPU, / passthrough_hp",
        measure="stat unpinned",
        number="cold_us",
        peer="passthrough_hp",
    ),
    Row(
        mark="F6",
        what="`find -size` over 200,000 files, cold, s, / mergerfs",
        measure="find",
        number="cold_s",
        peer="mergerfs",
        bar=0.25,
    ),
    Row(
        mark="F6",
        what="the same, / disk",
        measure="find",
        number="cold_s",
        peer="disk",
        bar=4,
    ),
    Row(
        mark="F7",
        what="list and stat 10,000, cold, entries/s, / disk",
        measure="list",
        number="cold_k",
        peer="disk",
        bar=0.5,
    ),
    Row(
        mark="F7",
        what="the same, / bindfs",
        measure="list",
        number="cold_k",
        peer="bindfs",
        bar=3,
    ),
    Row(
        mark="F7",
        what="`ls -l` itself, entries/s, / disk",
        measure="ls -l",
        number="cold_k",
        peer="disk",
        bar=0.5,
    ),
    Row(
        mark="F7", what="the same, / bindfs", measure="ls -l", number="cold_k", peer="bindfs", bar=3
    ),
    Row(
        mark="F8",
        what="1 M assets: start of the command to first `ls`, ms",
        measure="first listing",
        number="start_ms",
        peer=None,
        bar=100,
    ),
    Row(
        mark="",
        what="the same from the moment the mount is there, ms",
        measure="first listing",
        number="list_ms",
        peer=None,
    ),
    Row(
        mark="F9",
        what="1 M assets seen in five views: memory (PSS), MiB",
        measure="memory",
        number="pss_mib",
        peer=None,
        bar=150,
    ),
    Row(
        mark="F9",
        what="the same, / rclone",
        measure="memory",
        number="pss_mib",
        peer="rclone",
        bar=0.2,
    ),
    Row(
        mark="F14",
        what="1 GiB read in sequence, MB/s, / bindfs",
        measure="sequential",
        number="cold_mb",
        peer="bindfs",
        bar=1.0,
        server="pyfuse3",
    ),
    Row(
        mark="F14",
        what="256 x 1 MiB again (kept pages), MB/s, / disk",
        measure="read",
        number="again_mb",
        peer="disk",
        bar=0.3,
        server="pyfuse3",
    ),
    Row(
        mark="F15",
        what="a small request's wait while indexing, p99, ms",
        measure="lag",
        number="p99_ms",
        peer=None,
        bar=5,
    ),
    Row(
        mark="F16",
        what="1 GiB over SMB, MB/s, / a share on the disk",
        measure="smb",
        number="of_disk",
        peer=None,
        bar=0.95,
    ),
    *(
        Row(
            mark="",
            what=f"{what}, / plain",
            measure=measure,
            number=number,
            peer="plain",
            held=held,
        )
        for what, measure, number, held in (
            ("cold stat, p50", "stat", "cold_us", BOTH),
            ("open + close, p50", "open", "again_us", BOTH),
            ("missing name, p50", "missing", "cold_us", BOTH),
            ("list and stat, entries/s", "list", "cold_k", BOTH),
            ("256 x 1 MiB open + read, MB/s", "read", "cold_mb", BOTH),
            ("256 x 1 MiB again, MB/s", "read", "again_mb", BOTH),
            # A read that is passed through asks no interpreter: 18 or 38 times as many, as the machine copies memory.
            ("random 4 KiB reads, /s", "random", "cold_k", frozenset({"pyfuse3"})),
        )
    ),
]


def figure(row: Row, values: Values, subject: str) -> float | None:
    """The row's figure for one of ours; None where it was not measured."""
    by_subject = values.get(row.measure, {})
    mine = by_subject.get(subject, {}).get(row.number)
    if not mine:
        return None
    if row.peer is None:
        return statistics.median(mine)
    theirs = by_subject.get(row.peer, {}).get(row.number)
    if not theirs:
        return None
    if len(theirs) != len(mine):
        return statistics.median(mine) / statistics.median(theirs)
    return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))


def best(values: Values, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
    """The held figures alone, each from the best of the rounds on either side: for any machine, and none is quiet."""
    best: Values = {
        measure: {
            subject: {
                number: [min(each) if number.endswith(("_us", "_s")) else max(each)]
                for number, each in numbers.items()
            }
            for subject, numbers in by_subject.items()
        }
        for measure, by_subject in values.items()
    }
    held = {row.title: row.held for row in ROWS}
    return {
        title: kept
        for title, figures in ratios(best, subjects).items()
        if (kept := {each: figures[each] for each in figures if each.split()[0] in held[title]})
    }


def fallen(
    found: Mapping[str, Mapping[str, float]],
    expected: Mapping[str, Mapping[str, float]],
    subjects: Sequence[str],
) -> list[str]:
    """What is less than half as good as expected, in words. A figure that one of *subjects* lacks now has fallen too."""
    less: list[str] = []
    for row in ROWS:
        for subject, before in expected.get(row.title, {}).items():
            if subject not in subjects:
                continue
            now = found.get(row.title, {}).get(subject)
            if now is None or (now < before / 2 if row.rate else now > before * 2):
                less.append(f"{row.title}, {subject}: was {before:.3g}, is {now or 0:.3g}")
    return less


def ratios(values: Values, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
    """Row -> subject -> figure."""
    found: dict[str, dict[str, float]] = {}
    for row in ROWS:
        figures = {name: figure(row, values, name) for name in subjects}
        known = {name: value for name, value in figures.items() if value is not None}
        if known:
            found[row.title] = known
    return found


def markdown(values: Values, subjects: Sequence[str]) -> str:
    """The table of ratios. Bold: misses the bar."""
    lines = [
        "| # | what | bar | " + " | ".join(f"{name}" for name in subjects) + " |",
        "|---|---|---|" + "---|" * len(subjects),
    ]
    for row in ROWS:
        figures = [figure(row, values, name) for name in subjects]
        if any(value is not None for value in figures):
            cells = [_cell(row, name, value) for name, value in zip(subjects, figures, strict=True)]
            lines.append(f"| {row.mark} | {row.what} | {row.goal} | {' | '.join(cells)} |")
    return "\n".join(lines)


def absolute(values: Values) -> str:
    """The medians behind the ratios, one column a subject."""
    subjects = list(dict.fromkeys(name for by in values.values() for name in by))
    lines = [
        "| measure | " + " | ".join(subjects) + " |",
        "|---|" + "---|" * len(subjects),
    ]
    for measure, by_subject in values.items():
        numbers = list(dict.fromkeys(n for numbers in by_subject.values() for n in numbers))
        for number in numbers:
            cells = [_median(by_subject.get(name, {}), number) for name in subjects]
            lines.append(f"| {measure}: {number} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: Row, subject: str, value: float | None) -> str:
    if value is None:
        return ""
    text = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    counts = row.bar is not None and subject.partition(" ")[0] == row.server
    return f"**{text}**" if counts and not row.met(value) else text


def _median(numbers: Mapping[str, Sequence[float]], number: str) -> str:
    found = numbers.get(number)
    return f"{statistics.median(found):.4g}" if found else ""
