"""The command line ``lynchpin-agent``: thin over the modules beside it."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from schemas.problem import ConfigError
from store_agent import home as agent_home
from store_agent import settings, status
from store_agent.causes import UNKNOWN_CAPTURE
from store_agent.home import Home

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if it did what it should, 1 with a line on stderr if not."""
    asked = _parser().parse_args(arguments)
    home = agent_home.locate()
    try:
        return int(asked.command(home, asked))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lynchpin-agent", description="Captures what tills write and ships it to the hub."
    )
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="capture and ship, until told to stop")
    run.set_defaults(command=_run)
    show = commands.add_parser("status", help="what waits, what is wrong, what to do")
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(command=_status)
    init = commands.add_parser("init", help="make a home with settings to fill in")
    init.set_defaults(command=_init)
    again = commands.add_parser("recapture", help="capture files again that are still there")
    again.add_argument("capture")
    again.add_argument(
        "--since", required=True, type=datetime.fromisoformat, metavar="DATE",
        help="files changed then or later, such as 2031-05-06",
    )  # fmt: skip
    again.set_defaults(command=_recapture)
    return parser


def _run(home: Home, asked: argparse.Namespace) -> int:
    # Who stops the agent while it starts is heard as well, and starting takes a second.
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    from store_agent.run import run

    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr)
    # Its lines name every call, and there is one for each batch.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return 0 if run(home, stopping) else 1


def _status(home: Home, asked: argparse.Namespace) -> int:
    found = status.read(home, settings.read(home))
    sys.stdout.write((found.json() if asked.json else status.table(found)) + "\n")
    return 0


def _init(home: Home, asked: argparse.Namespace) -> int:
    made = agent_home.create(home)
    state = "fill in" if made else "was there already, and stays as it is:"
    sys.stdout.write(f"{state} {home.settings}\n")
    return 0


def _recapture(home: Home, asked: argparse.Namespace) -> int:
    from store_agent.spool import Spool

    captures = settings.read(home).captures
    if asked.capture not in captures:
        raise ConfigError(UNKNOWN_CAPTURE.at(f"there are: {', '.join(captures) or 'none'}"))
    with agent_home.hold(home), closing(Spool(home, captures)) as spool:
        since_ns = int(asked.since.timestamp() * 1_000_000_000)
        files = spool.forget(asked.capture, since_ns=since_ns)
    sys.stdout.write(f"{files} files are captured again once the agent runs\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
