"""``lynchpin demo``: an invented day, played and checked, and a house that is open to visitors."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding

from hub.cli.terminal import complain, out
from schemas.money import plain
from schemas.problem import ConfigError, Unavailable

if TYPE_CHECKING:
    from hub.demo.stage import Place, Stage
    from hub.demo.story import Act, Check
    from hub.demo.visit import Seen

__all__ = ["app"]

app = typer.Typer()

_SHOWN_MAX = 3
_INDENT = (0, 0, 0, 6)
_INTERRUPTED = 130

Store = Annotated[str, typer.Argument(help="Number of a store: 0043 or 9001.")]


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Play the day, check it, and end: 0 if all is well.")
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where it takes place; else in a temporary folder."),
    ] = None,
) -> None:
    """Play an invented day: a hub, the agents of two stores, a shop, a call centre, a power cut.

    Then it waits for visitors. Ctrl-C ends everything, and leaves nothing but the folder it names.
    """
    context.obj = home
    if context.invoked_subcommand is None:
        _play(home, once=once)


def _play(home: Path | None, *, once: bool) -> None:
    from hub.demo.stage import staged

    for number in (signal.SIGTERM, signal.SIGHUP):
        # Ends what runs, as Ctrl-C does.
        signal.signal(number, signal.default_int_handler)
    folder = home or _temporary_folder()
    well = played = False
    try:
        with staged(folder) as stage:
            well = _acts(stage)
            played = True
            if well and not once:
                _wait(stage, given=home is not None)
    except Unavailable as error:
        complain(error)
        well = False
    except KeyboardInterrupt:
        out.print("\nEverything has ended.")
        if not played:
            raise typer.Exit(_INTERRUPTED) from None
    finally:
        out.print(f"What is left lies in {folder.absolute()}", style="dim", soft_wrap=True)
    if not well:
        raise typer.Exit(1)


def _temporary_folder() -> Path:
    from hub.demo.stage import FOLDER
    from hub.demo.visit import PREFIX

    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        raise ConfigError(FOLDER.at(error.strerror or "", file=error.filename)) from error


def _acts(stage: Stage) -> bool:
    """Play and show all acts; returns whether everything came out as written."""
    from hub.demo.story import play

    checks: list[Check] = []
    acts = play(stage)
    while True:
        with out.status("..."):
            act = next(acts, None)
        if act is None:
            break
        _print(act)
        checks += act.checks
    well = sum(check.well for check in checks)
    style = "bold green" if well == len(checks) else "bold red"
    out.print(f"[{style}]{well} of {len(checks)} checks came out as written.[/]")
    return well == len(checks)


def _print(act: Act) -> None:
    """A line of what happened, and below it what was checked."""
    well = all(check.well for check in act.checks)
    mark = "[bold green]ok[/]   " if well else "[bold red]WRONG[/]"
    out.print(f"{mark} [bold]{escape(act.title)}[/]")
    said = (_said(check) for check in act.checks if check.well)
    if line := "; ".join(said):
        out.print(Padding(f"[dim]{escape(line)}[/]", _INDENT, expand=False))
    for check in act.checks:
        if not check.well:
            line = f"{check.what}: {_missing(check.expected, check.found)}"
            out.print(Padding(f"[red]{escape(line)}[/]", _INDENT, expand=False))


def _said(check: Check) -> str:
    return check.what if check.found is True else f"{check.what}: {_shown(check.found)}"


def _shown(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{_shown(v)} {k}" for k, v in value.items()) or "none"
        case set():
            return str(len(value))
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return plain(value)
        case _:
            return str(value)


def _missing(expected: Any, found: Any) -> str:
    """What is wrong, in a few words."""
    if not (isinstance(expected, set) and isinstance(found, set)):
        return f"{_shown(found)}, expected {_shown(expected)}"
    parts = {"missing": sorted(expected - found), "too many": sorted(found - expected)}
    return "; ".join(
        f"{len(each)} {word}: {', '.join(each[:_SHOWN_MAX])}{' ...' * (len(each) > _SHOWN_MAX)}"
        for word, each in parts.items()
        if each
    )


def _wait(stage: Stage, *, given: bool) -> None:
    """Say what a visitor can do, and see to it until Ctrl-C."""
    from hub.demo.visit import host

    place = stage.place
    desk = place.desk()
    opened = desk.console()
    desk.close()
    program = _program()
    command = f"{program} demo" + (f" --home {shlex.quote(str(place.folder))}" if given else "")
    lines = [
        (f"export {_at_home(place)}", ""),
        (f"{command} sale 9001", "ring up a sale"),
        (f"{command} call", "the same customer calls"),
        (f"{command} order", "and orders something"),
        (f"{command} break 9001", "cut a store's link; `mend 9001` lets it drain"),
        (f"{program} hold list", "what waits for a person: `hold release N --replace`"),
    ]
    if opened:
        out.print(f"\nConsole, once within ten minutes: {stage.address}{opened}", soft_wrap=True)
    else:
        out.print(f"\nThe hub answers at {stage.address}", soft_wrap=True)
    out.print("In another terminal; Ctrl-C here ends everything:")
    width = max(len(line) for line, _ in lines[1:])
    for line, what in lines:
        out.print(f"  {escape(line.ljust(width))}  [dim]{what}[/]", soft_wrap=True)
    host(stage, out.print)


def _program() -> str:
    """How this program is typed here."""
    program = Path(sys.executable).with_name("lynchpin")
    if str(program.parent) in os.get_exec_path():
        return program.name
    here = Path.cwd()
    return shlex.quote(str(program.relative_to(here) if here in program.parents else program))


def _at_home(place: Place) -> str:
    return f"LYNCHPIN_HOME={shlex.quote(str(place.home.path))}"


def _asking(place: Place) -> str:
    """How the program is typed to ask the demo's hub, in this terminal."""
    here = os.environ.get("LYNCHPIN_HOME") == str(place.home.path)
    return _program() if here else f"{_at_home(place)} {_program()}"


