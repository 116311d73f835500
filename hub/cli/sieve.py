"""The options by which commands look for messages, the same ones wherever they do."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from hub.messages import Sought
from hub.since import moment

__all__ = ["Sieve", "sieving"]

Sieve = Callable[[str], Sought]
"""What is looked for, by the moment that it is now. Raises ``Refused`` for what says no time."""

P = ParamSpec("P")


def _sieve(  # noqa: PLR0913, an option each
    fact: Annotated[
        str | None, typer.Argument(help="Part of a fact id; with a system, its start.")
    ] = None,
    *,
    state: Annotated[str | None, typer.Option(help="pending, applied, duplicate, held...")] = None,
    source: Annotated[str | None, typer.Option(help="Name of a source.")] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of message, such as order.")] = None,
    mapping: Annotated[str | None, typer.Option(help="Version that it went through.")] = None,
    file: Annotated[str | None, typer.Option(help="Part of a file name.")] = None,
    code: Annotated[str | None, typer.Option(help="Why it is held, such as LP-DOC-001.")] = None,
    group: Annotated[str | None, typer.Option(help="Fingerprint of `hold list --groups`.")] = None,
    order: Annotated[str | None, typer.Option(help="Number or native id of an order.")] = None,
    receipt: Annotated[str | None, typer.Option(help="Number of a receipt.")] = None,
    store: Annotated[str | None, typer.Option(help="Of a receipt.")] = None,
    workstation: Annotated[str | None, typer.Option(help="Of a receipt.")] = None,
    date: Annotated[str | None, typer.Option(help="Business date of a receipt.")] = None,
    sequence: Annotated[str | None, typer.Option(help="Sequence number of a receipt.")] = None,
    person: Annotated[str | None, typer.Option(help="Fact id of a document of theirs.")] = None,
    since: Annotated[
        str | None, typer.Option(help="From when on: 7d, 12h, 30m, or a date or moment.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before when, as --since.")] = None,
) -> Sieve:
    def sought(now: str) -> Sought:
        return Sought(
            fact=fact,
            state=state,
            source=source,
            kind=kind,
            mapping=mapping,
            file=file,
            code=code,
            group=group,
            order=order,
            receipt=receipt,
            store=store,
            workstation=workstation,
            business_date=date,
            sequence=sequence,
            person=person,
            since=since and moment(since, now),
            until=until and moment(until, now),
        )

    return sought


def sieving(command: Callable[Concatenate[Sieve, P], None]) -> Callable[..., None]:
    """The command with these options before its own; it gets them as one value, its first."""
    options = inspect.signature(_sieve, eval_str=True).parameters
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @functools.wraps(command)
    def told(**said: Any) -> None:
        sieve = _sieve(**{name: said.pop(name) for name in options})
        command(sieve, **said)  # type: ignore[call-arg]

    # Typer reads what a command takes from here.
    told.__signature__ = inspect.Signature([*options.values(), *own])  # type: ignore[attr-defined]
    return told
