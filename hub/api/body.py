"""Request bodies: taken in as they arrive, unpacked, and bounded in every direction.

A body is kept in memory until it is whole, never in a file: it has not been scrubbed yet. So what
all bodies together may take is bounded as well.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from connectors.api import MESSAGE_BYTES_MAX
from schemas.problem import Cause, LynchpinError, Refused, Unavailable

__all__ = [
    "CUT",
    "ENCODED",
    "FULL",
    "INVALID",
    "LARGE",
    "SLOW",
    "Budget",
    "parsed",
    "received",
    "unpacked",
    "whole",
]

BODY_BYTES_MAX = 64 * 1024 * 1024
RATIO_MAX = 200
"""Documents of tills and shops pack 10 to 50 times; what packs tighter is made to."""
_RATIO_FREE_BYTES = 1024 * 1024
"""Up to here any ratio will do: a short text of spaces is no attack."""
_STEP_BYTES = 256 * 1024
_BUDGET_BYTES = 128 * 1024 * 1024
WEBHOOK_BYTES_MAX = MESSAGE_BYTES_MAX
_CHUNK_SECONDS = 30.0
_BODY_SECONDS = 600.0
_WEBHOOK_SECONDS = 30.0
_HEARD_OUT_BYTES = 1024 * 1024
_HEARD_OUT_SECONDS = 1.0
_JSON_BYTES_MAX = 64 * 1024

LARGE = Cause(
    "LP-API-001",
    "The body is larger than a record may be, or unpacks to more.",
    "Split it at the sender; a day of a store fits many times over.",
)
ENCODED = Cause(
    "LP-API-002",
    "The body is packed in a way that the hub does not unpack.",
    "Send it with `Content-Encoding: gzip`, or as it is.",
)
CUT = Cause(
    "LP-API-003",
    "The body ended before it was whole, or is not what its encoding says.",
    "Send it again.",
)
SLOW = Cause(
    "LP-API-004",
    "The body came too slowly, or stopped coming.",
    "Send it again over a better line.",
)
FULL = Cause(
    "LP-API-005",
    "The hub is taking in as much as it can hold.",
    "Send it again in a moment.",
)
INVALID = Cause(
    "LP-API-006",
    "The call does not have the form that it must have.",
    "Compare it with the route's entry in /openapi.json.",
)

Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class Budget:
    """Bytes that all bodies on their way may take together; used from the event loop only."""

    left: int = _BUDGET_BYTES

    def take(self, size: int) -> None:
        """Raises ``Unavailable`` if there are not so many left."""
        if size > self.left:
            raise Unavailable(FULL.at())
        self.left -= size


@asynccontextmanager
async def received(request: Request, budget: Budget) -> AsyncIterator[list[bytes]]:
    """The whole body, unpacked, in pieces. What it takes is given back when the block ends.

    Raises ``Refused`` if it is too large, packed otherwise than in gzip, cut off or too slow;
    ``Unavailable`` if there is no room for it now.
    """
    stream = request.stream()
    arriving = _arriving(request, stream, bytes_max=BODY_BYTES_MAX, seconds=_BODY_SECONDS)
    async with _kept(_unpacked(request, arriving), budget, stream) as pieces:
        yield pieces


@asynccontextmanager
async def whole(request: Request, budget: Budget) -> AsyncIterator[bytes]:
    """The whole body of a webhook as it came, which is what its signature is about.

    Whoever sends it has not shown yet who it is, so it gets little room and little time. Raises as
    ``received`` does.
    """
    stream = request.stream()
    arriving = _arriving(request, stream, bytes_max=WEBHOOK_BYTES_MAX, seconds=_WEBHOOK_SECONDS)
    async with _kept(arriving, budget, stream) as pieces:
        yield b"".join(pieces)


@asynccontextmanager
async def unpacked(request: Request, body: bytes, budget: Budget) -> AsyncIterator[list[bytes]]:
    """What the body of a webhook unpacks to. Raises as ``received`` does."""
    async with _kept(_unpacked(request, _at_once(body)), budget) as pieces:
        yield pieces


async def _at_once(body: bytes) -> AsyncIterator[bytes]:
    yield body


@asynccontextmanager
async def _kept(
    content: AsyncIterator[bytes], budget: Budget, stream: AsyncIterator[bytes] | None = None
) -> AsyncIterator[list[bytes]]:
    """Pieces held until the block ends. Of a refused body a little more of ``stream`` is heard."""
    pieces: list[bytes] = []
    try:
        await _take(content, budget, pieces)
    except LynchpinError:
        budget.left += sum(map(len, pieces))
        pieces.clear()
        if stream is not None:
            await _hear_out(stream)
        raise
    try:
        yield pieces
    finally:
        budget.left += sum(map(len, pieces))


async def _take(content: AsyncIterator[bytes], budget: Budget, pieces: list[bytes]) -> None:
    taken = 0
    async for piece in content:
        taken += len(piece)
        if taken > BODY_BYTES_MAX:
            raise Refused(LARGE.at(f"more than {BODY_BYTES_MAX} bytes"))
        budget.take(len(piece))
        pieces.append(piece)


async def _hear_out(stream: AsyncIterator[bytes]) -> None:
    """Read a little more of a refused body and throw it away: a sender that is still sending when
    the line is closed never gets to see the answer.
    """
    left = _HEARD_OUT_BYTES
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_HEARD_OUT_SECONDS):
            async for chunk in stream:
                left -= len(chunk)
                if left < 0:
                    return


async def parsed(
    request: Request, model: type[Model], *, bytes_max: int = _JSON_BYTES_MAX
) -> Model:
    """A small JSON body. FastAPI would read one of any size before it asks who is calling.

    Raises ``Refused`` as ``received`` does, or if it is not what the model wants.
    """
    content = bytearray()
    arriving = _arriving(request, request.stream(), bytes_max=bytes_max, seconds=_WEBHOOK_SECONDS)
    async for piece in arriving:
        content += piece
    try:
        return model.model_validate_json(bytes(content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(map(str, first["loc"]))
        raise Refused(INVALID.at(first["type"].replace("_", " "), path=path)) from None


async def _arriving(
    request: Request, stream: AsyncIterator[bytes], *, bytes_max: int, seconds: float
) -> AsyncIterator[bytes]:
    """The body as it comes over the line; an announced length that is too long is not read."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > bytes_max:
        raise Refused(LARGE.at(f"more than {bytes_max} bytes"))
    until = asyncio.get_running_loop().time() + seconds
    left = bytes_max
    while True:
        try:
            async with asyncio.timeout_at(until), asyncio.timeout(_CHUNK_SECONDS):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Refused(SLOW.at()) from None
        except ClientDisconnect:
            raise Refused(CUT.at("the sender went away")) from None
        if chunk is None:
            return
        left -= len(chunk)
        if left < 0:
            raise Refused(LARGE.at(f"more than {bytes_max} bytes"))
        if chunk:
            yield chunk


async def _unpacked(request: Request, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise Refused(ENCODED.at())
    unpacker = _Gzip() if encoding == "gzip" else None
    async for chunk in content:
        if unpacker is None:
            yield chunk
        else:
            for piece in unpacker.feed(chunk):
                yield piece
    if unpacker is not None:
        unpacker.end()


class _Gzip:
    """Unpacks a step at a time, so that no input makes it hold more than one step."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._packed = 0
        self._unpacked = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk unpacks to."""
        self._packed += len(chunk)
        while chunk:
            if self._member.eof:
                # Files of several members are what `cat a.gz b.gz` makes.
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                piece = self._member.decompress(chunk, _STEP_BYTES)
            except zlib.error:
                raise Refused(CUT.at("it is no gzip")) from None
            self._unpacked += len(piece)
            free = max(_RATIO_FREE_BYTES, RATIO_MAX * self._packed)
            if self._unpacked > min(free, BODY_BYTES_MAX):
                raise Refused(LARGE.at("it unpacks to more than a record may be"))
            chunk = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                yield piece

    def end(self) -> None:
        """Raises ``Refused`` if there should have been more."""
        if not self._member.eof:
            raise Refused(CUT.at("the gzip ends before it is whole"))
