"""Plans on history: a million stored documents through two texts, measured on fewer and scaled."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from sqlalchemy import String, Table, insert, literal, select

from bench import sale
from bench.clock import Sample
from bench.disk import disk
from bench.figure import Figure, of
from bench.server import console, hub_served
from hub import bootstrap, library
from hub.authoring.draft import Draft, drafted
from hub.bootstrap import Hub
from hub.demo import shop, shop_writer
from hub.home import Home
from hub.plan import planning, shelf
from hub.plan.planning import GROUPS_MAX
from hub.plan.report import SAMPLES_MAX, Change
from hub.plan.report import Sample as Sampled
from hub.receive import receive
from hub.store.tables import document, message, record

__all__ = ["figures"]

_SEED = 7
_RECEIVED = 1_000
_COPIES = 30
_ROUNDS = 3
_PAGES = 10
_SHOWN = 200
_MILLION = 1_000_000
_LINES = 10
_MB = 1024 if sys.platform == "linux" else 1024 * 1024


def figures() -> Iterator[Figure]:
    """Receive some, copy their rows, and plan on all of them in this process."""
    with _hub() as (folder, hub):
        _fill(hub, "shopify", _orders(folder / "orders.jsonl"))
        few = _draft("shopify", "order", "voided: voided", "voided: refunded")
        every = _draft("shopify", "order", ":                 currency\n", ": = USD\n")
        yield _figure(hub, few, every, name="shopify", what="orders of 10 lines", floor=60)
    with _hub() as (folder, hub):
        _fill(hub, "poslog", sale.write(folder / "day.xml", _RECEIVED, size="4 kB"))
        few = _draft("poslog", "retail", "Mobile: mobile", "Mobile: card")
        every = _draft("poslog", "retail", ":                 CurrencyCode\n", ": = GBP\n")
        yield _figure(hub, few, every, name="poslog", what="sales of 4 kB", floor=180)
    yield _page()


@contextmanager
def _hub() -> Iterator[tuple[Path, Hub]]:
    with TemporaryDirectory(dir=disk()) as folder:
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        with bootstrap.open_hub(home) as hub:
            yield Path(folder), hub


def _orders(file: Path) -> Path:
    """Orders of ten lines each, as JSON lines."""
    with file.open("wb") as stream:
        for placed in shop.orders(_RECEIVED, seed=_SEED):
            body = json.loads(shop_writer.order(placed))
            lines = body["line_items"]
            body["line_items"] = [{**lines[n % len(lines)], "id": n + 1} for n in range(_LINES)]
            stream.write(json.dumps(body, separators=(",", ":")).encode() + b"\n")
    return file


def _fill(hub: Hub, source: str, file: Path) -> None:
    """Receive a file, then copy what the journal and the documents have of it."""
    report = receive(hub, source, [file])
    if report.applied != _RECEIVED:
        raise AssertionError("not everything was applied, so there is nothing to measure")
    with hub.engine.begin() as connection:
        for copy in range(1, _COPIES):
            shift = {"id": copy * _RECEIVED, "record_id": copy * _RECEIVED}
            for table, moved in ((record, shift), (message, shift)):
                _copy(connection, table, moved, _RECEIVED)
            _copy(connection, document, {"message_id": copy * _RECEIVED}, _RECEIVED, copy=copy)


def _copy(
    connection: object, table: Table, moved: dict[str, int], most: int, *, copy: int = 0
) -> None:
    columns = [
        column + moved[column.name]
        if column.name in moved
        else column + literal(f"+{copy}", String)
        if column.name == "fact" and copy
        else column
        for column in table.c
    ]
    key = table.c.message_id if copy else table.c.id
    names = [column.name for column in table.c]
    connection.execute(  # type: ignore[attr-defined]
        insert(table).from_select(names, select(*columns).where(key <= most))
    )


def _draft(connector: str, kind: str, old: str, new: str) -> Draft:
    text = library.shipped_text(connector, kind)[0]
    if text.count(old) != 1:
        raise AssertionError(f"{old!r} stands {text.count(old)} times in the mapping")
    return drafted(text.replace(old, new), "own.yaml", lambda name: None)


def _figure(hub: Hub, few: Draft, every: Draft, *, name: str, what: str, floor: float) -> Figure:
    seconds = [_seconds(hub, few, changed=False) for _ in range(_ROUNDS)]
    beside = {
        "where every document changes": _seconds(hub, every, changed=True),
        "most memory of the bench so far, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        / _MB,
    }
    return of(
        Sample(tuple(seconds)),
        id=f"map.plan_million_s.{name}",
        what=f"plan of a changed code on a million stored {what}, few of which it concerns",
        unit="s",
        floor=floor,
        n=_RECEIVED * _COPIES,
        seed=_SEED,
        beside=beside,
    )


def _page() -> Figure:
    """The page of a plan in which every group is there that a report may have, all with samples."""
    sample = Sampled(message=1, fact="shopify:order/1", path="note", before="before", after="after")
    with _hub() as (folder, hub):
        draft = _draft("shopify", "order", "voided: voided", "voided: refunded")
        report = planning.begun(hub, draft, source=None, since=None)
        report.changes = [
            Change(path=f"note_{n}", kind="changed", count=9, samples=[sample] * SAMPLES_MAX)
            for n in range(GROUPS_MAX)
        ]
        home = Home(folder / "served")
        bootstrap.create(home)
        shelf.write(home, report)
        with hub_served(home) as server, closing(console(home, server)) as browser:
            waits = [_wait(browser, f"/console/plans/{report.id}") for _ in range(_PAGES + 1)]
    # The first one also loads code.
    return of(
        Sample(tuple(waits[1:])),
        id="map.plan_page_ms",
        what=f"the console's page of a report with {GROUPS_MAX:,} groups of differences",
        unit="ms",
        floor=1_000,
        n=_PAGES,
        seed=_SEED,
        beside={"the first": waits[0]},
    )


def _wait(browser: httpx2.Client, address: str) -> float:
    start = time.perf_counter()
    answer = browser.get(address)
    took = time.perf_counter() - start
    answer.raise_for_status()
    if answer.text.count("note_") < _SHOWN:
        raise AssertionError("the page does not show the differences")
    return took * 1_000


def _seconds(hub: Hub, draft: Draft, *, changed: bool) -> float:
    """Processor seconds that a plan would take for a million documents."""
    report = planning.begun(hub, draft, source=None, since=None)
    expected = _RECEIVED * _COPIES
    if changed:
        # Each takes so long that the first thousand tell.
        report.window.last = expected = _RECEIVED
    start = time.process_time()
    counts = planning.plan(hub, draft, report).counts
    took = time.process_time() - start
    if counts.documents != expected or (counts.changed > counts.equal) is not changed:
        raise AssertionError(f"the plan came to something else: {counts}")
    return took / counts.documents * _MILLION
