"""People: whose a document is, told from exact identifiers and nothing else."""
