"""Sorting for the programs: `havenfs sort`, and the indexer's part of it. What belongs where is said by `havenfs.sorting`."""

from __future__ import annotations

import logging
import os
import textwrap
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio

from havenfs.catalog import Catalog, inbox, sorting
from havenfs.decisions import Keeper
from havenfs.errors import ConfigError, HavenError, NotFound
from havenfs.retrieval.search import Searcher
from havenfs.sorting.sorter import Sorter
from havenfs.views import filing, open_tree

from . import credentials, decisions
from .moves import moving, relocating

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from havenfs.catalog.sorting import Proposed
    from havenfs.config import State
    from havenfs.entities import Asset
    from havenfs.settings import Config

log = logging.getLogger(__name__)

PAUSE_S = 2.0
"""Between looks at the log of changes: how soon a dropped file is proposed for, behind its indexing."""
DIGITS = 8  # of a content's hash, as an id of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """What is to be filed."""

    ids: tuple[str, ...] = ()
    everything: bool = False
    above: float = 0.0
    """Least confidence, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What stands in the inbox, and what was done."""

    proposed: list[Proposed]
    """The best first, of each file."""
    undecided: list[Asset]
    """Of which nobody can say where they belong."""
    filed: list[Proposed] = field(default_factory=list["Proposed"])
    failed: list[tuple[Proposed, str]] = field(default_factory=list[tuple["Proposed", str]])
    dry_run: bool = False

    def as_text(self) -> str:
        """A paragraph for each file."""
        lines: list[str] = []
        if self.filed:
            lines.append("Would file:" if self.dry_run else "Filed:")
            lines += [f"  {_name(each.asset)} -> {_where(each)}/" for each in self.filed]
            if not self.dry_run:
                lines.append("To take one back: havenfs undo (havenfs undo --list)")
        lines += [f"Not filed: {_name(each.asset)}: {reason}" for each, reason in self.failed]
        if lines and (self.proposed or self.undecided):
            lines.append("")
        last = None
        for each in self.proposed:
            if each.asset.id != last:
                lines.append(f"{each.asset.hash.hex()[:DIGITS]}  {_name(each.asset)}")
            last = each.asset.id
            new = " (new folder)" if each.proposal.fresh else ""
            lines.append(f"    {each.proposal.confidence:4.0%}  {_where(each)}/{new}")
            lines += textwrap.wrap(
                "; ".join(each.proposal.reasons),
                100,
                initial_indent=" " * 10,
                subsequent_indent=" " * 10,
            )
        if self.undecided:
            lines.append(f"No idea about {len(self.undecided)}:")
            lines += [f"  {_name(asset)}" for asset in self.undecided]
        if not lines:
            return "The inbox is empty."
        if self.proposed and not self.filed and not self.failed:
            lines += [
                "",
                "To file one: havenfs sort --accept ID; all that are sure: havenfs sort --all --above 0.9",
            ]
        return "\n".join(lines).encode(errors="replace").decode()

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "proposals": [_plain(each) for each in self.proposed],
            "undecided": [_name(asset) for asset in self.undecided],
            "filed": [_plain(each) for each in self.filed],
            "failed": [{**_plain(each), "error": reason} for each, reason in self.failed],
            "dry_run": self.dry_run,
        }


def sort(state: State, config: Config, *, accept: Which, dry_run: bool = False) -> Report:
    """Bring the proposals up to date, and file what is accepted. Raises ConfigError, NotFound for an id of nothing."""
    if not state.catalog.exists():
        raise ConfigError(f"nothing is indexed in {state.root}: there is nothing to sort.")
    with Catalog(state.catalog) as catalog:
        decisions.agree(catalog, state)
        Sorter(catalog).sort(config)
        proposed = catalog.read(sorting.proposed)
        chosen = _chosen(proposed, accept)
        filed, failed = (chosen, []) if dry_run else _accept(catalog, state, chosen)
        gone = {each.asset.id for each in filed}
        left = [each for each in proposed if each.asset.id not in gone]
        known = {each.asset.id for each in proposed}
        return Report(
            proposed=[] if accept.ids else left,
            undecided=[]
            if accept.ids
            else [a for a in catalog.read(inbox.standing) if a.id not in known],
            filed=filed,
            failed=failed,
            dry_run=dry_run,
        )


