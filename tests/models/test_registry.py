"""Models on disk: which there are, which is in use, what is wrong with them."""

from __future__ import annotations

import json
import logging
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.config import State
from havenfs.errors import ModelError
from havenfs.models import packs, registry
from havenfs.models.manifest import ModelKind, hash_file

if TYPE_CHECKING:
    from pathlib import Path


def put(directory: Path, manifest: dict[str, Any] | None = None, dimension: int = 4) -> Path:
    """The files of a model: right names, small content."""
    (directory / "visual").mkdir(parents=True)
    (directory / "textual").mkdir()
    (directory / "visual/model.onnx").write_bytes(b"picture tower")
    (directory / "textual/model.onnx").write_bytes(b"text tower")
    (directory / "visual/preprocess_cfg.json").write_text("{}")
    (directory / "textual/tokenizer.json").write_text("{}")
    (directory / "config.json").write_text(json.dumps({"embed_dim": dimension}))
    if manifest is not None:
        files = {
            str(path.relative_to(directory)): hash_file(path)
            for path in directory.rglob("*")
            if path.is_file()
        }
        whole = {
            "name": directory.name,
            "kind": "clip",
            "dimension": dimension,
            "files": files,
        } | manifest
        (directory / "manifest.json").write_text(json.dumps(whole))
    return directory


def put_pack(
    directory: Path, files: tuple[str, ...], manifest: dict[str, Any] | None = None
) -> Path:
    """The files of a pack of faces: right names, small content."""
    for file in files:
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).write_bytes(file.encode())
    if manifest is not None:
        whole = {
            "name": directory.name,
            "kind": "faces",
            "dimension": 128,
            "files": {file: hash_file(directory / file) for file in files},
        } | manifest
        (directory / "manifest.json").write_text(json.dumps(whole))
    return directory


IMMICH = ("detection/model.onnx", "recognition/model.onnx")
BUFFALO = ("1k3d68.onnx", "2d106det.onnx", "det_10g.onnx", "genderage.onnx", "w600k_r50.onnx")
AURA = ("glintr100.onnx", "scrfd_10g_bnkps.onnx")
ZOO = ("face_detection_yunet_2023mar.onnx", "face_recognition_sface_2021dec_int8.onnx")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path / "state")


def test_the_built_in_models_are_whole_and_say_that_they_are_miniatures():
    for kind in ModelKind:
        model = registry.builtin(kind)
        assert model.miniature
        assert model.licence == "MIT"
        assert registry.verify(model) == []


def test_without_a_choice_the_built_in_model_is_in_use(state: State):
    for kind in ModelKind:
        assert registry.active(state, kind) == registry.builtin(kind)
        assert registry.installed(state, kind) == [registry.builtin(kind)]
    assert registry.installed(state) == [registry.builtin(kind) for kind in ModelKind]


def test_an_id_is_the_name_and_twelve_digits(state: State):
    model = registry.load(put(state.models / "ViT-B-32-256", {}))
    assert re.fullmatch(r"ViT-B-32-256@[0-9a-f]{12}", model.id)
    assert re.fullmatch(r"mini-clip@[0-9a-f]{12}", registry.builtin().id)


def test_a_changed_manifest_is_another_model(tmp_path: Path):
    one = registry.load(put(tmp_path / "a" / "same", {"description": "one"}))
    two = registry.load(put(tmp_path / "b" / "same", {"description": "two"}))
    again = registry.load(put(tmp_path / "c" / "same", {"description": "one"}))
    assert one.id != two.id
    assert one.id == again.id


def test_a_published_export_loads_without_a_manifest(tmp_path: Path):
    model = registry.load(put(tmp_path / "ViT-B-32__openai", dimension=512))
    assert (model.name, model.kind, model.dimension) == ("ViT-B-32__openai", "clip", 512)
    assert not model.miniature
    assert model.calibration == registry.Calibration()
    assert registry.verify(model) == []


@pytest.mark.parametrize("file", ["config.json", "visual/model.onnx", "textual/model.onnx"])
def test_without_a_manifest_another_file_is_another_model(tmp_path: Path, file: str):
    before = registry.load(put(tmp_path / "model"))
    with (tmp_path / "model" / file).open("ab") as changed:
        changed.write(b" ")
    assert registry.load(tmp_path / "model").id != before.id


