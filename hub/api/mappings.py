"""Mappings over HTTP: what is in force, its log, and putting another version in force."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from connectors import registry
from connectors.scrub import scrub_text
from hub import publication
from hub.api.asked import asked
from hub.api.body import INVALID, parsed
from hub.api.errors import answers
from hub.api.messages import Looker, Operator
from hub.api.served import Reading, ServedHere
from hub.authoring import publishing
from hub.authoring.draft import OTHER_DOCUMENT, Draft, drafted
from hub.authoring.inventory import Standing, inventory
from hub.plan.report import NO_LIMITS, Thresholds
from hub.publication import NO_MAPPING, Publication, Target
from schemas.problem import ConfigError, Refused, Rejected

__all__ = ["router"]

router = APIRouter(tags=["mappings"])

BODY_BYTES_MAX = 4 * 1024 * 1024

Connector = Annotated[str, Path(max_length=100, description="Id of a connector.")]
Kind = Annotated[str, Path(max_length=100, description="Kind of its messages.")]
Version = Annotated[
    str, Path(max_length=16, description="A version of the log, or the digits that it begins with.")
]

_STANDING: JsonDict = {
    "connector": "shopify",
    "kind": "order",
    "version": "3f1c0a9be2d47756",
    "own": True,
    "since": "2031-05-06T20:15:00.000000Z",
    "by": "key 0123456789ab integration",
    "shipped": "9a20be7114c8d0f3",
    "shipped_changed": False,
    "recent": 412,
}
_PUBLICATION: JsonDict = {
    "id": 9,
    "connector": "shopify",
    "kind": "order",
    "version": "3f1c0a9be2d47756",
    "act": "publish",
    "own": True,
    "shipped": "9a20be7114c8d0f3",
    "actor": "key 0123456789ab integration",
    "at": "2031-05-06T20:15:00.000000Z",
}


class StandingRow(BaseModel):
    """What is in force for a kind of message."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _STANDING})

    connector: str
    kind: str
    version: str
    own: bool = Field(description="Whether it is another text than the shipped one.")
    since: str | None
    by: str | None
    shipped: str = Field(description="The version that Lynchpin ships.")
    shipped_changed: bool = Field(
        description="Whether Lynchpin has shipped another one since this was put in force."
    )
    recent: int = Field(description="How many of the last 1000 messages went through it.")


class Standings(BaseModel):
    """Every kind of message of every source."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"items": [_STANDING]}})

    items: list[StandingRow]


class PublicationRow(BaseModel):
    """A line of the log: a version that was put in force, by whom, and upon which report."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _PUBLICATION})

    id: int
    connector: str
    kind: str
    version: str
    act: str
    own: bool
    shipped: str
    actor: str
    at: str
    report: dict[str, Any] | None = None


class Publications(BaseModel):
    """The log of a mapping, the oldest first; the last one is in force."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"items": [_PUBLICATION]}})

    items: list[PublicationRow]


class MappingText(BaseModel):
    """A version of a mapping, whole."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "version": "3f1c0a9be2d47756",
                "file": "mappings/shopify/order.yaml",
                "text": "mapping: shopify.order\n",
            }
        },
    )

    version: str
    file: str
    text: str


class Publishing(BaseModel):
    """A mapping that is to be put in force, with what its examples need."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "example": {"text": "mapping: shopify.order\n", "file": "order.yaml", "examples": {}}
        },
    )

    text: str = Field(max_length=300_000, description="The whole text of the mapping.")
    file: str = Field(
        min_length=1, max_length=200, description="How problems and origins are to name it."
    )
    examples: dict[str, str] = Field(
        default={}, max_length=500, description="Files that its examples name, in base64."
    )
    report: dict[str, Any] | None = Field(
        default=None, description="The report of its plan, which the log keeps."
    )
    limits: Thresholds = Field(default=NO_LIMITS, description="What that report may say at most.")


class RollingBack(BaseModel):
    """Which version is to be in force again; without one, the one before."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"to": "shipped"}}
    )

    to: str | None = Field(
        default=None,
        max_length=16,
        description="A version of the log, or the digits it begins with, or `shipped`.",
    )


