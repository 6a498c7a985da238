"""Models come from folders and archives that somebody brought, some of them with ill intent."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.config import State
from havenfs.errors import InstallError, LicenceNotAccepted
from havenfs.models import install, manifest as manifests, registry, unpack
from havenfs.models.manifest import ModelKind

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path / "state")


def bring(
    state: State, source: Path, name: str | None = None, *, accepted: bool = False
) -> registry.Model:
    return install.bring(state, source, name=name, accepted=accepted, try_out=lambda _: None)


def left(state: State) -> list[str]:
    return sorted(path.name for path in state.models.iterdir() if path.name != ".lock")


def published(tmp_path: Path, name: str = "ViT-B-32__openai") -> Path:
    """The miniature as a published export: no manifest."""
    shutil.copytree(registry.BUILTIN[ModelKind.CLIP], tmp_path / name)
    (tmp_path / name / "manifest.json").unlink()
    return tmp_path / name


def packed(tmp_path: Path, ending: str, source: Path, *, inside: str = "") -> Path:
    """An archive of the files of *source*, below the folder *inside*."""
    target = tmp_path / f"{source.name}{ending}"
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    if ending == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in files:
                zipped.write(path, inside + path.relative_to(source).as_posix())
    else:
        mode: Any = "w:" + ending.removeprefix(".tar").lstrip(".")
        with tarfile.open(target, mode) as tar:
            for path in files:
                tar.add(path, inside + path.relative_to(source).as_posix())
    return target


def test_a_folder_is_copied_and_the_original_left_alone(state: State, tmp_path: Path):
    source = published(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    model = bring(state, source)
    assert (model.name, model.licence) == ("ViT-B-32__openai", "MIT")
    assert registry.verify(model) == []
    assert before == {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    manifest = manifests.read(model.directory)
    assert manifest is not None
    assert manifest.source == "brought from ViT-B-32__openai"


@pytest.mark.parametrize("inside", ["", "model/"])
@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".tar.xz"])
def test_an_archive_is_unpacked_with_or_without_a_folder_around(
    state: State, tmp_path: Path, ending: str, inside: str
):
    model = bring(state, packed(tmp_path, ending, published(tmp_path, "mine"), inside=inside))
    assert model.name == "mine"
    assert registry.verify(model) == []
    assert left(state) == ["mine"]


def test_a_model_with_a_manifest_keeps_what_it_says_and_may_get_another_name(
    state: State, tmp_path: Path
):
    model = bring(state, packed(tmp_path, ".zip", registry.BUILTIN[ModelKind.CLIP]), "other")
    assert (model.name, model.miniature) == ("other", True)
    assert model.calibration == registry.builtin().calibration
    assert model.id != registry.builtin().id
    assert registry.verify(model) == []


def test_a_model_that_differs_from_its_manifest_is_refused(state: State, tmp_path: Path):
    source = tmp_path / "mine"
    shutil.copytree(registry.BUILTIN[ModelKind.CLIP], source)
    (source / "visual/extra.onnx").write_bytes(b"unnamed")
    with pytest.raises(InstallError, match=r"extra\.onnx, which its manifest does not name"):
        bring(state, source, "mine")
    (source / "visual/extra.onnx").unlink()
    (source / "visual/model.onnx").write_bytes(b"rotten")
    with pytest.raises(InstallError, match=r"damaged: visual/model\.onnx differs"):
        bring(state, source, "mine")
    assert left(state) == []


def test_the_licence_counts_also_for_what_was_brought(state: State, tmp_path: Path):
    source = published(tmp_path, "ViT-L-14-quickgelu__dfn2b")
    with pytest.raises(LicenceNotAccepted):
        bring(state, source)
    assert bring(state, source, accepted=True).licence.startswith("apple-amlr")


@pytest.mark.parametrize("name", ["../evil", "", ".hidden", "a/b", "mini-clip"])
def test_a_name_that_cannot_be_is_refused(state: State, tmp_path: Path, name: str):
    with pytest.raises(InstallError, match="name"):
        bring(state, published(tmp_path), name)
    assert left(state) == []


def tarred(tmp_path: Path, *members: tarfile.TarInfo) -> Path:
    path = tmp_path / "hostile.tar"
    with tarfile.open(path, "w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 1
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = size if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (member("../../evil"), "leads out of it"),
        (member("/etc/evil"), "leads out of it"),
        (member("visual/../../../evil"), "leads out of it"),
        (member("visual/model.onnx", tarfile.SYMTYPE, "/etc/passwd"), "no plain file"),
        (member("visual/model.onnx", tarfile.LNKTYPE, "../evil"), "no plain file"),
        (member("config.json", tarfile.CHRTYPE), "no plain file"),
        (member("config.json", tarfile.FIFOTYPE), "no plain file"),
    ],
)
def test_a_hostile_tar_is_refused(
    state: State, tmp_path: Path, hostile: tarfile.TarInfo, words: str
):
    with pytest.raises(InstallError, match=words):
        bring(state, tarred(tmp_path, hostile), "mine")
    assert left(state) == []
    assert list(tmp_path.rglob("evil")) == []


def test_the_same_file_twice_is_refused(state: State, tmp_path: Path):
    with pytest.raises(InstallError, match="twice"):
        bring(state, tarred(tmp_path, member("config.json"), member("CONFIG/../config.json")), "m")
    with pytest.raises(InstallError, match="twice"):
        bring(state, tarred(tmp_path, member("config.json"), member("config.json")), "m")


def test_a_symlink_in_a_zip_or_a_folder_is_refused(state: State, tmp_path: Path):
    link = zipfile.ZipInfo("visual/model.onnx")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as zipped:
        zipped.writestr(link, "/etc/passwd")
    with pytest.raises(InstallError, match="no plain file"):
        bring(state, tmp_path / "m.zip")
    source = published(tmp_path)
    (source / "visual/model.onnx").unlink()
    (source / "visual/model.onnx").symlink_to("/etc/passwd")
    with pytest.raises(InstallError, match="not a plain file"):
        bring(state, source)


def test_a_bomb_is_stopped_early(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpack, "EASY", 8 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("visual/model.onnx", bytes(100 << 20))
    with pytest.raises(InstallError, match="larger than a model can be"):
        bring(state, tmp_path / "bomb.zip")
    monkeypatch.setattr(unpack, "ENTRIES", 50)
    many = [member(f"visual/{n}") for n in range(60)]
    with pytest.raises(InstallError, match="too many entries"):
        bring(state, tarred(tmp_path, *many), "m")
    assert left(state) == []


@pytest.mark.parametrize("cut", [10, 1000, 200_000])
@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tar.xz"])
def test_a_damaged_archive_is_an_error_in_words(
    state: State, tmp_path: Path, ending: str, cut: int
):
    path = packed(tmp_path, ending, published(tmp_path, "mine"))
    content = bytearray(path.read_bytes())
    for at in range(cut, len(content), len(content) // 7):
        content[at] ^= 0xFF
    path.write_bytes(content[: len(content) - cut])
    with pytest.raises(InstallError, match=r"mine"):
        bring(state, path)
    assert left(state) == []


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.xz"])
def test_weights_that_were_changed_on_the_way_are_not_taken(
    state: State, tmp_path: Path, ending: str
):
    """What cannot be made smaller stands in the archive as it is, and unpacks whatever it is changed to."""
    path = packed(tmp_path, ending, published(tmp_path, "mine"))
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InstallError, match="damaged"):
        bring(state, path)
    assert left(state) == []


def test_a_folder_that_is_no_model_is_an_error_in_words(state: State, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InstallError, match="no model that is known here"):
        bring(state, tmp_path / "empty")
    (tmp_path / "empty/manifest.json").write_text(json.dumps({"name": "x", "kind": "clip"}))
    with pytest.raises(InstallError, match=r"empty/manifest\.json: .*missing required field"):
        bring(state, tmp_path / "empty")
    with pytest.raises(InstallError, match="there is no"):
        bring(state, tmp_path / "nothing")
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(InstallError, match="no archive"):
        bring(state, tmp_path / "text")
    assert left(state) == []
