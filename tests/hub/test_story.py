"""The demo: its story comes out as written, and is seen to fail where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_SABOTAGED = """
from hub.demo import poslog_writer
{sabotage}
import sys
sys.argv = ["lynchpin", "demo", "--once"]
from hub.cli import main
main()
"""
_SABOTAGES = {
    "nothing": "",
    "one amount is written wrong": """
import re
write, seen = poslog_writer.transaction, []
def wrong(entry, **detail):
    written = write(entry, **detail)
    if not seen and b"TransactionGrandAmount" in written:
        seen.append(entry)
        written = re.sub(b'(TransactionGrandAmount[^>]*>)', rb'\\g<1>1', written, count=1)
    return written
poslog_writer.transaction = wrong
""",
    "the mapping reads another total": """
from connectors import registry
read = registry.mapping_text
def wrong(connector, name):
    text, file = read(connector, name)
    return text.replace("TransactionGrandAmount", "TransactionTaxAmount"), file
registry.mapping_text = wrong
""",
    "nothing is known again": """
from hub.apply import Batch
Batch.outcome = lambda self, named, stamped_at=None: "applied"
""",
}


@pytest.mark.parametrize("what", _SABOTAGES)
def test_the_demo_ends_with_0_only_if_the_story_came_out_as_written(
    tmp_path: Path, what: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SABOTAGED.format(sabotage=_SABOTAGES[what])],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == (0 if what == "nothing" else 1), done.stdout + done.stderr
    assert ("WRONG" in done.stdout) == (what != "nothing")


def test_the_program_itself_plays_the_demo_once(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("lynchpin")
    done = subprocess.run(
        [program, "demo", "--once"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "what came in" in done.stdout
    assert "LP-MAP-102" in done.stdout
