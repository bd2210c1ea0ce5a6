"""The encoder as a SavedModel of its own, so that any client can turn a new text into its vector.

<directory>/saved_model.pb, variables/    token ids and mask to vector; loads in TF Serving, without TensorFlow Text
<directory>/assets.extra/tokenizer/       the tokenizer, for `transformers.AutoTokenizer` or `tokenizers`
<directory>/assets.extra/language.json    how to call it: `max_tokens`, `width`, and the encoder's `digest`
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

if TYPE_CHECKING:
    from interest_migration.language.text_encoder import TextEncoder

SIGNATURE: Final = "serving_default"
EXTRA: Final = "assets.extra"


class ServedEncoder(tf.Module):
    """What is saved: the encoder's variables and one function.

    Args:
      encoder: The encoder.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.backbone = encoder.backbone
        self._encode = encoder.encode_tokens

    @tf.function(
        input_signature=(
            tf.TensorSpec((None, None), tf.int32, "token_ids"),
            tf.TensorSpec((None, None), tf.int32, "attention_mask"),
        ),
        autograph=False,
    )
    def embed(self, token_ids: Any, attention_mask: Any) -> dict[str, Any]:
        """Returns `vector` `[B, W]` of `[B, T]` token ids, padded on the right, and their mask."""
        return {"vector": self._encode(token_ids, attention_mask)}


def export_encoder(encoder: TextEncoder, directory: Path) -> None:
    """Writes the SavedModel, the tokenizer and `language.json`."""
    served = ServedEncoder(encoder)
    tf.saved_model.save(served, str(directory), signatures={SIGNATURE: served.embed})
    encoder.tokenizer.save(directory / EXTRA / "tokenizer")
    values = {"digest": encoder.digest, "max_tokens": encoder.settings.max_tokens, "width": encoder.width}
    (directory / EXTRA / "language.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
