"""The notebooks of trends, excess deaths, small areas and maps: what they show of drawn figures, and what they refuse to show."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from support import REPOSITORY

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.maps.registry import MAP_KINDS
from tkyt_analysis.notebook_area_clusters import bym2_html, moran_html
from tkyt_analysis.notebook_areas import log_marks, points_html, small_areas, smoothed, smoothed_html
from tkyt_analysis.notebook_country import range_text, uses_country
from tkyt_analysis.notebook_excess import excess_of, monthly_deaths
from tkyt_analysis.notebook_excess_tables import excess_html, months_html, summary, weeks_html
from tkyt_analysis.notebook_maps import _MAPS, kind_html, map_figures
from tkyt_analysis.notebook_trend_tables import (
    below_html,
    change_words,
    marks_html,
    segments_html,
    sentence,
    straight_html,
    trend_html,
)
from tkyt_analysis.notebook_trends import joinpoints, yearly_series

HERE, PRACTICE = "VN2025:51", label("page.practice", "vi")
MEASURES = {
    "crude_death_rate": ("crude", "deaths", "population", 1000.0, "Tỷ suất chết thô", "trên 1.000 dân"),
    "deaths": ("count", "deaths", "", 1.0, "Số tử vong", "ca"),
    "life": ("direct", "deaths", "population", 1e5, "Tỷ suất chuẩn hoá", "trên 100.000 dân"),
}


class Bench:
    """A workbench whose cube answers drawn tables: {(measure, by): rows}."""

    def __init__(self, tables, *, practice=False, data_as_of="2025-03-10"):
        self.tables = tables
        self.release = SimpleNamespace(
            practice=practice, manifest={"data_as_of": data_as_of}, release_id="R1", has=lambda table: False,
            reads=SimpleNamespace(nation=True),
        )  # fmt: skip
        self.measures = {
            name: SimpleNamespace(
                method=method,
                numerator=above,
                denominator=below,
                per=per,
                title={"vi": title},
                unit={"vi": unit},
                options={"absent_is_zero": name == "deaths"},
            )  # fmt: skip
            for name, (method, above, below, per, title, unit) in MEASURES.items()
        }

    def indicator(self, measure, *, by, place="", period="", geography="VN2025"):
        by = (by,) if isinstance(by, str) else tuple(by)
        rows = self.tables.get((measure, by), pd.DataFrame())
        if rows.empty:
            columns = [*by, *(f"{one}_name" for one in by), "value", "lower", "upper", "numerator", "denominator"]
            rows = pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
        view = SimpleNamespace(measures=(measure,), by=by)
        return SimpleNamespace(to_pandas=rows.copy, view=view, workbench=self)

    def place(self, written):
        return written

    def place_name(self, unit):
        return {"VN": "cả nước", HERE: "Tỉnh Quảng Ngãi"}.get(unit, unit)


def rates(counts, persons=100_000.0, **keys):
    """Rows of a crude rate per 1,000 with limits, as the cube gives them; keys are columns."""
    counts = np.asarray(counts, dtype=float)
    value, half = 1000 * counts / persons, 1960 * np.sqrt(counts) / persons
    rows = pd.DataFrame({"value": value, "lower": value - half, "upper": value + half, "numerator": counts})
    return rows.assign(denominator=persons, **keys)


def bench_of_years(years, counts, **options):
    return Bench({("crude_death_rate", ("year",)): rates(counts, year=[str(year) for year in years])}, **options)


# ---- release or practice country


@pytest.mark.parametrize(
    ("practice", "asked", "lacks", "country"),
    [
        (True, "auto", ("ít năm",), True),
        (True, "", ("ít năm",), True),
        (True, "auto", (), False),
        (False, "auto", ("ít năm",), False),  # real figures are never replaced unasked
        (False, "true", ("ít năm",), True),
        (False, True, (), True),
        (True, "false", ("ít năm",), False),
        (True, False, ("ít năm",), False),
    ],
)
def test_the_practice_country_stands_in_only_for_practice_data_or_when_asked(practice, asked, lacks, country):
    assert uses_country(SimpleNamespace(practice=practice), asked, lacks) is country


def test_any_other_word_for_the_practice_country_is_refused_with_the_word():
    with pytest.raises(InputError, match="perhaps"):
        uses_country(SimpleNamespace(practice=True), "perhaps", ())


# ---- trends


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((2.0, 1.5, 2.5), "tăng 2,00 (1,50–2,50) % mỗi năm"),
        ((-2.0, -2.5, -1.5), "giảm 2,00 (1,50–2,50) % mỗi năm"),
        ((0.3, -0.4, 1.0), "chưa rõ tăng hay giảm: 0,30 (từ -0,40 đến 1,00) % mỗi năm"),
        ((0.3, np.nan, np.nan), "0,30 % mỗi năm, không tính được khoảng tin cậy"),
        ((np.nan, np.nan, np.nan), label("verdict.not_assessable", "vi")),
    ],
)
def test_a_change_is_said_in_words_and_one_whose_limits_hold_0_is_not_called_a_rise(change, words):
    assert change_words(*change, "vi") == words


def test_a_range_with_a_negative_end_is_not_written_with_a_dash():
    assert range_text(1, -2, 3, 0, "vi") == "1 (từ -2 đến 3)"


def test_a_rise_that_turns_into_a_fall_is_found_and_said_stretch_by_stretch():
    years = range(2009, 2025)
    counts = [round(5000 * 1.03 ** (min(year, 2016) - 2009) * 0.96 ** max(0, year - 2016)) for year in years]
    series = yearly_series(bench_of_years(years, counts), "crude_death_rate", "VN")
    found = joinpoints(series)
    said = sentence(series, found, "VN")
    assert "2009–2016: tăng 3,0" in said
    assert "2016–2024: giảm 4,0" in said
    assert "2009–2024" in said  # the average stands beside its parts
    assert segments_html(series, found).html.count("<tr") == 1 + 2 + 1  # heading, two stretches, average


def test_a_year_that_had_not_ended_when_the_data_came_is_no_point_of_the_trend():
    years = range(2018, 2026)  # data of March 2025: the year is not over
    bench = bench_of_years(years, [500] * 7 + [90])
    assert yearly_series(bench, "crude_death_rate", "VN").own["year"].max() == 2024
    assert yearly_series(bench, "crude_death_rate", "VN", "2018..2025").own["year"].max() == 2025


def test_two_real_years_are_said_to_be_too_few_and_nothing_is_shown_in_their_place():
    series = yearly_series(bench_of_years([2023, 2024], [500, 520]), "crude_death_rate", "VN")
    assert not series.country
    assert "chỉ có 2 năm trọn vẹn (2023, 2024)" in series._repr_html_()
    found = joinpoints(series)
    shown = trend_html(series, found).html + straight_html(series, found).html + below_html(series, found).html
    assert "<svg" not in shown
    assert "chưa đến 3 năm" in shown
    assert PRACTICE not in shown


def test_counts_alone_have_a_trend_and_a_standardised_rate_has_no_model_of_counts():
    rows = rates([500, 510, 490, 505, 520, 515, 530], year=[str(year) for year in range(2018, 2025)])
    alone = rows.assign(value=rows["numerator"], lower=np.nan, upper=np.nan)
    series = yearly_series(Bench({("deaths", ("year",)): alone}), "deaths", "VN")
    assert series.counted
    assert joinpoints(series).aapc["status"].tolist() == ["ok"]
    other = rows.assign(value=rows["value"] * 90)  # no longer numerator / denominator
    series = yearly_series(Bench({("life", ("year",)): other}), "life", "VN")
    assert not series.counted
    assert label("trend_notebook.not_counts", "vi", measure="Tỷ suất chuẩn hoá") in straight_html(
        series, joinpoints(series)
    ).html.replace("&quot;", '"')


def test_the_new_register_form_is_marked_in_a_series_that_crosses_it():
    series = yearly_series(bench_of_years(range(2016, 2025), [500] * 9), "crude_death_rate", "VN")
    marks = marks_html(series)
    assert 2020 in marks.rows["at"].astype(int).tolist()
    assert "2020" in marks.html


def test_a_practice_release_of_two_years_is_shown_on_the_synthetic_country_and_says_so():
    bench = bench_of_years([2023, 2024], [500, 520], practice=True)
    series = yearly_series(bench, "crude_death_rate", HERE)
    assert (series.country, series.place, len(series.own)) == (True, HERE, 16)
    html = series._repr_html_()
    assert label("notebook_country.synthetic", "vi").split(":")[0] in html
    assert "chỉ có 2 năm" in html
    found = joinpoints(series)
    assert PRACTICE in trend_html(series, found).html
    assert PRACTICE in segments_html(series, found).html


# ---- excess deaths


def bench_of_months(first, values, **options):
    months = pd.period_range(first, periods=len(values), freq="M").strftime("%Y%m")
    own = pd.DataFrame({"month": months, "value": values}).query("value == value")
    return Bench({("deaths", ("month",)): own}, **options)


def test_deaths_above_the_years_before_are_added_up_and_the_month_that_is_not_over_has_none():
    rng = np.random.default_rng(7)
    values = rng.poisson(400, 74).astype(float)  # 2019-01 to 2025-02
    values[-14:-2] += 100  # twelve months with 100 more each
    values[-1] = 30  # March 2025 has begun: data of the 10th
    bench = bench_of_months("2019-02", values)
    deaths = monthly_deaths(bench, "VN")
    assert deaths.start == "2024-03-01"
    found = excess_of(deaths)
    judged = found[found["date"] >= "2024-03-01"]
    last = judged[judged["cumulative_excess"].notna()].iloc[-1]
    assert last["cumulative_lower"] < 11 * 100 + 100 < last["cumulative_upper"] + 200
    assert last["cumulative_excess"] == pytest.approx(1100, abs=300)
    march = judged.iloc[-1]
    assert (march["period_id"], march["status"]) == ("202503", "not_assessable")
    assert np.isnan(march["excess"])
    html = months_html(deaths, found).html
    assert label(march["reason"], "vi") in html
    assert "1 kỳ chưa trọn" in summary(judged.reset_index(drop=True), deaths)


def test_a_month_without_a_death_counts_as_0_and_not_as_missing():
    values = [20.0] * 60
    values[30] = np.nan
    deaths = monthly_deaths(bench_of_months("2020-01", values), "VN", start="2024-01-01")
    assert deaths.own["events"].tolist().count(0.0) == 1
    assert len(deaths.own) == 60


def test_before_the_register_of_a_province_began_there_are_no_zeros():
    bench = bench_of_months("2019-01", [50.0] * 72)
    months = pd.period_range("2021-01", periods=48, freq="M").strftime("%Y%m")
    late = pd.DataFrame({"province": HERE, "province_name": "Tỉnh Quảng Ngãi", "month": months, "value": 20.0})
    bench.tables["deaths", ("province", "month")] = late
    deaths = monthly_deaths(bench, "VN", start="2024-01-01")
    own = deaths.rows[deaths.rows["unit_id"] == HERE]
    assert (own["period_id"].min(), own["events"].min()) == ("202101", 20)
    found = excess_of(deaths).query("unit_id == @HERE")
    assert found["observed"].isna().sum() == 24
    assert found.loc[found["period_id"] >= "202401", "expected"].to_numpy() == pytest.approx(20, abs=1)


def test_a_month_that_is_withheld_or_of_a_form_that_did_not_come_is_not_counted_as_0():
    bench = bench_of_months("2020-01", [20.0] * 60)
    own = bench.tables["deaths", ("month",)]
    own.loc[30, "value"] = np.nan  # withheld
    assert monthly_deaths(bench, "VN", start="2024-01-01").own["events"].isna().sum() == 1
    values = [20.0] * 60
    values[30] = np.nan  # no row
    bench = bench_of_months("2020-01", values)
    bench.measures["deaths"].options["absent_is_zero"] = False
    deaths = monthly_deaths(bench, "VN", start="2024-01-01")
    assert deaths.own["events"].isna().sum() == 1
    assert excess_of(deaths)["observed"].isna().sum() == 1


def test_one_year_is_no_baseline_and_a_real_release_then_shows_no_expected_deaths():
    deaths = monthly_deaths(bench_of_months("2023-01", [40.0] * 24), "VN")
    assert not deaths.country
    assert "chỉ có 12 tháng" in deaths._repr_html_()
    found = excess_of(deaths)
    assert found.empty
    assert "<svg" not in excess_html(deaths, found).html
    assert label("excess_notebook.no_weeks", "vi").split("(")[0] in weeks_html(deaths).html


@pytest.mark.parametrize("wrong", [{"baseline": "2015-2019"}, {"start": "tháng 1"}])
def test_a_baseline_or_a_start_that_cannot_be_read_is_refused_in_words(wrong):
    with pytest.raises(InputError) as refused:
        monthly_deaths(bench_of_months("2020-01", [20.0] * 60), "VN", **wrong)
    assert refused.value.key == "error.excess_notebook.dates"


def test_excess_of_a_rate_is_refused():
    bench = bench_of_years([2023], [500])
    with pytest.raises(InputError) as refused:
        monthly_deaths(bench, "VN", measure="crude_death_rate")
    assert refused.value.key == "error.excess_notebook.count"


# ---- small areas and maps


def bench_of_communes(counts, persons, **options):
    units = [f"VN2025:{code}" for code in ("21115", "21124", "21127", "21154")][: len(counts)]
    rows = rates(counts, np.array(persons, dtype=float), commune=units, commune_name=units, year="2024")
    return Bench({("crude_death_rate", ("commune", "year")): rows}, **options)


def test_the_smoothed_rate_lies_between_the_raw_one_and_the_mean_and_moves_most_where_few_live():
    bench = bench_of_communes([30, 180, 2, 30], [5000, 20_000, 200, 14_000])
    areas = small_areas(bench, "crude_death_rate", HERE, level="commune", practice_country=False)
    found = smoothed(areas).set_index("unit_id")
    between = (found["rate"] - found["value"]) * (found["rate"] - found["prior_mean"])
    assert (between <= 1e-9).all()
    assert found["weight"].idxmin() == "VN2025:21127"  # 200 persons
    assert "4 xã" in areas._repr_html_()
    assert label("area_notebook.no_points", "vi", found=4, least=20) in points_html(areas, smoothed(areas)).html


@pytest.mark.parametrize(
    ("low", "high"), [(9900, 40_500), (3900, 60_000), (900, 350_000), (50, 13_000_000), (700, 700)]
)
def test_the_axis_of_persons_has_a_few_round_numbers(low, high):
    marks = log_marks(low, high)
    assert len(marks) <= 6
    assert all(0.8 * low <= one <= 1.25 * high and str(one).strip("0.") in "1235" for one in marks)
    assert len(marks) >= 2 or high / low < 2


def test_two_communes_are_not_smoothed():
    areas = small_areas(
        bench_of_communes([30, 90], [5000, 20_000]), "crude_death_rate", HERE, level="commune", practice_country="false"
    )
    assert smoothed(areas)["rate"].isna().all()
    assert "chỉ có 2 xã" in smoothed_html(areas, smoothed(areas)).html


@pytest.mark.parametrize("measure", ["deaths", "life"])
def test_what_is_no_count_over_persons_is_not_smoothed(measure):
    with pytest.raises(InputError) as refused:
        small_areas(Bench({}), measure, "VN", level="commune")
    assert refused.value.key == "error.area_notebook.rate"


def test_real_provinces_that_are_too_few_have_no_clusters_and_bym2_waits_to_be_asked():
    areas = small_areas(Bench({}), "crude_death_rate", "VN", level="province")
    assert not areas.country
    assert "<svg" not in moran_html(areas).html
    assert label("area_notebook.bym2_off", "vi") in bym2_html(areas, False).html


def test_the_planted_wave_of_the_practice_country_is_a_cluster_of_neighbours():
    areas = small_areas(Bench({}, practice=True), "crude_death_rate", "VN", level="province")
    assert areas.country
    shown = moran_html(areas)
    assert label("area_notebook.moran", "vi").split(":")[0] in shown.html
    assert (shown.rows["cluster"] == "high_high").sum() >= 3


def province_rates(years, counts):
    rows = [
        rates([count], province=unit, province_name=unit, year=str(year))
        for year, row in zip(years, counts, strict=True)
        for unit, count in zip(("VN2025:51", "VN2025:01", "VN2025:79"), row, strict=True)
    ]
    return {("crude_death_rate", ("province", "year")): pd.concat(rows, ignore_index=True)}


def test_three_provinces_and_two_years_fill_the_map_of_change_with_its_limits():
    figures = map_figures(Bench(province_rates([2023, 2024], [[400, 400, 400], [500, 300, 404]])), "crude_death_rate")
    assert not figures.country
    change = kind_html(figures, "change")
    table = change.rows.set_index("unit_id")
    assert table["value"].round(6).to_dict() == {"VN2025:51": 25.0, "VN2025:01": -25.0, "VN2025:79": 1.0}
    assert (table["lower"] > 0).to_dict() == {"VN2025:51": True, "VN2025:01": False, "VN2025:79": False}
    assert "Hoàng Sa" in change.html
    assert "Trường Sa" in change.html


def test_one_year_of_real_figures_has_no_map_of_change_and_the_page_says_why():
    figures = map_figures(Bench(province_rates([2024], [[400, 400, 400]])), "crude_death_rate")
    assert "chỉ có 1 năm" in figures._repr_html_()
    assert "<svg" not in kind_html(figures, "change").html
    assert "<svg" in kind_html(figures, "bivariate").html


def test_counts_are_not_coloured():
    with pytest.raises(InputError) as refused:
        map_figures(Bench({}), "deaths")
    assert refused.value.key == "error.map_notebook.rate"


def test_the_notebook_of_maps_draws_every_kind_that_there_is():
    source = (REPOSITORY / "notebooks" / "50_maps.ipynb").read_text("utf-8")
    assert set(MAP_KINDS) <= set(_MAPS)
    shown = {kind for kind in _MAPS if f'kind_html(figures, \\"{kind}\\")' in source}
    assert set(MAP_KINDS) - shown == {"choropleth"}  # the cells above draw it
    assert "rates.map()" in source
