"""What is done to the journal in this process; a part of ``hub.cli.here.Here``."""

from __future__ import annotations

from hub import dictionaries
from hub.cli.open import writing
from hub.dictionaries import Learned

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
