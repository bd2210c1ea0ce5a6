"""From raw features to ids and buckets: the pure part of Transform, in graph operations."""
