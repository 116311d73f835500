"""What comes of writing a part of a document back, before it is known whether it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mappings.canonical import Place
from mappings.rules import Path

__all__ = ["Flaw", "Trial"]


@dataclass(frozen=True, slots=True)
class Flaw:
    """What prevented a rule from writing a canonical value.

    ``other`` is one whose constant says that the rule is not meant for such an element at all.
    """

    reason: str
    line: int | None
    other: bool = False


@dataclass(slots=True)
class Trial:
    """What came of writing a part: what contradicts it, what it covered, why others did not."""

    flaws: dict[Place, Flaw] = field(default_factory=dict)
    covered: set[Place] = field(default_factory=set)
    hints: dict[Place, Flaw] = field(default_factory=dict)
    dropped: dict[Place, Flaw] = field(default_factory=dict)
    """Elements of lists that no rule makes."""
    known: frozenset[Place] = frozenset()
    """What had been covered before; to say it again is worth nothing."""
    unsure: set[Place] = field(default_factory=set)
    """What is covered under a condition on the top of the document, which is not known yet."""
    asked: int = 0
    """How many writings a condition alone asked for."""
    top: list[tuple[Path, Any, Place, int]] = field(default_factory=list)
    """What rules inside write at the top of the document, once it is known that they do."""

    def keep(self, other: Trial) -> None:
        """Take over what was tried and chosen."""
        self.flaws |= other.flaws
        self.covered |= other.covered
        self.hints |= other.hints
        self.dropped |= other.dropped
        self.unsure |= other.unsure
        self.asked += other.asked
        self.top += other.top

    @property
    def merit(self) -> tuple[int, int, int]:
        """Less is better: contradictions, then what is not covered, then what is made up."""
        return len(self.flaws), -len(self.covered - self.known), self.asked

    def another(self) -> Trial:
        """What is tried after all this."""
        return Trial(known=self.known | self.covered - self.unsure)

    def turned_down(self, other: Trial) -> None:
        """Remember why what was tried was not chosen, for values that nothing else writes."""
        for place, flaw in (other.hints | other.flaws).items():
            self.hints.setdefault(place, flaw)
