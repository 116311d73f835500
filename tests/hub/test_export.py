"""Exporting what a hub knows, however much that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event

from hub import bootstrap, export
from hub.demo import poslog_writer
from hub.demo.retailer import NEW_YORK
from hub.receive import receive
from tests import homes


def test_nothing_is_sorted_that_an_index_has_in_order(tmp_path: Path) -> None:
    """Sorting would keep every document in memory at once: nothing of SQLite may go to a file."""
    home = homes.made(tmp_path / "home")
    day = tmp_path / "day.xml"
    day.write_bytes(poslog_writer.day(NEW_YORK, seed=3))
    asked: list[tuple[str, Any]] = []
    with bootstrap.open_hub(home) as hub:
        assert receive(hub, "poslog", [day]).held == 0

        @event.listens_for(hub.engine, "before_cursor_execute")
        def _note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
            asked.append((statement, values))

        with hub.engine.begin() as connection:
            lines = list(export.export(connection))
            selects = [one for one in asked if one[0].startswith("SELECT")]
            plans = [
                str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
                for statement, values in selects
            ]
    assert len(lines) > 40
    assert plans
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]
