"""The nouns of HavenFS: frozen values with typed ids, and no behaviour that does I/O.

Three families: what the catalog holds (Source, File, Asset, Place), what extractors find in one file (Identity,
Metadata, Preview, Embedding, Text, gathered in Findings), and what a search answers (Hit). Paths of originals are
bytes, as the kernel gives them. Instants are integers with their unit in the name.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import NamedTuple, NewType

from msgspec import Struct, field

SourceId = NewType("SourceId", int)
FileId = NewType("FileId", int)
AssetId = NewType("AssetId", int)
PlaceId = NewType("PlaceId", int)
FaceId = NewType("FaceId", int)
ModelId = NewType("ModelId", str)
"""Name and content of a model, `<name>@<first 12 hex digits of its manifest's hash>`. Embeddings are only
compared within one ModelId."""


class Kind(StrEnum):
    """What sort of thing an asset is."""

    PHOTO = "photo"
    VIDEO = "video"
    DOCUMENT = "document"


class Role(StrEnum):
    """What a member of a stack is."""

    PRIMARY = "primary"
    """It stands for the others in the views."""
    RAW = "raw"
    """The sensor's data of the same exposure."""
    FILM = "film"
    """The moving part of a live photo."""
    ORIGINAL = "original"
    """What the primary was edited from."""
    FRAME = "frame"
    """Another frame of the same burst."""


class Stage(StrEnum):
    """Steps of extraction after a file has been identified, in the order in which they are useful."""

    METADATA = "metadata"
    PREVIEW = "preview"
    EMBED = "embed"
    FACES = "faces"
    TEXT = "text"
    TAGS = "tags"
    """Made from what EMBED found, without another look at the file."""


class FileState(StrEnum):
    """Where a file stands between being seen on disk and being an asset."""

    NEW = "new"
    """Seen (or seen changed), bytes not hashed yet."""
    KNOWN = "known"
    """Hashed; belongs to an asset."""
    SKIPPED = "skipped"
    """Not ours to show (a symlink, an unknown type): the reason says why."""
    FAILED = "failed"
    """Ought to be ours but cannot be (empty, unreadable): the reason says why."""


class JobState(StrEnum):
    """Where one stage of one asset stands."""

    QUEUED = "queued"
    DONE = "done"
    SKIPPED = "skipped"
    """Nothing to do for this asset, with the reason (no text in the picture, no encoder for documents)."""
    FAILED = "failed"
    """Cannot be done, with the reason that the owner sees."""


class DateSource(StrEnum):
    """Where the date of an asset comes from, best first. MTIME is an estimate: such assets are "undated"."""

    GIVEN = "given"
    """Somebody said so."""
    EXIF = "exif"
    XMP = "xmp"
    TAKEOUT = "takeout"
    """Google Photos' own record, exported beside the file."""
    CONTAINER = "container"
    """The date inside a video container, a PDF or an office document."""
    NAME = "name"
    """A date pattern in the file's name."""
    FOLDER = "folder"
    """A date pattern in the names of the folders above."""
    MTIME = "mtime"


class Source(Struct, frozen=True, kw_only=True):
    """A configured directory of originals."""

    id: SourceId
    name: str
    """Its folder below `files/`."""
    root: bytes
    """Absolute path."""
    writable: bool = False
    mark: tuple[int, int] | None = None
    """st_dev and st_ino of its root when its disk was last known to be there; see `originals.presence`."""


class Mark(NamedTuple):
    """By what the disk of a source is known again: what its root is."""

    device: int
    inode: int
    filesystem: int
    """f_fsid; 0 where the file system has none."""


class Caller(NamedTuple):
    """Who asks the mount for something: a process and its rights. A tuple, because each request makes one."""

    uid: int
    gid: int
    pid: int


class File(Struct, frozen=True, kw_only=True):
    """One path in a source, as last seen."""

    id: FileId
    source_id: SourceId
    path: bytes
    """Relative to the source's root, no leading slash."""
    size: int
    mtime_ns: int
    device: int
    inode: int
    state: FileState
    hash: bytes | None = None
    """BLAKE3, 32 bytes; None until hashed."""
    asset_id: AssetId | None = None
    reason: str | None = None