def test_calibration_comes_from_the_manifest_and_defaults_fill_the_rest(tmp_path: Path):
    model = registry.load(put(tmp_path / "m", {"calibration": {"floor_sd": 3.5, "unknown": 1}}))
    assert model.calibration.floor_sd == 3.5
    assert model.calibration.prompt == registry.Calibration().prompt
    assert model.calibration.sentence("dog on a {beach}") == "a photo of dog on a {beach}"


def test_what_a_stranger_says_of_a_model_cannot_command_a_terminal(tmp_path: Path):
    said = {
        "licence": "free\x1b[31m\x07\u202e",
        "description": "two\nlines \x9b2J " + "x" * 10_000,
    }
    model = registry.load(put(tmp_path / "m", said))
    assert model.licence == "free\ufffd[31m\ufffd\ufffd"
    assert model.description.startswith("two lines \ufffd2J xxx")
    assert model.description.isprintable()
    assert len(model.description) <= 500


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"files": {"visual/\x1b[31m.onnx": "0" * 64}}, "no name for a file of a model"),
        ({"kind": "speech"}, "kinds clip and faces, not 'speech'"),
        ({"dimension": 5}, "dimension 5, config.json 4"),
        ({"dimension": "4"}, r"Expected `int`.*\$\.dimension"),
        ({"dimension": 0}, r"\$\.dimension"),
        ({"name": "../evil"}, "no name for a model"),
        ({"name": "a@b"}, "no name for a model"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "not a path inside"),
        ({"files": {"/etc/passwd": "0" * 64}}, "not a path inside"),
        ({"files": {"visual/model.onnx": "123"}}, r"\$\.files"),
        ({"calibration": {"floor_sd": -1}}, "floor_sd"),
        ({"calibration": {"prompt": "no place for words"}}, "prompt"),
    ],
)
def test_a_manifest_that_cannot_be_is_an_error_that_says_why(
    tmp_path: Path, manifest: dict[str, Any], words: str
):
    directory = put(tmp_path / "m", manifest)
    with pytest.raises(ModelError, match=words) as caught:
        registry.load(directory)
    assert str(directory) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "\xff"}', b" " * (5 << 20)])
