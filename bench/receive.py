"""Receiving: sales per second from a file to applied and durable, and where the time goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, RootTransaction

from bench import sale
from bench.clock import Sample
from bench.disk import disk
from bench.figure import Figure, of
from bench.profile import sampled
from bench.sale import Size
from connectors import registry
from connectors.formats.xml_split import split_xml
from connectors.scrub import scrub
from hub import bootstrap, checks, journal, naming, placing
from hub.home import Home
from hub.receive import receive
from mappings.mapping import Mapping
from schemas.model import Canonical

__all__ = ["figures"]

_ROUNDS = 3
_US = 1_000_000
_DAY_SALES, _DAYS = 200, 54
_LYNCHPIN = [sys.executable, "-c", "from hub.cli import main; main()"]


@dataclass(frozen=True, slots=True)
class _Run:
    """Seconds of receiving a file into a fresh home, and then again as nothing but duplicates."""

    wall: float
    processor: float
    wall_again: float
    processor_again: float


@dataclass(frozen=True, slots=True)
class _Received:
    """What came of receiving ``count`` sales again and again, always into a fresh home."""

    count: int
    runs: list[_Run]
    shares: dict[str, float]


def figures() -> Iterator[Figure]:
    """Measure in fresh homes on this machine's disk, every commit durable."""
    lean = _received(3_000, size="4 kB")
    talkative = _received(600, size="18 kB")
    yield _speed(lean, talkative)
    yield _budget("4 kB", "4kb", lean)
    yield _budget("18 kB", "18kb", talkative)
    yield of(
        Sample(tuple(run.processor_again / lean.count * _US for run in lean.runs)),
        id="hub.duplicate_us.4kb",
        what="a sale of 4 kB received once more",
        unit="µs",
        n=lean.count,
        seed=sale.SEED,
    )
    yield _memory()


def _received(count: int, *, size: Size) -> _Received:
    with TemporaryDirectory(dir=disk()) as folder:
        file = sale.write(Path(folder) / "sales.xml", count, size=size)
        # The first one also loads code and compiles mappings, so it does not count.
        runs = [_run(Home(Path(folder) / f"home{n}"), file, count) for n in range(_ROUNDS + 1)]
        shares = _shares(file, Home(Path(folder) / "profile"))
    return _Received(count, runs[1:], shares)


def _run(home: Home, file: Path, count: int) -> _Run:
    bootstrap.create(home)
    with bootstrap.open_hub(home) as hub:
        # One process: its processor time is that of a sale.
        hub.ahead.enabled = False
        start, processor = time.perf_counter(), time.process_time()
        first = receive(hub, "poslog", [file])
        middle, processor_middle = time.perf_counter(), time.process_time()
        second = receive(hub, "poslog", [file])
        end, processor_end = time.perf_counter(), time.process_time()
    if first.applied != count or second.duplicates != count:
        raise AssertionError("the hub did not apply each sale once")
    return _Run(
        wall=middle - start,
        processor=processor_middle - processor,
        wall_again=end - middle,
        processor_again=processor_end - processor_middle,
    )


def _speed(lean: _Received, talkative: _Received) -> Figure:
    def a_second(received: _Received, clock: str) -> Sample:
        return Sample(tuple(received.count / getattr(run, clock) for run in received.runs))

    return of(
        a_second(lean, "wall"),
        id="hub.sales_per_s.plain",
        what="sales of 4 kB, from file to applied and durable, one process",
        unit="1/s",
        side="least",
        n=lean.count,
        seed=sale.SEED,
        beside={
            "a second of processor time": a_second(lean, "processor").median,
            "as duplicates": a_second(lean, "wall_again").median,
            "of 18 kB": a_second(talkative, "wall").median,
        },
    )


def _budget(size: Size, suffix: str, received: _Received) -> Figure:
    """Processor time of a sale; ``beside`` says which step takes how much of it."""
    total = Sample(tuple(run.processor / received.count * _US for run in received.runs))
    return of(
        total,
        id=f"hub.sale_us.{suffix}",
        what=f"processor time of a sale of {size}, its steps in the profile below",
        unit="µs",
        n=received.count,
        seed=sale.SEED,
        beside={name: share * total.median for name, share in received.shares.items()},
    )


def _shares(file: Path, home: Home) -> dict[str, float]:
    """Which share of the processor time of receiving a file each step takes, in the order run."""
    connector = registry.load("poslog")
    steps: dict[str, tuple[Callable[..., object], ...]] = {
        "split and prove well-formed": (split_xml,),
        "scrub": (scrub,),
        "hash and compress": (journal.digest, journal.compress),
        "decompress": (journal.decompress,),
        "decode": (connector.decode,),
        "name": (connector.name, naming.business_hash, naming.fact_id),
        "map": (Mapping.run,),
        "place in time": (placing.place,),
        "validate": (Mapping.validated,),
        "check": (checks.check,),
        "write as JSON": (Canonical.model_dump_json,),
        "statements": (Connection.execute, Connection.scalar),
        "begin and commit": (Engine.begin, RootTransaction.commit),
    }
    bootstrap.create(home)
    with bootstrap.open_hub(home) as hub, sampled(steps) as shares:
        hub.ahead.enabled = False
        receive(hub, "poslog", [file])
    return shares


def _memory() -> Figure:
    """The most memory that the program takes for a big file, and for one of a tenth of it."""
    big, small = _peak_mb(_DAYS), _peak_mb(_DAYS // 10)
    return of(
        Sample((big,)),
        id="hub.rss_mb.200mb",
        what="most memory of `lynchpin receive` for a file of 200 MB",
        unit="MB",
        n=1,
        seed=sale.SEED,
        beside={"for a file of 20 MB": small},
    )


def _peak_mb(days: int) -> float:
    with TemporaryDirectory(dir=disk()) as folder:
        name = Path(folder) / "sales.xml"
        file = sale.write_days(name, _DAY_SALES, days=days, size="18 kB")
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        environment = {**os.environ, "LYNCHPIN_HOME": str(home.path)}
        command = [*_LYNCHPIN, "receive", "poslog", str(file), "--json"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            report = json.loads(process.stdout.read())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    if report["applied"] != _DAY_SALES * days:
        raise AssertionError("the hub did not apply each sale once")
    # Linux counts kilobytes here, macOS bytes.
    return usage.ru_maxrss / (1_000_000 if sys.platform == "darwin" else 1_000)
