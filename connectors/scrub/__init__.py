"""Scrubbing: card data is masked before the first write, in place and byte for byte."""

from connectors.scrub.masking import COMMON_PAN, COMMON_SECRET, ScrubProfile, scrub, scrub_text

__all__ = ["COMMON_PAN", "COMMON_SECRET", "ScrubProfile", "scrub", "scrub_text"]
