"""Settings of pretraining."""

from pydantic import Field

from interest_migration.settings import Settings


class PretrainingWeights(Settings):
    """Weights of the self-supervised objectives; 0 switches one off. What each is: docs/pretraining.md.

    Attributes:
      sequence: Next category and next item at the positions of the history before its newest step.
      later: What a later history of the same user shows of the time after the cut, for every task of the model.
      masked: Category and item of hidden events, from the rest of their step and from what came before.
      contrast: Two altered views of one history against those of other users.
    """

    sequence: float = Field(1.0, ge=0)
    later: float = Field(1.0, ge=0)
    masked: float = Field(0.1, ge=0)
    contrast: float = Field(0.1, ge=0)


class PretrainingSettings(Settings):
    """How the model is trained before it sees labels.

    Attributes:
      epochs: Passes over all training examples, labelled or not; 0 is no pretraining.
      learning_rate: Highest learning rate.
      mask_share: Share of events that are hidden in a view.
      crop_share: Least share of a history's steps that the second view keeps, the newest.
      temperature: Of the contrastive objective.
      weights: Weights of the objectives.
    """

    epochs: int = Field(0, ge=0)
    learning_rate: float = Field(2e-3, gt=0)
    mask_share: float = Field(0.15, gt=0, lt=1)
    crop_share: float = Field(0.6, gt=0, le=1)
    temperature: float = Field(0.2, gt=0)
    weights: PretrainingWeights = PretrainingWeights()
