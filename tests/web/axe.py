"""What axe finds on a page that is open in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 375)  # a desk and a phone


def serious(page: Page) -> list[Any]:
    """Its serious and critical findings, and a page that is wider than its window, at each width."""
    found: list[Any] = []
    page.evaluate(AXE.read_text())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append((width, "wider than its window"))
        found += [
            (width, problem["id"], [node["target"] for node in problem["nodes"]])
            for problem in page.evaluate("axe.run().then(r => r.violations)")
            if problem["impact"] in ("serious", "critical")
        ]
    return found
