"""What tuning changes in a language model: a small file beside the checkpoint.

LoRA (Hu et al. 2021) adds a product of two thin matrices to the query and value kernels of the attention; a projection,
the identity plus a small change, follows the pooling. Merged into the kernels, the first costs nothing when texts are
read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from interest_migration.errors import InputError
from interest_migration.language.checkpoint import Checkpoint
from interest_migration.storage.atomic import replacing

PROJECTION: Final = "projection"


@dataclass(frozen=True)
class Adapter:
    """Learned changes of one checkpoint.

    Attributes:
      base: Digest of the checkpoint that they belong to.
      tensors: `<layer>.<query or value>.<a or b>`, whose product is added to a kernel, and `projection` `[W, W]`, which
        is added to the identity; float32.
    """

    base: str
    tensors: dict[str, np.ndarray]

    @property
    def digest(self) -> str:
        """SHA-256 of the contents."""
        total = hashlib.sha256(self.base.encode())
        for name, value in sorted(self.tensors.items()):
            total.update(f"{name} {value.shape}".encode())
            total.update(np.ascontiguousarray(value, "<f4").tobytes())
        return total.hexdigest()

    def projection(self) -> np.ndarray:
        """Returns the matrix that pooled vectors are multiplied by, `[W, W]`."""
        change = self.tensors[PROJECTION]
        return np.eye(len(change), dtype=np.float32) + change

    def merge_into(self, backbone: Any) -> None:
        """Adds the changes to the kernels of a backbone that was just loaded."""
        for name, layer in tuned_layers(backbone).items():
            kernel = np.asarray(layer.kernel)
            layer.kernel.assign(kernel + self.tensors[f"{name}.a"] @ self.tensors[f"{name}.b"])

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all."""
        from safetensors.numpy import save

        with replacing(path) as temporary:
            temporary.write_bytes(save(self.tensors, metadata={"base": self.base}))

    @classmethod
    def load(cls, path: Path, checkpoint: Checkpoint) -> Adapter:
        """Reads the adapter of a checkpoint.

        Raises:
          InputError: If there is none, it is damaged, or it belongs to another checkpoint.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="np") as file:
                adapter = cls(file.metadata()["base"], {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise InputError(f"expected an adapter of the language model in {path}, received: {error}") from error
        if adapter.base != checkpoint.digest:
            raise InputError(
                f"expected an adapter of the checkpoint {checkpoint.folder}, received {path}, which was tuned on "
                "another one; tune it anew, or name the checkpoint that it was tuned on"
            )
        return adapter


def tuned_layers(backbone: Any) -> dict[str, Any]:
    """Returns the layers that LoRA changes, as KerasHub chooses them: query and value of every attention."""
    layers = {}
    for number, block in enumerate(backbone.transformer_layers):
        layers[f"{number}.query"] = block._self_attention_layer.query_dense
        layers[f"{number}.value"] = block._self_attention_layer.value_dense
    return layers
