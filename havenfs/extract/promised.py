"""What the name of a file promises of its content: a photo whose bytes are zeros or noise is damaged, not somebody else's.

Only extensions that mean one thing in a household, and of what is read here: binary files called .ts, .dat or .raw are
of many sorts. What a file is, its bytes say alone (see magic). Pure; any thread.
"""

from __future__ import annotations

import os

from havenfs.extract import magic

_PICTURES = (
    b"jpg jpeg jpe jfif png gif webp heic heif hif avif jxl bmp tif tiff "
    b"dng cr2 cr3 nef nrw arw raf rw2 orf pef srw"
)
_VIDEOS = b"mp4 m4v mov avi mkv webm 3gp mpg mpeg wmv mts m2ts"
_DOCUMENTS = b"pdf rtf docx xlsx pptx odt ods odp epub"

PROMISES = {
    b"." + extension: what
    for extensions, what in (
        (_PICTURES, "picture"),
        (_VIDEOS, "video"),
        (_DOCUMENTS, "document"),
    )
    for extension in extensions.split()
}
"""Extensions, and what a person expects of a file that is called so."""


def broken(path: bytes, mime: str) -> str | None:
    """Why the file at *path*, whose bytes are of the type *mime*, is not what it is called; None when nothing says so."""
    name = os.path.basename(path)  # noqa: PTH119 -- paths are bytes
    extension = os.path.splitext(name)[1].lower()  # noqa: PTH122
    what = PROMISES.get(extension)
    if what is None or name.startswith(b"~$"):  # Word's note that a document is open
        return None
    called = f"it is called {extension.decode()}, but its content"
    if mime == magic.OLE and extension in magic.OFFICE:
        return f"{called} is protected by a password, or of an older sort"
    if mime == magic.ZIP and extension in magic.OFFICE:
        return f"{called} is no such document: it is damaged or cut off"
    if mime == magic.UNKNOWN:
        return f"{called} is no {what}: it is damaged, or of a sort that is not known here"
    return None
