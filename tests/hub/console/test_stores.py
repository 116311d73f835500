"""Which store is behind, which is silent, and which numbers its tills skipped."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, insert

from hub import capture, unverified
from hub.capture import Batch, commit
from hub.console import overview
from hub.demo import poslog_writer
from hub.store.tables import restore
from tests.hub.console.conftest import RECEIPT, visible

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor


def _ship(serving: Serving, capture: str, pending: int, *, now: str) -> None:
    batch = Batch("e1", (), pending, now if pending else None)
    door = serving.hub.door("poslog")
    work = partial(commit, door=door, capture=capture, batch=batch, now=now)
    serving.writer.submit(work).result()


def test_which_store_is_behind_is_said(serving: Serving, visitor: Visitor) -> None:
    now = serving.hub.now()
    _ship(serving, "store-1.files", 0, now=now)
    assert "every agent was heard of and has nothing left to ship" in visible(visitor.get(""))
    assert "silent" not in visible(visitor.get("/stores"))
    _ship(serving, "store-2.files", 3, now=now)
    assert "silent" not in visible(visitor.get("/stores"))
    _ship(serving, "store-3.files", 0, now="2020-01-01T00:00:00.000000Z")
    stores = visible(visitor.get("/stores"))
    assert "store-1.files to poslog up to date 0 0 0" in stores
    assert "store-2.files to poslog behind 0 3 0" in stores
    assert "store-3.files to poslog not heard of 0 not known 0 2020-01-01" in stores
    assert "A store is silent." in stores
    home = visible(visitor.get(""))
    assert "2 captures behind" in home
    assert "store-2.files has records to ship 3 records" in home
    assert "store-3.files is silent: what it has rung up since is not known here not known" in home
    assert "store-1.files" not in home


@pytest.mark.parametrize(("seconds", "pending"), [(179, 5), (181, None)])
def test_an_agent_is_silent_once_it_missed_three_of_its_signs_of_life(
    serving: Serving, seconds: int, pending: int | None
) -> None:
    now = datetime.fromisoformat(serving.hub.now())
    seen = now - timedelta(seconds=seconds)
    _ship(serving, "store-1.files", 5, now=seen.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    with serving.hub.engine.begin() as connection:
        rows = capture.listed(connection)
    stores = serving.hub.settings.stores
    silent = list(overview.silent(rows, stores, now=now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
    assert [each.pending for each in silent] == [pending]


def test_a_number_that_a_till_skipped_is_said(full: Serving, visitor: Visitor) -> None:
    later = replace(RECEIPT, sequence=RECEIPT.sequence + 3)
    content = b"".join(poslog_writer.document([poslog_writer.transaction(later)], dialect="v2"))
    assert full.send(content).status_code == 202
    full.settled()
    first, last = RECEIPT.sequence + 1, RECEIPT.sequence + 2
    assert f"skips {first} to {last} 2 numbers" in visible(visitor.get(""))
    assert f"{first} {last} 2" in visible(visitor.get("/stores"))


THEN, NOW = "2031-05-06T10:00:00.000000Z", "2031-05-06T12:00:00.000000Z"


def _restored(serving: Serving) -> None:
    def restored(connection: Connection) -> None:
        row = {"life": "a", "backup_at": THEN, "restored_at": NOW, "actor": "ann", "digest": "d"}
        connection.execute(insert(restore), row)
        settings = serving.hub.settings
        unverified.note(connection, settings, number=1, backup_at=THEN, restored_at=NOW)

    serving.writer.submit(restored).result()


def test_what_a_restore_left_unverified_is_said_on_the_first_page(
    full: Serving, visitor: Visitor
) -> None:
    assert "Not verified" not in visible(visitor.get(""))
    _restored(full)
    said = visible(visitor.get(""))
    assert "Not verified since a restore" in said
    assert "poslog 2031-05-06 09:59 UTC 2031-05-06 12:00 UTC" in said
    assert 'href="/console/unverified"' in visitor.get("").text
    assert "What needs a person" in said


def test_a_source_is_reconciled_with_how_that_is_known(full: Serving, visitor: Visitor) -> None:
    assert "Everything is verified." in visible(visitor.get("/unverified"))
    _restored(full)
    said = visible(visitor.get("/unverified"))
    assert "Nothing of poslog is missing" in said
    assert "Reconciled" not in said
    for source, reason in (("poslog", ""), ("poslog", " "), ("", "x")):
        assert visitor.post("/unverified", source=source, reason=reason).status_code == 400
    assert full.audited("unverified.reconcile") == []
    done = visitor.post("/unverified", source="poslog", reason="compared with the day")
    assert "poslog is reconciled 1 window closed." in visible(done)
    [(actor, _, subject, detail)] = full.audited("unverified.reconcile")
    assert (subject, detail and detail["reason"]) == ("source poslog", "compared with the day")
    said = visible(visitor.get("/unverified"))
    assert "Nothing of poslog is missing" not in said
    assert "Nothing of twilio is missing" in said
    assert f"09:59 UTC 2031-05-06 12:00 UTC {full.hub.now()[:10]}" in said
    assert f"{actor} compared with the day" in said
    again = visitor.post("/unverified", source="poslog", reason="compared with the day")
    assert (again.status_code, "LP-DB-030" in visible(again)) == (409, True)
