"""The command line ``lynchpin``: one module a noun, thin over the functions of the hub."""

from hub.cli.app import main

__all__ = ["main"]
