"""Whether whoever asks may decide here, for the page to know what to offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from havenweb import session
from havenweb.binder import NoParameters, Operation

if TYPE_CHECKING:
    from havenweb.library import Library


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever asks may do."""

    owner: bool
    """Whether he may change something."""
    how: str
    """What to do in order to be allowed to, in words."""


def _session(_library: Library, _parameters: NoParameters) -> Session:
    visitor = session.visitor.get()
    return Session(owner=visitor.owner, how=visitor.how)


SESSION = Operation(
    path="/api/session",
    name="session",
    summary="Whether whoever asks may change something, and how to be allowed to",
    parameters=NoParameters,
    response=Session,
    handle=_session,
)
