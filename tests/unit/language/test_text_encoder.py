"""Vectors of texts against the original implementation, rewritten in NumPy."""

import numpy as np
import pytest
from bert_reference import Reference
from tiny_checkpoint import set_pooling, write_checkpoint

from interest_migration.errors import InputError
from interest_migration.language.settings import LanguageSettings
from interest_migration.language.text_encoder import TextEncoder

TEXTS = [
    "red shoes",
    "Crème brûlée, 6 cups — naïve",
    "WHITE HANGING HEART T-LIGHT HOLDER",
    "USB-C cable 2m (braided) 🔌🔋",
    "红色运动鞋 女款 39码",
    "a",
    "stainless steel garden hose with adjustable nozzle, brass connectors and a bag for winter storage, " * 4,
]
TINY = ["red shoes", "usb cable", "milk", "blue lamp of garden hose cup tea bread milk", "unheard words red"]


@pytest.fixture(scope="module")
def minilm() -> TextEncoder:
    return TextEncoder.load(LanguageSettings())


def reference(encoder: TextEncoder, texts: list[str], pooling: str = "mean") -> np.ndarray:
    tokens = encoder.tokenizer(texts)
    return Reference(encoder.checkpoint.folder).vectors(tokens.ids, tokens.mask, pooling)


def test_pretrained_model_agrees_with_the_original(minilm: TextEncoder) -> None:
    found = minilm.embed(TEXTS)
    assert found.dtype == np.float32
    assert found.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(found, reference(minilm, TEXTS), atol=1e-5)
    assert found[0] @ minilm.embed(["scarlet sneakers"])[0] > found[0] @ found[3]


def test_long_text_is_cut_at_the_token(minilm: TextEncoder) -> None:
    tokens = minilm.tokenizer([TEXTS[-1]])
    assert tokens.ids.shape == (1, 32)
    assert tokens.ids[0, -1] == 102  # the separator still closes it
    np.testing.assert_array_equal(minilm.embed([TEXTS[-1]]), minilm.embed([TEXTS[-1] + " and more"]))


def test_accents_and_case_are_folded_and_chinese_is_split(minilm: TextEncoder) -> None:
    plain, accents, chinese = minilm.tokenizer(["creme brulee", "Crème BRÛLÉE", "红色"]).ids
    np.testing.assert_array_equal(plain, accents)
    assert (chinese > 0).sum() == 4


def test_texts_without_words_are_zero(minilm: TextEncoder) -> None:
    found = minilm.embed(["", None, "  \t", "\u200b", "red"])
    assert not found[:4].any()
    assert np.linalg.norm(found[4]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta", "xlm-roberta", "camembert"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_every_architecture_agrees_with_the_original(tmp_path, architecture: str, pooling: str) -> None:
    folder = write_checkpoint(tmp_path, architecture)
    set_pooling(folder, {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}[pooling])
    encoder = TextEncoder.load(LanguageSettings(checkpoint=str(folder), max_tokens=8))
    np.testing.assert_allclose(encoder.embed(TINY), reference(encoder, TINY, pooling), atol=1e-5)


@pytest.mark.parametrize(("prefix", "old_names"), [("bert.", False), ("", True), ("bert.", True)])
def test_names_of_weights_may_be_old_or_prefixed(tmp_path, prefix: str, old_names: bool) -> None:
    plain, other = write_checkpoint(tmp_path / "a"), write_checkpoint(tmp_path / "b", "bert", prefix, old_names)
    first, second = (
        TextEncoder.load(LanguageSettings(checkpoint=str(folder), max_tokens=8)) for folder in (plain, other)
    )
    np.testing.assert_array_equal(first.embed(TINY), second.embed(TINY))


def test_batches_and_compilation_do_not_change_vectors(tmp_path, monkeypatch) -> None:
    folder = str(write_checkpoint(tmp_path))
    texts = [f"{first} {second}" for first in TINY for second in ("red", "milk tea", "cup of tea", "usb", "blue lamps")]
    whole = TextEncoder.load(LanguageSettings(checkpoint=folder, max_tokens=20)).embed(texts)
    monkeypatch.setattr("interest_migration.language.text_encoder._COMPILED_FROM", 2)
    small = TextEncoder.load(LanguageSettings(checkpoint=folder, max_tokens=20, batch_size=2))
    np.testing.assert_allclose(small.embed(texts[::-1])[::-1], whole, atol=1e-6)
    assert small._run_compiled.experimental_get_tracing_count() > 0


def test_digest_follows_what_vectors_depend_on(tmp_path) -> None:
    folder = str(write_checkpoint(tmp_path / "a"))
    settings = LanguageSettings(checkpoint=folder, max_tokens=8)
    digest = TextEncoder.load(settings).digest
    copy = str(write_checkpoint(tmp_path / "b"))
    assert TextEncoder.load(settings.model_copy(update={"batch_size": 3, "checkpoint": copy})).digest == digest
    assert TextEncoder.load(settings.model_copy(update={"max_tokens": 9})).digest != digest
    set_pooling(tmp_path / "b", "max_tokens")
    assert TextEncoder.load(settings.model_copy(update={"checkpoint": copy})).digest != digest
    other = str(write_checkpoint(tmp_path / "c", layer_norm_eps=1e-3))
    assert TextEncoder.load(settings.model_copy(update={"checkpoint": other})).digest != digest


def test_more_tokens_than_positions(tmp_path) -> None:
    folder = write_checkpoint(tmp_path, "roberta")
    with pytest.raises(InputError, match=r"at most 22, the positions of .* received 23"):
        TextEncoder.load(LanguageSettings(checkpoint=str(folder), max_tokens=23))


def test_no_texts(tmp_path) -> None:
    encoder = TextEncoder.load(LanguageSettings(checkpoint=str(write_checkpoint(tmp_path)), max_tokens=8))
    assert encoder.embed([]).shape == (0, 16)
