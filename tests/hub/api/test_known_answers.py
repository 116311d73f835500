"""Known answers of vendors' own libraries, through the door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.hub.api.hooks import post, served

VECTORS = Path(__file__).resolve().parents[3] / "../shared/samples/signature-vectors/vectors.json"


def _vectors() -> dict[str, Any]:
    if not VECTORS.is_file():
        pytest.skip("the known answers of the vendors' own libraries are not here")
    found: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    return found


def test_known_answers_of_twilio_come_through_the_door(tmp_path: Path) -> None:
    known = _vectors()["twilio"]
    url, _, query = known["url"].partition("?")
    body = urlencode(known["params"]).encode()
    ported, of_json = known["port_variants"], known["json_body"]
    plain = url.replace("https:", "http:")
    digest = f"&bodySHA256={of_json['bodySHA256']}"
    doubled = known["duplicate_params"]
    cases = [
        (url, query, body, known["expected"]),
        (url.replace(".com/", ".com:1234/"), query, body, known["expected"]),
        (url, query, doubled["query"].encode(), doubled["expected"]),
        (url, query, body, ported["https_with_443"]),
        (url.replace(".com/", ".com:443/"), query, body, ported["https_with_443"]),
        (plain, query, body, ported["http_with_80"]),
        (plain.replace(".com/", ".com:1234/"), query, body, ported["http_1234"]),
        (url, query + digest, of_json["body"].encode(), of_json["expected"]),
    ]
    source = '[sources.desk_{}]\nconnector = "twilio"\nsecrets = ["{}"]\npublic_url = "{}"\n'
    settings = (source.format(i, known["auth_token"], c[0]) for i, c in enumerate(cases))
    for hooks in served(tmp_path, "".join(settings)):
        for index, (_, asked, content, expected) in enumerate(cases):
            headers = {known["header"]: expected}
            path = f"?{asked}"
            flipped = bytes([content[0] ^ 1]) + content[1:]
            assert post(hooks, f"desk_{index}", flipped, headers, path).status_code == 403
            assert hooks.count("record") == index
            answer = post(hooks, f"desk_{index}", content, headers, path)
            assert (answer.status_code, answer.text) == (200, "<Response/>")
        assert hooks.count("record") == len(cases)
