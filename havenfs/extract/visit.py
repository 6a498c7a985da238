"""One visit to one original: every stage that is asked for, with at most one decode. Composes; decodes nothing itself.

Runs in a worker process, one visit at a time. A bad file is data: its reasons come back in Findings.failed. Only a disk
that went away is raised (SourceGone), because then the file is not to blame and the stages stay to be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from havenfs.entities import (
    NEARLY,
    Embedding,
    Faces,
    Findings,
    Kind,
    Metadata,
    Preview,
    Stage,
    Text,
)
from havenfs.errors import ModelError, Unreadable
from havenfs.extract import documents, language, metadata, ocr, pages, sheet, video
from havenfs.extract.decode import cut_off, decode
from havenfs.extract.preview import preview, reopened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from havenfs.extract.clip import PictureEncoder
    from havenfs.extract.decode import Picture
    from havenfs.extract.faces import FaceFinder


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What to do with one original."""

    path: bytes
    """Absolute."""
    relative: bytes
    """Below its source: the names of the folders may carry a date."""
    kind: Kind
    mime: str
    """As `identify` found it."""
    mtime_ns: int
    stages: frozenset[Stage]
    large: bytes | None = None
    """The stored 1440 px WebP, given when PREVIEW is not among the stages: EMBED, FACES and TEXT then read it instead
    of decoding the original again."""


def visit(
    request: Visit, encoder: PictureEncoder | None, finder: FaceFinder | None = None
) -> Findings:
    """Everything that was asked for and could be found. Raises SourceGone only.

    Each stage asked for ends up either in its field, or in `skipped`, or in `failed`; a stage with a field may be
    there and empty (a photo whose text could not be read is skipped, not empty).
    """
    stages = request.stages
    skipped: dict[Stage, str] = {}
    failed: dict[Stage, str] = {}
    facts: Metadata | None = None
    if Stage.METADATA in stages:
        facts = metadata.read(
            request.path,
            request.relative,
            kind=request.kind,
            mime=request.mime,
            mtime_ns=request.mtime_ns,
        )

    seen = _Seen()
    wanted = stages & {Stage.PREVIEW, Stage.EMBED, Stage.FACES, Stage.TEXT}
    if request.kind is not Kind.PHOTO:
        wanted -= {Stage.TEXT}  # documents are not looked at for it, videos not read
    if encoder is None and Stage.EMBED in wanted:
        skipped[Stage.EMBED] = "no model for pictures"
        wanted -= {Stage.EMBED}
    if Stage.FACES in wanted and (finder is None or request.kind is Kind.DOCUMENT):
        skipped[Stage.FACES] = (
            "no model for faces" if finder is None else "documents are not looked through for faces"
        )
        wanted -= {Stage.FACES}
    if wanted:
        try:
            seen = _look(request)
        except Unreadable as error:
            failed.update(dict.fromkeys(wanted, str(error)))
            wanted = frozenset[Stage]()
        else:
            if seen.picture is not None and (seen.picture.cut or NEARLY) < NEARLY:
                # People see what there is of it. To a model, half a picture on grey is another one.
                failed.update(
                    dict.fromkeys(wanted - {Stage.PREVIEW}, cut_off(seen.picture.cut or 0))
                )
                wanted &= {Stage.PREVIEW}

    made: Preview | None = None
    if Stage.PREVIEW in wanted:
        if seen.picture is None:
            skipped[Stage.PREVIEW] = seen.reason
        else:
            made = preview(seen.picture, seen.strip)
    embeddings: tuple[Embedding, ...] = ()
    if Stage.EMBED in wanted and encoder is not None:
        if not seen.images:
            skipped[Stage.EMBED] = seen.reason
        else:
            embeddings = _embed(encoder, seen.images, seen.frames_ms)
    faces: Faces | None = None
    if Stage.FACES in wanted and finder is not None:
        if not seen.images:
            skipped[Stage.FACES] = seen.reason
        else:
            faces = finder.look(seen.images, seen.frames_ms)
    text: Text | None = None
    if Stage.TEXT in stages and Stage.TEXT not in failed:
        try:
            text = _text(request, seen, made)
        except (Unreadable, ModelError) as error:  # ModelError: no tesseract, with what to install
            failed[Stage.TEXT] = str(error)
        else:
            if text is None:
                skipped[Stage.TEXT] = _NO_TEXT[request.kind]
            else:
                text = replace(text, language=language.detect(text.body))
    return Findings(
        metadata=facts,
        preview=made,
        embeddings=embeddings,
        faces=faces,
        text=text,
        skipped=skipped,
        failed=failed,
    )


_NO_LOOKS = "no picture of this sort of document"
_NO_TEXT = {
    Kind.PHOTO: "no text in the picture",
    Kind.VIDEO: "videos are not read",
    Kind.DOCUMENT: "no text in the document",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What could be looked at: the picture for the preview, the images to embed with their positions."""

    picture: Picture | None = None
    images: tuple[Image.Image, ...] = ()
    frames_ms: tuple[int, ...] = ()
    strip: Image.Image | None = None
    reason: str = "no picture of it"


def _look(request: Visit) -> _Seen:
    """The one decode. Raises Unreadable, SourceGone."""
    if request.kind is Kind.VIDEO and request.stages & {Stage.PREVIEW, Stage.EMBED, Stage.FACES}:
        film = video.look(request.path, request.mime)
        return _Seen(
            picture=film.frames[0].picture,
            images=tuple(frame.picture.image for frame in film.frames),
            frames_ms=tuple(frame.position_ms for frame in film.frames),
            strip=film.strip,
        )
    if (
        request.kind is Kind.DOCUMENT
        and request.mime != "application/pdf"
        and Stage.PREVIEW not in request.stages
    ):
        return _Seen(reason=_NO_LOOKS)
    if Stage.PREVIEW not in request.stages and request.large is not None:
        return _Seen(images=(reopened(request.large),), frames_ms=(0,))
    if request.kind is Kind.VIDEO:
        return _Seen()
    if request.kind is Kind.PHOTO:
        picture = decode(request.path, request.mime, partial=Stage.PREVIEW in request.stages)
    elif request.mime == "application/pdf":
        picture = pages.first(request.path)
    else:
        # Drawn here, so that eyes tell documents apart. To a model it would be one more page of print.
        return _Seen(picture=sheet.first(request.path, request.mime), reason=_NO_LOOKS)
    return _Seen(picture=picture, images=(picture.image,), frames_ms=(0,))


def _embed(
    encoder: PictureEncoder, images: Sequence[Image.Image], frames_ms: Sequence[int]
) -> tuple[Embedding, ...]:
    vectors = encoder.encode(images)
    return tuple(
        Embedding(model=encoder.model, vector=vector.astype("<f4").tobytes(), frame_ms=position)
        for vector, position in zip(vectors, frames_ms, strict=True)
    )


def _text(request: Visit, seen: _Seen, made: Preview | None) -> Text | None:
    if request.kind is Kind.DOCUMENT:
        return documents.read(request.path, request.mime)
    if request.kind is Kind.VIDEO or not seen.images:
        return None
    image = seen.images[0]
    likeness = made.text_likeness if made is not None else ocr.likeness(image)
    return ocr.read(image) if likeness >= ocr.GATE else None
