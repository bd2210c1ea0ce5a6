"""Submitting against a local server that speaks the v2beta1 API: what is sent, what is watched, what is said."""

import json
import socket
from typing import Any

import pytest
from pipelines_server import Backend, serving, task

from interest_migration.errors import ConfigError
from pipeline.kubeflow.api import ApiUnavailableError, PipelinesApi
from pipeline.kubeflow.compiled import Compiled
from pipeline.kubeflow.schedule import Schedule
from pipeline.kubeflow.submission import Submission, plan_submission, submit
from pipeline.kubeflow.submit_settings import Connection, SubmitSettings
from pipeline.kubeflow.verdict import Verdict
from pipeline.kubeflow.watching import Watch, watch_run

STEPS = ("Trainer", "Verdict", "TellVerdict")
PUSHED = {"state": "pushed", "exit_code": 0, "version": 3, "failed_step": "", "error": "", "reasons": []}


def fake_compiled(parameters: dict[str, Any] | None = None, steps: dict[str, Any] | None = None) -> Compiled:
    """What the compiler returns, as far as a submission reads it."""
    values = parameters or {"span": 1, "gates": "{}"}
    defaults = {name: {"defaultValue": value} for name, value in values.items()}
    root = {"inputDefinitions": {"parameters": defaults}, "dag": {"tasks": steps or {"Trainer": {}}}}
    return Compiled({"pipelineInfo": {"name": "demo"}, "root": root}, {"platforms": {"kubernetes": {}}}, values)


def make_submission(
    schedule: Schedule | None = None, settings: SubmitSettings | None = None, **values: Any
) -> Submission:
    settings = settings or SubmitSettings()
    root = "minio://mlpipeline/v2"
    return plan_submission(fake_compiled(**values), settings, "demo run", pipeline_root=root, schedule=schedule)


def connect(address: str, **values: Any) -> PipelinesApi:
    return PipelinesApi(Connection(host=address, ui=address, **values))


def watch(**values: Any) -> Watch:
    times = iter(range(1000))
    settings = {"poll_seconds": 1, "patience_seconds": 5, "sleep": lambda _: None, "now": lambda: next(times)}
    return Watch(STEPS, **{**settings, **values})


def play(backend: Backend, **values: Any) -> Verdict:
    with serving(backend) as address:
        api = connect(address)
        return watch_run(api, submit(make_submission(), api, None).run_id, watch(**values))


