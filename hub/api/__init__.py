"""The HTTP side of the hub: doors for sources, and reading what the hub knows."""

from hub.api.app import application

__all__ = ["application"]
