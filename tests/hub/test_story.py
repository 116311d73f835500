"""The demo: its story comes out as written, and is seen to fail where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import naming

PROGRAM = Path(sys.executable).with_name("lynchpin")

# Python runs this before the program: in the demo itself, in its hub, and in its agents.
_SABOTAGE = """
import sys
if {argument!r} in sys.orig_argv:
{code}
"""
_SABOTAGES = {
    "one amount is written wrong": (
        "demo",
        """
    import re
    from hub.demo import poslog_writer
    write, seen = poslog_writer.transaction, []
    def wrong(entry, **detail):
        written = write(entry, **detail)
        if b"TransactionGrandAmount" in written and entry.key in (seen or [entry.key]):
            seen.append(entry.key)
            written = re.sub(b'(TransactionGrandAmount[^>]*>)', rb'\\g<1>1', written, count=1)
        return written
    poslog_writer.transaction = wrong
""",
    ),
    "the mapping reads another total": (
        "up",
        """
    from connectors import registry
    read = registry.mapping_text
    def wrong(connector, name):
        text, file = read(connector, name)
        return text.replace("TransactionGrandAmount", "TransactionTaxAmount"), file
    registry.mapping_text = wrong
""",
    ),
    "nothing is known again": (
        "up",
        """
    from hub.apply import Batch
    Batch.outcome = lambda self, named, stamped_at=None: "applied"
""",
    ),
    "the hub answers before it has committed": (
        "up",
        """
    import time
    from hub import writer
    commit = writer.Writer._commit
    def early(self, jobs):
        if all(job.shared.func.__module__ != "hub.api.webhooks" for job in jobs):
            return commit(self, jobs)
        with self.hub.engine.begin() as connection:
            for job in jobs:
                result, failed = writer._attempt(connection, job)
                if failed is None:
                    job.future.set_result(result)
                else:
                    job.future.set_exception(failed)
            time.sleep(0.2)
    writer.Writer._commit = early
""",
    ),
    "the agent deletes before the hub has committed": (
        "run",
        """
    from store_agent.spool import Spool
    batch, acknowledge = Spool.batch, Spool.acknowledge
    def early(self, capture, **named):
        found = batch(self, capture, **named)
        if found.records:
            acknowledge(self, capture, found, found.records[-1].seq, {}, now=named["now"])
        return found
    Spool.batch, Spool.acknowledge = early, lambda *_, **__: None
    from store_agent.lane import Lane
    from store_agent.link import Away
    def once(self, call):
        try:
            return call()
        except Away:
            return type("Answer", (), {"committed": 10**6, "problems": dict})
    Lane._trying = once
""",
    ),
    "the agent forgets a sale": (
        "run",
        """
    from store_agent.spool import Spool
    add, seen = Spool._add_record, []
    def forgetful(self, *entry):
        seen.append(1)
        if len(seen) != 3:
            add(self, *entry)
    Spool._add_record = forgetful
""",
    ),
}

_SEEN = {
    "the hub answers before it has committed": "orders it had answered, kept: 1 missing",
    "the agent deletes before the hub has committed": "facts in all: ",
    "the agent forgets a sale": "1 missing",
}
"""What must be said, beside that something is wrong."""


def _play(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "demo", "--once"],
        env={**os.environ, "TMPDIR": str(folder), **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_story_comes_out_as_written_on_one_screen_and_leaves_only_its_folder(
    tmp_path: Path,
) -> None:
    mine = tmp_path / "mine"
    # Neither the visitor's own hub nor the path to the programs matters.
    own = {"LYNCHPIN_HOME": str(mine), "LYNCHPIN_NO_SUCH": "1", "PATH": "/nowhere"}
    done = _play(tmp_path, COLUMNS="100", **own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout
    assert "checks came out as written" in done.stdout
    assert len(done.stdout.splitlines()) <= 30
    (left,) = tmp_path.iterdir()
    assert str(left) in done.stdout
    assert not mine.exists()
    assert naming(tmp_path) == []


@pytest.mark.parametrize("what", _SABOTAGES)
def test_the_demo_ends_with_1_if_the_story_does_not_come_out(tmp_path: Path, what: str) -> None:
    argument, code = _SABOTAGES[what]
    path = tmp_path / "path"
    path.mkdir()
    sabotage = _SABOTAGE.format(argument=argument, code=code)
    (path / "sitecustomize.py").write_text(sabotage)
    done = _play(tmp_path, PYTHONPATH=str(path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "WRONG" in done.stdout, done.stderr
    assert _SEEN.get(what, "") in done.stdout
    assert "Error in sitecustomize" not in done.stderr
    assert naming(tmp_path) == []
