import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.terminal import divert_output, quiet


def test_everything_goes_to_the_log_except_the_progress(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "runs" / "log.txt"
    with divert_output(log) as terminal:
        print("from Python")
        os.write(2, b"from C\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        terminal.write("progress\n")
    print("afterwards")
    out, err = capfd.readouterr()
    assert (out, err) == ("afterwards\n", "progress\n")
    assert sorted(log.read_text().splitlines()) == ["from C", "from Python", "from a child"]


def test_output_comes_back_after_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), divert_output(tmp_path / "log.txt"):
        raise ValueError("broken")
    print("afterwards")
    assert capfd.readouterr().out == "afterwards\n"


def test_a_logger_that_was_set_up_meanwhile_reaches_the_terminal_later(capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("library")
    with quiet():
        logger.addHandler(logging.StreamHandler())
        logger.warning("meanwhile")
        print("half a line", end="")
    logger.warning("afterwards")
    assert capfd.readouterr() == ("", "afterwards\n")
