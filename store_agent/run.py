"""The agent at work: for each capture one thread that spools and one that ships."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

from pydantic import ValidationError

from connectors import registry
from schemas.problem import ConfigError, Problem, Unavailable
from store_agent import settings as agent_settings
from store_agent.causes import SETTINGS_WRONG, UNREADABLE_FOLDER
from store_agent.clock import Clock
from store_agent.folder import Folder
from store_agent.home import Home, hold
from store_agent.lane import Lane
from store_agent.link import Link
from store_agent.settings import Settings
from store_agent.spool import Spool

__all__ = ["run"]

_SCAN_SECONDS = 0.2
_PAUSE_SECONDS_MAX = 5
_PARTING_SECONDS = 5
_SHARE = 20
"""A folder is looked through for one part of so many of the time, however large it is."""

_log = logging.getLogger("lynchpin.agent")


def run(home: Home, stopping: threading.Event) -> bool:
    """Capture and ship until ``stopping`` is set; ``False`` if the agent had to give up.

    Raises ``ConfigError`` if it cannot start.
    """
    settings, clock = agent_settings.read(home), Clock()
    failed = threading.Event()
    with (
        hold(home),
        closing(_spool(home, settings)) as spool,
        closing(Link(settings, clock)) as link,
    ):
        watching, shipping = [], []
        for name in settings.captures:
            folder = _folder(name, settings, spool, clock, home)
            beat = settings.beat_seconds
            lane = Lane(
                name, spool=spool, link=link, clock=clock, stopping=stopping, beat_seconds=beat
            )
            watching.append(_guarded(_watching(folder, spool, stopping), stopping, failed))
            shipping.append(_guarded(lane.run, stopping, failed))
        for thread in (*watching, *shipping):
            thread.start()
        _log.info("watching %d folders", len(watching))
        stopping.wait()
        for thread in watching:
            thread.join()
        for thread in shipping:
            # A hub that is slow to answer is not waited for: what it takes is sent again.
            thread.join(_PARTING_SECONDS)
    return not failed.is_set()


def _spool(home: Home, settings: Settings) -> Spool:
    room, days = settings.free_mb_min, settings.keep_days
    return Spool(home, settings.captures, free_mb_min=room, keep_days=days)


def _folder(name: str, settings: Settings, spool: Spool, clock: Clock, home: Home) -> Folder:
    capture = settings.captures[name]
    connector = registry.load(capture.connector)
    try:
        return Folder(name, capture, spool=spool, connector=connector, clock=clock, home=home.path)
    except ValidationError as error:
        where = f"captures.{name}.options"
        worst = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise ConfigError(SETTINGS_WRONG.at(worst, path=where)) from None


def _guarded(
    work: Callable[[], None], stopping: threading.Event, failed: threading.Event
) -> threading.Thread:
    """What nobody foresaw ends the agent, to be started again: half an agent would look whole."""

    def guarded() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - whatever it is
            if stopping.is_set():
                # The spool was closed under a lane that was not waited for.
                return
            _log.exception("the agent gives up")
            failed.set()
            stopping.set()

    return threading.Thread(target=guarded, daemon=True)


def _watching(folder: Folder, spool: Spool, stopping: threading.Event) -> Callable[[], None]:
    """Look through the folder over and over, and say what is in the way."""

    def watch() -> None:
        said: Problem | None = None
        spool.note_capture(folder.name, None)
        while not stopping.is_set():
            begun = time.monotonic()
            busy, problem = _scan(folder)
            if problem != said:
                with suppress(Unavailable):
                    spool.note_capture(folder.name, problem)
                if problem is not None:
                    _log.warning("%s: %s", folder.name, problem.line())
                said = problem
            stopping.wait(_pause(time.monotonic() - begun, busy=busy))

    return watch


def _scan(folder: Folder) -> tuple[bool, Problem | None]:
    try:
        return folder.scan(), None
    except Unavailable as error:
        return False, error.problem
    except OSError as error:
        return False, UNREADABLE_FOLDER.at(error.strerror or "")


def _pause(seconds: float, *, busy: bool) -> float:
    """How long to leave a folder alone after looking through it took so long.

    Only looking counts: a till that had much to say may have more.
    """
    if busy:
        return _SCAN_SECONDS
    return min(max(_SCAN_SECONDS, seconds * _SHARE), _PAUSE_SECONDS_MAX)
