"""A figure: what was measured, and what it must hold. Results are kept a JSON object a figure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from bench.clock import Sample

__all__ = ["Figure", "of", "read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of ``results.json``.

    ``floor`` is the promise, with the side on which the value must lie; without one the figure is
    there to be watched. ``n`` is the work done in one round. ``spread`` are the quartiles.
    ``beside`` are figures of the same run to compare with, in the same unit. ``control`` is the
    same measure with the guard removed.
    """

    id: str
    what: str
    value: float
    unit: str
    floor: float | None = None
    side: Literal["most", "least"] = "most"
    n: int
    seed: int | None = None
    commit: str = ""
    spread: tuple[float, float]
    beside: dict[str, float] = field(default_factory=dict)
    control: float | None = None
    command: str = ""

    @property
    def group(self) -> str:
        """The part of the id that ``--only`` names."""
        return self.id.partition(".")[0]

    @property
    def holds(self) -> bool:
        """Whether the promise is kept; true where there is none."""
        if self.floor is None:
            return True
        return self.value <= self.floor if self.side == "most" else self.value >= self.floor


def of(sample: Sample, **fields: object) -> Figure:
    """A figure whose value is the median of a sample and whose spread are its quartiles."""
    low, high = sample.quartiles
    spread = (_rounded(low), _rounded(high))
    return Figure(value=_rounded(sample.median), spread=spread, **fields)  # type: ignore[arg-type]


def _rounded(value: float) -> float:
    """Four digits: more would claim what no measurement of this kind can tell."""
    return float(f"{value:.4g}")


def read(path: Path) -> list[Figure]:
    """The figures of an earlier run; none where there was no run."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text("utf-8"))
    return [Figure(**{**row, "spread": tuple(row["spread"])}) for row in rows]


def write(path: Path, figures: Iterable[Figure]) -> None:
    """Write figures in the order of their ids."""
    rows = [asdict(figure) for figure in sorted(figures, key=lambda figure: figure.id)]
    path.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")
