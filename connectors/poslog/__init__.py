"""ARTS POSLog XML: the transaction log of a till, versions 2 and 6."""

from connectors.poslog.connector import connector

__all__ = ["connector"]
