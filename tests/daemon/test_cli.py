from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import havenfs
from havend import cli, exits
from havend.commands import mount
from havenfs import errors

if TYPE_CHECKING:
    from pathlib import Path


def havenfs_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "havend", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def every_error() -> list[type[errors.HavenError]]:
    found = [errors.HavenError]
    for cls in found:
        found += cls.__subclasses__()
    return found[1:]


@pytest.mark.parametrize("cls", every_error())
def test_every_error_has_an_exit_code(cls: type[errors.HavenError]):
    assert exits.code(cls.__new__(cls)) in (exits.FAILED, exits.USAGE)


def test_version_prints_the_version():
    assert havenfs_command("version").stdout == havenfs.__version__ + "\n"


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("up",),
        ("index",),
        ("index", "run"),
        ("index", "rebuild"),
        ("undo",),
        ("search",),
        ("status",),
        ("demo",),
        ("export",),
        ("config",),
        ("config", "show"),
        ("config", "check"),
        ("models",),
        ("models", "list"),
        ("models", "install"),
        ("models", "use"),
        ("models", "verify"),
        ("models", "remove"),
        ("models", "recommend"),
        ("models", "decline"),
    ],
)
def test_every_command_has_help(command: tuple[str, ...]):
    result = havenfs_command(*command, "--help")
    assert result.returncode == 0
    assert "usage: havenfs" in result.stdout


def test_the_help_documents_the_exit_codes():
    assert "exit codes:" in havenfs_command("--help").stdout


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path: Path):
    missing = tmp_path / "missing"
    result = havenfs_command("index", "run", "--source", missing, "--state", tmp_path / "state")
    assert result.returncode == 2
    assert (
        result.stderr
        == f"havenfs: the source {missing} does not exist. Check the path, or plug its disk in.\n"
    )


def test_a_state_directory_of_a_newer_version_is_left_alone(tmp_path: Path):
    state = tmp_path / "state"
    photos = tmp_path / "photos"
    photos.mkdir()
    assert (
        havenfs_command("index", "run", "--once", "--source", photos, "--state", state).returncode
        == 0
    )
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import apsw; apsw.Connection({str(state / 'catalog.db')!r}).pragma('user_version', 999)",
        ],
        check=True,
    )
    result = havenfs_command("status", "--state", state)
    assert result.returncode == 2
    assert "newer version" in result.stderr
    assert "--state" in result.stderr
    assert result.stderr.count("\n") == 1


def test_models_lists_the_built_in_one_and_says_that_it_is_a_miniature(tmp_path: Path):
    result = havenfs_command("models", "list", "--json", "--state", tmp_path)
    model, faces = json.loads(result.stdout)["models"]
    assert (faces["name"], faces["kind"], faces["miniature"]) == ("mini-faces", "faces", True)
    assert model["miniature"] is True
    assert model["active"] is True


def test_status_before_anything_was_indexed_says_what_to_do(tmp_path: Path):
    result = havenfs_command("status", "--state", tmp_path)
    assert result.returncode == 0
    assert "havenfs up" in result.stdout


def test_a_folder_named_as_writable_is_one_and_says_so(tmp_path: Path):
    for name in ("kept", "written"):
        (tmp_path / name).mkdir()
    state = ("--state", tmp_path / "state")
    sources = ("--source", tmp_path / "kept", "--writable", tmp_path / "written")
    assert havenfs_command("index", "run", "--once", *sources, *state).returncode == 0
    told = json.loads(havenfs_command("status", "--json", *state).stdout)
    assert {s["name"]: s["writable"] for s in told["sources"]} == {"kept": False, "written": True}
    assert f"{tmp_path / 'written'} (writable)\n" in havenfs_command("status", *state).stdout


def test_status_says_that_a_disk_is_away(tmp_path: Path):
    root, state = tmp_path / "disk", ("--state", tmp_path / "state")
    root.mkdir()
    (root / "a.txt").write_text("a letter")
    indexing = ("index", "run", "--once", "--source", root, *state)
    assert havenfs_command(*indexing).returncode == 0
    assert "away" not in havenfs_command("status", *state).stdout
    root.rename(tmp_path / "unplugged")
    root.mkdir()
    assert "source disk is away" in havenfs_command(*indexing).stderr
    said = havenfs_command("status", *state).stdout
    assert f"source     {root}\n           is away: not mounted" in said
    (told,) = json.loads(havenfs_command("status", "--json", *state).stdout)["sources"]
    assert told["away"]


def test_the_settings_are_shown_and_checked(tmp_path: Path):
    file = tmp_path / "havenfs.toml"
    file.write_text('[index]\nbudget = "background"\n')
    shown = havenfs_command("config", "show", "--config", file)
    assert 'budget = "background"\n' in shown.stdout
    assert "# Hours in which the indexer rests" in shown.stdout
    assert havenfs_command("config", "check", "--config", file).stdout == f"{file} is right.\n"
    file.write_text('[index]\nbudget = "background"\nworker = 2\n')
    for command in (("config", "check"), ("index", "run", "--once", "--source", tmp_path)):
        result = havenfs_command(*command, "--config", file)
        assert result.returncode == 2
        assert result.stderr == (
            f"havenfs: {file}, line 3: there is no setting index.worker; did you mean index.workers?\n"
        )


def test_status_says_when_no_indexer_runs(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.txt").write_text("badgers")
    state = ("--state", tmp_path / "state")
    havenfs_command("index", "run", "--once", "--source", tmp_path / "photos", *state)
    assert "indexer    not running\n" in havenfs_command("status", *state).stdout
    assert json.loads(havenfs_command("status", "--json", *state).stdout)["indexer"] is None


def test_a_family_brings_the_commands_that_it_is_loaded_for():
    for family, names in cli.FAMILIES.items():
        (commands,) = (
            action for action in cli.parser([family])._actions if action.dest == "command"
        )
        assert commands.choices is not None
        assert tuple(commands.choices) == names


@pytest.mark.parametrize(
    "line",
    [
        "mount --mount /m",
        "mount --mount m --state /s --transport direct",
        "mount --transport pyfuse3 --mount /m --mount /n",
    ],
)
def test_mount_is_read_without_argparse_as_with_it(line: str):
    plainly = mount.plainly(line.split())
    assert plainly is not None
    assert vars(plainly) == vars(cli.parser().parse_args(line.split()))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "up --mount /m",
        "mount",
        "mount -h",
        "mount --mount",
        "mount --state /s",
        "mount --mount /m --verbose x",
        "mount --mount /m --state -x",
        "mount --mount /m extra",
        "mount --mount=/m --state /s",
        "mount --moun /m",
        "mount --mount /m --transport best",
        "-v mount --mount /m",
    ],
)
def test_whatever_else_mount_is_told_is_for_argparse(line: str):
    assert mount.plainly(line.split()) is None
