"""Sessions of the console: opened by a link that works once, kept in memory only.

So they end with the hub. Of links and cookies only the SHA-256 is kept; a plain hash is right for
secrets of 32 random bytes, see ``hub.keys``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from hub.keys import Key
from schemas.problem import Cause, Denied

__all__ = ["SESSION_TIME", "Session", "Sessions"]

NOT_SIGNED_IN = Cause(
    "LP-WEB-001",
    "This browser is not signed in to the console.",
    "Run `lynchpin console` on the hub's machine and open the link that it prints.",
)
LINK_SPENT = Cause(
    "LP-WEB-002",
    "This link opens nothing any more: it was used, or is older than ten minutes.",
    "Run `lynchpin console` on the hub's machine and open the link that it prints.",
)
FORGED = Cause(
    "LP-WEB-003",
    "The form was not sent from a page of this session.",
    "Open the page again and send the form from there; nothing was done.",
)

LINK_TIME = timedelta(minutes=10)
SESSION_TIME = timedelta(hours=12)
_SECRET_BYTES = 32
_LINKS_MAX = 100
_SESSIONS_MAX = 1000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's time at the console. ``key`` is what they may do and how the audit names them.

    ``token`` stands in every form of its pages.
    """

    key: Key
    token: str = field(repr=False)
    until: datetime

    def check(self, token: str) -> None:
        """Raises ``Denied`` if a form does not carry the token of this session."""
        if not hmac.compare_digest(self.token.encode(), token.encode()):
            raise Denied(FORGED.at("its token is not the session's"))


@dataclass(slots=True)
class Sessions:
    """The links and sessions of one run of the hub, used from its event loop only."""

    now: Callable[[], str]
    _links: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)

    def link(self, who: str) -> str:
        """The secret of a new link, for ten minutes and a single use, by the name of ``who``."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        now = self._clock()
        living = {key: link for key, link in self._links.items() if now < link[1]}
        self._links = _bounded({**living, _hash(secret): (who, now + LINK_TIME)}, _LINKS_MAX)
        return secret

    def enter(self, secret: str) -> tuple[str, Session]:
        """Use a link up: the secret of the cookie, and the session that it opens.

        Raises ``Denied`` if the link was never given, was used, or is too old.
        """
        who, until = self._links.pop(_hash(secret), ("", None))
        now = self._clock()
        if until is None or now >= until:
            raise Denied(LINK_SPENT.at())
        key = Key(secrets.token_hex(4), f"console, {who}", "operator", (), (), self.now())
        session = Session(key, secrets.token_urlsafe(_SECRET_BYTES), now + SESSION_TIME)
        cookie = secrets.token_urlsafe(_SECRET_BYTES)
        living = {each: one for each, one in self._sessions.items() if now < one.until}
        self._sessions = _bounded({**living, _hash(cookie): session}, _SESSIONS_MAX)
        return cookie, session

    def of(self, cookie: str) -> Session:
        """The session of a cookie. Raises ``Denied`` if there is none, or it has ended."""
        session = self._sessions.get(_hash(cookie))
        if session is None or self._clock() >= session.until:
            raise Denied(NOT_SIGNED_IN.at())
        return session

    def end(self, session: Session) -> None:
        """End a session from now on."""
        self._sessions = {each: one for each, one in self._sessions.items() if one is not session}

    def _clock(self) -> datetime:
        return datetime.fromisoformat(self.now())


def _bounded(found: dict[str, _T], most: int) -> dict[str, _T]:
    """The youngest of them: whoever asks for links without end must not fill the memory."""
    return dict(list(found.items())[-most:])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
