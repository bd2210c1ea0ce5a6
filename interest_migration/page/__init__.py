"""A page where a person builds a user's past and watches the answers move; the local server serves it."""
