"""Steps 1 and 2: the input, the level of mortality and how complete registration is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.garbage.codes import without_code, wrong_codes
from mortality.ten_steps.data import TenStepsData
from mortality.ten_steps.figures import figure, ratio_to_expected, share_figure
from mortality.ten_steps.panel import NO_AGE, SEXES, Numbers, Panel, un_under_five
from tkyt_analysis.analysis.rates import crude_rate

LEAST_RATE, MOST_RATE = 0.1, 200.0  # per 1 000: outside, the regression of Adair and Lopez says nothing


def step_1_input(panel: Panel) -> list[pd.DataFrame]:
    """Deaths without age or sex, without a code, with a code that no death of this sex, or none at all, can have."""
    cells = panel.cells
    nameless = cells["age_group"].isin(NO_AGE) | ~cells["sex"].isin(SEXES)
    uncoded, wrong = without_code(cells["code"]), wrong_codes(cells["code"], cells["sex"])
    total, coded = panel.all_deaths, panel.summed(~uncoded)
    return [
        share_figure(panel, 1, "unknown_age_or_sex", panel.summed(nameless), total),
        share_figure(panel, 1, "without_code", panel.summed(uncoded), total),
        share_figure(panel, 1, "impossible_code", panel.summed(wrong), coded),
    ]


def step_2_level(panel: Panel, data: TenStepsData) -> list[pd.DataFrame]:
    """Crude death rate, and how complete registration is by each method that can say."""
    rate = crude_rate(panel.all_deaths, np.where(panel.all_persons > 0, panel.all_persons, np.nan))
    crude = figure(
        panel,
        2,
        "crude_death_rate",
        value=rate["rate"],
        lower=rate["lower"],
        upper=rate["upper"],
        events=panel.all_deaths,
        base=panel.all_persons,
        method="crude_byar_exact",
        reason=np.where(panel.all_persons > 0, "", "no_population"),
    )
    expected = np.where(panel.all_persons > 0, panel.expected.sum(axis=(1, 2)), np.nan)
    return [
        crude,
        _from_lists(panel, data.lists),
        _adair_lopez(panel, rate["rate"].to_numpy(dtype=float)),
        ratio_to_expected(panel, 2, "completeness_expected", panel.all_deaths, expected),
    ]


def _from_lists(panel: Panel, lists: pd.DataFrame) -> pd.DataFrame:
    """The book's share of all deaths, by how the lists overlap (capture–recapture; `death_reconciliation`)."""
    rows = panel.frame.merge(lists.drop_duplicates(["place", "year"]), how="left", on=["place", "year"])
    number = {name: pd.to_numeric(rows[name]).to_numpy(float) for name in ("a6", "estimate", "lower", "upper")}
    reason = rows["reason"].astype("object").where(rows["status"].notna(), "no_lists").fillna("")
    return figure(
        panel,
        2,
        "completeness_lists",
        value=_over(number["a6"], number["estimate"]),
        lower=_over(number["a6"], number["upper"]),
        upper=_over(number["a6"], number["lower"]),
        events=number["a6"],
        base=np.nan_to_num(number["a6"]),
        method="capture_recapture",
        reason=np.where(rows["status"].eq("ok"), "", reason.replace("", "no_value")),
    )


def _adair_lopez(panel: Panel, crude: Numbers) -> pd.DataFrame:
    """Completeness from the registered death rate, the share of old people and the United Nations' 5q0 (Adair & Lopez, model 2)."""
    from mortality.measures.completeness import adair_lopez

    persons = panel.persons.sum(axis=1)
    total = persons.sum(axis=1)
    usable = (total > 0) & (65 in panel.first) & (crude >= LEAST_RATE) & (crude <= MOST_RATE)
    values = {name: np.full(len(total), np.nan) for name in ("completeness", "lower", "upper")}
    if usable.any():
        found = adair_lopez(
            crude_death_rate=crude[usable],
            share_65_over=(persons[:, panel.from_age(65)].sum(axis=1) / np.where(total > 0, total, 1.0))[usable],
            under5_mortality=un_under_five(panel.frame["year"].to_numpy())[usable],
            year=panel.frame["year"].to_numpy()[usable],
            deaths=panel.all_deaths[usable],
            model=2,
        )
        for name, column in values.items():
            column[usable] = found[name].to_numpy(dtype=float)
    return figure(
        panel,
        2,
        "completeness_adair_lopez",
        value=values["completeness"],
        lower=values["lower"],
        upper=values["upper"],
        events=panel.all_deaths,
        base=panel.all_deaths,
        method="adair_lopez_2018;model=2;5q0=UN WPP 2024",
        reason=np.where(np.isfinite(values["completeness"]), "", np.where(total > 0, "outside_model", "no_population")),
    )


def _over(part: Numbers, whole: Numbers) -> Numbers:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)
