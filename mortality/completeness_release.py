"""Release table: how complete the counted deaths are, by every method that the data of the release allow."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mortality.completeness_cells import HISTORIES, KEYS, people_cells, person_cells, with_both_sexes
from mortality.measures.completeness import (
    CaptureEstimate,
    adair_lopez,
    averaged_models,
    capture_recapture,
    completeness_panel,
    death_distribution_methods,
    expected_deaths,
)
from mortality.measures.completeness.results import result_table

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

SCHEDULE = "practice_death_rates"  # UN World Population Prospects 2024, Viet Nam; the code list names its source
METHODS = (
    "capture_recapture_3", "capture_recapture_2", "expected_deaths", "adair_lopez_1", "adair_lopez_2", "ggb", "seg", "ggb_seg",
    "combined",
)  # fmt: skip
COLUMNS = [
    *KEYS, "method_id", "registered", "estimated", "completeness", "lower", "upper", "method", "status", "reason", "methods", "spread",
]  # fmt: skip
OLD = ("65-69", "70-74", "75-79", "80-84", "85+")
LISTS_REASONS = {
    "too_few_in_common": "reason.completeness_in_common",
    "empty_list": "reason.completeness_empty_list",
    "no_model_fits": "reason.completeness_no_model",
}
WHOLE_YEAR = 12  # months


def completeness_estimate(context: ReleaseContext) -> pd.DataFrame:
    """One row per province (of 2025 and of 2024), year, sex and method: COLUMNS and scope.

    registered : deaths that the release counts, in the communes with registers; estimated : registered / completeness
    sex : male, female, total (deaths of unknown sex are in it)
    """
    if "completeness_estimate" not in context.made:
        context.made["completeness_estimate"] = _made(context)
    return context.made["completeness_estimate"]


def _made(context: ReleaseContext) -> pd.DataFrame:
    from tkyt_analysis.cube.release_tables import SCOPE_OF_PLACE, offer_places

    cells = person_cells(context)
    if cells.empty:
        return pd.DataFrame(columns=[*COLUMNS, "scope"]).astype("str")
    rows = estimated(cells, people_cells(context), limits=limits_of(context), months=_months(context))
    offer_places(context)
    context.warehouse.con.register("completeness_rows", rows)
    placed = context.query(
        f"SELECT r.*, {SCOPE_OF_PLACE} AS scope FROM completeness_rows r LEFT JOIN place_of_unit p USING (unit_id) ORDER BY ALL"
    )
    context.warehouse.con.unregister("completeness_rows")
    return placed


def limits_of(context: ReleaseContext) -> dict[str, Any]:
    """The catalog's own judgements (threshold completeness_estimate) at the day of the last file."""
    from tkyt_analysis.catalog import load_entry

    last = context.query("SELECT max(left(received_at, 10)) AS day FROM lake.received_file")["day"].dropna()
    day = datetime.date.fromisoformat(last.iloc[0]) if len(last) else datetime.date(2026, 1, 1)
    return dict(load_entry("thresholds", "completeness_estimate").at(day))


def _months(context: ReleaseContext) -> pd.Series:
    """The last month of each year that has a counted death anywhere: a year that has not ended has no yearly rate."""
    from mortality.release_tables import analysed_deaths

    rows = analysed_deaths(context)
    return rows[(rows["excluded"] == "") & rows["year"].notna()].groupby("year")["month"].max()


def estimated(cells: pd.DataFrame, people: pd.DataFrame, *, limits: dict[str, Any], months: pd.Series) -> pd.DataFrame:
    """COLUMNS of `cells` (`person_cells`) and `people` (`people_cells`).

    limits : spread, least_under_five, least_years; months : last month with deaths, by year
    """
    summed = cells.drop(columns="age_group").groupby(KEYS, as_index=False, sort=True).sum()
    whole = summed["year"].map(months).eq(WHOLE_YEAR).to_numpy()
    by_age = deaths_and_people(cells, people)
    tables = {
        **_of_lists(summed),
        "expected_deaths": _of_schedule(summed, by_age, float(limits["spread"]), whole),
        **_of_regression(summed, by_age, int(limits["least_under_five"]), whole),
        **_of_two_counts(summed, cells, people, int(limits["least_years"])),
    }
    panel = completeness_panel(tables, by=KEYS, prefer_direct=True)
    registered = summed[[*KEYS, "deaths"]].rename(columns={"deaths": "registered"})
    rows = panel.merge(registered, on=KEYS, how="left", validate="many_to_one")
    rounded = {name: rows[name].astype(float).round(4) for name in ("completeness", "lower", "upper", "spread")}
    rows = rows.astype({"year": "int64", "methods": "Int64"}).assign(sex=rows["sex"].replace({"both": "total"}))
    return rows.assign(**rounded, estimated=(rows["registered"] / rows["completeness"]).round(1))[COLUMNS]