@router.get("/mappings", responses=answers())
def list_mappings(served: ServedHere, reading: Reading, key: Looker) -> Standings:
    """What is in force for every kind of message of every source."""
    connectors = {source.connector for source in served.hub.settings.sources.values()}
    return Standings(items=[_standing(each) for each in inventory(reading, connectors)])


@router.get("/mappings/{connector}/{kind}/log", responses=answers(404))
def mapping_log(connector: Connector, kind: Kind, reading: Reading, key: Looker) -> Publications:
    """What was in force since when, and who put it there."""
    lines = publication.log(reading, target_of(connector, kind))
    return Publications(items=[_row(line) for line in lines])


@router.get("/mappings/{connector}/{kind}/versions/{version}", responses=answers(404))
def mapping_version(
    connector: Connector, kind: Kind, version: Version, reading: Reading, key: Looker
) -> MappingText:
    """The text of a version that was in force, or is shipped."""
    target = target_of(connector, kind)
    chosen, text, file = publication.text_of(reading, target, version)
    return MappingText(version=chosen, file=file, text=text)


@router.post(
    "/mappings/{connector}/{kind}/publish",
    responses=answers(400, 404, 408, 413),
    openapi_extra=asked(Publishing),
)
async def publish_mapping(
    connector: Connector, kind: Kind, request: Request, served: ServedHere, key: Operator
) -> PublicationRow:
    """Put a mapping in force from the next transaction on.

    One that does not compile, whose examples do not come out as written, or whose plan says more
    than the limits allow, is refused.
    """
    target = target_of(connector, kind)
    wanted = await parsed(request, Publishing, bytes_max=BODY_BYTES_MAX)
    draft = await asyncio.to_thread(_checked, wanted, target)
    work = partial(
        publishing.publish,
        draft=draft,
        actor=key.actor,
        now=served.hub.now(),
        report=wanted.report,
        limits=wanted.limits,
    )
    return _row(await served.finish(work))


@router.post(
    "/mappings/{connector}/{kind}/rollback",
    responses=answers(400, 404, 408, 409, 413),
    openapi_extra=asked(RollingBack),
)
async def rollback_mapping(
    connector: Connector, kind: Kind, request: Request, served: ServedHere, key: Operator
) -> PublicationRow:
    """Put an earlier version in force again; the one before where none is named."""
    target = target_of(connector, kind)
    wanted = await parsed(request, RollingBack)
    work = partial(
        publishing.rollback, target=target, to=wanted.to, actor=key.actor, now=served.hub.now()
    )
    return _row(await served.finish(work))


def target_of(connector: str, kind: str) -> Target:
    """Raises ``Rejected`` if there is no such kind of message."""
    manifest = registry.manifests().get(connector)
    if manifest is None or kind not in manifest.messages:
        raise Rejected(NO_MAPPING.at())
    return Target(connector, kind)


def _checked(wanted: Publishing, target: Target) -> Draft:
    """The draft that a caller sends. Raises ``Refused``: to a caller it is no configuration."""
    files = {name: _unpacked(content) for name, content in wanted.examples.items()}
    try:
        draft = drafted(wanted.text, scrub_text(wanted.file), files.get)
    except ConfigError as error:
        raise Refused(error.problem) from None
    if target not in publication.siblings(draft.target):
        raise Refused(OTHER_DOCUMENT.at(f"it is for {draft.target}", file=draft.file))
    publishing.check(draft)
    return replace(draft, target=target)


def _unpacked(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        raise Refused(INVALID.at("an example is not in base64", path="body.examples")) from None


def _standing(each: Standing) -> StandingRow:
    return StandingRow(
        connector=each.target.connector,
        kind=each.target.kind,
        version=each.version,
        own=each.own,
        since=each.line.at if each.line else None,
        by=each.line.actor if each.line else None,
        shipped=each.shipped,
        shipped_changed=each.shipped_changed,
        recent=each.recent,
    )


def _row(line: Publication) -> PublicationRow:
    return PublicationRow(
        id=line.id,
        connector=line.connector,
        kind=line.kind,
        version=line.hash,
        act=line.act,
        own=line.own,
        shipped=line.shipped,
        actor=line.actor,
        at=line.at,
        report=None if line.report is None else json.loads(line.report),
    )
