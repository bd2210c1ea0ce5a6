"""Settings of vocabularies and buckets."""

from pydantic import Field

from interest_migration.settings import Settings


class VocabularySettings(Settings):
    """Which values get an id of their own; the others share the out-of-vocabulary id.

    Attributes:
      min_count: Fewest occurrences in the train split.
      max_size: Most values kept, the most frequent first.
    """

    min_count: int = Field(1, ge=1)
    max_size: int = Field(100_000, ge=1)


class TransformSettings(Settings):
    """Definition of the transformed features.

    Attributes:
      categories: Counted once per example that has the category in its interest profile or labels.
      items: Counted once per event of every history; histories of later cuts repeat events.
      parents: As items.
      children: As items.
      brands: As items.
      platforms: As items.
      texts: Texts of searches, messages and reviews, as items.
      price_buckets: Number of quantile buckets of prices.
      max_sessions: Sessions further back share the index `max_sessions - 1`.
    """

    categories: VocabularySettings = VocabularySettings(min_count=2, max_size=20_000)
    items: VocabularySettings = VocabularySettings(min_count=20, max_size=20_000)
    parents: VocabularySettings = VocabularySettings(min_count=5, max_size=20_000)
    children: VocabularySettings = VocabularySettings(min_count=5, max_size=20_000)
    brands: VocabularySettings = VocabularySettings(min_count=20, max_size=20_000)
    platforms: VocabularySettings = VocabularySettings(min_count=20, max_size=2_000)
    texts: VocabularySettings = VocabularySettings(min_count=20, max_size=20_000)
    price_buckets: int = Field(20, ge=2)
    max_sessions: int = Field(32, ge=1)
