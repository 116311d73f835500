"""How the database grows: one numbered file a step, run in order, never edited once released."""
