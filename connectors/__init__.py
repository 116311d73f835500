"""Connectors: where a system's format meets the hub. One folder a system."""
