"""``python -m faults``: harm hubs for hours, and count what was lost, doubled or out of order.

The oracle is the ledger of whoever sells. Each fault also runs with the guard taken out that stands
against it, and must then be red. Writes ``bench/results.json`` and ``docs/figures.md``; exits 1
where anything was lost, or a control was not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

from bench import figure, page
from bench.__main__ import PAGE, RESULTS, commit_of
from bench.figure import Figure
from faults import poison
from faults.harm import FAULTS, suffered
from faults.ledger import Verdict
from hub import waiting

_MESSAGES = 301_000
_CONTROL = 2_000
_POISON = "poison"
_POISONED = 10_000
_SUBJECTS = 500
"""So many tills, and as many orders."""


def main() -> int:
    """Run the faults that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--only", choices=(*FAULTS, _POISON), help=", ".join((*FAULTS, _POISON)))
    parser.add_argument("--messages", type=int, default=_MESSAGES, help="in all")
    asked = parser.parse_args()
    if asked.only == _POISON:
        return 0 if _poison_is_well() else 1
    names = [asked.only] if asked.only else list(FAULTS)
    verdicts, controls = {}, {}
    for name in names:
        fault = FAULTS[name]
        verdicts[name] = suffered(fault, asked.messages // len(names))
        print(f"{fault.what}: {verdicts[name]}", file=sys.stderr)
        controls[name] = getattr(suffered(fault, _CONTROL, variant=fault.control), fault.red)
        print(f"  {fault.control}: {fault.red} {controls[name]}", file=sys.stderr)
    figures = list(_figures(verdicts, controls))
    if not asked.only:
        kept = [old for old in figure.read(RESULTS) if old.group != "faults"]
        command, commit = "make faults", commit_of()
        told = [replace(each, command=command, commit=commit) for each in figures]
        figure.write(RESULTS, [*kept, *told])
        PAGE.write_text(page.render(figure.read(RESULTS)), "utf-8")
    well = all(each.holds for each in figures) and (bool(asked.only) or _poison_is_well())
    return 0 if well and all(controls.values()) else 1


def _poison_is_well() -> bool:
    """Whether only what depends on a poison waits, and the same is red where nothing waits."""
    done = poison.suffered(_POISONED, _SUBJECTS)
    print(f"poison: {done}", file=sys.stderr)
    with mock.patch.object(waiting.Queue, "_first", return_value=None):
        control = poison.suffered(_POISONED // 10, _SUBJECTS // 10)
    print(f"  nothing waits: unapplied {control.unapplied}", file=sys.stderr)
    return done.well and control.unapplied > 0


def _figures(verdicts: dict[str, Verdict], controls: dict[str, int]) -> Iterator[Figure]:
    messages = sum(verdict.messages for verdict in verdicts.values())
    for what in ("lost", "doubled", "out_of_order"):
        counts = {FAULTS[name].what: getattr(each, what) for name, each in verdicts.items()}
        red = [controls[name] for name in verdicts if FAULTS[name].red == what]
        value = float(sum(counts.values()))
        yield Figure(
            id=f"faults.{what}",
            what=f"sales {what.replace('_', ' ')} under every fault",
            value=value,
            unit="sales",
            floor=0,
            n=messages,
            spread=(value, value),
            beside={name: float(count) for name, count in counts.items()},
            control=float(sum(red)) if red else None,
        )


if __name__ == "__main__":
    sys.exit(main())
