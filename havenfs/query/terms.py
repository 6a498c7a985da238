"""The words of the search language. Each is one object that documents itself: the help everywhere comes from TERMS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import kinds

if TYPE_CHECKING:
    from .kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One key, or one form of bare words (`keys` empty), with its help."""

    keys: tuple[str, ...]
    """The canonical key first, then other spellings."""
    group: str
    """Heading in the help."""
    help: str
    example: str
    """Text that parses."""
    kind: Kind | None = None
    """What stands after the key; None for bare words."""
    presence: bool = False
    """Whether `none` and `any` are values."""
    shapes: bool = False
    """Whether it says how the answer looks and not what is in it: stands outside of OR, NOT and parentheses."""


TYPES = {
    "photo": "photo",
    "photos": "photo",
    "picture": "photo",
    "pictures": "photo",
    "image": "photo",
    "video": "video",
    "videos": "video",
    "movie": "video",
    "document": "document",
    "documents": "document",
    "doc": "document",
    "screenshot": "screenshot",
    "screenshots": "screenshot",
    "raw": "raw",
    "live": "live",
}
HAS = {"gps": "gps", "face": "face", "faces": "face", "text": "text"}
IS = {
    "dup": "dup",
    "duplicate": "dup",
    "untagged": "untagged",
    "undated": "undated",
    "raw": "raw",
    "live": "live",
}
SORTS = {"score": "score", "date": "date", "name": "name", "size": "size"}
YES_NO = {"yes": "yes", "no": "no", "true": "yes", "false": "no", "1": "yes", "0": "no"}
MAX_LIMIT = 100_000

