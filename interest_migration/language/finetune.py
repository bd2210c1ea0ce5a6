"""Tunes the language model to what follows what on the platform."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import keras
import numpy as np
import pyarrow as pa
import tensorflow as tf

from interest_migration.errors import ConfigError, ContractError, DataError
from interest_migration.language.adapter import PROJECTION, Adapter, tuned_layers
from interest_migration.language.backbone import load_backbone
from interest_migration.language.contrast import follower_losses
from interest_migration.language.distinct import distinct_texts
from interest_migration.language.pooling import pooled_output
from interest_migration.language.settings import LoraSettings
from interest_migration.language.text_encoder import TextEncoder
from interest_migration.language.text_pairs import Batch, TextPairs
from interest_migration.language.tokens import Tokens

_MOST_HELD_OUT: Final = 1024  # pairs that are scored after every pass
_BATCH: Final = (
    tf.TensorSpec((None, None), tf.int32, "token_ids"),
    tf.TensorSpec((None, None), tf.int32, "attention_mask"),
    tf.TensorSpec((None,), tf.int32, "anchors"),
    tf.TensorSpec((None,), tf.int32, "candidates"),
    tf.TensorSpec((None,), tf.int32, "positives"),
    tf.TensorSpec((None, None), tf.bool, "allowed"),
    tf.TensorSpec((None,), tf.float32, "inclusion"),
)


def finetune(
    encoder: TextEncoder,
    texts: pa.Array | Sequence[str | None],
    pairs: TextPairs,
    settings: LoraSettings,
    report: Callable[[str], None],
) -> TextEncoder:
    """Learns low-rank changes of the attention and a projection, so that a text comes close to what follows it.

    Pairs are drawn in proportion to their weights; each follower is told apart from all others of its batch. A random
    share of the pairs is held out, and the changes that score best on it are kept. The same seed gives the same result.

    Args:
      encoder: An encoder that was not tuned yet.
      texts: `[N]` texts that the pairs are about.
      pairs: What followed what in training histories.
      settings: How to tune; its rank is at least 1.
      report: Receives one line per pass.

    Returns:
      An encoder with the changes merged into its weights; the given one if none was better on held-out pairs.

    Raises:
      ContractError: If the pairs do not fit the texts, the rank is 0, or the encoder was tuned before.
      DataError: If fewer than two different pairs remain.
      ConfigError: If the loss is no longer a number.
    """
    if settings.rank < 1 or encoder.adapter is not None:
        raise ContractError(f"expected a rank of at least 1 and an encoder as loaded, received rank {settings.rank}")
    different, numbers = distinct_texts(texts)
    pairs.check(len(numbers))
    tokens = encoder.tokenizer(different)
    pairs = pairs.renumbered(numbers, tokens.lengths > encoder.tokenizer.special_tokens)
    if len(pairs) < 2:
        raise DataError(f"expected at least 2 pairs of different texts to tune on, received {len(pairs)}")
    tuning = Tuning(encoder, tokens, pairs, settings)
    adapter = tuning.run(report)
    return encoder if adapter is None else encoder.with_adapter(adapter)


class Tuning:
    """One tuning.

    Args:
      encoder: Where it starts from.
      tokens: Of the different texts.
      pairs: Different pairs of them.
      settings: How to tune.
    """

    def __init__(self, encoder: TextEncoder, tokens: Tokens, pairs: TextPairs, settings: LoraSettings) -> None:
        self.encoder, self.tokens, self.settings = encoder, tokens, settings
        self.random = np.random.default_rng(settings.seed)
        self.training, held_out = pairs.split(settings.held_out_share, self.random)
        self.held_out = held_out.draw(min(len(held_out), _MOST_HELD_OUT), self.random)
        self.steps = min(settings.max_steps, math.ceil(len(self.training) / settings.batch_size))
        self.inclusion = _inclusion(self.training, len(tokens.ids), settings)
        self.backbone = load_backbone(encoder.checkpoint)
        self.variables = self._variables()
        self.optimizer = _optimizer(settings, self.steps * settings.epochs)
        self._step = tf.function(self._update, input_signature=_BATCH, autograph=False)
        self._score = tf.function(self._loss, input_signature=_BATCH, autograph=False)

    def run(self, report: Callable[[str], None]) -> Adapter | None:
        """Returns the changes that are best on held-out pairs; None if the model as it was is."""
        start = lowest = self._held_out_loss()
        best, since = None, 0
        report(f"tuning the language model on {len(self.training):,} pairs; held-out loss {start:.4f}")
        for epoch in range(self.settings.epochs):
            drawn = self.training.draw(self.steps * self.settings.batch_size, self.random)
            losses = [float(self._step(*batch)) for batch in self._batches(drawn)]
            loss, held_out = float(np.mean(losses)), self._held_out_loss()
            if not math.isfinite(loss + held_out):
                raise ConfigError(
                    f"expected a finite loss, received {loss}: lower lora.learning_rate ({self.settings.learning_rate})"
                )
            report(f"pass {epoch + 1}/{self.settings.epochs} loss {loss:.4f} held-out {held_out:.4f}")
            since += 1
            if held_out < lowest:
                lowest, best, since = held_out, self._adapter(), 0
            if since >= self.settings.patience:
                break
        return best

    def _variables(self) -> dict[str, Any]:
        self.backbone.enable_lora(self.settings.rank)
        found: dict[str, Any] = {}
        for name, layer in tuned_layers(self.backbone).items():
            down = layer.lora_kernel_a
            deviation = 1 / math.sqrt(down.shape[0])
            down.assign(self.random.normal(0, deviation, down.shape).astype(np.float32))
            found |= {f"{name}.a": down, f"{name}.b": layer.lora_kernel_b}
        width = self.encoder.width
        return found | {PROJECTION: keras.Variable(np.zeros((width, width), np.float32), name=PROJECTION)}

    def _adapter(self) -> Adapter:
        values = {name: np.array(variable.numpy()) for name, variable in self.variables.items()}
        return Adapter(self.encoder.checkpoint.digest, values)

    def _held_out_loss(self) -> float:
        sums = [float(self._score(*batch)) * len(batch[2]) for batch in self._batches(self.held_out)]
        return sum(sums) / len(self.held_out)

    def _batches(self, pairs: TextPairs) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(pairs), self.settings.batch_size):
            batch = Batch.of(pairs.take(np.arange(start, min(start + self.settings.batch_size, len(pairs)))))
            part = self.tokens.take(batch.texts, int(self.tokens.lengths[batch.texts].max()))
            inclusion = self.inclusion[batch.texts[batch.candidates]]
            arrays = (part.ids, part.mask, batch.anchors, batch.candidates, batch.positives, batch.allowed, inclusion)
            yield tuple(map(tf.constant, arrays))

    def _update(self, *batch: Any) -> Any:
        variables = list(self.variables.values())
        with tf.GradientTape() as tape:
            loss = self._loss(*batch)
        self.optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return loss

    def _loss(
        self, ids: Any, mask: Any, anchors: Any, candidates: Any, positives: Any, allowed: Any, inclusion: Any
    ) -> Any:
        pooled = pooled_output(self.backbone, ids, mask, self.encoder.checkpoint.pooling)
        vectors = pooled + tf.matmul(pooled, self.variables[PROJECTION].value)
        losses = follower_losses(
            tf.gather(vectors, anchors),
            tf.gather(vectors, candidates),
            positives,
            allowed,
            inclusion,
            self.settings.temperature,
        )
        return tf.reduce_mean(losses)


def _inclusion(pairs: TextPairs, texts: int, settings: LoraSettings) -> np.ndarray:
    """Returns the probability that a batch holds each text as a follower, to the power of the correction, `[texts]`.

    A text that follows in held-out pairs alone counts as half as rare as the rarest of the others.
    """
    shares = pairs.follower_shares(texts)
    shares = np.maximum(shares, shares[shares > 0].min() / 2)
    held = -np.expm1(settings.batch_size * np.log1p(-np.minimum(shares, 1 - 1e-9)))
    return (held**settings.popularity_correction).astype(np.float32)


def _optimizer(settings: LoraSettings, steps: int) -> keras.optimizers.Optimizer:
    warmup = max(1, steps // 10)
    first = settings.learning_rate / warmup
    rate = keras.optimizers.schedules.CosineDecay(
        first, max(1, steps - warmup), warmup_target=settings.learning_rate, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(rate, weight_decay=0.01, global_clipnorm=1.0)
