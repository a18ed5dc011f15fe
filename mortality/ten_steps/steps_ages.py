"""Steps 3 to 5: death rates by age and sex, the ages of the dead, childhood."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.ten_steps.data import TenStepsData
from mortality.ten_steps.figures import Z, figure, ratio_to_expected
from mortality.ten_steps.panel import Numbers, Panel
from tkyt_analysis.analysis.rates import poisson_limits

DRAWS, SEED = 400, 20261123
ADULT, OLD = (15, 60), (35, 85)


def step_3_rates(panel: Panel) -> list[pd.DataFrame]:
    """Men's rates over women's at 15–59, the rise of the rates with age from 35, life expectancy."""
    return [_sex_ratio(panel), _rise_with_age(panel), _life_expectancy(panel)]


def _sex_ratio(panel: Panel) -> pd.DataFrame:
    """Mantel–Haenszel ratio of the death rates over five-year ages; limits: Greenland & Robins, Biometrics 41 (1985): 55–68."""
    at = panel.from_age(*ADULT)
    deaths, persons = panel.deaths[..., at], panel.persons[..., at]
    both = np.where(persons.sum(axis=1) > 0, persons.sum(axis=1), 1.0)
    men = (deaths[:, 0] * persons[:, 1] / both).sum(axis=-1)
    women = (deaths[:, 1] * persons[:, 0] / both).sum(axis=-1)
    variance = (deaths.sum(axis=1) * persons[:, 0] * persons[:, 1] / both**2).sum(axis=-1)
    usable = (men > 0) & (women > 0)
    ratio = men / np.where(usable, women, 1.0)
    spread = np.exp(Z * np.sqrt(variance / np.where(usable, men * women, 1.0)))
    events = deaths.sum(axis=(1, 2))
    return figure(
        panel,
        3,
        "sex_ratio_15_59",
        value=ratio,
        lower=ratio / spread,
        upper=ratio * spread,
        events=events,
        base=events,
        method="mantel_haenszel_rate_ratio",
        reason=np.where(usable, "", np.where(panel.all_persons > 0, "too_few", "no_population")),
    )


def _rise_with_age(panel: Panel) -> pd.DataFrame:
    """Per cent by which the death rate grows with each year of age from 35 to 84 (slope of its logarithm, weighted by deaths)."""
    at = panel.from_age(*OLD)
    deaths, persons = panel.deaths[..., at].sum(axis=1), panel.persons[..., at].sum(axis=1)
    weight = np.where(persons > 0, deaths, 0.0)
    age = panel.first[at] + 2.5
    height = np.log(np.where(weight > 0, deaths / np.where(persons > 0, persons, 1.0), 1.0))
    total = np.where(weight.sum(axis=1) > 0, weight.sum(axis=1), 1.0)[:, None]
    apart = age - (weight * age).sum(axis=1, keepdims=True) / total
    spread = (weight * apart**2).sum(axis=1)
    usable = (spread > 0) & ((weight > 0).sum(axis=1) >= 3)
    slope = (weight * apart * height).sum(axis=1) / np.where(usable, spread, 1.0)
    error = Z / np.sqrt(np.where(usable, spread, 1.0))
    percent = [100 * (np.exp(one) - 1) for one in (slope, slope - error, slope + error)]
    return figure(
        panel,
        3,
        "rise_with_age",
        value=percent[0],
        lower=percent[1],
        upper=percent[2],
        events=weight.sum(axis=1),
        base=weight.sum(axis=1),
        method="log_linear_weighted_by_deaths",
        reason=np.where(usable, "", np.where(panel.all_persons > 0, "too_few", "no_population")),
    )


def _life_expectancy(panel: Panel) -> pd.DataFrame:
    """Life expectancy at birth of the registered deaths, both sexes; too high where deaths are missing."""
    from mortality.measures.life_expectancy import life_expectancy

    persons = panel.persons.sum(axis=(1, 2))
    usable = (
        (panel.persons.sum(axis=1) > 0).all(axis=1) & (panel.deaths[..., -1].sum(axis=1) > 0) & (panel.first[0] == 0)
    )
    values = {name: np.full(len(persons), np.nan) for name in ("value", "lower", "upper")}
    method = "life_table"
    if usable.any():
        found = life_expectancy(_rows_by_age(panel, usable), ["series"], at=0, sex="total").set_index("series")
        method = str(found["method"].iloc[0])
        for name, column in values.items():
            column[found.index.to_numpy(dtype=int)] = found[name].to_numpy(dtype=float)
    return figure(
        panel,
        3,
        "life_expectancy",
        **values,
        events=panel.deaths.sum(axis=(1, 2)),
        base=persons,
        method=method,
        reason=np.where(usable, "", np.where(panel.all_persons > 0, "open_group_empty", "no_population")),
    )


def _rows_by_age(panel: Panel, wanted: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """series, age_group, deaths, person_years of both sexes, for the series that are wanted."""
    at, ages = np.flatnonzero(wanted), len(panel.ages)
    return pd.DataFrame(
        {
            "series": np.repeat(at, ages),
            "age_group": np.tile(np.array(panel.ages, dtype=object), len(at)),
            "deaths": panel.deaths[at].sum(axis=1).ravel(),
            "person_years": panel.persons[at].sum(axis=1).ravel(),
        }
    )


def step_4_ages(panel: Panel, data: TenStepsData) -> list[pd.DataFrame]:
    """How far the ages of the dead lie from what the population's ages let expect, and whether ages were rounded."""
    return [_dissimilarity(panel), _whipple(panel, data.ages)]


