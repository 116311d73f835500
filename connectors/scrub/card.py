"""What a payment card number is, and where in a text one stands.

Works on plain bytes of digits, separators and anything else; how a digit is spelt in a document
is the scrubber's business. Every search is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

__all__ = ["KEPT", "exposed", "is_card", "luhn"]

KEPT = 4
"""Digits of a card number that may be shown: the last four."""

_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")

# Numbers of these ranges are cards however they are written.
_MAJOR = re.compile(
    rb"4[0-9]{15}(?:[0-9]{3})?"  # Visa
    rb"|5[1-5][0-9]{14}"  # Mastercard
    rb"|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    rb"|3[47][0-9]{13}"  # American Express
    rb"|3(?:0[0-59]|[689][0-9])[0-9]{13}(?:[0-9]{3})?"  # Diners Club, long forms
    rb"|35(?:2[89]|[3-8][0-9])[0-9]{12,15}"  # JCB
    rb"|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12,15}"  # Discover
    rb"|62[0-9]{14,17}"  # UnionPay
    rb"|(?:5018|5019|5020|5038|5893|6304|67[0-9]{2})[0-9]{12,15}"  # Maestro and bank cards in use
)
# A GTIN-14 or a long id is as likely to fall into these: they count when the number stands alone
# or in groups as on a card, never when a quantity happens to stand before an item number.
_DINERS = re.compile(rb"3(?:0[0-59]|[689][0-9])[0-9]{11}")
# Far too wide for a number without groups; 13 digits are also what every EAN has.
_GROUPED_ONLY = re.compile(rb"4[0-9]{12}|(?:5[0678]|6[0-9])[0-9]{14,17}")
_ANY = re.compile(b"|".join(p.pattern for p in (_MAJOR, _DINERS, _GROUPED_ONLY)))
_MAYBE = re.compile(rb"[456]|3[0-9]|2[2-7]")

_SOFT = b" \t+-\x96\x97\xa0"
"""May stand between any two groups: spaces, dashes, ``+`` of a web form, the same in cp1252."""

_IN_NUMBER = b"0123456789 \t\n\r./+\x96\x97\xa0-"
_KINDS = bytes(0x30 if c in _IN_NUMBER else 0x20 for c in range(256))
_LONG = b"0" * 13
_CHAIN = re.compile(rb"[0-9]+(?:[ \t+\x96\x97\xa0-][0-9]+)*")
_FRACTION = re.compile(rb"[0-9*]\.")
_GAP = rb"(?:\r\n|[ \t\n\r./+\x96\x97\xa0-])"
# Dots, slashes and line ends stand between all kinds of numbers, so here the layout must be that
# of a card. The look-ahead lets layouts overlap: "ref 1234.4111.1111.1111.1111".
_LAYOUT = re.compile(
    rb"(?=(?<![0-9])([0-9]{4}%(gap)s(?:[0-9]{4}%(gap)s[0-9]{4}%(gap)s[0-9]{4}|[0-9]{6}%(gap)s"
    rb"[0-9]{4,5}))(?![0-9]))" % {b"gap": _GAP}
)

_TRACK_1 = re.compile(rb"(?:%[A-Za-z]|[Bb])([0-9 ]{12,23})\^((?:[^?<>\"'=\\\r\n]|'(?=[A-Za-z]))*)")
_TRACK_2 = (
    re.compile(rb"=(?<=[0-9]{12}=)([0-9]{4,40})"),
    re.compile(rb"D(?<=[0-9]{12}D)([0-9]{4,40})"),  # as a chip terminal writes it
)
_TAIL_OF_DIGITS = re.compile(rb";?([0-9]{12,19})\Z")
_EXPONENT = re.compile(rb"\.(?<=[0-9]\.)([0-9]{9,18})[eE]\+?(1[2-8])(?![0-9])")
_SECURITY_CODE = re.compile(rb"cv(?<![a-z]cv)[vcn]2?[^0-9a-z]{0,8}([0-9]{3,4})(?![0-9])")

# Digests and UUIDs run into the ranges by chance, and they name orders.
_HEX = re.compile(
    rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32,}", re.DOTALL
)
_HEX_REACH = 40


def luhn(digits: bytes) -> bool:
    """Whether the last of the ASCII ``digits`` is the check digit of the others."""
    total = sum(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLED))
    return (total - 48 * len(digits)) % 10 == 0


def is_card(digits: bytes, *, groups: tuple[int, ...] = ()) -> bool:
    """Whether ASCII ``digits`` are a card number, written without or in ``groups`` of digits.

    A 13-digit Visa and the wide Maestro ranges count only in groups, a number that begins like
    a Diners card only alone or in groups, where all but the last group have three digits or more.
    """
    solid = not groups[1:]
    neat = not solid and min(groups[:-1]) >= 3
    return bool(
        _MAJOR.fullmatch(digits)
        or ((solid or neat) and _DINERS.fullmatch(digits))
        or (neat and _GROUPED_ONLY.fullmatch(digits))
    ) and luhn(digits)


def exposed(text: bytes) -> Iterator[list[int]]:
    """Find what must not be kept: an item for each find, the offsets of the characters to mask.

    Card numbers are masked up to their last four digits, the rest of track data and security
    codes that follow their name wholly.
    """
    for start, end in _runs(text):
        for find in _numbers(text, start, end):
            if not _in_hex(text, find[0], find[-1] + 1):
                yield find
    if b"^" in text:
        yield from _tracks_1(text)
    for pattern in _TRACK_2:
        yield from _tracks_2(text, pattern)
    yield from _exponents(text)
    yield from _security_codes(text)


def _runs(text: bytes) -> Iterator[tuple[int, int]]:
    """Stretches of digits and separators that have room for a card number.

    Two passes in C: a search for 13 equal bytes looks at every 13th only.
    """
    kinds = text.translate(_KINDS)
    start = kinds.find(_LONG)
    while start >= 0:
        end = kinds.find(b" ", start)
        end = end if end >= 0 else len(kinds)
        yield start, end
        start = kinds.find(_LONG, end)


def _numbers(text: bytes, start: int, end: int) -> Iterator[list[int]]:
    if text[start:end].isdigit():
        yield from _solid(text, start, end)
        return
    for chain in _CHAIN.finditer(text, start, end):
        if chain[0].isdigit():
            yield from _solid(text, *chain.span())
        elif len(chain[0]) > 13:
            yield from _windows(text, *chain.span())
    for layout in _LAYOUT.finditer(text, start, end):
        at = _digits_at(text, *layout.span(1))
        if is_card(bytes(text[i] for i in at)):
            yield at[:-KEPT]


def _solid(text: bytes, begin: int, stop: int) -> Iterator[list[int]]:
    """One unbroken number: a card as it stands, or padded with zeros to the width of a column."""
    digits = text[begin:stop]
    bare = digits.lstrip(b"0")
    if len(digits) > 19 or len(bare) < min(len(digits), 15):
        return
    if is_card(bare) and not _is_fraction(text, begin):
        yield list(range(stop - len(bare), stop - KEPT))


def _windows(text: bytes, begin: int, stop: int) -> Iterator[list[int]]:
    """Whatever consecutive groups make up a card, also next to other groups or inside another."""
    at = _digits_at(text, begin, stop)
    digits = text[begin:stop].translate(None, _SOFT)
    borders = [0, *(n for n, (a, b) in enumerate(pairwise(at), 1) if b - a > 1), len(at)]
    ends = set(borders)
    starts = borders[_is_fraction(text, begin) : -1]
    known = set(starts)
    for start in starts:
        if not _MAYBE.match(digits, start):
            continue
        for size in range(13, 20):
            end = start + size
            if end not in ends or not _ANY.fullmatch(digits, start, end):
                continue
            number = digits[start:end]
            if not luhn(number):
                continue
            inner = [n for n in range(start + 1, end) if n in ends]
            groups = tuple(b - a for a, b in pairwise((start, *inner, end)))
            if not is_card(number, groups=groups):
                continue
            yield at[start : end - KEPT]
            # The four digits that stay look like a group once the others are masked, and could
            # begin another card: they are looked at now, so that a second scrub finds nothing.
            if end - KEPT not in known:
                known.add(end - KEPT)
                starts.append(end - KEPT)


def _tracks_1(text: bytes) -> Iterator[list[int]]:
    """``%B4111111111111111^NAME^2512...?``: number, name, expiry, service code."""
    for track in _TRACK_1.finditer(text):
        yield _digits_at(text, *track.span(1))[:-KEPT] + _letters_at(text, *track.span(2))


def _tracks_2(text: bytes, pattern: re.Pattern[bytes]) -> Iterator[list[int]]:
    """``;4111111111111111=2512...?``, without the ``;`` only if the number is a card's."""
    for track in pattern.finditer(text):
        head = _TAIL_OF_DIGITS.search(text, max(0, track.start() - 20), track.start())
        if head is None:
            continue
        if head[0].startswith(b";") or is_card(head[1]):
            yield [*range(head.start(1), head.end(1) - KEPT), *range(*track.span(1))]


