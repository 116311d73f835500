"""``python -m faults``: harm hubs, and count what was lost, doubled or out of order.

The oracle is the ledger of whoever sells. Each fault also runs with the guard taken out that stands
against it, and must then be red. What came of a fault is kept at once, in ``bench/faults.json``: so
they can be run one by one, and a run that was ended goes on with ``--only``. The figures are of all
that are kept, in ``bench/results.json`` and ``docs/figures.md``. Exits 1 where anything was lost,
or a control was not red.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from unittest import mock

from bench import figure, page
from bench.__main__ import KEPT, PAGE, RESULTS, commit_of
from faults import poison, results
from faults.harm import FAULTS, suffered
from faults.results import Result
from hub import waiting

_MESSAGES = 34_000
"""For each fault, and more than 300,000 for all of them."""
_CONTROL = 2_000
_POISON = "poison"
_POISONED = 10_000
_SUBJECTS = 500
"""So many tills, and as many orders."""


def main() -> int:
    """Run the faults that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    names = (*FAULTS, _POISON)
    parser.add_argument("--only", nargs="+", choices=names, help=", ".join(names))
    told = f"for each fault; {_MESSAGES} unless told, and with fewer nothing is kept"
    parser.add_argument("--messages", type=int, default=_MESSAGES, help=told)
    asked = parser.parse_args()
    commit = commit_of()
    well = [_is_well(name, asked.messages, commit) for name in asked.only or names]
    return 0 if all(well) else 1


def _is_well(name: str, messages: int, commit: str) -> bool:
    """Run one of them, and keep what came of it."""
    if name == _POISON:
        return _poison_is_well()
    fault, begun = FAULTS[name], time.monotonic()
    verdict = suffered(fault, messages)
    seconds = round(time.monotonic() - begun)
    print(f"{fault.what}: {verdict}, {seconds} s", file=sys.stderr)
    broken = suffered(fault, _CONTROL, variant=fault.control)
    control = getattr(broken, fault.red)
    print(f"  {fault.control}: {fault.red} {control} of {broken.messages}", file=sys.stderr)
    result = Result(
        fault=name,
        what=fault.what,
        verdict=verdict,
        variant=fault.control,
        red=fault.red,
        control=control,
        tried=broken.messages,
        seconds=seconds,
        day=datetime.now(UTC).date().isoformat(),
        commit=commit,
    )
    if messages >= _MESSAGES:
        _keep(result)
    return result.is_well


def _keep(result: Result) -> None:
    kept = [old for old in results.read(KEPT) if old.fault in FAULTS.keys() - {result.fault}]
    results.write(KEPT, [*kept, result])
    others = [old for old in figure.read(RESULTS) if old.group != "faults"]
    figure.write(RESULTS, [*others, *results.figures(results.read(KEPT))])
    PAGE.write_text(page.render(figure.read(RESULTS), results.read(KEPT)), "utf-8")


def _poison_is_well() -> bool:
    """Whether only what depends on a poison waits, and the same is red where nothing waits."""
    done = poison.suffered(_POISONED, _SUBJECTS)
    print(f"poison: {done}", file=sys.stderr)
    with mock.patch.object(waiting.Queue, "_first", return_value=None):
        control = poison.suffered(_POISONED // 10, _SUBJECTS // 10)
    print(f"  nothing waits: unapplied {control.unapplied}", file=sys.stderr)
    return done.well and control.unapplied > 0


if __name__ == "__main__":
    sys.exit(main())
