"""Invented households: the folders of three families, each with its own way of keeping things, and what a catalog knows of the files.

Nothing of it is drawn or written: rows as `havenfs.catalog.sorting` reads them, with the noise that real ones have (wrong clocks,
lost dates, letters that mention other companies, photos put into the wrong folder). The same for the same seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from havenfs.catalog.sorting import Folder, Row
from havenfs.entities import AssetId, Place, PlaceId, PlaceKind, SourceId

if TYPE_CHECKING:
    from collections.abc import Callable

STYLES = ("months", "events", "people")
CITIES = ("Rome", "Hamburg", "Lisbon", "Vienna", "Oslo", "Kyoto", "Ghent", "Leeds", "Porto", "Graz")
HOME = "Hamburg"
CAMERAS = ("Pixel 7", "iPhone 12", "Canon EOS 80D", "DMC-TZ101")
SENDERS = (
    "Stadtwerke Strom Zähler Abschlag kWh Verbrauch",
    "Allianz Versicherung Police Beitrag Schaden Haftpflicht",
    "Sparkasse Konto Kontoauszug Saldo Buchung IBAN",
    "Telekom Anschluss Mobilfunk Rufnummer Tarif DSL",
    "Krankenkasse Arzt Zuzahlung Versichertenkarte Mitglied",
    "Landlord Miete Nebenkosten Wohnung Kaution Heizung",
)
COMMON_TEXT = (
    "the and you your with from dear please date page number total amount sincerely customer street "
    "invoice payment letter tel fax www per account thank und der die das mit für Sehr geehrte Damen Herren Betrag Datum Rechnung Seite"
)
COMMON = COMMON_TEXT.split()
SUBJECTS = {
    "Recipes": "flour butter sugar oven minutes stir onion garlic pepper salt teaspoon bake",
    "School": "homework teacher class pupil timetable exam lesson maths spelling excursion",
    "Manuals": "warning appliance button battery warranty cable install display socket safety",
    "Work": "meeting contract project employer salary holiday payslip department report",
}
SHOPS = ("Rewe", "Ikea", "Decathlon", "Bauhaus", "Lidl", "Saturn")


@dataclass(frozen=True, slots=True)
class Household:
    """What a family has, and where it lies."""

    rows: list[tuple[Folder, Row]]
    gazetteer: dict[PlaceId, Place]


def gazetteer() -> dict[PlaceId, Place]:
    """The cities, each in a country of its own."""
    found: dict[PlaceId, Place] = {}
    for number, city in enumerate(CITIES):
        land, town = PlaceId(2 * number + 1), PlaceId(2 * number + 2)
        found[land] = Place(id=land, kind=PlaceKind.COUNTRY, name=f"Land of {city}")
        found[town] = Place(id=town, kind=PlaceKind.CITY, name=city, parent_id=land)
    return found


class _Family:
    def __init__(self, seed: int, style: str, years: range) -> None:
        self.chance = random.Random(f"{seed} {style}")
        self.style = style
        self.years = years
        self.rows: list[tuple[Folder, Row]] = []
        self.cameras = self.chance.sample(CAMERAS, 3)
        self._count = 0

    def put(self, folder: str, name: str, **known: object) -> None:
        self._count += 1
        if self.chance.random() < 0.02 and self.rows:  # it was put where it does not belong
            folder = self.chance.choice(self.rows)[0].path.decode()
        row = Row(
            asset_id=AssetId(self._count),
            path=f"{folder}/{name}".encode(),
            **{
                "kind": "photo",
                "taken": None,
                "camera": None,
                "place_id": None,
                "text": "",
                "clusters": (),
                "vector": None,
                **known,
            },  # pyright: ignore[reportArgumentType]
        )
        self.rows.append((Folder(SourceId(1), folder.encode()), row))

    # --- photos -------------------------------------------------------------------------------------------------

    def event(
        self, start: datetime, city: str, count: int, folder: Callable[[datetime], str]
    ) -> None:
        moment, camera = start, self.chance.choice(self.cameras)
        everybody = self.chance.sample(range(1, 12), 4)
        for _ in range(count):
            moment += timedelta(minutes=self.chance.expovariate(1 / 25))
            if self.chance.random() < 0.05:
                moment += timedelta(hours=self.chance.uniform(8, 14))
            self.photo(moment, city, camera, folder(moment), everybody)
            if self.chance.random() < 0.1:  # somebody else's phone
                camera = self.chance.choice(self.cameras)

    def photo(
        self, moment: datetime, city: str, camera: str, folder: str, everybody: list[int]
    ) -> None:
        seconds = int(moment.timestamp())
        dated = self.chance.random() > 0.04
        if self.chance.random() < 0.02:
            seconds -= int(timedelta(days=self.chance.uniform(300, 3000)).total_seconds())
        style = CAMERAS.index(camera)
        number = self.chance.randrange(10_000)
        name = (
            f"PXL_{moment:%Y%m%d_%H%M%S}{number:03}.jpg",
            f"IMG_{number:04}.HEIC",
            f"IMG_{number:04}.JPG",
            f"P{number:07}.JPG",
        )[style]
        here = self.chance.random() < (0.85, 0.8, 0.0, 0.1)[style]
        self.put(
            folder,
            name,
            taken=seconds if dated else None,
            camera=camera if dated else None,
            place_id=2 * CITIES.index(city) + 2 if here and dated else None,
            clusters=tuple(self.chance.sample(everybody, self.chance.randrange(3))),
        )

    def photos(self) -> None:
        for year in self.years:
            for month in range(1, 13):
                start = datetime(year, month, self.chance.randint(1, 20), 10, tzinfo=UTC)
                for _ in range(self.chance.randint(1, 4)):
                    away = self.chance.random() < 0.25
                    city = self.chance.choice(CITIES) if away else HOME
                    when = start + timedelta(days=self.chance.uniform(0, 25))
                    self.event(
                        when,
                        city,
                        self.chance.randint(4, 30 if away else 12),
                        self.filed(when, city),
                    )

    def filed(self, start: datetime, city: str) -> Callable[[datetime], str]:
        if self.style == "months":
            return lambda moment: f"Photos/{moment:%Y}/{moment:%Y-%m}"
        if self.style == "events":
            if city == HOME and self.chance.random() < 0.7:
                return lambda moment: f"Pictures/{moment:%Y}/At home"
            named = self.chance.choice((city, city, f"{city} with friends"))
            return lambda _: f"Pictures/{start:%Y}/{start:%Y-%m} {named}"
        if city != HOME:
            return lambda _: f"Fotos/Reisen/{city} {start:%Y}"
        return lambda moment: f"Fotos/{moment:%Y}"

    def phone(self) -> None:
        for year in self.years:
            for _ in range(25):
                moment = datetime(year, 1, 1, tzinfo=UTC) + timedelta(
                    hours=self.chance.uniform(0, 8700)
                )
                seconds = int(moment.timestamp())
                self.put(
                    "Screenshots",
                    f"Screenshot_{moment:%Y%m%d-%H%M%S}.png",
                    kind="screenshot",
                    taken=seconds,
                )
                self.put(
                    "WhatsApp",
                    f"IMG-{moment:%Y%m%d}-WA{self.chance.randrange(99):04}.jpg",
                    taken=seconds,
                )
                if self.chance.random() < 0.3:
                    self.put(
                        "Clips",
                        f"VID_{moment:%Y%m%d_%H%M%S}.mp4",
                        kind="video",
                        taken=seconds,
                        camera=self.cameras[0],
                    )

    # --- papers -------------------------------------------------------------------------------------------------

    def paper(self, folder: str, words: str, moment: datetime, name: str) -> None:
        text = self.chance.sample(words.split(), self.chance.randint(3, len(words.split())))
        text += self.chance.sample(COMMON, 12)
        if self.chance.random() < 0.3:  # other companies are mentioned
            text += self.chance.choice(SENDERS).split()[:1]
        self.chance.shuffle(text)
        dated = self.chance.random() < 0.7
        scanned = self.chance.random() < 0.5
        self.put(
            folder,
            f"Scan_{self.chance.randrange(10_000):04}.pdf" if scanned else name,
            kind="document",
            taken=int(moment.timestamp()) if dated else None,
            text=" ".join(text),
        )

    def papers(self) -> None:
        for year in self.years:
            for sender in SENDERS:
                who = sender.split()[0]
                for month in self.chance.sample(range(1, 13), 4):
                    moment = datetime(year, month, self.chance.randint(1, 28), tzinfo=UTC)
                    folder = {
                        "months": f"Papers/{year}",
                        "events": f"Documents/{who}",
                        "people": f"Papiere/{who}/{year}",
                    }[self.style]
                    self.paper(folder, sender, moment, f"{who} {moment:%Y-%m}.pdf")
            for month in range(1, 13):
                shop = self.chance.choice(SHOPS)
                moment = datetime(year, month, self.chance.randint(1, 28), tzinfo=UTC)
                folder = f"Receipts/{year}" if self.style != "events" else "Documents/Receipts"
                self.paper(
                    folder,
                    f"{shop} receipt cash total change VAT thank visit EUR",
                    moment,
                    f"receipt_{month:02}.pdf",
                )
            for subject, words in SUBJECTS.items():
                for _ in range(3):
                    moment = datetime(year, self.chance.randint(1, 12), 9, tzinfo=UTC)
                    self.paper(
                        f"Documents/{subject}",
                        words,
                        moment,
                        f"{subject.lower()[:-1]} {self.chance.randrange(99)}.pdf",
                    )


def household(style: str, *, seed: int = 1, years: range = range(2016, 2025)) -> Household:
    """A family's library, about 1,800 files for nine years."""
    family = _Family(seed, style, years)
    family.photos()
    family.phone()
    family.papers()
    # As files come to lie in one folder, whose names must differ.
    rows = [
        (
            folder,
            replace(row, path=folder.path + b"/" + b"%d_" % number + row.path.rpartition(b"/")[2]),
        )
        if folder.path == b""
        else (folder, row)
        for number, (folder, row) in enumerate(family.rows)
    ]
    return Household(rows, gazetteer())
