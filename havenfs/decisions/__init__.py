"""What people decide, kept for ever: decide, journal, replay, undo.

`values` is the closed set of decisions, `effects` what each does to the GIVEN tables, `journal` the file beside the catalog
that outlives it, `keeper` the one door: `Keeper.decide` answers when a decision is safe in both. The format of the journal
is docs/journal.md. Synchronous; a Keeper may be used by any thread and any program at once.
"""

from .keeper import Keeper
from .values import Decision, new_uid

__all__ = ["Decision", "Keeper", "new_uid"]
