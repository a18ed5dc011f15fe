"""Recall of the outlier rule on errors planted into reference panels (Kenya 60 months, Sierra Leone 12 months).

Scheme: ×10, ×3, ×2, ÷10, 0 and first two digits swapped in equal parts, about 1 % of the points of at least 10
each; flag rate = share of untouched points flagged. Usage: python benchmarks/outliers_planted.py [SEED …]
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tkyt_analysis.quality.outliers import OutlierSettings, assess_values

REFERENCE = Path(os.environ.get("TKYT_REFERENCE") or Path(__file__).resolve().parents[2] / "shared" / "reference")
KINDS = ("x10", "x3", "x2", "/10", "0", "swap")


def kenya() -> pd.DataFrame:
    parts = []
    for path in sorted((REFERENCE / "quality/panels/kenya_cd2030").glob("Service_data_*.csv")):
        wide = pd.read_csv(path)
        wide.columns = [name.strip() for name in wide.columns]
        month = pd.to_datetime(wide["month"].str.strip(), format="%B", errors="coerce").dt.month
        wide["unit_id"] = wide["district"].str.strip()
        wide["period_id"] = wide["year"].astype(str) + month.map("{:02.0f}".format)
        wide = wide.drop(columns=["district", "year", "month"])
        parts.append(wide.melt(["unit_id", "period_id"], var_name="element_id", value_name="value"))
    values = pd.concat(parts).dropna(subset="value")
    return values.assign(value=pd.to_numeric(values["value"], errors="coerce")).dropna(subset="value")


def sierra_leone() -> pd.DataFrame:
    with gzip.open(REFERENCE / "quality/dhis2_sl/dataValueSets_play42_2025.json.gz") as file:
        rows = pd.DataFrame(json.load(file)["dataValues"])
    rows["value"] = pd.to_numeric(rows["value"], errors="coerce")
    rows["category"] = rows["categoryOptionCombo"] + rows["attributeOptionCombo"]
    names = {"dataElement": "element_id", "orgUnit": "unit_id", "period": "period_id", "category": "category_id"}
    return rows.rename(columns=names)[[*names.values(), "value"]].dropna(subset="value")


def plant(values: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    eligible = values.index[values["value"] >= 10].to_numpy()
    chosen = rng.choice(eligible, size=int(0.06 * len(eligible)), replace=False)
    kind = pd.Series("", index=values.index)
    kind[chosen] = rng.choice(KINDS, size=len(chosen))
    value = values["value"].copy()
    for name, change in {"x10": 10.0, "x3": 3.0, "x2": 2.0, "/10": 0.1, "0": 0.0}.items():
        value = value.mask(kind == name, (values["value"] * change).round())
    swap = kind[kind == "swap"].index
    digits = values.loc[swap, "value"].astype(int).astype(str)
    value[swap] = (digits.str[1] + digits.str[0] + digits.str[2:]).astype(float)
    kind[swap[(value[swap] == values.loc[swap, "value"]).to_numpy()]] = ""
    return values.assign(value=value, kind=kind)


def measure(values: pd.DataFrame, seed: int, settings: OutlierSettings) -> dict[str, float]:
    planted = plant(values.reset_index(drop=True), seed)
    planted["dataset_id"] = "panel"
    if "category_id" not in planted:
        planted["category_id"] = ""
    assessed = assess_values(planted, settings)
    flagged = ~assessed["verdict"].isin(["ok", "not_assessable"])
    known = assessed["verdict"] != "not_assessable"
    touched = assessed["kind"] != ""
    row = {"flag %": 100 * flagged[~touched].mean(), "precision": touched[flagged].mean()}
    row |= {kind: flagged[assessed["kind"] == kind].mean() for kind in KINDS}
    row |= {f"{kind} of assessable": flagged[(assessed["kind"] == kind) & known].mean() for kind in ("x10", "/10", "0")}
    return row | {"assessable %": 100 * known.mean()}


def main(seeds: list[int], settings: OutlierSettings | None = None) -> None:
    for name, values in (("Kenya", kenya()), ("Sierra Leone", sierra_leone())):
        rows = [measure(values, seed, settings or OutlierSettings()) for seed in seeds]
        print(name, len(values), "values, seeds", seeds)
        print(pd.DataFrame(rows).mean().round(3).to_string(), flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [20261122])
