"""Reading a POSLog sale: the steps on one message, each beside what it could be compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import xmltodict
from lxml import etree

from bench import sale
from bench.clock import Sample, interleaved
from bench.figure import Figure, of
from bench.sale import Size
from connectors import registry
from connectors.api import Connector, Slice
from connectors.scrub import scrub

__all__ = ["figures", "slices"]

_ROUNDS = 15
_US = 1_000_000
_SIZES: dict[Size, tuple[str, int]] = {"4 kB": ("4kb", 200), "18 kB": ("18kb", 60)}
_CHUNK_BYTES = 256 * 1024


def figures() -> Iterator[Figure]:
    """Measure the parse, the scrub and the split of sales in both sizes."""
    for size, (suffix, count) in _SIZES.items():
        yield from _of_size(size, suffix, count)


def chunks(count: int, *, size: Size) -> list[bytes]:
    """A record of ``count`` sales in the pieces that the hub reads it in."""
    with TemporaryDirectory() as folder:
        data = sale.write(Path(folder) / "sales.xml", count, size=size).read_bytes()
    return [data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES)]


def slices(connector: Connector, record: list[bytes]) -> list[Slice]:
    """The messages of a record that is whole."""
    pieces = list(connector.split(record, connector.options(), None))
    found = [piece for piece in pieces if isinstance(piece, Slice) and piece.problem is None]
    if len(found) != len(pieces):
        raise AssertionError("the invented record is not whole")
    return found


def _of_size(size: Size, suffix: str, count: int) -> Iterator[Figure]:
    connector = registry.load("poslog")
    options, record = connector.options(), chunks(count, size=size)
    messages = slices(connector, record)
    whole = [b'<POSLog xmlns:acs="acs">' + m.payload + b"</POSLog>" for m in messages]
    works: dict[str, Callable[[], object]] = {
        "decode": lambda: [connector.decode(m.payload, m.context, options) for m in messages],
        "lxml": lambda: [etree.fromstring(text) for text in whole],
        "xmltodict": lambda: [xmltodict.parse(text) for text in whole],
        "scrub": lambda: [scrub(m.payload, connector.scrub) for m in messages],
        "split": lambda: list(connector.split(record, options, None)),
    }
    took = interleaved(works, rounds=_ROUNDS, each=count)
    weight = f"a sale of {sum(len(m.payload) for m in messages) / count / 1000:.1f} kB"

    def figure(name: str, what: str, **beside: Sample) -> Figure:
        return of(
            took[name].times(_US),
            id=f"parse.{name}_us.{suffix}",
            what=f"{what} {weight}",
            unit="µs",
            n=count,
            seed=sale.SEED,
            beside={other: sample.median * _US for other, sample in beside.items()},
        )

    yield figure("decode", "parse", lxml=took["lxml"], xmltodict=took["xmltodict"])
    yield figure("scrub", "search for card data in")
    yield figure("split", "cut out of its file and prove well-formed")
