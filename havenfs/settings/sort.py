"""The table `[sort]`: where what lies in the inbox belongs. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Any, Final, cast

from .setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A table `[[sort.rule]]`: what *query* finds in the inbox belongs to *to*."""

    name: str
    query: str
    """In the search language."""
    to: str
    """`files/SOURCE/…`, with {placeholders} of PLACEHOLDERS."""
    line: int = field(default=0, compare=False)
    """Where it stands in the file, for what is said of it later; 0: not known."""


PLACEHOLDERS: Final = ("year", "month", "day", "country", "city", "camera", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting:
    """The table `[sort]`. Its fields are explained in SETTINGS."""

    automatic_above: float | None = None
    rule: tuple[Rule, ...] = ()


class RuleError(ValueError):
    """What is wrong with one of the rules."""

    def __init__(self, number: int, said: str) -> None:
        super().__init__(said)
        self.number = number
        """From 0, in the order of the file."""


def _sureness(value: Any) -> float | None:
    if type(value) in (int, float) and (value == 0 or 0.5 <= value <= 1):
        return float(value) or None
    raise ValueError("give a number from 0.5 to 1, or 0 for never")


def _rules(value: Any) -> tuple[Rule, ...]:
    if not isinstance(value, list):
        raise ValueError("give a table [[sort.rule]] for each rule")  # noqa: TRY004 -- told with its place
    return tuple(_rule(number, each) for number, each in enumerate(cast("list[Any]", value)))


def _rule(number: int, value: Any) -> Rule:
    wanted = ("name", "query", "to")
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if strange := sorted(set(given) - set(wanted)):
        near = difflib.get_close_matches(strange[0], wanted, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "a rule has a name, a query and a to"
        raise RuleError(number, f"there is no {strange[0]}; {hint}")
    for key in wanted:
        if not isinstance(given.get(key), str) or not given[key].strip():
            raise RuleError(number, f"the {key} is missing: a rule has a name, a query and a to")
    rule = Rule(**given)
    parts = rule.to.split("/")
    if len(parts) < 2 or parts[0] != "files" or any(part in ("", ".", "..") for part in parts):
        raise RuleError(
            number, f'to = "{rule.to}": give a folder such as "files/docs/Invoices/{{year}}"'
        )
    fields = re.findall(r"\{([^{}]*)\}", rule.to)
    strange = [name for name in fields if name not in PLACEHOLDERS]
    left = re.sub(r"\{[^{}]*\}", "", rule.to)
    if strange or "{" in parts[1] or "{" in left or "}" in left:
        what = f"there is no {{{strange[0]}}}; " if strange else ""
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise RuleError(number, f"{what}to may hold {known}, behind the source")
    return rule


SETTINGS: Final = (
    Setting(
        table="sort",
        name="automatic_above",
        default="0",
        help="How sure HavenFS must be, 0.5 to 1, to file what lies in the inbox without being asked. 0: never. What was filed\n"
        "so can be taken back like everything else (havenfs undo).",
        read=_sureness,
    ),
    Setting(
        table="sort",
        name="rule",
        default="[]",
        help="Where some files belong, whatever the other folders look like. Each rule is a table [[sort.rule]] with a name, a\n"
        "query in the search language, and to, a folder of a writable source, in which {year}, {month}, {day}, {country},\n"
        "{city}, {camera} and {kind} are filled in:\n"
        '  [[sort.rule]]\n  name = "invoices"\n  query = \'type:document "invoice"\'\n  to = "files/docs/Invoices/{year}"\n'
        "The first rule that finds a file counts. Rules see words and filters, not what pictures look like.",
        read=_rules,
    ),
)
