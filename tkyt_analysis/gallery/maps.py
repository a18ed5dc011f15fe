"""Exhibits of every kind of map (`maps.registry`), on practice deaths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.gallery import practice_figures as made
from tkyt_analysis.gallery.model import Exhibit
from tkyt_analysis.labels import label
from tkyt_analysis.maps.registry import MAP_KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LATEST, BEFORE, LONG_BEFORE = "2025", "2024", "2015"
_PANELS = ["2010", "2015", "2020", "2025"]


def exhibits() -> list[Exhibit]:
    """Each kind; the map of one value also on the 63 old provinces and as tile grids."""
    found = [_exhibit(f"map_{kind}", kind) for kind in MAP_KINDS]
    for vintage in ("VN2024", "VN2025"):
        found.append(_exhibit(f"map_tiles_{vintage.lower()}", "choropleth", vintage=vintage, tiles=True))
    return [*found, _exhibit("map_choropleth_vn2024", "choropleth", vintage="VN2024")]


def _exhibit(name: str, kind: str, **options: Any) -> Exhibit:
    return Exhibit(name, "maps", partial(_drawn, kind, options), partial(_page, name, kind, options))


def _drawn(kind: str, options: dict[str, Any], width: float, language: str) -> Figure:
    return MAP_KINDS[kind].draw(
        _TABLES[kind](options.get("vintage", "VN2025")), figsize=(width, None), **_options(kind, options, language)
    )


def _page(name: str, kind: str, options: dict[str, Any], language: str) -> str:
    from tkyt_analysis.pages import page

    html = MAP_KINDS[kind].html(_TABLES[kind](options.get("vintage", "VN2025")), **_options(kind, options, language))
    return page(label(f"gallery.{name}", language), html, language=language, practice=True)


def _options(kind: str, options: dict[str, Any], language: str) -> dict[str, Any]:
    """Title, units and the words of the kind."""
    unit = label("gallery.map.unit", language)
    words: dict[str, dict[str, Any]] = {
        "choropleth": {"unit": unit},
        "bivariate": {
            "unit": label("gallery.map.unit_100000", language),
            "measure": label("gallery.map.reliability", language),
            "cutoffs": (15.0, 30.0),
        },
        "exceedance": {"event": label("gallery.map.event", language)},
        "change": {"unit": "%"},
        "multiples": {"unit": unit},
        "clusters": {"unit": "%", "method": label("gallery.map.clusters", language)},
        "commune_points": {"unit": label("gallery.map.deaths", language), "rate_unit": unit},
        "merger": {"unit": label("gallery.map.persons", language)},
    }
    words["bivariate"]["high_is_reliable"] = False
    shared = {"title": label(f"gallery.map.{kind}.title", language), "practice": True, "language": language}
    vintage = {"vintage": "VN2024"} if kind == "merger" else {}
    return {**shared, **words[kind], **vintage, **options}


def _rates(vintage: made.Vintage, year: str) -> pd.DataFrame:
    """unit_id and the figures of the crude death rate."""
    return made.yearly_rates(vintage).query("year == @year").rename(columns={"province": "unit_id"})


def _choropleth(vintage: made.Vintage) -> pd.DataFrame:
    return _rates(vintage, LATEST)[["unit_id", "value"]]


def _reliability(vintage: made.Vintage) -> pd.DataFrame:
    """Of the drowning rate: half the width of its interval, in percent of the rate."""
    rates = made.drowning_rates().rename(columns={"province": "unit_id"})
    width = 100 * (rates["upper"] - rates["lower"]) / (2 * rates["value"])
    return rates[["unit_id", "value"]].assign(reliability=width)


def _exceedance(vintage: made.Vintage) -> pd.DataFrame:
    """P(relative risk of drowning > 1) of a gamma–Poisson model."""
    from tkyt_analysis.analysis.spatial import gamma_poisson_rate

    rates = made.drowning_rates()
    expected = rates["denominator"] * rates["numerator"].sum() / rates["denominator"].sum()
    found = gamma_poisson_rate(rates["numerator"], expected)
    return pd.DataFrame({"unit_id": rates["province"], "value": np.asarray(found["exceedance"])})


def _change(vintage: made.Vintage) -> pd.DataFrame:
    """Percent change of the crude death rate over ten years, with limits of the log ratio."""
    both = _rates(vintage, LATEST).merge(_rates(vintage, LONG_BEFORE), on="unit_id", suffixes=("", "_before"))
    log_ratio = np.log(both["value"] / both["value_before"])
    error = 1.96 * np.sqrt(1 / both["numerator"] + 1 / both["numerator_before"])
    ends = {"value": log_ratio, "lower": log_ratio - error, "upper": log_ratio + error}
    return both[["unit_id"]].assign(**{name: 100 * (np.exp(one) - 1) for name, one in ends.items()})


def _multiples(vintage: made.Vintage) -> pd.DataFrame:
    return pd.concat([_rates(vintage, year) for year in _PANELS])[["unit_id", "value", "year"]]


def _clusters(vintage: made.Vintage) -> pd.DataFrame:
    """Deaths of July to September 2021 over the mean of the same months of 2017–2019, and local Moran of this ratio."""
    from tkyt_analysis.analysis.spatial import local_moran, place_weights

    ratio = made.wave_of_2021()
    found = local_moran(ratio, place_weights(vintage), variance="permutation")
    return found[["cluster", "status"]].assign(value=ratio).rename_axis("unit_id").reset_index()


def _communes(vintage: made.Vintage) -> pd.DataFrame:
    table = made.communes()
    rate = 1000 * table["events"] / table["person_years"].where(table["person_years"] > 0)
    return table[["unit_id"]].assign(value=table["events"].astype(float), rate=rate)


def _merger(vintage: made.Vintage) -> pd.DataFrame:
    rates = _rates("VN2024", BEFORE)
    return rates[["unit_id"]].assign(value=rates["denominator"])


_TABLES: dict[str, Callable[[made.Vintage], pd.DataFrame]] = {
    "choropleth": _choropleth,
    "bivariate": _reliability,
    "exceedance": _exceedance,
    "change": _change,
    "multiples": _multiples,
    "clusters": _clusters,
    "commune_points": _communes,
    "merger": _merger,
}
