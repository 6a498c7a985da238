"""Random changes of the library behind a mount, and the folders of every view against what a dict says they hold."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from havenfs.catalog import assets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import apsw

pytestmark = pytest.mark.fuse

LONG = settings.get_current_profile_name() == "long"
BOUNDED = settings(
    max_examples=2000 if LONG else 36,
    stateful_step_count=60 if LONG else 25,
    derandomize=not LONG,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LASTING_S = (
    1.0  # far more than the 50 ms of a quiet machine, less than anything that waits for a timeout
)
OTHERS_S = 3.0  # folders whose changes are not announced are asked again after a second

Place = tuple[str, str, str]
SORTS = {
    "photos": "photo", "videos": "video", "documents": "document", "raw": "raw", "live": "live",
    "screenshots": "screenshot",
}  # fmt: skip
"""Folder of types/ -> what a search calls it."""
TAKEN = st.sampled_from(
    [
        None,
        "2019-07-14T10:00:00",
        "2019-12-24T20:00:00",
        "2020-01-01T00:00:00",
        "1999-05-05T05:05:05",
    ]
)
PLACES = st.sampled_from(
    [
        None,
        ("Italy", "Lazio", "Rome"),
        ("Italy", "", ""),
        ("Germany", "Bavaria", "Munich"),
        ("Spain", "", "Madrid"),
    ]
)
KINDS = st.sampled_from(["photo", "photo", "video", "document"])
NAMES = st.sampled_from(["IMG_1.jpg", "IMG_1.jpg", "img_1.JPG", "clip.mp4", "ä b.png"])
WHICH = st.integers(0, 50)
FLAG = st.sampled_from([0, 0, 1])


@dataclass(frozen=True)
class Shown:
    """An asset as the model knows it."""

    name: str
    data: bytes
    taken: str | None
    place: Place | None
    kind: str
    raw: int
    live: int
    screenshot: int

    @property
    def folders(self) -> list[str]:
        """Where it stands."""
        kinds = {"photo": "photos", "video": "videos", "document": "documents"}
        found = ["types/" + kinds[self.kind]]
        if self.kind == "photo" and self.screenshot:
            found = []
        found += ["types/raw"] * self.raw + ["types/live"] * self.live
        found += ["types/screenshots"] * self.screenshot
        date = "_undated" if self.taken is None else f"{self.taken[:4]}/{self.taken[5:7]}"
        where = "_nowhere"
        if self.place is not None:
            where = f"{self.place[0]}/{self.place[2] or '_elsewhere'}"
        return [*found, f"by-date/{date}", f"places/{where}"]


def tree(shown: dict[int, Shown]) -> dict[str, set[str]]:
    """Every folder of the views, with its names."""
    folders: dict[str, set[str]] = {"by-date": set(), "places": set(), "types": set()}
    for name in ("photos", "videos", "live", "raw", "screenshots", "documents"):
        folders["types"].add(name)
        folders[f"types/{name}"] = set()
    for asset in shown.values():
        for folder in asset.folders:
            above, _, step = folder.rpartition("/")
            while above:
                folders.setdefault(above, set()).add(step)
                above, _, step = above.rpartition("/")
            folders.setdefault(folder, set()).add(asset.name)
    return folders


def hide_everything(db: apsw.Connection) -> None:
    db.execute("UPDATE asset SET file_id = NULL WHERE file_id IS NOT NULL")


def show(db: apsw.Connection, asset_id: int) -> None:
    db.execute(
        "UPDATE asset SET file_id = (SELECT id FROM file WHERE asset_id = ?1) WHERE id = ?1",
        (asset_id,),
    )


class Views(RuleBasedStateMachine):
    """The views against the model."""

    mount: ClassVar[Path]
    shelf: ClassVar[Any]
    number: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self.assets: dict[int, Shown] = {}
        self.gone: dict[int, Shown] = {}

    def teardown(self) -> None:
        try:
            self.everything_is_as_the_model_says()
        finally:
            self.shelf.catalog.write(hide_everything)

    # --- how ----------------------------------------------------------------------------------------------

    def at(self, path: str) -> str:
        return str(self.mount / path)

    def pick(self, which: int) -> int:
        return sorted(self.assets)[which % len(self.assets)]

    def settle(self, seen: Callable[[], Any], expected: Any, seconds: float = LASTING_S) -> None:
        """What is seen becomes what is expected, soon."""
        end = time.monotonic() + seconds
        while (now := seen()) != expected:
            assert time.monotonic() < end, f"{now!r} is not {expected!r}"
            time.sleep(0.005)

    def listed(self, folder: str) -> set[str] | None:
        try:
            return set(os.listdir(self.at(folder))) - {"README.txt"}
        except FileNotFoundError:
            return None

    def stood(self, *assets: Shown) -> None:
        """The folders in which these stood or stand are as the model says, by listing and by lookup."""
        folders = tree(self.assets)
        for folder in {folder for asset in assets for folder in asset.folders}:
            self.settle(
                lambda folder=folder: self.listed(folder),
                folders.get(folder) if not folder.startswith("types/") else folders[folder],
            )
            for asset in assets:
                there = asset.name in folders.get(folder, set())
                self.settle(
                    lambda path=f"{folder}/{asset.name}": os.path.lexists(self.at(path)), there
                )

    # --- the library moves --------------------------------------------------------------------------------

    @rule(taken=TAKEN, place=PLACES, kind=KINDS, name=NAMES, raw=FLAG, live=FLAG, screenshot=FLAG)
    def add(
        self,
        taken: str | None,
        place: Place | None,
        kind: str,
        name: str,
        raw: int,
        live: int,
        screenshot: int,
    ) -> None:
        number = next(self.number)
        data = b"%d " % number * (1 + number % 3000)
        asset_id = self.shelf.add(
            f"{number}/{name}", data, taken=taken, place=place, kind=kind, raw=raw, live=live, screenshot=screenshot
        )  # fmt: skip
        given = self.shelf.catalog.read(assets.get, asset_id).name
        self.assets[asset_id] = Shown(given, data, taken, place, kind, raw, live, screenshot)
        self.stood(self.assets[asset_id])

    @precondition(lambda self: self.assets)
    @rule(which=WHICH)
    def remove(self, which: int) -> None:
        asset_id = self.pick(which)
        self.shelf.remove(asset_id)
        self.gone[asset_id] = self.assets.pop(asset_id)
        self.stood(self.gone[asset_id])

    @precondition(lambda self: self.gone)
    @rule(which=WHICH)
    def come_back(self, which: int) -> None:
        asset_id = sorted(self.gone)[which % len(self.gone)]
        self.shelf.catalog.write(show, asset_id)
        self.assets[asset_id] = self.gone.pop(asset_id)
        self.stood(self.assets[asset_id])

    @precondition(lambda self: self.assets)
    @rule(which=WHICH, taken=TAKEN)
    def date(self, which: int, taken: str | None) -> None:
        asset_id = self.pick(which)
        seconds = None
        if taken is not None:
            seconds = int(datetime.fromisoformat(taken).replace(tzinfo=UTC).timestamp())
        self.shelf.put(asset_id, taken_local=seconds, taken_source=seconds and "exif")
        self.change(asset_id, taken=taken)

    @precondition(lambda self: self.assets)
    @rule(which=WHICH, kind=KINDS, raw=FLAG, live=FLAG, screenshot=FLAG)
    def sort(self, which: int, kind: str, raw: int, live: int, screenshot: int) -> None:
        asset_id = self.pick(which)
        columns: dict[str, Any] = {"kind": kind, "raw": raw, "live": live, "screenshot": screenshot}
        self.shelf.put(asset_id, **columns)
        self.change(asset_id, **columns)

    @precondition(lambda self: self.assets)
    @rule(which=WHICH)
    def edit(self, which: int) -> None:
        """Other bytes at the same path, as the indexer records them."""
        asset_id = self.pick(which)
        data = b"edited %d " % next(self.number) * 999
        self.shelf.edit(asset_id, data)
        self.change(asset_id, data=data)
        asset = self.assets[asset_id]
        for folder in asset.folders:
            path = self.at(f"{folder}/{asset.name}")
            self.settle(lambda path=path: os.lstat(path).st_size, len(data))
            with open(path, "rb") as file:
                assert file.read() == data

    def change(self, asset_id: int, **fields: Any) -> None:
        before = self.assets[asset_id]
        self.assets[asset_id] = replace(before, **fields)
        self.stood(before, self.assets[asset_id])

    # --- people look --------------------------------------------------------------------------------------

    @rule()
    def everything_is_as_the_model_says(self) -> None:
        expected = tree(self.assets)
        for folder, names in expected.items():
            self.settle(lambda folder=folder: self.listed(folder), names)
            with os.scandir(self.at(folder)) as listing:
                for entry in listing:
                    below = f"{folder}/{entry.name}" in expected
                    assert entry.is_dir(follow_symlinks=False) == below
                    assert os.lstat(entry.path).st_ino == entry.inode()
        for asset in self.assets.values():
            numbers: set[int] = set()
            for folder in asset.folders:
                path = self.at(f"{folder}/{asset.name}")
                self.settle(lambda path=path: os.lstat(path).st_size, len(asset.data))
                numbers.add(os.lstat(path).st_ino)
                with open(path, "rb") as file:
                    assert file.read() == asset.data
            assert len(numbers) == 1, "one asset, one inode"

    @precondition(lambda self: self.assets)
    @rule(which=WHICH, name=NAMES)
    def names_that_are_not_there_are_not_found(self, which: int, name: str) -> None:
        folders = tree(self.assets)
        folder = sorted(folders)[which % len(folders)]
        for missing in (f"no {name}", name.upper() + "x", "9999", "desktop.ini", "y" * 256):
            with pytest.raises(OSError, match=r"No such file|File name too long"):
                os.lstat(self.at(f"{folder}/{missing}"))

    @precondition(lambda self: self.assets)
    @rule(which=WHICH)
    def facets_are_intersections(self, which: int) -> None:
        asset = self.assets[self.pick(which)]
        sort = asset.folders[0].removeprefix("types/")
        alike = [other for other in self.assets.values() if f"types/{sort}" in other.folders]
        dated = {other.name for other in alike if other.taken is not None}
        undated = {other.name for other in alike if other.taken is None}
        years = {other.taken[:4] for other in alike if other.taken} | (
            {"_undated"} if undated else set()
        )
        for start in (f"types/{sort}", f"search/type={SORTS[sort]}"):
            self.settle(lambda start=start: self.listed(f"{start}/@by-date"), years, OTHERS_S)
        self.settle(lambda: self.listed(f"by-date/@types/{sort}"), dated | undated, OTHERS_S)

    # --- people try ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.assets)
    @rule(which=WHICH, folder=st.integers(0, 4), other=WHICH)
    def an_answer_refuses_to_be_changed(self, which: int, folder: int, other: int) -> None:
        asset = self.assets[self.pick(which)]
        here = asset.folders[folder % len(asset.folders)]
        leaf = self.at(f"{here}/{asset.name}")
        # Into a month or a city one may put what has no date or place: that is test_corrections' business.
        folders = sorted(
            f for f in tree(self.assets) if f.split("/")[0] not in ("by-date", "places")
        )
        there = self.at(folders[other % len(folders)] + "/new")
        desk = self.at("files/desk/original")
        for attempt in (
            lambda: os.open(leaf, os.O_WRONLY),
            lambda: os.open(leaf, os.O_RDONLY | os.O_TRUNC),
            lambda: os.open(there, os.O_WRONLY | os.O_CREAT, 0o644),
            lambda: os.truncate(leaf, 0),
            lambda: os.chmod(leaf, 0o644),
            lambda: os.chown(leaf, 0, 0),
            lambda: os.utime(leaf, (0, 0)),
            lambda: os.unlink(leaf),
            lambda: os.rename(leaf, there),
            lambda: os.rename(leaf, self.at("files/desk/stolen")),
            lambda: os.rename(desk, there),
            lambda: os.rename(self.at(here), self.at("types/new")),
            lambda: os.link(leaf, there),
            lambda: os.link(leaf, self.at("files/desk/stolen")),
            lambda: os.link(desk, there),
            lambda: os.symlink("x", there),
            lambda: os.mkdir(there),
            lambda: os.rmdir(self.at(here)),
            lambda: os.mkfifo(there),
            lambda: os.setxattr(leaf, "user.haven.hash", b"x"),
            lambda: os.removexattr(leaf, "user.haven.hash"),
        ):
            with pytest.raises(PermissionError) as caught:
                attempt()
            assert caught.value.errno == errno.EPERM
        with pytest.raises(OSError, match="not supported"):
            os.setxattr(leaf, "user.haven.nonsense", b"x")
        with pytest.raises(FileExistsError):
            os.mkdir(self.at(f"search/{asset.name}"))


@pytest.mark.timeout(7200 if LONG else 300)
def test_views_are_what_the_library_says(shelf: Any, tmp_path: Path, serve: Any):
    desk = shelf.source("desk", tmp_path / "desk", writable=True)
    (desk / "original").write_bytes(b"here to stay")
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        Views.mount, Views.shelf = mount.point, shelf
        Views.number = iter(range(1_000_000))
        run_state_machine_as_test(Views, settings=BOUNDED)
    assert (desk / "original").read_bytes() == b"here to stay"
    assert os.listdir(desk) == ["original"]
