"""Recall of the count model and of the anchors' rules on errors planted into reference panels, all in the same run.

Scheme (quality.md §3): ×10, ×3, ×2, ÷10, 0 and first two digits swapped in equal parts, about 1 % of the points of at least 10 each;
flag rate = share of untouched points flagged (among them are true errors of the data as received); values that a rule cannot
judge count as misses. Fitted on what: the constants of the model were chosen while looking at Kenya, Sierra Leone, NHS and
dengue with seeds 5, 7, 11 and 20261122; the seeds here are others. Panels: Kenya (the 8 indicators of FASTR, 47 counties × 60 months; and all of
its columns), Sierra Leone (188 series × 1,086 units × 12 months), NHS A&E, dengue in Viet Nam, and a drawn form with true shocks and campaigns.

Usage: python benchmarks/bench_panel_errors.py [--seeds 101 102 103] [--panels kenya sierra_leone …] [--csv FILE]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tkyt_analysis.quality.anchors.check import RULES, anchor_flags
from tkyt_analysis.quality.model.settings import ModelSettings
from tkyt_analysis.quality.panel_file import judge_rows

REFERENCE = Path(os.environ.get("TKYT_REFERENCE") or Path(__file__).resolve().parents[2] / "shared" / "reference")
PANELS = REFERENCE / "quality" / "panels"
KINDS = ("x10", "x3", "x2", "div10", "zero", "swap")
FASTR_INDICATORS = ["ANC1", "ANC4", "Penta1", "Penta3", "BCG", "Instdelivery", "OPD_total", "Measles1"]
SEEDS = (101, 102, 103)
# Rules of the catalog whose names differ from the function's.
RULE_IDS = {
    "cd2030": "cd2030_outliers", "fastr": "fastr_outliers", "sntutils": "sntutils_outliers",
    "who_2a": "who_outliers_2a", "who_2b": "who_outliers_2b", "who_2c": "who_outliers_2c",
}  # fmt: skip
EVENT_SEEDS = (21, 22, 23)


# ---- panels: unit, period_id, indicator, value


def kenya() -> pd.DataFrame:
    """The eight indicators of FASTR's example, as in quality.md §3."""
    rows = kenya_all()
    return rows[rows["indicator"].isin(FASTR_INDICATORS)]


def kenya_all() -> pd.DataFrame:
    """Every column of the three service sheets."""
    parts = []
    for path in sorted((PANELS / "kenya_cd2030").glob("Service_data_*.csv")):
        wide = pd.read_csv(path)
        wide.columns = [name.strip() for name in wide.columns]
        month = pd.to_datetime(wide["month"].str.strip(), format="%B", errors="coerce").dt.month
        wide["unit"] = wide["district"].str.strip()
        wide["period_id"] = wide["year"].astype(str) + month.map("{:02.0f}".format)
        wide = wide.drop(columns=["district", "year", "month"])
        parts.append(wide.melt(["unit", "period_id"], var_name="indicator", value_name="value"))
    rows = pd.concat(parts)
    return rows.assign(value=pd.to_numeric(rows["value"], errors="coerce"))


def sierra_leone() -> pd.DataFrame:
    with gzip.open(REFERENCE / "quality/dhis2_sl/dataValueSets_play42_2025.json.gz") as file:
        rows = pd.DataFrame(json.load(file)["dataValues"])
    indicator = rows["dataElement"] + rows["categoryOptionCombo"] + rows["attributeOptionCombo"]
    value = pd.to_numeric(rows["value"], errors="coerce")
    return pd.DataFrame({"unit": rows["orgUnit"], "period_id": rows["period"], "indicator": indicator, "value": value})


def nhs() -> pd.DataFrame:
    wide = pd.read_csv(PANELS / "nhs_ae/ae_attendances_2016_2019.csv", dtype={"type": "str"})
    rows = wide.melt(["period", "org_code", "type"], var_name="element")
    period = rows["period"].str[:7].str.replace("-", "")
    indicator = rows["element"] + "/" + rows["type"]
    return pd.DataFrame({"unit": rows["org_code"], "period_id": period, "indicator": indicator, "value": rows["value"]})


def dengue() -> pd.DataFrame:
    rows = pd.read_csv(PANELS / "chap_vietnam_dengue/vietnam_monthly.csv")
    rows = rows.drop_duplicates(["location", "time_period"])
    period = rows["time_period"].str.replace("-", "")
    return pd.DataFrame(
        {"unit": rows["location"], "period_id": period, "indicator": "dengue", "value": rows["disease_cases"]}
    )


# {name: (rows, share of untouched points that may be flagged)}
READERS: dict[str, tuple[Callable[[], pd.DataFrame], float]] = {
    "kenya": (kenya, 0.02),
    "sierra_leone": (sierra_leone, 0.01),
    "kenya_all": (kenya_all, 0.02),
    "nhs": (nhs, 0.02),
    "dengue": (dengue, 0.02),
}


