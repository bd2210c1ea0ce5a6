"""Tables for the terminal."""

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interest_migration.evaluation.bootstrap import Estimate
from interest_migration.evaluation.results import ALL, EvaluationReport
from interest_migration.gates.decision import Check, CheckVerdict, Decision
from interest_migration.ingestion.bounds import is_bad
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.serving.versions import served_version
from pipeline.outcome import summary_rows

if TYPE_CHECKING:
    from interest_migration.cold_items.draws import Averaged
    from interest_migration.cold_items.scoring import Ranked
    from interest_migration.sequences.benchmark import BenchmarkResult
    from pipeline.outcome import Outcome

_FEW = 5


def make_console() -> Console:
    """Returns a console that is wide enough for the tables where output is not a terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def print_ingestion(console: Console, summary: IngestSummary) -> None:
    """Prints rows read, used and set aside by reason, the most frequent first, with their share of the rows read."""
    table = Table(title="Rows", box=box.SIMPLE, title_justify="left", show_header=False)
    table.add_column()
    for _ in range(2):
        table.add_column(justify="right")
    reasons = sorted(summary.rejected.items(), key=lambda item: (-item[1], item[0]))
    aside = [(f"set aside: {name}{' (by intent)' * (not is_bad(name))}", count) for name, count in reasons]
    for name, count in (("read", summary.rows_read), ("used", summary.rows_used), *aside):
        table.add_row(name, f"{count:,}", f"{100 * count / max(summary.rows_read, 1):.2f} %")
    for name, counts in summary.tables.items():
        if counts.left_out:
            share = f"{100 * counts.left_out / counts.rows_read:.2f} %"
            table.add_row(f"left out of table {escape(name)}", f"{counts.left_out:,}", share)
    console.print(table)


def print_report(console: Console, report: EvaluationReport) -> None:
    """Prints one row per task: the model, the best baseline, and their difference."""
    title = f"Test split: {report.examples:,} examples of {report.users:,} users"
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for name in ("task", "metric"):
        table.add_column(name)
    table.add_column("model", justify="right")
    table.add_column("best baseline")
    table.add_column(f"difference ({report.confidence:.0%} interval)")
    for row in summary_rows(report):
        table.add_row(*(escape(cell) for cell in _cells(row)))
    console.print(table)


def print_benchmark(console: Console, result: "BenchmarkResult") -> None:
    """Prints one row per metric: every method, and the model's lead over the best of the others."""
    told = result.file
    counts = ", ".join(f"{told[name]:,} {name}" for name in ("users", "items", "interactions"))
    title = f"{counts}; the last item among all that the user's sequence does not hold"
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    table.add_column("metric")
    for name in result.test:
        table.add_column(name, justify="right")
    table.add_column("lead (95 % interval)")
    for metric, lead in result.lift.items():
        values = (f"{summary[metric].value:.4f}" for summary in result.test.values())
        table.add_row(metric, *values, _estimate(lead, "+"))
    console.print(table)
    cost = result.cost
    console.print(
        f"Training: {cost['epochs']:.0f} epochs, {cost['wall_seconds']:.0f} s, {cost['cpu_seconds']:.0f} CPU-seconds; "
        f"{cost['targets_per_cpu_second']:,.0f} targets per CPU-second of the passes alone",
        soft_wrap=True,
    )


def print_methods(console: Console, title: str, result: "Ranked | Averaged") -> None:
    """Prints one row per method, with the lead of the model over it."""
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for name in ("method", "HR@10 (95 % interval)", "NDCG@10 (95 % interval)", "text less it, HR@10", "NDCG@10"):
        table.add_column(name)
    for method, measures in result.methods.items():
        leads = [_estimate(lead, "+") for lead in result.differences.get(method, {}).values()]
        table.add_row(method, *map(_estimate, measures.values()), *leads)
    console.print(table)


def _estimate(found: Estimate, sign: str = "") -> str:
    bounds = "" if found.low is None else f" ({found.low:{sign}.4f} to {found.high:{sign}.4f})"
    return f"{found.value:{sign}.4f}{bounds}"


def print_decision(console: Console, decision: Decision) -> None:
    """Prints the verdict, the reasons against the model, and what could not be decided."""
    version = decision.served_version
    served = "no model, so changes were not judged" if version is None else f"version {version}"
    console.print(f"Compared with: {served}", soft_wrap=True)
    counts = Counter(check.verdict for check in decision.checks)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in CheckVerdict if counts[verdict])
    console.print(f"Verdict: {'blessed' if decision.passed else 'refused'} ({told})", style="bold")
    for verdict in (CheckVerdict.BROKEN, CheckVerdict.UNDECIDED, CheckVerdict.SKIPPED):
        _print_checks(console, [check for check in decision.checks if check.verdict is verdict])
    for note in decision.notes:
        console.print(f"  {escape(note)}", soft_wrap=True)


def _print_checks(console: Console, checks: list[Check]) -> None:
    """Prints broken checks all, others up to a few."""
    few = checks if checks and checks[0].verdict is CheckVerdict.BROKEN else checks[:_FEW]
    for check in few:
        console.print(f"  - {check.verdict}: {escape(check.reason)}", soft_wrap=True)
    if len(few) < len(checks):
        console.print(f"  - {checks[0].verdict}: {len(checks) - len(few)} more; see the decision", soft_wrap=True)


def print_verdict(console: Console, outcome: "Outcome") -> None:
    """Prints what the gate decided and what was pushed."""
    print_decision(console, outcome.decision)
    if outcome.serving and not outcome.serving.passed:
        console.print("Serving gate: refused", style="bold")
        _print_checks(console, [check for check in outcome.serving.checks if check.verdict is CheckVerdict.BROKEN])
    if outcome.review:
        console.print(f"Review: {escape(outcome.review)}", soft_wrap=True)
    if outcome.pushed:
        how = "Pushed" if outcome.pushed.is_new else "Already served"
        console.print(f"{how}: version {outcome.pushed.version} in {outcome.pushed.path}", soft_wrap=True)
        served = served_version(outcome.pushed.path.parent)
        if served and served.number != outcome.pushed.version:
            console.print(
                f"Version {served.number} stays served until somebody decides otherwise: interest-migration models",
                soft_wrap=True,
            )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    task = row["task"] if row["subset"] == ALL else f"{row['task']}, {row['subset']}"
    if row["model"] is None:
        return task, row["metric"], "undefined", row["note"], ""
    baseline = "none" if row["baseline"] is None else f"{_short(row['baseline'])} {row['best_baseline']}"
    return task, row["metric"], _short(row["model"]), baseline, _difference(row)


def _difference(row: dict[str, Any]) -> str:
    if row["difference"] is None:
        return ""
    interval = "" if row["low"] is None else f" ({_short(row['low'], '+')} to {_short(row['high'], '+')})"
    return f"{_short(row['difference'], '+')}{interval}"


def _short(value: float, sign: str = "") -> str:
    """0.8123 -> `.812`, -0.05 -> `-.050`."""
    return f"{value:{sign}.3f}".replace("0.", ".", 1)
