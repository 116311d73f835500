"""Which Shopify fields look like card data and are none.

Shopify masks card numbers itself; where a gateway or an app did not, the common names apply. Free
text stays under the general rule: notes, tags, properties, gateway receipts, telephone numbers,
and even an order's ``name``, because the same key elsewhere holds what customers typed.
"""

from __future__ import annotations

from connectors.scrub import ScrubProfile

__all__ = ["PROFILE"]

_NATIVE_IDS = frozenset(
    {
        *("id", "app_id", "assigned_location_id", "checkout_id", "customer_id", "device_id"),
        *("duty_id", "fulfillment_id", "inventory_item_id", "last_order_id", "line_item_id"),
        *("location_id", "merchant_of_record_app_id", "order_id", "original_location_id"),
        *("origin_location_id", "parent_id", "payment_id", "payout_id", "price_rule_id"),
        *("product_id", "refund_id", "return_id", "shop_id", "source_id", "source_order_id"),
        *("source_order_transaction_id", "subject_id", "user_id", "variant_id"),
        *("admin_graphql_api_id", "multipass_identifier", "source_identifier", "po_number"),
        *("number", "order_number", "confirmation_number", "last_order_name"),
        *("token", "cart_token", "checkout_token"),
    }
)

_NUMBERS_OF_GOODS = frozenset(
    {
        *("sku", "barcode", "harmonized_system_code", "tracking_number", "tracking_numbers"),
        *("tracking_url", "tracking_urls", "order_status_url"),
    }
)

PROFILE = ScrubProfile(syntax="json", never=_NATIVE_IDS | _NUMBERS_OF_GOODS)
"""How Shopify's documents are scrubbed."""
