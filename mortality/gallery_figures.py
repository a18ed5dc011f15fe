"""Drawn figures for the gallery's pictures of mortality. None is of a real place; life tables use the practice rates."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.float64]
YEAR = 2024
LIST = "who_mortality_list_1"
SEXES = ("male", "female")
GROUPS = ("circulatory", "cancer", "other_noncommunicable", "communicable", "external", "unclear")
BANDS = ("0", "1–14", "15–29", "30–44", "45–59", "60–74", "75+")
CAUSES = ("1-069", "1-067", "1-034", "1-029", "1-074", "1-052", "1-096", "1-098", "1-080", "1-084")


def _rng(part: str) -> np.random.Generator:
    return np.random.default_rng([20_251_123, *part.encode()])


@cache
def _rates() -> pd.DataFrame:
    """Practice death rates per person-year: a row per sex, a column per age group."""
    from tkyt_analysis.catalog import read_codelist

    known = read_codelist("practice_death_rates").query("year_from <= '2024' <= year_to")
    known = known.assign(rate=known["deaths_per_1000"].astype(float) / 1000)
    order = list(dict.fromkeys(known["age_group"]))
    return known.pivot(index="sex", columns="age_group", values="rate").loc[list(SEXES), order]


@cache
def _tables(share: float = 1.0) -> pd.DataFrame:
    """Life tables of the practice rates, of which this share is registered."""
    from mortality.measures.life_table import life_tables

    rates = share * _rates()
    found = life_tables(rates.to_numpy(), list(rates.columns), list(SEXES)).to_frame()
    return found.assign(sex=np.repeat(SEXES, rates.shape[1]))


def survivors() -> tuple[Numbers, dict[str, Numbers]]:
    """Ages, and survivors of 100,000 by sex."""
    parts = dict(list(_tables().groupby("sex", sort=False)))
    return parts["male"]["age"].to_numpy(float), {sex: part["lx"].to_numpy(float) for sex, part in parts.items()}


def expectancies() -> dict[str, tuple[float, float]]:
    """Life expectancy at birth by sex: where 85 % of deaths are registered, and of all."""
    first = {share: _tables(share).query("age == 0").set_index("sex")["ex"] for share in (0.85, 1.0)}
    return {sex: (float(first[0.85][sex]), float(first[1.0][sex])) for sex in SEXES}


def contributions() -> Numbers:
    """Years by age band and group of causes: mostly gains, a few losses."""
    found = _rng("contributions").gamma(0.6, 0.08, (len(BANDS), len(GROUPS)))
    found[2:4, 4] *= -1
    found[5:, 5] *= -0.6
    return found


def ranked_causes() -> pd.DataFrame:
    """cause, rank, low, high."""
    rank = np.arange(1, len(CAUSES) + 1)
    spread = _rng("ranks").integers(0, 3, (2, len(CAUSES)))
    return pd.DataFrame(
        {"cause": CAUSES, "rank": rank, "low": np.maximum(rank - spread[0], 1), "high": rank + spread[1]}
    )


def variance_parts() -> dict[str, list[float]]:
    """Shares of four sources of variance by group of causes."""
    drawn = _rng("variance").dirichlet([2.0, 3.0, 2.0, 1.0], len(GROUPS) - 1)
    return dict(zip(GROUPS[:-1], drawn.tolist(), strict=True))


def redistributed() -> pd.DataFrame:
    """cause, before, after, lower, upper: what has no code goes to the others."""
    before = np.sort(_rng("before").gamma(2.0, 200.0, len(CAUSES)))[::-1].round()
    lost = 0.4 * before[-1:] + 150.0
    after = before + lost * before / before.sum()
    rows = pd.DataFrame({"cause": CAUSES, "before": before, "after": after})
    ill = pd.DataFrame({"cause": ["1-094"], "before": lost, "after": 0.0})
    whole = pd.concat([rows, ill], ignore_index=True)
    return whole.assign(lower=0.97 * whole["after"], upper=1.04 * whole["after"])


def flow() -> pd.DataFrame:
    """step, reason, source, records."""
    from mortality.persons_release.flow import counted_flow

    rows = [
        ("quarantined", "quarantine.death_line_unreadable", "a6", 41), ("replaced", "file", "a6", 120),
        ("replaced", "record", "certificate", 7), ("not_a_death", "taken_home", "sent_home", 33),
        ("duplicate", "", "a6", 52), ("merged", "", "certificate", 1_204), ("merged", "", "civil_registration", 2_318),
        ("stillbirth", "", "a6", 12), ("no_date", "", "a6", 9), ("other_list", "", "civil_registration", 401),
        ("analysed", "", "a6", 6_120),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["step", "reason", "source", "records"])
    return counted_flow(table.assign(unit_id="VN2025:51", unit_2025="VN2025:51", year=YEAR))


def completeness_by_method() -> pd.DataFrame:
    """Two years of every method of `completeness_estimate`; two of them cannot be assessed."""
    from mortality.completeness_release import METHODS

    rows, rng = [], _rng("methods")
    for year in (YEAR - 1, YEAR):
        for method in METHODS:
            known = method not in ("seg", "ggb_seg")
            value = 0.72 + 0.14 * rng.random() + 0.02 * (year == YEAR)
            status = "modelled" if method.startswith("adair") else "ok"
            rows.append({
                "year": year, "method_id": method, "completeness": value if known else np.nan,
                "lower": value - 0.06 if known else np.nan, "upper": value + 0.06 if known else np.nan,
                "status": status if known else "not_assessable", "reason": "" if known else "reason.completeness_two_counts",
            })  # fmt: skip
    return pd.DataFrame(rows)


def completeness_by_place(units: list[str]) -> pd.DataFrame:
    """A combined estimate and two single ones per unit."""
    rng = _rng("places")
    middle = np.clip(rng.normal(0.78, 0.09, len(units)), 0.45, 0.99)
    wide = 0.03 + 0.05 * rng.random(len(units))
    whole = {
        "unit_id": units,
        "method_id": "combined",
        "completeness": middle,
        "lower": middle - wide,
        "upper": middle + wide,
    }
    parts = [pd.DataFrame(whole)]
    for method in ("adair_lopez_2", "expected_deaths"):
        single = middle + rng.normal(0, 0.05, len(units))
        parts.append(pd.DataFrame({"unit_id": units, "method_id": method, "completeness": single}))
    return pd.concat(parts, ignore_index=True)


def completeness_by_age() -> pd.DataFrame:
    """age_group, completeness, lower, upper: worst for small children."""
    ages = ["0", "1–4", "5–14", "15–29", "30–44", "45–59", "60–69", "70–79", "80+"]
    middle = np.array([0.42, 0.55, 0.7, 0.78, 0.82, 0.85, 0.86, 0.84, 0.76])
    wide = np.array([0.15, 0.16, 0.14, 0.08, 0.06, 0.04, 0.03, 0.03, 0.03])
    return pd.DataFrame({"age_group": ages, "completeness": middle, "lower": middle - wide, "upper": middle + wide})


@cache
def growth_balance() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Points, ranges of ages and the estimate of the invented example of notebook 41."""
    from mortality.measures.completeness import age_range_estimates, generalised_growth_balance, growth_balance_points
    from mortality.notebook_completeness_methods import example_counts

    data = example_counts()
    line = generalised_growth_balance(data, by=[]).iloc[0]
    return growth_balance_points(data, by=[]), age_range_estimates(data, by=[]), line


