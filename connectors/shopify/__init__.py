"""Shopify: orders, refunds and customers from webhooks and the REST Admin API."""

from connectors.shopify.connector import connector

__all__ = ["connector"]