def deaths_and_people(cells: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """KEYS, age_group, deaths, person_years, rate (of the schedule); deaths of unknown age are left out."""
    both = with_both_sexes(people)[[*KEYS, "age_group", "person_years"]]
    rows = both.merge(cells[[*KEYS, "age_group", "deaths"]], on=[*KEYS, "age_group"], how="left")
    rows = rows.assign(deaths=rows["deaths"].fillna(0), year=rows["year"].astype("int64"))
    return rows.merge(
        schedule_rates(people), on=["unit_id", "year", "sex", "age_group"], how="left", validate="one_to_one"
    )


def schedule_rates(people: pd.DataFrame) -> pd.DataFrame:
    """unit_id, year, sex, age_group, rate [per person-year]; of both sexes the mean by the people of the place."""
    from tkyt_analysis.catalog import read_codelist

    listed = read_codelist(SCHEDULE).astype({"year_from": int, "year_to": int, "deaths_per_1000": float})
    rows = people.assign(year=people["year"].astype("int64")).merge(listed, on=["sex", "age_group"], how="inner")
    rows = rows[rows["year"].between(rows["year_from"], rows["year_to"])].assign(
        rate=lambda part: part["deaths_per_1000"] / 1000
    )
    place = ["unit_id", "year", "age_group"]
    products = rows.assign(product=rows["rate"] * rows["person_years"]).groupby(place, as_index=False)
    both = products.agg(product=("product", "sum"), persons=("person_years", "sum"), sexes=("rate", "size"))
    both = both[both["sexes"] == 2].assign(sex="both", rate=lambda part: part["product"] / part["persons"])
    columns = ["unit_id", "year", "sex", "age_group", "rate"]
    return pd.concat([rows[columns], both[columns]], ignore_index=True)


def _of_lists(summed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Capture–recapture of three lists and of the book with civil registration."""
    seen = summed[HISTORIES].to_numpy(dtype=float)
    zero = np.zeros((len(seen), 1))
    first, second, both = (seen[:, [one - 1, one + 3]].sum(axis=1) for one in (1, 2, 3))
    found = {
        "capture_recapture_3": capture_recapture(np.hstack([zero, seen])),
        "capture_recapture_2": capture_recapture(np.column_stack([zero, first, second, both])),
    }
    return {name: _share_of_lists(summed, one, name) for name, one in found.items()}


def _share_of_lists(summed: pd.DataFrame, found: CaptureEstimate, name: str) -> pd.DataFrame:
    """Counted deaths over the estimate of all deaths (the mean of the models, as likely as each is)."""
    counted = summed["deaths"].to_numpy(dtype=float)
    value, least, most = averaged_models(found)
    reason = pd.Series(found.reason).map(LISTS_REASONS).fillna("").to_numpy(dtype=str)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {"completeness": counted / value, "lower": counted / most, "upper": counted / least}
    method = name if len(found.models) == 1 else f"{name};mean_of_models"
    return result_table(summed[KEYS], columns, method=method, reason=reason)


def _of_schedule(summed: pd.DataFrame, by_age: pd.DataFrame, spread: float, whole: np.ndarray) -> pd.DataFrame:
    sums = by_age.assign(expected=by_age["person_years"] * by_age["rate"]).groupby(KEYS)["expected"]
    expected = sums.agg(lambda part: part.sum(skipna=False)).reset_index()
    rows = summed[[*KEYS, "deaths"]].merge(expected, on=KEYS, how="left", validate="one_to_one")
    found = expected_deaths(rows, by=KEYS, spread=spread)
    named = found.assign(
        status=found["status"].replace("ok", "modelled"), method=f"expected_deaths;{SCHEDULE};spread={spread:g}"
    )
    return _without(named, whole)


def _without(table: pd.DataFrame, whole: np.ndarray) -> pd.DataFrame:
    """The table without figures of years that have not ended."""
    part = ~whole
    table.loc[part, ["completeness", "lower", "upper"]] = np.nan
    table.loc[part, ["status", "reason"]] = ["not_assessable", "reason.completeness_part_of_year"]
    return table


def _of_regression(
    summed: pd.DataFrame, by_age: pd.DataFrame, least_under_five: int, whole: np.ndarray
) -> dict[str, pd.DataFrame]:
    """Adair–Lopez, both models; 5q0 is the nation's (of the schedule), so that the estimates are modelled."""
    inputs = summed[[*KEYS, "deaths"]].merge(
        _inputs(by_age, least_under_five), on=KEYS, how="left", validate="one_to_one"
    )
    rate = inputs["deaths"] / inputs["person_years"] * 1000
    found = adair_lopez(inputs.assign(crude_death_rate=rate.where(rate <= 200)))
    found["status"] = found["status"].replace("ok", "modelled")
    parts = {model: found[found["model"] == model].reset_index(drop=True) for model in ("1", "2")}
    return {f"adair_lopez_{model}": _without(rows, whole) for model, rows in parts.items()}


def _inputs(by_age: pd.DataFrame, least_under_five: int) -> pd.DataFrame:
    """KEYS, person_years, share_65_over, under5_mortality, under5_completeness (missing below `least_under_five` deaths)."""
    young = ["0", "1-4"]
    if not set(young) <= set(by_age["age_group"]):
        names = ["person_years", "share_65_over", "under5_mortality", "under5_completeness"]
        return by_age[KEYS].drop_duplicates().assign(**dict.fromkeys(names, np.nan))
    wide = by_age.pivot(index=KEYS, columns="age_group", values=["person_years", "deaths", "rate"])
    people = wide["person_years"]
    total = people.sum(axis=1)
    sex = wide.index.get_level_values("sex").to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        true = under_five_probability(wide["rate"][young].to_numpy(dtype=float), sex)
        own = under_five_probability((wide["deaths"][young] / people[young]).to_numpy(dtype=float), sex)
    enough = wide["deaths"][young].sum(axis=1) >= least_under_five
    old = people[[group for group in OLD if group in people]].sum(axis=1)
    table = pd.DataFrame(
        {
            "person_years": total,
            "share_65_over": old / total,
            "under5_mortality": true,
            "under5_completeness": pd.Series(own / true, index=wide.index).where(enough).clip(upper=1.0),
        },
        index=wide.index,
    )
    return table.reset_index()


def under_five_probability(rates: np.ndarray, sex: np.ndarray) -> np.ndarray:
    """5q0 from the death rates at 0 and 1–4 (Coale–Demeny West separation factors); (series, 2) → (series,)."""
    from mortality.measures.life_table_ax import infant_factors, rates_to_probabilities

    ages = np.column_stack(infant_factors("coale_demeny_west", rates[:, 0], np.where(sex == "both", "total", sex)))
    dying = rates_to_probabilities(rates, ages, np.array([1.0, 4.0]))[0]
    return np.asarray(1 - (1 - dying[:, 0]) * (1 - dying[:, 1]), dtype=float)


def _of_two_counts(
    summed: pd.DataFrame, cells: pd.DataFrame, people: pd.DataFrame, least_years: int
) -> dict[str, pd.DataFrame]:
    """Growth balance and extinct generations between the first and the last year whose population is final, where they lie
    `least_years` apart and every year between has deaths; otherwise the reason. The rows stand at the last year."""
    pairs = _pairs_of_counts(cells, people, least_years)
    reason = np.full(len(summed), "reason.completeness_two_counts")
    empty = result_table(summed[KEYS], {name: np.full(len(summed), np.nan) for name in ("completeness", "lower", "upper")},
                         method="", reason=reason)  # fmt: skip
    tables = {name: empty.assign(method=name) for name in ("ggb", "seg", "ggb_seg")}
    if pairs.empty:
        return tables
    found = death_distribution_methods(pairs, by=["unit_id", "sex"])
    found = found.merge(pairs[["unit_id", "sex", "date2"]].drop_duplicates(), on=["unit_id", "sex"]).rename(
        columns={"date2": "year"}
    )
    for name in tables:
        own = found[found["method_id"] == name][[*KEYS, "completeness", "lower", "upper", "method", "status", "reason"]]
        rest = empty.merge(own[KEYS], on=KEYS, how="left", indicator=True)
        tables[name] = pd.concat(
            [own, empty[(rest["_merge"] == "left_only").to_numpy()].assign(method=name)], ignore_index=True
        )
    return tables


def _pairs_of_counts(cells: pd.DataFrame, people: pd.DataFrame, least_years: int) -> pd.DataFrame:
    """unit_id, sex, age, pop1, pop2, deaths (mean per year), date1, date2."""
    final = people[people["final"].astype(bool)]
    span = final.groupby(["unit_id", "sex"], as_index=False)["year"].agg(date1="min", date2="max")
    span = span[span["date2"] - span["date1"] >= least_years]
    if span.empty:
        return pd.DataFrame()
    years = cells.merge(span, on=["unit_id", "sex"])
    years = years[years["year"].between(years["date1"], years["date2"])]
    keys = ["unit_id", "sex", "date1", "date2"]
    covered = years.groupby(keys)["year"].nunique().reset_index(name="years")
    covered = covered[covered["years"] == covered["date2"] - covered["date1"] + 1]
    deaths = years.groupby([*keys, "age_group"], as_index=False)["deaths"].sum().merge(covered, on=keys)
    deaths = deaths[deaths["age_group"].str.match(r"^\d")].assign(deaths=lambda part: part["deaths"] / part["years"])
    counts = {name: final[["unit_id", "sex", "year", "age_group", "person_years"]].rename(columns={"year": date, "person_years": name})
              for name, date in (("pop1", "date1"), ("pop2", "date2"))}  # fmt: skip
    both = (
        covered[keys]
        .merge(counts["pop1"], on=["unit_id", "sex", "date1"])
        .merge(counts["pop2"], on=["unit_id", "sex", "date2", "age_group"])
    )
    return both.merge(deaths[[*keys, "age_group", "deaths"]], on=[*keys, "age_group"], how="left").assign(
        deaths=lambda part: part["deaths"].fillna(0), age=lambda part: part["age_group"]
    )
