"""How long a coder waits: the queue with many distinct wordings, one keystroke, the way into the warehouse.

    python benchmarks/bench_coder.py [--texts 100000] [--deaths 150000] [--keys 200]

A home with drawn deaths is made in a temporary folder and removed. Words are made up: parts of causes and a number word each.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

PARTS = ["đau", "sưng", "viêm", "u", "ngã", "sốt", "teo", "suy", "xuất huyết", "loét"]
PLACES = ["bụng", "phổi", "gan", "chân", "đầu", "tim", "thận", "dạ dày", "khớp", "lưng"]
SIGNS = "bcdghklmnpqrstvx"


def wordings(count: int) -> list[str]:
    """`count` different wordings."""

    def tail(number: int) -> str:
        letters = [SIGNS[(number >> shift) % 16] for shift in (0, 4, 8, 12, 16)]
        return "a".join(letters)

    return [f"{PARTS[n % 10]} {PLACES[n // 10 % 10]} {tail(n)}" for n in range(count)]


def drawn_home(folder: Path, texts: int, deaths: int) -> Path:
    """A home where every wording occurs, the first ones often; seeded."""
    from tkyt_analysis.warehouse.lake import Warehouse, create_home

    home = folder / "home"
    create_home(home, practice=True)
    random = np.random.default_rng(7)
    which = np.concatenate([np.arange(texts), (texts * random.random(max(deaths - texts, 0)) ** 4).astype(int)])
    rows = pd.DataFrame({"words": np.array(wordings(texts), dtype=object)[which]})
    rows["death_id"] = [f"d{n:08}" for n in range(len(rows))]
    rows["sex"] = np.where(random.random(len(rows)) < 0.5, "male", "female")
    rows["age"] = random.integers(0, 95, len(rows)).astype(float)
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.register("incoming", rows)
        warehouse.con.execute(
            "INSERT INTO lake.death BY NAME SELECT death_id, 'a6' AS source, 'VN2025:21115' AS unit_id, DATE '2025-08-10' AS death_date, "
            "sex, age AS age_years, words AS cause_text FROM incoming"
        )
        warehouse.con.execute(
            "INSERT INTO lake.death_code BY NAME SELECT death_id, 'R99' AS code, 'review' AS decision, 0.4 AS score, "
            "'dictionary:no_match' AS rule FROM incoming"
        )
    return home


def main() -> None:
    from mortality.coder.app import CoderApp
    from mortality.coder.queue import load_queue

    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("texts", 100_000), ("deaths", 150_000), ("keys", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = drawn_home(Path(folder), asked.texts, asked.deaths)
        load_queue(home)
        wall, cpu = time.perf_counter(), time.process_time()
        queue = load_queue(home)
        print(
            f"queue: {len(queue.items)} matters, {time.perf_counter() - wall:.2f} s ({time.process_time() - cpu:.2f} s CPU)"
        )
        wall = time.perf_counter()
        app = CoderApp(home)
        print(f"screen opened: {time.perf_counter() - wall:.2f} s")
        steps, engine = [], []
        for number in range(asked.keys):
            event = {
                "do": ("choose", "uncodable", "next")[number % 3],
                "number": 1,
                "item": app.coding.item.key if app.coding and app.coding.item else "",
            }
            wall, cpu = time.perf_counter(), time.thread_time()
            app.receive([event])
            steps.append(time.perf_counter() - wall)
            engine.append(time.thread_time() - cpu)
        for name, times in (("wall", steps), ("CPU", engine)):
            ordered = sorted(times)
            print(
                f"one key, {name}: median {1000 * statistics.median(ordered):.1f} ms, 95 % within {1000 * ordered[int(0.95 * len(ordered))]:.1f} ms"
            )
        assert app.coding is not None
        app.coding.outbox.flush()
        wall = time.perf_counter()
        app.receive([{"do": "choose", "number": 1, "item": app.coding.item.key if app.coding.item else ""}])
        stored = app.coding.outbox.flush()
        print(f"into the warehouse: {stored} choice(s), {time.perf_counter() - wall:.2f} s")
        app.close()


if __name__ == "__main__":
    main()
