"""New homes for tests: the migrations of one are run once in a process, the others are copies."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from hub import bootstrap
from hub.home import Home

__all__ = ["made"]


def made(path: Path) -> Home:
    """A new home at this path, with its defaults and a database that is up to date.

    Where the environment names a database, everything is kept in that one.
    """
    home = Home(path)
    if "LYNCHPIN_DATABASE_URL" in os.environ:
        bootstrap.create(home)
    else:
        shutil.copytree(_first(), path)
    return home


@cache
def _first() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="lynchpin-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        # Variables of the test that happens to be the first are none of the others' business.
        for name in [each for each in os.environ if each.startswith("LYNCHPIN_")]:
            patch.delenv(name)
        bootstrap.create(Home(folder / "home"))
    return folder / "home"
