"""Twilio: telephone calls from voice webhooks."""

from connectors.twilio.connector import connector

__all__ = ["connector"]