def _dissimilarity(panel: Panel) -> pd.DataFrame:
    """Share of deaths that would have to change their age group to match the expected ages, less what chance alone makes of
    so few deaths; interval by multinomial draws (basic bootstrap)."""
    observed, expected = panel.deaths.sum(axis=1), panel.expected.sum(axis=1)
    total = observed.sum(axis=1)
    if panel.frame.empty:
        return figure(panel, 4, "age_dissimilarity", value=np.nan, method="dissimilarity", reason="no_deaths")
    usable = (total > 0) & np.isfinite(expected).all(axis=1) & (np.nan_to_num(expected).sum(axis=1) > 0)
    shape = np.where(usable[:, None], expected, 1.0)
    wanted = shape / shape.sum(axis=1, keepdims=True)
    seen = np.where(total[:, None] > 0, observed, 1.0)
    share = seen / seen.sum(axis=1, keepdims=True)
    draws = _drawn_ages(panel.frame, np.maximum(total, 1).astype(int), share)
    drawn = np.abs(draws / draws.sum(axis=-1, keepdims=True) - wanted).sum(axis=-1) / 2
    twice = np.abs(share - wanted).sum(
        axis=1
    )  # a small number of deaths looks unlike anything: what chance adds is taken off
    value, lower, upper = (
        np.maximum(twice - part, 0) for part in (drawn.mean(axis=0), *np.quantile(drawn, (0.975, 0.025), axis=0))
    )
    return figure(
        panel,
        4,
        "age_dissimilarity",
        value=value,
        lower=lower,
        upper=upper,
        events=total,
        base=total,
        method=f"dissimilarity;bias_corrected;rates=UN WPP 2024;draws={DRAWS}",
        reason=np.where(usable, "", np.where(total > 0, "no_reference", "no_deaths")),
    )


def _drawn_ages(frame: pd.DataFrame, total: npt.NDArray[np.int_], share: Numbers) -> npt.NDArray[np.int64]:
    """(DRAWS, series, ages) multinomial counts; a place and year draws the same whatever else is asked for."""
    names = zip(frame["place"], frame["year"])
    seeds = [np.random.default_rng([SEED, zlib.crc32(str(place).encode()), int(year)]) for place, year in names]
    return np.stack([seed.multinomial(*one, DRAWS) for seed, one in zip(seeds, zip(total, share))], axis=1)


def _whipple(panel: Panel, ages: pd.DataFrame) -> pd.DataFrame:
    """Whipple's index of the ages at death, all years together (release table `death_age_quality`)."""
    rows = panel.frame.merge(ages.drop_duplicates("place"), how="left", on="place")
    events = np.nan_to_num(pd.to_numeric(rows["events"]).to_numpy(float))
    return figure(
        panel,
        4,
        "whipple",
        value=rows["whipple"],
        lower=rows["lower"],
        upper=rows["upper"],
        events=events,
        base=events,
        method="whipple_25_60;all_years",
        reason=np.where(rows["status"].eq("ok"), "", np.where(rows["status"].isna(), "no_ages", "too_few")),
    )


def step_5_children(panel: Panel) -> list[pd.DataFrame]:
    """Risk of dying before five as registered, and registered over expected deaths below five."""
    at = panel.from_age(0, 5)
    deaths, persons = panel.deaths[..., at].sum(axis=(1, 2)), panel.persons[..., at].sum(axis=(1, 2))
    expected = np.where(persons > 0, panel.expected[..., at].sum(axis=(1, 2)), np.nan)
    return [
        _risk_below_five(panel, deaths, persons),
        ratio_to_expected(panel, 5, "under_five_expected", deaths, expected),
    ]


def _risk_below_five(panel: Panel, deaths: Numbers, persons: Numbers) -> pd.DataFrame:
    """5q0 of the registered deaths, per 1 000, with limits of the life table; where no child died, of the rate below five."""
    from mortality.measures.life_expectancy import probability_of_dying_by

    _, most, _ = poisson_limits(deaths)
    safe = np.where(persons > 0, persons, 1.0)
    values = {"value": 0 * safe, "lower": 0 * safe, "upper": 1000 * -np.expm1(-5 * most / safe)}
    usable = (deaths > 0) & (panel.persons.sum(axis=1) > 0).all(axis=1) & (5 in panel.first) & (panel.first[0] == 0)
    if usable.any():
        found = probability_of_dying_by(_rows_by_age(panel, usable), ["series"], 0, 5, sex="total").set_index("series")
        for name, column in values.items():
            column[found.index.to_numpy(dtype=int)] = 1000 * found[name].to_numpy(dtype=float)
    return figure(
        panel,
        5,
        "under_five_risk",
        **values,
        events=deaths,
        base=persons,
        method="life_table_5q0",
        reason=np.where(persons > 0, np.where(usable | (deaths == 0), "", "no_reference"), "no_population"),
    )
