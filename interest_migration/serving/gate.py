"""The serving gate: may a model be served, for all that it is good enough?

The model gate judges how well a model predicts. This one judges whether a server can answer with it: whether the folder
is whole, every signature answers real examples, answers are those that training and evaluation saw, and time and memory
stay within their budgets.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from interest_migration.errors import ModelFilesError
from interest_migration.gates.decision import Check, CheckVerdict, Decision
from interest_migration.serving.gate_settings import ServingGateSettings
from interest_migration.serving.model_directory import check_model_directory
from interest_migration.serving.replay import Measured, Request
from schemas.signatures import PREDICT, SERVE

GATE: Final = "serving"
_TOLD_BYTES: Final = 2_000  # of what a process that died has said


def judge_model(model: Path, raw: Sequence[str], transformed: Sequence[str], settings: ServingGateSettings) -> Decision:
    """Checks a model's files, replays examples in a fresh process and judges what came of it.

    Args:
      model: Folder of the SavedModel.
      raw: Gzip TFRecord files of raw examples.
      transformed: The same examples as Transform wrote them; none leaves out the comparison with training.
      settings: The bounds.
    """
    try:
        files = check_model_directory(model)
    except ModelFilesError as error:
        return Decision.of(GATE, [_check("files", str(model), "a whole model", math.nan, False, str(error))])
    told = f"the folder holds a whole model of {files.bytes:,} bytes"
    checks = [_check("files", str(model), "a whole model", files.bytes, True, told)]
    request = Request(str(model), raw, transformed, settings.examples, settings.calls)
    try:
        measured = run_replay(request, settings.timeout_seconds)
    except _ReplayError as error:
        return Decision.of(GATE, [*checks, _check("answers", "process", "answers", math.nan, False, str(error))])
    return Decision.of(GATE, [*checks, *judge(measured, settings, bool(transformed))], notes=_notes(measured))


class _ReplayError(Exception):
    """The process that replays examples did not end well."""


def run_replay(request: Request, timeout_seconds: float) -> Measured:
    """Replays in a fresh process."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1"}
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "interest_migration.serving.replay"],
            input=json.dumps(asdict(request)),
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            env={**os.environ, **quiet, "PYTHONPATH": path},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _ReplayError(f"the model did not answer within {timeout_seconds:g} seconds") from error
    if ended.returncode:
        told = ended.stderr[-_TOLD_BYTES:].strip().splitlines()
        raise _ReplayError(
            f"the process that loads the model ended with code {ended.returncode}: {told[-1] if told else 'no message'}"
        )
    return Measured(**json.loads(ended.stdout.splitlines()[-1]))


def judge(measured: Measured, settings: ServingGateSettings, has_transformed: bool = True) -> Iterator[Check]:
    """Holds what was measured against the bounds.

    Args:
      measured: What was measured.
      settings: The bounds.
      has_transformed: Whether the path of training was there to compare with.
    """
    failed = "; ".join(f"{name}: {reason}" for name, reason in measured.failures.items())
    told = f"every signature answers {measured.examples} examples" if not failed else f"not answered: {failed}"
    count = len(measured.failures)
    yield _check("answers", "signatures that fail", "none", count, not failed, told, measured.examples)
    yield from _bounded("skew", measured.differences, settings.tolerance, "largest difference", measured.examples)
    yield from _bounded(
        "skew", measured.name_differences, settings.name_tolerance, "share of names that differ", measured.examples
    )
    if not has_transformed:
        yield Check(
            rule="skew",
            subject="serving_default and the path of training",
            where="replayed examples",
            value=math.nan,
            low=math.nan,
            high=math.nan,
            reference="",
            bound=f"at most {settings.tolerance:g}",
            verdict=CheckVerdict.SKIPPED,
            reason="no transformed examples were given to compare with",
        )
    for signature in (SERVE, PREDICT):
        times = measured.latency_ms.get(signature)
        if times:
            yield from _latency(signature, times, settings)
    used, most = measured.memory_megabytes, settings.memory_megabytes
    told = f"the process used {used:.0f} MB of {most:.0f}"
    yield _check("memory", "peak memory, MB", f"at most {most:g}", used, used <= most, told)


def _bounded(rule: str, values: Mapping[str, float], most: float, what: str, examples: int) -> Iterator[Check]:
    for subject, value in values.items():
        told = f"{subject}: {what} {value:.2g}, bound {most:g}"
        yield _check(rule, f"{what}, {subject}", f"at most {most:g}", value, value <= most, told, examples)


def _latency(signature: str, times: Mapping[str, float], settings: ServingGateSettings) -> Iterator[Check]:
    for name, most in (("p50", settings.p50_ms), ("p99", settings.p99_ms)):
        value = times[f"cpu_{name}"]
        told = (
            f"{signature} answers one user in {value:.1f} ms of CPU time at {name} (wall {times[f'wall_{name}']:.1f}), "
            f"bound {most:g}"
        )
        subject = f"{name} of {signature}, ms"
        yield _check("latency", subject, f"at most {most:g}", value, value <= most, told, settings.calls)


def _check(rule: str, subject: str, bound: str, value: float, passed: bool, reason: str, examples: int = 0) -> Check:
    verdict = CheckVerdict.PASSED if passed else CheckVerdict.BROKEN
    return Check(rule, subject, "exported model", value, math.nan, math.nan, "", bound, verdict, reason, examples)


def _notes(measured: Measured) -> list[str]:
    return [
        f"loaded in {measured.load_seconds:.1f} s; {measured.warm_ups} warm-up requests and {measured.examples} "
        "examples replayed in a process of its own, one thread"
    ]
