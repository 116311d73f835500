"""``lynchpin demo``: an invented day, played and checked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hub.cli.terminal import out, print_problem, table
from hub.explain import Explained
from hub.home import Home
from schemas.money import plain

if TYPE_CHECKING:
    from hub.demo.story import Act

__all__ = ["demo"]


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Play the day once, check it, and end; as now always.")
    ] = False,
) -> None:
    """Play an invented day: three stores, a web shop, a refund before its order, a broken sale.

    The exit status is 0 only if everything came out as written. Nothing is left behind but the
    folder named at the end.
    """
    from hub.demo.story import play

    folder = Path(tempfile.mkdtemp(prefix="lynchpin-demo-"))
    inbox = folder / "inbox"
    inbox.mkdir()
    acts = []
    for number, act in enumerate(play(Home(folder / "home"), inbox), 1):
        _print(number, act)
        acts.append(act)
    wrong = [check for act in acts for check in act.checks if not check.well]
    count = sum(len(act.checks) for act in acts)
    out.print(f"\n[bold]{count - len(wrong)} of {count} checks came out as written.[/]")
    home = f"LYNCHPIN_HOME={folder / 'home'}"
    out.print(f"Look around: {home} lynchpin order find", soft_wrap=True)
    out.print(f"What came in lies in {inbox}; delete {folder} when done.", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


def _print(number: int, act: Act) -> None:
    out.print(f"\n[bold cyan]{number}. {escape(act.title)}[/]")
    if act.reports:
        columns = ("what came in", "messages", "applied", "duplicates", "held", "revenue")
        rows = (
            (name, r.messages, r.applied, r.duplicates, r.held, _amounts(r.totals))
            for name, r in act.reports.items()
        )
        out.print(table(columns, rows))
    for problem in act.held:
        print_problem(problem)
    if act.origins:
        _print_origins(act.origins)
    for check in act.checks:
        mark = "[green]ok[/]" if check.well else "[bold red]WRONG[/]"
        out.print(f"  {mark} {escape(check.what)}: {escape(_shown(check.found))}", soft_wrap=True)
        if not check.well:
            out.print(f"     expected {escape(_shown(check.expected))}", soft_wrap=True)


def _print_origins(origins: Iterable[Explained]) -> None:
    rows = [
        (o.path, o.value, o.source, f"line {o.line}" if o.line else "the hub")
        for o in origins
        if not o.path.startswith(("bill_to", "ship_to"))
    ]
    first = next(iter(origins))
    title = f"Where each value came from: {first.mapping}, version {first.version}"
    out.print(table(("value of the order", "is", "came from", "rule"), rows[:24], title=title))
    if len(rows) > 24:
        out.print(f"  and {len(rows) - 24} more: lynchpin explain")


def _amounts(totals: dict[str, Decimal]) -> str:
    return ", ".join(f"{plain(amount)} {currency}" for currency, amount in sorted(totals.items()))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return _amounts(value) or "none"
    if isinstance(value, str):
        return value if len(value) <= 60 else f"{len(value)} characters"
    if isinstance(value, list):
        return ", ".join({True: "yes", False: "no"}.get(v, str(v)) for v in value) or "none"
    return str(value)
