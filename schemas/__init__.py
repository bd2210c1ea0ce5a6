"""The contract: what an event, a feature and a signature are called, hold and mean."""
