"""The one definition of the tree: what folders there are, what stands in them, and what their names mean.

Knows nodes and names; not inodes, not errno, not HTTP. Every function is synchronous and may be called from any
thread: state lives in the catalog, on disk, and in the small caches of `Library`.
"""

from .affected import affected
from .files import DiskDirectory, Original
from .folders import Folder
from .inventory import Inventory
from .library import Library
from .nodes import Directory, DiskFile, Leaf, Text
from .roll import Roll
from .root import open_tree

__all__ = [
    "Directory",
    "DiskDirectory",
    "DiskFile",
    "Folder",
    "Inventory",
    "Leaf",
    "Library",
    "Original",
    "Roll",
    "Text",
    "affected",
    "open_tree",
]
