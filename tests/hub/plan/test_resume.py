"""A plan that is killed goes on where it was, and comes to the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from hub.bootstrap import Hub
from hub.home import Home
from hub.plan import shelf
from hub.plan.report import Report
from tests.hub.plan.conftest import edited

ROOT = Path(__file__).parents[3]
CHANGED = edited("shopify", "order", (" authorized: authorized,", " authorized: due,"))


def killed(home: Home, file: Path, times: int) -> int:
    command = [sys.executable, "-m", "tests.hub.plan.killer", str(home.path), str(file), str(times)]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=120).returncode


def command_line(home: Home, file: Path, *options: str) -> Report:
    program = Path(sys.executable).with_name("lynchpin")
    ran = subprocess.run(
        [program, "map", "plan", str(file), "--json", *options],
        env={**os.environ, "LYNCHPIN_HOME": str(home.path)},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return Report.model_validate(json.loads(ran.stdout))


def found(report: Report) -> dict[str, object]:
    """A report without its name, and where in history it ended."""
    return report.model_dump(exclude={"id", "begun_at", "cursor", "window"})


def test_a_killed_plan_goes_on_and_comes_to_the_same(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    file.write_text(CHANGED.text)
    # The hub of the fixture stays open: a plan reads beside it.
    whole = command_line(hub.home, file)
    assert whole.counts.changed > 0
    assert whole.done
    for times in (1, 2):
        assert killed(hub.home, file, times) == -signal.SIGKILL
    (cut,) = [report for report in shelf.listed(hub.home) if not report.done]
    assert 0 < cut.counts.documents < whole.counts.documents
    resumed = command_line(hub.home, file, "--resume")
    assert resumed.id == cut.id
    assert found(resumed) == found(whole)
    # What is finished is not gone on with.
    assert command_line(hub.home, file, "--resume").id != cut.id


def test_another_text_does_not_go_on_with_it(hub: Hub, tmp_path: Path) -> None:
    file, other = tmp_path / "order.yaml", tmp_path / "other.yaml"
    file.write_text(CHANGED.text)
    other.write_text(CHANGED.text + "# another\n")
    assert killed(hub.home, file, 1) == -signal.SIGKILL
    (cut,) = shelf.listed(hub.home)
    assert command_line(hub.home, other, "--resume").id != cut.id
