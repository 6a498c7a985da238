"""What the owner may set, and the file that says it: read once into frozen values that are handed on in parts.

The file is TOML, `havenfs.toml`. Every setting stands in SETTINGS with its help, its default and how it is read; what does
not stand there is an error that names the file, the line and the nearest key. Pure but for `load`; any thread.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from havenfs.config import Budget
from havenfs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 24 * 60  # minutes
LANGUAGES_ENV: Final = "HAVENFS_OCR_LANGUAGES"
"""How workers are told of Indexing.languages: in tesseract's own form, `deu+eng`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the day in minutes since midnight, from *start* until *end*; over midnight when *end* comes first."""

    start: int
    end: int

    def left(self, minute: int) -> int | None:
        """Minutes from *minute* until it ends; None outside."""
        length = (self.end - self.start) % DAY or DAY
        since = (minute - self.start) % DAY
        return length - since if since < length else None


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which the indexer rests."""

    spans: tuple[Span, ...] = ()

    def until(self, now: datetime) -> datetime | None:
        """When the rest that *now* lies in is over; None outside of it. Of spans that meet, the last one's end."""
        end: datetime | None = None
        at = now.replace(second=0, microsecond=0)
        for _ in self.spans:
            left = max((s.left(at.hour * 60 + at.minute) or 0 for s in self.spans), default=0)
            if not left:
                break
            at = end = at + timedelta(minutes=left)
        return end


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """The table `[index]`. Its fields are explained in SETTINGS."""

    budget: Budget = Budget.BALANCED
    quiet: Quiet = Quiet()
    workers: int | None = None
    memory: int = 1536 << 20
    """Bytes."""
    wake_disks: bool = False
    languages: tuple[str, ...] = ()
    """Of printed text, by tesseract's names; none: all that are installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The table `[people]`. Its fields are explained in SETTINGS."""

    smallest: int = 40
    """Pixels: recognisers see 112 px, and below a third of that most of a face is invented."""
    quality: float = 0.2
    """As `entities.Face.quality` says. Of a synthetic family's faces (tests/identity) 7 % are below, nearly all of strangers behind."""
    faces: int = 3
    """Two alike are found by chance in a large library, three hardly ever; and who is there twice is seldom looked for."""
    same_person: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecars:
    """The table `[sidecars]`. Its fields are explained in SETTINGS."""

    write: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trash:
    """The table `[trash]`."""

    keep_days: int = 30
    """0: for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The table `[guard]`. Why these numbers is said in `views.guard`."""

    removals: int = 200
    percent: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A table `[[sort.rule]]`: what *query* finds in the inbox belongs to *to*."""

    name: str
    query: str
    """In the search language."""
    to: str
    """`files/SOURCE/…`, with {placeholders} of PLACEHOLDERS."""
    line: int = field(default=0, compare=False)
    """Where it stands in the file, for what is said of it later; 0: not known."""


PLACEHOLDERS: Final = ("year", "month", "day", "country", "city", "camera", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting:
    """The table `[sort]`. Its fields are explained in SETTINGS."""

    automatic_above: float | None = None
    rule: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Originals:
    """A table `[[files.source]]`: a folder of originals."""

    path: str
    """Absolute."""
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The table `[files]`. Its fields are explained in SETTINGS."""

    source: tuple[Originals, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that the owner chose."""

    files: Files = Files()
    index: Indexing = Indexing()
    people: People = People()
    sidecars: Sidecars = Sidecars()
    trash: Trash = Trash()
    guard: Guard = Guard()
    sort: Sorting = Sorting()
    file: Path | None = None
    """Where it was read from; None: nowhere, all is as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the file."""

    table: str
    name: str
    default: str
    """As it would stand in the file."""
    help: str
    read: Callable[[Any], object]
    """The value from what TOML gives. Raises ValueError with what it should have been."""

    @property
    def key(self) -> str:
        """With its table."""
        return f"{self.table}.{self.name}"


def _budget(value: Any) -> Budget:
    try:
        return Budget(value)
    except ValueError:
        raise ValueError('give "background", "balanced" or "full"') from None


_SPAN = re.compile(r"\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*")


def _quiet(value: Any) -> Quiet:
    spans: list[Span] = []
    for part in str(value).split(",") if value != "" else ():
        match = _SPAN.fullmatch(part)
        times = [int(number) for number in match.groups()] if match else []
        if not match or times[0] > 24 or times[2] > 24 or times[1] > 59 or times[3] > 59:
            raise ValueError(f'{part.strip()!r} are no hours; give some such as "22:00-07:00"')
        spans.append(Span((times[0] * 60 + times[1]) % DAY, (times[2] * 60 + times[3]) % DAY))
    return Quiet(tuple(spans))


def _workers(value: Any) -> int | None:
    if type(value) is int and 0 <= value <= 64:
        return value or None
    raise ValueError("give a number from 1 to 64, or 0 for as many as the budget says")


_UNITS: Final = {"M": 1 << 20, "G": 1 << 30}
LEAST_MEMORY = 512 << 20
"""Every decoder and a full model loaded, and a photo of 24 megapixels."""


def _memory(value: Any) -> int:
    match = re.fullmatch(r"(\d+)\s*([MG])(?:i?B)?", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('give a size such as "1536M" or "2G"')
    size = int(match[1]) * _UNITS[match[2]]
    if size < LEAST_MEMORY:
        raise ValueError(
            f"that is too little to decode photos; give at least {LEAST_MEMORY >> 20}M"
        )
    return size


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("give true or false")


def _languages(value: Any) -> tuple[str, ...]:
    names = re.split(r"[\s,+]+", value.strip()) if isinstance(value, str) else ["?"]
    if any(name and not re.fullmatch(r"[A-Za-z][\w-]*(/[A-Za-z]+)?", name) for name in names):
        raise ValueError('give names of tesseract such as "eng, deu, chi_sim"')
    return tuple(filter(None, names))


def _pixels(value: Any) -> int:
    if type(value) is int and 0 <= value <= 1440:
        return value
    raise ValueError("give a number of pixels from 0 to 1440")


def _share(value: Any) -> float:
    if type(value) in (int, float) and 0 <= value <= 1:
        return float(value)
    raise ValueError("give a number from 0 to 1")


def _faces(value: Any) -> int:
    if type(value) is int and 2 <= value <= 100:
        return value
    raise ValueError("give a number from 2 to 100")


def _sureness(value: Any) -> float | None:
    if type(value) in (int, float) and (value == 0 or 0.5 <= value <= 1):
        return float(value) or None
    raise ValueError("give a number from 0.5 to 1, or 0 for never")


def _sources(value: Any) -> tuple[Originals, ...]:
    said = 'give a table [[files.source]] with path = "/absolute/path" for each folder, and writable = true where people write'
    if not isinstance(value, list):
        raise ValueError(said)  # noqa: TRY004 -- told with its place
    found: list[Originals] = []
    for each in cast("list[Any]", value):
        match each:
            case {"path": str(path), **rest} if path.startswith("/") and (
                rest.keys() <= {"writable"} and isinstance(rest.get("writable", False), bool)
            ):
                found.append(Originals(path=path, writable=bool(rest.get("writable", False))))
            case _:
                raise ValueError(said)
    return tuple(found)


class _RuleError(ValueError):
    """What is wrong with one of the rules."""

    def __init__(self, number: int, said: str) -> None:
        super().__init__(said)
        self.number = number
        """From 0, in the order of the file."""


def _rules(value: Any) -> tuple[Rule, ...]:
    if not isinstance(value, list):
        raise ValueError("give a table [[sort.rule]] for each rule")  # noqa: TRY004 -- told with its place
    return tuple(_rule(number, each) for number, each in enumerate(cast("list[Any]", value)))


def _rule(number: int, value: Any) -> Rule:
    wanted = ("name", "query", "to")
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if strange := sorted(set(given) - set(wanted)):
        near = difflib.get_close_matches(strange[0], wanted, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "a rule has a name, a query and a to"
        raise _RuleError(number, f"there is no {strange[0]}; {hint}")
    for key in wanted:
        if not isinstance(given.get(key), str) or not given[key].strip():
            raise _RuleError(number, f"the {key} is missing: a rule has a name, a query and a to")
    rule = Rule(**given)
    parts = rule.to.split("/")
    if len(parts) < 2 or parts[0] != "files" or any(part in ("", ".", "..") for part in parts):
        raise _RuleError(
            number, f'to = "{rule.to}": give a folder such as "files/docs/Invoices/{{year}}"'
        )
    fields = re.findall(r"\{([^{}]*)\}", rule.to)
    strange = [name for name in fields if name not in PLACEHOLDERS]
    left = re.sub(r"\{[^{}]*\}", "", rule.to)
    if strange or "{" in parts[1] or "{" in left or "}" in left:
        what = f"there is no {{{strange[0]}}}; " if strange else ""
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise _RuleError(number, f"{what}to may hold {known}, behind the source")
    return rule


def _cosine(value: Any) -> float | None:
    if type(value) in (int, float) and 0 <= value < 1:
        return float(value) or None
    raise ValueError("give a cosine from 0.1 to 0.9, or 0 for the model's own")


def _days(value: Any) -> int:
    if type(value) is int and 0 <= value <= 36_500:
        return value
    raise ValueError("give a number of days, or 0 for ever")


def _removals(value: Any) -> int:
    if type(value) is int and (value == 0 or 20 <= value <= 1_000_000):
        return value
    raise ValueError("give a number from 20 on, or 0 for no guard")


def _percent(value: Any) -> float:
    if type(value) in (int, float) and 0 <= value <= 100:
        return float(value)
    raise ValueError("give a number from 0 to 100")


SETTINGS: Final = (
    Setting(
        table="files",
        name="source",
        default="[]",
        help="The folders of your files, where none are named to a command with --source or --writable: as a service, this is the\n"
        "one place. Each is a table [[files.source]]:\n"
        '  [[files.source]]\n  path = "/srv/photos"\n  writable = true\n'
        "writable: people may work in it through the mount, and HavenFS writes sidecars and keeps a trash there. Else nothing in\n"
        "it is ever changed. After a change: systemctl daemon-reload; systemctl restart havenfs-index",
        read=_sources,
    ),
    Setting(
        table="index",
        name="budget",
        default='"balanced"',
        help="How much of the machine the indexer takes.\n"
        '"background": only what nobody else wants. One process at the lowest priority; it pauses while others use the\n'
        "disk, the processor or the memory, and while somebody searches.\n"
        '"balanced": behind everybody else, on all cores but one; it pauses while the disk or the memory is short.\n'
        '"full": all cores, and no pauses: for the first night with a large library.\n'
        "What somebody has just put in through the mount is looked at in any case.",
        read=_budget,
    ),
    Setting(
        table="index",
        name="quiet",
        default='""',
        help='Hours in which the indexer rests, so that disks may sleep: "22:00-07:00". Several are separated by commas.\n'
        'To index at night only, name the day: "07:00-23:00".',
        read=_quiet,
    ),
    Setting(
        table="index",
        name="workers",
        default="0",
        help="Processes that decode and look; 0: as many as the budget says.",
        read=_workers,
    ),
    Setting(
        table="index",
        name="memory",
        default='"1536M"',
        help="Memory that each of these processes may have of its own. What a file needs beyond is refused, with a reason.",
        read=_memory,
    ),
    Setting(
        table="index",
        name="wake_disks",
        default="false",
        help="Whether the full scan every six hours may wake a disk that sleeps. Without, it waits until somebody uses the\n"
        "disk: nothing changes on one that nobody touches. Network disks are always scanned.",
        read=_flag,
    ),
    Setting(
        table="index",
        name="languages",
        default='""',
        help='Languages in which printed text on pictures is read, as tesseract calls them: "eng, deu, chi_sim". Empty: all\n'
        "that are installed (the Debian packages tesseract-ocr-*). Each one makes reading slower.",
        read=_languages,
    ),
    Setting(
        table="people",
        name="smallest",
        default="40",
        help="Height or width in pixels, of a picture brought to 1440, from which on a face may be the first of a person.\n"
        "Smaller ones, of people in the background mostly, only join somebody who is known.",
        read=_pixels,
    ),
    Setting(
        table="people",
        name="quality",
        default="0.2",
        help="The same for how well a face can be seen, 0 to 1: sharp, large, and turned to the camera.",
        read=_share,
    ),
    Setting(
        table="people",
        name="faces",
        default="3",
        help="How many faces make a person whom nobody has named. More for less to look through, fewer for rare guests.",
        read=_faces,
    ),
    Setting(
        table="people",
        name="same_person",
        default="0",
        help="How alike two faces must be to be of one person, as the cosine of their vectors. Higher if different people\n"
        "are taken for one, lower if one is taken for several. 0: as the model says that looked at them, or less where\n"
        "strangers are less alike than it expects.",
        read=_cosine,
    ),
    Setting(
        table="sidecars",
        name="write",
        default="true",
        help="Whether what is decided here is written into an .xmp file beside each original too, where digiKam, darktable and\n"
        "Lightroom read it: tags, albums, persons with the regions of their faces, rating, caption, date and position. The originals themselves are never\n"
        "written to. For folders that are read-only it is written into the state directory, and goes along when exported.",
        read=_flag,
    ),
    Setting(
        table="trash",
        name="keep_days",
        default="30",
        help="Days for which removed originals are kept in the trash; then they are deleted for good. 0: for ever.",
        read=_days,
    ),
    Setting(
        table="guard",
        name="removals",
        default="200",
        help="A user who removes more originals than this within a minute can remove nothing more, until somebody says that\n"
        "it was meant: havenfs guard lift. All of them are in the trash. 0: no guard.",
        read=_removals,
    ),
    Setting(
        table="guard",
        name="percent",
        default="5.0",
        help="The same for a share of the library, in percent, whichever comes first; but it never stops anybody below 50.\n"
        "0: only the number counts.",
        read=_percent,
    ),
    Setting(
        table="sort",
        name="automatic_above",
        default="0",
        help="How sure HavenFS must be, 0.5 to 1, to file what lies in the inbox without being asked. 0: never. What was filed\n"
        "so can be taken back like everything else (havenfs undo).",
        read=_sureness,
    ),
    Setting(
        table="sort",
        name="rule",
        default="[]",
        help="Where some files belong, whatever the other folders look like. Each rule is a table [[sort.rule]] with a name, a\n"
        "query in the search language, and to, a folder of a writable source, in which {year}, {month}, {day}, {country},\n"
        "{city}, {camera} and {kind} are filled in:\n"
        '  [[sort.rule]]\n  name = "invoices"\n  query = \'type:document "invoice"\'\n  to = "files/docs/Invoices/{year}"\n'
        "The first rule that finds a file counts. Rules see words and filters, not what pictures look like.",
        read=_rules,
    ),
)


def default_file() -> Path:
    """`havenfs.toml` where systemd says that configuration is, else in `$XDG_CONFIG_HOME/havenfs` or `~/.config/havenfs`."""
    given = os.environ.get("CONFIGURATION_DIRECTORY")
    if given:
        return Path(given.split(":")[0]) / "havenfs.toml"
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "havenfs" / "havenfs.toml"


def load(file: Path | None) -> Config:
    """What *file* says; None: the default one, which need not be there. Raises ConfigError."""
    path = file or default_file()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if file is None:
            return Config()
        raise ConfigError(f"the settings {path} are not there. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"the settings {path} cannot be read: {said}.") from error
    return parse(text, path)


def parse(text: str, file: Path) -> Config:
    """What *text*, the contents of *file*, says. Raises ConfigError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from error
    known = {setting.key: setting for setting in SETTINGS}
    values: dict[str, dict[str, Any]] = {}
    for table, inner in tables.items():
        if not isinstance(inner, dict):
            raise _unknown(text, file, table)
        for name, value in cast("dict[str, Any]", inner).items():
            key = f"{table}.{name}"
            setting = known.get(key)
            if setting is None:
                raise _unknown(text, file, key)
            try:
                values.setdefault(table, {})[name] = setting.read(value)
            except _RuleError as error:
                line = _rule_lines(text)[error.number : error.number + 1] or [_line(text, key)]
                raise ConfigError(f"{file}, line {line[0]}: {key}: {error}") from None
            except ValueError as error:
                raise ConfigError(f"{file}, line {_line(text, key)}: {key}: {error}") from None
    return Config(
        files=Files(**values.get("files", {})),
        index=Indexing(**values.get("index", {})),
        people=People(**values.get("people", {})),
        sidecars=Sidecars(**values.get("sidecars", {})),
        trash=Trash(**values.get("trash", {})),
        guard=Guard(**values.get("guard", {})),
        sort=_placed(Sorting(**values.get("sort", {})), text),
        file=file,
    )


def _placed(sort: Sorting, text: str) -> Sorting:
    """The same, each rule with its line."""
    lines = _rule_lines(text)
    if len(lines) != len(sort.rule):  # written in a way of its own
        return sort
    return replace(
        sort, rule=tuple(replace(r, line=n) for r, n in zip(sort.rule, lines, strict=True))
    )


def _rule_lines(text: str) -> list[int]:
    """Where each [[sort.rule]] stands."""
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if re.match(r"\s*\[\[\s*sort\s*\.\s*rule\s*\]\]", line)
    ]


