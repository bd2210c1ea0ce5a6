"""Peak memory is that of the process alone, whoever started it."""

import subprocess
import sys

from interest_migration.serving.peak_memory import peak_megabytes

TOLD = "from interest_migration.serving.peak_memory import peak_megabytes; print(peak_megabytes())"


def test_what_was_given_back_still_counts() -> None:
    held = bytearray(200 << 20)
    del held
    assert peak_megabytes() > 200


def test_a_large_process_that_starts_another_does_not() -> None:
    held = bytearray(200 << 20)
    told = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=True).stdout
    del held
    assert 1 < float(told) < 150
