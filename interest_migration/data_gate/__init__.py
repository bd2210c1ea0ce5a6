"""The data gate: whether data may be learned from."""
