"""Peak memory of this process."""

from pathlib import Path


def peak_megabytes() -> float:
    """Returns the most memory that this process has had since its program began.

    `getrusage` would also count the process that started it: `ru_maxrss` outlives `exec`.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
