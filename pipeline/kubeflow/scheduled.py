"""Runs that start by themselves: a recurring run of a pipeline of one step, which submits the real one from inside.

    recurring run "demo" -> demo-submit: Submit -> interest-migration submit -> run of demo, with the span of that day

The span and the fingerprint of the data are chosen when a run is submitted, so a recurring run of the pipeline itself
would read the same span for ever. The step sees the data as ingestion does, and takes configuration, mapping and gates
as its parameter. In the container: `python -m pipeline.kubeflow.scheduled FILES OPTIONS...`.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml

from interest_migration.errors import ConfigError
from pipeline.config import PipelineConfig
from pipeline.kubeflow.compiled import Compiled
from pipeline.kubeflow.repairs import SCHEMA_VERSION
from pipeline.kubeflow.settings import KubeflowSettings, Retries, StepSettings
from pipeline.kubeflow.submit_settings import SubmitSettings

STEP: Final = "Submit"
FILES: Final = "files"
"""The parameter: JSON, name of a file -> its text."""

_EXECUTOR: Final = f"{STEP}_executor"
_CONFIG_FILE: Final = "config.yaml"
_OF_THIS_MACHINE: Final = {"search": ("best",), "submit": ("token_file", "ca_file", "host")}
"""Left out: what `search.best` found is in place already, and the API is reached in another way from inside."""
_SEES_DATA: Final = "BehaviorExampleGen"
_POD_LABELS: Final = {"access-ml-pipeline": "true"}
"""Kubeflow gives pods with this label a token for the API, where the namespace has the PodDefault for it."""


def pack(config: PipelineConfig) -> dict[str, str]:
    """Returns a configuration and the files that it names, to be unpacked in another place.

    Example:
      a configuration with gates `/home/me/gates.yaml` -> config.yaml, which names gates.yaml; mapping.yaml; gates.yaml.
    """
    named = {"mapping.yaml": config.data.mapping, "gates.yaml": config.gates, "data-gates.yaml": config.data_gates}
    values = config.model_dump(mode="json", exclude_unset=True)
    values["data"]["mapping"], values["gates"] = "mapping.yaml", "gates.yaml"
    if config.data_gates:
        values["data_gates"] = "data-gates.yaml"
    for section, names in _OF_THIS_MACHINE.items():
        for name in names:
            values.get(section, {}).pop(name, None)
    texts = {name: path.read_text(encoding="utf-8") for name, path in named.items() if path}
    return {_CONFIG_FILE: yaml.safe_dump(values, sort_keys=False), **texts}


def compile_submitter(config: PipelineConfig, namespace: str | None) -> Compiled:
    """Compiles the pipeline of one step.

    Args:
      config: Its section `kubeflow` gives the image, and what ingestion gets of the cluster, which the step gets too.
      namespace: Of the runs that are submitted.

    Raises:
      ConfigError: If there is no such section.
    """
    from pipeline.kubeflow.platform import make_platform
    from pipeline.kubeflow.resources import give_resources

    if config.kubeflow is None:
        raise ConfigError(
            "kubeflow: expected a section with image and storage, received none; see configs/kubeflow.yaml"
        )
    settings = _settings_of_step(config.kubeflow)
    spec = _spec(f"{config.name}-submit", settings.image, config.submit, namespace)
    give_resources(spec, settings, {})
    platform = make_platform(spec, settings)
    executor = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][_EXECUTOR]
    executor["podMetadata"] = {"labels": dict(_POD_LABELS)}
    return Compiled(spec, platform, {FILES: json.dumps(pack(config), sort_keys=True)})


def main(files: str, *options: str) -> None:
    """Unpacks the files and submits; ends with the exit code of `submit`."""
    from pipeline.commands.submit import submit

    with tempfile.TemporaryDirectory() as folder:
        for name, text in json.loads(files).items():
            (Path(folder) / Path(name).name).write_text(text, encoding="utf-8")
        submit.main(["--config", str(Path(folder) / _CONFIG_FILE), *options])


def _settings_of_step(settings: KubeflowSettings) -> KubeflowSettings:
    """The step gets what ingestion gets, since it looks at the data; but it waits for a whole run, and submits one."""
    ingestion = settings.steps.get(_SEES_DATA) or StepSettings()
    step = ingestion.model_copy(update={"deadline_seconds": None, "cache": False, "retries": Retries()})
    return settings.model_copy(update={"steps": {STEP: step}})


def _spec(name: str, image: str, settings: SubmitSettings, namespace: str | None) -> dict[str, Any]:
    text = {"parameters": {FILES: {"parameterType": "STRING"}}}
    options = ["--host", settings.cluster_host, *(["--namespace", namespace] if namespace else [])]
    container = {
        "image": image,
        "command": ["python", "-m", "pipeline.kubeflow.scheduled"],
        "args": [f"{{{{$.inputs.parameters['{FILES}']}}}}", *options],
    }
    task = {
        "taskInfo": {"name": STEP},
        "componentRef": {"name": STEP},
        "cachingOptions": {},
        "inputs": {"parameters": {FILES: {"componentInputParameter": FILES}}},
    }
    return {
        "pipelineInfo": {"name": name},
        "schemaVersion": SCHEMA_VERSION,
        "sdkVersion": "kfp-2.16.1",
        "root": {"inputDefinitions": text, "dag": {"tasks": {STEP: task}}},
        "components": {STEP: {"executorLabel": _EXECUTOR, "inputDefinitions": text}},
        "deploymentSpec": {"executors": {_EXECUTOR: {"container": container}}},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
