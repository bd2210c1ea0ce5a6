"""An exported model behind the server answers as the SavedModel does."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from interest_migration.client import AsyncClient, Client, Event, User
from interest_migration.client.users import columns_of
from interest_migration.server.checks import check_version
from interest_migration.server.running import running
from interest_migration.server.settings import ServerSettings
from interest_migration.serving.warm_up import WARM_UP_FILE
from pipeline.cli import main
from schemas.features import HORIZONS
from schemas.signatures import (
    CHURN_PROBABILITY,
    COLUMN_CUT,
    EMBED,
    EXAMPLES,
    MODEL_ID,
    NEXT_CATEGORY,
    NEXT_ITEM,
    PATHS,
    PREDICT,
    SERVE,
    USER_EMBEDDING,
)

MODEL, DAY_S, NOW_S = "interests", 86_400, 1_500_000_000
PATIENCE_S = 300


@pytest.fixture(scope="module")
def served(exported_run, tmp_path_factory):
    """Without the warm-up requests of the export, which ask for more than these tests do and take a minute."""
    models, exported = tmp_path_factory.mktemp("served"), Path(exported_run["arguments"].serving_model_dir)
    check_version(exported)
    shutil.copytree(exported, models / MODEL / "1", ignore=shutil.ignore_patterns(Path(WARM_UP_FILE).name))
    with running(ServerSettings(models=models, grpc_port=0, rest_port=0, timeout_s=PATIENCE_S)) as server:
        server.wait_for(MODEL, 1, timeout_s=PATIENCE_S)
        yield server


@pytest.fixture(params=["grpc", "rest"])
def address(request, served):
    return f"grpc://{served.grpc_address}" if request.param == "grpc" else served.rest_url


def ask(run, signature, **inputs):
    found = run["model"].signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in found.items()}


def user(seed):
    rng = np.random.default_rng(seed)
    events = [
        Event(
            NOW_S - int(age),
            action,
            item=f"item-{category}-{rng.integers(3)}",
            category_path=f"category-{category}",
            price=2.5 if category % 2 else None,
        )
        for age, category, action in zip(
            rng.integers(1, 60 * DAY_S, seed % 8),
            rng.integers(0, 12, seed % 8),
            rng.choice(["view", "cart", "purchase"], seed % 8),
            strict=True,
        )
    ]
    return User(events, NOW_S, f"user {seed}")


@pytest.mark.parametrize("signature", [SERVE, PATHS])
def test_answers_are_the_saved_models_bit_for_bit(exported_run, address, signature):
    examples = exported_run["test"].numpy()[:3]
    expected = ask(exported_run, signature, **{EXAMPLES: examples})
    with Client(address, MODEL, timeout_s=PATIENCE_S) as client:
        found = client.call(signature, {EXAMPLES: examples})
    assert found.version == 1
    assert found.arrays.keys() == expected.keys()
    for name, value in expected.items():
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape), name
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("signature", [PREDICT, EMBED])
def test_columns_too(exported_run, address, signature):
    columns = columns_of([user(seed) for seed in range(4)])
    with Client(address, MODEL, timeout_s=PATIENCE_S) as client:
        found = client.call(signature, columns)
    for name, value in ask(exported_run, signature, **columns).items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_users_get_their_own_answers_out_of_shared_calls(exported_run, served):
    users = [user(seed) for seed in range(24)]
    with Client(f"grpc://{served.grpc_address}", MODEL, timeout_s=PATIENCE_S) as client, ThreadPoolExecutor(24) as pool:
        answers = [each for [each] in pool.map(lambda one: client.predict([one]), users)]
    for one, answer in zip(users, answers, strict=True):
        expected = ask(exported_run, PREDICT, **columns_of([one]))
        assert answer.user == one.name
        np.testing.assert_allclose(answer.embedding, expected[USER_EMBEDDING][0], atol=1e-5)
        for horizon in HORIZONS:
            np.testing.assert_allclose(answer.churn[horizon], expected[CHURN_PROBABILITY[horizon]][0], atol=1e-5)


def test_typed_answers_name_what_the_outputs_hold(exported_run, address):
    columns = columns_of([user(5), User((), NOW_S)])
    expected = ask(exported_run, PREDICT, **columns)
    with Client(address, MODEL, timeout_s=PATIENCE_S) as client:
        some, empty = client.predict([user(5), User((), NOW_S)])
    assert [each.name.encode() for each in some.next_categories] == expected[NEXT_CATEGORY][0].tolist()
    assert [each.name.encode() for each in some.items] == [name for name in expected[NEXT_ITEM][0].tolist() if name]
    assert some.model_id.encode() == expected[MODEL_ID][0]
    assert some.migration_from == some.current_category != ""
    assert some.current_category not in {each.name for each in some.migration}
    assert (empty.current_category, empty.migration_from) == ("", "")
    assert 0 < empty.churn["short"] < 1


def test_columns_that_a_grpc_client_leaves_out_have_defaults(exported_run, served):
    columns = columns_of([user(5), user(6)])
    sent = {name: columns[name] for name in (COLUMN_CUT, "time_s", "action")}
    bare = [User([Event(event.time_s, event.action) for event in user(seed).events], NOW_S) for seed in (5, 6)]
    expected = ask(exported_run, PREDICT, **columns_of(bare))
    with Client(f"grpc://{served.grpc_address}", MODEL, timeout_s=PATIENCE_S) as client:
        found = client.call(PREDICT, sent)
    np.testing.assert_allclose(found[USER_EMBEDDING], expected[USER_EMBEDDING], atol=1e-5)


def test_awaited_answers_are_the_same(address):
    import asyncio

    async def ask_all():
        async with AsyncClient(address, MODEL, timeout_s=PATIENCE_S) as client:
            return await asyncio.gather(*(client.predict([user(seed)]) for seed in range(4)))

    with Client(address, MODEL, timeout_s=PATIENCE_S) as client:
        for awaited, blocking in zip(
            asyncio.run(ask_all()), (client.predict([user(s)]) for s in range(4)), strict=True
        ):
            assert awaited[0].user == blocking[0].user
            np.testing.assert_allclose(awaited[0].embedding, blocking[0].embedding, atol=1e-5)


def test_the_command_prints_answers(address, tmp_path):
    file = tmp_path / "users.json"
    event = {"time_s": NOW_S - 60, "action": "view", "item": "item-1-0", "category_path": "category-1"}
    file.write_text(json.dumps({"name": "ada", "at_s": NOW_S, "events": [event]}))
    arguments = ["predict", "--address", address, "--events", str(file)]
    table = CliRunner().invoke(main, arguments, env={"COLUMNS": "200"})
    assert table.exit_code == 0, table.output
    assert "ada" in table.output
    assert "category-1" in table.output
    found = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)["predictions"]
    assert found[0]["current_category"] == "category-1"
    assert found[0]["version"] == 1
    missing = CliRunner().invoke(main, [*arguments, "--version", "9", "--json"])
    assert missing.exit_code == 2
    assert "Servable not found for request: Specific(interests, 9)" in json.loads(missing.stdout)["error"]
