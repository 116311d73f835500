"""``lynchpin db``: the database as a whole."""

from __future__ import annotations

import dataclasses
import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn

from hub import backup as backing_up
from hub import home as homes
from hub import integrity, lock, settings, unverified
from hub import restore as restoring
from hub.bootstrap import utc_now
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import errors, out, print_json, print_problem, reason_of, table
from hub.cli.way import way
from hub.store.database import REVISION, Place, open_as_it_is, open_database
from schemas.problem import ConfigError

app = typer.Typer(no_args_is_help=True)

_MISSING = "LP-CFG-020"


@app.command("upgrade")
def upgrade(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database up to the revision of this program. Take a backup before."""
    home = homes.locate()
    place = settings.read(home).database(home)
    with lock.hold(home):
        before = _revision(place)
        if not dry_run and before != REVISION:
            open_database(place).dispose()
    if as_json:
        print_json({"from": before, "to": REVISION, "done": not dry_run and before != REVISION})
    elif before == REVISION:
        out.print(f"up to date: revision {REVISION}")
    else:
        done = "would go" if dry_run else "went"
        out.print(f"{done} from {before or 'nothing'} to revision {REVISION}")


def _revision(place: Place) -> str | None:
    try:
        with open_as_it_is(place) as (_, revision):
            return revision
    except ConfigError as error:
        if error.problem.code == _MISSING:
            return None
        raise


@app.command("check")
def check(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what reads every payload.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look whether the database is whole and agrees with itself, also while a hub runs.

    The exit status is 1 where something is wrong.
    """
    home = homes.locate()
    found = list(integrity.examine(settings.read(home).database(home), quick=quick))
    if as_json:
        print_json([problem.model_dump(mode="json", exclude_none=True) for problem in found])
    elif found:
        for problem in found:
            print_problem(problem)
    else:
        out.print("whole, and it agrees with itself")
    if found:
        raise typer.Exit(1)


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
    *,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let it take the place of a file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything into one file, as at one moment, while the hub goes on.

    SQLite and PostgreSQL restore it alike. It holds everything of everybody: the audit keeps who
    took it. `lynchpin.toml` is not in it.
    """
    home = homes.locate()
    place = settings.read(home).database(home)
    if _revision(place) == REVISION:
        with way() as hub:
            hub.note_backup(file.name)
    with _progress() as progress:
        made = backing_up.back_up(place, file, now=utc_now, overwrite=overwrite, progress=progress)
    if as_json:
        print_json(made.as_json())
        return
    size = f"{made.rows} rows, {made.bytes} bytes"
    out.print(f"{escape(str(file))}: {size}, as at {made.made_at}", soft_wrap=True)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A file of `lynchpin db backup`.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let it take the place of the data that is there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database. No hub may run on it.

    Store agents then ship again what they have; what was pushed since the backup is listed by
    `lynchpin db unverified`.
    """
    home = homes.locate()
    homes.create(home, ())
    chosen = settings.read(home)
    with lock.hold(home), _progress() as progress:
        done = restoring.restore_from(
            file,
            chosen.database(home),
            chosen,
            replace=replace,
            actor=getpass.getuser(),
            now=utc_now,
            progress=progress,
        )
    if as_json:
        print_json(done.as_json())
        return
    out.print(f"restored {done.rows} rows, as at {done.made_at}", soft_wrap=True)
    if done.revoked:
        out.print(f"{done.revoked} keys that were revoked since stay revoked")
    if done.rewound:
        out.print(f"read again from before the backup on: {', '.join(done.rewound)}")
    if done.unverified:
        out.print("what was pushed to these sources meanwhile may be missing:")
        _print(done.unverified)


@app.command("unverified")
def list_unverified(*, as_json: AsJson = False) -> None:
    """List what a restore left unverified: what was pushed in these windows may be missing.

    Have the sender list or send it again, then say `lynchpin db reconciled`.
    """
    with reading() as (_, connection):
        found = unverified.open_windows(connection)
    if as_json:
        print_json([dataclasses.asdict(window) for window in found])
        return
    _print(found)


def _print(found: list[unverified.Window] | tuple[unverified.Window, ...]) -> None:
    rows = ((window.source, window.since_at, window.until_at) for window in found)
    out.print(table(("source", "since", "until"), rows))


@app.command("reconciled")
def reconciled(
    source: Annotated[str, typer.Argument(help="A source that is listed as unverified.")],
    *,
    reason: Annotated[
        str, typer.Option(help="How you know that nothing is missing.", callback=reason_of)
    ],
) -> None:
    """Say that nothing of a source is missing any more. The audit keeps who said so, and why."""
    with way() as hub:
        closed = hub.reconcile(source, reason=reason)
    out.print(f"closed {closed} for {escape(source)}")


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Shown on a terminal only, and gone when the work is done."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} rows"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda count: bar.advance(task, count)
