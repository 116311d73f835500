"""Pages: templates filled in, with the headers that keep a browser from doing anything else.

Nothing here is shown to who is not signed in but the page that says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from hub.api.errors import unforeseen
from hub.console import words
from hub.console.rule import Visit
from schemas.problem import Cause, Problem

__all__ = ["ASSETS", "HEADERS", "PLACE", "Page", "asset", "install", "onward", "page"]

NO_PAGE = Cause(
    "LP-WEB-005",
    "There is no such page.",
    "Go to the first page of the console, or look for what you want by its number.",
)

PLACE = "/console"
ASSETS = Path(__file__).with_name("assets")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(visit: Visit | None, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template, for somebody who is signed in or, without a visit, for anybody."""
    text = _templates().get_template(name).render(visit=visit, **values)
    return HTMLResponse(text, status, HEADERS)


def onward(place: str) -> Response:
    """Send the browser to another page, after a form."""
    return RedirectResponse(place, 303, HEADERS)


class Page(APIRoute):
    """A route of the console. To who wants a page, every problem is one."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler, with what it raises made into a page."""
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as error:
                if not _wants_page(request):
                    raise
                return await _problem_page(request, error)

        return handled


def install(app: FastAPI) -> None:
    """Tell people who go astray under the console so in a page."""
    say = app.exception_handlers[HTTPException]

    async def astray(request: Request, error: Exception) -> Response:
        if not request.url.path.startswith(f"{PLACE}/") or not _wants_page(request):
            return await _said(say(request, error))
        status = error.status_code if isinstance(error, HTTPException) else 404
        return page(None, "problem.html", status=status, problem=NO_PAGE.at(), correlation=None)

    app.add_exception_handler(HTTPException, astray)


def asset(name: str) -> str:
    """The address of an asset, which is another one for other content."""
    return f"{PLACE}/assets/{name}?v={_hash(name)[:12]}"


@cache
def _hash(name: str) -> str:
    return hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(words.FILTERS)
    made.globals.update(asset=asset, place=PLACE, lanes=words.LANES)
    return made


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _problem_page(request: Request, error: Exception) -> Response:
    """What the HTTP side would have answered, as a page: same status, same code, same log."""
    handlers = request.app.exception_handlers.items()
    ways = (way for kind, way in handlers if isinstance(kind, type) and isinstance(error, kind))
    say = next(ways, None)
    return _as_page(unforeseen(error) if say is None else await _said(say(request, error)))


async def _said(answer: Response | Awaitable[Response]) -> Response:
    return answer if isinstance(answer, Response) else await answer


def _as_page(answer: Response) -> Response:
    said = json.loads(bytes(answer.body))
    problem = Problem(**{name: said[name] for name in Problem.model_fields if name in said})
    shown = page(
        None,
        "problem.html",
        status=answer.status_code,
        problem=problem,
        correlation=said.get("correlation"),
    )
    for name in ("retry-after", "connection"):
        if name in answer.headers:
            shown.headers[name] = answer.headers[name]
    return shown
