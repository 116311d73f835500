"""How many statements a sale takes, and how many rows it writes, whatever is stored before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import mix
from bench.statements import Work, counted
from hub.bootstrap import Hub
from hub.demo import poslog_writer
from hub.demo.receipt import Receipt
from hub.receive import receive

pytestmark = pytest.mark.databases

_FEW, _MANY = 100, 1_000
_KNOWN = next(index for index in range(100) if mix.meant(index).kind == "known")


def _send(hub: Hub, folder: Path, body: bytes) -> None:
    file = folder / "sales.xml"
    file.write_bytes(body)
    report = receive(hub, "poslog", [file])
    assert report.applied == report.messages > 0


def _one(hub: Hub, folder: Path, sequence: int) -> Work:
    """What the same sale of somebody known takes, under another number."""
    sale: Receipt = replace(mix.receipt(_KNOWN), sequence=sequence)
    written = [poslog_writer.transaction(sale, detail="lean")]
    with counted(hub) as work:
        _send(hub, folder, b"".join(poslog_writer.document(written, dialect="v2")))
    return work


def test_a_sale_takes_as_many_statements_and_rows_after_many_as_after_few(
    hub: Hub, tmp_path: Path
) -> None:
    for file in mix.files(0, _FEW, each=50):
        _send(hub, tmp_path, file.body)
    few = _one(hub, tmp_path, 900_001)
    for file in mix.files(_FEW, _MANY - _FEW, each=300):
        _send(hub, tmp_path, file.body)
    many = _one(hub, tmp_path, 900_002)
    assert few == many
    assert 0 < few.statements < 60
    assert few.rows > 0
