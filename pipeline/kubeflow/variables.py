"""Environment variables that the compiled pipeline gives every container."""

from typing import Final

RUNS: Final = "INTEREST_MIGRATION_RUNS"
"""Folder of what became of runs."""

RUN_ID: Final = "INTEREST_MIGRATION_RUN_ID"
"""The run: a field of the pod, since a parameter would be part of the cache keys."""
