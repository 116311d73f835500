"""The store agent: what stands in the store, captures records and ships them to the hub."""