def test_a_damaged_manifest_is_an_error(tmp_path: Path, content: bytes):
    put(tmp_path / "m")
    (tmp_path / "m/manifest.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        registry.load(tmp_path / "m")


def test_a_directory_without_its_towers_names_what_is_missing(tmp_path: Path):
    put(tmp_path / "m")
    (tmp_path / "m/textual/model.onnx").unlink()
    (tmp_path / "m/config.json").unlink()
    with pytest.raises(ModelError, match=r"textual/model\.onnx, config\.json missing"):
        registry.load(tmp_path / "m")


def test_broken_models_are_passed_over_with_a_warning_and_downloads_in_silence(
    state: State, caplog: pytest.LogCaptureFixture
):
    put(state.models / "good", {})
    put(state.models / "bad", {"kind": "speech"})
    (state.models / ".part-of-a-download").mkdir()
    (state.models / "a-file").write_text("")
    with caplog.at_level(logging.WARNING):
        names = [model.name for model in registry.installed(state)]
    assert names == ["mini-clip", "mini-faces", "good"]
    assert len(caplog.records) == 1
    assert "bad" in caplog.text


def test_a_chosen_model_is_in_use_until_another_is_chosen(state: State):
    put(state.models / "full", {"name": "ViT-B-32"})
    assert registry.use(state, "ViT-B-32").name == "ViT-B-32"
    assert registry.active(state).name == "ViT-B-32"
    assert registry.use(state, "mini-clip") == registry.builtin()
    assert registry.active(state) == registry.builtin()
    assert [path.name for path in state.models.iterdir() if path.is_file()] == ["active"]


def test_a_model_may_be_named_by_its_directory_or_id(state: State):
    put(state.models / "from-the-web", {"name": "ViT-B-32"})
    model = registry.named(state, "from-the-web")
    assert registry.named(state, model.id) == model


def test_choosing_what_is_not_there_changes_nothing_and_lists_what_is(state: State):
    with pytest.raises(ModelError, match="no model 'ViT-L' is installed; there are mini-clip"):
        registry.use(state, "ViT-L")
    assert registry.active(state) == registry.builtin()


def test_a_chosen_model_that_went_away_is_an_error_and_not_silently_another(state: State):
    put(state.models / "full", {})
    registry.use(state, "full")
    shutil.rmtree(state.models / "full")
    with pytest.raises(ModelError, match="install it again, or remove that file"):
        registry.active(state)


@pytest.mark.parametrize(
    ("files", "pack", "dimension"),
    [
        (IMMICH, ("scrfd", IMMICH[0], "arcface", IMMICH[1]), 512),
        (BUFFALO, ("scrfd", "det_10g.onnx", "arcface", "w600k_r50.onnx"), 512),
        (AURA, ("scrfd", "scrfd_10g_bnkps.onnx", "arcface", "glintr100.onnx"), 512),
        (ZOO, ("yunet", ZOO[0], "sface", ZOO[1]), 128),
        ((ZOO[0], AURA[0]), ("yunet", ZOO[0], "arcface", AURA[0]), 512),
    ],
)
def test_published_packs_of_faces_load_without_a_manifest(
    tmp_path: Path, files: tuple[str, ...], pack: tuple[str, str, str, str], dimension: int
):
    model = registry.load(put_pack(tmp_path / "pack", files))
    assert (model.name, model.kind, model.dimension) == ("pack", ModelKind.FACES, dimension)
    found = packs.find(model.directory)
    assert found is not None
    detection, recognition = (
        str(path.relative_to(model.directory)) for path in (found.detection, found.recognition)
    )
    assert (found.detector, detection, found.recogniser, recognition) == pack


@pytest.mark.parametrize("files", [IMMICH, BUFFALO])
def test_another_file_in_a_pack_is_another_model(tmp_path: Path, files: tuple[str, ...]):
    before = registry.load(put_pack(tmp_path / "pack", files))
    with (tmp_path / "pack" / files[-1]).open("ab") as changed:
        changed.write(b" ")
    assert registry.load(tmp_path / "pack").id != before.id


def test_a_pack_with_a_manifest_says_how_long_its_vectors_are_and_how_to_read_its_scores(
    tmp_path: Path,
):
    calibration: dict[str, Any] = {"face_side": 320, "face_score": 0.4, "same_person": 0.6}
    model = registry.load(put_pack(tmp_path / "pack", IMMICH, {"calibration": calibration}))
    assert (model.kind, model.dimension) == (ModelKind.FACES, 128)
    assert model.calibration == registry.Calibration(**calibration)


def test_a_pack_without_a_recogniser_is_no_model(tmp_path: Path):
    directory = put_pack(tmp_path / "pack", ("det_10g.onnx", "genderage.onnx"), {})
    with pytest.raises(ModelError, match="a detector or a recogniser of faces is missing"):
        registry.load(directory)


def test_each_kind_has_its_own_choice(state: State):
    put(state.models / "full", {})
    put_pack(state.models / "buffalo_l", BUFFALO)
    registry.use(state, "full")
    assert registry.use(state, "buffalo_l").kind is ModelKind.FACES
    assert registry.active(state).name == "full"
    assert registry.active(state, ModelKind.FACES).name == "buffalo_l"
    assert (state.models / "active").read_text() == "full\n"
    assert (state.models / "active.faces").read_text() == "buffalo_l\n"
    assert [model.name for model in registry.installed(state, ModelKind.CLIP)] == [
        "mini-clip",
        "full",
    ]
    assert registry.installed(state, ModelKind.FACES)[-1].name == "buffalo_l"


def test_a_model_of_another_kind_cannot_be_in_use(state: State):
    put(state.models / "full", {})
    (state.models / "active.faces").write_text("full\n")
    with pytest.raises(ModelError, match="no model 'full' is installed"):
        registry.active(state, ModelKind.FACES)


def test_verifying_finds_what_changed_and_what_is_gone(tmp_path: Path):
    model = registry.load(put(tmp_path / "m", {}))
    assert registry.verify(model) == []
    (tmp_path / "m/visual/model.onnx").write_bytes(b"picture towel")
    (tmp_path / "m/textual/tokenizer.json").unlink()
    assert registry.verify(model) == [
        "textual/tokenizer.json cannot be read: No such file or directory",
        "visual/model.onnx differs from the manifest",
    ]
