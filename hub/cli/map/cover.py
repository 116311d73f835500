"""``lynchpin map cover``: what a mapping leaves of the traffic, and what its text leaves unsaid."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from sqlalchemy import Connection

from hub import publication
from hub.bootstrap import Hub
from hub.causes import NOT_FOUND
from hub.cli.map.named import Since, Source, mapping_of
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import errors, out, print_json, table
from hub.coverage.tally import Seen, Tally
from hub.coverage.traffic import Window, cover
from hub.since import moment
from mappings.coverage import Finding, static
from mappings.mapping import Mapping
from schemas.problem import Rejected

__all__ = ["cover_traffic"]

_PROGRESS_EVERY = 1000
_BAD = ("unset", "stale", "unreachable", "idle_table")


def cover_traffic(
    mapping: Annotated[
        str | None,
        typer.Argument(help="NAME, NAME@VERSION or a file; without it every mapping in force."),
    ] = None,
    *,
    since: Since = None,
    source: Source = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit status 1 where anything is left undecided.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what arrived and nobody reads, what was never filled or hit, and codes without entry."""
    undecided = False
    said: list[dict[str, Any]] = []
    with reading() as (hub, connection):
        if source is not None and source not in hub.settings.sources:
            raise Rejected(NOT_FOUND.at(f"there is no source {source!r}"))
        window = Window(since and moment(since, hub.now()), source)
        for made in _mappings(hub, connection, mapping, source):
            tally, messages = _covered(hub, connection, made, window)
            findings = static(made)
            codes = any(each.codes for each in (tally, *tally.further.values()))
            undecided |= bool(tally.unread or codes) or any(f.what in _BAD for f in findings)
            if as_json:
                said.append(_json(tally, messages, findings, window))
            else:
                _print(tally, messages, findings)
    if as_json:
        print_json(said if mapping is None else said[0])
    if strict and undecided:
        raise typer.Exit(1)


def _mappings(
    hub: Hub, connection: Connection, named: str | None, source: str | None
) -> list[Mapping]:
    if named is not None:
        return [mapping_of(connection, named)]
    sources = hub.settings.sources
    connectors = {s.connector for name, s in sources.items() if source in (None, name)}
    found = [mapping_of(connection, str(each)) for each in publication.targets(connectors)]
    return list({made.name: made for made in found}.values())


def _covered(
    hub: Hub, connection: Connection, mapping: Mapping, window: Window
) -> tuple[Tally, int]:
    target = publication.target(mapping.name)
    with errors.status(f"{mapping.name}: reading") as status:

        def progress(read: int) -> None:
            if read % _PROGRESS_EVERY == 0:
                status.update(f"{mapping.name}: {read} messages read")

        return cover(hub, connection, mapping, target, window, progress=progress)


def _json(
    tally: Tally, messages: int, findings: tuple[Finding, ...], window: Window
) -> dict[str, Any]:
    spec = tally.mapping.spec
    return {
        "mapping": spec.name,
        "version": spec.version,
        "file": spec.file,
        "window": asdict(window),
        "messages": messages,
        **_counted(tally),
        "unread": [{"path": path, **_seen(seen, "shape")} for path, seen in tally.unread.items()],
        "further": {name: _counted(each) for name, each in tally.further.items()},
        "text": [asdict(each) for each in findings],
    }


def _counted(tally: Tally) -> dict[str, Any]:
    """What is counted of documents of one kind, the document itself or further ones."""
    return {
        "documents": tally.documents,
        "more": tally.more,
        "failed": [{"code": code, **_seen(seen, "rule")} for code, seen in tally.failed.items()],
        "codes": [
            {"table": name, **_seen(seen, "code")} for (name, _), seen in tally.codes.items()
        ],
        "idle": [asdict(each) for each in tally.idle] if tally.documents else [],
        "idle_ignores": list(tally.idle_ignores) if tally.documents else [],
        "filled": [asdict(each) for each in tally.shares],
    }


def _seen(seen: Seen, name: str) -> dict[str, Any]:
    said = asdict(seen)
    return {name: said.pop("value"), **said}


def _print(tally: Tally, messages: int, findings: tuple[Finding, ...]) -> None:
    spec = tally.mapping.spec
    head = f"[bold]{escape(spec.name)}[/] {spec.version} ({escape(spec.file)}): "
    out.print(f"{head}{tally.documents} documents in {messages} messages", soft_wrap=True)
    _print_failed(tally)
    _print_seen(
        "Arrived, and neither read nor ignored",
        ("path", "value like"),
        [((path, seen.value), seen) for path, seen in tally.unread.items()],
    )
    _say(tally.unread, "write a rule that reads it, or add the path to `ignore`")
    _print_counted(tally)
    for name, each in tally.further.items():
        out.print(f"[bold]further {escape(name)}[/]: {each.documents} documents", soft_wrap=True)
        _print_failed(each)
        _print_counted(each)
    if findings:
        rows = ((each.what, each.subject, each.next_step) for each in findings)
        out.print(table(("", "of the text", "next"), rows))


def _print_failed(tally: Tally) -> None:
    for code, seen in tally.failed.items():
        said = f"{seen.messages} messages fail with {code} at {seen.value}, first {seen.first}"
        out.print(escape(said), style="red", soft_wrap=True)


def _print_counted(tally: Tally) -> None:
    _print_seen(
        "Codes without an entry",
        ("table", "code"),
        [((name, seen.value), seen) for (name, _), seen in tally.codes.items()],
    )
    _say(tally.codes, "add the code to its table under `codes`")
    if tally.more:
        out.print(f"and {tally.more} times something that was too much to be told apart")
    if tally.documents:
        _print_idle(tally)
        _print_shares(tally)


def _print_seen(
    title: str, columns: tuple[str, str], rows: list[tuple[tuple[str, str], Seen]]
) -> None:
    if rows:
        most_first = sorted(rows, key=lambda row: -row[1].messages)
        cells = ((*key, seen.messages, seen.first, seen.last) for key, seen in most_first)
        out.print(table((*columns, "messages", "first", "last"), cells, title=title))


def _say(found: object, next_step: str) -> None:
    if found:
        out.print(f"  [bold]Next:[/] {escape(next_step)}", soft_wrap=True)


def _print_idle(tally: Tally) -> None:
    rows = [
        (each.line, each.rule, "never true" if each.condition else "never hit")
        for each in tally.idle
    ]
    if rows:
        out.print(table(("line", "rule", ""), rows, title="Rules that did nothing"))
    if tally.idle_ignores:
        named = ", ".join(tally.idle_ignores)
        out.print(escape(f"Ignored, and never arrived unread: {named}"), soft_wrap=True)


def _print_shares(tally: Tally) -> None:
    rows = (
        (
            each.target,
            "required" if each.required else "",
            f"{each.filled} of {each.of}",
            f"{100 * each.filled / each.of:.1f} %",
        )
        for each in tally.shares
    )
    out.print(table(("target", "", "filled", "share"), rows, title="How often each was filled"))
