"""``lynchpin console``: a fresh link to the pages of a hub that runs."""

from __future__ import annotations

import getpass
from urllib.parse import quote

from hub import home as homes
from hub import running
from hub.bootstrap import Hub
from hub.cli.terminal import errors, out
from schemas.problem import Cause, ConfigError, Unavailable

__all__ = ["console", "opening"]

NOT_UP = Cause(
    "LP-CLI-010",
    "No hub runs on this home.",
    "Start one with `lynchpin up`, which prints a link as well.",
)
NO_LINK = Cause(
    "LP-CLI-011",
    "The hub that runs did not give a link.",
    "Start `lynchpin up` again, so that both are of the same version.",
)

_SECONDS = 30.0


def console() -> None:
    """Print a link that opens the console in a browser, once and within ten minutes."""
    import httpx2

    said = running.find(homes.locate())
    if said is None:
        raise ConfigError(NOT_UP.at())
    headers = {
        "Authorization": f"Bearer {said.key}",
        "X-Lynchpin-Actor": quote(getpass.getuser()),
    }
    try:
        # The hub is on this machine: what the environment says of proxies is about others.
        with httpx2.Client(base_url=said.address, timeout=_SECONDS, trust_env=False) as client:
            answer = client.post("/console/links", headers=headers)
    except httpx2.TransportError as error:
        raise Unavailable(NO_LINK.at(type(error).__name__)) from None
    if not answer.is_success:
        raise Unavailable(NO_LINK.at(f"status {answer.status_code}"))
    errors.print("opens the console once, within ten minutes", style="dim")
    out.print(said.address + answer.json()["path"], soft_wrap=True)


def opening(hub: Hub, secret: str) -> str:
    """The address at which a link opens the console of a hub that runs."""
    from hub.console.entering import LINK

    said = running.find(hub.home)
    assert said is not None
    return said.address + LINK + secret
