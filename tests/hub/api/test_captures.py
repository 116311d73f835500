"""Batches of store agents: each record once, in order, and nothing after a gap."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from hub.demo import poslog_writer, till
from hub.demo.retailer import NEW_YORK

pytestmark = pytest.mark.databases

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

CAPTURE = "store-7001.day_files"
HOSTILE = b'<!DOCTYPE a [<!ENTITY b "c">]><POSLog>&b;</POSLog>'


def sale(seq: int) -> bytes:
    return poslog_writer.sale(seq, seed=3)


def batch(records: Iterable[tuple[int, bytes]], epoch: str = "e1", **head: Any) -> bytes:
    """A batch as an agent writes it."""
    listed = list(records)
    lines = [json.dumps({"epoch": epoch, "records": len(listed), **head}).encode()]
    for seq, payload in listed:
        line = {
            "seq": seq,
            "name": f"sale-{seq}.xml",
            "length": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
            "captured_at": "2031-05-06T10:00:00.000000Z",
        }
        lines += [json.dumps(line).encode(), payload]
    return b"\n".join(lines) + b"\n"


def ship(serving: Serving, content: bytes, capture: str = CAPTURE) -> httpx2.Response:
    path = f"/sources/poslog/captures/{capture}/batches"
    packed = {"Content-Encoding": "gzip"}
    return serving.call("source", "POST", path, content=gzip.compress(content), headers=packed)


def sales(first: int, last: int) -> list[tuple[int, bytes]]:
    return [(seq, sale(seq)) for seq in range(first, last + 1)]


def test_a_batch_is_taken_in_and_the_answer_is_cumulative(serving: Serving) -> None:
    assert ship(serving, batch(sales(1, 3))).json() == {
        "capture": CAPTURE,
        "epoch": "e1",
        "committed": 3,
        "life": "",
        "refused": [],
    }
    assert ship(serving, batch(sales(4, 5))).json()["committed"] == 5
    assert serving.settled() == {"applied": 5}
    path = f"/sources/poslog/captures/{CAPTURE}"
    assert serving.call("source", "GET", path, params={"epoch": "e1"}).json()["committed"] == 5
    assert serving.call("source", "GET", path, params={"epoch": "e2"}).json()["committed"] == 0


def test_what_was_answered_already_is_not_taken_in_again(serving: Serving) -> None:
    for last in (3, 3, 5):
        assert ship(serving, batch(sales(1, last))).json()["committed"] == last
    assert serving.count("record") == 5
    assert ship(serving, batch([])).json()["committed"] == 5


def test_nothing_after_a_gap_is_taken(serving: Serving) -> None:
    assert ship(serving, batch(sales(2, 3))).json()["committed"] == 0
    assert ship(serving, batch([(1, sale(1)), (3, sale(3))])).json()["committed"] == 1
    assert serving.count("record") == 1


def test_the_same_number_with_other_content_is_a_fork_and_takes_nothing(serving: Serving) -> None:
    ship(serving, batch(sales(1, 2)))
    answer = ship(serving, batch([(2, sale(7)), (3, sale(3))]))
    assert (answer.status_code, answer.json()["code"]) == (409, "LP-STORE-002")
    assert serving.count("record") == 2
    # Under a new epoch it goes on, and what was here before counts once.
    ship(serving, batch([(1, sale(2)), (2, sale(7))], epoch="e2"))
    assert serving.settled() == {"applied": 3, "duplicate": 1}


def test_a_refused_record_keeps_its_number_and_does_not_stop_the_others(serving: Serving) -> None:
    answer = ship(serving, batch([(1, sale(1)), (2, HOSTILE), (3, sale(3))])).json()
    assert answer["committed"] == 3
    (refused,) = answer["refused"]
    assert (refused["seq"], refused["problem"]["code"]) == (2, "LP-DOOR-003")
    assert refused["problem"]["file"] == "sale-2.xml"
    assert serving.settled() == {"applied": 2}
    assert ship(serving, batch([(2, HOSTILE)])).json()["committed"] == 3
    assert serving.count("record") == 3


def test_captures_do_not_disturb_each_other(serving: Serving) -> None:
    for capture in ("store-7001.a", "store-7002.a"):
        assert ship(serving, batch(sales(1, 2)), capture).json()["committed"] == 2
    assert serving.settled() == {"applied": 2, "duplicate": 2}


def _spoilt() -> Iterable[tuple[str, bytes]]:
    whole = batch(sales(1, 1))
    yield "nothing", b""
    yield "no line end", b'{"epoch": "e1", "records": 0}'
    yield "no JSON", b"epoch e1\n"
    yield "another type", b'{"epoch": 1, "records": 0}\n'
    yield "too many", b'{"epoch": "e1", "records": 10001}\n'
    yield "more said than sent", whole.replace(b'"records": 1', b'"records": 2')
    yield "more sent than said", whole.replace(b'"records": 1', b'"records": 0')
    yield "cut", whole[:-100]
    yield "another hash", whole.replace(b"<", b">", 1)
    yield "a length that is too long", whole.replace(b'"length": ', b'"length": 9', 1)
    yield "a negative length", whole.replace(b'"length": ', b'"length": -', 1)
    yield "number none", batch([(0, sale(1))])
    yield "a line without end", b'{"epoch": "' + b"e" * 10_000 + b'"}\n'


@pytest.mark.parametrize(("what", "content"), [*_spoilt()], ids=[what for what, _ in _spoilt()])
def test_what_is_no_batch_is_refused_whole(serving: Serving, what: str, content: bytes) -> None:
    answer = ship(serving, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "LP-STORE-001"), what
    assert serving.count("record") == 0
    assert serving.count("capture") == 0


def test_how_far_behind_an_agent_is_is_kept(serving: Serving) -> None:
    ship(serving, batch(sales(1, 1), pending=41, oldest_at="2031-05-06T09:00:00.000000Z"))

    def row() -> tuple[Any, ...]:
        with serving.hub.engine.begin() as connection:
            found = connection.exec_driver_sql("SELECT pending, oldest_at, committed FROM capture")
            return tuple(found.one())

    assert serving.writer.alone(row).result() == (41, "2031-05-06T09:00:00.000000Z", 1)


def items(serving: Serving, path: str, **params: str | int) -> list[dict[str, Any]]:
    """A whole list, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked = {**params, **({"cursor": cursor} if cursor else {})}
        answer = serving.call("reader", "GET", path, params=asked)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


