"""Publishing upon a plan: it must have compared what is in force at that very moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap, library, publication
from hub.authoring import publishing
from hub.authoring.draft import Draft, drafted
from hub.plan.report import Report, Thresholds, Window
from mappings.spec import version_of
from schemas.problem import Refused
from tests import homes

pytestmark = pytest.mark.databases

SHIPPED, _ = library.shipped_text("poslog", "retail")
NOW = "2031-01-01T00:00:00.000000Z"


def draft(number: int) -> Draft:
    return drafted(f"{SHIPPED}# {number}\n", "ours.yaml", lambda name: None)


def planned(proposed: Draft, published: str) -> dict[str, Any]:
    made = Report(
        id="p1",
        connector="poslog",
        kind="retail",
        file="ours.yaml",
        proposed=proposed.mapping.version,
        published=published,
        begun_at=NOW,
        window=Window(last=0),
        done=True,
    )
    return made.model_dump(mode="json")


def test_what_is_beyond_a_limit_is_refused_by_whoever_writes(tmp_path: Path) -> None:
    home = homes.made(tmp_path / "home")
    one = draft(1)
    report = {**planned(one, version_of(SHIPPED)), "counts": {"equal": 5, "newly_failing": 1}}
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        for more, limit in ((report, 0), (None, 1)):
            with pytest.raises(Refused, match="LP-PLAN-00"):
                publishing.publish(
                    connection,
                    one,
                    actor="a",
                    now=NOW,
                    report=more,
                    limits=Thresholds(failing=limit),
                )
        assert publication.version_in_force(connection, one.target) == version_of(SHIPPED)


def test_of_two_who_publish_upon_the_same_plan_one_is_told_to_plan_again(tmp_path: Path) -> None:
    home = homes.made(tmp_path / "home")
    one, other = draft(1), draft(2)
    before = version_of(SHIPPED)
    # What several callers want written at once shares a transaction.
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        publishing.publish(connection, one, actor="a", now=NOW, report=planned(one, before))
        with pytest.raises(Refused, match="LP-PLAN-002"):
            publishing.publish(connection, other, actor="b", now=NOW, report=planned(other, before))
        assert publication.version_in_force(connection, one.target) == one.mapping.version
        report = planned(other, one.mapping.version)
        line = publishing.publish(connection, other, actor="b", now=NOW, report=report)
        assert line.hash == other.mapping.version
