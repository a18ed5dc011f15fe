"""Practice truth: in how many provinces does the planted truth lie in our 95 % intervals? All provinces, no workbooks.

`--seeds 1 2 3` repeats on other practice countries; `--spread 0.5 0.3` tries other spreads of the redistribution; `--provinces
51 52` looks at some only. Nothing is timed: this asks whether intervals keep their word.
"""

from __future__ import annotations

import argparse
from typing import Any

import pandas as pd
from measures_truth import Practice, causes_found, completeness_found, draw_practice, rates_found
from measuring import as_markdown, machine, put_section

from mortality.measures.redistribution import SPREAD
from mortality.tabulation.cause_lists import load_cause_list

WORST = 12


def line(what: str, rows: pd.DataFrame, inside: str = "inside", truth: str = "truth") -> dict[str, str]:
    """Coverage over provinces (and causes), mean width relative to the truth, mean error."""
    relative = ((rows["upper"] - rows["lower"]) / rows[truth])[rows[truth] > 0].mean()
    error = (rows["value"] / rows[truth] - 1)[rows[truth] > 0].abs().mean()
    by_province = rows.groupby("unit_id")[inside].mean()
    return {
        "what": what,
        "truth inside": f"{100 * rows[inside].mean():.1f} %",
        "of": f"{len(rows):,}",
        "lowest province": f"{100 * by_province.min():.0f} %",
        "width / truth": f"{100 * relative:.1f} %",
        "mean error": f"{100 * error:.1f} %",
    }


def completeness_lines(practices: list[Practice]) -> list[dict[str, str]]:
    ways: tuple[tuple[str, dict[str, Any]], ...] = (
        ("completeness, three lists, models averaged", {"choice": "average"}),
        ("completeness, three lists, best model alone", {"choice": "best"}),
        ("completeness, book and civil registration", {"lists": 2}),
    )
    return [
        line(what, _numbered([completeness_found(one.deaths, ["unit_id"], **way) for one in practices]))
        for what, way in ways
    ]


def _numbered(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Provinces of several practice countries are different provinces."""
    return pd.concat(
        [part.assign(unit_id=f"{n}|" + part["unit_id"]) for n, part in enumerate(parts)], ignore_index=True
    )


def cause_lines(found: pd.DataFrame, spread: float) -> list[dict[str, str]]:
    name = f"cause fractions, spread {spread:g}"
    per_cause = found.groupby("cause")[["inside", "inside_usable"]].mean() >= 0.9
    enough, usable = (f"{per_cause[one].sum()} of {len(per_cause)} causes" for one in per_cause)
    return [
        line(f"{name} ({enough} in 90 % of provinces)", found),
        line(f"{name}, truth in usable codes ({usable})", found, "inside_usable", "truth_usable"),
    ]


def worst_causes(found: pd.DataFrame) -> pd.DataFrame:
    """The causes whose truth is missed most often."""
    labels = load_cause_list("who_mortality_list_1").items.set_index("item")["label_en"]
    table = found.groupby("cause").agg(
        inside=("inside", "mean"), inside_usable=("inside_usable", "mean"), truth=("truth", "mean"),
        truth_usable=("truth_usable", "mean"), registered=("registered", "mean"), value=("value", "mean"),
    )  # fmt: skip
    table = table.sort_values("inside").head(WORST)
    shown = table.map(lambda share: f"{100 * share:.1f} %")
    return shown.reset_index().assign(cause=[f"{one} {labels.get(one, '')}".strip() for one in table.index])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--spread", type=float, nargs="+", default=[SPREAD])
    parser.add_argument("--provinces", nargs="+", default=None)
    parser.add_argument("--year", type=int, default=2024)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    practices = [draw_practice(year=chosen.year, seed=seed, provinces=chosen.provinces) for seed in chosen.seeds]
    lines = completeness_lines(practices)
    for by_age, words in ((False, "one completeness for all ages"), (True, "completeness by age")):
        rows = _numbered([rates_found(one, draws=chosen.draws, by_age=by_age) for one in practices])
        for quantity, part in rows.groupby("quantity"):
            lines.append(line(f"corrected {quantity}, {words}", part))
    worst = pd.DataFrame()
    for spread in chosen.spread:
        parts = [causes_found(one, draws=chosen.draws, redistribution_spread=spread) for one in practices]
        found = _numbered(parts)
        lines += cause_lines(found, spread)
        worst = worst_causes(found) if worst.empty else worst
    table = pd.DataFrame(lines)
    title = "Do the 95 % intervals of completeness, causes and corrected rates hold the planted truth?"
    about = f"{chosen.year}, seeds {chosen.seeds}, {chosen.draws} draws; {machine()}"
    print(
        f"\n{title}\n{about}\n\n{table.to_string(index=False)}\n\nLeast covered causes\n{worst.to_string(index=False)}"
    )
    if chosen.markdown:
        text = f"## {title}\n\n`python benchmarks/bench_measures_truth.py` — {about}\n\n{as_markdown(table)}\n\n{as_markdown(worst)}\n"
        put_section("bench_measures_truth", text)


if __name__ == "__main__":
    main()
