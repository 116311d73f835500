"""The hub: journal, names, apply, look up. The one place where all layers are put together."""
