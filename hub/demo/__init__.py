"""An obviously invented retailer and its day, written in the formats of real systems.

Values first: ``till`` and ``shop`` draw plain values from a seed, the writers turn them into
bytes, and ``ledger`` sums the values up. Whoever feeds the bytes to a hub therefore has an oracle
that never looked at the hub. Nothing in here is anyone's data.
"""
