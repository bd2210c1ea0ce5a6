"""How far two versions answer the same requests alike."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from schemas.signatures import (
    CHURN_PROBABILITY,
    NEW_INTEREST,
    NEXT_CATEGORY,
    NEXT_CATEGORY_PROBABILITY,
    NEXT_ITEM,
    SWITCH_PROBABILITY,
)

TOP: Final = "next_category_same_first"
"""Share of users for whom both rank the same category first."""
_RANKED: Final = (NEXT_CATEGORY, NEXT_ITEM, *NEW_INTEREST.values())
_SHARES: Final = (*CHURN_PROBABILITY.values(), SWITCH_PROBABILITY)
Outputs = Mapping[str, Any]
"""Output name -> array, the first axis users."""


class Agreement:
    """Gathers measures over users.

    Example:
      stable ranks a, b and canary b, c -> same first 0, overlap of two 0.5
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = defaultdict(list)

    def add(self, stable: Outputs, canary: Outputs) -> None:
        """Adds the answers to one request; outputs that only one has are left out."""
        both = stable.keys() & canary.keys()
        for name in _RANKED:
            if name in both:
                for mine, other in zip(stable[name], canary[name], strict=True):
                    self._add_ranking(name, list(mine), list(other))
        if {NEXT_CATEGORY, NEXT_CATEGORY_PROBABILITY} <= both:
            self._add_first(stable, canary)
        for name in _SHARES:
            if name in both:
                difference = np.abs(np.asarray(stable[name], np.float64) - np.asarray(canary[name], np.float64))
                self._values[f"{name}_difference"].extend(difference.ravel().tolist())

    def measures(self) -> dict[str, float]:
        """Returns the means: `..._same_first` and `..._overlap` (1 is the same), `..._difference` (0 is the same)."""
        return {name: float(np.mean(values)) for name, values in sorted(self._values.items())}

    def _add_ranking(self, name: str, mine: list[Any], other: list[Any]) -> None:
        mine, other = [value for value in mine if value], [value for value in other if value]
        length = max(len(mine), len(other))
        self._values[f"{name}_overlap"].append(len(set(mine) & set(other)) / length if length else 1.0)
        self._values[f"{name}_same_first"].append(float(mine[:1] == other[:1]))

    def _add_first(self, stable: Outputs, canary: Outputs) -> None:
        """The probability of the stable version's first category; 0 where the canary's list lacks it."""
        rows = zip(
            *(stable[name] for name in (NEXT_CATEGORY, NEXT_CATEGORY_PROBABILITY)),
            *(canary[name] for name in (NEXT_CATEGORY, NEXT_CATEGORY_PROBABILITY)),
            strict=True,
        )
        for names, shares, other_names, other_shares in rows:
            others = dict(zip(other_names, other_shares, strict=True))
            difference = abs(float(shares[0]) - float(others.get(names[0], 0.0)))
            self._values[f"{NEXT_CATEGORY_PROBABILITY}_difference"].append(difference)
