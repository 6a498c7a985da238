"""Models come from a hub that speaks Hugging Face's protocol, well and badly; nothing is ever half installed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from havenfs.config import State
from havenfs.errors import HavenError, InstallError, LicenceNotAccepted, ModelError
from havenfs.models import catalogue, install, manifest as manifests, registry
from havenfs.models.catalogue import Choice, Part
from havenfs.models.hub import Hub
from havenfs.models.manifest import ModelKind

from .hub import COMMIT, Manners, described, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MINIATURES = ["mini-clip", "mini-faces"]  # what ships
REPOSITORY = "somebody/small"
FILES = {
    path.relative_to(registry.BUILTIN[ModelKind.CLIP]).as_posix(): path.read_bytes()
    for path in registry.BUILTIN[ModelKind.CLIP].rglob("*")
    if path.is_file() and path.name not in ("manifest.json", "README.md")
} | {
    "README.md": b"a model",
    "visual/fp16/model.armnn": b"no",
    "visual/model.armnn": b"no",
    ".gitattributes": b"",
}
CHOICE = Choice(
    name="small",
    kind=ModelKind.CLIP,
    description="the miniature, as somebody may have published it",
    licence="MIT",
    free=True,
    languages="English",
    accuracy="",
    confirmed="",
    megabytes=4,
    memory=100,
    gigaflops=0.1,
    quality=1.0,
    dimension=999,
    parts=(
        Part(
            repository=REPOSITORY,
            folders=("visual", "textual"),
            files={"config.json": "config.json"},
        ),
    ),
)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path / "state")


@pytest.fixture
def manners() -> Manners:
    return Manners(repositories={REPOSITORY: dict(FILES)})


@pytest.fixture
def endpoint(manners: Manners) -> Iterator[str]:
    with serving(manners) as address:
        yield address


def fetch(
    state: State,
    endpoint: str,
    choice: Choice = CHOICE,
    *,
    accepted: bool = False,
    try_out: Callable[[Path], None] = lambda _directory: None,
    told: list[install.Progress] | None = None,
) -> registry.Model:
    hear = ([] if told is None else told).append
    hub = Hub(endpoint, pause_s=0.01)
    return install.fetch(state, choice, accepted=accepted, try_out=try_out, progress=hear, hub=hub)


def left(state: State) -> list[str]:
    """What lies in the directory of models, the lock besides."""
    return sorted(path.name for path in state.models.iterdir() if path.name != ".lock")


def test_a_model_comes_whole_and_says_where_it_is_from(state: State, endpoint: str):
    told: list[install.Progress] = []
    model = fetch(state, endpoint, told=told)
    assert (model.name, model.dimension, model.licence) == ("small", 128, "MIT")
    assert registry.verify(model) == []
    assert registry.named(state, "small") == model
    manifest = manifests.read(model.directory)
    assert manifest is not None
    assert manifest.source == f"{endpoint}/{REPOSITORY}@{COMMIT}"
    assert set(manifest.files) == {n for n in FILES if n.endswith((".json", ".onnx"))}
    assert (
        manifest.files["visual/model.onnx"]
        == hashlib.sha256(FILES["visual/model.onnx"]).hexdigest()
    )
    assert told[-1].done == told[-1].total == sum(len(FILES[name]) for name in manifest.files)
    assert left(state) == ["small"]


def test_a_listing_of_several_pages_is_read_to_its_end(
    state: State, endpoint: str, manners: Manners
):
    manners.page = 2
    assert registry.verify(fetch(state, endpoint)) == []


def test_a_broken_connection_goes_on_where_it_was(state: State, endpoint: str, manners: Manners):
    manners.cut = [100_000, 50_000]
    assert registry.verify(fetch(state, endpoint)) == []
    ranges = [h.get("range") for h in manners.asked("/store/") if "range" in h]
    assert ranges == ["bytes=100000-", "bytes=150000-"]
    assert all(h.get("if-range") for h in manners.asked("/store/") if "range" in h)


@pytest.mark.parametrize("how", ["ranges", "etags", "etag_suffix", "wrong_part"])
def test_a_server_that_cannot_go_on_is_asked_for_the_whole_file(
    state: State, endpoint: str, manners: Manners, how: str
):
    manners.cut = [100_000]
    if how == "etag_suffix":
        hub_hears = manners.requests

        class Forgetful(list[int]):
            def pop(self, at: Any = -1) -> int:
                manners.etag_suffix = "-new"
                return super().pop(at)

        manners.cut = Forgetful([100_000])
        assert hub_hears == []
    elif how == "wrong_part":
        manners.wrong_part = True
    else:
        setattr(manners, how, False)
    assert registry.verify(fetch(state, endpoint)) == []


def test_a_server_that_is_unwell_is_asked_again(state: State, endpoint: str, manners: Manners):
    manners.unwell = 3
    assert registry.verify(fetch(state, endpoint)) == []


def test_a_killed_installation_goes_on_where_it_was(
    state: State, endpoint: str, manners: Manners, tmp_path: Path
):
    manners.drip_s = 0.02
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\nimport msgspec\n"
        "from havenfs.config import State\nfrom havenfs.models import install\n"
        "from havenfs.models.catalogue import Choice\nfrom havenfs.models.hub import Hub\n"
        "install.fetch(State(root=Path(sys.argv[1])), msgspec.json.decode(sys.argv[2], type=Choice), accepted=False,\n"
        "              try_out=lambda _: None, progress=lambda _: None, hub=Hub(sys.argv[3]))\n"
    )
    choice = msgspec.json.encode(CHOICE).decode()
    process = subprocess.Popen([sys.executable, program, state.root, choice, endpoint])
    part = state.models / ".install-small/visual/model.onnx.part"
    textual = state.models / ".install-small/textual/model.onnx.part"
    deadline = time.monotonic() + 30
    while not any(p.exists() and p.stat().st_size > 200_000 for p in (part, textual)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert [m.name for m in registry.installed(state)] == MINIATURES
    assert registry.waiting(state) == ["small"]
    manners.drip_s = 0
    manners.requests.clear()
    assert registry.verify(fetch(state, endpoint)) == []
    assert [h["range"] for h in manners.asked("/store/") if "range" in h] != []
    assert left(state) == ["small"]


def test_when_the_repository_has_moved_on_nothing_old_is_mixed_in(
    state: State, endpoint: str, manners: Manners
):
    manners.cut = [1000] + [0] * 20  # until it gives up
    with pytest.raises(InstallError, match="goes on from there"):
        fetch(state, endpoint)
    assert registry.waiting(state) == ["small"]
    manners.cut = []
    manners.commit = "f" * 40
    manners.requests.clear()
    assert registry.verify(fetch(state, endpoint)) == []
    assert [h for h in manners.asked("/store/") if "range" in h] == []


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ({"other_bytes": True}, "hash is another one"),
        ({"more_bytes": True}, "larger than the"),
        ({"circle": True}, "leads in circles"),
        ({"tree": b"<html>a wall</html>"}, "does not answer as a model hub"),
        ({"tree": b"[" + b" " * (17 << 20)}, "more than a listing"),
        (
            {
                "tree": b'[{"type":"file","path":"config.json","size":-5,"oid":"'
                + b"0" * 40
                + b'"}]'
            },
            "no size",
        ),
        ({"tree": b'[{"type":"file","path":"config.json","size":5,"oid":"x"}]'}, "no hash"),
        ({"tree": b"[]"}, "no config.json any more"),
        ({"commit": "../../evil"}, "as a commit"),
        ({"repositories": {}}, "not there, or not for everybody"),
        ({"unwell": 1000}, "answers 503"),
    ],
)
def test_a_hub_that_lies_or_fails_installs_nothing(
    state: State, endpoint: str, manners: Manners, flaw: dict[str, Any], words: str
):
    for name, value in flaw.items():
        setattr(manners, name, value)
    with pytest.raises(InstallError, match=words):
        fetch(state, endpoint)
    assert [m.name for m in registry.installed(state)] == MINIATURES


def test_names_that_lead_out_of_the_model_are_not_taken(
    state: State, endpoint: str, manners: Manners, tmp_path: Path
):
    evil = ("visual/../../../evil.json", "/tmp/evil.json", "visual/..", "visual/.plan.json")
    entries = [described(path, content) for path, content in FILES.items()]
    manners.tree = json.dumps([*entries, *(described(path, b"evil") for path in evil)]).encode()
    fetch(state, endpoint)
    assert list(tmp_path.rglob("*evil*")) == []


def test_a_pinned_file_outranks_what_the_hub_says(state: State, endpoint: str):
    true = hashlib.sha256(FILES["visual/model.onnx"]).hexdigest()
    small = hashlib.sha256(FILES["config.json"]).hexdigest()
    pins = {"visual/model.onnx": true, "config.json": small}
    fetch(state, endpoint, msgspec.structs.replace(CHOICE, pins=pins))
    for name in pins:
        with pytest.raises(InstallError, match="that is known here"):
            fetch(state, endpoint, msgspec.structs.replace(CHOICE, pins={name: "0" * 64}))


def test_a_restricting_licence_is_shown_and_must_be_accepted(
    state: State, endpoint: str, manners: Manners
):
    choice = msgspec.structs.replace(CHOICE, free=False, licence="for research only")
    with pytest.raises(LicenceNotAccepted, match=r"for research only.*--accept-licence"):
        fetch(state, endpoint, choice)
    assert manners.requests == []
    assert fetch(state, endpoint, choice, accepted=True).licence == "for research only"


def test_a_full_disk_is_told_before_anything_is_written(
    state: State, endpoint: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(install, "RESERVE", 1 << 60)
    with pytest.raises(InstallError, match=r"needs \d+ MB .* and \d+ MB are free"):
        fetch(state, endpoint)


def test_a_disk_that_fills_up_meanwhile_gets_everything_back(state: State, endpoint: str):
    # RLIMIT_FSIZE stands for the full disk: EFBIG comes from write(2) as ENOSPC would.
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(InstallError, match="is full; what was written has been removed"):
            fetch(state, endpoint)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert left(state) == []


def test_what_does_not_run_is_not_put_in_place(state: State, endpoint: str):
    def dies(directory: Path) -> None:
        assert (directory / "visual/model.onnx").exists()
        raise ModelError("it ends by SIGSEGV")

    with pytest.raises(ModelError, match="SIGSEGV"):
        fetch(state, endpoint, try_out=dies)
    assert [m.name for m in registry.installed(state)] == MINIATURES


def test_a_damaged_model_is_replaced_and_one_that_cannot_be_is_kept(
    state: State, endpoint: str, manners: Manners
):
    model = fetch(state, endpoint)
    (model.directory / "visual/model.onnx").write_bytes(b"rotten")
    assert registry.verify(model) != []
    manners.other_bytes = True
    with pytest.raises(InstallError):
        fetch(state, endpoint)
    assert registry.named(state, "small").id == model.id
    manners.other_bytes = False
    assert registry.verify(fetch(state, endpoint)) == []
    assert left(state) == ["small"]


def test_one_installation_at_a_time(state: State, endpoint: str):
    def second(_: Path) -> None:
        with pytest.raises(InstallError, match="another installation runs"):
            fetch(state, endpoint)

    fetch(state, endpoint, try_out=second)


def test_what_a_killed_replacement_left_is_put_back(state: State, endpoint: str):
    model = fetch(state, endpoint)
    model.directory.rename(state.models / ".replaced-small")
    (state.models / ".removed-other").mkdir()
    (state.models / ".unpack-1").mkdir()
    with pytest.raises(ModelError):
        install.remove(state, "nothing")
    assert left(state) == ["small"]


def test_a_model_in_use_is_not_removed_and_another_one_is(state: State, endpoint: str):
    fetch(state, endpoint)
    registry.use(state, "small")
    for name in ("small", "mini-clip"):
        with pytest.raises(ModelError, match=r"in use|part of the program"):
            install.remove(state, name)
    registry.use(state, "mini-clip")
    assert install.remove(state, "small") == "small"
    assert [m.name for m in registry.installed(state)] == MINIATURES
    assert left(state) == ["active"]


def test_a_broken_download_can_be_removed(state: State, endpoint: str, manners: Manners):
    manners.cut = [1000] + [0] * 20
    with pytest.raises(InstallError):
        fetch(state, endpoint)
    install.remove(state, "small")
    assert left(state) == []


def test_the_hub_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, endpoint: str):
    monkeypatch.setenv("HF_ENDPOINT", endpoint + "/")
    with Hub() as hub:
        assert hub.commit(REPOSITORY, "main").id == COMMIT
    monkeypatch.setenv("HF_ENDPOINT", "ftp://mirror")
    with pytest.raises(HavenError, match="no address"):
        Hub()


def test_the_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, manners: Manners
):
    # Our little server answers absolute addresses too, as a proxy is asked: so it can stand for one.
    monkeypatch.setenv("http_proxy", endpoint)
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    with Hub("http://hub.invalid") as hub:
        assert hub.commit(REPOSITORY, "main").id == COMMIT
    assert manners.asked("/api/models/")[0]["host"] == "hub.invalid"


def test_the_catalogue_is_whole_and_has_free_choices_first():
    choices = catalogue.choices()
    assert len([c for c in choices if c.kind == "clip"]) == 10
    assert len([c for c in choices if c.kind == "faces"]) == 4
    free = [c.free for c in choices]
    assert free == sorted(free, reverse=True)
    assert len({c.name for c in choices}) == len(choices)
    assert catalogue.named("vit-b-32__OPENAI").name == "ViT-B-32__openai"
    with pytest.raises(ModelError, match="it has ViT-B-32-SigLIP2"):
        catalogue.named("nothing")


def test_the_command_downloads_what_the_catalogue_names(
    state: State, endpoint: str, manners: Manners
):
    manners.repositories["immich-app/ViT-B-32__openai"] = dict(FILES)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "havend",
            "models",
            "install",
            "vit-b-32__openai",
            "--state",
            state.root,
        ],
        env={**os.environ, "HF_ENDPOINT": endpoint, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "ViT-B-32__openai is installed (MIT)" in done.stdout
    model = registry.use(state, "ViT-B-32__openai")
    assert registry.verify(model) == []
    assert not model.miniature
