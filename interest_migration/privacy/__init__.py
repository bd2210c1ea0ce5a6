"""Pseudonyms for user ids, and the key they are made with."""
