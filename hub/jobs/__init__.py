"""Jobs: long work that somebody asked for, in batches, with pause, cancel and report."""
