from pathlib import Path
from typing import Any

import pytest
import yaml

from interest_migration.errors import ConfigError
from pipeline.config import PipelineConfig, load_config

SHOP = {"name": "shop", "workspace": "w", "data": {"mapping": "shop.yaml", "input": "logs"}, "gates": "gates.yaml"}
FLINK = {"runner": "flink", "master": "http://jobs:8081", "environment": "LOOPBACK"}
EXTERNAL = {"environment": "EXTERNAL", "worker_address": "localhost:50000"}
DATAFLOW = {"runner": "dataflow", "project": "p", "region": "r", "temp_location": "gs://b/t"}


def load(folder: Path, **fields: Any) -> PipelineConfig:
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump({**SHOP, **fields}))
    return load_config(path)


def args(folder: Path, section: dict[str, Any]) -> list[str]:
    return list(load(folder, beam=section).beam_pipeline_args)


def test_the_local_runner_is_named(tmp_path: Path) -> None:
    alone = ["--runner=FnApiRunner", "--direct_num_workers=1"]
    assert args(tmp_path, {"runner": "local"}) == list(load(tmp_path).beam_pipeline_args) == alone
    several = ["--runner=FnApiRunner", "--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    assert args(tmp_path, {"runner": "local", "workers": 2}) == several


def test_options_of_beam_as_they_were(tmp_path: Path) -> None:
    assert load(tmp_path, beam_args=["--runner=PortableRunner"]).beam_pipeline_args == ("--runner=PortableRunner",)


def test_flink_with_a_pool_of_workers(tmp_path: Path) -> None:
    section = {
        **FLINK,
        **EXTERNAL,
        "parallelism": 8,
        "job_endpoint": "jobs:8099",
        "setup_file": "setup.py",
        "max_hours": 1.5,
    }
    assert args(tmp_path, section) == [
        "--runner=FlinkRunner",
        "--flink_master=http://jobs:8081",
        "--flink_version=2.2",
        "--parallelism=8",
        "--job_endpoint=jobs:8099",
        "--job_server_timeout=5400",
        "--environment_type=EXTERNAL",
        "--environment_config=localhost:50000",
        f"--setup_file={tmp_path / 'setup.py'}",
    ]


def test_flink_with_workers_as_its_processes(tmp_path: Path) -> None:
    process = {"environment": "PROCESS", "worker_command": "/opt/boot", "worker_variables": {"A": "b"}}
    found = args(tmp_path, {**FLINK, **process, "job_server_jar": "/opt/server.jar", "version": "1.20"})
    assert "--flink_job_server_jar=/opt/server.jar" in found
    assert "--flink_version=1.20" in found
    assert found[-2:] == [
        "--environment_type=PROCESS",
        '--environment_config={"command": "/opt/boot", "env": {"A": "b"}}',
    ]


def test_spark_with_workers_in_containers(tmp_path: Path) -> None:
    section = {"runner": "spark", "master": "spark://h:7077", "environment": "DOCKER", "sdk_container_image": "shop:1"}
    assert args(tmp_path, section) == [
        "--runner=SparkRunner",
        "--spark_master_url=spark://h:7077",
        "--job_server_timeout=14400",
        "--environment_type=DOCKER",
        "--sdk_container_image=shop:1",
    ]


def test_dataflow_with_options_of_its_own(tmp_path: Path) -> None:
    options = {"experiments": ["use_runner_v2", "more"], "machine_type": "n2-standard-4", "no_use_public_ips": True}
    section = {**DATAFLOW, "max_workers": 9, "sdk_container_image": "shop:1", "options": {**options, "off": False}}
    assert args(tmp_path, section) == [
        "--runner=DataflowRunner",
        "--project=p",
        "--region=r",
        "--temp_location=gs://b/t",
        "--max_num_workers=9",
        "--sdk_container_image=shop:1",
        "--experiments=use_runner_v2",
        "--experiments=more",
        "--machine_type=n2-standard-4",
        "--no_use_public_ips",
    ]


def test_only_workers_that_share_a_disk_exchange_files(tmp_path: Path) -> None:
    sections = [None, {"runner": "local"}, FLINK, {**FLINK, "shared_disk": True}, {**DATAFLOW, "setup_file": "s.py"}]
    assert [load(tmp_path, beam=section).exchanges_files for section in sections] == [
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"workers": 2}, r"beam: .*expected runner: local, flink, spark or dataflow, received None"),
        ({"runner": "flnk"}, r"beam: .*expected runner: .*received 'flnk'"),
        ({"runner": "local", "workers": 0}, r"beam\.local\.workers"),
        ({"runner": "local", "parallelism": 2}, r"beam\.local\.parallelism: Extra inputs"),
        ({"runner": "local", "options": {"--x": 1}}, r"expected options without dashes, received '--x'; write 'x'"),
        ({"runner": "local", "options": {"direct_num_workers": 2}}, r"expected 'direct_num_workers' as a field"),
        ({"runner": "flink", "environment": "LOOPBACK"}, r"beam\.flink\.master: Field required"),
        ({**FLINK, "master": "jobs"}, r"beam\.flink\.master: .*received 'jobs'"),
        ({**FLINK, "version": 1.2}, r'expected a version in quotes, as "1\.20"'),
        ({**FLINK, "version": "1.2"}, r"beam\.flink\.version: Input should be '1\.19'"),
        ({**FLINK, "environment": "EXTERNAL"}, r"expected worker_address with environment EXTERNAL, received none"),
        ({**FLINK, "environment": "PROCESS"}, r"expected worker_command with environment PROCESS, received none"),
        ({**FLINK, "environment": "DOCKER"}, r"expected sdk_container_image with environment DOCKER, received none"),
        ({**FLINK, "worker_address": "h:1"}, r"worker_address with environment EXTERNAL only, received LOOPBACK"),
        ({**FLINK, "worker_variables": {"A": "b"}}, r"worker_variables with environment PROCESS only"),
        ({**FLINK, "job_server_jar": "a.jar", "job_endpoint": "h:1"}, r"job_server_jar or job_endpoint, received both"),
        (DATAFLOW, r"expected setup_file or sdk_container_image"),
        ({**DATAFLOW, "temp_location": "/tmp", "setup_file": "s.py"}, r"temp_location: .*received '/tmp'"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, section: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, beam=section)


def test_there_is_one_way_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected beam or beam_args, received both"):
        load(tmp_path, beam={"runner": "local"}, beam_args=["--runner=FnApiRunner"])
