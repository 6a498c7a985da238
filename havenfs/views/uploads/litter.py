"""Names that programs and desktops put beside people's files, and that are nobody's photo, video or document.

Two sorts. Litter is never anything else: what Finder, Explorer and office programs note beside a file. What stands under a
passing name may get a plain one by a rename: rsync's `.name.Ab12Cd`, a browser's `name.part`, what editors save into first.
Everything with a leading dot is one or the other, because no scan ever indexes it.
"""

from __future__ import annotations

import re

# Not compiled before they are asked about (re keeps them then): 1 ms of a mount's start.
_LITTER = (
    rb"\._"  # AppleDouble: what Finder knows of the file of that name
    rb"|\.(?:DS_Store|Trash.*|Trashes|TemporaryItems|fseventsd|Spotlight-V100|localized|directory|hidden|VolumeIcon\.icns|apdisk"
    rb"|com\.apple\..*|metadata_never_index|nomedia|picasa\.ini)$"
    rb"|(?:Thumbs\.db|ehthumbs(?:_vista)?\.db|desktop\.ini|autorun\.inf|\$RECYCLE\.BIN|System Volume Information|Icon\r)$"
    rb"|~\$"  # who has the document open, of Office
    rb"|\.~lock\..*#$"  # the same, of LibreOffice
)
_PASSING = (
    rb"\."
    rb"|.*\.(?:tmp|temp|part|partial|filepart|crdownload|download|sw[a-z])$"
    rb"|.*~$"  # the copy that vim, emacs and gedit keep while they write
    rb"|4913$"  # how vim tries whether it may write here
    rb"|.*\.sb-[0-9a-f]{8}-\w{6}$"  # macOS, before it replaces a document
    rb"|(?:@eaDir|#recycle|lost\+found)$"  # no scan would find what is called so
)

_FLAGS = re.IGNORECASE | re.DOTALL


def is_litter(name: bytes) -> bool:
    """Whether what is called so is a system's own note, never to be kept."""
    return re.match(_LITTER, name, _FLAGS) is not None


def is_passing(name: bytes) -> bool:
    """Whether what is called so is nothing yet: litter, or bytes that wait for their name."""
    return re.match(_PASSING, name, _FLAGS) is not None or is_litter(name)
