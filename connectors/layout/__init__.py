"""Files of fixed width and of columns, each format of which is a layout: a table, no code."""

from connectors.layout.connector import connector

__all__ = ["connector"]
