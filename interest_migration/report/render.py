"""Renders a report: one HTML file that loads nothing."""

import base64
import gzip
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from interest_migration.flows.results import GONE, OTHER, Flows
from interest_migration.report import formats, words
from interest_migration.report.churn_pictures import draw_churn
from interest_migration.report.confusion import count_confusion
from interest_migration.report.flow_pictures import draw_flows
from interest_migration.report.headlines import list_headlines
from interest_migration.report.inputs import RunReport
from interest_migration.report.rival_pictures import draw_differences
from interest_migration.report.slices import list_slices
from interest_migration.report.training_pictures import draw_training
from interest_migration.report.verdict import count_checks, order_checks, tell_verdict

_TEMPLATE = "report.html.j2"


def render(report: RunReport) -> str:
    """Returns the report as HTML."""
    evaluation, measures = report.evaluation, report.measures
    headlines = list_headlines(evaluation, measures) if evaluation else ()
    difference = draw_differences(headlines)
    churn = list(draw_churn(measures, report.minimum_users)) if measures else []
    training = list(draw_training(report.training)) if report.training else []
    flows = list(draw_flows(report.flows)) if report.flows else []
    pictures = [*([difference] if difference else []), *churn, *training, *flows]
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            report=report,
            record=report.record,
            verdict=tell_verdict(report, headlines),
            decisions=[
                decision
                for decision in (report.model_decision, report.serving_decision, report.data_decision)
                if decision
            ],
            headlines=headlines,
            difference=difference,
            churn=churn,
            slices=list_slices(report.slices, measures, report.minimum_users) if measures else (),
            confusion=count_confusion(measures, report.categories, report.minimum_users) if measures else None,
            training=training,
            flow_pictures={picture.name: picture for picture in flows},
            matrix=_matrix(report.flows) if report.flows else None,
            specs=Markup(_embed({picture.name: picture.spec for picture in pictures})),
            plotly=Markup(_packed_plotly()) if pictures else "",
            settings=yaml.safe_dump(report.record.settings, sort_keys=False, allow_unicode=True),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("interest_migration.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("number", "signed", "percent", "points", "count", "duration", "moment", "day")
    environment.filters.update({name: getattr(formats, name) for name in names})
    environment.filters.update({name: getattr(words, name) for name in ("task_name", "metric_name", "method_name")})
    environment.globals.update(
        slice_name=words.slice_name,
        slice_value=words.slice_value,
        meanings=words.MEANINGS,
        count_checks=count_checks,
        order_checks=order_checks,
    )
    return environment


@cache
def _packed_plotly() -> str:
    """Returns plotly.js, gzipped, as base64: a third of its size."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode("ascii")


def _embed(values: Any) -> str:
    """Returns JSON that can stand inside a script element, whatever it holds."""
    text = json.dumps(values, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _matrix(flows: Flows) -> dict[str, Any]:
    """Returns the transition matrix: targets, and for each source its cells (None where too few users are behind)."""
    cells = {(link.source, link.target): link for link in flows.links}
    named = [category.name for category in flows.categories]
    sources = [name for name in (*named, OTHER) if any(key[0] == name for key in cells)]
    targets = [name for name in (*named, OTHER, GONE) if any(key[1] == name for key in cells)]
    largest = max((link.of_source for link in flows.links if link.target not in (OTHER, GONE)), default=1.0)
    return {
        "targets": targets,
        "largest": largest,
        "rows": [(source, list(_cells(cells, source, targets))) for source in sources],
    }


def _cells(cells: dict[tuple[str, str], Any], source: str, targets: list[str]) -> Iterator[Any]:
    return (cells.get((source, target)) for target in targets)
