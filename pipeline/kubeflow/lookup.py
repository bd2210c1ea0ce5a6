"""What must be known before a run on Kubeflow, since no driver of the orchestrator would look it up."""

import hashlib
import json
import os
from dataclasses import asdict, replace
from typing import Final

from interest_migration.errors import ConfigError
from interest_migration.privacy.erasure import erasure_digest, make_pseudonymiser
from interest_migration.privacy.keys import KEY_VARIABLE, load_key
from interest_migration.sources.paths import PACKAGE_PREFIX
from pipeline.config import PipelineConfig
from pipeline.data_facts import find_facts
from pipeline.resolved import SCHEMA_FILE, Resolved
from pipeline.run import Plan, read_files, read_plan

SERVED_STATE: Final = ""
"""Steps that look at what is served are never cached on Kubeflow, so no state is part of their parameters."""


def look_up_run(config: PipelineConfig, span: str | None, *, without_data: bool) -> tuple[Plan, Resolved]:
    """Reads what a configuration names, and looks at its data if they can be read here.

    Args:
      config: The configuration.
      span: Number or date of the span of a log in dated partitions; none is the newest complete one.
      without_data: Whether the data cannot be read here.

    Raises:
      ConfigError: If a file does not fit, or a span is to be chosen without the data.
      DataError: If the data cannot be read.
    """
    if without_data and (config.data.partitions is not None or span is not None):
        raise ConfigError(
            "--without-data: expected a log without dated partitions, since the span of a run is chosen when it is "
            "compiled or submitted; do it where the partitions are mounted, or let runs start inside the cluster: "
            "submit --every 1d"
        )
    plan = read_files(config) if without_data else read_plan(config, span)
    return plan, look_up(plan, read_data=not without_data)


def look_up(plan: Plan, *, read_data: bool = True) -> Resolved:
    """Looks at data and key; writes nothing.

    Args:
      plan: The configuration with what it names.
      read_data: Whether all bytes of the input are read for their fingerprint. Without it, nothing is known of the
        data, and ingestion is not cached.

    Raises:
      InputError: If the input cannot be read.
      ConfigError: If there is an erasure list, but no key to tell whom it names.
    """
    key_id, erased = _identify_key(plan.config)
    known = Resolved(
        fingerprint="",
        key_id=key_id,
        served_state=SERVED_STATE,
        base=SERVED_STATE,
        schema_file=_schema_in_image(),
        erasure_digest=erased,
        partitions=plan.spans.selection.model_dump_json() if plan.spans else "",
    )
    return _with_data(plan, known) if read_data else known


def _with_data(plan: Plan, known: Resolved) -> Resolved:
    facts = find_facts(plan.config, plan.mapping, plan.data_gates, plan.spans)
    record = asdict(facts.record("", {"statistics": "", "summary": ""}))
    return replace(
        known,
        fingerprint=facts.fingerprints.whole,
        delivery=facts.delivery.model_dump_json(),
        reference=facts.reference.model_dump_json() if facts.reference else "",
        requests=facts.requests,
        data_record=json.dumps(record),
    )


def _identify_key(config: PipelineConfig) -> tuple[str, str]:
    """Returns the key's public id and the digest of the erased users; no key is ever made here."""
    erasure_list, settings = config.data.erasure_list, config.kubeflow
    if KEY_VARIABLE in os.environ or config.key_file.exists():
        pseudonymiser = make_pseudonymiser(load_key(config.key_file), erasure_list)
        return pseudonymiser.key_id, erasure_digest(pseudonymiser)
    if erasure_list is not None:
        raise ConfigError(
            f"data.erasure_list: expected the pseudonym key, to tell whom {erasure_list} names, received none; "
            f"set {KEY_VARIABLE} as in the cluster's Secret"
        )
    return (settings.key_id if settings else None) or "", ""


def _schema_in_image() -> str:
    """Names the schema as the image has it; its digest makes a changed schema a changed parameter."""
    digest = hashlib.sha256(SCHEMA_FILE.read_bytes()).hexdigest()[:16]
    return f"{PACKAGE_PREFIX}schemas/{SCHEMA_FILE.name}#{digest}"
