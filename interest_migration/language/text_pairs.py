"""Pairs of texts, the second of which followed the first, and batches of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interest_migration.errors import ContractError


@dataclass(frozen=True)
class TextPairs:
    """What followed what in the histories of training.

    Attributes:
      anchors: `[P]` int64 index of the earlier text.
      followers: `[P]` int64 index of the later text.
      weights: `[P]` float, positive: how often, or how strongly.
    """

    anchors: np.ndarray
    followers: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.anchors)

    def check(self, texts: int) -> None:
        """Checks that the pairs are about `texts` texts.

        Raises:
          ContractError: If they are not.
        """
        shapes = {np.shape(values) for values in (self.anchors, self.followers, self.weights)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ContractError(f"expected anchors, followers and weights of one length, received shapes {shapes}")
        both = np.concatenate([self.anchors, self.followers])
        if len(both) and (both.min() < 0 or both.max() >= texts):
            raise ContractError(f"expected indices of {texts} texts, received {both.min()} to {both.max()}")
        if not (np.isfinite(self.weights).all() and (np.asarray(self.weights) > 0).all()):
            raise ContractError("expected positive finite weights of pairs, received others; leave such pairs out")

    def renumbered(self, numbers: np.ndarray, known: np.ndarray) -> TextPairs:
        """Returns each different pair once, with new numbers of texts, their weights summed up.

        Args:
          numbers: `[N]` new number of each text; the same for equal texts.
          known: `[M]` bool, whether a new number can be learned from; pairs with others are left out, as are pairs of a
            text with itself.
        """
        anchors, followers = numbers[self.anchors].astype(np.int64), numbers[self.followers].astype(np.int64)
        kept = (anchors != followers) & known[anchors] & known[followers]
        codes, rows = np.unique(anchors[kept] * len(known) + followers[kept], return_inverse=True)
        weights = np.bincount(rows, np.asarray(self.weights, np.float64)[kept], len(codes))
        return TextPairs(codes // len(known), codes % len(known), weights)

    def take(self, rows: np.ndarray) -> TextPairs:
        """Returns some of the pairs."""
        return TextPairs(self.anchors[rows], self.followers[rows], self.weights[rows])

    def split(self, share: float, random: np.random.Generator) -> tuple[TextPairs, TextPairs]:
        """Returns the pairs to learn from and a random share that is held out, at least one."""
        order = random.permutation(len(self))
        held_out = max(1, round(share * len(self)))
        return self.take(np.sort(order[held_out:])), self.take(np.sort(order[:held_out]))

    def draw(self, count: int, random: np.random.Generator) -> TextPairs:
        """Draws pairs with replacement, in proportion to their weights."""
        return self.take(random.choice(len(self), size=count, p=self.weights / self.weights.sum()))

    def follower_shares(self, texts: int) -> np.ndarray:
        """Returns how often each text is the follower in a draw, `[texts]` float64."""
        return np.bincount(self.followers, self.weights, texts) / self.weights.sum()


@dataclass(frozen=True)
class Batch:
    """Pairs of one step, by row among the different texts of the step.

    Attributes:
      texts: `[U]` numbers of the different texts.
      anchors: `[B]` int32 rows of `texts`.
      candidates: `[C]` int32 rows of `texts`: the different followers.
      positives: `[B]` int32 rows of `candidates`.
      allowed: `[B, C]` bool, false where the candidate is the anchor itself.
    """

    texts: np.ndarray
    anchors: np.ndarray
    candidates: np.ndarray
    positives: np.ndarray
    allowed: np.ndarray

    @classmethod
    def of(cls, pairs: TextPairs) -> Batch:
        """Numbers the texts of some pairs.

        Example:
          7 -> 9 and 9 -> 7: texts 7, 9; anchors 0, 1; candidates 0, 1; positives 1, 0; only those are allowed.
        """
        texts, rows = np.unique(np.concatenate([pairs.anchors, pairs.followers]), return_inverse=True)
        anchors, followers = rows[: len(pairs)], rows[len(pairs) :]
        candidates, positives = np.unique(followers, return_inverse=True)
        return cls(
            texts,
            anchors.astype(np.int32),
            candidates.astype(np.int32),
            positives.astype(np.int32),
            anchors[:, np.newaxis] != candidates,
        )
