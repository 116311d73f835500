"""Map or leave out on purpose: the part of the contract that no shipped mapping is excused from."""

from __future__ import annotations

from connectors import registry
from connectors.contract.trial import mapping, samples, take_in
from mappings.coverage import static, unread

__all__ = ["mapping_is_covered"]


def mapping_is_covered(connector: str) -> None:
    """Map or leave out on purpose, on both sides, and nothing in vain.

    Every field of every sample is read or ignored, every canonical field filled or listed under
    ``unset``; no rule is out of reach and no table without use.
    """
    for sample in samples(connector):
        for each in take_in(connector, sample.read_bytes()).taken:
            left = unread(mapping(connector, each.document.kind), each.document.body)
            assert not left, f"{sample.name}: neither read nor under ignore: {', '.join(left)}"
    for kind in registry.manifests()[connector].messages:
        made = mapping(connector, kind)
        wrong = [each for each in static(made) if each.what != "opaque"]
        told = "; ".join(f"{each.what} {each.subject}: {each.next_step}" for each in wrong)
        assert not wrong, f"{made.spec.file}: {told}"
