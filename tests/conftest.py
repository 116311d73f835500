"""What holds for every test: no deadline on generated input, and no skipping where CI is set."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something about the machine, not about the code. Where CI is set,
# Hypothesis loads a profile of its own that has no deadline either and always draws the same.
if not os.environ.get("CI"):
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")

# A hub waits for the disk at each of its commits, thousands of times in a run. Where the machine
# has room in memory the folders of the tests lie there: everything is written, synced and read as
# on a disk, and only a power cut, which no test makes, would tell the difference.
_MEMORY = Path("/dev/shm")
_ROOM_BYTES_MIN = 4 << 30


def _has_room(place: Path) -> bool:
    """Whether there is room for a run, and what lies there may be run, as a test of ours does."""
    if not place.is_dir():
        return False
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize >= _ROOM_BYTES_MIN and not found.f_flag & os.ST_NOEXEC


if _has_room(_MEMORY):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` writes what the samples become instead of comparing it."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


# Modules of these folders take the longest. Where several workers share the modules out, the last
# ones to be given away had better be short, or one worker is left alone with a long one.
_FIRST = ("crash", "e2e", "packaging", "hub")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; within a folder and within a module the order stays the random one."""
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(tests).parts[0]
        return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)

    items.sort(key=rank)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked with ``databases`` runs once on each."""
    if metafunc.definition.get_closest_marker("databases"):
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Which database the homes of this test keep everything in: a file of theirs, else the one
    that the environment names. Then two homes of one test are two hubs of one database.
    """
    name = str(getattr(request, "param", "sqlite"))
    if name == "sqlite":
        yield name
        return
    from tests import postgres

    with postgres.database() as url:
        address = url.render_as_string(hide_password=False)
        monkeypatch.setenv("LYNCHPIN_DATABASE_URL", address)
        yield name


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A skip proves nothing: in CI, where everything a test may want is present, it is a failure.

    An expected failure also reports as skipped, and stays what it is.
    """
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although CI is set: {report.longrepr}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at each report of a test after every other plugin has."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at each report of a module, which may have skipped itself whole."""
    report = yield
    _forbid_skip(report)
    return report
