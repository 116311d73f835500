"""``python -m bench``: measure, print a table, write ``results.json`` and ``docs/figures.md``.

Exits 1 if a figure breaks its promise.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    agent,
    figure,
    http,
    journey,
    map,  # noqa: A004
    millions,
    page,
    parse,
    plan,
    receive,
    sales,
    search,
    start,
)
from bench.figure import Figure
from faults import results

_ROOT = Path(__file__).parents[1]
RESULTS = _ROOT / "bench/results.json"
KEPT = _ROOT / "bench/faults.json"
"""What ``make faults`` has found, fault by fault."""
PAGE = _ROOT / "docs/figures.md"

_GROUPS: dict[str, Callable[[], Iterator[Figure]]] = {
    "map": lambda: chain(map.figures(), plan.figures()),
    "parse": parse.figures,
    "hub": lambda: chain(receive.figures(), agent.visible()),
    "sales": sales.figures,
    "journey": journey.figures,
    "millions": millions.figures,
    "http": http.figures,
    "search": search.figures,
    "start": start.figures,
    "agent": agent.figures,
}


def main() -> int:
    """Run the groups that were asked for; the results of the others stay as they are."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=_GROUPS, metavar="GROUP", help=", ".join(_GROUPS))
    only: str | None = parser.parse_args().only
    commit = commit_of()
    fresh: list[Figure] = []
    for name in [only] if only else _GROUPS:
        command = f"make bench ONLY={name}"
        for measured in _GROUPS[name]():
            fresh.append(replace(measured, commit=commit, command=command))
            print(f"{measured.id}: {measured.value} {measured.unit}", file=sys.stderr)
    ran = {f"make bench ONLY={name}" for name in ([only] if only else _GROUPS)}
    anew = {measured.id for measured in fresh}
    kept = [o for o in figure.read(RESULTS) if o.command not in ran and o.id not in anew]
    figure.write(RESULTS, [*kept, *fresh])
    PAGE.write_text(page.render(figure.read(RESULTS), results.read(KEPT)), "utf-8")
    Console().print(_table(fresh))
    return 0 if all(measured.holds for measured in fresh) else 1


def commit_of() -> str:
    """The commit that was measured, with a ``+`` where the tree holds more than that."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],  # noqa: S607
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


def _table(figures: list[Figure]) -> Table:
    table = Table("figure", "value", "quartiles", "promise", "beside")
    for measured in figures:
        low, high = measured.spread
        floor = "" if measured.floor is None else f"{measured.side} {measured.floor:g}"
        beside = "\n".join(f"{name} {value:.4g}" for name, value in measured.beside.items())
        style = None if measured.holds else "red"
        value = f"{measured.value:g} {measured.unit}"
        table.add_row(measured.id, value, f"{low:g} to {high:g}", floor, beside, style=style)
    return table


if __name__ == "__main__":
    sys.exit(main())
