"""What the owner may set, and the file that says it: read once into frozen values that are handed on in parts.

The file is TOML, `havenfs.toml`. A module for each table holds its values, how each is read, and each one's help and default;
what does not stand there is an error that names the file, the line and the nearest key. Any thread.
"""

from .config import SETTINGS, Config
from .file import default_file, load, parse
from .files import Files, Originals
from .guard import Guard
from .index import LANGUAGES_ENV, Indexing, Quiet, Span
from .people import People
from .setting import Setting
from .sidecars import Sidecars
from .sort import Rule, Sorting
from .text import as_text
from .trash import Trash

__all__ = [
    "LANGUAGES_ENV",
    "SETTINGS",
    "Config",
    "Files",
    "Guard",
    "Indexing",
    "Originals",
    "People",
    "Quiet",
    "Rule",
    "Setting",
    "Sidecars",
    "Sorting",
    "Span",
    "Trash",
    "as_text",
    "default_file",
    "load",
    "parse",
]
