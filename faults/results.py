"""Results: what came of each fault when it was last run whole, and the figures of all of them.

A run takes long, so it may be done fault by fault; each result says of which commit it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.figure import Figure
from faults.ledger import Verdict

__all__ = ["Result", "figures", "read", "table", "write"]

_HEADS = (
    *("fault", "times", "messages", "lost", "doubled", "out of order"),
    *("without its guard", "seconds", "of"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A fault and its control: ``red`` names what must go wrong in the control, and does so
    ``control`` times of ``tried``. ``day`` is when they ran.
    """

    fault: str
    what: str
    verdict: Verdict
    variant: str
    red: str
    control: int
    tried: int
    seconds: int
    day: str
    commit: str

    @property
    def is_well(self) -> bool:
        """Whether it was harmed and nothing went wrong as it is, and something did without the
        guard.
        """
        return self.verdict.is_clean and self.verdict.harms > 0 and self.control > 0


def read(path: Path) -> list[Result]:
    """The results of earlier runs; none where there was no run."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text("utf-8"))
    return [Result(**{**row, "verdict": Verdict(**row["verdict"])}) for row in rows]


def write(path: Path, results: Iterable[Result]) -> None:
    """Write results in the order of their faults."""
    rows = [asdict(result) for result in sorted(results, key=lambda result: result.fault)]
    path.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def table(results: Iterable[Result]) -> Iterator[str]:
    """The results as rows of Markdown, fault by fault."""
    yield f"| {' | '.join(_HEADS)} |"
    yield "|---" * len(_HEADS) + "|"
    for each in results:
        verdict = each.verdict
        wrong = (verdict.lost, verdict.doubled, verdict.out_of_order)
        counts = (verdict.harms, verdict.messages, *wrong)
        red = f"{each.variant}: {each.control:,} of {each.tried:,} {each.red.replace('_', ' ')}"
        of = f"{each.day}, `{each.commit}`"
        cells = (each.what, *(f"{count:,}" for count in counts), red, str(each.seconds), of)
        yield f"| {' | '.join(cells)} |"


def figures(results: list[Result]) -> Iterator[Figure]:
    """What was lost, doubled and out of order under all faults together."""
    messages = sum(result.verdict.messages for result in results)
    commits = dict.fromkeys(result.commit for result in results)
    for what in ("lost", "doubled", "out_of_order"):
        counts = {each.what: float(getattr(each.verdict, what)) for each in results}
        red = [each for each in results if each.red == what]
        words = what.replace("_", " ")
        value = sum(counts.values())
        yield Figure(
            id=f"faults.{what}",
            what=f"of {messages:,} messages, {words}; of few without the guard: "
            + (", ".join(f"{each.control:,} ({each.fault})" for each in red) or "not tried"),
            value=value,
            unit="messages",
            floor=0,
            n=messages,
            spread=(value, value),
            beside=counts,
            control=float(sum(each.control for each in red)) if red else None,
            command="make faults",
            commit=", ".join(commits),
        )
