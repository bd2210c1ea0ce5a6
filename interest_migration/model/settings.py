"""Hyperparameters of the model."""

from pydantic import Field, model_validator

from interest_migration.settings import Settings


class LossWeights(Settings):
    """Weights of the objectives in the total loss; 0 switches one off.

    Attributes:
      next_category: Next category at the cut.
      category_sequence: Next category at the positions before.
      next_item: Next item at the cut.
      item_sequence: Next item at the positions before.
      new_item: Next item at the cut among some that are treated as new, by their texts; 0 without a language model.
      propensity: Categories in the horizons, mean over categories and then over horizons.
      new_interest: New interests in the horizons, mean over candidates and then over horizons.
      churn: Churn, mean over horizons.
      switch: Whether the next step leaves the current categories.
    """

    next_category: float = Field(0.3, ge=0)
    category_sequence: float = Field(0.3, ge=0)
    next_item: float = Field(0.1, ge=0)
    item_sequence: float = Field(0.1, ge=0)
    new_item: float = Field(1.0, ge=0)
    propensity: float = Field(10.0, ge=0)
    new_interest: float = Field(10.0, ge=0)
    churn: float = Field(1.0, ge=0)
    switch: float = Field(0.3, ge=0)


class GraphSettings(Settings):
    """A graph of counted transitions, see `interest_migration.model.transition_graph`.

    Attributes:
      steps: K, most steps that a counted transition leads over, and from which the newest events are read.
      decay: Weight of a transition over k steps, to the power k - 1.
      both_ways: Whether it also counts as one back, which makes "followed by" into "found near".
      cosine: Whether counts are divided by the square roots of how often either end is found.
      neighbours: N, followers kept of every id.
      sources: M, newest events whose followers are read.
    """

    steps: int = Field(3, ge=1)
    decay: float = Field(0.7, gt=0, le=1)
    both_ways: bool = False
    cosine: bool = False
    neighbours: int = Field(64, ge=1)
    sources: int = Field(16, ge=1)


class TextSettings(Settings):
    """How the model reads the vectors of a language model, where there is one.

    Attributes:
      hidden_share: Share of the items that the histories of each training batch know by their text alone (after
        DropoutNet, Volkovs et al. 2017), so that new items can be read.
      only: Items are always known by their text alone, and no category, brand, platform or price is read of events:
        what remains means the same on every platform.
      new_items: Items drawn per batch that learn to be told apart by their texts alone, see `new_items`.
    """

    hidden_share: float = Field(0.2, ge=0, le=1)
    only: bool = False
    new_items: int = Field(512, ge=2)


class ModelSettings(Settings):
    """Size and shape of the model.

    Attributes:
      width: D, width of step vectors and embeddings.
      layers: Transformer blocks.
      heads: Attention heads; a divisor of `width`.
      feedforward_width: Inner width of a block.
      dropout: Share of units dropped in blocks, fusion and heads.
      embedding_dropout: Share of units of step vectors dropped.
      max_steps: S, newest steps read.
      loss_steps: Newest positions that carry a loss; histories of successive cuts overlap, so a few cover every step.
      profile_width: Hidden width of the part that reads the interest profile.
      aggregate_width: Hidden width of the part that reads the aggregates.
      full_softmax_items: Largest item vocabulary whose softmax is taken over all items.
      sampled_items: Negatives drawn per batch above that size.
      buy_again: Whether items of the history may come next; if not, they are left out of every ranking of items.
      item_graphs: Graphs of what is counted to follow an item; each adds to the logits of the next item at the cut.
      category_graphs: The same for categories.
      pair_categories: At most so many categories, the most frequent ones, are scored pair by pair with every user.
      churn_trees: Boosted trees per horizon whose churn score is blended with the network's, as far as this helps users
        that neither was fitted to; 0 leaves the network alone.
      new_interest_half_life_days: Examples count half in the new-interest objective for every so many days that they
        were cut before the newest one. A log does not tell what users touched before it began: early in it, old
        interests pass for new ones.
      text: How vectors of texts are read.
      loss_weights: Weights of the objectives.
    """

    width: int = Field(64, ge=4)
    layers: int = Field(2, ge=1)
    heads: int = Field(2, ge=1)
    feedforward_width: int = Field(128, ge=4)
    dropout: float = Field(0.2, ge=0, lt=1)
    embedding_dropout: float = Field(0.2, ge=0, lt=1)
    max_steps: int = Field(64, ge=1, le=4096)
    loss_steps: int = Field(8, ge=1)
    profile_width: int = Field(32, ge=4)
    aggregate_width: int = Field(64, ge=4)
    full_softmax_items: int = Field(20_000, ge=0)
    sampled_items: int = Field(1_024, ge=1)
    buy_again: bool = True
    item_graphs: tuple[GraphSettings, ...] = (GraphSettings(),)
    category_graphs: tuple[GraphSettings, ...] = (GraphSettings(),)
    pair_categories: int = Field(1_024, ge=1)
    churn_trees: int = Field(200, ge=0)
    new_interest_half_life_days: float = Field(14.0, gt=0)
    text: TextSettings = TextSettings()
    loss_weights: LossWeights = LossWeights()

    @model_validator(mode="after")
    def _divisible(self) -> "ModelSettings":
        if self.width % self.heads:
            raise ValueError(f"expected width to be a multiple of heads, received {self.width} and {self.heads}")
        return self


class VocabularySizes(Settings):
    """V of each vocabulary: ids 1..V are values, 0 is none and V + 1 out of vocabulary.

    `text_width` is W, the width of the vectors of a language model; 0 without one.
    """

    categories: int = Field(ge=1)
    items: int = Field(ge=1)
    parents: int = Field(ge=1)
    children: int = Field(ge=1)
    brands: int = Field(ge=1)
    platforms: int = Field(ge=1)
    texts: int = Field(1, ge=1)
    price_buckets: int = Field(ge=1)
    sessions: int = Field(ge=1)
    text_width: int = Field(0, ge=0)
