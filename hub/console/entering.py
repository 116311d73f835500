"""Coming in and going: links, the cookie, and the assets that every page needs."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict

from hub import audit
from hub.api.rule import anyone, only
from hub.api.served import ServedHere
from hub.causes import NOT_FOUND
from hub.console.page import ASSETS, HEADERS, PLACE, Page, page
from hub.console.rule import SessionsHere, VisitHere, cookie_name, denying
from hub.console.session import SESSION_TIME
from hub.keys import Key
from schemas.problem import Denied, Rejected

__all__ = ["LINK", "router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

LINK = f"{PLACE}/enter?token="
"""What precedes the secret of a link in its address."""

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class FreshLink(BaseModel):
    """Where the console opens once, for whoever comes there first."""

    model_config = ConfigDict(frozen=True)

    path: str


@router.post("/links")
async def create_link(
    response: Response, sessions: SessionsHere, key: Annotated[Key, Depends(only("operator"))]
) -> FreshLink:
    """A link that opens the console once within ten minutes; for the command line."""
    response.headers["Cache-Control"] = "no-store"
    return FreshLink(path=LINK + sessions.link(key.name))


@router.get("/enter", dependencies=[anyone])
async def enter(
    token: Annotated[str, Query(min_length=1, max_length=200)],
    request: Request,
    served: ServedHere,
    sessions: SessionsHere,
) -> Response:
    """Use a link up. The page that comes sends the browser on.

    A redirect would not do: after a link in a mail, the browser keeps a strict cookie to itself
    until a page of ours is where it comes from.
    """
    try:
        secret, session = sessions.enter(token)
    except Denied:
        denying(served, request)
        raise
    line = partial(
        audit.write,
        actor=session.key.actor,
        act="console.enter",
        subject=f"session {session.key.id}",
        now=served.hub.now(),
    )
    await asyncio.wrap_future(served.writer.submit(line))
    response = page(None, "entered.html")
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(SESSION_TIME.total_seconds()),
        path=PLACE,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/leave")
async def leave(request: Request, visit: VisitHere, sessions: SessionsHere) -> Response:
    """End the session."""
    sessions.end(visit.session)
    response = page(None, "left.html")
    response.delete_cookie(cookie_name(request), path=PLACE)
    return response


@router.get("/assets/{name}", dependencies=[anyone])
async def show_asset(name: Annotated[str, Path(max_length=100)]) -> Response:
    """A script, the style or the mark. Their addresses change with their content."""
    file = next((each for each in ASSETS.iterdir() if each.name == name), None)
    if file is None or file.suffix not in _KINDS:
        raise Rejected(NOT_FOUND.at("there is no such asset"))
    headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(file, headers=headers, media_type=_KINDS[file.suffix])
