"""Settings of training."""

from typing import Final, Literal

from pydantic import Field, model_validator

from interest_migration.settings import Settings

Strategy = Literal["default", "one_device", "mirrored", "multi_worker", "tpu"]
ScoredTask = Literal["churn", "propensity", "new_interest", "next_category", "next_item"]
SCORED_TASKS: Final[tuple[ScoredTask, ...]] = ("churn", "propensity", "new_interest", "next_category")
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


class TrainingSettings(Settings):
    """How the model is trained.

    Attributes:
      epochs: Most passes over the training examples.
      batch_size: Examples per step, over all replicas.
      learning_rate: Highest learning rate, reached after the warm-up.
      warmup_share: Share of all steps over which the rate rises from 0.
      final_rate_share: Share of the highest rate that the cosine ends at.
      weight_decay: Decoupled decay of AdamW.
      clip_norm: Gradients are scaled down to this global norm.
      patience: Epochs without a better validation score before training stops.
      budget_seconds: Training ends before the epoch that would pass it; by default it may take any time.
      validation_examples: Examples of the eval split that are scored after every epoch, evenly spread; by default all.
      score: Tasks whose validation metrics are averaged into that score.
      seed: Seed of weights, dropout, sampling and order.
      deterministic: Whether the same seed and input give identical results (needs deterministic operations).
      precision: Arithmetic of the layers; weights and losses stay float32.
      strategy: `tf.distribute` strategy.
      tpu: Name or address of the TPU, for `tpu`.
      jit_compile: Whether XLA compiles the step; batches then have one fixed size and shape.
      max_events: Events per history that batches are padded to with `jit_compile` or on a TPU.
      max_interests: Likewise rows of the profile.
      max_labels: Likewise labels per set.
      memory_megabytes: Examples are kept decoded in memory if their files are smaller than this; else they are
        streamed.
      bucket_by_length: Whether a training batch holds histories of similar length, and fewer of long ones, so that
        little is padded. Examples kept in memory only, on one device, and not with batches of one fixed size.
      shuffle_examples: Size of the shuffle buffer when they are streamed.
      checkpoint_directory: Where training saves its state after every epoch and continues from after a kill; by default
        a folder of the run.
      calibration_share: Share of the training users that the model is not fitted to, but its probabilities are
        calibrated on; 0 calibrates nothing.
      calibration_half_life_days: Examples count half there for every so many days before the newest cut.
      label_share: Share of the users whose labels are used, in train and eval; the others' histories serve pretraining
        alone. A hash chooses them, and a smaller share is part of a larger one.
      warm_start: Whether training starts from the weights of the served model.
      warm_epochs: Most passes if it does; by default `epochs`. 0 takes the weights over as they are.
    """

    epochs: int = Field(12, ge=1)
    batch_size: int = Field(256, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    warmup_share: float = Field(0.05, ge=0, le=1)
    final_rate_share: float = Field(0.02, ge=0, le=1)
    weight_decay: float = Field(1e-2, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    patience: int = Field(3, ge=1)
    budget_seconds: float | None = Field(None, gt=0)
    validation_examples: int | None = Field(None, ge=1)
    score: tuple[ScoredTask, ...] = Field(SCORED_TASKS, min_length=1)
    seed: int = 0
    deterministic: bool = True
    precision: Precision = "float32"
    strategy: Strategy = "default"
    tpu: str = ""
    jit_compile: bool = False
    max_events: int = Field(192, ge=1)
    max_interests: int = Field(128, ge=1)
    max_labels: int = Field(256, ge=1)
    memory_megabytes: int = Field(400, ge=0)
    bucket_by_length: bool = True
    shuffle_examples: int = Field(20_000, ge=1)
    checkpoint_directory: str | None = None
    calibration_share: float = Field(0.1, ge=0, le=0.5)
    calibration_half_life_days: float = Field(56.0, gt=0)
    label_share: float = Field(1.0, gt=0, le=1)
    warm_start: bool = False
    warm_epochs: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _compilable(self) -> "TrainingSettings":
        if self.jit_compile and self.deterministic:
            raise ValueError("jit_compile needs deterministic: false, since XLA lacks deterministic operations")
        return self

    @property
    def static_shapes(self) -> bool:
        """Whether every batch must have the same shape, as compilation needs."""
        return self.jit_compile or self.strategy == "tpu"

    def when_warm(self) -> "TrainingSettings":
        """Returns the settings of a training that starts from learned weights; `epochs` may be 0 there."""
        return self if self.warm_epochs is None else self.model_copy(update={"epochs": self.warm_epochs})
