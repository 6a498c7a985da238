"""The API, one module a noun: each holds the structs of its answers and the operations that give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import assets, operations, saying, search, session, status, terms

if TYPE_CHECKING:
    from havenweb.binder import Operation

OPERATIONS: tuple[Operation[Any, Any], ...] = (
    status.STATUS,
    search.SEARCH,
    terms.HELP,
    assets.NEWEST,
    assets.ASSET,
    session.SESSION,
    operations.HISTORY,
    operations.UNDO,
    *saying.SAYINGS,
)
"""Everything that answers JSON; routes and the OpenAPI document are made of it."""
