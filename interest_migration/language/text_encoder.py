"""Texts to vectors of unit length."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

import keras
import numpy as np
import pyarrow as pa
import tensorflow as tf

from interest_migration.errors import ContractError, InputError
from interest_migration.language.adapter import Adapter
from interest_migration.language.backbone import load_backbone, longest_text
from interest_migration.language.checkpoint import Checkpoint, find_checkpoint
from interest_migration.language.distinct import distinct_texts
from interest_migration.language.encoder_export import export_encoder
from interest_migration.language.pooling import pooled_output, to_unit_length
from interest_migration.language.settings import LanguageSettings
from interest_migration.language.tokens import TextTokenizer, Tokens

_LENGTH_STEP: Final = 8  # texts are padded to a multiple of it, so that few shapes occur
_COMPILED_FROM: Final = 16  # full batches of one shape from which compiling it with XLA (a second) pays
_TEXTS_AT_ONCE: Final = 16_384  # are tokenized together
_VERSION: Final = 1  # of the arithmetic here; a change makes cached vectors stale


class TextEncoder:
    """A pretrained language model that maps a text to a vector.

    The vector of a text is the pooled output of the model, divided by its norm, so that the inner product of two
    vectors is their cosine. Without a word (an empty text) it is zero.

    Args:
      settings: How texts are read.
      checkpoint: The checkpoint of the settings.
      tokenizer: Its tokenizer.
      backbone: Its model, as loaded.
      adapter: What tuning changed; it is merged into the backbone.

    Attributes:
      width: Numbers per vector.
      digest: Changes whenever a vector may change: with weights, tokenizer, pooling and `max_tokens`.
    """

    def __init__(
        self,
        settings: LanguageSettings,
        checkpoint: Checkpoint,
        tokenizer: TextTokenizer,
        backbone: keras.Model,
        adapter: Adapter | None = None,
    ) -> None:
        self.settings, self.checkpoint, self.tokenizer, self.backbone = settings, checkpoint, tokenizer, backbone
        self.adapter = adapter
        self.width = int(backbone.hidden_dim)
        self.digest = _digest(settings, checkpoint, adapter)
        self._projection = None if adapter is None else adapter.projection()
        if adapter is not None:
            adapter.merge_into(backbone)
        shape = tf.TensorSpec((None, None), tf.int32)
        self._run = tf.function(self.encode_tokens, input_signature=(shape, shape), autograph=False)
        self._run_compiled = tf.function(self.encode_tokens, jit_compile=True, autograph=False)

    @classmethod
    def load(cls, settings: LanguageSettings, adapter: Path | None = None) -> Self:
        """Loads the checkpoint of the settings.

        Args:
          settings: How texts are read.
          adapter: File of what tuning changed, as `save_adapter` wrote it; None for the checkpoint as it is.

        Raises:
          InputError: If it cannot be loaded, or `max_tokens` is more than it has positions for.
        """
        checkpoint = find_checkpoint(settings)
        longest = longest_text(checkpoint)
        if settings.max_tokens > longest:
            raise InputError(
                f"expected max_tokens of at most {longest}, the positions of {settings.checkpoint}, received "
                f"{settings.max_tokens}"
            )
        tokenizer = TextTokenizer(checkpoint, settings.max_tokens)
        change = None if adapter is None else Adapter.load(adapter, checkpoint)
        return cls(settings, checkpoint, tokenizer, load_backbone(checkpoint), change)

    def with_adapter(self, adapter: Adapter) -> Self:
        """Returns another encoder of the same checkpoint, with changes merged into its weights."""
        return type(self)(self.settings, self.checkpoint, self.tokenizer, load_backbone(self.checkpoint), adapter)

    def save_adapter(self, path: Path) -> None:
        """Writes what tuning changed, for `load`.

        Raises:
          ContractError: If the encoder was not tuned.
        """
        if self.adapter is None:
            raise ContractError("expected a tuned encoder, received one as loaded, which has no adapter to save")
        self.adapter.save(path)

    def export(self, directory: Path) -> None:
        """Writes a SavedModel from token ids to vectors, and the tokenizer, for clients of the served model."""
        export_encoder(self, directory)

    def embed(self, texts: pa.Array | Sequence[str | None], report: Callable[[str], None] | None = None) -> np.ndarray:
        """Returns the vectors of texts; each different text is computed once.

        Args:
          texts: `[N]` texts; null counts as empty.
          report: Receives a line now and then.

        Returns:
          `[N, W]` float32; rows have length 1, or 0 for a text without words.

        Example:
          embed(["red shoes", "scarlet sneakers", ""]) -> rows 0 and 1 have a cosine of about .6; row 2 is zero.
        """
        different, rows = distinct_texts(texts)
        if not different:
            return np.zeros((len(rows), self.width), np.float32)
        vectors = np.empty((len(different), self.width), np.float32)
        for start in range(0, len(different), _TEXTS_AT_ONCE):
            tokens = self.tokenizer(different[start : start + _TEXTS_AT_ONCE])
            for batch, values in self._batches(tokens):
                vectors[start + batch] = values
            if report is not None:
                report(f"embedded {start + len(tokens.ids):,} of {len(different):,} texts")
        return vectors[rows]

    def encode_tokens(self, token_ids: Any, attention_mask: Any) -> Any:
        """Returns the vectors of tokenized texts; can be traced into a graph.

        Args:
          token_ids: `[B, T]` int32.
          attention_mask: `[B, T]` int32, 1 where there is a token.

        Returns:
          `[B, W]` float32.
        """
        pooled = pooled_output(self.backbone, token_ids, attention_mask, self.checkpoint.pooling)
        if self._projection is not None:
            pooled = tf.matmul(pooled, self._projection)
        vectors = to_unit_length(pooled)
        has_words = tf.reduce_sum(attention_mask, axis=1) > self.tokenizer.special_tokens
        return tf.where(has_words[:, tf.newaxis], vectors, 0.0)

    def _batches(self, tokens: Tokens) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields rows and their vectors, texts of like length together."""
        lengths = -(-tokens.lengths // _LENGTH_STEP) * _LENGTH_STEP
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            width = min(int(length), self.settings.max_tokens)
            compiled = len(rows) >= _COMPILED_FROM * self.settings.batch_size
            for start in range(0, len(rows), self.settings.batch_size):
                batch = rows[start : start + self.settings.batch_size]
                full = len(batch) == self.settings.batch_size
                run = self._run_compiled if compiled and full else self._run
                part = tokens.take(batch, width)
                yield batch, run(tf.constant(part.ids), tf.constant(part.mask)).numpy()


def _digest(settings: LanguageSettings, checkpoint: Checkpoint, adapter: Adapter | None) -> str:
    parts = [str(_VERSION), checkpoint.digest, str(settings.max_tokens), *([adapter.digest] if adapter else [])]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()
