"""BERT's forward pass in plain NumPy (float64), straight from the tensors of a checkpoint (Devlin et al. 2019)."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf

_BERT = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
_DISTILBERT = ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin")


class Reference:
    """Computes what the original implementation computes.

    Args:
      folder: Folder of a checkpoint whose weights have no prefix and new names.
    """

    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.weights = {
            name: value.astype(np.float64) for name, value in load_file(folder / "model.safetensors").items()
        }
        self.distilbert = self.config["model_type"] == "distilbert"

    def states(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Returns the last hidden states `[B, T, W]` of `[B, T]` token ids."""
        x = self.weights["embeddings.word_embeddings.weight"][ids] + self._positions(mask)
        if not self.distilbert:
            x = x + self.weights["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        for number in range(self.config["n_layers" if self.distilbert else "num_hidden_layers"]):
            x = self._block(x, mask, number)
        return x

    def vectors(self, ids: np.ndarray, mask: np.ndarray, pooling: str = "mean") -> np.ndarray:
        """Returns pooled vectors of length 1, `[B, W]`."""
        states, real = self.states(ids, mask), mask[:, :, np.newaxis] == 1
        if pooling == "mean":
            pooled = (states * real).sum(axis=1) / real.sum(axis=1)
        else:
            pooled = states[:, 0] if pooling == "cls" else np.where(real, states, -np.inf).max(axis=1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def _positions(self, mask: np.ndarray) -> np.ndarray:
        table = self.weights["embeddings.position_embeddings.weight"]
        if self.config["model_type"] in ("bert", "distilbert"):
            return table[np.arange(mask.shape[1])]
        return table[self.config["pad_token_id"] + np.cumsum(mask, axis=1) * mask]

    def _block(self, x: np.ndarray, mask: np.ndarray, number: int) -> np.ndarray:
        if self.distilbert:
            stem, parts = f"transformer.layer.{number}.", _DISTILBERT
            names = ("sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm")
        else:
            stem, parts = f"encoder.layer.{number}.", _BERT
            names = ("attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm")
        query, key, value = (self._heads(self._dense(x, stem + part)) for part in parts[:3])
        scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
        scores = np.where(mask[:, np.newaxis, np.newaxis, :] == 1, scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        joined = (weights @ value).swapaxes(1, 2).reshape(x.shape)
        x = self._norm(x + self._dense(joined, stem + parts[3]), stem + names[0])
        inner = self._dense(x, stem + names[1])
        inner = 0.5 * inner * (1 + erf(inner / np.sqrt(2)))
        return self._norm(x + self._dense(inner, stem + names[2]), stem + names[3])

    def _heads(self, x: np.ndarray) -> np.ndarray:
        heads = self.config["n_heads" if self.distilbert else "num_attention_heads"]
        return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)

    def _dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.config.get("layer_norm_eps", 1e-12))
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
