"""What the bench loads in bulk is, row for row, what the live path would have written."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench import forms, load
from bench.load import Clock
from hub.store.tables import document

pytestmark = pytest.mark.databases

_SALES, _BASKETS, _FAR = 100, 3, 1_900_000
_NUMBERS = [*load.shuffled(0, _SALES), *load.shuffled(_FAR, _SALES)]


def test_sales_in_bulk_are_the_rows_of_the_live_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with load.fresh(tmp_path / "bulk", clock) as bulk:
        # The live ones are in a file either way: the rows of both databases are the same.
        monkeypatch.delenv("LYNCHPIN_DATABASE_URL", raising=False)
        with load.fresh(tmp_path / "forms", Clock()) as scratch:
            made = forms.forms(scratch, _BASKETS)
        load.load(bulk, made, _NUMBERS)
        with load.fresh(tmp_path / "live", clock) as live:
            load.receive_all(live, clock, made, _NUMBERS)
            with live.engine.begin() as left, bulk.engine.begin() as right:
                assert load.differences(left, right) == []
                count = select(func.count()).select_from(document)
                assert right.scalar(count) == len(_NUMBERS)
