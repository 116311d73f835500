"""Planning: what another text of a mapping would have made of what came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hub import bootstrap
from hub import home as homes
from hub.bootstrap import Hub
from hub.cli.map.named import File, Since, Source, draft_of
from hub.cli.message import AsJson
from hub.cli.terminal import errors, out, print_json, table
from hub.plan import planning, shelf
from hub.plan.report import Report
from schemas.money import plain

__all__ = ["plan", "print_report"]


def plan(
    file: File,
    *,
    since: Since = None,
    source: Source = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the plan of this text that was cut short.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a mapping would change in what came in, before it is published. Nothing is written
    but the report.
    """
    draft = draft_of(file)
    with bootstrap.open_hub(homes.locate(), access="read") as hub:
        if source is not None:
            hub.settings.source(source)
        report = planning.begun(hub, draft, source=source, since=since)
        if resume:
            report = shelf.unfinished(hub.home, report) or report
        with _counting(hub, report) as progress:
            planning.plan(hub, draft, report, progress)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(report)


@contextmanager
def _counting(hub: Hub, report: Report) -> Iterator[Callable[[int], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} documents"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("plan", total=None, completed=report.counts.documents)
        yield lambda count: progress.advance(task, count)


def print_report(report: Report) -> None:
    """A report in words and tables."""
    counts, window = report.counts, report.window
    head = f"{report.name}: {report.proposed} ({report.file}) instead of {report.published}"
    out.print(escape(head), soft_wrap=True)
    seen = f"messages up to {window.last}"
    seen += f", of {window.source}" if window.source else ""
    seen += f", since {window.since}" if window.since else ""
    out.print(f"{counts.documents} documents of {seen}", soft_wrap=True)
    if window.passed:
        passed = ", ".join(f"{count} {word}" for word, count in sorted(window.passed.items()))
        out.print(f"not looked at: messages that are {passed}", soft_wrap=True)
    rows = (
        ("equal", counts.equal),
        ("changed", counts.changed),
        ("newly failing", counts.newly_failing),
        ("newly fixed", counts.newly_fixed),
        ("still failing", counts.still_failing),
        ("stored otherwise than published", counts.drifted),
    )
    out.print(table(("documents", "count"), rows))
    if report.changes:
        out.print(
            table(("target", "what", "count", "before", "after", "message"), _changes(report))
        )
    if report.failures:
        out.print(table(("fails with", "at", "rule", "", "count", "message"), _failures(report)))
    if report.further:
        names = ("come", "go", "left", "equal", "changed", "failing")
        titles = ("further document", "would come", "would go", "left", *names[3:], "message")
        out.print(table(titles, _further(report, names)))
        if any(each.go or each.left for each in report.further.values()):
            out.print("What would go, and what is left, stays as it is in the hub.")
    if report.money:
        money = [
            (
                currency,
                *(
                    plain(each)
                    for each in (m.before, m.after, m.after - m.before, m.moved, m.failing)
                ),
            )
            for currency, m in sorted(report.money.items())
        ]
        named = ("money", "before", "after", "difference", "moved", "of newly failing")
        out.print(table(named, money))
    people = report.people
    if people.documents:
        out.print(
            f"Identifiers change in {people.documents} documents. Of {len(people.examined)} of "
            f"them, {people.joins} join other people's documents and {people.leaves} leave some.",
            soft_wrap=True,
        )
    out.print(f"plan {report.id}: `lynchpin map publish FILE --plan {report.id}`", soft_wrap=True)


def _changes(report: Report) -> Iterator[tuple[object, ...]]:
    for change in sorted(report.changes, key=lambda c: (-c.count, c.path)):
        first = change.samples[0] if change.samples else None
        shown = (first.before, first.after, first.message) if first else (None, None, None)
        yield (change.path, change.kind, change.count, *shown)


def _further(report: Report, names: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    for name, each in sorted(report.further.items()):
        first = each.samples[0].message if each.samples else None
        yield (name, *(getattr(each, said) for said in names), first)


def _failures(report: Report) -> Iterator[tuple[object, ...]]:
    for failure in sorted(report.failures, key=lambda f: -f.count):
        first = failure.samples[0].message if failure.samples else None
        new = "new" if failure.new else "as before"
        yield failure.code, failure.path, failure.rule, new, failure.count, first
