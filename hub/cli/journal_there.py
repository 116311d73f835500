"""What is asked about the journal of a hub that runs; a part of ``hub.cli.there.There``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.dictionaries import Learned

__all__ = ["JournalThere"]


class JournalThere:
    """See ``hub.cli.way.Way``. The audit names the key and the user of the machine."""

    def _answer(self, method: str, path: str, **options: Any) -> Any:
        """The JSON that the hub answers."""
        raise NotImplementedError

    def train(self, sources: list[str]) -> list[Learned]:
        """Try dictionaries for sources."""
        said = (self._answer("POST", "/journal/train", json={"source": each}) for each in sources)
        return [Learned(**each) for each in said]

    def sweep(self, progress: Callable[[int], None]) -> int:
        """Remove what messages said whose days are over."""
        total = after = 0
        while True:
            done = self._answer("POST", "/journal/sweep", json={"after": after})
            total += int(done["removed"])
            progress(done["removed"])
            if done["last"] is None:
                return total
            after = int(done["last"])