def rates_by_age() -> tuple[Numbers, dict[str, Numbers]]:
    """First years of the age groups and deaths per 1,000 by sex."""
    ages = np.array([float(one.replace("+", "-").split("-")[0]) for one in _rates().columns])
    return ages, {sex: 1000 * _rates().loc[sex].to_numpy(float) for sex in SEXES}


def deaths_by_age() -> tuple[list[str], Numbers, Numbers]:
    """First years of the age groups, observed and expected shares of deaths."""
    ages, _ = rates_by_age()
    wanted = _tables().query("sex == 'male'")["dx"].to_numpy(float)
    seen = wanted * np.where(ages < 5, 0.4, 1.0) * _rng("ages").normal(1, 0.06, len(wanted))
    return [f"{one:g}" for one in ages], seen / seen.sum(), wanted / wanted.sum()


def broad_groups() -> tuple[list[str], Numbers, list[int]]:
    """Years, shares of three groups, deaths."""
    parts = _rng("broad").dirichlet([12.0, 75.0, 13.0], 5)
    return [str(one) for one in range(YEAR - 4, YEAR + 1)], parts, [5_210, 5_480, 6_900, 6_010, 6_120]


def garbage_by_type() -> tuple[list[int], list[int]]:
    """Deaths with codes of little use by type, and the grave ones among them."""
    return [812, 240, 410, 166, 388], [812, 198, 233, 120, 61]
