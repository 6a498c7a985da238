"""What `export` does: which assets are meant, the export itself, and what is said about it. Synchronous."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from havenfs.catalog import Catalog, browse, files, progress as progressing, sources
from havenfs.errors import ConfigError, HavenError, NotFound
from havenfs.leaving import decided, said
from havenfs.leaving.placing import How
from havenfs.leaving.tree import Export, Layout, Report
from havenfs.retrieval.search import Searcher
from havenfs.views.nodes import Leaf
from havenfs.views.root import open_tree

from .report import AnyEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from havenfs.catalog.browse import Condition
    from havenfs.config import State
    from havenfs.entities import Asset, AssetId
    from havenfs.views.nodes import Directory

EVERY_HIT = 1_000_000
DEEPEST = 8  # folders of a view; facets, which never end, are not listed
SHOWN = 20
WORDS = {How.LINK: "linked", How.COPY: "copied and verified", How.THERE: "there already"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did, for people and scripts."""

    directory: Path
    report: Report
    never_indexed: int
    """Files that are no assets, because they could not be read."""
    further_copies: int
    """Files whose bytes are here under the name of another one."""

    @property
    def complete(self) -> bool:
        """Whether nothing was left out."""
        return not self.report.left_out and not self.never_indexed

    def as_text(self) -> str:
        """Counts, then what was left out and why."""
        done = ", ".join(f"{self.report.done[how]} {WORDS[how]}" for how in WORDS)
        lines = [f"{self.directory}: {done}; {self.report.sidecars} sidecars written."]
        left = self.report.left_out
        if left:
            lines.append(f"Left out ({len(left)}):")
            lines += [f"  {_printable(path)}: {reason}" for path, reason in left[:SHOWN]]
            lines += ["  ... all of them: --json"] if len(left) > SHOWN else []
        if self.never_indexed:
            lines.append(
                f"Never indexed, so not here: {self.never_indexed} files (havenfs status)."
            )
        if self.further_copies:
            lines.append(
                f"Further copies of the same bytes: {self.further_copies} files, here once."
            )
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "directory": str(self.directory),
            **{how.value: self.report.done[how] for how in WORDS},
            "sidecars": self.report.sidecars,
            "left_out": [{"path": _printable(p), "reason": r} for p, r in self.report.left_out],
            "never_indexed": self.never_indexed,
            "further_copies": self.further_copies,
        }


def export(
    state: State,
    directory: Path,
    *,
    query: str | None,
    view: str | None,
    layout: Layout,
    how: How,
    progress: Callable[[int, int], None],
) -> Exported:
    """Export what *query* finds, what *view* shows, or everything. Raises ConfigError, InvalidQuery, NotFound."""
    if not state.catalog.exists():
        raise ConfigError(f"nothing is indexed in {state.root}: there is nothing to export.")
    with Catalog(state.catalog) as catalog:
        chosen = catalog.read(browse.assets, _chosen(catalog, state, query, view))
        job = Export(
            directory=directory,
            layout=layout,
            how=how,
            state=state,
            sources={source.id: source for source in catalog.read(sources.configured)},
            given=lambda asset: catalog.read(said.of_asset, asset),
            frame=lambda asset: catalog.read(decided.frame, asset.hash),
        )
        job.prepare()
        try:
            report = job.run(chosen, lambda done: progress(done, len(chosen)))
        except OSError as error:
            raise HavenError(
                f"{directory}: {error.strerror}. What is there is whole; the same command goes on."
            ) from error
        whole = query is None and view is None
        trouble = catalog.read(progressing.trouble, 1_000_000) if whole else []
        return Exported(
            directory=directory,
            report=report,
            never_indexed=sum(1 for each in trouble if each.asset_id is None),
            further_copies=catalog.read(files.further_copies) if whole else 0,
        )


def _chosen(catalog: Catalog, state: State, query: str | None, view: str | None) -> list[Condition]:
    """The stacks that are meant, with all their members: a RAW or a film must not stay behind."""
    everything = browse.Condition(browse.ALL_FILES)
    if query is None and view is None:
        return [everything]
    searcher = Searcher(catalog, AnyEncoder(state))
    ids: list[AssetId]
    if query is not None:
        ids = [hit.asset_id for hit in searcher.search(query, limit=EVERY_HIT).hits]
    else:
        ids = [asset.id for asset in _shown(open_tree(catalog, searcher), view or "")]
    return [browse.among(list(dict.fromkeys(ids))), everything]


def _shown(root: Directory, view: str) -> Iterator[Asset]:
    """The assets in the folder *view* of the tree, and in those below. Raises NotFound, ConfigError."""
    parts = [part for part in view.split("/") if part]
    if not parts or parts[0] == "files":
        raise ConfigError(
            "--view takes a folder of answers, for example by-date/2019 or places/Italy."
        )
    here: Directory = root
    for part in parts:
        below = here.lookup(os.fsencode(part))
        if not hasattr(below, "entries"):
            raise NotFound(f"{view} is no folder")
        here = below  # pyright: ignore[reportAssignmentType] -- what has entries is a directory
    yield from _assets(here, DEEPEST)


def _assets(directory: Directory, deep: int) -> Iterator[Asset]:
    for _, node in directory.entries():
        if isinstance(node, Leaf):
            yield node.asset
        elif deep and hasattr(node, "entries"):
            yield from _assets(node, deep - 1)  # pyright: ignore[reportArgumentType]


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
