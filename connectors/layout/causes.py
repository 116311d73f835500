"""What can go wrong with a layout: in its text, at the door, and on a record."""

from __future__ import annotations

from schemas.problem import Cause

__all__ = ["COUNT", "CURRENT", "FORBIDDEN", "LINE", "MISSING", "RECORD", "VALUE", "WRONG"]

FORBIDDEN = Cause(
    "LP-LAY-001",
    "The layout file cannot be read, or uses something that layout files may not use.",
    "Write plain maps, lists and texts; see the page of the connector.",
)
LINE = Cause(
    "LP-LAY-002",
    "A line of the layout cannot be understood.",
    "Mend the named line and start again.",
)
MISSING = Cause(
    "LP-LAY-003",
    "There is no layout of this name.",
    "Name a shipped layout, or a file in the home that ends in .yaml.",
)
WRONG = Cause(
    "LP-LAY-010",
    "The file is not of this layout; nothing of it was kept.",
    "Choose the layout that fits with the option `layout` of the source, and send it again.",
)
RECORD = Cause(
    "LP-LAY-101",
    "A record does not fit its layout.",
    "Have the sender mend it, or choose or mend the layout, and send the file again.",
)
VALUE = Cause(
    "LP-LAY-102",
    "A field does not hold what its layout says.",
    "Have the sender mend it, or choose or mend the layout, and send the file again.",
)
COUNT = Cause(
    "LP-LAY-103",
    "A trailer counts other records than there are.",
    "Ask the sender whether records are missing; release the message if it is whole.",
)
CURRENT = Cause(
    "LP-LAY-104",
    "The message does not say which layout it has, and it fits several or none.",
    "Choose it with the option `layout` of the source, then release the message.",
)
