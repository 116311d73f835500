"""Putting a mapping in force, and going back: without a restart, and never in part."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape

from hub import home as homes
from hub import publication
from hub.authoring import comparison, publishing
from hub.authoring.draft import Draft
from hub.cli.map.look import print_changes
from hub.cli.map.named import File, Name, draft_of, mapping_of
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json
from hub.cli.way import way
from hub.jobs.plan import affected
from hub.plan import shelf
from hub.plan.report import NO_LIMITS, Report, Thresholds, check
from hub.publication import Publication

__all__ = ["publish", "rollback"]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def publish(
    file: File,
    *,
    plan: Annotated[
        str | None, typer.Option(metavar="ID", help="The plan that it is published upon.")
    ] = None,
    max_failing: Annotated[
        int | None, typer.Option(help="Refuse if more documents newly fail in the plan.", min=0)
    ] = None,
    max_changed: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="Refuse if more of them change.", min=0, max=100),
    ] = None,
    max_moved: Annotated[
        int | None, typer.Option(help="Refuse if more of them move between people.", min=0)
    ] = None,
    max_money: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CURRENCY=AMOUNT",
            help="Refuse if the documents that change are worth more or less, added up, by more "
            "than that; a currency not named may then not differ at all. Repeat it for each.",
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put a mapping in force from the next message on; what does not compile, breaks an example or
    goes beyond the limits is refused. `lynchpin map rollback` undoes it.
    """
    percent = None if max_changed is None else Decimal(str(max_changed))
    limits = Thresholds(
        failing=max_failing,
        changed_percent=percent,
        moved=max_moved,
        money=None if not max_money else dict(map(_amount, max_money)),
    )
    draft = draft_of(file)
    publishing.check(draft)
    report = _planned(plan, draft, limits)
    if dry_run:
        with reading() as (_, connection):
            old = mapping_of(connection, str(draft.target))
        changes = comparison.targets(old, draft.mapping)
        if as_json:
            print_json({"version": draft.mapping.version, "instead_of": old.version})
            return
        _say("would publish", str(draft.target), draft.mapping.version, f"instead of {old.version}")
        print_changes(changes)
        return
    with way() as hub:
        # The log keeps what was found, not in which messages: a replay reads that from the plan.
        said = (
            None
            if report is None
            else report.model_dump(mode="json", exclude={"affected", "coming"})
        )
        line = hub.publish(draft, said, limits)
    _print("published", line, as_json=as_json)
    if not as_json:
        _offer(line)


def _amount(text: str) -> tuple[str, Decimal]:
    found = re.fullmatch(r"([A-Z]{3})=([0-9]{1,15}(\.[0-9]{1,4})?)", text)
    if found is None:
        raise typer.BadParameter("write it as in --max-money USD=100.00")
    return found[1], Decimal(found[2])


def _planned(plan: str | None, draft: Draft, limits: Thresholds) -> Report | None:
    """The report that a draft is published upon. Raises ``Refused`` where it does not bear it."""
    if plan is None:
        if limits != NO_LIMITS:
            raise typer.BadParameter("limits are those of a plan: name one with --plan")
        return None
    report = shelf.read(homes.locate(), plan)
    with reading() as (_, connection):
        published = mapping_of(connection, str(draft.target)).version
    check(report, proposed=draft.mapping.version, published=published, limits=limits)
    return report


def _offer(line: Publication) -> None:
    """Say what of the past is otherwise now, and how it can be made again."""
    target = publication.Target(line.connector, line.kind)
    with reading() as (_, connection):
        count = affected(connection, target)
    if count:
        said = f"{count} documents are as another version made them; `lynchpin map replay {target}`"
        out.print(escape(f"{said} makes them again"), soft_wrap=True)


def rollback(
    name: Name,
    *,
    to: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="A version of the log or `shipped`; else one back."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put the version before in force again; doing it again goes back further."""
    target = publication.target(name)
    if dry_run:
        with reading() as (_, connection):
            version = publication.destination(connection, target, to)
            old = mapping_of(connection, str(target))
        if as_json:
            print_json({"version": version, "instead_of": old.version})
            return
        _say("would go back to", str(target), version, f"instead of {old.version}")
        return
    with way() as hub:
        line = hub.rollback(target, to)
    _print("back to", line, as_json=as_json)


def _print(done: str, line: Publication, *, as_json: bool) -> None:
    if as_json:
        said: dict[str, Any] = {"mapping": f"{line.connector}.{line.kind}", "version": line.hash}
        print_json({**said, "own": line.own, "act": line.act, "at": line.at})
        return
    whose = "" if line.own else "which is what Lynchpin ships"
    _say(done, f"{line.connector}.{line.kind}", line.hash, whose)


def _say(done: str, name: str, version: str, more: str) -> None:
    text = " ".join(filter(None, (done, name, version)))
    out.print(escape(f"{text}, {more}" if more else text), soft_wrap=True)
