"""The hub's database: its tables, how it is opened, how it grows. All SQL dialects end here."""
