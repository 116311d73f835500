"""Receiving files: each is journalled, then everything that is pending is settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.scrub import scrub_text
from hub.bootstrap import Hub
from hub.causes import FILE_MISSING
from hub.door import Door, take_in
from hub.settle import Settled, settle_pending
from hub.store.tables import hold, message
from schemas.money import plain
from schemas.problem import Problem, Refused

__all__ = ["Report", "receive"]

_CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class Report:
    """What came in and what became of it.

    ``messages`` is what the files held; ``applied``, ``duplicates``, ``stale`` and ``held`` add
    up to it. ``flagged`` ones are applied and worth a look. ``recovered`` counts messages of an
    earlier run that was cut short. ``totals`` is the revenue of the Transactions applied, per
    currency.
    """

    messages: int = 0
    applied: int = 0
    duplicates: int = 0
    stale: int = 0
    held: int = 0
    flagged: int = 0
    refused: int = 0
    recovered: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, refusal: Refused, file: Path) -> None:
        """Count a file that was turned away, under its own name where no other is told."""
        name = scrub_text(refusal.problem.file or file.name)
        self.refused += 1
        self.problems.append(refusal.problem.model_copy(update={"file": name}))

    def as_json(self) -> dict[str, Any]:
        """The report as plain values, amounts as text."""
        return {
            "messages": self.messages,
            "applied": self.applied,
            "duplicates": self.duplicates,
            "stale": self.stale,
            "held": self.held,
            "flagged": self.flagged,
            "refused": self.refused,
            "recovered": self.recovered,
            "totals": {currency: plain(self.totals[currency]) for currency in sorted(self.totals)},
            "problems": [p.model_dump(mode="json", exclude_none=True) for p in self.problems],
        }


def receive(
    hub: Hub,
    source: str,
    files: Iterable[Path],
    progress: Callable[[int], None] = lambda count: None,
) -> Report:
    """Take in files one after the other. A refused file is reported, and the others go on.

    Raises ``Refused`` if there is no such source.
    """
    report = Report()
    door = hub.door(source)
    left_over = settle_pending(hub.engine, hub.bus, hub.translator, hub.now, progress, hub.ahead)
    report.recovered = len(left_over.states)
    _add_totals(report, left_over)
    for file in files:
        try:
            record_id = _journal(hub, door, file)
        except Refused as refusal:
            report.refuse(refusal, file)
            continue
        settled = settle_pending(hub.engine, hub.bus, hub.translator, hub.now, progress, hub.ahead)
        _add(report, hub, record_id, settled)
    return report


def _journal(hub: Hub, door: Door, file: Path) -> int:
    """Journal a file; once this returns, it is on the disk for good."""
    with hub.engine.begin() as connection:
        return take_in(connection, door, _chunks(file), name=file.name, now=hub.now()).record


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise Refused(FILE_MISSING.at(error.strerror or "", file=file.name)) from None


def _add(report: Report, hub: Hub, record_id: int, settled: Settled) -> None:
    columns = select(message.c.id, message.c.state, hold.c.problem)
    mine = columns.outerjoin_from(message, hold).where(message.c.record_id == record_id)
    with hub.engine.begin() as connection:
        rows = connection.execute(mine.order_by(message.c.position)).all()
    counts = {"applied": "applied", "duplicate": "duplicates", "stale": "stale", "held": "held"}
    for number, state, problem in rows:
        report.messages += 1
        name = counts[state]
        setattr(report, name, getattr(report, name) + 1)
        report.flagged += number in settled.flags
        if state == "held":
            report.problems.append(Problem.model_validate_json(problem))
    _add_totals(report, settled)


def _add_totals(report: Report, settled: Settled) -> None:
    for currency, amount in settled.revenue.items():
        report.totals[currency] = report.totals.get(currency, Decimal(0)) + amount
