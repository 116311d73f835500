"""Settings: what is wrong in them is named, and a key never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.problem import ConfigError
from store_agent.home import Home, create, hold, locate
from store_agent.settings import read
from tests.store_agent.conftest import KEY

GOOD = """\
hub = "https://hub.example.org"
name = "store-0501"
key = "invented"
[captures.log]
source = "poslog"
connector = "poslog"
folder = "/var/till"
"""


@pytest.fixture
def written(tmp_path: Path) -> Home:
    return Home(tmp_path)


def problem(home: Home, text: str) -> tuple[str, str | None, str]:
    home.settings.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read(home)
    found = raised.value.problem
    assert "invented" not in found.line()
    return found.code, found.path, found.detail or ""


def test_what_a_capture_need_not_say(written: Home) -> None:
    written.settings.write_text(GOOD)
    capture = read(written).captures["log"]
    assert (capture.pattern, capture.quiet_seconds, capture.after) == ("*", 5, "keep")
    assert read(written).beat_seconds == 60


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("colour = 1\n" + GOOD, "colour"),
        (GOOD + "patern = '*.xml'\n", "captures.log.patern"),
        (GOOD.replace('"/var/till"', '"till"'), "captures.log"),
        (GOOD.replace("https:", "ftp:"), "hub"),
        (GOOD.replace("store-0501", "store/../x"), "name"),
        (GOOD.replace("captures.log", 'captures."a/b"'), "captures.a/b"),
        (GOOD + 'after = "burn"\n', "captures.log.after"),
        (GOOD + "quiet_seconds = 0\n", "captures.log.quiet_seconds"),
        (GOOD.replace('key = "invented"\n', ""), "key"),
        (GOOD.replace('key = "invented"', 'key = "invented"\nkey_file = "invented"'), "key_file"),
        (GOOD.replace('key = "invented"', 'key_file = "absent"'), "key_file"),
        (GOOD.replace('key = "invented"', "key = 7"), "key"),
        ("hub = ", None),
    ],
)
def test_a_wrong_setting_is_named(written: Home, text: str, path: str | None) -> None:
    code, found, _ = problem(written, text)
    assert (code, found) == ("LP-AGENT-003", path)


def test_no_home_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LP-AGENT-001"):
        read(Home(tmp_path / "absent"))


def test_a_key_may_stand_in_a_file_of_its_own(home: Home) -> None:
    settings = read(home)
    assert settings.key.get_secret_value() == KEY
    assert KEY not in repr(settings)


def test_a_new_home_is_closed_and_its_settings_show_what_there_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "agent")
    assert create(home)
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert home.settings.stat().st_mode & 0o777 == 0o600
    shown = home.settings.read_text()
    lines = [line.removeprefix("# ") for line in shown.splitlines() if " = " in line or "[" in line]
    (home.path / "key").write_text("invented")
    home.settings.write_text("\n".join(line for line in lines if line[0] in "[abcdefghijklmnopqrs"))
    capture = read(home).captures["poslog"]
    assert capture.folder == Path("/var/till/out")
    assert not create(home)
    assert "hub.example.org" in home.settings.read_text()


def test_a_home_that_others_may_look_into_is_closed_before_anything_is_written(home: Home) -> None:
    home.path.chmod(0o755)
    with hold(home):
        assert home.path.stat().st_mode & 0o777 == 0o700


def test_the_home_is_where_the_environment_says(tmp_path: Path) -> None:
    assert locate({"LYNCHPIN_AGENT_HOME": str(tmp_path)}).path == tmp_path
    assert locate({"XDG_DATA_HOME": str(tmp_path)}).path == tmp_path / "lynchpin-agent"
