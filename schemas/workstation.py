"""A Workstation: a till, a kiosk, a handheld. Reference data."""

from __future__ import annotations

from schemas.model import Canonical, Id, Text

__all__ = ["Workstation"]


class Workstation(Canonical):
    """A till of a store.

    ``authoritative`` names the one source whose sales of this workstation count as revenue;
    every other source that reports the same workstation only corroborates.
    """

    system: Id
    store: Id
    workstation: Id
    name: Text | None = None
    kind: Text | None = None
    authoritative: Id | None = None