def plant(values: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Six kinds of error in equal parts, 6 % of the points of at least 10; column `kind` ("" = untouched)."""
    values = values.dropna(subset="value").reset_index(drop=True)
    rng = np.random.default_rng(seed)
    eligible = values.index[values["value"] >= 10].to_numpy()
    chosen = rng.choice(eligible, size=int(0.06 * len(eligible)), replace=False)
    kind = pd.Series("", index=values.index)
    kind[chosen] = rng.choice(KINDS, size=len(chosen))
    value = values["value"].copy()
    for name, change in {"x10": 10.0, "x3": 3.0, "x2": 2.0, "div10": 0.1, "zero": 0.0}.items():
        value = value.mask(kind == name, (values["value"] * change).round())
    swap = kind[kind == "swap"].index
    digits = values.loc[swap, "value"].astype(int).astype(str)
    value[swap] = (digits.str[1] + digits.str[0] + digits.str[2:]).astype(float)
    kind[swap[(value[swap] == values.loc[swap, "value"]).to_numpy()]] = ""
    return values.assign(value=value, kind=kind)


# ---- rules: flagged, judged and (ours) probability of every row


def ours(planted: pd.DataFrame, *, together: bool) -> pd.DataFrame:
    """flag, judged, probability of each row; `together`: as `tkyt check-panel`, else one indicator at a time as `tkyt check`."""
    rows = pd.DataFrame(
        {
            "unit": planted["unit"], "unit_key": planted["unit"], "period": planted["period_id"],
            "period_id": planted["period_id"], "kind": "month", "indicator": planted["indicator"],
            "indicator_key": planted["indicator"], "value": planted["value"], "written": "", "problem": "",
            "row": np.arange(len(planted)),
        }
    )  # fmt: skip
    parts = [rows] if together else [part for _, part in rows.groupby("indicator", sort=False)]
    judged = pd.concat([judge_rows(part, ModelSettings()) for part in parts])
    judged = judged[judged["problem"] == ""].set_index("row").sort_index()
    probability = judged["probability"].where(judged["assessable"], 0.0)
    return pd.DataFrame(
        {
            "flag": (probability >= ModelSettings().threshold).to_numpy(),
            "judged": judged["assessable"].to_numpy(dtype=bool),
            "probability": probability.to_numpy(),
        }
    )


def anchor(planted: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The same for a rule of `tkyt_analysis.quality.anchors`."""
    months = pd.period_range(planted["period_id"].min()[:4] + "-01", planted["period_id"].max()[:4] + "-12", freq="M")
    place = {one.strftime("%Y%m"): at for at, one in enumerate(months)}
    years = np.array([one.year for one in months])
    flag, judged = np.zeros(len(planted), dtype=bool), np.zeros(len(planted), dtype=bool)
    for _, part in planted.groupby("indicator", sort=False):
        row, units = pd.factorize(part["unit"])
        column = part["period_id"].map(place).to_numpy()
        counts = np.full((len(units), len(months)), np.nan)
        counts[row, column] = part["value"]
        result = anchor_flags(rule, counts, years)
        flag[part.index], judged[part.index] = result.flags[row, column], result.reason[row, column] == ""
    return pd.DataFrame({"flag": flag, "judged": judged, "probability": np.nan})


def at_rate(result: pd.DataFrame, untouched: np.ndarray, rate: float) -> pd.DataFrame:
    """The flags that ranking by probability gives when exactly `rate` of the untouched points are flagged."""
    limit = np.quantile(result["probability"][untouched], 1 - rate)
    return result.assign(flag=result["probability"] > max(limit, 1e-9))


def score(planted: pd.DataFrame, result: pd.DataFrame) -> list[dict[str, object]]:
    """One row per kind: planted, found, found among those judged, and the figures of the whole run."""
    touched, flag, judged = (
        part.to_numpy(dtype=bool) for part in (planted["kind"] != "", result["flag"], result["judged"])
    )
    whole = {
        "flagged": int(flag.sum()),
        "wrongly": int((flag & ~touched).sum()),
        "untouched": int((~touched).sum()),
        "judged": int(judged.sum()),
        "values": len(planted),
    }
    kinds = planted["kind"].to_numpy()
    return [
        {"kind": kind, "planted": int((kinds == kind).sum()), "found": int(flag[kinds == kind].sum()),
         "planted_judged": int(judged[kinds == kind].sum()), **whole}
        for kind in KINDS
    ]  # fmt: skip


def measure(panel: str, seed: int) -> pd.DataFrame:
    """All rules on one planted panel: rows of `score` with panel, seed, rule."""
    reader, rate = READERS[panel]
    planted = plant(reader(), seed)
    untouched = (planted["kind"] == "").to_numpy()
    together = ours(planted, together=True)
    results = {f"ours, at {100 * rate:g} % flags": at_rate(together, untouched, rate), "check-panel": together}
    results |= {"outlier_count": ours(planted, together=False)}
    results |= {rule: anchor(planted, rule) for rule in RULES}
    rows = [
        {"panel": panel, "seed": seed, "rule": rule} | line
        for rule, one in results.items()
        for line in score(planted, one)
    ]
    return pd.DataFrame(rows)


def summary(measured: pd.DataFrame) -> pd.DataFrame:
    """rule × (flag %, precision, recall per kind, recall among judged values), over all seeds."""
    runs = measured.drop_duplicates(["seed", "rule"]).groupby("rule", sort=False)
    flagged, wrongly = runs["flagged"].sum(), runs["wrongly"].sum()
    table = pd.DataFrame(
        {
            "flag %": 100 * wrongly / runs["untouched"].sum(),
            "prec.": 1 - wrongly / flagged.where(flagged > 0),
            "judged %": 100 * runs["judged"].sum() / runs["values"].sum(),
        }
    )
    sums = measured.groupby(["rule", "kind"], sort=False)[["planted", "found", "planted_judged"]].sum()
    for kind in KINDS:
        table[kind] = (sums["found"] / sums["planted"]).xs(kind, level="kind")
    for kind in ("x10", "div10", "zero"):
        table[f"{kind}|judged"] = (sums["found"] / sums["planted_judged"].where(sums["planted_judged"] > 0)).xs(
            kind, level="kind"
        )
    return table


def card(measured: pd.DataFrame) -> pd.DataFrame:
    """Rows for the truth card: check, panel, kind, planted, found, recall, precision, false_alarms_per_1000, coverage, seeds."""
    lines = []
    for (panel, rule), own in measured.groupby(["panel", "rule"], sort=False):
        if rule.startswith("ours"):
            continue
        runs = own.drop_duplicates("seed")
        flagged, wrongly = runs["flagged"].sum(), runs["wrongly"].sum()
        for kind, part in own.groupby("kind", sort=False):
            planted, found = part["planted"].sum(), part["found"].sum()
            lines.append(
                [RULE_IDS.get(rule, rule), panel, kind, planted, found, found / planted if planted else np.nan,
                 1 - wrongly / flagged if flagged else np.nan, 1000 * wrongly / runs["untouched"].sum(),
                 runs["judged"].sum() / runs["values"].sum(), " ".join(map(str, sorted(own["seed"].unique())))]
            )  # fmt: skip
    names = [
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
    return pd.DataFrame(lines, columns=names)


def true_events(seeds: tuple[int, ...] = EVENT_SEEDS) -> pd.DataFrame:
    """Drawn forms without any error: share of values called errors in shocks (D2), campaigns (D3), Tết months and elsewhere."""
    from tkyt_analysis.practice.effects import tet_share
    from tkyt_analysis.practice.panels import design_form, each_form, rows_of

    counts: dict[str, list[int]] = {}
    for seed in seeds:
        design = design_form(seed, 4, 60, 48, elements=30)
        rows = pd.concat([rows_of(block) for block in each_form(design)], ignore_index=True)
        rows = rows.rename(columns={"unit_id": "unit"}).assign(indicator=rows["element_id"] + rows["category_id"])
        where = _event_of(design, rows)
        tet = rows["period_id"].map({one.period_id: tet_share(one.period_id) > 0 for one in design.periods})
        where = where.mask((where == "") & tet, "D4 Tết")
        for way, together in (("check-panel", True), ("outlier_count", False)):
            flag = ours(rows, together=together)["flag"].to_numpy()
            for name, part in pd.Series(flag).groupby(where.to_numpy()):
                found = counts.setdefault(f"{way} {name or 'no event'}", [0, 0])
                found[0] += int(part.sum())
                found[1] += len(part)
    table = pd.DataFrame.from_dict(counts, orient="index", columns=["called errors", "values"])
    return table.assign(per_1000=1000 * table["called errors"] / table["values"])


def _event_of(design: object, rows: pd.DataFrame) -> pd.Series:
    from tkyt_analysis.practice.panels import FormDesign

    assert isinstance(design, FormDesign)
    group = rows["unit"].map(dict(zip(design.units, design.groups, strict=True)))
    place = rows["period_id"].map({one.period_id: at for at, one in enumerate(design.periods)})
    element = rows["element_id"].map({name: at for at, name in enumerate(design.elements["element_id"])})
    where = pd.Series("", index=rows.index)
    for event in design.events:
        hit = group.isin(event.groups) & place.isin(event.columns) & element.isin(event.elements)
        where = where.mask(hit, event.kind)
    return where


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--panels", nargs="+", choices=list(READERS), default=list(READERS))
    parser.add_argument("--csv", type=Path, help="write the rows of the truth card here")
    given = parser.parse_args()
    every = []
    for panel in given.panels:
        started = time.perf_counter()
        measured = pd.concat([measure(panel, seed) for seed in given.seeds], ignore_index=True)
        every.append(measured)
        print(f"\n{panel}, seeds {' '.join(map(str, given.seeds))} ({time.perf_counter() - started:.0f} s)")
        print(summary(measured).round(3).to_string(), flush=True)
    print("\nDrawn forms without errors: values called errors\n" + true_events().round(2).to_string())
    if given.csv:
        card(pd.concat(every)).to_csv(given.csv, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
