"""Events: web visits, campaigns and surveys as signed CloudEvents."""

from connectors.events.connector import connector

__all__ = ["connector"]
