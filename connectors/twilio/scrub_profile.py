"""Which fields of a Twilio webhook hold card data.

Callers type and speak card numbers, expiry dates and PINs, often in pieces that look like nothing.
So whatever they typed or said is masked whole.
"""

from __future__ import annotations

from connectors.scrub import ScrubProfile

__all__ = ["PROFILE"]

_TYPED_OR_SAID = frozenset(
    {
        *("Digits", "FinishedOnKey", "SpeechResult", "UnstableSpeechResult", "StableSpeechResult"),
        *("TranscriptionText", "TranscriptionData"),
    }
)
_PAID = frozenset({"SecurityCode", "ExpirationDate", "BankAccountNumber", "BankRoutingNumber"})
_NUMBERS_OF_CALLS = frozenset(
    {
        *("CallSid", "ParentCallSid", "AccountSid", "ApplicationSid", "ApiVersion", "CallToken"),
        *("From", "To", "Caller", "Called", "ForwardedFrom", "CalledVia", "SequenceNumber"),
        *(
            "RecordingSid",
            "RecordingUrl",
            "QueueSid",
            "ConferenceSid",
            "DialCallSid",
            "StirVerstat",
        ),
    }
)

PROFILE = ScrubProfile(
    syntax="form",
    pan=frozenset({"PaymentCardNumber"}),
    secret=_TYPED_OR_SAID | _PAID,
    never=_NUMBERS_OF_CALLS,
)
"""How Twilio's forms are scrubbed."""
