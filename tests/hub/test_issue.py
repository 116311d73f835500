"""Keys that people ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap, keys
from hub.issue import issue
from schemas.problem import Refused
from tests import homes


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"name": "command line", "role": "operator"}, "LP-KEY-005"),
        ({"name": "", "role": "reader"}, "LP-KEY-006"),
        ({"name": " ", "role": "reader"}, "LP-KEY-006"),
        ({"name": "x" * 101, "role": "reader"}, "LP-KEY-006"),
        ({"name": "till", "role": "source", "sources": ["nowhere"]}, "LP-HUB-001"),
        ({"name": "till", "role": "source"}, "LP-KEY-003"),
        ({"name": "till", "role": "reader", "sources": ["poslog"]}, "LP-KEY-003"),
    ],
)
def test_what_must_not_be_asked_for_makes_no_key(
    tmp_path: Path, asked: dict[str, Any], code: str
) -> None:
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        with pytest.raises(Refused) as refused:
            issue(hub, connection, **asked, actor="test")
        assert refused.value.problem.code == code
        assert keys.listed(connection) == []


def test_a_key_is_limited_to_what_was_asked(tmp_path: Path) -> None:
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        made, text = issue(
            hub,
            connection,
            name="x" * 100,
            role="source",
            sources=["shopify", "poslog"],
            stores=["0043", "0042"],
            actor="test",
        )
        assert keys.recognised(connection, text) == made
    assert made.sources == ("poslog", "shopify")
    assert made.stores == ("0042", "0043")