class Asset(NamedTuple):
    """One thing that a person sees. Identity is the content, not the path.

    A tuple, because listings make them by the hundred thousand: 0.3 us each, where a frozen dataclass takes 2.5.
    """

    id: AssetId
    hash: bytes
    """BLAKE3 of the present content, 32 bytes."""
    name: str
    """Its legal, unique file name in every view."""
    kind: Kind
    mime: str
    source_id: SourceId
    path: bytes
    """Of the primary file, relative to the source's root."""
    size: int
    mtime_ns: int
    device: int
    inode: int
    """Device and inode of the primary file."""
    taken_local: int | None = None
    """Wall-clock time at the place, in seconds, counted as if that wall clock were UTC."""
    taken_offset: int | None = None
    """Minutes east of UTC; None when unknown."""
    taken_source: DateSource | None = None
    place_id: PlaceId | None = None
    width: int | None = None
    height: int | None = None
    """Pixels, after orientation."""
    duration_ms: int | None = None

    @property
    def taken(self) -> datetime | None:
        """The wall clock at the place; it knows its zone where the offset is known."""
        if self.taken_local is None:
            return None
        wall = datetime.fromtimestamp(self.taken_local, UTC).replace(tzinfo=None)
        if self.taken_offset is None:
            return wall
        return wall.replace(tzinfo=timezone(timedelta(minutes=self.taken_offset)))


class PlaceKind(StrEnum):
    """Level of a place."""

    COUNTRY = "country"
    REGION = "region"
    CITY = "city"


class Place(Struct, frozen=True, kw_only=True):
    """A node of country > region > city."""

    id: PlaceId
    kind: PlaceKind
    name: str
    parent_id: PlaceId | None = None


# --- findings: what an extractor says about one file --------------------------------------------------------


class Identity(Struct, frozen=True, kw_only=True):
    """What a file is, from its bytes alone."""

    hash: bytes
    """BLAKE3, 32 bytes."""
    size: int
    mime: str
    """From the magic bytes, never from the extension. `application/octet-stream` when unknown."""
    kind: Kind | None
    """None when it is not a photo, video or document."""


class Taken(Struct, frozen=True, kw_only=True, eq=False):
    """A date with its provenance."""

    local: int
    """Wall-clock seconds, as Asset.taken_local."""
    offset: int | None
    """Minutes east of UTC; None when unknown."""
    source: DateSource
    confidence: float = 1.0
    """0..1, how likely it is right; see extract.moments."""

    def __eq__(self, other: object) -> bool:
        """Two equal dates are equal however sure."""
        return isinstance(other, Taken) and self._compared() == other._compared()

    def __hash__(self) -> int:
        """Goes with equality."""
        return hash(self._compared())

    def _compared(self) -> tuple[int, int | None, DateSource]:
        return self.local, self.offset, self.source


class Locality(Struct, frozen=True, kw_only=True):
    """Where a position lies, by name. Region is empty where a country has none."""

    country: str
    region: str
    city: str


class Metadata(Struct, frozen=True, kw_only=True):
    """Facts that are written in the file, its name or a sidecar."""

    taken: Taken | None = None
    latitude: float | None = None
    longitude: float | None = None
    """Degrees, WGS 84."""
    locality: Locality | None = None
    width: int | None = None
    height: int | None = None
    """Pixels, upright."""
    orientation: int | None = None
    """1-8, as EXIF's tag 0x0112: how the stored picture is turned. None: not known."""
    duration_ms: int | None = None
    camera: str | None = None
    lens: str | None = None
    iso: int | None = None
    aperture: float | None = None
    """f-number."""
    focal_mm: float | None = None
    exposure_s: float | None = None
    rating: int | None = None
    """0-5."""
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    screenshot: bool = False
    raw: bool = False
    live: bool = False
    """A short film is in the file itself."""
    content_id: str | None = None
    """Apple's ContentIdentifier, the same in a live photo and in its film."""
    burst_id: str | None = None
    """The same in each frame of one burst."""
    adjusted: str | None = None
    """The program whose edits an .aae beside the file describes; they are not applied."""
    hdr: str | None = None
    """Of a video: "pq" or "hlg", its transfer function (ITU-R BT.2100)."""


NEARLY = 97
"""Percent of a picture that are as good as all of it: the last rows are missing, or only the end marker."""


