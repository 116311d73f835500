"""The contract that every connector keeps, as checks that anyone can run against their own."""

from connectors.contract import checks, round_trip
from connectors.contract.checks import Check

__all__ = ["CHECKS", "Check"]

CHECKS: tuple[Check, ...] = (*checks.CHECKS, *round_trip.CHECKS)
"""What a connector must pass, the cheap ones first in each part."""
