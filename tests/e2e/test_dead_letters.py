"""Bad data through the command line: what it says, and what it leaves."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from dirty_files import FIELDS, make_csv, make_jsonl, make_parquet
from small_shop import call, prepare_shop, write_yaml

pytestmark = pytest.mark.e2e


def test_a_run_on_bad_data_ends_with_3_and_keeps_the_dead_letters(tmp_path: Path) -> None:
    prepare_shop(tmp_path)
    with (tmp_path / "data" / "log.csv").open("a") as log:
        log.write("customer-00001,x,shoes,dance,1672531200,1\n" * 30)
    bound = ("--set", "data.max_rejected_share_by_reason={unknown_action: 0.0001}")
    refused = call("run", "--config", tmp_path / "config.yaml", *bound)
    assert refused.exit_code == 3, refused.output
    assert re.search(
        r"BehaviorExampleGen failed: data refused: .* % of the rows read are unknown_action", refused.output
    )
    place = re.search(r"The rows set aside: (.*)", refused.output)
    assert place is not None
    letters = pd.read_parquet(place[1])
    assert letters["reason"].value_counts()["unknown_action"] == 30
    assert set(letters["source_file"]) == {"log.csv"}
    counts = json.loads((Path(place[1]) / "_summary.json").read_text())
    assert counts["rows_read"] == counts["rows_used"] + sum(counts["rejected"].values())


@pytest.mark.parametrize("make", [make_csv, make_jsonl, make_parquet])
def test_dirty_files_through_the_command_end_with_counts_or_a_clear_error(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    good = tmp_path / "good.csv"
    write_good_rows(good)
    for seed in range(4):
        file, data = make(seed), tmp_path / f"data-{seed}"
        data.mkdir()
        shutil.copy(good, data)
        (data / file.name).write_bytes(file.data)
        options = {"delimiter": "\t"} if ".tsv" in file.name else {}
        streams = [
            {"name": "good", "files": "good.csv", "fields": FIELDS},
            {"name": "dirty", "files": file.name, "csv": options, "fields": FIELDS},
        ]
        mapping = write_yaml(tmp_path / "mapping.yaml", {"name": "dirty", "streams": streams})
        result = call(
            *("ingest", "--mapping", mapping, "--input", data, "--output", tmp_path / "out", "--json"),
            *("--shards", 1, "--set", "horizons_days={short: 1, long: 2}", "--set", "cut_every_days=2"),
            *("--set", "eval_cuts=1", "--set", "test_cuts=1"),
        )
        assert result.exit_code in ((2,) if file.refused else (0, 2)), result.output
        if result.exit_code == 2:
            assert file.name in result.stderr
            assert "expected" in result.stderr
        else:
            counts = json.loads(result.stdout)
            assert counts["rows_read"] == counts["rows_used"] + sum(counts["rejected"].values())
            assert file.rows is None or counts["rows_read"] == file.rows + 80
            assert len(pd.read_parquet(tmp_path / "out" / "rejects")) == sum(counts["rejected"].values())


def write_good_rows(path: Path) -> None:
    rows = [f"{user},{1500000000 + day * 86400},buy,9,a/b,1,1,s,z" for user in range(2) for day in range(40)]
    path.write_text("\n".join(["u,t,a,i,c,p,q,s,x", *rows]).replace("buy", "purchase"))
