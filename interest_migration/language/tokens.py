"""Texts to token ids, by the tokenizer of the checkpoint."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from interest_migration.errors import InputError
from interest_migration.language.checkpoint import Checkpoint

_VOCABULARIES: Final = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model")


@dataclass(frozen=True)
class Tokens:
    """Token ids of texts, padded on the right.

    Attributes:
      ids: `[N, T]` int32.
      mask: `[N, T]` int32, 1 where there is a token.
    """

    ids: np.ndarray
    mask: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, `[N]`."""
        return self.mask.sum(axis=1)

    def take(self, rows: np.ndarray, length: int) -> Tokens:
        """Returns some texts, padded or cut to `length` tokens."""
        width = min(length, self.ids.shape[1])
        padding = ((0, 0), (0, length - width))
        return Tokens(np.pad(self.ids[rows, :width], padding), np.pad(self.mask[rows, :width], padding))


class TextTokenizer:
    """The tokenizer of a checkpoint.

    Args:
      checkpoint: Where its files lie.
      max_tokens: Longest text, special tokens included.

    Raises:
      InputError: If the files of the tokenizer are missing or damaged.
    """

    def __init__(self, checkpoint: Checkpoint, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._tokenizer = _load(checkpoint)
        self.special_tokens = int(self._tokenizer.num_special_tokens_to_add())

    def __call__(self, texts: list[str]) -> Tokens:
        """Returns the tokens of texts, cut to `max_tokens`.

        Example:
          ["red shoes", ""] -> ids [[101, 2417, 6007, 102], [101, 102, 0, 0]], mask [[1, 1, 1, 1], [1, 1, 0, 0]].
        """
        if not texts:
            return Tokens(np.zeros((0, 1), np.int32), np.zeros((0, 1), np.int32))
        found = self._tokenizer(
            texts,
            padding="longest",
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="np",
            return_attention_mask=True,
            return_token_type_ids=False,
        )
        return Tokens(found["input_ids"].astype(np.int32), found["attention_mask"].astype(np.int32))

    def save(self, folder: Path) -> None:
        """Writes the files of the tokenizer."""
        self._tokenizer.save_pretrained(folder)


def _load(checkpoint: Checkpoint) -> Any:
    folder = checkpoint.folder
    if not any((folder / name).exists() for name in _VOCABULARIES):  # transformers would make one without words
        raise InputError(
            f"expected the files of a tokenizer (one of {', '.join(_VOCABULARIES)}) in {folder}, received none"
        )
    logging.getLogger("transformers").addFilter(_without_torch)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="right")
    except Exception as error:
        raise InputError(
            f"expected the files of a tokenizer in {folder}, received what transformers cannot read: "
            f"{str(error).splitlines()[0]}"
        ) from error
    words = int(checkpoint.config.get("vocab_size", 0))
    if len(tokenizer) > words:
        raise InputError(
            f"expected a tokenizer of at most {words} tokens, as config.json says, received {len(tokenizer)}"
        )
    return tokenizer


def _without_torch(record: logging.LogRecord) -> bool:
    """Drops the advice to install PyTorch: only tokenizers are wanted."""
    return "PyTorch was not found" not in record.getMessage()