TERMS: tuple[Term, ...] = (
    Term(
        keys=(),
        group="Words",
        help="what is to be seen in the picture, or stands in its text, name or place",
        example="dog on a beach",
    ),
    Term(
        keys=(),
        group="Words",
        help="exactly these words, in texts and names only; single or double quotes",
        example="'total amount'",
    ),
    Term(
        keys=(),
        group="Words",
        help="the name of a country, region or city in the library, alone or beside other words",
        example="sunset rome",
    ),
    Term(
        keys=(),
        group="Words",
        help="the name of somebody whom you named, alone or beside other words",
        example="alice on a beach",
    ),
    Term(
        keys=(),
        group="Words",
        help="a date: a year, a month, a day, a range, or in words: today, yesterday, last summer, july 2019, "
        "christmas 2018",
        example="beach last summer",
    ),
    Term(
        keys=(),
        group="Words",
        help="either: OR in capitals; words side by side must all hold",
        example="dog OR cat",
    ),
    Term(keys=(), group="Words", help="not: a minus sign or NOT", example="beach -dog"),
    Term(
        keys=(),
        group="Words",
        help="parentheses keep things together",
        example="(dog OR cat) (beach OR snow)",
    ),
    Term(
        keys=("person", "people", "who"),
        group="People",
        help="somebody whom you named is in it",
        example="person=Alice",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("with",),
        group="People",
        help="this person as well: together with others",
        example="person=Alice with=Bob",
        kind=kinds.text(),
    ),
    Term(
        keys=("faces",),
        group="People",
        help="how many faces are in it",
        example="faces=2..4",
        kind=kinds.integers(0, 10_000),
        presence=True,
    ),
    Term(
        keys=("place", "where"),
        group="Places",
        help="a country, region or city by name",
        example="place=Italy",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("country",),
        group="Places",
        help="a country by name",
        example="country=Italy,France",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("city",),
        group="Places",
        help="a city by name",
        example="city=Rome",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("near",),
        group="Places",
        help="around a point: latitude;longitude;kilometres (10 when left out)",
        example="near=41.9;12.5;20",
        kind=kinds.circle(),
    ),
    Term(
        keys=("tag", "tags"),
        group="Order of your own",
        help="carries the tag, or the model in use suggests it",
        example="tag=receipt",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("album", "albums"),
        group="Order of your own",
        help="is in the album",
        example="album='Summer in Rome'",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("rating",),
        group="Order of your own",
        help="stars, 0 to 5",
        example="rating=4..",
        kind=kinds.integers(0, 5),
        presence=True,
    ),
    Term(
        keys=("fav", "favorite", "favourite"),
        group="Order of your own",
        help="is a favourite",
        example="fav=yes",
        kind=kinds.choices(YES_NO),
        presence=True,
    ),
    Term(
        keys=("in", "folder"),
        group="Files",
        help="lies in the folder, or in one below; a source's name is a folder too",
        example="in=Scans",
        kind=kinds.text(),
    ),
    Term(
        keys=("name", "file"),
        group="Files",
        help="has this in its name; * and ? stand for anything",
        example="name=IMG_20",
        kind=kinds.text(),
    ),
    Term(
        keys=("ext", "extension"),
        group="Files",
        help="has this extension",
        example="ext=jpg,png",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("type", "kind"),
        group="Files",
        help="what sort of thing it is",
        example="type=video",
        kind=kinds.choices(TYPES),
    ),
    Term(
        keys=("size",),
        group="Files",
        help="size of the file; K, M, G; a number alone is megabytes",
        example="size=5M..",
        kind=kinds.sizes(),
    ),
    Term(
        keys=("mp", "megapixels"),
        group="Files",
        help="megapixels",
        example="mp=12..",
        kind=kinds.measures("mp"),
        presence=True,
    ),
    Term(
        keys=("dur", "duration"),
        group="Files",
        help="length of a video: seconds, 1m30s or 1:30",
        example="dur=..1m",
        kind=kinds.durations(),
        presence=True,
    ),
    Term(
        keys=("date", "taken"),
        group="Dates",
        help="taken on these days",
        example="date=2019-07..2019-09",
        kind=kinds.days(),
        presence=True,
    ),
    Term(
        keys=("year",),
        group="Dates",
        help="taken in the year",
        example="year=2019..2021",
        kind=kinds.integers(1, 9999),
        presence=True,
    ),
    Term(
        keys=("month",),
        group="Dates",
        help="taken in this month of any year",
        example="month=july",
        kind=kinds.months(),
        presence=True,
    ),
    Term(
        keys=("before",),
        group="Dates",
        help="taken earlier than this",
        example="before=2019",
        kind=kinds.days(open_ended=False),
    ),
    Term(
        keys=("after", "since"),
        group="Dates",
        help="taken later than this",
        example="after=2019-07-14",
        kind=kinds.days(open_ended=False),
    ),
    Term(
        keys=("on",),
        group="Dates",
        help="taken on this day",
        example="on=2019-07-14",
        kind=kinds.days(open_ended=False),
    ),
    Term(
        keys=("camera",),
        group="Camera",
        help="make or model of the camera, or a part of it",
        example="camera=Pixel",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("lens",),
        group="Camera",
        help="the lens, or a part of its name",
        example="lens=35mm",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("iso",),
        group="Camera",
        help="sensitivity",
        example="iso=..400",
        kind=kinds.integers(0, 10_000_000),
        presence=True,
    ),
    Term(
        keys=("f", "aperture"),
        group="Camera",
        help="f-number",
        example="f=1.4..2.8",
        kind=kinds.measures(),
        presence=True,
    ),
    Term(
        keys=("mm", "focal"),
        group="Camera",
        help="focal length in millimetres",
        example="mm=70..",
        kind=kinds.measures("mm"),
        presence=True,
    ),
    Term(
        keys=("text", "ocr"),
        group="Content",
        help="these words stand in a document or on the picture",
        example="text=invoice",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("lang", "language"),
        group="Content",
        help="its text is in this language, by the two letters of ISO 639: en, de, fr",
        example="lang=de",
        kind=kinds.text(),
        presence=True,
    ),
    Term(
        keys=("like", "similar"),
        group="Content",
        help="looks like the picture of this name",
        example="like=IMG_0042.jpg",
        kind=kinds.text(),
    ),
    Term(
        keys=("has",),
        group="Content",
        help="there is such a fact about it",
        example="has=gps,text",
        kind=kinds.choices(HAS),
    ),
    Term(
        keys=("is",),
        group="Content",
        help="it is one of these",
        example="is=undated",
        kind=kinds.choices(IS),
    ),
    Term(
        keys=("sort", "order"),
        group="The answer",
        help="its order; with a minus sign the other way round",
        example="sort=-date",
        kind=kinds.choices(SORTS, reversible=True),
        shapes=True,
    ),
    Term(
        keys=("limit",),
        group="The answer",
        help="at most so many; 200 when left out",
        example="limit=1000",
        kind=kinds.integers(1, MAX_LIMIT),
        shapes=True,
    ),
    Term(
        keys=("score",),
        group="The answer",
        help="only hits that are at least so good, from 0 to 1",
        example="score=0.5..",
        kind=kinds.measures(),
        shapes=True,
    ),
)

BY_KEY: dict[str, Term] = {key: term for term in TERMS for key in term.keys}


def help_text() -> str:
    """The whole language on one page of plain text."""
    lines = [
        "Type what you are looking for as the name of a folder here, and open it.",
        "",
        "    search/dog on a beach/        search/receipt 2019/        search/place=Italy type=video/",
        "",
    ]
    group = ""
    for term in TERMS:
        if term.group != group:
            group = term.group
            lines += [group, ""]
        lines.append(f"    {term.example:<30}  {term.help}")
        if term.keys and term.kind:
            also = f"; also {', '.join(term.keys[1:])}" if term.keys[1:] else ""
            special = "; none, any" if term.presence else ""
            lines.append(f"    {'':<30}    {term.keys[0]}={term.kind.hint}{special}{also}")
        if term is TERMS[-1] or TERMS[TERMS.index(term) + 1].group != group:
            lines.append("")
    lines += [
        "Several values are separated by commas and mean any of them: type=photo,video.",
        "Ranges have two dots and may be open: 2019..2021, 5M.., ..400.",
        "Values of several words stand in quotes: album='Summer in Rome'.",
        "Capitals do not matter, except for OR, AND and NOT.",
        "",
    ]
    return "\n".join(lines)
