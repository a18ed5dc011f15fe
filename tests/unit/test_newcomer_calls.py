"""Trends, small areas and suppression called by somebody who never saw the code: other forms, other names of columns."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.spatial import (
    empirical_bayes_rate,
    gamma_poisson_rate,
    local_moran,
    moran,
    scan_statistic,
    spatial_weights,
)
from tkyt_analysis.analysis.trend import (
    compute_expected,
    count_trend,
    excess_cumulative,
    excess_deaths,
    excess_model,
    farrington,
    harmonic_trend,
    joinpoint,
)
from tkyt_analysis.disclosure_table import audit_table, suppress_table
from tkyt_analysis.errors import InputError, UsageError

# ------------------------------------------------------------------------------------------------------ joinpoint

YEARS = list(range(2000, 2016))
RATES = [20 * 1.03 ** min(i, 8) * 0.96 ** max(i - 8, 0) + 0.05 * (-1) ** i for i in range(16)]
ERRORS = [0.2 + 0.01 * i for i in range(16)]
TABLE = pd.DataFrame({"year": YEARS, "rate": RATES, "se": ERRORS})


def found_in(series, **options):
    return joinpoint(series, max_joinpoints=2, **options).segments[["start", "end", "apc"]].to_numpy(dtype=float)


@pytest.mark.parametrize(
    "form",
    [
        TABLE.rename(columns={"year": "Year", "rate": "Age-Adjusted Rate", "se": "Standard Error"}),
        TABLE.rename(columns={"year": "Year of diagnosis", "rate": "ASR", "se": "std.err"}),
        TABLE.assign(year=TABLE["year"].astype("str")),
        TABLE.assign(year=pd.to_datetime(TABLE["year"].astype("str"))),
        TABLE.set_index("year"),
        TABLE.to_numpy(),
        list(zip(YEARS, RATES, ERRORS, strict=True)),
        TABLE.to_dict("list"),
        TABLE.iloc[::-1],
    ],
    ids=["NCI's names", "other names", "text years", "dates", "index", "array", "rows", "lists", "backwards"],
)
def test_a_series_with_standard_errors_is_the_same_in_every_form(form):
    np.testing.assert_allclose(found_in(form), found_in(TABLE))


@pytest.mark.parametrize(
    "form",
    [dict(zip(YEARS, RATES, strict=True)), pd.Series(RATES, YEARS), TABLE[["year", "rate"]],
     pd.Series(RATES, pd.period_range("2000", periods=16, freq="Y"))],
    ids=["year → rate", "Series", "table", "periods"],
)  # fmt: skip
def test_a_series_without_errors_is_the_same_in_every_form(form):
    plain = found_in(TABLE, weights="constant")
    np.testing.assert_allclose(found_in(form), plain)
    weighted = found_in(form, se=ERRORS)  # the values themselves in place of a column's name
    np.testing.assert_allclose(weighted, found_in(TABLE))


def test_rates_alone_are_numbered_from_one_and_years_may_be_given_beside_them():
    assert list(found_in(RATES)[:, 0]) == [1, 9]
    np.testing.assert_allclose(found_in(RATES, year=YEARS), found_in(TABLE, weights="constant"))


def test_a_wide_table_is_many_series_named_by_its_columns():
    wide = pd.DataFrame({"men": RATES, "women": RATES[::-1]}, index=pd.Index(YEARS, name="year"))
    found = joinpoint(wide.rename_axis(columns="sex"), max_joinpoints=1)
    assert list(found.series["sex"]) == ["men", "women"]
    tall = wide.rename_axis(columns="sex").unstack().rename("rate").reset_index()
    by_name = joinpoint(tall, by="sex", max_joinpoints=1)
    pd.testing.assert_frame_equal(found.segments, by_name.segments)


def test_the_result_answers_to_the_names_of_the_contract():
    found = joinpoint(TABLE, max_joinpoints=2, select="WBIC")
    for name in ("apc", "lower", "upper"):
        assert list(getattr(found, name)) == list(found[name]) == list(found.segments[name])
    assert found["aapc"] is found.aapc
    with pytest.raises(AttributeError):
        _ = found.no_such_column


def test_standard_errors_lie_where_the_limits_say():
    found = joinpoint(TABLE, max_joinpoints=0)
    line, average = found.segments.iloc[0], found.aapc.iloc[0]
    # one line through 16 points: t with 14 degrees of freedom is 2.144787
    assert line["slope_upper"] - line["slope"] == pytest.approx(2.144787 * line["se"], rel=1e-6)
    assert average["se"] == pytest.approx(line["se"])
    three = joinpoint(TABLE, max_joinpoints=1)
    weights = (three.segments["end"] - three.segments["start"]) / 15
    assert three.aapc["slope"].iloc[0] == pytest.approx((weights * three.segments["slope"]).sum())
    half = three.aapc["slope_upper"] - three.aapc["slope"]
    assert list(half) == pytest.approx(list(1.959964 * three.aapc["se"]), rel=1e-6)


def test_values_of_another_length_get_a_sentence():
    with pytest.raises(InputError, match="15"):
        joinpoint(RATES, year=YEARS[:-1])


# --------------------------------------------------------------------------------------------------------- counts

COUNTS = pd.DataFrame(
    {
        "YEAR": np.repeat(np.arange(2015, 2021), 12), "Month": np.tile(np.arange(1, 13), 6),
        "Deaths": [100 + 20 * np.cos(m * np.pi / 6) + y for y in range(6) for m in range(1, 13)],
    }
)  # fmt: skip


def excess(table):
    found = excess_deaths(table, start="2020-01")
    return found.loc[found["cumulative_excess"].notna(), "expected"].to_numpy()


@pytest.mark.parametrize(
    "form",
    [
        pd.Series(COUNTS["Deaths"].to_numpy(), pd.period_range("2015-01", periods=72, freq="M")),
        pd.DataFrame({"Period": [f"{y}-{m:02d}" for y in range(2015, 2021) for m in range(1, 13)], "n": 1.0}).assign(
            Count=COUNTS["Deaths"]
        ),
        COUNTS.rename(columns={"Month": "m"}).assign(month=range(1, 73)),
    ],
    ids=["months of a PeriodIndex", "2015-01 …", "running month beside m"],
)
def test_monthly_counts_are_the_same_under_other_names(form):
    np.testing.assert_allclose(excess(form), excess(COUNTS))


def test_weeks_as_surveillance_and_euromomo_name_them_are_read():
    weeks = pd.DataFrame({"wk2": [f"{y}-{w:02d}" for y in range(2013, 2019) for w in range(1, 53)], "nbc": 50.0})
    found = excess_deaths(weeks, method="euromomo", start="2018-01-01")
    assert found["period_id"].iloc[0] == "2013W01"
    assert found["zscore"].iloc[-1] == pytest.approx(0, abs=1e-6)


def test_farrington_s_bound_and_alarm_stand_in_the_excess_as_in_farrington_itself():
    days = pd.date_range("2012-01-02", periods=400, freq="7D")
    rows = pd.DataFrame({"epoch": days, "observed": [10 + i % 7 for i in range(399)] + [40]})
    table = excess_deaths(rows, method="noufaily", start=days[-2], alpha=0.05, b=4)
    alone = farrington(rows.set_index("epoch")["observed"], range=[399, 400], b=4, alpha=0.05)
    for name in ("upperbound", "score"):
        assert list(table[name].iloc[-2:]) == pytest.approx(list(alone[name]))
    assert list(table["alarm"].iloc[-2:]) == [0, 1]


def test_range_belongs_to_farrington_and_the_excess_says_what_to_give_in_its_place():
    rows = pd.DataFrame({"date": pd.date_range("2012-01-02", periods=400, freq="7D"), "observed": 10})
    with pytest.raises(UsageError, match="start"):
        excess_deaths(rows, method="noufaily", range=[399])


def test_the_curve_gives_its_columns_by_name():
    curve = excess_model(
        compute_expected(COUNTS, exclude="2020-01.."), start="2020-01", end="2020-12", knots_per_year=4
    )
    assert curve["fitted"] is curve.table["fitted"] or list(curve["fitted"]) == list(curve.table["fitted"])


def test_the_first_count_of_a_list_is_time_one_in_every_seasonal_model():
    counts = list(COUNTS["Deaths"].round())
    listed, series = (harmonic_trend(form).coefficients["estimate"] for form in (counts, pd.Series(counts)))
    dated = harmonic_trend(pd.Series(counts, range(1, 73))).coefficients["estimate"]
    assert list(listed) == pytest.approx(list(dated))
    assert list(series) == pytest.approx(list(dated))


@pytest.mark.parametrize("kind", ["datetime64[ns]", "period[M]", "str"])
def test_dates_are_months_in_seasonal_models_and_years_in_trends(kind):
    months = pd.Series(pd.date_range("2015-01-01", periods=72, freq="MS"))
    dates = (
        months.dt.to_period("M")
        if kind == "period[M]"
        else months.astype(kind).astype("object" if kind == "str" else kind)
    )
    dated = harmonic_trend(pd.DataFrame({"Date": dates, "Deaths": COUNTS["Deaths"]})).coefficients["estimate"]
    assert list(dated) == pytest.approx(list(harmonic_trend(list(COUNTS["Deaths"])).coefficients["estimate"]))


def test_weeks_with_dates_run_from_one():
    days = pd.date_range("2015-01-05", periods=156, freq="7D")
    counts = [100 + 10 * np.sin(2 * np.pi * t / 52) for t in range(1, 157)]
    dated = harmonic_trend(pd.DataFrame({"date": days, "deaths": counts}), period=52, harmonics=1).fitted
    assert list(dated["time"]) == list(range(1, 157))


def test_a_column_of_dates_is_read_as_years_by_the_model_of_counts():
    deaths = [50, 52, 55, 57, 60, 64, 61, 58]
    years = pd.DataFrame({"Yr": range(2010, 2018), "deaths": deaths})
    dates = pd.DataFrame({"date": pd.to_datetime([f"{year}-01-01" for year in range(2010, 2018)]), "deaths": deaths})
    assert count_trend(dates)["apc"].iloc[0] == pytest.approx(count_trend(years)["apc"].iloc[0])
    assert count_trend(dates)["first"].iloc[0] == 2010


# ----------------------------------------------------------------------------------------------------------- maps

NAMES = ["An", "Bình", "Cao", "Dương", "Hà"]
EVENTS = pd.Series([3, 8, 2, 9, 5], NAMES)
PEOPLE = pd.Series([1000, 1200, 900, 1500, 1100], NAMES)
RING = pd.DataFrame({"i": [1, 2, 2, 3, 3, 4, 4, 5, 5, 1], "j": [2, 1, 3, 2, 4, 3, 5, 4, 1, 5]})  # counted from 1


def test_pairs_by_place_serve_areas_that_have_names():
    by_place = local_moran(EVENTS / PEOPLE, RING)
    named = RING.apply(lambda column: column.map(dict(enumerate(NAMES, 1))))
    pd.testing.assert_frame_equal(by_place, local_moran(EVENTS / PEOPLE, named))
    from_zero = spatial_weights(RING - 1, ids=NAMES)
    assert from_zero.table().equals(spatial_weights(named, ids=NAMES).table())


def test_places_that_do_not_cover_all_areas_are_refused_as_unknown_names():
    with pytest.raises(InputError):
        local_moran(EVENTS, RING[RING["i"].between(2, 4) & RING["j"].between(2, 4)])


def test_neighbours_may_be_a_file_of_pairs_or_a_map(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    from shapely.geometry import box

    squares = geopandas.GeoDataFrame(geometry=[box(i, 0, i + 1, 1) for i in range(5)], crs="EPSG:4326")
    squares.to_file(tmp_path / "squares.geojson")
    RING.to_csv(tmp_path / "ring.csv", index=False)
    values = [3.0, 8, 2, 9, 5]
    assert moran(values, tmp_path / "squares.geojson").equals(moran(values, squares))
    assert moran(values, str(tmp_path / "ring.csv")).equals(moran(values, RING))
    assert moran(values, squares.__geo_interface__).equals(moran(values, squares))
    with pytest.raises(InputError, match=r"none\.csv"):
        moran(values, tmp_path / "none.csv")


def test_codes_with_a_leading_zero_stay_codes_in_a_file(tmp_path):
    codes = {i: f"0{i}" for i in range(1, 6)}
    RING.apply(lambda column: column.map(codes)).to_csv(tmp_path / "ring.csv", index=False)
    found = spatial_weights(tmp_path / "ring.csv", ids=codes.values())
    assert found.table().shape == (10, 3)


@pytest.mark.parametrize("names", [("Observed", "Expected"), ("Cases", "Pop"), ("deaths", "PERSON_YEARS")])
def test_a_table_of_areas_is_read_whatever_its_capitals(names):
    table = pd.DataFrame(dict(zip(names, (EVENTS, PEOPLE), strict=True)))
    assert list(empirical_bayes_rate(table)["rate"]) == list(empirical_bayes_rate(EVENTS, PEOPLE)["rate"])


def test_empirical_bayes_by_likelihood_is_the_gamma_poisson_model():
    events, expected = [2, 30, 1, 22, 4, 0], [6.0, 12, 5, 11, 9, 3]
    ours = empirical_bayes_rate(events, expected, method="ebayes")
    model = gamma_poisson_rate(events, expected)
    assert list(ours["rate"]) == pytest.approx(list(model["relative_risk"]))
    assert list(ours["lower"]) == pytest.approx(list(model["lower"]))
    assert ours["prior_mean"].iloc[0] == pytest.approx(np.exp(model.attrs["beta"][0]))


def test_coordinates_may_be_two_lists_side_by_side():
    x, y = [0, 1, 2, 3, 4], [0, 0, 0, 0, 0]
    side_by_side = scan_statistic(EVENTS, PEOPLE, (x, y), replicates=9)
    as_rows = scan_statistic(EVENTS, PEOPLE, np.column_stack([x, y]), replicates=9)
    pd.testing.assert_frame_equal(side_by_side, as_rows)


# ---------------------------------------------------------------------------------------------------- suppression

CELLS = pd.DataFrame({"county": [*"aaabbbccc"], "age": [*"xyz"] * 3, "cases": [1, 20, 3, 40, 50, 60, 70, 80, 9]})


def test_a_table_is_protected_without_being_told_its_columns():
    told = suppress_table(CELLS, ["county", "age"], value="cases")
    pd.testing.assert_frame_equal(suppress_table(CELLS), told)
    assert not len(audit_table(told, ["county", "age"]))


def test_single_events_and_a_two_way_table_are_counted_to_the_same_cells():
    told = suppress_table(CELLS)
    people = CELLS.loc[CELLS.index.repeat(CELLS["cases"]), ["county", "age"]]
    two_way = CELLS.pivot(index="county", columns="age", values="cases")
    for form in (people, two_way):
        found = suppress_table(form).rename(columns={"n": "cases"})
        pd.testing.assert_frame_equal(found, told)


def test_words_of_other_programs_are_known_and_unknown_ones_are_refused_not_guessed():
    exact = suppress_table(CELLS, method="OPT(1)")
    pd.testing.assert_frame_equal(exact, suppress_table(CELLS, method="optimal"))
    for wrong in ({"method": "cheapest"}, {"cost": "x"}, {"least": "5"}, {"least": -1}, {"margin": None}):
        with pytest.raises(UsageError, match=str(next(iter(wrong.values())))):
            suppress_table(CELLS, **wrong)


def test_sums_want_the_curve_itself():
    with pytest.raises(InputError, match="DataFrame"):
        excess_cumulative(COUNTS)
