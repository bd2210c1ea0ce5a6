"""Weights of a checkpoint, by the names that the BERT family gives them.

Every model of the family is BERT with small differences, and one table of names covers them: prefixes (`bert.`,
`roberta.`, none) are optional, old checkpoints call scale and offset of a normalisation `gamma` and `beta`, DistilBERT
has names of its own and no segments, and RoBERTa counts positions from behind the padding id.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import numpy as np

from interest_migration.errors import InputError
from interest_migration.language.checkpoint import Checkpoint

_PREFIXES: Final = ("", "bert.", "roberta.", "distilbert.", "xlm_roberta.")
_BERT: Final = {
    "query": "encoder.layer.{}.attention.self.query",
    "key": "encoder.layer.{}.attention.self.key",
    "value": "encoder.layer.{}.attention.self.value",
    "attention_output": "encoder.layer.{}.attention.output.dense",
    "attention_norm": "encoder.layer.{}.attention.output.LayerNorm",
    "intermediate": "encoder.layer.{}.intermediate.dense",
    "output": "encoder.layer.{}.output.dense",
    "output_norm": "encoder.layer.{}.output.LayerNorm",
}
_DISTILBERT: Final = {
    "query": "transformer.layer.{}.attention.q_lin",
    "key": "transformer.layer.{}.attention.k_lin",
    "value": "transformer.layer.{}.attention.v_lin",
    "attention_output": "transformer.layer.{}.attention.out_lin",
    "attention_norm": "transformer.layer.{}.sa_layer_norm",
    "intermediate": "transformer.layer.{}.ffn.lin1",
    "output": "transformer.layer.{}.ffn.lin2",
    "output_norm": "transformer.layer.{}.output_layer_norm",
}
_OLD: Final = {"weight": "gamma", "bias": "beta"}


class CheckpointWeights:
    """Reads tensors of a checkpoint; a context manager.

    Args:
      checkpoint: Where they lie.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._files = ExitStack()
        self._places: dict[str, Any] = {}

    def __enter__(self) -> CheckpointWeights:
        from safetensors import SafetensorError, safe_open

        for path in self.checkpoint.weight_files():
            try:
                file = self._files.enter_context(safe_open(path, framework="np"))
            except SafetensorError as error:
                raise InputError(f"expected a whole safetensors file {path}, received: {error}; get it anew") from error
            self._places |= dict.fromkeys(file.keys(), file)
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def layer(self, number: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Yields name, weight and bias of each part of an encoder layer; kernels are `[out, in]`, as in PyTorch."""
        for part, pattern in (_DISTILBERT if self.checkpoint.architecture == "distilbert" else _BERT).items():
            yield part, *self.pair(pattern.format(number))

    def pair(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns weight and bias of a layer."""
        return self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")

    def positions(self) -> np.ndarray:
        """Returns the vectors of positions from the first token on, `[T, W]`."""
        return self.tensor("embeddings.position_embeddings.weight")[first_position(self.checkpoint) :]

    def segments(self, count: int, width: int) -> np.ndarray:
        """Returns the vectors of segments, `[count, width]`; zeros where the model has none."""
        if self.checkpoint.architecture == "distilbert":
            return np.zeros((count, width), np.float32)
        return self.tensor("embeddings.token_type_embeddings.weight")

    def tensor(self, name: str) -> np.ndarray:
        """Returns a tensor as float32.

        Raises:
          InputError: If the checkpoint lacks it.
        """
        stem, _, last = name.rpartition(".")
        names = [prefix + form for prefix in _PREFIXES for form in (name, f"{stem}.{_OLD.get(last, last)}")]
        found = next((one for one in names if one in self._places), None)
        if found is None:
            raise InputError(
                f"expected weights {name} in the checkpoint {self.checkpoint.folder}, received none of that name among "
                f"{len(self._places)}; is its model_type really {self.checkpoint.architecture}?"
            )
        return np.asarray(self._places[found].get_tensor(found), np.float32)


def first_position(checkpoint: Checkpoint) -> int:
    """Returns the row of the first token's position: RoBERTa keeps the rows up to the padding id for padding."""
    if checkpoint.architecture in ("bert", "distilbert"):
        return 0
    return int(checkpoint.config.get("pad_token_id", 1)) + 1
