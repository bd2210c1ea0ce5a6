"""The encoder as a SavedModel, called as a client calls it."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tiny_checkpoint import write_checkpoint
from transformers import AutoTokenizer

from interest_migration.language.adapter import PROJECTION, Adapter
from interest_migration.language.settings import LanguageSettings
from interest_migration.language.text_encoder import TextEncoder

TEXTS = ["red shoes", "usb cable of blue lamp garden hose tea cup", "", "milk"]


@pytest.mark.parametrize("tuned", [False, True])
def test_exported_model_gives_the_same_vectors(tmp_path, tuned: bool) -> None:
    settings = LanguageSettings(checkpoint=str(write_checkpoint(tmp_path / "c")), max_tokens=8)
    encoder = TextEncoder.load(settings)
    if tuned:
        encoder = encoder.with_adapter(random_adapter(encoder))
    encoder.export(tmp_path / "model")
    facts = json.loads((tmp_path / "model" / "assets.extra" / "language.json").read_text())
    assert facts == {"digest": encoder.digest, "max_tokens": 8, "width": 16}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model" / "assets.extra" / "tokenizer")
    tokens = tokenizer(TEXTS, padding=True, truncation=True, max_length=facts["max_tokens"], return_tensors="np")
    embed = tf.saved_model.load(tmp_path / "model").signatures["serving_default"]
    inputs = {
        name: tf.constant(tokens[key], tf.int32)
        for name, key in (("token_ids", "input_ids"), ("attention_mask", "attention_mask"))
    }
    found = embed(**inputs)["vector"].numpy()
    np.testing.assert_allclose(found, encoder.embed(TEXTS), atol=1e-6)
    assert not found[2].any()


def random_adapter(encoder: TextEncoder) -> Adapter:
    random = np.random.default_rng(0)
    shapes = {PROJECTION: (16, 16)}
    for number in range(2):
        for part in ("query", "value"):
            shapes |= {f"{number}.{part}.a": (16, 4, 2), f"{number}.{part}.b": (2, 4)}
    tensors = {name: random.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}
    return Adapter(encoder.checkpoint.digest, tensors)
