"""Which POSLog elements hold card data, and which only look like it.

A ``PrimaryAccountNumber`` is a payment card under ``CreditDebit`` and a loyalty card under
``LoyaltyCard``: only the parent tells them apart.
"""

from __future__ import annotations

from connectors.scrub import ScrubProfile

__all__ = ["PROFILE"]

_CARD_NUMBERS = frozenset(
    {
        *("PrimaryAccountNumber", "CardNumber", "CardAccountNumber", "PAN"),
        *("CreditDebit/AccountNumber", "Tender/AccountNumber", "Authorization/AccountNumber"),
        *("CreditDebit/AccountID", "Tender/AccountID"),
    }
)

_SECRETS = frozenset(
    {
        *("Track1", "Track2", "Track3", "TrackData", "Track1Data", "Track2Data", "MagneticStripe"),
        *("CardSecurityCode", "CardVerificationValue", "CVV", "CVV2", "CVC", "CID"),
        *("PINBlock", "EncryptedPIN", "EMVData", "ICCData"),
        *("CreditDebit/ExpirationDate", "CreditDebit/ExpiryDate", "Tender/ExpirationDate"),
    }
)

_NUMBERS_OF_GOODS = frozenset(
    {
        *("ItemID", "POSItemID", "GTIN", "SerialNumber", "ScanData", "PromotionID", "EventID"),
        *("CouponID", "CouponNumber", "PriceDerivationRuleID", "MerchandiseHierarchy"),
    }
)

_NUMBERS_OF_PEOPLE = frozenset(
    {
        *("LoyaltyID", "MembershipID", "HouseholdID", "CustomerID", "LoyaltyAccountID"),
        *("LoyaltyCard/PrimaryAccountNumber", "LoyaltyCard/CardNumber"),
        *("LoyaltyAccount/AccountNumber", "LoyaltyAccount/PrimaryAccountNumber", "OperatorID"),
    }
)

_NUMBERS_OF_PLACES = frozenset(
    {
        *("RetailStoreID", "WorkstationID", "UnitID", "TillID", "SequenceNumber", "TransactionID"),
        *("ReceiptNumber", "LineItemSequenceNumber", "CustomerOrderID", "OrderID"),
        *("OpenTransactionSequenceNumber", "CloseTransactionSequenceNumber", "BagID"),
    }
)

PROFILE = ScrubProfile(
    syntax="xml",
    pan=_CARD_NUMBERS,
    secret=_SECRETS,
    never=_NUMBERS_OF_GOODS | _NUMBERS_OF_PEOPLE | _NUMBERS_OF_PLACES,
)
