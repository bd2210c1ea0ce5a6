"""From one shard of events to examples: histories, aggregates, labels and splits, each defined once."""
