"""What can go wrong with a mapping: in its text, and on a document."""

from __future__ import annotations

from difflib import get_close_matches

from schemas.problem import Cause

__all__ = [
    "CODE_UNKNOWN",
    "DIFFERENCES",
    "DIRECTION",
    "EXAMPLE",
    "HOSTILE",
    "INEXPRESSIBLE",
    "LOOKUP_UNKNOWN",
    "RULE",
    "SAME_KEY",
    "SYNTAX",
    "TABLE",
    "TARGET",
    "VALIDATION",
    "VALUE",
    "suggestion",
]

SYNTAX = Cause(
    "LP-MAP-001", "The mapping file is not readable.", "Mend the named line and check again."
)
HOSTILE = Cause(
    "LP-MAP-002",
    "The mapping file uses something that mapping files may not use.",
    "Write plain maps, lists and texts; see docs/mapping.md.",
)
RULE = Cause("LP-MAP-003", "A rule cannot be understood.", "Mend the named line and check again.")
TARGET = Cause(
    "LP-MAP-004",
    "A rule fills a field that the canonical document does not have.",
    "Use a field of the model; its JSON Schema lists them.",
)
EXAMPLE = Cause(
    "LP-MAP-005",
    "An example of the mapping does not come out as written.",
    "Mend the rule, or the expected document if the new result is right.",
)
DIRECTION = Cause(
    "LP-MAP-006",
    "A mapping of both directions does not say what it loses on the way back.",
    "Mend the rule, or declare the field; see docs/mapping.md, Both directions.",
)
DIFFERENCES = Cause(
    "LP-MAP-011",
    "A file of differences does not fit the mapping that it extends.",
    "Look at the mapping that it extends, mend the named line, and check again.",
)
TABLE = Cause(
    "LP-MAP-012",
    "A code table beside the mapping cannot be read.",
    "Mend the named line of the table, and check again.",
)
VALUE = Cause(
    "LP-MAP-101",
    "A value of the document does not fit what its rule makes of it.",
    "Mend the rule or have the sender mend the value, then release the message.",
)
VALIDATION = Cause(
    "LP-MAP-102",
    "The document lacks what its canonical form must have, or exceeds what it may hold.",
    "Have the sender fill the named field, or mend the rule, then release the message.",
)
SAME_KEY = Cause(
    "LP-MAP-103",
    "Two further documents of one message go by the same key and say different things.",
    "Name in `key` what tells them apart, or have the sender do so, then release the message.",
)
CODE_UNKNOWN = Cause(
    "LP-MAP-201",
    "A code has no entry in its table; the value was kept as unknown.",
    "Add the code to the table of the mapping.",
)
LOOKUP_UNKNOWN = Cause(
    "LP-MAP-202",
    "Reference data does not have, or not only once, what a rule looks up; the field was left out.",
    "Load the Location or Item that the value names, or correct the rule; then replay the message.",
)
INEXPRESSIBLE = Cause(
    "LP-MAP-301",
    "The channel cannot express a value of the document as it is.",
    "Leave the value out, change it, or declare the field in the mapping.",
)


def suggestion(word: str, known: object) -> str:
    """Say which known word was probably meant: ``; did you mean 'lines'?`` or nothing."""
    words = [str(k) for k in known] if hasattr(known, "__iter__") else []
    close = get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
