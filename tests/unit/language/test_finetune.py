"""LoRA tuning of a tiny language model."""

import numpy as np
import pytest
from tiny_checkpoint import write_checkpoint

from interest_migration.errors import ContractError, DataError, InputError
from interest_migration.language.finetune import Tuning, finetune
from interest_migration.language.settings import LanguageSettings, LoraSettings
from interest_migration.language.text_encoder import TextEncoder
from interest_migration.language.text_pairs import TextPairs

FIRST = ["red", "blue", "usb", "milk"]
NEXT = ["shoe", "lamp", "cable", "tea"]
TEXTS = [f"{word} {more}".strip() for word in (*FIRST, *NEXT) for more in ("", "of cup", "garden", "hoses", "bread")]
SETTINGS = LoraSettings(
    rank=2,
    epochs=6,
    max_steps=12,
    batch_size=16,
    learning_rate=0.05,
    temperature=0.1,
    held_out_share=0.2,
    patience=4,
)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> TextEncoder:
    return TextEncoder.load(
        LanguageSettings(checkpoint=str(write_checkpoint(tmp_path_factory.mktemp("c"))), max_tokens=8)
    )


def pairs_of_words() -> TextPairs:
    """Every text of a first word is followed by every text of the next word at its place."""
    found = [(5 * word + more, 20 + 5 * word + other) for word in range(4) for more in range(5) for other in range(5)]
    anchors, followers = np.array(found).T
    return TextPairs(anchors, followers, np.ones(len(found)))


@pytest.fixture(scope="module")
def tuned(encoder: TextEncoder) -> tuple[TextEncoder, list[str]]:
    lines: list[str] = []
    return finetune(encoder, TEXTS, pairs_of_words(), SETTINGS, lines.append), lines


def share_of_right_words(encoder: TextEncoder) -> float:
    vectors = encoder.embed(TEXTS)
    nearest = (vectors[:20] @ vectors[20:].T).argmax(axis=1)
    return float((nearest // 5 == np.arange(20) // 5).mean())


def test_texts_come_close_to_what_follows_them(encoder: TextEncoder, tuned) -> None:
    other, lines = tuned
    assert share_of_right_words(encoder) < 0.6
    assert share_of_right_words(other) >= 0.85
    assert other.digest != encoder.digest
    assert lines[0].startswith("tuning the language model on 80 pairs; held-out loss")
    assert lines[1].startswith("pass 1/6 loss")


def test_the_given_encoder_stays_as_it_is_and_so_do_frozen_weights(encoder: TextEncoder, tuned) -> None:
    changed = [
        variable.path.rpartition("/")[0].rpartition("/")[2]
        for variable, other in zip(encoder.backbone.weights, tuned[0].backbone.weights, strict=True)
        if not np.array_equal(variable.numpy(), other.numpy()) and "pooled" not in variable.path
    ]
    assert sorted(set(changed)) == ["query", "value"]
    assert len(changed) == 4
    again = TextEncoder.load(encoder.settings)
    np.testing.assert_array_equal(again.embed(TEXTS), encoder.embed(TEXTS))


def test_same_seed_same_result(encoder: TextEncoder, tuned) -> None:
    again = finetune(encoder, TEXTS, pairs_of_words(), SETTINGS, print)
    assert again.digest == tuned[0].digest
    np.testing.assert_array_equal(again.embed(TEXTS), tuned[0].embed(TEXTS))


def test_adapter_is_saved_and_loaded(encoder: TextEncoder, tuned, tmp_path) -> None:
    tuned[0].save_adapter(tmp_path / "a" / "adapter.safetensors")
    loaded = TextEncoder.load(encoder.settings, tmp_path / "a" / "adapter.safetensors")
    assert loaded.digest == tuned[0].digest
    np.testing.assert_array_equal(loaded.embed(TEXTS), tuned[0].embed(TEXTS))
    with pytest.raises(ContractError, match="no adapter to save"):
        encoder.save_adapter(tmp_path / "b")
    with pytest.raises(ContractError, match="an encoder as loaded"):
        finetune(loaded, TEXTS, pairs_of_words(), SETTINGS, print)


def test_adapter_of_another_checkpoint_or_none(tuned, tmp_path) -> None:
    tuned[0].save_adapter(tmp_path / "adapter")
    other = write_checkpoint(tmp_path / "other", layer_norm_eps=1e-3)
    settings = LanguageSettings(checkpoint=str(other), max_tokens=8)
    with pytest.raises(InputError, match="which was tuned on another one"):
        TextEncoder.load(settings, tmp_path / "adapter")
    for path in (tmp_path / "none", other / "model.safetensors", other / "config.json"):
        with pytest.raises(InputError, match="expected an adapter of the language model in"):
            TextEncoder.load(settings, path)


@pytest.mark.parametrize(("losses", "best"), [((1.0, 1.2, 1.1, 0.1), None), ((1.0, 0.8, 0.9, 0.85, 0.1), 1)])
def test_the_best_pass_on_held_out_pairs_is_kept(encoder: TextEncoder, monkeypatch, losses: tuple, best: int) -> None:
    seen: list[str] = []

    def scored(tuning: Tuning) -> float:
        seen.append(tuning._adapter().digest)
        return losses[len(seen) - 1]

    monkeypatch.setattr(Tuning, "_held_out_loss", scored)
    brief = SETTINGS.model_copy(update={"patience": 2, "max_steps": 1})
    found = finetune(encoder, TEXTS, pairs_of_words(), brief, print)
    assert len(set(seen)) == len(losses) - 1  # the start and every pass until patience ends
    if best is None:
        assert found is encoder
    else:
        assert found.adapter.digest == seen[best]


def test_pairs_that_cannot_be_used(encoder: TextEncoder) -> None:
    one = np.array([0])
    for pairs, words in (
        (TextPairs(one, np.array([2]), np.ones(1)), "expected indices of 2 texts, received 0 to 2"),
        (TextPairs(one, one, np.ones(2)), "of one length"),
        (TextPairs(one, one, np.zeros(1)), "expected positive finite weights"),
    ):
        with pytest.raises(ContractError, match=words):
            finetune(encoder, ["red", "blue"], pairs, SETTINGS, print)
    same = TextPairs(np.array([0, 1, 0]), np.array([1, 0, 2]), np.ones(3))
    with pytest.raises(DataError, match="expected at least 2 pairs of different texts to tune on, received 0"):
        finetune(encoder, ["red", " red ", ""], same, SETTINGS, print)
    with pytest.raises(ContractError, match="received rank 0"):
        finetune(encoder, ["red"], same, LoraSettings(), print)
