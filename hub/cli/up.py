"""``lynchpin up``: the hub, answering over HTTP."""

from __future__ import annotations

import logging
import signal
import socket
from contextlib import suppress
from typing import Annotated

import typer

from hub.cli.open import writing
from hub.cli.terminal import errors
from schemas.problem import Cause, ConfigError

__all__ = ["up"]

ADDRESS = Cause(
    "LP-CFG-050",
    "The hub cannot listen at this address.",
    "Choose another `--host` or `--port`, or stop whoever listens there.",
)

_DRAIN_SECONDS = 30


def up(
    *,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any.", min=0, max=65535)] = 8470,
) -> None:
    """Run the hub until it is told to end (SIGTERM, Ctrl-C); what it has taken is then done.

    While it runs, commands that write wait for it to end; commands that read go on working.
    """
    import uvicorn

    from hub.api import application
    from hub.writer import writing as writer_of

    _log_lines()
    # uvicorn sends itself the signal again that ended it. By then everybody has been answered,
    # but the writer still has to end: the signal must not end the process before that.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    with _listening(host, port) as listener, writing() as hub, writer_of(hub) as writer:
        config = uvicorn.Config(
            application(hub, writer),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        host, port = listener.getsockname()[:2]
        errors.print(f"listening at http://{host}:{port}", soft_wrap=True)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(ADDRESS.at(error.strerror or "")) from error


def _log_lines() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # uvicorn would write the text of an exception, which may hold somebody's data; what failed
    # and where is written by hub.api.errors.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
