"""Signatures of webhooks: known answers, own look-alikes, and everything that is denied."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from connectors import registry, signature
from connectors.api import Request, Secrets
from schemas.problem import ConfigError, Denied

VECTORS = Path(__file__).resolve().parents[2] / "../shared/samples/signature-vectors/vectors.json"
NOW = datetime(2031, 5, 6, 10, 0, tzinfo=UTC)
FORM = "CallSid=CAexample1&From=%2B12025550142&Digits=7&Digits=5&Digits=7&Empty="
HOOK = "https://hub.example.org/in/calls?desk=7"
WHSEC = "whsec_" + base64.b64encode(b"an invented secret, 24 b").decode()

Verify = Callable[[Request, Secrets], None]


def secrets(*texts: str) -> Secrets:
    return tuple(SecretStr(text) for text in texts)


def request(body: bytes | str, url: str = HOOK, /, **headers: str) -> Request:
    named = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return Request("POST", url, named, body.encode() if isinstance(body, str) else body)


def mac(key: str | bytes, signed: bytes, algorithm: str = "sha256") -> str:
    key = key.encode() if isinstance(key, str) else key
    return base64.b64encode(hmac.new(key, signed, algorithm).digest()).decode()


def shopify(key: str = "invented", algorithm: str = "sha256") -> Request:
    body = b'{"id": 1, "note": "\xc3\xa4"}'
    return request(body, x_shopify_hmac_sha256=mac(key, body, algorithm))


def square(key: str = "invented", algorithm: str = "sha256") -> Request:
    signed = mac(key, HOOK.encode() + b"{}", algorithm)
    return request("{}", x_square_hmacsha256_signature=signed)


def twilio(key: str = "invented", algorithm: str = "sha1") -> Request:
    text = HOOK + "CallSidCAexample1Digits5Digits7EmptyFrom+12025550142"
    return request(FORM, x_twilio_signature=mac(key, text.encode(), algorithm))


def standard(
    key: str = "an invented secret, 24 b", algorithm: str = "sha256", at: datetime = NOW
) -> Request:
    seconds = str(int(at.timestamp()))
    signed = mac(key, f"msg_1.{seconds}.[]".encode(), algorithm)
    return request(
        "[]", webhook_id="msg_1", webhook_timestamp=seconds, webhook_signature=f"v1,{signed}"
    )


SCHEMES: dict[str, tuple[Callable[..., Request], Verify, str, str]] = {
    "shopify": (shopify, signature.shopify, "x-shopify-hmac-sha256", "invented"),
    "square": (
        square,
        partial(signature.square, notification_url=HOOK),
        "x-square-hmacsha256-signature",
        "invented",
    ),
    "twilio": (twilio, signature.twilio, "x-twilio-signature", "invented"),
    "standard": (standard, partial(signature.standard, now=NOW), "webhook-signature", WHSEC),
}


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> tuple[Callable[..., Request], Verify, str, str]:
    return SCHEMES[request.param]


Scheme = tuple[Callable[..., Request], Verify, str, str]


def _denied(verify: Verify, hook: Request, known: Secrets) -> str:
    with pytest.raises(Denied) as caught:
        verify(hook, known)
    return caught.value.problem.code


def test_signed_is_passed_with_either_secret(scheme: Scheme) -> None:
    sign, verify, _, key = scheme
    other = "whsec_b3RoZXI="
    verify(sign(), secrets(key))
    verify(sign(), secrets(other, key))
    verify(sign(), secrets(key, other))


def test_another_secret_or_none_is_denied(scheme: Scheme) -> None:
    sign, verify, _, _ = scheme
    assert _denied(verify, sign(), secrets("whsec_b3RoZXI=")) == "LP-SIG-001"
    assert _denied(verify, sign(), ()) == "LP-SIG-001"
    # Whoever signs with nothing must not find that nothing is the secret.
    assert _denied(verify, sign(""), secrets("")) == "LP-SIG-001"


def test_one_flipped_byte_anywhere_is_denied(scheme: Scheme) -> None:
    sign, verify, _, key = scheme
    good = sign()
    for at in range(len(good.body)):
        flipped = bytearray(good.body)
        flipped[at] ^= 1
        assert _denied(verify, replace(good, body=bytes(flipped)), secrets(key)) == "LP-SIG-001"


def test_a_changed_header_is_denied(scheme: Scheme) -> None:
    sign, verify, header, key = scheme
    good = sign()
    (given,) = good.headers[header]
    swapped = given.swapcase()
    for bad in (given[:-1], given[:-5], given + "A", "", "v1,", swapped, "\udcff", "é" * 28):
        hook = replace(good, headers={**good.headers, header: (bad,)})
        assert _denied(verify, hook, secrets(key)) == "LP-SIG-001"


def test_a_missing_or_doubled_header_is_denied(scheme: Scheme) -> None:
    sign, verify, header, key = scheme
    good = sign()
    for values in ((), good.headers[header] * 2):
        hook = replace(good, headers={**good.headers, header: values})
        assert _denied(verify, hook, secrets(key)) == "LP-SIG-001"


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_another_algorithm_is_denied(scheme: Scheme, algorithm: str) -> None:
    sign, verify, _, key = scheme
    if algorithm == ("sha1" if sign is twilio else "sha256"):
        verify(sign(algorithm=algorithm), secrets(key))
    else:
        assert _denied(verify, sign(algorithm=algorithm), secrets(key)) == "LP-SIG-001"


def test_a_problem_tells_nothing_of_secret_or_signature(scheme: Scheme) -> None:
    sign, verify, header, key = scheme
    good = sign()
    with pytest.raises(Denied) as caught:
        verify(replace(good, body=b"changed=1"), secrets(key))
    said = caught.value.problem.model_dump_json() + str(caught.value)
    assert key not in said
    assert good.headers[header][0] not in said
    assert caught.value.problem.byte is None


def test_twilio_signs_the_address_too() -> None:
    for url in (HOOK.replace("7", "8"), HOOK.replace("https", "http"), "https://[", "https://h:x/"):
        hook = replace(twilio(), url=url)
        assert _denied(signature.twilio, hook, secrets("invented")) == "LP-SIG-001"


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("signed", ["", "standard", "8443"])
@pytest.mark.parametrize("called", ["", "standard", "8443"])
def test_twilio_may_leave_the_port_out(scheme: str, signed: str, called: str) -> None:
    standard_port = {"https": ":443", "http": ":80"}[scheme]
    ports = {"": "", "standard": standard_port, "8443": ":8443"}
    by_twilio, by_us = (f"{scheme}://hub.example.org{ports[p]}/in?a=:1" for p in (signed, called))
    hook = request("", by_us, x_twilio_signature=mac("invented", by_twilio.encode(), "sha1"))
    # Another port than the one that was called is another address; none and the standard one are
    # the same.
    if (ports[signed] or standard_port) == (ports[called] or standard_port) or not signed:
        signature.twilio(hook, secrets("invented"))
    else:
        _denied(signature.twilio, hook, secrets("invented"))


def test_twilio_json_needs_the_digest_of_its_body() -> None:
    body = '{"call": 1}'
    digest = hashlib.sha256(body.encode()).hexdigest()
    for query, passes in ((f"&bodySHA256={digest}", True), (f"&bodySHA256={'0' * 64}", False)):
        url = HOOK + query
        hook = request(body, url, x_twilio_signature=mac("invented", url.encode(), "sha1"))
        if passes:
            signature.twilio(hook, secrets("invented"))
        else:
            _denied(signature.twilio, hook, secrets("invented"))
    # Without a digest nothing says that the body is Twilio's.
    hook = request(body, HOOK, x_twilio_signature=mac("invented", HOOK.encode(), "sha1"))
    _denied(signature.twilio, hook, secrets("invented"))
    _denied(signature.twilio, replace(hook, body=b"\xff=1"), secrets("invented"))


@pytest.mark.parametrize(("seconds", "passes"), [(300, True), (-300, True), (301, False)])
def test_standard_webhooks_have_five_minutes(seconds: int, passes: bool) -> None:  # noqa: FBT001
    hook = standard(at=NOW - timedelta(seconds=seconds))
    verify = partial(signature.standard, now=NOW)
    if passes:
        verify(hook, secrets(WHSEC))
    else:
        assert _denied(verify, hook, secrets(WHSEC)) == "LP-SIG-002"
        ahead = standard(at=NOW + timedelta(seconds=seconds))
        assert _denied(verify, ahead, secrets(WHSEC)) == "LP-SIG-002"


def test_a_wrong_signature_is_not_told_that_its_time_is_wrong() -> None:
    hook = standard("another", at=NOW - timedelta(days=1))
    verify = partial(signature.standard, now=NOW)
    assert _denied(verify, hook, secrets(WHSEC)) == "LP-SIG-001"


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp"])
@pytest.mark.parametrize("value", ["", "x", "-1", "1e9", "٣", "9" * 400])
def test_standard_webhooks_sign_id_and_time(header: str, value: str) -> None:
    good = standard()
    hook = replace(good, headers={**good.headers, header: (value,)})
    verify = partial(signature.standard, now=NOW)
    assert _denied(verify, hook, secrets(WHSEC)) == "LP-SIG-001"


@pytest.mark.parametrize("seconds", ["", "soon", "-1", "1e9", "٣", "9" * 5000])
def test_a_signed_time_that_is_none_is_denied(seconds: str) -> None:
    signed = mac("an invented secret, 24 b", f"msg_1.{seconds}.[]".encode())
    headers = {"webhook_id": "msg_1", "webhook_timestamp": seconds}
    hook = request("[]", webhook_signature=f"v1,{signed}", **headers)
    verify = partial(signature.standard, now=NOW)
    assert _denied(verify, hook, secrets(WHSEC)) == "LP-SIG-001"


def test_one_of_several_signatures_will_do() -> None:
    good = standard()
    (given,) = good.headers["webhook-signature"]
    for listed in (f"v1,AAAA {given}", f"v1a,AAAA {given} v1,BBBB"):
        hook = replace(good, headers={**good.headers, "webhook-signature": (listed,)})
        signature.standard(hook, secrets(WHSEC), now=NOW)
    other = replace(
        good, headers={**good.headers, "webhook-signature": (given.replace("v1", "v2"),)}
    )
    _denied(partial(signature.standard, now=NOW), other, secrets(WHSEC))


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64", "whsec_é"])
def test_a_secret_that_is_none_is_a_mistake_of_the_configuration(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        signature.standard(standard(), secrets(secret), now=NOW)
    assert caught.value.problem.code == "LP-CFG-041"


@pytest.mark.parametrize(
    ("connector", "sign", "key"),
    [("shopify", shopify, "invented"), ("twilio", twilio, "invented"), ("events", standard, WHSEC)],
)
def test_connectors_verify(connector: str, sign: Callable[[], Request], key: str) -> None:
    made = registry.load(connector)
    assert made.verify is not None
    made.verify(sign(), secrets(key), made.options(), NOW)
    with pytest.raises(Denied):
        made.verify(replace(sign(), body=b"{}x"), secrets(key), made.options(), NOW)


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    if not VECTORS.is_file():
        pytest.skip("the known answers of the vendors' own libraries are not here")
    found: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    return found


def test_known_answers_of_twilio(vectors: dict[str, Any]) -> None:
    known = vectors["twilio"]
    key, url, body = secrets(known["auth_token"]), known["url"], urlencode(known["params"])
    plain = url.replace("https:", "http:")
    ported = known["port_variants"]
    cases = [
        (url, body, known["expected"]),
        (url.replace(".com/", ".com:1234/"), body, known["expected"]),
        (url, known["duplicate_params"]["query"], known["duplicate_params"]["expected"]),
        (url, body, ported["https_with_443"]),
        (url.replace(".com/", ".com:443/"), body, ported["https_with_443"]),
        (plain, body, ported["http_with_80"]),
        (plain.replace(".com/", ".com:1234/"), body, ported["http_1234"]),
    ]
    of_json = known["json_body"]
    cases.append(
        (f"{url}&bodySHA256={of_json['bodySHA256']}", of_json["body"], of_json["expected"])
    )
    for address, payload, expected in cases:
        hook = request(payload, address, x_twilio_signature=expected)
        signature.twilio(hook, key)
        _denied(signature.twilio, replace(hook, body=hook.body + b"1"), key)


def test_known_answers_of_square(vectors: dict[str, Any]) -> None:
    for known in (vectors["square"], vectors["square"]["second"]):
        hook = request(known["body"], x_square_hmacsha256_signature=known["expected"])
        verify = partial(signature.square, notification_url=known["notification_url"])
        verify(hook, secrets(known["signature_key"]))
        _denied(verify, replace(hook, body=hook.body + b" "), secrets(known["signature_key"]))
