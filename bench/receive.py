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

from bench import parse, sale
from bench.clock import Sample, interleaved
from bench.figure import Figure, of
from bench.sale import Size
from connectors import registry
from connectors.scrub import scrub
from hub import bootstrap, checks, journal, library
from hub.home import Home
from hub.receive import receive

__all__ = ["figures"]

_ROUNDS = 3
_US = 1_000_000
_LEAN, _TALKATIVE = 3_000, 600
_DAY_SALES, _DAYS = 200, 54
_LYNCHPIN = [sys.executable, "-c", "from hub.cli import main; main()"]


@dataclass(frozen=True, slots=True)
class _Run:
    """Seconds of receiving a file into a fresh home, and then again as nothing but duplicates."""

    wall: float
    processor: float
    wall_again: float
    processor_again: float


def figures() -> Iterator[Figure]:
    """Measure in fresh homes on this machine's disk, every commit durable."""
    lean = _received(_LEAN, size="4 kB")
    talkative = _received(_TALKATIVE, size="18 kB")
    yield _speed(lean, talkative)
    yield _budget("4 kB", "4kb", _LEAN, lean)
    yield _budget("18 kB", "18kb", _TALKATIVE, talkative)
    yield of(
        Sample(tuple(run.processor_again / _LEAN * _US for run in lean)),
        id="hub.duplicate_us.4kb",
        what="a sale of 4 kB received once more",
        unit="µs",
        n=_LEAN,
        seed=sale.SEED,
    )
    yield _memory()


def _received(count: int, *, size: Size) -> list[_Run]:
    with TemporaryDirectory(dir=_disk()) as folder:
        file = sale.write(Path(folder) / "sales.xml", count, size=size)
        # The first one also loads code and compiles mappings, so it does not count.
        runs = [_run(Home(Path(folder) / f"home{n}"), file, count) for n in range(_ROUNDS + 1)]
    return runs[1:]


def _disk() -> Path:
    """A folder on a disk: the one for temporary files is often kept in memory."""
    folder = Path(__file__).parents[1] / "build"
    folder.mkdir(exist_ok=True)
    return folder


def _run(home: Home, file: Path, count: int) -> _Run:
    bootstrap.create(home)
    with bootstrap.open_hub(home) as hub:
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


def _speed(lean: list[_Run], talkative: list[_Run]) -> Figure:
    return of(
        Sample(tuple(_LEAN / run.wall for run in lean)),
        id="hub.sales_per_s.sqlite",
        what="sales of 4 kB, from file to applied and durable, one process",
        unit="1/s",
        side="least",
        n=_LEAN,
        seed=sale.SEED,
        beside={
            "a second of processor time": Sample(
                tuple(_LEAN / run.processor for run in lean)
            ).median,
            "as duplicates": Sample(tuple(_LEAN / run.wall_again for run in lean)).median,
            "of 18 kB": Sample(tuple(_TALKATIVE / run.wall for run in talkative)).median,
        },
    )


def _budget(size: Size, suffix: str, count: int, runs: list[_Run]) -> Figure:
    """Processor time of a sale; ``beside`` says which step takes how much of it."""
    total = Sample(tuple(run.processor / count * _US for run in runs))
    steps = {name: sample.median * _US for name, sample in _steps(size).items()}
    rest = total.median - sum(steps.values())
    return of(
        total,
        id=f"hub.sale_us.{suffix}",
        what=f"processor time of a sale of {size}, with its steps beside it",
        unit="µs",
        n=count,
        seed=sale.SEED,
        beside={**steps, "rows, transactions and the rest": max(rest, 0.0)},
    )


def _steps(size: Size) -> dict[str, Sample]:
    """Each step of receiving on its own, on the same messages."""
    connector, count = registry.load("poslog"), 100
    options, record = connector.options(), parse.chunks(count, size=size)
    messages = parse.slices(connector, record)
    packed = [journal.compress(m.payload) for m in messages]
    documents = [connector.decode(m.payload, m.context, options)[0] for m in messages]
    mapping = library.in_force("poslog", documents[0].kind)
    values = [{**mapping.run(d.body)[0], "system": "bench"} for d in documents]
    models = [mapping.spec.model.model_validate(v) for v in values]
    works: dict[str, Callable[[], object]] = {
        "split": lambda: list(connector.split(record, options, None)),
        "scrub": lambda: [scrub(m.payload, connector.scrub) for m in messages],
        "hash and compress": lambda: [
            (journal.digest(m.payload), journal.compress(m.payload)) for m in messages
        ],
        "decompress": lambda: [journal.decompress(p) for p in packed],
        "decode": lambda: [connector.decode(m.payload, m.context, options) for m in messages],
        "name": lambda: [connector.name(d, options) for d in documents],
        "map": lambda: [mapping.run(d.body) for d in documents],
        "validate": lambda: [mapping.spec.model.model_validate(v) for v in values],
        "check": lambda: [checks.check(m, connector.manifest) for m in models],
        "write as JSON": lambda: [m.model_dump_json(exclude_none=True) for m in models],
    }
    return interleaved(works, rounds=15, each=count)


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
    with TemporaryDirectory(dir=_disk()) as folder:
        name = Path(folder) / "sales.xml"
        file = sale.write_days(name, _DAY_SALES, days=days, size="18 kB")
        environment = {**os.environ, "LYNCHPIN_HOME": f"{folder}/home"}
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
