"""Poison among hundreds of tills and orders: only what depends on it waits; all ends applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.poison import KINDS, poisoned
from hub import bootstrap, waiting
from tests import homes

SIZES = {"sqlite": (1500, 250), "postgresql": (600, 100)}


@pytest.mark.databases
def test_only_what_depends_on_a_poison_waits_and_all_is_applied_in_the_end(
    tmp_path: Path, database: str
) -> None:
    messages, subjects = SIZES[database]
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as hub:
        done = poisoned(hub, messages, subjects)
    assert (done.astray, done.unapplied) == (0, 0)
    assert not done.revenue_off
    assert done.messages >= messages
    assert done.subjects == 2 * subjects
    assert set(done.poisons) == set(KINDS)
    assert done.waited > done.poisons["unreadable order"]


def test_without_waiting_later_versions_pass_the_poison_and_it_comes_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting.Queue, "_first", lambda *_: None)
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as hub:
        done = poisoned(hub, 300, 40)
    assert done.astray > 0
    assert done.unapplied > 0
