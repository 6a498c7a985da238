"""Every error that HavenFS raises on purpose.

* HavenError
  x ConfigError           a bad setting or argument; shown to the owner in one line, no traceback
  x NewerState            the state directory was written by a newer version
  x NotFound              nothing by that id or name
  x NotADirectory         the node has no children
  x IsADirectory          the node has no bytes
  x InvalidName           a name that no entry here can have
  x NameTooLong           a name of more bytes than any entry can have
  x TooDeep               facets nested beyond the limit
  x NotPermitted          nobody may, by nature of the place
  x ReadOnly              the source, or for now the whole tree, takes no writes
  x Exists                the name is taken
  x NotEmpty              a folder that still holds something
  x Conflict              what was decided later stands in the way of taking something back
  x NotJournaled          a decision that holds, but is not on the disk twice yet
  x Unsupported           an attribute that does not exist here
  x NoAttribute           an attribute that exists but has no value here
  x InvalidQuery          the text of a search cannot be parsed; says where and why
  x Unreadable            a file that cannot be decoded; the reason is shown to the owner
  x SourceGone            the original's disk or file cannot be reached
  x Stale                 a handle to something that has gone or cannot be found again
  x ModelError            a model directory that is missing, damaged or of another kind
  x LicenceNotAccepted    a model whose licence restricts its use, and nobody has said yes to it
  x InstallError          a model that could not be fetched or put in place; what was there before still is
  x EncoderUnavailable    nobody answers "embed this text"; search goes on without pictures
  x NotRunning            the program that would have to do it is not running; says which

Each edge has one table: errno (`havend.errno`), HTTP status (`havenweb.errors`), exit code (`havend.exits`).
"""

from __future__ import annotations


class HavenError(Exception):
    """Base class; never raised itself."""


class ConfigError(HavenError):
    """A bad setting or argument. The message says what is wrong, where, and what to do."""


class NewerState(ConfigError):  # noqa: N818
    """The state directory was written by a newer version of HavenFS."""


class NotFound(HavenError):  # noqa: N818
    """Nothing by that id or name."""


class NotADirectory(HavenError):  # noqa: N818
    """The node has no children."""


class IsADirectory(HavenError):  # noqa: N818
    """The node has no bytes to open."""


class InvalidName(HavenError):  # noqa: N818
    """A name that no entry of this directory can have."""


class NameTooLong(HavenError):  # noqa: N818
    """A name of more than 255 bytes, or one that would be longer as it is shown."""


class TooDeep(HavenError):  # noqa: N818
    """Facets nested beyond the limit."""


class NotPermitted(HavenError):  # noqa: N818
    """Nobody may do this here, by nature of the place."""


class ReadOnly(HavenError):  # noqa: N818
    """This part of the tree takes no writes."""


class Exists(HavenError):  # noqa: N818
    """The name is taken."""


class Unsupported(HavenError):  # noqa: N818
    """An extended attribute that does not exist in this tree."""


class NotEmpty(HavenError):  # noqa: N818
    """A folder that still holds something."""


class Conflict(HavenError):  # noqa: N818
    """What was decided later stands in the way of taking something back; nothing was changed."""


class NotJournaled(HavenError):  # noqa: N818
    """The journal could not be written. The decision is in the catalog, and goes to the journal as soon as that can be."""


class NoAttribute(HavenError):  # noqa: N818
    """An extended attribute that has no value on this node."""


class InvalidQuery(HavenError):  # noqa: N818
    """The text of a search cannot be parsed."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        super().__init__(f"{reason} (at character {position + 1} of {text!r})")
        self.text = text
        self.position = position
        """Index into *text*, from 0."""
        self.reason = reason


class Unreadable(HavenError):  # noqa: N818
    """A file that cannot be decoded. A corrupt photo is data, not a bug: the message is shown."""


class SourceGone(HavenError):  # noqa: N818
    """The original's disk or file cannot be reached."""


class Stale(HavenError):  # noqa: N818
    """A handle to something that has gone, or cannot be found again without its path."""


class ModelError(HavenError):
    """A model directory that is missing, damaged or of another kind."""


class LicenceNotAccepted(HavenError):  # noqa: N818
    """A model whose licence restricts its use, asked for without a word that the owner accepts it."""


class InstallError(HavenError):
    """A model that could not be fetched, unpacked or put in place. Nothing of it is in use, and nothing else has changed."""


class EncoderUnavailable(HavenError):  # noqa: N818
    """Nobody answers "embed this query text"."""


class NotRunning(HavenError):  # noqa: N818
    """The program that would have to do it is not running, or gave no answer."""
