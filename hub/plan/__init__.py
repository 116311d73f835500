"""Plan on history: what another text of a mapping would have made of what came in."""
