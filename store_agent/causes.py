"""Why the agent stops, waits or leaves a file where it is, with what to do about it."""

from __future__ import annotations

from schemas.problem import Cause

__all__ = [
    "AGENT_RUNS",
    "CONNECTOR_FAILED",
    "HOME_CLOSED",
    "HOME_MISSING",
    "HUB_AWAY",
    "HUB_FORGOT",
    "HUB_REFUSES",
    "KEY_REFUSED",
    "ROW_DAMAGED",
    "SETTINGS_WRONG",
    "SPOOL_FULL",
    "SPOOL_UNSAFE",
    "STOPPED_IN_THE_MIDDLE",
    "UNCUTTABLE",
    "UNKNOWN_CAPTURE",
    "UNREADABLE_FILE",
    "UNREADABLE_FOLDER",
]

HOME_MISSING = Cause(
    "LP-AGENT-001",
    "There is no home of an agent here.",
    "Make one with `lynchpin-agent init`, or set LYNCHPIN_AGENT_HOME to the folder that it is in.",
)
HOME_CLOSED = Cause(
    "LP-AGENT-002",
    "The home cannot be made or closed to others.",
    "Give the agent's user a folder of its own on a local disk, and set LYNCHPIN_AGENT_HOME to it.",
)
SETTINGS_WRONG = Cause(
    "LP-AGENT-003",
    "The agent's settings cannot be used.",
    "Mend the named setting in agent.toml; `lynchpin-agent init` in an empty home shows them all.",
)
AGENT_RUNS = Cause(
    "LP-AGENT-004",
    "Another agent works on this spool.",
    "Leave it to that one, or stop it first.",
)
SPOOL_UNSAFE = Cause(
    "LP-AGENT-005",
    "The spool cannot be trusted to keep what is written to it.",
    "Put the home on a local disk; if the spool is damaged, move spool.db with its -wal and -shm "
    "away, start again, and have the files captured anew.",
)
SPOOL_FULL = Cause(
    "LP-AGENT-006",
    "There is no room left for the spool: nothing more is captured, and the till keeps its files.",
    "Make room on the disk of the home, or mend the way to the hub; capture goes on by itself.",
)
ROW_DAMAGED = Cause(
    "LP-AGENT-007",
    "A record was damaged on the disk of the agent and is not shipped.",
    "Check the disk. A file that is still in its folder is captured again by itself; otherwise get "
    "it from the till.",
)
UNREADABLE_FILE = Cause(
    "LP-AGENT-008",
    "The file cannot be read.",
    "Let the agent's user read it; it is tried again by itself.",
)
UNCUTTABLE = Cause(
    "LP-AGENT-009",
    "The file is large and has no place where it can be cut safely.",
    "Have the till write smaller files, in UTF-8 or another encoding of one byte a character.",
)
STOPPED_IN_THE_MIDDLE = Cause(
    "LP-AGENT-010",
    "The file stops in the middle of a message. The hub holds what is there.",
    "Have the till finish the file or write it again; what it adds is captured by itself.",
)
HUB_AWAY = Cause(
    "LP-AGENT-011",
    "The hub does not answer as a hub should.",
    "Check the network and the address `hub` in agent.toml. Nothing is lost; it is tried for ever.",
)
KEY_REFUSED = Cause(
    "LP-AGENT-012",
    "The hub does not let this key in.",
    "Put a key of `lynchpin key create` into agent.toml and start the agent again. Capture goes "
    "on meanwhile.",
)
HUB_REFUSES = Cause(
    "LP-AGENT-013",
    "The hub refuses what this capture sends.",
    "Ask whoever runs the hub whether the source of this capture exists there. Nothing is dropped.",
)
HUB_FORGOT = Cause(
    "LP-AGENT-014",
    "The hub no longer has records that it had acknowledged and that are deleted here.",
    "Stop the agent, run `lynchpin-agent recapture CAPTURE --since DATE` with the day of the hub's "
    "backup, and start it again.",
)
UNKNOWN_CAPTURE = Cause(
    "LP-AGENT-015",
    "There is no capture of this name.",
    "Name one of those in agent.toml.",
)
UNREADABLE_FOLDER = Cause(
    "LP-AGENT-016",
    "The folder of this capture cannot be looked through.",
    "Make it, or let the agent's user read it; it is tried again by itself.",
)
CONNECTOR_FAILED = Cause(
    "LP-AGENT-017",
    "The connector itself failed on this file, which stays where it is.",
    "Report it with the line that the agent wrote about it.",
)
