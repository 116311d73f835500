"""The contract that every connector keeps, as checks that anyone can run against their own."""

from connectors.contract.checks import CHECKS, Check

__all__ = ["CHECKS", "Check"]