def _chosen(proposed: list[Proposed], accept: Which) -> list[Proposed]:
    best: dict[int, Proposed] = {}
    for each in proposed:
        best.setdefault(each.asset.id, each)
    sure = [each for each in best.values() if each.proposal.confidence >= accept.above]
    if accept.everything:
        return sure
    chosen: list[Proposed] = []
    for id_ in accept.ids:
        found = [each for each in sure if each.asset.hash.hex().startswith(id_.lower())]
        if len(found) != 1 or len(id_) < 4:
            raise NotFound(
                f"{id_!r} is no file in the inbox for which there is a proposal; havenfs sort lists them"
            )
        chosen.append(found[0])
    return chosen


def _accept(
    catalog: Catalog, state: State, chosen: Iterable[Proposed]
) -> tuple[list[Proposed], list[tuple[Proposed, str]]]:
    filed: list[Proposed] = []
    failed: list[tuple[Proposed, str]] = []
    with relocating(catalog, state) as relocated, moving(catalog, state) as mover:
        tree = open_tree(
            catalog, Searcher(catalog, None), keeper=Keeper(catalog, state.journal, mover=mover)
        )
        library = tree.scope.library
        library.relocated = relocated
        for each in chosen:
            name = each.asset.path.rpartition(b"/")[2]
            try:
                filing.accept(library, each.asset, each.proposal.folder, name, _Ourselves())
            except (HavenError, OSError) as error:
                failed.append((each, _said(error)))
            else:
                filed.append(each)
    return filed, failed


class _Ourselves(nullcontext[None]):
    """The rights of whoever runs this program."""

    @property
    def who(self) -> str:
        """The user's name."""
        return credentials.user(os.getuid())


class Filing:
    """The indexer's part: proposals that are up to date, and, if the owner said so, files that go where they surely belong."""

    def __init__(self, catalog: Catalog, state: State, settings: Callable[[], Config]) -> None:
        self._catalog = catalog
        self._state = state
        self._settings = settings
        self._sorter = Sorter(catalog)
        self._mistake = ""
        self._tried: set[bytes] = set()
        """Contents that could not be filed; not tried again by this process."""

    async def follow(self) -> None:
        """Sort what comes, until cancelled."""
        while True:
            await self.catch_up()
            await trio.sleep(PAUSE_S)

    async def catch_up(self) -> None:
        """Bring the proposals up to date."""
        await trio.to_thread.run_sync(self._sort)

    def _sort(self) -> None:
        try:
            config = self._settings()
            self._sorter.sort(config)
        except ConfigError as error:
            if str(error) != self._mistake:
                self._mistake = str(error)
                log.error("%s; nothing is sorted until that is mended", error)  # noqa: TRY400 -- for the owner
            return
        self._mistake = ""
        least = config.sort.automatic_above
        if least is None:
            return
        settled = self._catalog.read(sorting.settled)
        unwanted = self._tried | self._catalog.read(sorting.taken_back)
        proposed = [
            each
            for each in _chosen(
                self._catalog.read(sorting.proposed), Which(everything=True, above=least)
            )
            if each.asset.id in settled and each.asset.hash not in unwanted
        ]
        filed, failed = _accept(self._catalog, self._state, proposed)
        for each in filed:
            log.info("filed an asset of the inbox: %d", each.asset.id)
            log.debug("filed %s into %s", _name(each.asset), _where(each))
        for each, reason in failed:
            self._tried.add(each.asset.hash)
            log.warning("asset %d could not be filed: %s", each.asset.id, reason)


def _said(error: HavenError | OSError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _name(asset: Asset) -> str:
    return os.fsdecode(asset.path.partition(b"/")[2]).encode(errors="replace").decode()


def _where(each: Proposed) -> str:
    path = os.fsdecode(each.proposal.folder.path).encode(errors="replace").decode()
    return f"files/{each.source}/{path}".rstrip("/")


def _plain(each: Proposed) -> dict[str, Any]:
    return {
        "id": each.asset.hash.hex()[:DIGITS],
        "hash": each.asset.hash.hex(),
        "file": _name(each.asset),
        "to": _where(each),
        "new_folder": each.proposal.fresh,
        "confidence": each.proposal.confidence,
        "reasons": list(each.proposal.reasons),
        "rule": each.proposal.rule,
    }
