"""The rule of the console: a session, and for whatever changes or reveals something, its own form.

A form counts only if the browser says that a page of ours sent it, and if it carries the token of
the session. Either would do; a browser that says nothing of where a form came from has the token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request

from hub import log
from hub.api.body import whole
from hub.api.served import Served, ServedHere
from hub.console.session import FORGED, Session, Sessions
from hub.keys import Key, Role
from schemas.problem import Cause, Denied, Refused

__all__ = ["FORM", "SessionsHere", "SignedIn", "Visit", "VisitHere", "cookie_name", "denying"]

FORM = Cause(
    "LP-WEB-004",
    "The form is not filled in as it must be.",
    "Go back, fill in what it asks for, and send it again; nothing was done.",
)

TOKEN = "token"  # noqa: S105
_FORM_BYTES_MAX = 256 * 1024
_FIELDS_MAX = 6000
_REASON_MAX = 500
_OWN_PAGES = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Visit:
    """A call of somebody who is signed in, and the form that they sent, if any."""

    session: Session
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What they may do, and how the audit names them."""
        return self.session.key

    def said(self, name: str) -> str:
        """A field of the form, without the space around it; empty where it is absent."""
        return self.text(name).strip()

    def text(self, name: str) -> str:
        """A field of the form as it was typed, with all the space in it."""
        return next(iter(self.form.get(name, ())), "")

    def reason(self) -> str:
        """Why they do it, for the audit. Raises ``Refused`` if they do not say."""
        text = self.said("reason")
        if not 0 < len(text) <= _REASON_MAX:
            raise Refused(FORM.at(f"a reason has 1 to {_REASON_MAX} characters", path="reason"))
        return text

    def numbers(self, name: str) -> frozenset[int]:
        """The numbers that were chosen. Raises ``Refused`` if none was."""
        chosen = self.form.get(name, ())
        if not chosen or not all(each.isascii() and each.isdigit() for each in chosen):
            raise Refused(FORM.at(f"no {name} is chosen", path=name))
        return frozenset(int(each[:18]) for each in chosen)


async def _sessions(request: Request) -> Sessions:
    sessions = request.app.state.sessions
    assert isinstance(sessions, Sessions)
    return sessions


SessionsHere = Annotated[Sessions, Depends(_sessions)]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Lets in who has a session of the console; no key opens it."""

    roles: tuple[Role, ...] = ()

    async def __call__(self, request: Request, served: ServedHere, sessions: SessionsHere) -> Visit:
        """The visit. Raises ``Denied``."""
        try:
            session = sessions.of(request.cookies.get(cookie_name(request), ""))
        except Denied:
            denying(served, request)
            raise
        log.note(key=session.key.id)
        served.rates.take("calls", session.key.id)
        if request.method in {"GET", "HEAD"}:
            return Visit(session)
        _check_origin(request)
        visit = Visit(session, await _form(request, served))
        session.check(visit.said(TOKEN))
        return visit


VisitHere = Annotated[Visit, Depends(SignedIn())]


def denying(served: Served, request: Request) -> None:
    """Count that an address is denied. Raises ``Limited`` if it is denied too often."""
    served.rates.take("denied", request.client.host if request.client else "")


def cookie_name(request: Request) -> str:
    """Browsers keep cookies by host and not by port, and two hubs may run on one machine."""
    return f"lynchpin-{request.url.port or 'console'}"


def _check_origin(request: Request) -> None:
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    # A page that tells no one where its visitors come from sends the origin `null`.
    own = origin == "null" or urlsplit(origin).netloc == request.headers.get("host")
    if (site is not None and site not in _OWN_PAGES) or not own:
        raise Denied(FORGED.at("it was sent from elsewhere"))


async def _form(request: Request, served: Served) -> dict[str, tuple[str, ...]]:
    async with whole(request, served.doorstep) as body:
        if len(body) > _FORM_BYTES_MAX:
            raise Refused(FORM.at(f"more than {_FORM_BYTES_MAX} bytes"))
        try:
            fields = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX
            )
        except ValueError:
            raise Refused(FORM.at("it is no form")) from None
    form: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        form[name] = (*form.get(name, ()), value)
    return form
