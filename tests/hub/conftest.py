"""A home with its defaults, and the hub of it; a folder may have another one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import bootstrap
from hub.bootstrap import Hub
from hub.home import Home
from tests import homes


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return homes.made(tmp_path / "home")


@pytest.fixture
def hub(home: Home) -> Iterator[Hub]:
    with bootstrap.open_hub(home) as hub:
        yield hub
