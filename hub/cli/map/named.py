"""How commands name mappings: a file, what is in force of a name, or one of its versions."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import Connection

from hub import home as homes
from hub import library, publication, since
from hub.authoring import draft as drafts
from hub.authoring.draft import Draft
from hub.bootstrap import utc_now
from hub.publication import Target
from mappings.mapping import Mapping
from schemas.problem import ConfigError, Refused

__all__ = ["File", "Name", "Since", "Source", "draft_of", "mapping_of"]

File = Annotated[
    str,
    typer.Argument(help="Mapping file: a path, or a name such as shopify.order in the home."),
]
Name = Annotated[str, typer.Argument(help="Name of a mapping, such as shopify.order.")]


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        since.moment(text, utc_now())
    except Refused as refusal:
        raise typer.BadParameter(refusal.problem.next_step) from None
    return text


Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Only what came in since: 12h, 7d, 2031-05-01.", callback=_moment
    ),
]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="Only what this source sent.")]

_AT = "@"


def draft_of(file: str) -> Draft:
    """The draft in a file. Raises ``ConfigError`` if there is none or it does not compile."""
    home = homes.locate()
    return drafts.read(drafts.located(file, home), home)


def mapping_of(connection: Connection, text: str) -> Mapping:
    """The mapping that somebody means by ``NAME``, ``NAME@VERSION``, ``NAME@shipped`` or a file.

    Raises ``ConfigError`` or ``Rejected`` if it is none.
    """
    name, at, version = text.partition(_AT)
    try:
        target = publication.target(name)
    except ConfigError:
        if at and not drafts.exists(text, homes.locate()):
            raise
        return draft_of(text).mapping
    return _version(connection, target, version if at else None)


def _version(connection: Connection, target: Target, version: str | None) -> Mapping:
    if version is None:
        return library.in_force(connection, target.connector, target.kind)
    _, text, file = publication.text_of(connection, target, version)
    return library.read(target.connector, text, file)
