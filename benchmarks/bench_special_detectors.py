"""Special detectors on drawn panels with planted defects, on the same panels undamaged, and on reference panels as received.

Tuned on design seed 1 with planting seed 3 (level_shift also on 2, 3 and 21); measured on seeds 101–104 (planting
201–204). Results of 101 were looked at while correcting, those of 102–104 only afterwards.

A case is one form (unit and period), unit (habits), window (ratios) or province and element (level shifts).
precision: cases that meet a planted error of any kind; own: those that meet one of the kinds that the check looks for;
found: planted errors of those kinds that a case meets. False alarms are cases that meet none. visible: planted errors
whose true figures are e^8 times as likely as the shown ones; recall_visible: of those, found.

    python benchmarks/bench_special_detectors.py [--csv PATH] [--seeds N] [--speed]
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from bench_panel_errors import REFERENCE, kenya_all, nhs, sierra_leone

from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.practice.panels import FormDesign, design_form, each_form
from tkyt_analysis.practice.panels_defects import plant_defects
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.run import check_of
from tkyt_analysis.quality.special.expected import expect_block, log_fit
from tkyt_analysis.quality.special.level_shift import ShiftSettings, judge_sums

RULES = (
    "cumulative_reported", "two_periods_in_one", "copied_form", "misplaced_figures", "swapped_units", "heaped_digits",
    "invented_figures", "not_a_count", "learned_relation", "related_counts", "level_shift",
)  # fmt: skip
PANELS = {"drawn, 60 months": ("month", 60), "drawn, 12 months": ("month", 12), "drawn, 20 quarters": ("quarter", 60)}
COLUMNS = [
    "check",
    "panel",
    "kind",
    "planted",
    "found",
    "recall",
    "precision",
    "false_alarms_per_1000",
    "coverage",
    "seeds",
]
# Kinds that are rare at the usual rates are planted more often, so that a figure rests on more than a handful.
RATES = {"B4": 0.003, "B12": 0.015, "C2": 0.006, "D1": 0.08, "swapped_units": 0.004, "B8": 0.04}
# Not in a panel (B11, A7, E1), or in so many forms that everything found would meet one by chance (A6: blank zeros).
_NOT_PLANTED = ("A6", "A7", "B11", "E1")


def judge(rule_id: str, block: FormBlock) -> tuple[pd.DataFrame, int, int]:
    """What a rule says of a block: rows, judged, total."""
    rule = load_entries("rules")[rule_id]
    if rule_id == "level_shift":
        return judge_sums(province_sums(block), ShiftSettings(**rule.parameters))
    return check_of(rule).run(block, dict(rule.parameters))


def province_sums(block: FormBlock) -> pd.DataFrame:
    """Sums by province, period and element, as the check asks for them in SQL."""
    parts = []
    for group in np.unique(block.groups.astype(str)):
        values = np.maximum(block.values[block.groups == group], 0)
        period, place = np.nonzero(np.isfinite(values).any(axis=0))
        parts.append(
            pd.DataFrame(
                {
                    "province_id": group,
                    "period_id": [block.periods[one].period_id for one in period],
                    "element_id": [block.series[one][0] for one in place],
                    "category_id": [block.series[one][1] for one in place],
                    "value": np.nansum(values, axis=0)[period, place],
                    "reports": np.isfinite(values).sum(axis=0)[period, place],
                    "logs": np.nansum(np.log1p(values), axis=0)[period, place],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def cases_of(rule_id: str, rows: pd.DataFrame, block: FormBlock) -> list[set[tuple[str, str]]]:
    """For each case the (unit, period) or other places where it may meet a planted error."""
    if rows.empty:
        return []
    if rule_id in ("heaped_digits", "invented_figures"):
        return [{(unit, "")} for unit in rows["unit_id"]]
    if rule_id == "level_shift":
        return [{(unit, element)} for unit, element in zip(rows["unit_id"], rows["element_id"], strict=True)]
    if rule_id == "related_counts":
        names = [one.period_id for one in block.periods]
        spans = zip(rows["unit_id"], rows["first_period"], rows["period_id"], strict=True)
        return [{(unit, one) for one in names[names.index(a) : names.index(b) + 1]} for unit, a, b in spans]
    forms = rows.drop_duplicates(["unit_id", "period_id"])
    return [{place} for place in zip(forms["unit_id"], forms["period_id"], strict=True)]


def places_of(truth: pd.DataFrame) -> pd.DataFrame:
    """id, kind and place (unit and period; unit alone; province and element) of planted errors."""
    second = np.where(truth["kind"] == "D1", truth["element_id"], truth["period_id"])
    return truth[["id", "kind"]].assign(place=list(zip(truth["unit_id"], second, strict=True)))


def score(rule_id: str, rows: pd.DataFrame, truth: pd.DataFrame, block: FormBlock) -> dict[str, object]:
    """Counts of one rule on one damaged panel: cases, own, any, and per kind (planted, found)."""
    kinds = load_entries("rules")[rule_id].detects
    planted, cases = places_of(truth), cases_of(rule_id, rows, block)
    everywhere = set(planted["place"]) | {(unit, "") for unit, _ in planted["place"]}
    whole_units = {unit for unit, period in planted["place"] if period == ""}
    own = set(planted.loc[planted["kind"].isin(kinds), "place"])
    own_units = {unit for unit, period in own if period == ""}
    covered = set().union(*cases) if cases else set()
    units = {unit for unit, _ in covered}
    visible = visible_errors(truth, kinds, block)
    hit = planted[planted["kind"].isin(kinds)].assign(
        hit=lambda t: [place in covered or (place[1] == "" and place[0] in units) for place in t["place"]]
    )
    found = hit.groupby(["kind", "id"])["hit"].any().groupby("kind").agg(["size", "sum"])
    meets_own = [bool(one & own) or any(unit in own_units for unit, _ in one) for one in cases]
    meets_any = [bool(one & everywhere) or any(unit in whole_units for unit, _ in one) for one in cases]
    seen = hit[hit["id"].isin(visible)].groupby(["kind", "id"])["hit"].any().groupby("kind").agg(["size", "sum"])
    per_kind = {
        kind: tuple(int(table[name].get(kind, 0)) for table in (found, seen) for name in ("size", "sum"))
        for kind in kinds
    }
    return {"cases": len(cases), "own": sum(meets_own), "any": sum(meets_any), "kinds": per_kind}


def visible_errors(truth: pd.DataFrame, kinds: tuple[str, ...], block: FormBlock) -> set[str]:
    """Errors that change figures by more than chance would: the true figures are at least e^8 times as likely as the shown
    ones, given what is expected. The others (a shift among counts of 1 to 5) nobody could tell from the figures."""
    cells = truth[truth["kind"].isin(kinds) & (truth["kind"] != "D1")].dropna(subset=["true_value", "shown_value"])
    if cells.empty:
        return set(truth.loc[truth["kind"].isin(kinds), "id"])
    place = [
        dict(zip(names, range(len(names)), strict=True))
        for names in (block.units, [one.period_id for one in block.periods], [one[0] for one in block.series])
    ]
    at = tuple(
        cells[name].map(index).to_numpy()
        for name, index in zip(("unit_id", "period_id", "element_id"), place, strict=True)
    )
    expected = expect_block(block)
    mean, spread = expected.mean[at], expected.spread[at[2]]
    gain = log_fit(cells["true_value"].to_numpy(), mean, spread) - log_fit(
        cells["shown_value"].to_numpy(), mean, spread
    )
    total = pd.Series(np.nan_to_num(gain)).groupby(cells["id"].to_numpy()).sum()
    return set(total.index[total >= 8])


def damaged(seed: int, kind: str, months: int) -> tuple[FormDesign, FormBlock, FormBlock, pd.DataFrame]:
    """(design, undamaged, damaged, truth) of a drawn panel: 8 provinces × 60 units × 45 elements."""
    design = design_form(100 + seed, 8, 60, months, "202101", 45, kind=kind)
    (block,) = each_form(design)
    kinds = [one for one in load_kinds() if one not in _NOT_PLANTED]
    shown, truth = plant_defects(block, kinds, RATES, 200 + seed, elements=design.elements)
    return design, block, shown, truth


def load_kinds() -> list[str]:
    """Every kind that can be planted."""
    from tkyt_analysis.practice.panels_defects import KINDS

    return list(KINDS)


def drawn(seeds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(truth card rows, findings on undamaged panels)."""
    lines, quiet_lines = [], []
    for panel, (kind, months) in PANELS.items():
        sums: dict[str, list[dict[str, object]]] = {rule_id: [] for rule_id in RULES}
        clean = dict.fromkeys(RULES, 0)
        work = dict.fromkeys(RULES, 0)
        for seed in range(1, seeds + 1):
            _, block, shown, truth = damaged(seed, kind, months)
            for rule_id in RULES:
                rows, judged, total = judge(rule_id, shown)
                sums[rule_id].append(score(rule_id, rows, truth, shown) | {"judged": judged, "total": total})
                clean_rows, clean_judged, _ = judge(rule_id, block)
                clean[rule_id] += len(cases_of(rule_id, clean_rows, block))
                work[rule_id] += clean_judged
        for rule_id in RULES:
            lines += card_lines(rule_id, panel, sums[rule_id], seeds)
            quiet_lines.append((rule_id, panel, work[rule_id], clean[rule_id]))
        print(panel, "done", flush=True)
    quiet = pd.DataFrame(quiet_lines, columns=["check", "panel", "judged", "cases"])
    return pd.DataFrame(lines, columns=[*COLUMNS, "own", "visible", "recall_visible"]), quiet


