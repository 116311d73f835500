"""kill -9 at any statement: further documents are there with what they lie in, and once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hub import bootstrap
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.demo import poslog_writer
from hub.home import Home
from tests.crash.test_kill import _rows, _state, _steps, _try

OWN = """\
extends: poslog.retail
further:
  line:
    to: Interaction
    from: RetailTransaction.LineItem[] where Sale
    key: [/RetailStoreID, /WorkstationID, /BusinessDayDate, /SequenceNumber, SequenceNumber]
    rules:
      id: = {/SequenceNumber}-{SequenceNumber}
      kind: = visit
      store: /RetailStoreID
      occurred_at: /EndDateTime
"""
EVERY = 2
_LONELY = """
    SELECT id FROM message WHERE state = 'applied' AND NOT EXISTS (
      SELECT 1 FROM document WHERE message_id = message.id AND further IS NULL)"""
_TWICE = "SELECT message_id FROM document GROUP BY message_id HAVING count(further) != 2"


def _published(home: Home) -> None:
    home.mappings.mkdir(parents=True, exist_ok=True)
    own = home.mappings / "own.yaml"
    own.write_text(OWN)
    made = drafts.read(own, home)
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        publishing.publish(connection, made, actor="ann", now=hub.now())


def test_killed_at_any_statement_they_come_whole_and_once(tmp_path: Path, empty_home: Path) -> None:
    home = tmp_path / "published"
    shutil.copytree(empty_home, home)
    _published(Home(home))
    file = tmp_path / "sales.xml"
    file.write_bytes(b"".join(poslog_writer.sales(20, seed=1, lines=2)))
    steps = _steps(tmp_path, home, file, "as it is")
    whole = _state(tmp_path / "0")
    assert [_rows(tmp_path / "0", sql) for sql in (_LONELY, _TWICE)] == [[], []]
    tried = range(1, steps + 1, EVERY)
    _try(tmp_path, home, file, "as it is", tried)
    for step in tried:
        report = json.loads((tmp_path / f"{step}.report").read_text())
        assert report["applied"] + report["duplicates"] == report["messages"] == 20
        assert _state(tmp_path / str(step)) == whole