def _exponents(text: bytes) -> Iterator[list[int]]:
    """``4.111111111111111e15``, as a spreadsheet or a float writes it."""
    for number in _EXPONENT.finditer(text):
        at = [number.start() - 1, *range(*number.span(1))]
        digits = bytes(text[i] for i in at)
        if len(digits) <= int(number[2]) + 1 and is_card(digits.ljust(int(number[2]) + 1, b"0")):
            yield at[:-KEPT]


def _security_codes(text: bytes) -> Iterator[list[int]]:
    """``CVV: 123``, also inside a document that is quoted in another one."""
    lowered = text.lower()
    if b"cv" in lowered:
        for code in _SECURITY_CODE.finditer(lowered):
            yield list(range(*code.span(1)))


def _is_fraction(text: bytes, begin: int) -> bool:
    """Whether a decimal point stands before: 2.3999999999999999 passes for a card."""
    return begin > 1 and _FRACTION.match(text, begin - 2) is not None


def _in_hex(text: bytes, start: int, end: int) -> bool:
    near = _HEX.finditer(text, max(0, start - _HEX_REACH), end + _HEX_REACH)
    return any(word.start() < end and word.end() > start for word in near)


def _digits_at(text: bytes, start: int, end: int) -> list[int]:
    return [i for i in range(start, end) if 0x30 <= text[i] <= 0x39]


def _letters_at(text: bytes, start: int, end: int) -> list[int]:
    return [i for i in range(start, end) if text[i] >= 0x7F or text[i : i + 1].isalnum()]
