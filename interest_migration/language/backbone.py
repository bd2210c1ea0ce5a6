"""KerasHub's BERT with the weights of a checkpoint.

KerasHub's own conversion differs from the original in details that change vectors: it approximates gelu in BERT, fixes
the epsilon of normalisations, leaves out RoBERTa's segment vector and expects prefixes that checkpoints of
sentence-transformers lack. Here the configuration of the checkpoint decides.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import keras
import numpy as np

from interest_migration.errors import InputError
from interest_migration.language.checkpoint import Checkpoint
from interest_migration.language.weights import CheckpointWeights, first_position

_ACTIVATIONS: Final = {
    "gelu": partial(keras.activations.gelu, approximate=False),
    "gelu_new": partial(keras.activations.gelu, approximate=True),
    "gelu_pytorch_tanh": partial(keras.activations.gelu, approximate=True),
    "relu": keras.activations.relu,
}
_DISTILBERT_NAMES: Final = {
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "hidden_size": "dim",
    "intermediate_size": "hidden_dim",
    "hidden_act": "activation",
}


def load_backbone(checkpoint: Checkpoint) -> keras.Model:
    """Builds the model and loads its weights; float32, without dropout.

    Returns:
      A `keras_hub.models.BertBackbone`; it maps `token_ids`, `segment_ids` and `padding_mask`, each `[B, T]` int32, to
      a `sequence_output` `[B, T, W]`.

    Raises:
      InputError: If configuration and weights do not fit.
    """
    from keras_hub.models import BertBackbone

    backbone = BertBackbone(
        vocabulary_size=_value(checkpoint, "vocab_size"),
        num_layers=_value(checkpoint, "num_hidden_layers"),
        num_heads=_value(checkpoint, "num_attention_heads"),
        hidden_dim=_value(checkpoint, "hidden_size"),
        intermediate_dim=_value(checkpoint, "intermediate_size"),
        max_sequence_length=longest_text(checkpoint),
        num_segments=max(1, int(checkpoint.config.get("type_vocab_size", 1))),
        dropout=0.0,
        dtype="float32",
    )
    _follow_config(backbone, checkpoint)
    with CheckpointWeights(checkpoint) as weights:
        _load_embeddings(backbone, weights)
        for number, block in enumerate(backbone.transformer_layers):
            _load_block(block, weights, number)
    return backbone


def longest_text(checkpoint: Checkpoint) -> int:
    """Returns how many tokens the model has positions for."""
    return int(_value(checkpoint, "max_position_embeddings")) - first_position(checkpoint)


def _value(checkpoint: Checkpoint, name: str) -> Any:
    known = _DISTILBERT_NAMES.get(name, name) if checkpoint.architecture == "distilbert" else name
    if known not in checkpoint.config:
        raise InputError(f"expected {known} in {checkpoint.folder / 'config.json'}, received none")
    return checkpoint.config[known]


def _follow_config(backbone: Any, checkpoint: Checkpoint) -> None:
    """Takes activation and epsilon from the configuration; KerasHub has fixed ones."""
    name = _value(checkpoint, "hidden_act")
    if name not in _ACTIVATIONS:
        raise InputError(f"expected hidden_act {', '.join(_ACTIVATIONS)}, received {name!r} in {checkpoint.folder}")
    epsilon = float(checkpoint.config.get("layer_norm_eps", 1e-12))
    backbone.embeddings_layer_norm.epsilon = epsilon
    for block in backbone.transformer_layers:
        block._feedforward_intermediate_dense.activation = _ACTIVATIONS[name]
        block._self_attention_layer_norm.epsilon = epsilon
        block._feedforward_layer_norm.epsilon = epsilon


def _load_embeddings(backbone: Any, weights: CheckpointWeights) -> None:
    _assign(backbone.token_embedding.embeddings, weights.tensor("embeddings.word_embeddings.weight"))
    _assign(backbone.position_embedding.position_embeddings, weights.positions())
    _assign(backbone.segment_embedding.embeddings, weights.segments(backbone.num_segments, backbone.hidden_dim))
    scale, offset = weights.pair("embeddings.LayerNorm")
    _assign(backbone.embeddings_layer_norm.gamma, scale)
    _assign(backbone.embeddings_layer_norm.beta, offset)


def _load_block(block: Any, weights: CheckpointWeights, number: int) -> None:
    attention = block._self_attention_layer
    dense = {
        "query": attention.query_dense,
        "key": attention.key_dense,
        "value": attention.value_dense,
        "attention_output": attention.output_dense,
        "intermediate": block._feedforward_intermediate_dense,
        "output": block._feedforward_output_dense,
    }
    norms = {"attention_norm": block._self_attention_layer_norm, "output_norm": block._feedforward_layer_norm}
    for part, weight, bias in weights.layer(number):
        if part in norms:
            _assign(norms[part].gamma, weight)
            _assign(norms[part].beta, bias)
        else:
            _assign(dense[part].kernel, weight.T)
            _assign(dense[part].bias, bias)


def _assign(variable: Any, value: np.ndarray) -> None:
    """Assigns a value of the same size; heads are split by reshaping."""
    if int(np.prod(variable.shape)) != value.size:
        raise InputError(
            f"expected weights of shape {tuple(variable.shape)} for {variable.path}, received {value.shape}; do "
            "config.json and the weights belong together?"
        )
    variable.assign(value.reshape(variable.shape))
