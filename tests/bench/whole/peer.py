"""The straightforward indexer: one loop that does for each picture what the libraries' first pages show.

python peer.py OUT PICTURE ...   SHA-256; EXIF by exiftool where it is installed, else Pillow; every pixel decoded; two
thumbnails by LANCZOS; the same CLIP at batch 1 on 2 threads; tesseract with its defaults on every picture. Writes SQLite.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys

import apsw
import pillow_heif
import pytesseract
from PIL import Image

from havenfs.extract.clip import PictureEncoder
from havenfs.models import registry


def main() -> None:
    """Index the pictures of the command line."""
    pillow_heif.register_heif_opener()
    db = apsw.Connection(sys.argv[1])
    db.execute(
        "CREATE TABLE picture (path, hash, facts, small BLOB, large BLOB, vector BLOB, body)"
    )
    encoder = PictureEncoder(registry.builtin(), threads=2)
    tool = shutil.which("exiftool")
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).digest()
        with Image.open(path) as image:
            facts = (
                subprocess.run([tool, "-json", path], capture_output=True, check=True).stdout
                if tool
                else str(dict(image.getexif()))
            )
            full = image.convert("RGB")
        previews: list[bytes] = []
        for side in (256, 1440):
            sized = full.copy()
            sized.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
            out = io.BytesIO()
            sized.save(out, "webp", quality=80)
            previews.append(out.getvalue())
        vector = encoder.encode([full])[0].tobytes()
        body: str = pytesseract.image_to_string(full)  # pyright: ignore[reportAssignmentType]
        with db:
            db.execute(
                "INSERT INTO picture VALUES (?, ?, ?, ?, ?, ?, ?)",
                (path, digest, facts, *previews, vector, body),
            )


if __name__ == "__main__":
    main()
