"""Where reports of plans are kept: a file each in the home, written whole again and again."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from hub import home as homes
from hub.home import Home
from hub.plan.report import Report
from schemas.problem import Cause, Rejected

__all__ = ["NO_PLAN", "listed", "read", "unfinished", "write"]

NO_PLAN = Cause(
    "LP-PLAN-001",
    "There is no such plan.",
    "Make one with `lynchpin map plan FILE`; it says what it is called.",
)


def write(home: Home, report: Report) -> None:
    """Keep a report as it stands; a power cut leaves the one before or this one."""
    home.plans.mkdir(mode=0o700, exist_ok=True)
    homes.write_atomically(home.plans / f"{report.id}.json", report.model_dump_json().encode())


def read(home: Home, name: str) -> Report:
    """The report of this name. Raises ``Rejected`` if there is none."""
    if not (name.isascii() and name.replace("-", "").isalnum()):
        raise Rejected(NO_PLAN.at())
    try:
        return Report.model_validate_json((home.plans / f"{name}.json").read_bytes())
    except (OSError, ValidationError):
        raise Rejected(NO_PLAN.at(name)) from None


def listed(home: Home) -> Iterator[Report]:
    """All reports, the newest first."""
    for file in sorted(home.plans.glob("*.json"), reverse=True):
        yield read(home, file.stem)


def unfinished(home: Home, like: Report) -> Report | None:
    """The newest report that compares the same over the same window and was not finished."""
    for report in listed(home):
        if not report.done and _compared(report) == _compared(like):
            return report
    return None


def _compared(report: Report) -> tuple[str | None, ...]:
    window = report.window
    return report.proposed, report.published, window.source, window.asked
