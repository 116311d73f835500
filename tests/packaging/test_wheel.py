"""What is installed is what lies in the checkout: five packages with all their data."""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "mappings", "connectors", "hub", "store_agent")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built here and now by the declared back end."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    [path] = folder.glob("lynchpin-*-py3-none-any.whl")
    return zipfile.ZipFile(path)


@pytest.mark.parametrize("name", PACKAGES)
def test_the_name_resolves_to_our_package(name: str) -> None:
    # The names are plain words: another distribution in the same environment could take one.
    module = importlib.import_module(name)
    assert module.__file__ == str(ROOT / name / "__init__.py")


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(
    wheel: zipfile.ZipFile,
) -> None:
    lying = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == lying


@pytest.mark.parametrize(
    "pattern",
    [
        "mappings/*/*.yaml",
        "connectors/*/manifest.toml",
        "hub/store/migrations/env.py",
        "hub/store/migrations/versions/*.py",
        "schemas/json/transaction.v1.json",
        *(f"{name}/py.typed" for name in PACKAGES),
    ],
)
def test_the_wheel_holds_what_runs_without_being_code(wheel: zipfile.ZipFile, pattern: str) -> None:
    assert any(PurePosixPath(name).match(pattern) for name in wheel.namelist())


def test_each_connector_folder_is_registered() -> None:
    found = importlib.metadata.entry_points(group="lynchpin.connectors")
    ours = {e.name: e.value for e in found if e.value.startswith("connectors.")}
    folders = {path.parent.name for path in (ROOT / "connectors").glob("*/manifest.toml")}
    assert ours == {name: f"connectors.{name}:connector" for name in folders}
    for each in found:
        each.load()


def test_the_command_starts() -> None:
    run = subprocess.run(
        [str(Path(sys.executable).with_name("lynchpin")), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "receive" in run.stdout
