"""A canary beside the stable version, both of them functions."""

import threading
import time

import numpy as np
import pytest

from interest_migration.client.errors import ServerError
from interest_migration.errors import InterestMigrationError
from interest_migration.serving.agreement import Agreement
from interest_migration.serving.canary import Trial
from interest_migration.serving.rollout_settings import RolloutSettings
from interest_migration.serving.traffic import Request

REQUESTS = [Request("serving_default", {"examples": np.array([str(number)], object)}) for number in range(10)]


def outputs(first="a", churn=0.25):
    return {"next_category": [[first, "z"]], "churn_probability_short": [churn]}


def answering(version, found, fails_on=lambda count: False, seconds=0.0):
    """An Ask that counts its calls; every so manieth fails."""
    calls, lock = [], threading.Lock()

    def ask(request):
        with lock:
            calls.append(request)
            count = len(calls)
        if fails_on(count):
            raise ServerError(f"INTERNAL on call {count}")
        time.sleep(seconds)
        return version, found

    ask.calls = calls
    return ask


def tried(stable, canary, concurrency=1, duration_s=None, **settings):
    trial = Trial(stable, canary, RolloutSettings(**settings))
    trial.run(REQUESTS, concurrency, duration_s)
    return trial


def broken(trial):
    return [check.name for check in trial.checks() if check.is_broken]


def test_a_share_of_the_requests_goes_to_both():
    stable, canary = answering(1, outputs()), answering(2, outputs())
    trial = tried(stable, canary, share=0.25, requests=400, concurrency=4)
    assert (trial.stable.sent, len(stable.calls)) == (400, 400)
    assert 60 < trial.canary.sent < 140
    assert trial.canary.sent == len(canary.calls)
    assert (trial.stable.versions, trial.canary.versions) == ({1}, {2})
    assert broken(trial) == []
    assert trial.agreement.measures()["next_category_same_first"] == 1


def test_the_same_requests_go_to_both():
    stable, canary = answering(1, outputs()), answering(2, outputs())
    tried(stable, canary, share=1, requests=25)
    assert stable.calls == canary.calls == [*REQUESTS, *REQUESTS, *REQUESTS[:5]]


def test_a_canary_that_fails_breaks_its_budget_and_is_asked_no_further():
    canary = answering(2, outputs(), fails_on=lambda count: count % 2 == 0)
    trial = tried(answering(1, outputs()), canary, share=1, requests=1000, max_error_rate=0.01)
    assert broken(trial) == ["error_rate"]
    assert trial.canary.sent == 22  # 11 errors are more than 1 % of what was planned
    assert trial.canary.errors[0] == "INTERNAL on call 2"


def test_a_few_errors_are_within_the_budget():
    canary = answering(2, outputs(), fails_on=lambda count: count == 7)
    trial = tried(answering(1, outputs()), canary, share=1, requests=200, max_error_rate=0.01)
    assert (trial.canary.sent, len(trial.canary.errors), broken(trial)) == (200, 1, [])


def test_a_slow_canary_breaks_the_budgets_of_latency():
    stable, canary = answering(1, outputs(), seconds=0.001), answering(2, outputs(), seconds=0.02)
    trial = tried(stable, canary, share=1, requests=60, max_latency_ms=15)
    assert broken(trial) == ["latency_ratio", "latency_ms"]
    assert trial.canary.latency_ms(50) > 20


def test_few_requests_say_nothing_of_latency():
    stable, canary = answering(1, outputs(), seconds=0.001), answering(2, outputs(), seconds=0.02)
    checks = {check.name: check for check in tried(stable, canary, share=1, requests=20).checks()}
    assert checks["latency_ratio"].value > 2
    assert checks["latency_ratio"].is_broken is None
    assert checks["error_rate"].is_broken is False


def test_a_canary_that_disagrees_breaks_a_budget_only_if_there_is_one():
    def other():
        return answering(1, outputs()), answering(2, outputs("b", 0.5))

    trial = tried(*other(), share=1, requests=60, max_latency_ratio=None)
    assert broken(trial) == []
    assert trial.agreement.measures() == {
        "churn_probability_short_difference": 0.25,
        "next_category_overlap": 0.5,
        "next_category_same_first": 0,
    }
    demanding = tried(*other(), share=1, requests=60, max_latency_ratio=None, min_agreement=0.9)
    assert broken(demanding) == ["agreement"]


def test_where_the_stable_version_fails_nothing_is_judged():
    fails = {"fails_on": lambda count: True}
    trial = tried(answering(1, outputs(), **fails), answering(2, outputs(), **fails), share=1, requests=20)
    with pytest.raises(InterestMigrationError, match=r"expected a stable version that answers, but .* INTERNAL"):
        trial.checks()


def test_a_time_in_place_of_a_number():
    begin = time.monotonic()
    trial = tried(answering(1, outputs(), seconds=0.001), answering(2, outputs()), duration_s=0.2, requests=1)
    assert 0.2 <= time.monotonic() - begin < 2
    assert trial.stable.sent > 20


def test_a_mistake_of_the_program_is_not_an_error_of_the_canary():
    def ask(request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tried(ask, ask, requests=5)


def test_agreement_of_ranked_lists_by_hand():
    agreement = Agreement()
    stable = {"next_category": [["a", "b"], ["a", ""]], "next_category_probability": [[0.6, 0.3], [0.5, 0.0]]}
    canary = {"next_category": [["b", "c"], ["a", ""]], "next_category_probability": [[0.5, 0.2], [0.4, 0.0]]}
    agreement.add(stable, canary)
    agreement.add({"next_item": [["i"]], "only_here": [1]}, {"next_item": [[""]]})
    assert agreement.measures() == pytest.approx(
        {
            "next_category_overlap": (0.5 + 1) / 2,  # "b" of two; "a" of one
            "next_category_same_first": 0.5,
            "next_category_probability_difference": (0.6 + 0.1) / 2,  # "a" is not in the canary's first list
            "next_item_overlap": 0,
            "next_item_same_first": 0,
        }
    )
