"""The explorer under a user's hand: from a changed picker to the painted table, server side, and memory over the walk.

python benchmarks/bench_explorer.py --home /du/lieu/tkyt --steps 400 --seed 1
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections import defaultdict
from pathlib import Path

from explorer_walk import walk

from tkyt_analysis.explorer.app import ExplorerApp
from tkyt_analysis.settings import home_directory


def main() -> None:
    chosen = _options()
    start = time.perf_counter()
    app = ExplorerApp(chosen.home, language="vi")
    opened = time.perf_counter() - start
    assert app.pivot is not None, app.error
    took: dict[str, list[float]] = defaultdict(list)
    memory, refused = [resident_megabytes()], 0
    for number, (kind, step) in enumerate(walk(app, seed=chosen.seed, steps=chosen.steps), 1):
        before, start = app.state, time.perf_counter()
        step()
        if app.state != before:
            picture = app.state.layout.picture
            took[f"{kind} → {'table' if picture == 'table' else 'picture'}"].append(time.perf_counter() - start)
        refused += app.pivot is None
        if number % 100 == 0:
            gc.collect()
            memory.append(resident_megabytes())
    _tell(took, opened, memory, refused, app, chosen)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=home_directory())
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def resident_megabytes() -> float:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def quantile(values: list[float], share: float) -> float:
    """The value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _tell(
    took: dict[str, list[float]],
    opened: float,
    memory: list[float],
    refused: int,
    app: ExplorerApp,
    chosen: argparse.Namespace,
) -> None:
    everything = {
        end: [one for kind, values in took.items() if kind.endswith(end) for one in values]
        for end in ("table", "picture")
    }
    rows = dict(sorted(took.items())) | {f"all → {end}": values for end, values in everything.items() if values}
    figures = {
        kind: {
            "n": len(values),
            "p50_ms": round(1000 * quantile(values, 0.5)),
            "p95_ms": round(1000 * quantile(values, 0.95)),
            "max_ms": round(1000 * max(values)),
        }
        for kind, values in rows.items()
    }
    if chosen.json:
        print(
            json.dumps(
                {"opened_s": opened, "figures": figures, "resident_mb": memory, "refused": refused}, ensure_ascii=False
            )
        )
        return
    print(
        f"{chosen.home}, release {app.source.release.release_id}, {len(app.measures)} measures; opened in {opened:.2f} s"
    )
    for kind, one in figures.items():
        print(f"{kind:32} n {one['n']:4}  p50 {one['p50_ms']:5} ms  p95 {one['p95_ms']:5} ms  max {one['max_ms']:5} ms")
    print(
        f"resident memory after each 100 steps: {', '.join(f'{one:.0f}' for one in memory)} MB; sentences instead of figures: {refused}"
    )


if __name__ == "__main__":
    main()
