"""Millions of sales: that they cost the next one nothing, and nobody who looks for a message.

They are loaded in bulk, in random order, behind some orders and a sale that is held: what is rare
lies at the far end of the journal. That the bulk is what the live path writes is shown first.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import forms, load, mix
from bench.clock import Sample
from bench.disk import disk
from bench.figure import Figure, of
from bench.flow import FILE_SALES
from bench.forms import Forms, receive_as, text_of
from bench.load import Clock
from bench.postgres import database
from bench.sale import SEED
from bench.search import p95, slowest
from bench.statements import Work, counted
from hub import messages, publication
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer
from hub.messages import Sought
from hub.naming import fact_id
from hub.publication import Target
from hub.receive import receive

__all__ = ["figures", "measured"]

_SALES, _FEW = 2_000_000, 20_000
_PROVEN = (0, 10_000), (_SALES - 10_000, 10_000)
_RATIO, _FLOOR_MS = 1.05, 150
_ROUNDS, _EACH = 5, 20
_ALIKE, _FREE_SEQUENCE = 200, 900_000
_KNOWN = next(index for index in range(100) if mix.meant(index).kind == "known")
_ORDERS = tuple(shop.orders(30, seed=SEED))
_US = 1_000_000


def figures() -> Iterator[Figure]:
    """Prove the bulk; then load and measure on a file of SQLite, and on PostgreSQL."""
    made = _forms()
    yield _proven(made)
    yield from measured("sqlite", made, _SALES)
    yield from measured("postgres", made, _SALES)


def _forms(baskets: int = forms.BASKETS) -> Forms:
    with (
        TemporaryDirectory(dir=disk()) as folder,
        load.fresh(Path(folder) / "home", Clock()) as scratch,
    ):
        return forms.forms(scratch, baskets)


def _proven(made: Forms) -> Figure:
    """How many tables of twenty thousand sales differ from those that the live path writes."""
    numbers = [number for part in _PROVEN for number in load.shuffled(*part)]
    clock = Clock()
    with (
        TemporaryDirectory(dir=disk()) as folder,
        load.fresh(Path(folder) / "bulk", clock) as bulk,
        load.fresh(Path(folder) / "live", clock) as live,
    ):
        load.load(bulk, made, numbers)
        load.receive_all(live, clock, made, numbers)
        with live.engine.begin() as left, bulk.engine.begin() as right:
            found = load.differences(left, right)
    return of(
        Sample((float(len(found)),)),
        id="hub.bulk_differences",
        what="tables of sales loaded in bulk in which any row has any column otherwise than by the"
        " live path",
        unit="",
        floor=0,
        n=len(numbers),
        seed=SEED,
    )


def measured(name: str, made: Forms, sales: int) -> Iterator[Figure]:
    """What a sale costs behind so many, and how long a search among them takes."""
    with _loaded(name, made, _FEW) as hub:
        few = _sale_of_somebody(hub)
    with _loaded(name, made, sales) as hub:
        yield _statements(name, few, _sale_of_somebody(hub), sales)
        yield _searches(name, hub, sales)


@contextmanager
def _loaded(name: str, made: Forms, sales: int) -> Iterator[Hub]:
    with ExitStack() as stack:
        url = stack.enter_context(database()).url if name == "postgres" else None
        folder = stack.enter_context(TemporaryDirectory(dir=disk()))
        hub = stack.enter_context(load.fresh(Path(folder) / "home", Clock(), url))
        _rare(hub, Path(folder))
        load.load(hub, made, load.shuffled(0, sales))
        yield hub


def _rare(hub: Hub, folder: Path) -> None:
    """Some orders, and a sale that is held."""
    orders, broken = folder / "orders.jsonl", folder / "broken.xml"
    orders.write_bytes(b"\n".join(map(shop_writer.order, _ORDERS)))
    sale = replace(mix.receipt(_KNOWN), sequence=_FREE_SEQUENCE - 1)
    written = poslog_writer.without_total(sale)
    broken.write_bytes(b"".join(poslog_writer.document([written], dialect="v2")))
    for source, file, state in (("shopify", orders, "applied"), ("poslog", broken, "held")):
        report = receive(hub, source, [file])
        if not getattr(report, state) == report.messages > 0:
            raise AssertionError(f"{file.name}: {report.as_json()}")


def _sale_of_somebody(hub: Hub) -> tuple[Work, float]:
    """What the same sale takes under another number, and processor seconds, hub process alone."""
    sale = replace(mix.receipt(_KNOWN), sequence=_FREE_SEQUENCE)
    receive_as(hub, "first.xml", text_of([sale]))
    with counted(hub) as work:
        receive_as(hub, "second.xml", text_of([replace(sale, sequence=_FREE_SEQUENCE + 1)]))
    alike = [replace(sale, sequence=_FREE_SEQUENCE + 2 + n) for n in range(_ALIKE)]
    before = time.process_time()
    receive_as(hub, "alike.xml", text_of(alike))
    return work, (time.process_time() - before) / _ALIKE


def _statements(name: str, few: tuple[Work, float], many: tuple[Work, float], sales: int) -> Figure:
    ratio = max(many[0].statements / few[0].statements, many[0].rows / few[0].rows)
    return of(
        Sample((ratio,)),
        id=f"hub.statements_per_sale.{name}",
        what=f"statements, or rows if these grow more, of a sale behind {sales:,} against one"
        f" behind {_FEW:,}",
        unit="ratio",
        floor=_RATIO,
        n=sales,
        seed=SEED,
        beside={
            "statements": float(many[0].statements),
            "rows": float(many[0].rows),
            f"µs of the hub behind {_FEW:,}": few[1] * _US,
            f"µs of the hub behind {sales:,}": many[1] * _US,
        },
    )


def _searches(name: str, hub: Hub, sales: int) -> Figure:
    def search(sought: Sought) -> None:
        with hub.engine.begin() as connection:
            messages.look(hub, connection, sought, limit=messages.LIMIT)

    return slowest(
        {by: p95(search, rounds) for by, rounds in _sought(hub, sales).items()},
        id=f"hub.search_p95_ms.{name}",
        what=f"95 % of the looks for a message among {sales:,}, by what takes longest",
        floor=_FLOOR_MS,
        n=_EACH,
    )


def _sought(hub: Hub, sales: int) -> dict[str, list[list[Sought]]]:
    """What is looked for, by its kind: ``_EACH`` of it a round."""
    dice = random.Random(SEED)
    with hub.engine.begin() as connection:
        retail = publication.version_in_force(connection, Target(forms.SOURCE, "retail"))
    days = Clock(file=sales // FILE_SALES // 10)

    def of_sale(*parts: str) -> Callable[[], Sought]:
        def made() -> Sought:
            store, till, day, sequence = mix.receipt(dice.randrange(sales)).key
            said = {"store": store, "workstation": till, "business_date": day}
            said["sequence"] = sequence
            return Sought(**{name: said[name] for name in parts})

        return made

    def always(**said: Any) -> Callable[[], Sought]:
        return lambda: Sought(**said)

    def fact() -> str:
        return fact_id(forms.SOURCE, mix.receipt(dice.randrange(sales)).key)

    kinds: dict[str, Callable[[], Sought]] = {
        "nothing at all": always(),
        "store, till, day and sequence": of_sale(
            "store", "workstation", "business_date", "sequence"
        ),
        "till and sequence": of_sale("store", "workstation", "sequence"),
        "store and sequence": of_sale("store", "sequence"),
        "sequence alone": of_sale("sequence"),
        "day of a store": of_sale("store", "business_date"),
        "store": of_sale("store"),
        "no such store": always(store="0000"),
        "receipt that is not there": always(receipt="none"),
        "order": lambda: Sought(order=str(dice.choice(_ORDERS).id)),
        "order that is not there": always(order="none"),
        "customer": lambda: Sought(person=fact()),
        "frequent source": always(source=forms.SOURCE),
        "rare source": always(source="shopify"),
        "no such source": always(source="none"),
        "frequent kind": always(kind="retail"),
        "rare kind": always(kind="order"),
        "no such kind": always(kind="none"),
        "version": always(mapping=retail),
        "no such version": always(mapping="none"),
        "applied": always(state="applied"),
        "held": always(state="held"),
        "discarded, none": always(state="discarded"),
        "no such cause": always(code="LP-DOC-001"),
        "no such fingerprint": always(group="none"),
        "fact": lambda: Sought(fact=fact()),
        "part of a fact, not there": always(fact="none"),
        "part of a fact, with a kind": always(fact="none", kind="retail"),
        "part of a file's name": always(file="sales-000"),
        "part of a file's name, not there": always(file="none"),
        "a day long ago": always(since=days.now()[:10], until=days.now()),
        "long ago from a rare source": always(until=days.now(), source="shopify"),
        "long ago, a part of a file's name": always(until=days.now(), file="none"),
        "frequent source, kind and version": always(
            source=forms.SOURCE, kind="retail", mapping=retail
        ),
        "frequent source, rare kind": always(source=forms.SOURCE, kind="order"),
        "frequent source, kind of others, part": always(
            source=forms.SOURCE, kind="retail", state="applied", fact="none", file="none"
        ),
    }
    return {
        by: [[make() for _ in range(_EACH)] for _ in range(_ROUNDS)] for by, make in kinds.items()
    }