class Preview(Struct, frozen=True, kw_only=True):
    """What one decode yields for eyes and for finding duplicates."""

    width: int
    height: int
    """Pixels of the original, after orientation."""
    small: bytes
    """WebP whose longer side is at most 256 px."""
    large: bytes
    """WebP whose longer side is at most 1440 px."""
    thumbhash: bytes
    phash: int
    """64-bit perceptual hash as a signed integer."""
    inner: int
    """The same without the border."""
    grid: bytes
    """Grey levels of 16 x 16 cells, row by row."""
    text_likeness: float
    """0..1, the share of blocks that look like print; decides whether OCR is worth its second."""
    strip: bytes | None = None
    """Of a video: WebP of frames of one size side by side, in order, spread evenly over its duration."""
    cut: int | None = None
    """Of a picture whose file is cut off: percent that are there, 1 where that is not known."""

    @property
    def partial(self) -> bool:
        """Whether much of the picture is missing."""
        return self.cut is not None and self.cut < NEARLY


class Embedding(Struct, frozen=True, kw_only=True):
    """One vector and the model that made it."""

    model: ModelId
    vector: bytes
    """float32, little-endian, unit length."""
    frame_ms: int = 0
    """Position in a video; 0 for pictures."""


class Region(NamedTuple):
    """Part of a picture, as shares of it when upright, 0..1: what a decision about a face hangs on, whichever model
    found it."""

    frame_ms: int
    """Position in a video; 0 for pictures."""
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Region) -> float:
        """Intersection over union, 0..1; 0 in another frame."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if self.frame_ms != other.frame_ms or width <= 0 or height <= 0:
            return 0.0
        both = width * height
        areas = [(r.right - r.left) * (r.bottom - r.top) for r in (self, other)]
        return both / (sum(areas) - both)


class Face(Struct, frozen=True, kw_only=True):
    """One face in a picture, as one model sees it."""

    region: Region
    points: tuple[float, ...]
    """x and y of the eye on the left of the picture, the one on the right, the nose, and the corners of the mouth on the
    left and the right; shares of the picture like the region, a little outside of it where a face is cut off."""
    score: float
    """0..1, how sure the detector is."""
    size: int
    """Shorter side of its box, in px of the picture that was looked at (at most 1440)."""
    sharpness: float
    """0..1."""
    frontal: float
    """0..1, how straight it looks at the camera."""
    vector: bytes
    """float32, little-endian, unit length."""

    @property
    def quality(self) -> float:
        """0..1: how much a vector of it is worth. Below about 0.2 it should found no cluster of its own."""
        large = min(1.0, self.size / 80)  # recognisers see 112 px: below 80 much of it is invented
        return self.score * large * self.sharpness**0.5 * self.frontal**0.5


class Faces(Struct, frozen=True, kw_only=True):
    """All faces of one asset that a model found: none is an answer too."""

    model: ModelId
    found: tuple[Face, ...] = ()


class TextOrigin(StrEnum):
    """How a text was read."""

    OCR = "ocr"
    DOCUMENT = "document"


class Text(Struct, frozen=True, kw_only=True):
    """Words of a document, or on a picture."""

    origin: TextOrigin
    body: str
    boxes: bytes = b""
    """Of a picture, or of the first page of several: where the words of `body` (as `str.split` cuts them) stand, in order
    from the first one on; the words of later pages have none. For each left, top, width and height as uint16,
    little-endian, 65535 being the picture's whole side, and confidence in percent as uint8."""
    language: str | None = None
    """ISO 639-1; None when it cannot be told."""


class Findings(Struct, frozen=True, kw_only=True):
    """Everything that one visit to a file brought back, stage by stage."""

    metadata: Metadata | None = None
    preview: Preview | None = None
    embeddings: tuple[Embedding, ...] = ()
    faces: Faces | None = None
    text: Text | None = None
    skipped: dict[Stage, str] = field(default_factory=dict[Stage, str])
    """Stages with nothing to do, with the reason."""
    failed: dict[Stage, str] = field(default_factory=dict[Stage, str])
    """Stages that cannot be done, with the reason that the owner sees."""


# --- answers ------------------------------------------------------------------------------------------------


class Hit(Struct, frozen=True, kw_only=True):
    """One answer of a search."""

    asset_id: AssetId
    score: float
    """0..1, comparable within one answer only."""
    reasons: tuple[str, ...] = ()
    """Why it is here, in words: "looks like 'snow'", "text: …invoice…", "in Rome"."""