@app.command("sale")
def sale(context: typer.Context, store: Store = "9001") -> None:
    """Ring up a sale at a store of the demo that waits."""
    from hub.demo import visit

    place = visit.find(context.obj)
    seen = visit.sale(place, visit.store_of(store))
    _print_seen(place, seen, "Rung up", f"transaction show {seen.fact}")


@app.command("order")
def order(context: typer.Context) -> None:
    """Order something in the shop of the demo that waits."""
    from hub.demo import visit

    place = visit.find(context.obj)
    seen = visit.order(place)
    _print_seen(place, seen, "Ordered", f"order show {seen.fact}")


@app.command("call")
def call(context: typer.Context) -> None:
    """Call the call centre of the demo that waits."""
    from hub.demo import visit

    place = visit.find(context.obj)
    seen = visit.call(place)
    _print_seen(place, seen, "Calling", f"customer show '{seen.what}'")


@app.command("break")
def cut(context: typer.Context, store: Store) -> None:
    """Cut the link of a store: its tills go on selling."""
    from hub.demo import visit

    visit.cut(visit.find(context.obj), visit.store_of(store))
    out.print(f"The link of store {store} is cut. Its tills go on: `demo sale {store}`.")


@app.command("mend")
def mend(context: typer.Context, store: Store) -> None:
    """Mend the link of a store, and see what waited there arrive."""
    from hub.demo import visit

    known, of = visit.mend(visit.find(context.obj), visit.store_of(store))
    out.print(f"The link of store {store} is mended. Of {of} sales of yours, {known} have arrived.")
    if known < of:
        raise typer.Exit(1)


def _print_seen(place: Place, seen: Seen, what: str, command: str) -> None:
    after = "the link is cut, so it waits in the store"
    if seen.seconds is not None:
        after = f"at the hub after {seen.seconds:.1f} s"
    out.print(f"{what}: {seen.what} ({after})", soft_wrap=True)
    out.print(f"  {seen.fact}", soft_wrap=True)
    if seen.seconds is not None:
        out.print(f"  {_asking(place)} {command}", soft_wrap=True)
