"""What every sample becomes on the whole way through the hub, compared with what is written."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.api import Slice
from connectors.contract.trial import expected, mapping, pieces, samples
from connectors.scrub import scrub
from hub.journal import Stored, digest
from hub.translate import Named, Translated, Translator, Zone

SAMPLES = [
    (connector, sample) for connector in registry.manifests() for sample in samples(connector)
]


def _stored(connector: str, sample: Path, piece: Slice) -> Stored:
    payload, context = (
        scrub(part, registry.load(connector).scrub) for part in (piece.payload, piece.context)
    )
    return Stored(
        id=1,
        record_id=1,
        offset=piece.offset,
        payload=payload,
        digest=digest(payload),
        joined=piece.joined,
        state="pending",
        context=context,
        source=connector,
        system=connector,
        connector=connector,
        file=sample.name,
    )


def _entry(named: Named, translated: Translated) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "message": named.document.kind,
        "kind": translated.kind,
        "fact": named.fact,
    }
    if named.name.version is not None:
        entry["version"] = named.name.version
    if translated.flags:
        entry["flags"] = [flag.model_dump(mode="json") for flag in translated.flags]
    entry["document"] = translated.model.model_dump(mode="json", exclude_none=True)
    return entry


def _golden(connector: str, sample: Path) -> str:
    made = registry.load(connector)
    translator = Translator(
        connector=made,
        options=made.options(),
        mapping=partial(mapping, connector),
        zone=lambda store: Zone("UTC", located=False),
    )
    entries = []
    for piece in pieces(connector, sample.read_bytes()):
        assert isinstance(piece, Slice)
        stored = _stored(connector, sample, piece)
        entries += [_entry(n, translator.translated(stored, n)) for n in translator.named(stored)]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(("connector", "sample"), SAMPLES, ids=[path.name for _, path in SAMPLES])
def test_sample_becomes_what_is_written(
    connector: str, sample: Path, request: pytest.FixtureRequest
) -> None:
    golden = expected(sample)
    if request.config.getoption("--update-golden"):
        golden.write_text(_golden(connector, sample), "utf-8")
    # Compared as values, so that a failure names the path that differs.
    assert json.loads(_golden(connector, sample)) == json.loads(golden.read_text("utf-8"))


KINDS = [(connector, kind) for connector, m in registry.manifests().items() for kind in m.messages]


@pytest.mark.parametrize(("connector", "kind"), KINDS, ids=[".".join(each) for each in KINDS])
def test_every_shipped_mapping_has_three_examples(connector: str, kind: str) -> None:
    assert len({example.source for example in mapping(connector, kind).spec.examples}) >= 3


@pytest.mark.parametrize("connector", registry.manifests())
def test_no_golden_file_without_its_sample(connector: str, request: pytest.FixtureRequest) -> None:
    folder = registry.folder(connector) / "samples"
    orphans = set(folder.glob("*.canonical.json")) - set(map(expected, samples(connector)))
    for orphan in orphans if request.config.getoption("--update-golden") else ():
        orphan.unlink()
    assert not [orphan for orphan in orphans if orphan.exists()]
