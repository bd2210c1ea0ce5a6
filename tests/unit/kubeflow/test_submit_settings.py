from pathlib import Path

import pytest

from interest_migration.errors import ConfigError
from pipeline.kubeflow.schedule import Schedule, parse_schedule
from pipeline.kubeflow.submit_settings import Connection, SubmitSettings, find_connection
from pipeline.kubeflow.verdict import Verdict, read_verdict

FILE = SubmitSettings(host="https://file/", namespace="from-file")
ENVIRONMENT = {"KF_PIPELINES_ENDPOINT": "https://environment", "KF_PIPELINES_NAMESPACE": "from-environment"}


@pytest.mark.parametrize(
    ("host", "environment", "expected"),
    [
        ("https://line", ENVIRONMENT, "https://line"),
        (None, ENVIRONMENT, "https://environment"),
        (None, {}, "https://file"),
    ],
)
def test_the_command_line_wins_over_the_environment_and_that_over_the_file(host, environment, expected):
    assert find_connection(FILE, host, None, environment).host == expected


def test_the_environment_gives_namespace_pages_and_token():
    environment = {**ENVIRONMENT, "KF_PIPELINES_UI_ENDPOINT": "https://pages/", "KF_PIPELINES_TOKEN": "secret"}
    found = find_connection(FILE, None, None, environment)

    assert (found.namespace, found.ui, found.read_token()) == ("from-environment", "https://pages", "secret")
    assert found.run_page("7") == "https://pages/#/runs/details/7"


def test_a_token_file_is_named_by_the_environment_or_the_configuration(tmp_path):
    (tmp_path / "a").write_text("from-a\n", encoding="utf-8")
    settings = SubmitSettings(host="https://file", token_file=tmp_path / "b")
    found = find_connection(settings, environment={"KF_PIPELINES_SA_TOKEN_PATH": str(tmp_path / "a")})

    assert found.read_token() == "from-a"
    with pytest.raises(ConfigError, match="No such file"):
        find_connection(settings, environment={}).read_token()


def test_files_are_relative_to_the_project(tmp_path):
    found = SubmitSettings(token_file="token", ca_file="/etc/ca.pem").at_root(tmp_path)

    assert (found.token_file, found.ca_file) == (tmp_path / "token", Path("/etc/ca.pem"))
    assert SubmitSettings().at_root(tmp_path) == SubmitSettings()


def test_an_empty_token_file_is_refused(tmp_path):
    file = tmp_path / "token"
    file.touch()
    with pytest.raises(ConfigError, match="empty file"):
        Connection("https://h", "https://h", token_file=file).read_token()


def test_a_token_may_end_in_a_line_break_and_a_broken_one_is_not_shown():
    def read(token):
        return find_connection(FILE, environment={"KF_PIPELINES_TOKEN": token}).read_token()

    assert read("secret\n") == "secret"
    for token in ("sec\nret", "sécret"):
        with pytest.raises(ConfigError, match="expected a token in KF_PIPELINES_TOKEN") as raised:
            read(token)
        assert token not in str(raised.value)


def test_no_token_is_none():
    assert Connection("https://h", "https://h").read_token() is None
    assert SubmitSettings().token_file is None


@pytest.mark.parametrize("host", ["kubeflow.example.com", "ftp://h", "https://", "https://a b"])
def test_a_host_that_is_no_address_is_refused(host):
    with pytest.raises(ConfigError, match=r"--host: expected an address"):
        find_connection(SubmitSettings(), host, None, {})


def test_a_missing_host_says_where_it_could_be_given():
    with pytest.raises(ConfigError, match="KF_PIPELINES_ENDPOINT"):
        find_connection(SubmitSettings(), None, None, {})


@pytest.mark.parametrize(
    ("every", "cron", "expected"),
    [
        (None, None, None),
        ("30m", None, Schedule(every_seconds=1800)),
        ("2w", None, Schedule(every_seconds=1_209_600)),
        (None, "30 4 * * *", Schedule(cron="0 30 4 * * *")),
        (None, "15 30 4 * * 1-5", Schedule(cron="15 30 4 * * 1-5")),
        (None, "*/15 8-18/2 ? JAN,jul Mon-Fri", Schedule(cron="0 */15 8-18/2 ? JAN,jul Mon-Fri")),
    ],
)
def test_schedules_are_read(every, cron, expected):
    assert parse_schedule(every, cron) == expected


@pytest.mark.parametrize(("every", "cron"), [("1d", "0 4 * * *"), ("0h", None), ("1.5h", None), (None, "daily")])
def test_schedules_that_cannot_be_read_are_refused(every, cron):
    with pytest.raises(ConfigError):
        parse_schedule(every, cron)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("60 4 * * *", r"minute: expected 0 to 59, a range, a list or \*, received '60'"),
        ("0 24 * * *", "hour: expected 0 to 23"),
        ("0 4 0 * *", "day: expected 1 to 31"),
        ("0 4 * 13 *", "month: expected 1 to 12"),
        ("0 4 * * 7", "weekday: expected 0 to 6"),
        ("0 4 * * fry", "weekday: .* received 'fry'"),
        ("mon 4 * * *", "minute: .* received 'mon'"),
        ("*/0 4 * * *", "minute: "),
        ("1, 4 * * *", "minute: "),
        ("90 0 4 * * *", "second: "),
    ],
)
def test_times_that_no_clock_shows_are_named(cron, words):
    with pytest.raises(ConfigError, match=f"--cron: {words}"):
        parse_schedule(None, cron)


def test_the_last_verdict_in_a_log_counts_and_damaged_ones_do_not():
    log = (
        'verdict: {"state": "failed", "exit_code": 1}\n'
        'I1124 main] verdict: {"state": "held", "exit_code": 3, "version": null, "reasons": ["a person said no"]}\n'
        'verdict: {"state": \nverdict: {"exit_code": 0}\n'
    )

    assert read_verdict(log) == Verdict("held", 3, reasons=("a person said no",))
    assert read_verdict("nothing here") is None
