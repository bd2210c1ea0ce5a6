"""TFX components: they read artifacts, call `interest_migration` and write artifacts."""

from typing import Any

__all__ = ["Comparison", "Decision", "Flows", "Rejects", "Summary"]


def __getattr__(name: str) -> Any:
    """Finds artifact types, which orchestrators import as `components.Rejects`, without loading TFX for the rest."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from components import artifacts

    return getattr(artifacts, name)
