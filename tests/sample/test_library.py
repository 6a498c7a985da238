"""The sample library as a whole: what is there, that it can be read, and that it is the same each time."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np
import pillow_heif
import pytest
import rawpy
from PIL import Image, ImageOps, UnidentifiedImageError

from havenfs.errors import ConfigError
from havenfs.sample import library, shots, truth

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.sample.truth import Known, Truth

PHOTOS = 40


def _extension(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _soft(drawn: Truth) -> dict[str, Known]:
    """The assets that are not hard."""
    return {path: known for path, known in drawn.assets.items() if path not in drawn.hard}


def _open(path: Path) -> Image.Image:
    if path.suffix.lower() == ".heic":
        return pillow_heif.open_heif(path).to_pillow()
    with Image.open(path) as image:
        image.load()
        return image


def test_every_file_of_the_truth_exists_and_no_other(drawn: Truth, directory: Path) -> None:
    found = {
        os.path.relpath(os.path.join(folder, name), directory)
        for folder, folders, names in os.walk(directory)
        for name in (
            *names,
            *(each for each in folders if os.path.islink(os.path.join(folder, each))),
        )
    }
    assert found - {truth.FILE_NAME} == set(drawn.files)
    assert len(set(drawn.files)) == len(drawn.files)
    assert set(drawn.assets) <= set(drawn.files)


def test_the_library_has_as_many_photos_as_asked_and_all_formats(drawn: Truth) -> None:
    originals = [
        path
        for path, known in _soft(drawn).items()
        if known.kind == "photo" and not (known.same_as or known.near or known.mate)
    ]
    assert len(originals) == PHOTOS
    formats = Counter(_extension(path) for path in drawn.assets)
    assert set(formats) >= {
        "jpg",
        "png",
        "heic",
        "tif",
        "dng",
        "mp4",
        "mov",
        "pdf",
        "docx",
        "txt",
        "md",
    }
    assert set(formats) & {"webp", "avif"}


def test_a_library_of_four_hundred_has_every_picture_format_and_orientation() -> None:
    plan = shots.plan(400, 7)
    assert len(plan) == 400
    assert {_extension(shot.path) for shot in plan} == {"jpg", "png", "webp", "avif", "heic", "tif"}
    assert {shot.orientation for shot in plan} == set(range(1, 9))
    assert sum(shot.raw for shot in plan) >= 4
    assert {person.name for shot in plan for person in shot.people} == {
        person.name for person in shots.PEOPLE
    }
    assert {shot.dated for shot in plan} == {"exif", "name", "folder", "xmp", ""}
    assert any(shot.dated == "exif" and shot.offset is None for shot in plan)
    assert {shot.taken.year for shot in plan if shot.taken} >= set(range(2014, 2024))
    assert any(
        count > 3 for count in Counter(shot.path.rpartition("/")[2] for shot in plan).values()
    )


@pytest.mark.parametrize("photos", [1, 2, 7, 19, 20, 333, 1234])
def test_any_number_of_photos_can_be_planned_under_unique_names(photos: int) -> None:
    plan = shots.plan(photos, 3)
    assert len(plan) == photos
    assert len({shot.path.casefold() for shot in plan}) == photos


def test_every_picture_can_be_decoded(drawn: Truth, directory: Path) -> None:
    for path, known in _soft(drawn).items():
        if known.kind != "photo":
            continue
        if _extension(path) == "dng":
            with rawpy.imread(str(directory / path)) as raw:
                assert raw.postprocess(half_size=True, user_flip=0).std() > 1
        else:
            assert min(_open(directory / path).size) >= 300


def test_a_raw_shows_what_its_jpeg_shows(drawn: Truth, directory: Path) -> None:
    path, mate = next((path, known.mate) for path, known in drawn.assets.items() if known.mate)
    assert mate is not None
    with rawpy.imread(str(directory / path)) as raw:
        developed = Image.fromarray(raw.postprocess(no_auto_bright=True, use_camera_wb=True))
    jpeg = _open(directory / mate)
    assert developed.size == jpeg.size
    small = [np.asarray(image.resize((32, 24)), dtype=float).ravel() for image in (developed, jpeg)]
    assert np.corrcoef(small)[0, 1] > 0.95


def test_dates_and_offsets_stand_in_the_exif(drawn: Truth, directory: Path) -> None:
    zoned = local = 0
    for path, known in _soft(drawn).items():
        if (
            _extension(path) not in {"jpg", "heic", "webp", "avif"}
            or not (directory / path).is_file()
        ):
            continue
        inner = _open(directory / path).getexif().get_ifd(0x8769)
        if 0x9003 not in inner:
            assert known.taken is None or re.search(r"\d{8}|\d{4}-\d\d-\d\d|scan_", path), path
            continue
        assert known.taken is not None
        assert inner[0x9003].replace(":", "").replace(" ", "T") == known.taken[:19].replace(
            "-", ""
        ).replace(":", "")
        offset = inner.get(0x9011)
        assert known.taken[19:] == (offset or "")
        zoned, local = zoned + bool(offset), local + (not offset)
    assert zoned >= 5
    assert local >= 3


def test_gps_stands_in_the_exif_for_twenty_cities_of_ten_countries(
    drawn: Truth, directory: Path
) -> None:
    assert len({known.city for known in drawn.assets.values() if known.city}) >= 20
    assert len({known.country for known in drawn.assets.values() if known.country}) >= 10
    for path, known in _soft(drawn).items():
        if known.kind == "photo" and _extension(path) != "dng":
            gps = _open(directory / path).getexif().get_ifd(0x8825)
            assert (2 in gps) == (known.city is not None), path


def test_orientation_flags_turn_the_picture_upright(drawn: Truth, directory: Path) -> None:
    turned = 0
    for path, known in _soft(drawn).items():
        if _extension(path) != "jpg" or known.same_as:
            continue
        image = _open(directory / path)
        if image.getexif().get(0x0112, 1) > 1:
            turned += 1
            assert ImageOps.exif_transpose(image).size in {(1024, 768), (768, 1024), (1280, 960)}
    assert turned >= 2


def test_videos_have_a_scene_in_the_middle_and_their_time_in_the_container(
    drawn: Truth, directory: Path
) -> None:
    videos = [
        path for path, known in _soft(drawn).items() if known.kind == "video" and known.mate is None
    ]
    assert len(videos) == 4
    for path in videos:
        with av.open(str(directory / path)) as container:
            assert "creation_time" in container.metadata
            assert ("location" in container.metadata) == (drawn.assets[path].city is not None)
            assert container.streams.video[0].codec_context.name == "h264"
            levels = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
        assert 2 * 15 <= len(levels) <= 5 * 15 + 1
        assert levels[0] < 20
        assert levels[len(levels) // 2] > levels[0] + 5


def test_films_and_originals_lie_beside_the_picture_that_stands_for_them(drawn: Truth) -> None:
    pairs = {path: known.mate for path, known in drawn.assets.items() if known.mate}
    films = [path for path in pairs if path.endswith(".MOV")]
    originals = [path for path, mate in pairs.items() if mate.endswith("-edited.jpg")]
    assert len(films) == len(originals) == 2
    for path in films + originals:
        assert path.rpartition("/")[0] == pairs[path].rpartition("/")[0]
        assert not any(path in answers for answers in drawn.queries.values())


def test_copies_are_equal_and_near_copies_are_not(drawn: Truth, directory: Path) -> None:
    exact = [(path, known.same_as) for path, known in drawn.assets.items() if known.same_as]
    near = [(path, known.near) for path, known in drawn.assets.items() if known.near]
    assert len(exact) >= 3
    assert len(near) >= 3
    for path, of in exact:
        assert (directory / path).read_bytes() == (directory / str(of)).read_bytes()
    for path, of in near:
        images = [
            ImageOps.exif_transpose(_open(directory / str(each))).convert("RGB")
            for each in (path, of)
        ]
        assert abs(images[0].width / images[0].height - images[1].width / images[1].height) < 0.05
        small = [np.asarray(image.resize((32, 32)), dtype=float).ravel() for image in images]
        assert (directory / path).read_bytes() != (directory / str(of)).read_bytes()
        assert np.corrcoef(small)[0, 1] > 0.7


def test_names_collide_across_folders(drawn: Truth) -> None:
    names = Counter(path.rpartition("/")[2] for path in drawn.assets)
    assert names["IMG_0001.jpg"] + names["DSC_0001.JPG"] >= 3


def test_sidecars_lie_beside_their_pictures(drawn: Truth, directory: Path) -> None:
    sidecars = [path for path in drawn.files if path.endswith(".xmp")]
    assert sidecars
    rated = [known for known in drawn.assets.values() if known.rating is not None]
    assert len(rated) == len(sidecars)
    for path in sidecars:
        stem = path.removesuffix(".xmp")
        assert any(asset == stem or asset.rpartition(".")[0] == stem for asset in drawn.assets)
        assert "xmp:Rating" in (directory / path).read_text("utf-8")


def test_the_hard_files_are_what_they_claim(
    drawn: Truth, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    hard = {os.fsencode(path).removeprefix(b"hard/"): path for path in drawn.hard}
    folder = os.fsencode(directory / "hard") + b"/"
    assert len(hard) == 26
    assert os.path.getsize(folder + b"empty.jpg") == 0
    assert max(map(len, hard)) == 255
    assert any(b"\n" in name for name in hard)
    assert any(b"\xff" in name for name in hard)
    assert any("e\u0301".encode() in name for name in hard)
    assert stat.S_ISFIFO(os.lstat(folder + b"pipe.jpg").st_mode)
    assert os.lstat(folder + b"unreadable.jpg").st_mode & 0o777 == 0
    with pytest.raises(OSError, match="levels of symbolic links"):
        os.stat(folder + b"circle a.jpg")
    with pytest.raises(FileNotFoundError):
        os.stat(folder + b"dangling.jpg")
    for name in ("huge.jpg", "huge.png"):
        assert os.path.getsize(directory / "hard" / name) < 64_000
        with Image.open(directory / "hard" / name) as image:
            assert image.size == (16320, 12240)
    with pytest.raises((OSError, SyntaxError)):
        _open(directory / "hard/truncated.jpg")
    with pytest.raises(UnidentifiedImageError):
        Image.open(directory / "hard/a note.jpg")
    with pytest.raises(av.error.FFmpegError):
        av.open(str(directory / "hard/cut.mp4"))


def test_hard_files_that_are_assets_can_be_read(drawn: Truth, directory: Path) -> None:
    good = [
        path
        for path in drawn.hard
        if drawn.assets.get(path, None) and drawn.assets[path].kind == "photo"
    ]
    assert len(good) >= 8
    for path in good:
        assert _open(directory / path).size == (640, 480)


def test_progress_counts_to_the_end(drawn: Truth, told: list[tuple[int, int]]) -> None:
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1))
    assert told[-1][0] == told[-1][1] < len(drawn.files)


def test_the_same_arguments_draw_the_same_bytes(tmp_path: Path) -> None:
    def digests(directory: Path) -> dict[str, str]:
        return {
            str(path.relative_to(directory)): hashlib.blake2b(path.read_bytes()).hexdigest()
            for path in directory.rglob("*")
            if path.is_file() and not path.is_symlink() and path.name != truth.FILE_NAME
        }

    first, second, other = (
        library.write(tmp_path / str(place), photos=3, seed=seed)
        for place, seed in enumerate((5, 5, 6))
    )
    assert first == second
    assert digests(tmp_path / "0") == digests(tmp_path / "1")
    assert other.assets != first.assets


def test_writing_again_does_nothing_and_other_arguments_replace_it(tmp_path: Path) -> None:
    first = library.write(tmp_path / "a", photos=2)
    marks = {path: os.lstat(tmp_path / "a" / path).st_ctime_ns for path in first.files}
    assert library.write(tmp_path / "a", photos=2) == first
    assert marks == {path: os.lstat(tmp_path / "a" / path).st_ctime_ns for path in first.files}
    other = library.write(tmp_path / "a", photos=3)
    left = {path for path in first.files if os.path.lexists(tmp_path / "a" / path)}
    assert left <= set(other.files)
    assert not [folder for folder, folders, names in os.walk(tmp_path / "a") if not folders + names]


def test_an_interrupted_library_is_finished_by_the_next_run(tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.write(tmp_path / "a", photos=3, progress=stop)
    assert not truth.load(tmp_path / "a").finished
    whole = library.write(tmp_path / "a", photos=3)
    assert whole.finished
    assert all(os.path.lexists(tmp_path / "a" / path) for path in whole.files)


def test_a_directory_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("do not touch")
    with pytest.raises(ConfigError, match="not a sample library"):
        library.write(tmp_path, photos=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ConfigError, match="not a directory"):
        library.write(tmp_path / "mine.txt", photos=2)
    with pytest.raises(ConfigError, match="at least 1"):
        library.write(tmp_path / "new", photos=0)