def card_lines(rule_id: str, panel: str, runs: list[dict], seeds: int) -> list[tuple]:
    """One line per kind of error that the rule looks for."""
    cases, own, any_ = (sum(run[name] for run in runs) for name in ("cases", "own", "any"))
    judged, total = sum(run["judged"] for run in runs), sum(run["total"] for run in runs)
    lines, names = [], " ".join(str(100 + seed) for seed in range(1, seeds + 1))
    for kind in load_entries("rules")[rule_id].detects:
        planted, found, visible, seen = (sum(run["kinds"][kind][at] for run in runs) for at in range(4))
        lines.append(
            (
                rule_id, panel, kind, planted, found, round(found / planted, 3) if planted else float("nan"),
                round(any_ / cases, 3) if cases else float("nan"), round(1000 * (cases - any_) / max(judged, 1), 4),
                round(judged / max(total, 1), 3), names, round(own / cases, 3) if cases else float("nan"),
                visible, round(seen / visible, 3) if visible else float("nan"),
            )
        )  # fmt: skip
    return lines


def as_received() -> pd.DataFrame:
    """Findings of every rule on the reference panels, as received."""
    lines = []
    for name, read in (
        ("Kenya, 60 months", kenya_all),
        ("Sierra Leone, 12 months", sierra_leone),
        ("NHS, 36 months", nhs),
    ):
        table = read().rename(columns={"unit": "unit_id", "indicator": "element_id"}).dropna(subset="value")
        table = table.assign(dataset_id="panel", category_id="")
        context = context_of_tables({"aggregate_value": table})
        blocks = list(context.forms(("month",)))
        for rule_id in RULES:
            results = [(block, *judge(rule_id, block)) for block in blocks] if rule_id != "level_shift" else []
            cases = sum(len(cases_of(rule_id, rows, block)) for block, rows, _, _ in results)
            judged, total = sum(one[2] for one in results), sum(one[3] for one in results)
            lines.append((rule_id, name, cases, round(judged / total, 3) if total else 0.0))
    return pd.DataFrame(lines, columns=["check", "panel", "cases", "coverage"])


def speed() -> pd.DataFrame:
    """Seconds and memory of each rule on one block of 12 million cells."""
    block = next(each_form(design_form(7, 20, 101, 60, "202101", 100)))
    lines = []
    for rule_id in RULES:
        start = time.perf_counter()
        judge(rule_id, block)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        lines.append((rule_id, block.values.size, round(time.perf_counter() - start, 1), round(peak, 2)))
        print(lines[-1], flush=True)
    return pd.DataFrame(lines, columns=["check", "cells", "seconds", "peak_gb_so_far"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--speed", action="store_true", help="only the time on a block of 12 million cells")
    given = parser.parse_args()
    if given.speed:
        print(speed().to_string(index=False))
        return
    card, quiet = drawn(given.seeds)
    print(card.to_string(index=False))
    print("\nUndamaged drawn panels (shocks, campaigns, seasons and Tết in them): cases")
    print(quiet.pivot_table(index="check", columns="panel", values="cases", sort=False).to_string())
    if given.csv:
        card[COLUMNS].to_csv(given.csv, index=False)
    if (REFERENCE / "quality").exists():
        print("\nReference panels as received: cases (coverage)")
        print(as_received().to_string(index=False))


if __name__ == "__main__":
    main()
