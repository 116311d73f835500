"""A lane: the way of one capture's records to the hub, in order, until they are there.

A record goes only when the hub has said, to the very batch that held it, that it is on its disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from schemas.problem import Denied, LynchpinError, Problem, Refused, Unavailable
from store_agent.causes import HUB_FORGOT
from store_agent.clock import Clock
from store_agent.link import Answer, Away, Forked, Gap, Link, TooLarge
from store_agent.spool import Batch, Spool

__all__ = ["Lane", "Limits"]

_WAIT_SECONDS_MAX = 60
_SLOW_SECONDS = 300
"""Between attempts at what only a person can mend."""
_ASKED_SECONDS_MAX = 3600
_IDLE_SECONDS = 0.2

_T = TypeVar("_T")
_log = logging.getLogger("lynchpin.agent")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one batch holds."""

    records: int = 500
    size: int = 2 * 1024 * 1024


class Lane:
    """One capture's lane. ``run`` is called by one thread, and ends once ``stopping`` is set."""

    def __init__(
        self,
        capture: str,
        *,
        spool: Spool,
        link: Link,
        clock: Clock,
        stopping: threading.Event,
        beat_seconds: float,
        sleep: Callable[[float], None] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """``beat_seconds`` is for how long, with nothing to ship, the hub hears nothing.

        ``sleep`` is for tests; otherwise a wait ends at once when the agent is stopped.
        """
        self.capture = capture
        self._spool, self._link, self._clock = spool, link, clock
        self._stopping, self._sleep = stopping, sleep or sleep_using_event(stopping)
        self._limits = limits or Limits()
        self._problem: Problem | None = None
        self._beat_seconds, self._beat_at = beat_seconds, clock.monotonic()
        spool.join(capture, link.address(capture))

    def run(self) -> None:
        """Ship what there is and what will be."""
        opened = False
        while not self._stopping.is_set():
            try:
                if not opened:
                    self.open()
                    opened = True
                if not self.ship():
                    self._sleep(_IDLE_SECONDS)
            except (Denied, Refused) as error:
                self._say(error.problem)
                self._sleep(_SLOW_SECONDS)
            except Away:
                # The agent was stopped while the hub was away.
                return
            except Unavailable as error:
                # The disk is so full that not even an acknowledgement can be noted.
                _log.error("%s: %s", self.capture, error)
                self._sleep(_WAIT_SECONDS_MAX)

    def open(self) -> None:
        """Ask what the hub has, before anything is sent.

        A hub that has more than was ever numbered here has it from another agent on a copy of this
        spool. One that has less than it acknowledged was restored.
        """
        lane = self._spool.lane(self.capture)
        answer = self._trying(lambda: self._link.ask(self.capture, lane.epoch))
        if answer.committed > lane.seq:
            self._spool.begin_epoch(self.capture)
        self._look_back(answer)
        self._problem = None
        self._spool.note_shipping(self.capture, None)

    def ship(self) -> bool:
        """Ship one batch, however long that takes; ``False`` if there was nothing to ship.

        Then the hub is told so, if it is time to.
        Raises ``Denied`` and ``Refused`` where only a person can help, and ``Away`` when stopped.
        """
        batch = self._spool.batch(
            self.capture,
            records_max=self._limits.records,
            bytes_max=self._limits.size,
            now=self._clock.now(),
        )
        if not batch.records:
            self._beat(batch)
            return False
        try:
            answer = self._trying(lambda: self._link.send(self.capture, batch))
        except TooLarge:
            if len(batch.records) == 1:
                raise
            self._limits = Limits(max(len(batch.records) // 2, 1), self._limits.size)
            return True
        except Forked as error:
            _log.warning("%s: new epoch: %s", self.capture, error)
            self._spool.begin_epoch(self.capture)
            return True
        except Gap as error:
            missing = batch.records[0].seq - 1 - error.committed
            if missing > 0:
                # The hub had them, for the oldest records are sent first.
                self._heal(self._trying(lambda: self._link.ask(self.capture, batch.epoch)))
            else:
                self._sleep(_WAIT_SECONDS_MAX)
            return True
        self._spool.acknowledge(
            self.capture, batch, answer.committed, answer.problems(), now=self._clock.now()
        )
        self._look_back(answer)
        self._problem = None
        self._beat_at = self._clock.monotonic() + self._beat_seconds
        if answer.committed < batch.records[0].seq:
            # A hub that takes nothing and says so as if it had is not asked again at once.
            self._sleep(_WAIT_SECONDS_MAX)
        return True

    def _beat(self, empty: Batch) -> None:
        """Tell the hub that there is nothing, so that its silence about a store means something.

        It is not tried again before its time: a record that comes then must not wait for that.
        """
        if self._clock.monotonic() < self._beat_at:
            return
        self._beat_at = self._clock.monotonic() + self._beat_seconds
        try:
            answer = self._link.send(self.capture, empty)
        except Away as error:
            self._say(error.problem)
        else:
            self._say(None)
            self._look_back(answer)

    def _look_back(self, answer: Answer) -> None:
        """Does the hub still have what it acknowledged? One that was restored may not."""
        lane = self._spool.lane(self.capture)
        behind = answer.epoch == lane.epoch and answer.committed < lane.committed
        if behind or answer.life != self._spool.life(self.capture):
            self._heal(answer)

    def _heal(self, answer: Answer) -> None:
        """Ask what the hub has of everything that is kept here, and ship again what it lacks."""
        lane, known = self._spool.lane(self.capture), self._spool.kept(self.capture)
        new_here = self._spool.life(self.capture) is None
        if answer.epoch == lane.epoch:
            known.setdefault(lane.epoch, lane.committed + 1)
        has = {epoch: self._has(epoch, answer) for epoch in known}
        # Of a hub at another address nobody knows what it ever had.
        gone = 0 if new_here else sum(max(known[each] - 1 - has[each], 0) for each in known)
        problem = HUB_FORGOT.at(f"{gone} records") if gone else None
        if problem is not None:
            _log.error("%s: %s", self.capture, problem.line())
        again = self._spool.heal(self.capture, answer.life, has, forgotten=problem)
        if again:
            _log.warning("%s: the hub lacks what it had: %d records again", self.capture, again)

    def _has(self, epoch: str, answer: Answer) -> int:
        if epoch != answer.epoch:
            answer = self._trying(lambda: self._link.ask(self.capture, epoch))
        return answer.committed

    def _trying(self, call: Callable[[], _T]) -> _T:
        """Call until the hub answers: full jitter, for ever, as late as the hub says."""
        return Retrying(
            retry=retry_if_exception_type(Away),
            stop=stop_when_event_set(self._stopping),
            wait=_wait,
            before_sleep=self._say_away,
            sleep=self._sleep,
            reraise=True,
        )(call)

    def _say_away(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, LynchpinError):
            self._say(error.problem)

    def _say(self, problem: Problem | None) -> None:
        """Tell once of a problem, and once that it is over."""
        if problem == self._problem:
            return
        if problem is not None:
            _log.warning("%s: %s", self.capture, problem.line())
        self._problem = problem
        self._spool.note_shipping(self.capture, problem)


_jitter = wait_random_exponential(multiplier=1, max=_WAIT_SECONDS_MAX)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Away) else 0
    # On top of what was asked, because a thousand stores were asked for the same.
    return min(max(asked, 0), _ASKED_SECONDS_MAX) + _jitter(state)
