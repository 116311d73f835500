"""POSLog documents of invented receipts: whole days, single sales, endless streams, broken ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import xmltodict

from hub.demo import poslog_v2, poslog_v6, till
from hub.demo.poslog_v2 import Detail
from hub.demo.receipt import Control, Receipt
from hub.demo.retailer import Store

__all__ = ["cut_short", "day", "document", "sale", "sales", "transaction", "without_total"]

_SIZES: dict[Literal["4 kB", "18 kB"], tuple[int, Detail]] = {
    "4 kB": (0, "lean"),
    "18 kB": (10, "full"),
}
"""What makes ten lines weigh that much: the member's percentage and the detail."""


def transaction(entry: Control | Receipt, *, detail: Detail = "full") -> bytes:
    """One ``Transaction`` element in the dialect of its store, without a document around it."""
    if entry.store.dialect == "v6":
        return _element(poslog_v6.transaction(entry))
    return _element(poslog_v2.transaction(entry, detail=detail))


def document(transactions: Iterable[bytes], *, dialect: Literal["v2", "v6"]) -> Iterator[bytes]:
    """The document around transactions, piece by piece: nothing is held back or gathered."""
    yield from _root(dialect)[:1]
    yield from transactions
    yield from _root(dialect)[1:]


def day(store: Store, *, seed: int) -> bytes:
    """The file that a store sends in the evening: ``till.day`` of the same seed, written down."""
    entries = till.day(store, seed=seed)
    return b"".join(document(map(transaction, entries), dialect=store.dialect))


def sale(index: int = 0, *, seed: int, size: Literal["4 kB", "18 kB"] = "4 kB") -> bytes:
    """A document of one sale of ten lines, lean or as talkative as NCR's tills are.

    ``till.sale(index, seed=seed, reward_percent=...)`` is its oracle: 0 for the lean, 10 for the
    talkative one.
    """
    percent, detail = _SIZES[size]
    receipt = till.sale(index, seed=seed, reward_percent=percent)
    return b"".join(document([transaction(receipt, detail=detail)], dialect="v2"))


def sales(n: int, *, seed: int, lines: int = 10) -> Iterator[bytes]:
    """One document of ``n`` lean sales, streamed; ``till.sales`` of the same seed is its oracle."""
    receipts = till.sales(n, seed=seed, lines=lines)
    return document((transaction(r, detail="lean") for r in receipts), dialect="v2")


def without_total(receipt: Receipt) -> bytes:
    """The receipt as a transaction that lost all its totals: well-formed, its money unreadable."""
    writer = poslog_v6 if receipt.store.dialect == "v6" else poslog_v2
    content = writer.transaction(receipt)
    del content["RetailTransaction"]["Total"]
    return _element(content)


def cut_short(receipt: Receipt) -> bytes:
    """The receipt as a transaction that ends in the middle of a line, as after a power cut."""
    written = transaction(receipt)
    return written[: written.index(b"<ExtendedAmount>") + len(b"<ExtendedAmount>") + 1]


def _element(content: dict[str, object]) -> bytes:
    text: str = xmltodict.unparse(
        {"Transaction": content}, full_document=False, short_empty_elements=True
    )
    return text.encode()


def _root(dialect: Literal["v2", "v6"]) -> list[bytes]:
    """The two halves of an empty document. Only version 6 starts with an XML declaration."""
    v6 = dialect == "v6"
    attributes = poslog_v6.ROOT if v6 else poslog_v2.ROOT
    text: str = xmltodict.unparse({"POSLog": attributes | {"#text": "\n"}}, full_document=v6)
    head, tail = text.encode().rsplit(b"\n", 1)
    return [head + b"\n", tail]
