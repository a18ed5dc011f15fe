"""The cube and the release's own indicator table give the same figure: every indicator × unit × year × sex of the demo."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis import cube
from tkyt_analysis.cube.model import View
from tkyt_analysis.warehouse.release import Release

HIV = {"4", "1-020"}  # rows of form 16/BCH and of WHO's list 1; single deaths of a release do not tell them
LEVELS = {2: "province", 5: "commune"}


@pytest.fixture(scope="module")
def release(demo_home):
    return Release(demo_home)


def published(release):
    rows = release.query("SELECT * FROM indicator_value WHERE age_group = 'all' AND unit_id <> 'VN'")
    return rows.assign(level=rows["unit_id"].str.partition(":")[2].str.len().map(LEVELS))


def figures(release, indicator, level, *, by_sex, by_cause):
    by = (level, "year", *(("sex",) if by_sex else ()), *(("cause",) if by_cause else ()))
    rows = cube.evaluate(release, View((indicator,), by)).rows.rename(columns={level: "unit_id", "year": "period_id"})
    return rows.assign(sex=rows["sex"] if by_sex else "total", cause=rows["cause"] if by_cause else "all")


def compared(release, indicator, level, rows):
    """The published figures beside those of the cube, cell by cell; `_merge` says where one of them has none."""
    by_cause = bool((rows["cause"] != "all").any())
    of_one_sex = "sex" not in cube.measures(release)[indicator].dimensions  # mothers
    sexes = (False,) if of_one_sex else (True, False)
    parts = [figures(release, indicator, level, by_sex=sex, by_cause=by_cause) for sex in sexes]
    keys = ["unit_id", "period_id", "sex", "cause"]
    mine = pd.concat(parts)
    both = mine.merge(rows, on=keys, suffixes=("_cube", ""), how="outer", validate="one_to_one", indicator=True)
    return both[both["sex"] != "unknown"]


def test_every_published_indicator_is_what_the_cube_says(release):
    found = 0
    for (indicator, level), rows in published(release).groupby(["indicator_id", "level"]):
        cells = compared(release, indicator, level, rows)
        cells = cells[~cells["cause"].isin({*HIV, "unknown", "DEFINED"})]  # DEFINED: all that is no ill-defined cause
        both, absent = cells[cells["_merge"] == "both"], cells[cells["_merge"] != "both"]
        assert (absent["numerator"].fillna(0.0) + absent["numerator_cube"].fillna(0.0) == 0).all(), (indicator, level)
        for column in ("numerator", "denominator", "value", "lower", "upper"):
            left, right = both[column].astype(float), both[f"{column}_cube"].astype(float)
            assert np.allclose(left, right, rtol=1e-9, equal_nan=True), (indicator, level, column)
        assert list(both["status"]) == list(both["status_cube"]), (indicator, level)
        found += len(both)
    assert found > 500


def test_deaths_of_hiv_stand_among_those_without_a_cause(release):
    rows = published(release).query("indicator_id == 'cause_specific_death_rate_form16bch' and sex == 'total'")
    mine = figures(release, "cause_specific_death_rate_form16bch", "province", by_sex=False, by_cause=True)
    unknown = mine[mine["cause"] == "unknown"].set_index("period_id")["numerator"]
    theirs = rows[rows["cause"].isin({*HIV, "unknown"})].groupby("period_id")["numerator"].sum()
    assert unknown.to_dict() == theirs.to_dict()
    assert not set(mine["cause"]) & HIV


OVER_BIRTHS = (
    "infant_mortality_rate",
    "maternal_mortality_ratio",
    "neonatal_mortality_rate",
    "under_five_mortality_rate",
)


def without_interval(rows):
    """Figures that stand without limits."""
    return rows[
        rows["value"].notna() & (rows["lower"].isna() | rows["upper"].isna() | (rows["upper"] <= rows["lower"]))
    ]


@pytest.mark.parametrize("indicator", OVER_BIRTHS)
def test_no_rate_over_births_stands_without_an_interval_and_a_commune_has_none(release, indicator):
    rows = release.query("SELECT * FROM indicator_value WHERE indicator_id = ?", [indicator])
    assert rows["value"].notna().any()
    assert without_interval(rows).empty
    assert rows.loc[rows["unit_id"].str.len() == 12, "value"].isna().all()
    assert (rows.loc[rows["value"].isna(), "reason"] != "").all()
    levels = [level for level in ("province", "commune") if level in cube.measures(release)[indicator].dimensions]
    for level in levels:
        seen = cube.evaluate(release, View((indicator,), (level, "year"))).rows
        assert without_interval(seen).empty
        assert level == "province" or seen["value"].isna().all()


def test_the_report_of_a_place_prints_these_rates_with_their_interval_only(demo_home):
    from mortality.reports.deaths_data import DeathsView
    from mortality.reports.deaths_report import indicators_section
    from tkyt_analysis.catalog.loader import load_entries
    from tkyt_analysis.labels import label

    release = Release(demo_home)
    unsaid = label("verdict.not_assessable", "vi")
    for place in ("VN2025:51", "VN2025:21115"):
        page = indicators_section(DeathsView(release, place, 2025), "vi")
        for indicator in OVER_BIRTHS:
            title = load_entries("indicators")[indicator].title["vi"]
            for row in [part for part in page.split("<tr") if f">{title}<" in part]:
                assert unsaid in row or "–" in row.split(title)[1], (place, indicator)
                assert place == "VN2025:51" or unsaid in row


def test_deaths_of_boys_are_never_divided_by_all_births(release):
    """Live births are not known by sex: neither split by sex nor kept to one does a rate over births have a value."""
    split = cube.evaluate(release, View(("infant_mortality_rate",), ("province", "sex"), period="2025")).rows
    kept = cube.evaluate(
        release, View(("infant_mortality_rate",), ("province",), period="2025").keeping("sex", ["male"])
    ).rows
    assert len(kept)
    assert kept["value"].isna().all()
    assert split["value"].isna().all()
