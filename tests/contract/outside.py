"""A connector of another author in a package of its own, as an installer leaves it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["CALLS", "CODE", "MAPPING", "installed"]

MANIFEST = """
id = "acme_calls"
title = "Acme calls"
summary = "Calls of an invented telephone system, a JSON object a line."
kind = "call_centre"
format = "json"
document = "https://example.org/acme"
quality = "bronze"
proven = "Never on anything real; it was made up for this test."

[messages.call]
to = "Interaction"
mapping = "call"
summary = "A call that has ended."
"""

MAPPING = """
mapping: acme_calls.call
summary: A call
reads: json
to: Interaction

rules:
  id:             call
  kind:           = call
  occurred_at:    at
  agent:          agent | own desk
  customers[] from caller[]:
    kind:         = phone
    value:        .

ignore:
  - seconds

unset:
  direction:        the system tells incoming calls only
  ended_at:         it tells how long, not until when
  store:            it belongs to no store
  customers.issuer: a number is nobody's own
  orders:           nobody notes what it was about
  campaign:         nobody notes what it was about
  subject:          nobody notes what it was about
  outcome:          it tells calls that were taken
  attribution:      a call comes from no page

examples:
  - {from: known-caller.json, expect: known-caller.canonical.json}
"""

CODE = '''
"""Calls of an invented telephone system."""

from pathlib import Path
from typing import Any

from connectors.api import NAMELESS, Connector, Document, Name
from connectors.formats.json_record import continues, split_record
from connectors.formats.json_text import JsonOptions, decode_json
from connectors.manifest import read
from connectors.scrub import ScrubProfile
from schemas.problem import Rejected


def _quote(body):
    raise Rejected(NAMELESS.at(f"this is wrong: {body}"))


def split(chunks, options, rest=None):
    return split_record(chunks, wrappers=frozenset(), lists=frozenset(), rest=rest)


def decode(payload, context, options):
    body = decode_json(payload, encoding=options.encoding)
    if not isinstance(body, dict) or not isinstance(body.get("call"), str):
        raise Rejected(NAMELESS.at("the call has no number", path="call"))
    return (Document("call", body),)


def desk(value):
    """Where an agent sits: 12 sits at desk 3."""
    return f"desk {int(value) // 4}"


def name(document, options):
    body = document.body
    content = repr([str(body.get(field)) for field in ("call", "caller", "at")])
    return Name("fact", ("call", body["call"]), content.encode())


connector = Connector(
    manifest=read(Path(__file__).with_name("manifest.toml")),
    scrub=ScrubProfile(syntax="json", never=frozenset({"call"})),
    split=split,
    continues=continues,
    decode=decode,
    name=name,
    options=JsonOptions,
    functions={"desk": desk},
)
'''

CALLS: dict[str, dict[str, Any]] = {
    "known-caller": {"call": "7001", "caller": "+1 202-555-0101", "at": "2031-05-06T10:15:00Z"},
    "hidden-caller": {"call": "7002", "caller": None, "at": "2031-05-06T10:16:00Z"},
    "with-agent": {"call": "7003", "at": "2031-05-06T10:17:00", "agent": "12", "seconds": 81},
}

EXPECTED = [
    {
        "message": "call",
        "kind": "Interaction",
        "fact": "acme_calls:call/7001",
        "document": {
            "system": "acme_calls",
            "id": "7001",
            "kind": "call",
            "occurred_at": {
                "local": "2031-05-06T10:15:00",
                "offset": "+00:00",
                "utc": "2031-05-06T10:15:00Z",
                "zone_origin": "source",
            },
            "customers": [{"kind": "phone", "value": "+1 202-555-0101"}],
            "orders": [],
        },
    }
]


def installed(site: Path) -> None:
    """Put the connector ``acme_calls`` into a folder of installed packages."""
    package = site / "acme_calls"
    info = site / "acme_calls-1.0.dist-info"
    for folder in (package / "samples", package / "mappings", info):
        folder.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-calls\nVersion: 1.0\n")
    entry_point = "[lynchpin.connectors]\nacme_calls = acme_calls:connector\n"
    (info / "entry_points.txt").write_text(entry_point)
    (package / "__init__.py").write_text(CODE)
    (package / "manifest.toml").write_text(MANIFEST)
    (package / "README.md").write_text("Calls of an invented telephone system.\n")
    (package / "mappings" / "call.yaml").write_text(MAPPING)
    for name, call in CALLS.items():
        (package / "samples" / f"{name}.json").write_text(json.dumps(call))
    (package / "samples" / "known-caller.canonical.json").write_text(json.dumps(EXPECTED))
