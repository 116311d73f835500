"""Which fields of an event look like card data and are none."""

from __future__ import annotations

from connectors.scrub import ScrubProfile

__all__ = ["PROFILE"]

PROFILE = ScrubProfile(
    syntax="json",
    never=frozenset({"id", "specversion", "visitor", "customer/id", "loyalty", "order", "store"}),
)
"""How events are scrubbed."""