def test_captures_are_listed_by_their_latest_epoch(serving: Serving) -> None:
    ship(serving, batch([*sales(1, 1), (2, HOSTILE)], epoch="e1"))
    ship(serving, batch(sales(1, 1), epoch="e2", pending=3))
    ship(serving, batch(sales(1, 4)), "store-7002.a")
    for limit in (1, 50):
        first, second = items(serving, "/captures", limit=limit)
        assert (first["capture"], first["epoch"], first["epochs"]) == (CAPTURE, "e2", 2)
        assert (first["committed"], first["pending"], first["refused"]) == (1, 3, 1)
        assert (second["capture"], second["committed"]) == ("store-7002.a", 4)


def test_a_missing_number_is_listed_until_it_comes(serving: Serving) -> None:
    name = NEW_YORK.tills[0]
    mine = [entry for entry in till.day(NEW_YORK, seed=3) if entry.till == name]
    numbers = {entry.key[3]: poslog_writer.transaction(entry) for entry in mine}
    ordered = sorted(numbers, key=int)
    late = ordered[3:5]

    def send(chosen: list[str]) -> None:
        document = poslog_writer.document([numbers[n] for n in chosen], dialect="v2")
        serving.send(b"".join(document))
        serving.settled()

    send([n for n in ordered if n not in late])
    (gap,) = items(serving, "/gaps")
    assert (gap["workstation"], gap["missing"]) == (mine[0].key[1], 2)
    assert (gap["first"], gap["last"]) == (int(late[0]), int(late[1]))
    assert items(serving, "/gaps", store="9999") == []
    assert items(serving, "/gaps", since="2099-01-01") == []
    send(late)
    assert items(serving, "/gaps") == []
