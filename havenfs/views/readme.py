"""README.txt: what an empty folder that people may fill says about itself. It goes when something is there.

Not in anybody's way: for a while after anything was changed in a folder it is not shown there, so that whoever makes, fills,
empties or removes a folder does not meet it, and whoever removes it has done so. A copy of it that is put into a folder is
taken and forgotten, because `cp -r` brings it along. Which words a folder has, it says itself (`Folder.guide`). Any thread.
"""

from __future__ import annotations

import textwrap
import time
from typing import Final

from havenfs.bounded import Bounded

NAME: Final = "README.txt"
CALM_S: Final = 10.0
"""Smbd lists a folder before it removes it, and Explorer before it fills it. As long as a removal is held (`bursts`)."""
LARGEST: Final = 4096  # bytes
MOST: Final = 1000
"""Folders that are remembered as lately changed; the longest unchanged goes first."""
_WIDTH = 78
_ITSELF = "HavenFS shows this file while the folder is empty. It goes when something is here."

ALBUMS: Final = """\
This folder holds your albums. Make a folder here: it is an album. Copy photos, videos and documents into it, from
this share or from anywhere else. An album may hold further albums.

A picture in an album takes no space and stays where it is: removing it from an album never deletes it.
"""
ALBUM: Final = """\
This album is empty. Copy photos, videos and documents into it, from this share or from anywhere else; what is not in
the library yet is added to it.

Removing something from an album never deletes it, and removing an album deletes no picture.
"""
TAGS: Final = """\
This folder holds your tags. Make a folder here: it is a tag. Copy photos, videos and documents into it to give them
that tag. A tag may hold further tags, as animals/dogs.

Removing something from a tag takes the tag off; nothing is deleted.
"""
TAG: Final = """\
Nothing has this tag. Copy photos, videos and documents into this folder to give it to them. Removing one from here
takes the tag off; nothing is deleted.
"""
FAVORITES: Final = """\
This folder holds your favorites. Copy or move pictures here from any other folder. Removing one from here deletes
nothing.
"""
SAVED: Final = """\
This folder holds searches that are worth keeping. Make a folder here whose name is what you look for, as “dog on a
beach” or “Alice 2019”: it always shows what is found today. Or look into the folder “search” and move a search from
there to here.
"""
PEOPLE: Final = """\
This folder holds the people in your pictures. The folders in _unnamed are faces that belong together: give such a
folder a name, and move it here. Or make a folder with a name, and copy pictures of that person into it.
"""
PERSON: Final = """\
Nobody has said yet in which pictures this person is. Copy some into this folder; from then on others are recognised.
Or move a folder from _unnamed onto this one.
"""
IGNORED: Final = """\
Who is not to be shown: move a folder of people or of _unnamed here, of a passer-by or a face in a painting, say.
Moved back, it is shown again.
"""
INBOX: Final = """\
Drop new photos, videos and documents here, folders too. They are in the library at once. For each, _suggested shows
where it may belong; move it from there to _accept, and it is filed there.
"""
ACCEPT: Final = """\
Move files from _suggested into this folder: each is filed where that suggests. This folder stays empty.
"""
DATES: Final = """\
This folder shows everything by the month in which it was taken. Nothing in the library has a date yet.

To say of pictures without a date when they were taken, make a folder for the year and in that one for the month,
2019/07 say, and copy them into it.
"""
YEAR: Final = """\
Make a folder for a month, 07 say, and copy pictures without a date into it: that is when they were taken.
"""
MONTH: Final = """\
Copy pictures here of which nobody has written down when they were taken: it was in this month. This folder goes when
HavenFS is restarted and nothing is in it.
"""
PLACES: Final = """\
This folder shows everything by the country and city in which it was taken. Nothing in the library has a place yet.

To say where pictures were taken, make a folder for the country and in that one for the city, Italy/Rome say, and copy
them into it.
"""
COUNTRY: Final = """\
Make a folder for a city of this country, and copy pictures into it that do not say where they were taken: it was
there.
"""
CITY: Final = """\
Copy pictures here that do not say where they were taken: it was in this city. This folder goes when HavenFS is
restarted and nothing is in it.
"""
TRASH: Final = """\
What is removed from “files” is kept here for a while, in a folder a day. Move something back into “files” and it is
restored; remove it here and it is gone for good.
"""


def text(guide: str) -> bytes:
    """The file. *guide*: paragraphs, with an empty line between two."""
    paragraphs = (*guide.split("\n\n"), _ITSELF)
    filled = (textwrap.fill(paragraph, _WIDTH) for paragraph in paragraphs)
    return ("\n\n".join(filled) + "\n").encode()


def is_copy(name: bytes, head: bytes) -> bool:
    """Whether a file of this name that begins so is one of these, of this version or of another."""
    words = b" ".join(head.split())
    return name.lower() == NAME.lower().encode() and words.endswith(_ITSELF.encode())


class Stirred:
    """Folders in which somebody has just changed something, by Directory.key."""

    def __init__(self) -> None:
        self._when: Bounded[str, float] = Bounded(MOST)

    def note(self, key: str) -> None:
        """Something changes there now."""
        self._when[key] = time.monotonic()

    def lately(self, key: str) -> bool:
        """Whether that is not long ago."""
        when = self._when.get(key)
        return when is not None and time.monotonic() - when < CALM_S
