"""Files of invented sales for the benches: lean ones of 4 kB and talkative ones of 18 kB."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from hub.demo import poslog_writer, till

__all__ = ["SEED", "Size", "write", "write_days"]

SEED = 11

Size = Literal["4 kB", "18 kB"]
_REWARD_PERCENT: dict[Size, int] = {"4 kB": 0, "18 kB": 10}
_DETAIL: dict[Size, Literal["lean", "full"]] = {"4 kB": "lean", "18 kB": "full"}


def write(file: Path, n: int, *, size: Size, seed: int = SEED) -> Path:
    """Write a document of ``n`` sales of ten lines, and return its path."""
    percent, detail = _REWARD_PERCENT[size], _DETAIL[size]
    receipts = till.sales(n, seed=seed, reward_percent=percent)
    entries = (poslog_writer.transaction(receipt, detail=detail) for receipt in receipts)
    with file.open("wb") as stream:
        stream.writelines(poslog_writer.document(entries, dialect="v2"))
    return file


def write_days(file: Path, n: int, *, days: int, size: Size) -> Path:
    """Write the same ``n`` sales again on each of ``days`` business dates: a big file at once."""
    data = write(file, n, size=size).read_bytes()
    start, end = data.index(b"<Transaction>"), data.rindex(b"</POSLog>")
    today = till.BUSINESS_DATE.isoformat().encode()
    with file.open("wb") as stream:
        stream.write(data[:start])
        for day in range(days):
            date = (till.BUSINESS_DATE + timedelta(days=day)).isoformat().encode()
            stream.write(data[start:end].replace(today, date))
        stream.write(data[end:])
    return file
