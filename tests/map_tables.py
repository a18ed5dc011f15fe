"""One small table for every kind of map: figures with each kind of gap, and two units without a row."""

from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.maps.boundaries import boundaries
from tkyt_analysis.maps.commune_points import commune_places

LONG_TITLE = "Tỷ suất chết chuẩn hóa theo tuổi do bệnh hệ tuần hoàn ở người từ 30 đến 69 tuổi, cả hai giới, năm 2024"
SECRET = 987654.0  # a suppressed figure: it may be nowhere
SUPPRESSED, NOT_ASSESSABLE, MODELLED, ABSENT = 1, 2, 3, [4, 5]  # rows
OPTIONS = {
    "bivariate": {"measure": "Tính đầy đủ của báo cáo", "unit": "trên 100.000 dân"},
    "exceedance": {"event": "nguy cơ tương đối lớn hơn 1"},
    "change": {"unit": "%"},
    "clusters": {"method": "Moran cục bộ, 999 hoán vị"},
    "commune_points": {"unit": "ca", "rate_unit": "trên 100.000 dân"},
    "merger": {"unit": "người"},
}


@cache
def table_of(kind, vintage):
    """The table of a kind, with its own columns."""
    draw = np.random.default_rng(7)
    units = commune_places(vintage) if kind == "commune_points" else boundaries(vintage=vintage).units
    n = len(units)
    table = pd.DataFrame({"unit_id": units["unit_id"], "value": draw.gamma(9, 4, n).round(1), "status": "ok"})
    extra = {
        "bivariate": {"reliability": draw.uniform(55, 100, n).round(1)},
        "exceedance": {"value": draw.beta(0.5, 0.5, n)},
        "change": {"value": draw.normal(0, 12, n).round(1)},
        "clusters": {"cluster": draw.choice(["high_high", "low_low", "high_low", "low_high", "not_significant"], n)},
        "commune_points": {"value": draw.poisson(20, n).astype(float), "rate": draw.gamma(20, 3, n).round(1)},
    }
    table = table.assign(**extra.get(kind, {}))
    if kind == "change":
        table = table.assign(lower=table["value"] - 8, upper=table["value"] + 8)
    table.loc[[SUPPRESSED, NOT_ASSESSABLE, MODELLED], "status"] = ["suppressed", "not_assessable", "modelled"]
    for column in {"value", "rate"} & set(table):
        table.loc[SUPPRESSED, column] = SECRET if kind != "exceedance" else 0.1234
    table = table.drop(index=ABSENT)
    if kind == "multiples":
        return pd.concat([table.assign(year=year) for year in range(2020, 2024)])
    return table
