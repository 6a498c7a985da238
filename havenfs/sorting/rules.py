"""The owner's rules: what a query finds in the inbox belongs to a folder, with the file's own date, place and kind filled in.

Rules see words and filters, not what pictures look like: the same rule says the same whatever model is in use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from havenfs import query as language
from havenfs.catalog import sources
from havenfs.catalog.sorting import Folder, Proposal
from havenfs.errors import ConfigError, InvalidQuery, NotFound
from havenfs.retrieval.search import Searcher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from havenfs.catalog import Catalog
    from havenfs.entities import AssetId
    from havenfs.query import Query
    from havenfs.settings import Config, Rule

    from .traits import Traits

EVERY = 1_000_000  # hits: a rule means all that it finds
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A rule whose query is understood."""

    rule: Rule
    query: Query


def ready(config: Config) -> list[Ready]:
    """The rules of *config* in their order. Raises ConfigError with file and line for a query that cannot be understood."""
    found: list[Ready] = []
    for rule in config.sort.rule:
        try:
            found.append(Ready(rule=rule, query=language.parse(rule.query)))
        except InvalidQuery as error:
            where = _place(config.file, rule.line)
            raise ConfigError(f"{where}sort.rule “{rule.name}”: {error}") from error
    return found


def _place(file: Path | None, line: int) -> str:
    if file is None:
        return ""
    return f"{file}, line {line}: " if line else f"{file}: "


def found(catalog: Catalog, rules: Sequence[Ready]) -> dict[AssetId, Rule]:
    """The first rule that finds each asset of the library."""
    answers: dict[AssetId, Rule] = {}
    searcher = Searcher(catalog, None)
    for each in rules:
        for hit in searcher.search(each.query, limit=EVERY).hits:
            answers.setdefault(hit.asset_id, each.rule)
    return answers


def proposal(catalog: Catalog, rule: Rule, traits: Traits, folders: set[Folder]) -> Proposal | None:
    """Where a rule puts a file; None where what it asks of the file is not known, or where there is no such writable source.

    *folders*: those that are there.
    """
    _, name, *parts = rule.to.split("/")
    try:
        source = catalog.read(sources.by_name, name)
    except NotFound:
        return None
    path = written("/".join(parts), traits)
    if path is None or not source.writable:
        return None
    folder = Folder(source.id, path.encode())
    return Proposal(
        folder=folder,
        fresh=bool(path) and folder not in folders,
        confidence=1.0,
        reasons=(f"your rule “{rule.name}” says so",),
        rule=rule.name,
    )


def written(template: str, traits: Traits) -> str | None:
    """*template* with its placeholders filled in; None where one is not known of the file."""
    known = {"kind": traits.kind}
    if traits.taken is not None:
        date = datetime.fromtimestamp(traits.taken, UTC)
        known |= {"year": f"{date:%Y}", "month": f"{date:%m}", "day": f"{date:%d}"}
    if traits.place:
        known["country"] = traits.place[-1]
        if len(traits.place) > 1:
            known["city"] = traits.place[0]
    for seen in traits.seen:
        if seen.startswith("camera:"):
            known["camera"] = seen.removeprefix("camera:")
    try:
        # A slash in a name would be another folder, and a name of dots another place.
        return _PLACEHOLDER.sub(
            lambda m: known[m[1]].replace("/", "-").strip(". ") or "_", template
        )
    except KeyError:
        return None
