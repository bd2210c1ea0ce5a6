"""`interest-migration benchmark`: what the model earns, measured."""

import click

from pipeline.commands.benchmark_across_platforms import across_platforms
from pipeline.commands.benchmark_cold_items import cold_items
from pipeline.commands.benchmark_labels import labels
from pipeline.commands.benchmark_sequences import sequences


@click.group()
def benchmark() -> None:
    """Measures the model beside simple methods; nothing is pushed."""


benchmark.add_command(labels)
benchmark.add_command(sequences)
benchmark.add_command(cold_items)
benchmark.add_command(across_platforms)
