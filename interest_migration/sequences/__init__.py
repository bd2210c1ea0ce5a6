"""Benchmark on public sequence files: leave-one-out, full ranking."""
