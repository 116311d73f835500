"""What is decoded again is what was decoded before, of every sample and down to the digits."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import registry
from connectors.api import Slice
from schemas.problem import Rejected

SAMPLES = [
    (name, sample)
    for name in sorted(registry.manifests())
    if registry.load(name).again is not None
    for sample in sorted((registry.folder(name) / "samples").iterdir())
    if ".canonical." not in sample.name
]


@pytest.mark.parametrize(
    ("name", "sample"), SAMPLES, ids=[f"{name}-{sample.name}" for name, sample in SAMPLES]
)
def test_again_gives_what_decode_gave(name: str, sample: Path) -> None:
    connector = registry.load(name)
    options = connector.options()
    again = connector.again
    assert again is not None
    for piece in connector.split([sample.read_bytes()], options, None):
        if not isinstance(piece, Slice):
            continue
        try:
            before = connector.decode(piece.payload, piece.context, options)
        except Rejected:
            # Nothing was made from it, so nobody decodes it again.
            continue
        after = again(piece.payload, piece.context, options, None)
        assert repr(after) == repr(before)
        for name_, value in before[0].body.items():
            some = again(piece.payload, piece.context, options, frozenset({name_}))
            assert [(one.kind, one.at) for one in some] == [(one.kind, one.at) for one in before]
            assert repr(some[0].body[name_]) == repr(value)
            assert repr(some[1:]) == repr(before[1:])


def test_there_are_samples() -> None:
    assert len(SAMPLES) > 5
