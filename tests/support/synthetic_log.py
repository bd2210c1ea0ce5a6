"""A small behaviour log with structure worth learning: users whose interests move, and some who leave."""

import csv
from pathlib import Path

import numpy as np

CATEGORIES = ("shoes", "socks", "phones", "cases", "books", "lamps", "tents", "stoves")
FOLLOWS = {"shoes": "socks", "phones": "cases", "tents": "stoves"}
START_S = 1_672_531_200  # 2023-01-01
DAY_S = 86_400


def write_log(path: Path, users: int = 120, days: int = 200, seed: int = 0) -> int:
    """Writes a CSV with columns user, item, category, action, ts, price; returns the number of rows.

    A user visits about weekly and looks at one to three things of a current category. From `shoes`, `phones` and
    `tents` the interest moves on to what follows in `FOLLOWS` most of the time. Every third user slows down and stops.
    """
    rng = np.random.default_rng(seed)
    rows = [row for user in range(users) for row in _visits(rng, f"customer-{user:05d}", days, leaves=user % 3 == 0)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("user", "item", "category", "action", "ts", "price"))
        writer.writerows(rows)
    return len(rows)


def _visits(rng: np.random.Generator, user: str, days: int, *, leaves: bool) -> list[tuple[object, ...]]:
    category, day, gap_days, rows = str(rng.choice(CATEGORIES)), rng.uniform(0, 10), 5.0, []
    stops_on = rng.uniform(60, days) if leaves else days
    while day < stops_on:
        time_s = int(START_S + day * DAY_S)
        for _ in range(rng.integers(1, 4)):
            item = f"{category}-{rng.zipf(1.8) % 20}"
            action = "buy" if rng.random() < 0.5 else "pv"
            rows.append((user, item, category, action, time_s, round(float(rng.gamma(2.0, 10.0)), 2)))
        category = _next_category(rng, category)
        gap_days *= 1.08 if leaves else 1.0
        day += rng.exponential(gap_days) + 0.01
    return rows


def _next_category(rng: np.random.Generator, category: str) -> str:
    draw = rng.random()
    if draw < 0.3:
        return category
    if draw < 0.8 and category in FOLLOWS:
        return FOLLOWS[category]
    return str(rng.choice(CATEGORIES))
