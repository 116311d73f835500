"""What is done to the journal in this process; a part of ``hub.cli.here.Here``."""

from __future__ import annotations

from collections.abc import Callable

from hub import dictionaries, redaction, retention
from hub.cli.open import writing
from hub.dictionaries import Learned
from hub.redaction import Redacted

__all__ = ["JournalHere"]


class JournalHere:
    """See ``hub.cli.way.Way``. The audit names the user of the machine."""

    def __init__(self, actor: str) -> None:
        self._actor = actor

    def train(self, sources: list[str]) -> list[Learned]:
        """Try dictionaries for sources."""
        found = []
        with writing(make=False) as hub:
            for source in sources:
                with hub.engine.begin() as connection:
                    tried = dictionaries.trial(connection, source)
                    if tried is not None:
                        dictionaries.keep(connection, tried, actor=self._actor, now=hub.now())
                found.append(dictionaries.learned(source, tried))
        return found

    def sweep(self, progress: Callable[[int], None]) -> int:
        """Remove what messages said whose days are over."""
        total, after = 0, 0
        with writing(make=False) as hub:
            while True:
                with hub.engine.begin() as connection:
                    done = retention.sweep(
                        connection,
                        hub.settings.journal,
                        after=after,
                        actor=self._actor,
                        now=hub.now(),
                    )
                total += done.removed
                progress(done.removed)
                if done.last is None:
                    return total
                after = done.last

    def redact(self, *, message: int | None, person: str | None, reason: str) -> Redacted:
        """Redact a message, or all of a person."""
        with writing(make=False) as hub, hub.engine.begin() as connection:
            return redaction.redact_named(
                hub, connection, message=message, person=person, actor=self._actor, reason=reason
            )