def spell(request: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Returns a described request with the ids that the server gave."""
    text = json.dumps({name: request.get(name) or None for name in ("method", "path", "query", "body")})
    for name, value in ids.items():
        text = text.replace(f"<{name} id>", value)
    return json.loads(text)


@pytest.mark.parametrize("namespace", [None, "team"])
@pytest.mark.parametrize("schedule", [None, Schedule(cron="0 30 4 * * *"), Schedule(every_seconds=3600)])
def test_what_is_described_is_what_is_sent(namespace, schedule):
    backend = Backend(multi_user=namespace is not None, namespaces=("team",))
    submission = make_submission(schedule, SubmitSettings(service_account="runner", experiment="spring"))
    ids = {"pipeline": "pipelines-1", "version": "versions-1", "experiment": "experiments-1"}

    with serving(backend) as address:
        submitted = submit(submission, connect(address, namespace=namespace), namespace)

    described = [each for each in submission.describe(namespace) if each["method"] != "DELETE"]
    expected = [spell(each, ids) for each in described]
    received = [{name: value or None for name, value in each.items()} for each in backend.requests]
    assert [each["path"] for each in received] == [each["path"] for each in expected]
    for request, wanted, plan in zip(received, expected, described, strict=True):
        body = request["body"]
        if "file" in plan:
            assert body["text"] == plan["file"]
            assert body["field"] == "uploadfile"
            assert body["file"].endswith(".yaml")
            request = request | {"body": None}
        assert request == wanted
    assert submitted.run_id == ("recurring-1" if schedule else "runs-1")


def test_a_run_is_started_with_its_parameters():
    backend = Backend()

    with serving(backend) as address:
        submit(make_submission(), connect(address), None)

    body = backend.requests[-1]["body"]
    assert body["runtime_config"] == {
        "parameters": {"span": 1, "gates": "{}"},
        "pipeline_root": "minio://mlpipeline/v2",
    }
    assert body["pipeline_version_reference"] == {"pipeline_id": "pipelines-1", "pipeline_version_id": "versions-1"}
    assert body["display_name"] == "demo run"


def test_a_second_run_of_the_same_pipeline_uploads_nothing():
    backend = Backend()

    with serving(backend) as address:
        for parameters in ({"span": 1, "gates": "{}"}, {"span": 2, "gates": "{}"}):
            submit(make_submission(parameters=parameters), connect(address), None)
        submit(make_submission(steps={"Trainer": {"componentRef": "changed"}}), connect(address), None)

    uploads = [each for each in backend.sent("POST") if each["path"].endswith("upload_version")]
    assert [len(backend.objects[kind]) for kind in ("pipelines", "experiments", "runs")] == [1, 1, 3]
    assert len(uploads) == 2


def test_a_new_schedule_of_the_same_name_takes_the_place_of_the_old_one():
    backend = Backend()

    with serving(backend) as address:
        api = connect(address)
        submit(make_submission(Schedule(every_seconds=60)), api, None)
        submitted = submit(make_submission(Schedule(every_seconds=120)), api, None)

    (kept,) = backend.objects["recurring"].values()
    assert submitted.replaced == ("recurring-1",)
    assert kept["trigger"]["periodic_schedule"]["interval_second"] == "120"
    assert (kept["mode"], kept["no_catchup"], kept["max_concurrency"]) == ("ENABLE", True, "1")


def test_the_exit_handlers_log_holds_the_verdict():
    tasks = [
        task("Trainer", "SUCCEEDED"),
        task("tell-verdict", "SUCCEEDED", children=("tell-verdict-driver", "tell-executor")),
        task("tell-verdict-driver", "SUCCEEDED"),
        task("tell-executor", "SUCCEEDED", pod="pod-7"),
    ]
    backend = Backend(tasks=([], tasks), logs={"pod-7": f"starting\nverdict: {json.dumps(PUSHED)}\ndone\n"})

    assert play(backend) == Verdict("pushed", 0, version="3")


def test_a_refusal_comes_with_its_reasons():
    refused = {**PUSHED, "state": "refused by the model gate", "exit_code": 3, "version": None, "reasons": ["too weak"]}
    backend = Backend(
        tasks=([task("TellVerdict", "SUCCEEDED", pod="pod-1")],), logs={"pod-1": f"verdict: {json.dumps(refused)}"}
    )

    assert play(backend) == Verdict("refused by the model gate", 3, reasons=("too weak",))


@pytest.mark.parametrize(
    ("state", "failed", "fails_when_refused", "expected"),
    [
        ("SUCCEEDED", [], True, ("pushed", 0)),
        ("SUCCEEDED", [], False, ("succeeded; the model may have been pushed or refused", 1)),
        ("FAILED", ["Verdict"], True, ("refused by a gate, or held by a person", 3)),
        ("FAILED", ["Verdict"], False, ("failed", 1)),
        ("FAILED", ["Trainer"], True, ("failed", 1)),
        ("CANCELED", [], True, ("canceled", 1)),
    ],
)
def test_without_a_log_the_states_say_what_is_certain(state, failed, fails_when_refused, expected):
    backend = Backend(states=("RUNNING", state), tasks=([task(name, "FAILED") for name in failed],))

    verdict = play(backend, fails_when_refused=fails_when_refused)

    assert (verdict.state, verdict.exit_code) == expected
    assert verdict.failed_step == (failed[0] if failed else None)
    assert not verdict.told


def test_every_step_is_told_once_when_it_ends():
    looks = (
        [task("trainer", "RUNNING")],
        [task("trainer", "SUCCEEDED", seconds=7), task("root", "RUNNING")],
        [task("trainer", "SUCCEEDED", seconds=7), task("Verdict", "FAILED")],
    )
    told: list[str] = []

    play(Backend(states=("RUNNING", "RUNNING", "FAILED"), tasks=looks), show=told.append)

    assert told == ["[ 1/3] Trainer ... 7.0 s", "[ 2/3] Verdict ... failed"]


def test_a_short_absence_of_the_api_is_waited_for_and_a_long_one_is_not():
    assert play(Backend(broken_looks=3), fails_when_refused=True).state == "pushed"
    with pytest.raises(ApiUnavailableError, match="503 upstream connect error"):
        play(Backend(broken_looks=10_000))


def test_a_renewed_token_is_read_again_while_a_run_is_watched(tmp_path):
    file = tmp_path / "token"
    file.write_text("first\n", encoding="utf-8")
    backend = Backend(tokens=("first",))

    def renew(_: float) -> None:
        file.write_text("second", encoding="utf-8")
        backend.tokens = ("second",)

    with serving(backend) as address:
        api = connect(address, token_file=file)
        run_id = submit(make_submission(), api, None).run_id
        verdict = watch_run(api, run_id, watch(sleep=renew, fails_when_refused=True))

    assert verdict.state == "pushed"


def fail(backend: Backend, namespace: str | None = None, **values: Any) -> str:
    with serving(backend) as address, pytest.raises(ConfigError) as caught:
        submit(make_submission(), connect(address, namespace=namespace, **values), namespace)
    return str(caught.value)


def test_an_expired_token_is_one_clear_line():
    message = fail(Backend(tokens=("new",)), token="old")

    assert "received 401: Request header error: the token has expired" in message
    assert "KF_PIPELINES_TOKEN" in message
    assert "\n" not in message
    assert "old" not in message


def test_an_unknown_namespace_is_one_clear_line():
    message = fail(Backend(multi_user=True, namespaces=("team",)), namespace="taem")

    assert message.startswith("expected namespace taem at http://127.0.0.1")
    assert 'namespaces "taem" not found' in message
    assert "\n" not in message


def test_another_server_at_the_address_is_one_clear_line():
    backend = Backend()
    with serving(backend) as address, pytest.raises(ConfigError) as caught:
        submit(make_submission(), connect(f"{address}/elsewhere"), None)

    assert str(caught.value).startswith(f"expected Kubeflow Pipelines' API at {address}/elsewhere, received something")


def test_a_missing_namespace_is_one_clear_line():
    assert fail(Backend(multi_user=True, namespaces=("team",))).startswith("expected a namespace, since")


def test_nobody_at_the_address_is_one_clear_line():
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError) as caught:
            submit(make_submission(), connect(address), None)

    message = str(caught.value)
    assert message.startswith(f"expected Kubeflow Pipelines at {address}, received: ")
    assert "Connection refused" in message
    assert "\n" not in message


def test_a_namespace_is_not_sent_where_there_is_one_user():
    backend = Backend(multi_user=False)

    with serving(backend) as address:
        submit(make_submission(), connect(address, namespace="team"), "team")

    assert not [each for each in backend.requests if "team" in json.dumps(each)]
