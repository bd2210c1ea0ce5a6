"""Checkpoints in the layout of Hugging Face, small enough for tests, with random weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

WORDS = ("red", "blue", "shoe", "lamp", "##s", "cable", "usb", "milk", "bread", "garden", "hose", "tea", "cup", "of")
WIDTH, INNER, HEADS, LAYERS, POSITIONS = 16, 32, 4, 2, 24


def write_checkpoint(
    folder: Path, architecture: str = "bert", prefix: str = "", old_names: bool = False, **config: Any
) -> Path:
    """Writes config.json, model.safetensors and the tokenizer.

    Args:
      folder: Where to.
      architecture: `model_type`.
      prefix: Stands before every name of a weight.
      old_names: Whether normalisations have `gamma` and `beta`.
      **config: Changes of config.json.
    """
    folder.mkdir(parents=True, exist_ok=True)
    padding_first = architecture in ("bert", "distilbert")
    tokens = ["[PAD]", "[CLS]"] if padding_first else ["[CLS]", "[PAD]"]
    vocabulary = [*tokens, "[SEP]", "[UNK]", "[MASK]", *WORDS]
    _write_tokenizer(folder, vocabulary)
    values = {**_config(architecture, len(vocabulary)), **config}
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    weights = {
        prefix + (_old_name(name) if old_names else name): value
        for name, value in _weights(values, architecture).items()
    }
    save_file(weights, folder / "model.safetensors")
    return folder


def set_pooling(folder: Path, mode: str) -> None:
    """Writes `1_Pooling/config.json` as sentence-transformers does."""
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    values = {"word_embedding_dimension": WIDTH, **{f"pooling_mode_{name}": name == mode for name in modes}}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(values), encoding="utf-8")


def _write_tokenizer(folder: Path, vocabulary: list[str]) -> None:
    from transformers import BertTokenizerFast

    BertTokenizerFast(vocab={token: number for number, token in enumerate(vocabulary)}).save_pretrained(folder)


def _config(architecture: str, words: int) -> dict[str, Any]:
    shared = {"model_type": architecture, "vocab_size": words, "max_position_embeddings": POSITIONS}
    if architecture == "distilbert":
        return shared | {"n_layers": LAYERS, "n_heads": HEADS, "dim": WIDTH, "hidden_dim": INNER, "activation": "gelu"}
    roberta = architecture != "bert"
    return shared | {
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5 if roberta else 1e-12,
        "pad_token_id": int(roberta),
        "type_vocab_size": 1 if roberta else 2,
    }


def _weights(config: dict[str, Any], architecture: str) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    shapes = {"embeddings.word_embeddings.weight": (config["vocab_size"], WIDTH)}
    shapes["embeddings.position_embeddings.weight"] = (POSITIONS, WIDTH)
    if architecture != "distilbert":
        shapes["embeddings.token_type_embeddings.weight"] = (config["type_vocab_size"], WIDTH)
    shapes |= _pair("embeddings.LayerNorm", (WIDTH,))
    for number in range(LAYERS):
        shapes |= _block(number, architecture == "distilbert")
    return {name: _random(name, shape, random) for name, shape in shapes.items()}


def _random(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Draws as training leaves weights: scales near 1, offsets near 0, so that texts differ."""
    center = float("norm.weight" in name.lower())
    spread = 1.0 if "embeddings.weight" in name else 0.3
    return (center + (spread if len(shape) > 1 else 0.1) * random.normal(size=shape)).astype(np.float32)


def _block(number: int, distilbert: bool) -> dict[str, tuple[int, ...]]:
    if distilbert:
        stem = f"transformer.layer.{number}"
        heads = [f"{stem}.attention.{name}_lin" for name in ("q", "k", "v", "out")]
        norms = [f"{stem}.sa_layer_norm", f"{stem}.output_layer_norm"]
        inner, outer = f"{stem}.ffn.lin1", f"{stem}.ffn.lin2"
    else:
        stem = f"encoder.layer.{number}"
        heads = [f"{stem}.attention.self.{name}" for name in ("query", "key", "value")]
        heads.append(f"{stem}.attention.output.dense")
        norms = [f"{stem}.attention.output.LayerNorm", f"{stem}.output.LayerNorm"]
        inner, outer = f"{stem}.intermediate.dense", f"{stem}.output.dense"
    shapes = {}
    for name in heads:
        shapes |= _pair(name, (WIDTH, WIDTH))
    for name in norms:
        shapes |= _pair(name, (WIDTH,))
    return shapes | _pair(inner, (INNER, WIDTH)) | _pair(outer, (WIDTH, INNER))


def _pair(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def _old_name(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
