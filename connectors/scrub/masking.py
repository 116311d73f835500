r"""Card data is masked before the first write, in place and byte for byte.

What is masked and what is not: a field that the profile names goes by the profile, any other
text goes by ``connectors.scrub.card``. Offsets stay those of the file as received, because nothing
grows or shrinks: a digit becomes ``*``, ``&#52;`` becomes ``&#42;``, ``\u0034`` becomes ``\u002a``.

This also runs inside the store agent, so it needs the standard library alone and the profile is
plain data.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from connectors.scrub.card import KEPT, exposed
from connectors.scrub.field import (
    Leaf,
    Rule,
    RuleOf,
    form_leaves,
    json_leaves,
    json_numbers,
    xml_leaves,
)
from connectors.scrub.positional import Positions, finds
from connectors.scrub.spelling import decoded, plain, views, write_mask

__all__ = ["COMMON_PAN", "COMMON_SECRET", "ScrubProfile", "scrub", "scrub_text"]

_CARDS = (
    *("card", "credit_card", "creditcard", "payment_card", "paymentcard", "debit_card"),
    *("credit", "debit", "creditdebit", "carddata", "card_details", "card_payment_details"),
)
"""Names of what stands around card data, which give an ordinary name its meaning."""

COMMON_PAN = frozenset(
    {
        *("pan", "primaryaccountnumber", "primary_account_number", "cardnumber", "card_number"),
        *("card_no", "cardno", "card_num", "creditcardnumber", "credit_card_number", "ccnumber"),
        *("cc_number", "ccnum", "cc_num", "debitcardnumber", "cardaccountnumber", "cardpan"),
        *(f"{card}/{name}" for card in _CARDS for name in ("number", "accountnumber", "account")),
        *("tender/accountnumber", "authorization/accountnumber"),
    }
)
"""Field names that hold a card number wherever they occur. Lower case, as names match without."""

COMMON_SECRET = frozenset(
    {
        *("cvv", "cvv2", "cvc", "cvc2", "cvn", "cvn2", "cvvcode", "cvccode", "cvv_code"),
        *("cvc_code", "cardsecuritycode", "card_security_code", "cardverificationvalue"),
        *("card_verification_value", "cardverificationcode", "cardverificationnumber"),
        *("verification_value", "cc_cid", "card_cvv", "card_cvc", "cardcvv", "cardcvc"),
        *("track", "trackdata", "track_data", "magstripe", "magstripedata", "magneticstripe"),
        *("magnetic_stripe_data", "track2equivalentdata", "emvdata", "emv_data", "iccdata"),
        *(f"{name}{n}{end}" for name in ("track", "track_") for n in "123" for end in ("", "data")),
        *(f"track_{n}_data" for n in "123"),
        *("pinblock", "pin_block", "pindata", "encryptedpin", "encrypted_pin", "pin_data"),
        *("encryptedpinblock", "encrypted_pin_block"),
        *("cardexpiry", "card_expiry", "cardexpirationdate", "card_expiration_date"),
        *("cardexpirydate", "card_expiry_date", "cc_exp_month", "cc_exp_year"),
        *("credit_card_expiration_month", "credit_card_expiration_year"),
        *(
            f"{card}/{name}"
            for card in (*_CARDS, "tender")
            for name in (
                *("expirationdate", "expiration_date", "expirydate", "expiry_date", "expiration"),
                *("expiry", "expdate", "exp_date", "expires", "exp_month", "exp_year", "expmonth"),
                *("expyear", "expirationmonth", "expirationyear", "expiration_month"),
                *("expiration_year", "expiry_month", "expiry_year"),
            )
        ),
        *(
            f"{card}/{name}"
            for card in _CARDS
            for name in ("securitycode", "security_code", "cid", "csc", "pin", "month", "year")
        ),
    }
)
"""Field names of what may not be kept at all: security codes, tracks, PIN blocks, expiry."""


@dataclass(frozen=True, slots=True)
class ScrubProfile:
    """Which fields of a format hold card data.

    A name is a local name, XML element or attribute or JSON key, in any case, alone or as
    ``Parent/Name``; the parent of an attribute is its element, that of a key the key whose object
    it stands in. The first of these decides: ``never`` with parent, ``secret`` and ``pan`` with
    parent, the ``secret`` or ``pan`` field around it, ``secret`` and ``pan``, ``never``, and for
    any other text the search for card numbers.

    ``pan`` and ``secret`` reach into child elements, attributes, objects and arrays; ``never``
    is about a field's own text. In the syntax ``text`` there are no fields; in ``positional`` they
    have places in place of names, which one of the ``layouts`` says.
    """

    syntax: Literal["xml", "json", "form", "text", "positional"]
    pan: frozenset[str] = COMMON_PAN
    """Fields that hold a card number: every digit but the last four is masked."""
    secret: frozenset[str] = COMMON_SECRET
    """Fields of which every letter and digit is masked."""
    never: frozenset[str] = frozenset()
    """Item numbers, order ids, loyalty numbers: never touched, even if they pass for cards."""
    layouts: tuple[Positions, ...] = ()
    """Where the fields lie, in the syntax ``positional``; one record may fit several of these."""


def scrub(payload: bytes, profile: ScrubProfile) -> bytes:
    """Mask all card data in a slice; the same object comes back if there was none.

    Keeps the length, gives the same result when done twice, never fails. A bare JSON number
    becomes a string of the same length. A card number that is part of a tag's name breaks the
    document, which is then held without it.
    """
    return _scrub(payload, profile, widths=2)


def scrub_text(text: str) -> str:
    """Mask card data in a file name, a note, a line for the terminal; keeps the length."""
    spelt = bytes(plain(ord(c)) for c in text)
    masked = _scrub(spelt, _TEXT, widths=0)
    if masked == spelt:
        return text
    return "".join(c if a == b else chr(b) for c, a, b in zip(text, spelt, masked, strict=True))


_TEXT = ScrubProfile(syntax="text")


def _scrub(payload: bytes, profile: ScrubProfile, *, widths: int) -> bytes:
    # A mask may set apart what only then looks like a card, so it ends when nothing changes.
    while (masked := _masked(payload, profile)) != payload:
        payload = masked
    if profile.layouts:
        # Zero bytes fill up the fields of a fixed width; what is left of them may be UTF-16.
        profile = _TEXT
    if widths and b"\0" in payload:
        while (masked := _masked_wide(payload, profile, widths=widths - 1)) != payload:
            payload = masked
    return payload


def _masked_wide(payload: bytes, profile: ScrubProfile, *, widths: int) -> bytes:
    """Scrub the code units of UTF-16 in either order, from even and from odd offsets.

    UTF-32 looks like UTF-16 again in there, which is what ``widths`` counts. No byte order mark
    is trusted, so beside a character beyond Latin-1 one digit too many may be masked.
    """
    # A record may be cut inside a unit: the other half of its first and last byte is made up.
    out = bytearray(b"\0" + payload + b"\0")
    for low, high in ((1, 2), (2, 3), (1, 0), (2, 1)):
        units = zip(bytes(out[low::2]), bytes(out[high::2]), strict=False)
        spelt = bytes(plain(h << 8 | x) if h or x > 0x7F else x for x, h in units)
        masked = _scrub(spelt, profile, widths=widths)
        if masked == spelt:
            continue
        for i, (before, after) in enumerate(zip(spelt, masked, strict=True)):
            if before != after:
                out[low + 2 * i] = after
                out[high + 2 * i] = 0
    return bytes(out[1:-1])


def _masked(payload: bytes, profile: ScrubProfile) -> bytes:
    """One pass over the bytes as they are."""
    if profile.layouts:
        return _masked_in_place(payload, profile.layouts)
    found = [[view.at(i) for i in find] for view in views(payload) for find in exposed(view.text)]
    names = _names(profile)
    if not found and not names.may_occur(payload):
        return payload
    leaves = list(_LEAVES[profile.syntax](payload, names.rule_of))
    offsets = set(_covered(payload, leaves))
    never = [leaf for leaf in leaves if leaf.rule == "never"]
    for find in found:
        at = bisect_right(never, find[0], key=lambda leaf: leaf.start) - 1
        if at < 0 or find[0] >= never[at].end:
            offsets.update(find)
    if not offsets:
        return payload
    out = bytearray(payload)
    for offset in offsets:
        write_mask(out, payload, offset)
    if profile.syntax == "json":
        _quote_numbers(out, payload)
    return bytes(out)


def _masked_in_place(payload: bytes, layouts: tuple[Positions, ...]) -> bytes:
    masks = finds(payload, layouts)
    if not masks:
        return payload
    out = bytearray(payload)
    for offset, mask in masks.items():
        out[offset] = mask
    return bytes(out)


def _quote_numbers(out: bytearray, payload: bytes) -> None:
    """Keep JSON valid: a bare number with a mask in it becomes a string of the same length."""
    for start, end in json_numbers(payload):
        if out[start:end] == payload[start:end]:
            continue
        # One digit has no room for quotes; it can only become another digit.
        quoted = b'"' + out[start + 2 : end] + b'"' if end - start > 1 else b"0"
        out[start:end] = quoted


def _covered(payload: bytes, leaves: Iterable[Leaf]) -> Iterator[int]:
    """What the fields of card data hold: every letter and digit, or all digits but four."""
    numbers: dict[int, list[int]] = {}
    for leaf in leaves:
        if leaf.rule == "never":
            continue
        view = decoded(payload, leaf.start, leaf.end)
        if leaf.rule == "secret":
            yield from (view.at(m.start()) for m in _LETTER_OR_DIGIT.finditer(view.text))
        else:
            digits = (view.at(m.start()) for m in _DIGIT.finditer(view.text))
            numbers.setdefault(leaf.field, []).extend(digits)
    for digits_of_field in numbers.values():
        yield from digits_of_field[:-KEPT]


_DIGIT = re.compile(rb"[0-9]")
_LETTER_OR_DIGIT = re.compile(rb"[0-9A-Za-z\x7f-\xff]")


def _no_leaves(payload: bytes, rule_of: RuleOf) -> Iterator[Leaf]:
    return iter(())


_LEAVES: dict[str, Callable[[bytes, RuleOf], Iterator[Leaf]]] = {
    "xml": xml_leaves,
    "json": json_leaves,
    "form": form_leaves,
    "text": _no_leaves,
    "positional": _no_leaves,
}

_WORDS = bytes(c if c >= 0x80 or chr(c).isalpha() or chr(c) == "_" else 0x20 for c in range(256))
_WORDS = _WORDS.lower()
"""Keeps letters, lower case, and makes all else a space: numbers would be most of the words."""

_ESCAPED_LETTER = {"json": re.compile(rb"\\u00[4-7]"), "form": re.compile(rb"%[4-7]")}


def _word(name: str) -> bytes:
    return max(name.encode().translate(_WORDS).split(), key=len, default=b"")


class _Names:
    """The names of a profile, ready to be looked up."""

    def __init__(self, profile: ScrubProfile) -> None:
        self._never = frozenset(name.lower() for name in profile.never)
        self._secret = frozenset(name.lower() for name in profile.secret)
        self._pan = frozenset(name.lower() for name in profile.pan)
        paths = [name.rpartition("/") for name in self._secret | self._pan]
        self._words = frozenset(_word(name) for _, _, name in paths)
        self._pairs = frozenset((_word(parent), _word(name)) for parent, _, name in paths)
        self._escaped = _ESCAPED_LETTER.get(profile.syntax)
        self.rule_of = lru_cache(maxsize=4096)(self._rule_of)

    def may_occur(self, payload: bytes) -> bool:
        """Whether some name of card data is among the words of the document."""
        words = payload.translate(_WORDS).split()
        if self._words.isdisjoint(words):
            return self._escaped is not None and self._escaped.search(payload) is not None
        found = {b"", *words}
        return any(parent in found and name in found for parent, name in self._pairs)

    def _rule_of(self, name: str, parent: str, around: Rule | None) -> Rule | None:
        both = f"{parent}/{name}"
        if both in self._never:
            return "never"
        if both in self._secret or both in self._pan:
            return "secret" if both in self._secret else "pan"
        if around and around != "never":
            return around
        if name in self._secret or name in self._pan:
            return "secret" if name in self._secret else "pan"
        return "never" if name in self._never else None


_names = lru_cache(maxsize=64)(_Names)
