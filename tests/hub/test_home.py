from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hub.home import Home, create, locate, write_atomically
from schemas.problem import ConfigError

CONNECTORS = ["shopify", "poslog"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data" / "lynchpin")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_environment_says_where_the_home_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/people/ann")
    named = {"LYNCHPIN_HOME": "~/hub", "XDG_DATA_HOME": "/data"}
    assert locate(named).path == Path("/people/ann/hub")
    assert locate({"XDG_DATA_HOME": "/data"}).path == Path("/data/lynchpin")
    assert locate({"LYNCHPIN_HOME": ""}).path == Path("/people/ann/.local/share/lynchpin")
    assert locate({"LYNCHPIN_HOME": "here"}).path == Path.cwd() / "here"


def test_a_fresh_home_has_a_source_for_each_connector(home: Home) -> None:
    assert create(home, CONNECTORS)
    assert tomllib.loads(home.settings.read_text()) == {
        "sources": {"poslog": {"connector": "poslog"}, "shopify": {"connector": "shopify"}}
    }


def test_the_settings_that_are_there_stay(home: Home) -> None:
    create(home, CONNECTORS)
    home.settings.write_text("# mine\n")
    assert not create(home, CONNECTORS)
    assert home.settings.read_text() == "# mine\n"


def test_nobody_else_may_look_inside(home: Home) -> None:
    before = os.umask(0)
    try:
        create(home, CONNECTORS)
        assert (mode(home.path), mode(home.settings)) == (0o700, 0o600)
        home.path.chmod(0o755)
        home.settings.chmod(0o644)
        create(home, CONNECTORS)
        assert (mode(home.path), mode(home.settings)) == (0o700, 0o600)
    finally:
        os.umask(before)


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"LP-CFG-002: .*file") as refused:
        create(Home(tmp_path / "file" / "home"), CONNECTORS)
    assert refused.value.problem.next_step


def test_a_write_that_fails_leaves_the_old_file(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(home, CONNECTORS)
    before = home.settings.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hub.home.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(home.settings, b"half of the new")
    assert home.settings.read_bytes() == before
    assert sorted(path.name for path in home.path.iterdir()) == ["lynchpin.toml", "mappings"]


def test_content_and_name_reach_the_disk_in_this_order(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(home, CONNECTORS)
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "content")
        fsync(descriptor)

    def seen_replace(path: Path, target: Path) -> Path:
        steps.append("name")
        return replace(path, target)

    monkeypatch.setattr("hub.home.os.fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    write_atomically(home.settings, b"# new\n")
    assert steps == ["content", "name", "folder"]
    assert home.settings.read_bytes() == b"# new\n"


def test_whoever_reads_while_it_is_written_sees_one_version_whole(home: Home) -> None:
    create(home, CONNECTORS)
    program = """
import sys
from pathlib import Path
from hub.home import write_atomically
path = Path(sys.argv[1])
for number in range(1_000_000):
    write_atomically(path, b"%d\\n" % (number % 10) * 50_000)
    print(number, flush=True)
"""
    command = [sys.executable, "-c", program, str(home.settings)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        child.stdout.readline()
        versions = [home.settings.read_bytes() for _ in range(300)]
        child.kill()
    versions.append(home.settings.read_bytes())
    assert {len(version) for version in versions} == {100_000}
    assert all(len(set(version.split())) == 1 for version in versions)
    assert len(set(versions)) > 1


def test_mappings_have_a_folder_that_says_what_it_is_for(home: Home) -> None:
    create(home, CONNECTORS)
    said = home.mappings / "README"
    assert "lynchpin map publish" in said.read_text("utf-8")
    assert stat.S_IMODE(home.mappings.stat().st_mode) == 0o700
    said.write_text("ours", "utf-8")
    create(home, CONNECTORS)
    assert said.read_text("utf-8") == "ours"
