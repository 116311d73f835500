"""Deliveries: telling other systems what was applied, in order and each thing once."""
