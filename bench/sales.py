"""Sales per second with everybody among the customers, from files to customer records.

The hub is the program as it is run. It is sent files of sales without a pause, in portions; then
sales at the pace that is promised, to see how long each file waits until it is acknowledged. At the
end the ledger is asked what must be there: every sale once, to the cent, and with the right person.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from decimal import Decimal
from statistics import mean, quantiles

from sqlalchemy import select

from bench import mix
from bench.clock import Sample
from bench.cores import both_of_one
from bench.figure import Figure, of
from bench.flow import FILE_SALES, Flow, Portion, flowing
from bench.postgres import Database, database
from bench.sale import SEED
from hub import bootstrap
from hub.bootstrap import Hub
from hub.naming import fact_id
from hub.people.profile import profile_of
from hub.store.tables import document

__all__ = ["figures"]

_PORTION, _PORTIONS = 20_000, 10
_WARM_UP, _PACED = 2_000, 20_000
_FLOORS = {"sqlite": 1_000, "postgres": 600}
_ACK_MS, _RATIO = 250, 1.1
_ASKED = 60
"""So many sales of each kind of customer are asked for at the end."""
_US, _MS = 1_000_000, 1_000


def figures() -> Iterator[Figure]:
    """Measure on a file of SQLite; then half as long on PostgreSQL, on the same cores."""
    yield from _measured("sqlite", _PORTIONS, None)
    with database() as server:
        yield from _measured("postgres", _PORTIONS // 2, server)


def _measured(name: str, portions: int, server: Database | None) -> Iterator[Figure]:
    beside: dict[str, float] = {}
    with flowing(server.url if server else None) as flow:
        flow.accounts()
        flow.portion(_WARM_UP)
        before = server.processor() if server else 0.0
        loads, cores, done = [], [], []
        for _ in range(portions):
            cores.append(both_of_one())
            done.append(flow.portion(_PORTION))
            loads.append(os.getloadavg()[0])
        if server:
            spent = (server.processor() - before) / (_PORTION * portions)
            beside["processor µs a sale of the server of the database"] = spent * _US
        paced = flow.portion(_PACED, a_second=_FLOORS[name])
        with bootstrap.open_hub(flow.home, access="read") as hub:
            _check(hub, flow)
    beside["load of the machine meanwhile"] = mean(loads)
    beside["work of both its processors, of one alone"] = mean(cores)
    yield from _shown(name, done, beside)
    yield _waits(name, paced)


def _shown(name: str, done: list[Portion], beside: dict[str, float]) -> Iterator[Figure]:
    each = Sample(tuple(portion.processor / portion.sales * _US for portion in done))
    fields = {"n": _PORTION * len(done), "seed": SEED}
    yield of(
        Sample(tuple(portion.sales / portion.wall for portion in done)),
        id=f"hub.sales_per_s.{name}",
        what=f"sales of 4 kB in files of {FILE_SALES}, from file to customer record and durable,"
        " with all kinds of customers, over HTTP",
        unit="1/s",
        floor=_FLOORS[name],
        side="least",
        beside={
            "a second of the busiest process": Sample(
                tuple(portion.sales / portion.busiest for portion in done)
            ).median,
            **beside,
        },
        **fields,
    )
    yield of(
        each,
        id=f"hub.sale_us.live.{name}",
        what="processor time of such a sale, all processes of the hub together",
        unit="µs",
        beside=_steps(done),
        **fields,
    )
    yield of(
        Sample((_decodings(done[-1]) / _decodings(done[0]),)),
        id=f"hub.sales_ratio_last.{name}",
        what=f"the last {_PORTION:,} of these sales against the first ones, in processor time, each"
        " against what decoding takes of it, which what is stored has no part in",
        unit="ratio",
        floor=_RATIO,
        beside={"in seconds": each.values[-1] / each.values[0]},
        **fields,
    )
    yield _memory(name, done)


def _memory(name: str, done: list[Portion]) -> Figure:
    """What it holds stands still once the cache of its database is full."""
    held = [portion.memory_mb for portion in done]
    half = len(held) // 2
    return of(
        Sample((held[-1] / held[half - 1],)),
        id=f"hub.memory_ratio_last.{name}",
        what="memory of all processes of the hub after the last of these sales, against after half"
        " of them",
        unit="ratio",
        floor=_RATIO,
        n=_PORTION * len(done),
        seed=SEED,
        beside={
            "MB after the first portion": held[0],
            "after half of them": held[half - 1],
            "after the last one": held[-1],
        },
    )


def _decodings(portion: Portion) -> float:
    """Its processor time, told by a clock that a slower processor slows as well."""
    return portion.processor / portion.steps["decode"]


def _steps(done: list[Portion]) -> dict[str, float]:
    """What each step takes of a sale, as the hub's own metrics tell."""
    sales = sum(portion.sales for portion in done)
    names = dict.fromkeys(name for portion in done for name in portion.steps)
    steps = {n: sum(p.steps.get(n, 0.0) for p in done) / sales * _US for n in names}
    spent = sum(portion.processor for portion in done) / sales * _US
    return {**steps, "the rest": spent - sum(steps.values())} if steps else {}


def _waits(name: str, paced: Portion) -> Figure:
    percent = quantiles(paced.waits, n=100)
    return of(
        Sample((percent[94] * _MS,)),
        id=f"hub.ack_p95_ms.{name}",
        what=f"a file's wait for its acknowledgement at {_FLOORS[name]:,} sales a second, 95 %",
        unit="ms",
        floor=_ACK_MS,
        n=paced.sales,
        seed=SEED,
        beside={"50 %": percent[49] * _MS, "sales a second": paced.sales / paced.wall},
    )


def _check(hub: Hub, flow: Flow) -> None:
    """Raises unless what the ledger means is there: the money of all sales, and whose they are."""
    with hub.engine.begin() as connection:
        said = select(document.c.revenue).where(document.c.kind == "Transaction")
        revenues = list(connection.scalars(said))
    total = sum(map(Decimal, revenues), Decimal(0))
    if (len(revenues), total) != (flow.sent, flow.total):
        raise AssertionError(f"{flow.sent} sales of {flow.total}, {len(revenues)} of {total} there")
    sales = [mix.meant(index) for index in range(flow.sent)]
    theirs: dict[tuple[str, int | None], set[str]] = {}
    for sale in sales:
        if sale.who != "nobody":
            theirs.setdefault((sale.who, sale.number), set()).add(_fact(sale.index))
    dice = random.Random(SEED)
    dice.shuffle(sales)
    asked: dict[str, int] = {}
    for sale in sales:
        asked[sale.kind] = asked.get(sale.kind, 0) + 1
        if asked[sale.kind] <= _ASKED:
            _check_person(hub, sale, theirs)


def _check_person(hub: Hub, sale: mix.Sale, theirs: dict[tuple[str, int | None], set[str]]) -> None:
    fact = _fact(sale.index)
    with hub.engine.begin() as connection:
        found = set(profile_of(connection, fact, nobody=hub.nobody(connection)).facts)
    if sale.who == "member":
        wanted = theirs[sale.who, sale.number]
        account = {mix.account(sale.number)} if sale.number in range(mix.KNOWN) else set()
        wanted = wanted | account
    else:
        # Nobody's sale stands alone, and so does one with a card that two accounts call theirs.
        wanted = {fact}
    if found != wanted:
        raise AssertionError(
            f"{sale}: {len(found)} documents, {len(wanted)} meant: {sorted(found ^ wanted)[:4]}"
        )


def _fact(index: int) -> str:
    return fact_id("poslog", mix.receipt(index).key)
