"""What the crash tests share: the file that is received, and the home it is received into."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import bootstrap
from hub.demo import poslog_writer
from hub.demo.retailer import NEW_YORK
from hub.home import Home

_REAL_DAY = Path("shared/samples/poslog/ncr-acs-v2.1-day.xml")


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "home"
    bootstrap.create(Home(path))
    return path


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real day where it lies beside the repository, else an invented one."""
    real = Path(__file__).resolve().parents[3] / _REAL_DAY
    if real.exists():
        return real
    file = tmp_path_factory.mktemp("day") / "day.xml"
    file.write_bytes(poslog_writer.day(NEW_YORK, seed=3))
    return file
