"""``lynchpin up``: the hub, answering over HTTP."""

from __future__ import annotations

import gc
import getpass
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


def up(
    *,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any.", min=0, max=65535)] = 8470,
) -> None:
    """Run the hub until it is told to end (SIGTERM, Ctrl-C); what it has taken is then done.

    While it runs, the other commands of the same home speak to it.
    """
    from hub import log
    from hub.api import application, connection
    from hub.cli.console import opening
    from hub.delivery.sender import sending
    from hub.jobs.worker import working
    from hub.polling.poller import polling
    from hub.running import announced
    from hub.upkeep import kept_up
    from hub.watchdog import watched
    from hub.writer import writing as writer_of

    log.configure()
    connection.raise_file_limit()
    # uvicorn sends itself the signal again that ended it. By then everybody has been answered,
    # but the writer still has to end: the signal must not end the process before that.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    with _listening(host, port) as listener, writing() as hub, writer_of(hub) as writer:
        app = application(hub, writer)
        server = connection.server(app)
        host, port = listener.getsockname()[:2]
        with (
            announced(writer, host, port),
            watched(writer),
            sending(writer),
            polling(writer),
            kept_up(writer),
            working(writer),
            suppress(KeyboardInterrupt),
        ):
            errors.print(f"listening at http://{host}:{port}", soft_wrap=True)
            if errors.is_terminal:
                link = opening(hub, app.state.sessions.link(getpass.getuser()))
                errors.print(f"console, once within ten minutes: {link}", soft_wrap=True)
            else:
                # A log has more readers than whoever started the hub.
                errors.print("`lynchpin console` prints a link to the console", soft_wrap=True)
            # What is here by now stays. To look through it for garbage stopped everything for a
            # tenth of a second, each time.
            gc.freeze()
            server.run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(ADDRESS.at(error.strerror or "")) from error