def _unknown(text: str, file: Path, key: str) -> ConfigError:
    keys = [setting.key for setting in SETTINGS]
    near = difflib.get_close_matches(key, keys, 1, 0.5) or difflib.get_close_matches(
        key, [k.partition(".")[2] for k in keys], 1, 0.5
    )
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(keys)}"
    return ConfigError(f"{file}, line {_line(text, key)}: there is no setting {key}{hint}")


def _line(text: str, key: str) -> int:
    """Where *key* stands: tomllib does not tell. 1 when it is written in a way of its own."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            table = header[1]
            if table == key:
                return number
        elif entry := re.match(r"\s*([\w\"'.\- ]+?)\s*=", line):
            name = re.sub(r"[\"' ]", "", entry[1])
            if key in (f"{table}.{name}" if table else name, name if not table else None):
                return number
    return 1


def as_text(config: Config) -> str:
    """The file that would say what *config* says, every setting with its help."""
    lines: list[str] = []
    table = ""
    for setting in SETTINGS:
        if setting.table != table:
            table = setting.table
            lines += ["", f"[{table}]"] if lines else [f"[{table}]"]
        lines += ["", *(f"# {line}" for line in setting.help.splitlines())]
        value = getattr(getattr(config, table), setting.name)
        lines.append(f"{setting.name} = {_written(value, empty=setting.default)}")
    return "\n".join(lines)


def _inline(part: Rule | Originals) -> str:
    """One of several tables, inline. JSON's strings are TOML's, for what neither escapes differently; its booleans too."""
    keys = ("name", "query", "to") if isinstance(part, Rule) else ("path", "writable")
    parts = (f"{key} = {json.dumps(getattr(part, key), ensure_ascii=False)}" for key in keys)
    return f"{{{', '.join(parts)}}}"


def _written(value: object, *, empty: str) -> str:
    match value:
        case Budget():
            return f'"{value}"'
        case Quiet():
            parts = (
                f"{s.start // 60:02}:{s.start % 60:02}-{s.end // 60:02}:{s.end % 60:02}"
                for s in value.spans
            )
            return f'"{", ".join(parts)}"'
        case tuple() if not value:
            return empty
        case tuple():
            parts = cast("tuple[str | Rule | Originals, ...]", value)
            tables = [_inline(part) for part in parts if not isinstance(part, str)]
            return f"[{', '.join(tables)}]" if tables else f'"{", ".join(map(str, parts))}"'
        case bool():
            return str(value).lower()
        case int() if value >= LEAST_MEMORY:
            return f'"{value >> 20}M"'
        case None:
            return "0"
        case _:
            return str(value)
