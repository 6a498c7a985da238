"""The settings file: every setting documents itself, every mistake is told with its place."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path

import pytest

from havenfs import settings
from havenfs.config import Budget
from havenfs.errors import ConfigError
from havenfs.settings import SETTINGS, Config, Quiet, Span

FILE = Path("/etc/havenfs/havenfs.toml")


def test_every_setting_is_documented_and_has_its_default():
    for table in (field for field in dataclasses.fields(Config) if field.name != "file"):
        part = getattr(Config(), table.name)
        documented = {s.name: s for s in SETTINGS if s.table == table.name}
        assert set(documented) == {field.name for field in dataclasses.fields(part)}
        for name, setting in documented.items():
            assert len(setting.help) > 30
            said = settings.parse(f"[{table.name}]\n{name} = {setting.default}", FILE)
            assert getattr(getattr(said, table.name), name) == getattr(part, name)


def test_every_setting_stands_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    for setting in SETTINGS:
        assert f"`{setting.name}`" in readme, f"{setting.key} is not documented in README.md"


def test_what_is_shown_says_the_same_when_it_is_read_again():
    given = settings.parse(
        '[index]\nbudget = "background"\nquiet = "22:00-07:00, 12:30-13:00"\nworkers = 3\nmemory = "2G"\n'
        'wake_disks = true\nlanguages = "eng, deu chi_sim+script/Cyrillic"\n',
        FILE,
    )
    assert given.index.budget is Budget.BACKGROUND
    assert given.index.quiet == Quiet((Span(22 * 60, 7 * 60), Span(750, 780)))
    assert (given.index.workers, given.index.memory, given.index.wake_disks) == (3, 2 << 30, True)
    assert given.index.languages == ("eng", "deu", "chi_sim", "script/Cyrillic")
    assert settings.parse(settings.as_text(given), FILE) == given
    assert settings.parse(settings.as_text(Config()), FILE) == Config(file=FILE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n[index]\nbugdet = 'full'\n", "line 3: there is no setting index.bugdet; did you mean index.budget?"),
        ("[indx]\nbudget = 'full'", "line 2: there is no setting indx.budget; did you mean index.budget?"),
        ("index.quite = '1:00-2:00'", "line 1: there is no setting index.quite; did you mean index.quiet?"),
        ("budget = 'full'", "line 1: there is no setting budget; did you mean index.budget?"),
        ("[index]\n\nbudget = 'all'", 'line 3: index.budget: give "background", "balanced" or "full"'),
        ("[index]\nquiet = '25:00-26:00'", "line 2: index.quiet: '25:00-26:00' are no hours"),
        ("[index]\nquiet = 'at night'", "line 2: index.quiet: 'at night' are no hours"),
        ("[index]\nmemory = '10M'", "line 2: index.memory: that is too little"),
        ("[index]\nmemory = 10", "line 2: index.memory: give a size"),
        ("[index]\nlanguages = 'eng; rm -rf'", "line 2: index.languages: give names of tesseract"),
        ("[index]\nlanguages = 1", "line 2: index.languages: give names of tesseract"),
        ("[index]\nworkers = true", "line 2: index.workers: give a number"),
        ("[index]\nwake_disks = 1", "line 2: index.wake_disks: give true or false"),
        ("[index\n", "(at line 1"),
        ("\n[[files.source]]\npath = 'Pictures'", "files.source: give a table [[files.source]] with path"),
        ("[[files.source]]\npath = '/srv'\nwriteable = true", "files.source: give a table [[files.source]] with path"),
        ("[[files.source]]\npath = '/srv'\nwritable = 1", "files.source: give a table [[files.source]] with path"),
        ("[files]\nsource = '/srv'", "line 2: files.source: give a table [[files.source]] with path"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_what_to_do(text: str, said: str):
    with pytest.raises(ConfigError) as caught:
        settings.parse(text, FILE)
    assert str(caught.value).startswith(str(FILE))
    assert said in str(caught.value)


def test_sources_are_named_in_the_file_too():
    given = settings.parse(
        '[[files.source]]\npath = "/srv/photos"\nwritable = true\n[[files.source]]\npath = "/a b"\n',
        FILE,
    )
    photos, archive = given.files.source
    assert (photos.path, photos.writable) == ("/srv/photos", True)
    assert (archive.path, archive.writable) == ("/a b", False)
    assert settings.parse(settings.as_text(given), FILE) == given


def test_a_file_that_is_named_must_be_there_and_the_default_one_need_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CONFIGURATION_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings.load(None) == Config()
    with pytest.raises(ConfigError, match="are not there"):
        settings.load(tmp_path / "none.toml")
    (tmp_path / "havenfs").mkdir()
    (tmp_path / "havenfs/havenfs.toml").write_text("[index]\nbudget = 'full'\n")
    assert settings.load(None).index.budget is Budget.FULL
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path / "elsewhere"))
    assert settings.load(None) == Config()


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{clock}:30")


def test_quiet_hours_end_on_the_day_that_they_should():
    night = settings.parse("[index]\nquiet = '22:00-07:00'", FILE).index.quiet
    assert night.until(at("21:59")) is None
    assert night.until(at("22:00")) == datetime.fromisoformat("2026-03-02T07:00")
    assert night.until(at("06:59")) == datetime.fromisoformat("2026-03-01T07:00")
    assert night.until(at("07:00")) is None
    meeting = settings.parse("[index]\nquiet = '22:00-24:00, 0:00-6:00'", FILE).index.quiet
    assert meeting.until(at("23:00")) == datetime.fromisoformat("2026-03-02T06:00")
    assert Quiet().until(at("12:00")) is None
    always = settings.parse("[index]\nquiet = '8:00-8:00'", FILE).index.quiet
    assert always.until(at("12:00")) == datetime.fromisoformat("2026-03-02T08:00")
