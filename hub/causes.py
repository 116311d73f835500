"""Why the hub refuses: its causes, each with a code that never changes its meaning.

``LP-CFG`` stands for what was set up wrongly, ``LP-HUB`` for what was asked of the hub wrongly.
"""

from __future__ import annotations

from schemas.problem import Cause

__all__ = [
    "DATABASE_DAMAGED",
    "DATABASE_DRIVER",
    "DATABASE_FOREIGN",
    "DATABASE_IN_USE",
    "DATABASE_MISSING",
    "DATABASE_NEWER",
    "DATABASE_OLDER",
    "DATABASE_UNREACHABLE",
    "DATABASE_UNREADABLE",
    "DATABASE_UNSAFE",
    "FILE_MISSING",
    "HOME_FOREIGN",
    "HOME_LOCKED",
    "HOME_MISSING",
    "NOT_FOUND",
    "NOT_HELD",
    "NO_GROUP",
    "SETTINGS_UNREADABLE",
    "SETTING_INVALID",
    "SETTING_UNKNOWN",
    "SEVERAL",
    "TABLE_CELL",
    "TABLE_COLUMN",
    "TABLE_CONTRADICTION",
    "TABLE_UNREADABLE",
    "UNKNOWN_MAPPING",
    "UNKNOWN_SOURCE",
]

HOME_MISSING = Cause(
    "LP-CFG-001",
    "There is no home of Lynchpin here.",
    "Run `lynchpin init`, or point LYNCHPIN_HOME at the home that exists.",
)
HOME_FOREIGN = Cause(
    "LP-CFG-002",
    "The home folder cannot be made ready.",
    "Point LYNCHPIN_HOME at a folder that belongs to the user Lynchpin runs as.",
)
HOME_LOCKED = Cause(
    "LP-CFG-003",
    "Another process is writing to this home.",
    "Wait until it is done, or stop it; only one process may write at a time.",
)
SETTINGS_UNREADABLE = Cause(
    "LP-CFG-010",
    "The settings cannot be read.",
    "Mend the named place; `lynchpin doctor` reads the settings again.",
)
SETTING_UNKNOWN = Cause(
    "LP-CFG-011",
    "There is no such setting.",
    "Correct the name or take the line out.",
)
SETTING_INVALID = Cause(
    "LP-CFG-012",
    "The setting has a value that it cannot have.",
    "Correct the value.",
)
DATABASE_MISSING = Cause(
    "LP-CFG-020",
    "There is no database here yet.",
    "Run `lynchpin init`, or point LYNCHPIN_HOME at the home that exists.",
)
DATABASE_UNSAFE = Cause(
    "LP-CFG-021",
    "The database does not keep the settings that make it safe.",
    "Keep the home on a local disk and use a build of SQLite that honours these settings; "
    "on PostgreSQL, have the server's settings changed.",
)
DATABASE_OLDER = Cause(
    "LP-CFG-022",
    "The database was made by an older Lynchpin.",
    "Take a backup with `lynchpin db backup FILE`, then run `lynchpin db upgrade`.",
)
DATABASE_NEWER = Cause(
    "LP-CFG-023",
    "The database was made by a newer Lynchpin.",
    "Use the Lynchpin that made it, or a later one.",
)
DATABASE_FOREIGN = Cause(
    "LP-CFG-024",
    "This is no database of Lynchpin.",
    "Move the file away, or point LYNCHPIN_HOME or `database_url` at the right one.",
)
DATABASE_DAMAGED = Cause(
    "LP-CFG-025",
    "The database is damaged.",
    "Keep a copy of the home for inspection, then restore the last backup.",
)
DATABASE_UNREADABLE = Cause(
    "LP-CFG-026",
    "The database cannot be opened.",
    "Check that the home is there, belongs to the user Lynchpin runs as, and has room.",
)
DATABASE_UNREACHABLE = Cause(
    "LP-CFG-027",
    "The database server gives no answer, or turns Lynchpin away.",
    "Check `database_url`, that the server is up, and that this user may use this database.",
)
DATABASE_DRIVER = Cause(
    "LP-CFG-028",
    "The driver for PostgreSQL is not installed.",
    "Install `lynchpin[hub,postgres]`, or take `database_url` out to keep to SQLite.",
)
DATABASE_IN_USE = Cause(
    "LP-CFG-029",
    "Another hub is at work on this database.",
    "Stop every hub that shares the database, then do it again; nothing was changed.",
)
TABLE_UNREADABLE = Cause(
    "LP-CFG-030",
    "The file cannot be read as a table.",
    "Save it as CSV in UTF-8 with a line of column names, and load it again; nothing was loaded.",
)
TABLE_COLUMN = Cause(
    "LP-CFG-031",
    "The columns of the table are not the expected ones.",
    "Correct the line of column names and load the file again; nothing was loaded.",
)
TABLE_CELL = Cause(
    "LP-CFG-032",
    "A row of the table cannot be used.",
    "Correct the row and load the file again; nothing was loaded.",
)
TABLE_CONTRADICTION = Cause(
    "LP-CFG-033",
    "Two rows contradict each other.",
    "Decide which one holds and load the file again; nothing was loaded.",
)
UNKNOWN_SOURCE = Cause(
    "LP-HUB-001",
    "There is no source of this name.",
    "Name one of the sources in lynchpin.toml, or add a `[sources.NAME]` table there.",
)
FILE_MISSING = Cause(
    "LP-HUB-002",
    "The file cannot be read.",
    "Check its name and who may read it, and send it again.",
)
UNKNOWN_MAPPING = Cause(
    "LP-HUB-003",
    "The mapping that made this document is not in the database.",
    "Restore the database from a backup that has it.",
)
NOT_FOUND = Cause(
    "LP-HUB-004",
    "There is nothing of this name.",
    "Look it up with `lynchpin message find`, `transaction find` or `order find`.",
)
SEVERAL = Cause(
    "LP-HUB-005",
    "Several things go by this name.",
    "Use the whole name of the one you mean.",
)
NO_GROUP = Cause(
    "LP-HUB-013",
    "Nothing is held under this fingerprint.",
    "List what is held, by what is wrong with it, with `lynchpin hold list --groups`.",
)
NOT_HELD = Cause(
    "LP-HUB-006",
    "The message is not held.",
    "List what is held with `lynchpin hold list`.",
)
