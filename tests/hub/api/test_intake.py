"""Records over HTTP: kept whole before the answer, or not at all."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING

import httpx2
import pytest

from hub.api import body
from hub.demo import poslog_writer
from hub.demo.retailer import NEW_YORK
from hub.store.tables import record
from schemas.problem import Refused

pytestmark = pytest.mark.databases

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

DAY = poslog_writer.day(NEW_YORK, seed=3)
SALE = poslog_writer.sale(seed=3)


def test_a_day_is_taken_in_and_settled(serving: Serving) -> None:
    answer = serving.send(DAY, **{"X-Lynchpin-File": "day.xml"})
    receipt = answer.json()
    assert answer.status_code == 202
    assert receipt["held"] == 0
    assert serving.settled() == {"applied": receipt["messages"]}
    (row, *_) = serving.call("reader", "GET", "/messages").json()["items"]
    assert (row["source"], row["file"]) == ("poslog", "day.xml")


def test_the_second_time_all_are_duplicates(serving: Serving) -> None:
    first, second = serving.send(DAY).json(), serving.send(DAY).json()
    assert first["record"] != second["record"]
    count = first["messages"]
    assert serving.settled() == {"applied": count, "duplicate": count}


def test_a_torn_document_is_kept_and_said_to_be_held(serving: Serving) -> None:
    receipt = serving.send(DAY[: len(DAY) // 2]).json()
    assert receipt["held"] == 1
    (hold,) = serving.call("reader", "GET", "/holds").json()["items"]
    assert hold["code"] == "LP-DOC-001"


def _members(content: bytes) -> bytes:
    middle = len(content) // 2
    return gzip.compress(content[:middle]) + gzip.compress(content[middle:])


@pytest.mark.parametrize("pack", [gzip.compress, _members], ids=["one member", "two members"])
def test_gzip_is_unpacked(serving: Serving, pack: object) -> None:
    assert callable(pack)
    plain = serving.send(DAY).json()
    packed = serving.send(pack(DAY), **{"Content-Encoding": "gzip"}).json()
    assert packed["messages"] == plain["messages"]

    def hashes() -> list[str]:
        with serving.hub.engine.begin() as connection:
            return [
                row[0]
                for row in connection.execute(record.select().with_only_columns(record.c.sha256))
            ]

    assert len(set(serving.writer.alone(hashes).result())) == 1


@pytest.mark.parametrize(
    ("encoding", "content", "status", "code"),
    [
        ("gzip", gzip.compress(DAY)[:-20], 400, "LP-API-003"),
        ("gzip", b"", 400, "LP-API-003"),
        ("gzip", DAY, 400, "LP-API-003"),
        ("gzip", gzip.compress(DAY) + b"rubbish", 400, "LP-API-003"),
        ("br", DAY, 415, "LP-API-002"),
        ("gzip, gzip", DAY, 415, "LP-API-002"),
        ("gzip", gzip.compress(bytes(200_000_000)), 413, "LP-API-001"),
        ("identity", b"", 400, "LP-DOOR-001"),
        ("identity", b"<!DOCTYPE a><POSLog/>", 400, "LP-DOOR-003"),
    ],
    ids=["cut gzip", "no gzip", "plain", "rubbish", "br", "twice", "bomb", "empty", "doctype"],
)
def test_what_is_refused_leaves_nothing(
    serving: Serving, encoding: str, content: bytes, status: int, code: str
) -> None:
    answer = serving.send(content, **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["next_step"]
    assert (serving.count("record"), serving.count("message")) == (0, 0)


def _sizes(unpacker: body._Gzip, chunks: Iterable[bytes]) -> list[int]:
    """The sizes of what comes out before it is refused."""
    sizes: list[int] = []

    def unpack() -> None:
        for chunk in chunks:
            sizes.extend(len(piece) for piece in unpacker.feed(chunk))

    with pytest.raises(Refused):
        unpack()
    return sizes


def test_a_bomb_is_never_unpacked_further_than_its_caps() -> None:
    unpacker = body._Gzip()
    packed = zlib.compressobj(9, wbits=31)
    bomb = packed.compress(bytes(50_000_000)) + packed.flush()
    sizes = _sizes(unpacker, [bomb])
    assert max(sizes) <= body._STEP_BYTES
    assert sum(sizes) <= body.RATIO_MAX * len(bomb)


def test_an_unpacked_size_over_the_cap_is_refused_however_it_is_packed() -> None:
    block = Random(3).randbytes(20_000)
    unpacker = body._Gzip()
    chunks = (gzip.compress(block * 100) for _ in range(100))
    taken = sum(_sizes(unpacker, chunks))
    assert body.BODY_BYTES_MAX - 2_000_000 <= taken <= body.BODY_BYTES_MAX


def _pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65536):
        yield b"x" * 65536


def test_a_body_without_an_end_is_refused_at_the_cap(serving: Serving) -> None:
    try:
        answer = serving.call(
            "source", "POST", "/sources/poslog/records", content=_pieces(200 * 2**20)
        )
    except httpx2.TransportError:
        pass  # The hub hung up while we were still sending.
    else:
        assert answer.status_code == 413
    assert serving.count("record") == 0
    assert serving.call(None, "GET", "/health/ready").status_code == 200


def _raw(serving: Serving, content: bytes, length: int, *, then: int | None = None) -> bytes:
    """Announce a length, send this much, and perhaps shut a half of the line down."""
    head = (
        f"POST /sources/poslog/records HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
        "Connection: close\r\n"
        f"Authorization: Bearer {serving.keys['source']}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", serving.port), timeout=30) as line:
        line.sendall(head.encode() + content)
        if then is not None:
            line.shutdown(then)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    return answer


def test_a_body_that_is_cut_off_is_not_kept(serving: Serving) -> None:
    half = DAY[: len(DAY) // 2]
    assert b" 202 " not in _raw(serving, half, len(DAY), then=socket.SHUT_WR)
    assert serving.count("record") == 0
    # The same half with an honest length is a torn record, which is kept.
    assert b" 202 " in _raw(serving, half, len(half))
    assert serving.count("record") == 1


def test_a_length_that_is_too_long_is_refused_before_anything_is_read(serving: Serving) -> None:
    assert b" 413 " in _raw(serving, b"", body.BODY_BYTES_MAX + 1)


def test_a_length_that_is_too_short_keeps_only_what_was_announced(serving: Serving) -> None:
    assert b" 202 " in _raw(serving, SALE + b"<POSLog/>", len(SALE))
    assert serving.settled() == {"applied": 1}


def test_room_is_bounded_and_given_back(serving: Serving) -> None:
    budget = serving.app.state.served.budget
    whole = budget.left
    assert serving.send(DAY).status_code == 202
    assert budget.left == whole
    budget.left = 100
    answer = serving.send(DAY)
    assert (answer.status_code, answer.json()["code"]) == (503, "LP-API-005")
    assert int(answer.headers["retry-after"]) > 0
    assert budget.left == 100
    budget.left = whole
    assert serving.count("record") == 1


def test_an_unknown_source_is_not_found(serving: Serving) -> None:
    del serving.hub.settings.sources["poslog"]
    answer = serving.send(DAY)
    assert (answer.status_code, answer.json()["code"]) == (404, "LP-HUB-001")


def test_card_numbers_are_gone_before_anything_is_kept(serving: Serving) -> None:
    number = "4111111111111111"
    answer = serving.send(SALE, **{"X-Lynchpin-File": f"{number}.xml"})
    assert answer.status_code == 202
    assert number not in json.dumps(serving.call("operator", "GET", "/messages").json())
