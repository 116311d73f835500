"""What is asked about the journal of a hub that runs; a part of ``hub.cli.there.There``."""

from __future__ import annotations

from collections.abc import Callable

from hub.cli.call import Caller
from hub.dictionaries import Learned
from hub.redaction import Redacted

__all__ = ["JournalThere"]


class JournalThere(Caller):
    """See ``hub.cli.way.Way``. The audit names the key and the user of the machine."""

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

    def redact(self, *, message: int | None, person: str | None, reason: str) -> Redacted:
        """Redact a message, or all of a person."""
        wanted = {"message": message, "person": person, "reason": reason}
        return Redacted(**self._answer("POST", "/journal/redact", json=wanted))
