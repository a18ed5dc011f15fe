"""Release table completeness_estimate and what notebook 41 shows of it: every method or its reason, nothing invented."""

import numpy as np
import pandas as pd
import pytest
from deaths_support import COMMUNE, PROVINCE, drawn_home, record, release_context

from mortality.completeness_cells import person_cells
from mortality.completeness_pictures import draw_age_ranges, draw_by_age, draw_methods, draw_places
from mortality.completeness_release import COLUMNS, METHODS, completeness_estimate, estimated, under_five_probability
from mortality.measures.completeness import age_range_estimates, generalised_growth_balance, growth_balance_points
from mortality.notebook_completeness_methods import (
    BROAD_AGES,
    _broad,
    estimates_of,
    example_counts,
    methods_html,
    places_html,
)
from mortality.release_tables import AGE_BANDS

LIMITS = {"spread": 0.15, "least_under_five": 10, "least_years": 5}
SEXES = ("male", "female")
KEYS = ["unit_id", "year", "sex"]


def cells_of(unit, year, *, book=0.8, civil=0.5, hospital=0.3, deaths=600):
    """Cells of `person_cells` as they are if three lists catch each death independently; a third of the deaths under 65."""
    on = np.array([[(place >> one) & 1 for one in range(3)] for place in range(8)])
    share = np.prod(np.where(on == 1, [book, civil, hospital], [1 - book, 1 - civil, 1 - hospital]), axis=1)
    rows = []
    for sex, factor in (("male", 0.55), ("female", 0.45), ("both", 1.0)):
        for age, part in (("0", 0.02), ("40-44", 0.31), ("85+", 0.67)):
            seen = np.round(deaths * factor * part * share)
            counts = {f"h{place}": int(seen[place]) for place in range(1, 8)}
            rows.append(
                {"unit_id": unit, "year": year, "sex": sex, "age_group": age, "deaths": int(seen[1::2].sum()), **counts}
            )
    return pd.DataFrame(rows)


def people_of(unit, year, *, persons=100_000, final=False):
    """A population by sex and every age group of the release, younger than old."""
    weight = np.linspace(2, 0.2, len(AGE_BANDS))
    share = weight / weight.sum() / 2
    parts = [
        pd.DataFrame({"sex": sex, "age_group": AGE_BANDS, "person_years": (persons * share).round()}) for sex in SEXES
    ]
    return pd.concat(parts, ignore_index=True).assign(unit_id=unit, year=year, final=final)


@pytest.fixture(scope="module")
def table():
    cells, people = cells_of(PROVINCE, 2024), people_of(PROVINCE, 2024)
    return estimated(cells, people, limits=LIMITS, months=pd.Series({2024: 12}))


def test_every_method_has_one_row_for_each_place_year_and_sex(table):
    assert list(table.columns) == COLUMNS
    assert not table.duplicated([*KEYS, "method_id"]).any()
    assert set(table["sex"]) == {"male", "female", "total"}
    assert (table.groupby(KEYS)["method_id"].apply(set) == set(METHODS)).all()


def test_lists_that_catch_deaths_independently_give_the_share_of_the_book(table):
    whole = table[table["sex"] == "total"].set_index("method_id")
    for method in ("capture_recapture_2", "capture_recapture_3", "combined"):
        assert whole.loc[method, "completeness"] == pytest.approx(0.8, abs=0.02)
        assert whole.loc[method, "lower"] < 0.8 < whole.loc[method, "upper"]
        assert whole.loc[method, "status"] == "ok"
    assert whole.loc["combined", "estimated"] == pytest.approx(600, abs=15)


def test_what_borrows_the_nations_level_is_modelled_and_does_not_move_a_measured_estimate(table):
    whole = table[table["sex"] == "total"].set_index("method_id")
    assert whole.loc[["expected_deaths", "adair_lopez_2"], "status"].tolist() == ["modelled", "modelled"]
    assert whole.loc["combined", "methods"] == 1
    assert whole.loc["combined", "spread"] > 1.02


def test_a_figure_or_a_reason_never_both_and_never_neither(table):
    known = table["completeness"].notna()
    assert (known == (table["reason"] == "")).all()
    assert (known == table["status"].isin(["ok", "modelled"])).all()
    assert (table.loc[known, ["lower", "upper"]].notna().all(axis=1)).all()
    distribution = table[table["method_id"].isin(["ggb", "seg", "ggb_seg"])]
    assert set(distribution["reason"]) == {"reason.completeness_two_counts"}


def test_one_list_alone_gives_no_estimate_by_lists_but_the_modelled_ones_remain():
    alone = cells_of(PROVINCE, 2024, civil=0.0, hospital=0.0)
    found = estimated(alone, people_of(PROVINCE, 2024), limits=LIMITS, months=pd.Series({2024: 12}))
    whole = found[found["sex"] == "total"].set_index("method_id")
    assert whole.loc["capture_recapture_3", "reason"] == "reason.completeness_empty_list"
    assert whole.loc["combined", "status"] == "modelled"


def test_a_year_that_has_not_ended_has_no_yearly_rate_but_lists_still_compare():
    found = estimated(cells_of(PROVINCE, 2025), people_of(PROVINCE, 2025), limits=LIMITS, months=pd.Series({2025: 6}))
    whole = found[found["sex"] == "total"].set_index("method_id")
    assert whole.loc["expected_deaths", "reason"] == "reason.completeness_part_of_year"
    assert whole.loc["adair_lopez_2", "reason"] == "reason.completeness_part_of_year"
    assert whole.loc["capture_recapture_3", "status"] == "ok"


def test_without_any_population_the_rates_say_so():
    none = pd.DataFrame(columns=[*KEYS, "age_group", "person_years", "final"])
    found = estimated(cells_of(PROVINCE, 2024), none, limits=LIMITS, months=pd.Series({2024: 12}))
    assert set(found[found["method_id"].isin(["expected_deaths", "adair_lopez_1", "adair_lopez_2"])]["status"]) == {
        "not_assessable"
    }


def test_two_final_counts_and_all_years_between_let_the_distribution_methods_speak():
    years = range(2018, 2025)
    people = pd.concat(
        [
            people_of(PROVINCE, year, persons=100_000 * 1.01 ** (year - 2018), final=year in (2018, 2024))
            for year in years
        ]
    )
    spread = pd.concat([
        pd.DataFrame({"unit_id": PROVINCE, "year": year, "sex": sex, "age_group": AGE_BANDS,
                      "deaths": np.linspace(2, 60, len(AGE_BANDS)).round().astype(int), **{f"h{n}": 0 for n in range(1, 8)}})
        for year in years for sex in (*SEXES, "both")
    ])  # fmt: skip
    found = estimated(spread, people, limits=LIMITS, months=pd.Series(12, index=list(years)))
    distribution = found[found["method_id"].isin(["ggb", "seg", "ggb_seg"])]
    assert not distribution.duplicated([*KEYS, "method_id"]).any()
    last = distribution[(distribution["year"] == 2024) & (distribution["sex"] != "total")]
    assert "reason.completeness_two_counts" not in set(last["reason"])
    assert set(distribution[distribution["year"] < 2024]["reason"]) == {"reason.completeness_two_counts"}


def test_under_five_mortality_is_a_probability_from_two_rates():
    # West, male, m0 = 0.02: a0 = 0.045 + 2.684·0.02; a1 = 1.651 − 2.816·0.02. 1q0 = m/(1 + (1 − a0) m), 4q1 = 4 m/(1 + (4 − a1) m).
    first, second = 0.02 / (1 + (1 - 0.09868) * 0.02), 4 * 0.001 / (1 + (4 - 1.59468) * 0.001)
    found = under_five_probability(np.array([[0.02, 0.001]]), np.array(["male"]))
    assert found[0] == pytest.approx(1 - (1 - first) * (1 - second), rel=1e-6)


def test_an_empty_home_has_an_empty_table_and_persons_are_counted_once_by_the_lists_that_hold_them(tmp_path):
    home = drawn_home(tmp_path / "home", [])
    with release_context(home) as context:
        found = completeness_estimate(context)
    assert found.empty
    assert list(found.columns) == [*COLUMNS, "scope"]
    records = [
        record("a1"), record("c1", "civil_registration"), record("k1", "certificate"),  # one person on all three
        record("a2", sex="female"), record("c3", "civil_registration", sex="female"),
        record("n4", "death_notice", sex="unknown"), record("a5", code="P95", age=0, age_unit="days"),  # a fetal death is none
    ]  # fmt: skip
    drawn_home(home, records, persons=["a1 c1 k1"])
    with release_context(home) as context:
        cells = person_cells(context)
        estimates = completeness_estimate(context)
    whole = (
        cells[(cells["unit_id"] == PROVINCE) & (cells["sex"] == "both")]
        .drop(columns=["unit_id", "sex", "age_group"])
        .sum()
    )
    assert whole[["deaths", "h1", "h2", "h4", "h7"]].tolist() == [2, 1, 1, 1, 1]
    assert "VN" not in set(cells["unit_id"])
    assert set(estimates[estimates["method_id"] == "combined"]["status"]) == {"not_assessable"}
    assert (estimates["scope"] == PROVINCE.replace(":", "-")).all()


# ------------------------------------------------------------------------------------------------ notebook 41


class Drawn:
    """A workbench over one table."""

    practice = True

    def __init__(self, rows):
        self.rows, self.release = rows, self

    def has(self, name):
        return name == "completeness_estimate" and self.rows is not None

    def query(self, sql, parameters=None):
        return self.rows if parameters is None else pd.DataFrame({"province": [PROVINCE]})

    def place(self, written):
        return written


def test_a_commune_is_shown_its_province_and_the_nation_all_provinces(table):
    bench = Drawn(pd.concat([table, table.assign(unit_id="VN2025:01"), table.assign(unit_id="VN2024:51")]))
    assert set(estimates_of(bench, COMMUNE)["unit_id"]) == {PROVINCE}
    assert set(estimates_of(bench, "VN")["unit_id"]) == {PROVINCE, "VN2025:01"}
    assert set(estimates_of(bench, "VN2024:51")["unit_id"]) == {"VN2024:51"}
    assert estimates_of(bench, "VN", "2023").empty


def test_notebook_shows_every_method_in_words_and_reasons_in_full(table):
    shown = methods_html(Drawn(table), COMMUNE, language="vi")._repr_html_()
    for text in (
        "Đối chiếu ba danh sách",
        "Adair–Lopez, mô hình 2",
        "KẾT HỢP",
        "không đánh giá được: cần hai tổng điều tra",
        "mô phỏng",
    ):
        assert text in shown
    assert "chưa có ước tính" in methods_html(Drawn(None), COMMUNE, language="vi")._repr_html_()
    assert "một tỉnh" in places_html(Drawn(table), "VN", language="vi")._repr_html_()


def test_pictures_are_the_same_for_the_same_rows_and_say_their_figure_in_words(table):
    whole = table[table["sex"] == "total"]
    picture = draw_methods(whole, "vi", place="Quảng Ngãi")
    assert picture == draw_methods(whole, "vi", place="Quảng Ngãi")
    assert "ước tính kết hợp 80 %" in picture
    two = pd.concat([whole, whole.assign(unit_id="VN2025:01", completeness=np.nan, lower=np.nan, upper=np.nan)])
    assert "<svg" in draw_places(two, {PROVINCE: "Quảng Ngãi"}, "en", year=2024)
    by_age = pd.DataFrame(
        {"age_group": ["0-4", "80+"], "completeness": [0.5, np.nan], "lower": [0.2, np.nan], "upper": [9.0, np.nan]}
    )
    assert "<svg" in draw_by_age(by_age, "vi", place="Quảng Ngãi", year=2024)


def test_example_of_the_age_ranges_is_invented_and_says_so():
    data = example_counts()
    line = generalised_growth_balance(data, by=[]).iloc[0]
    assert line["lower"] < 0.7 < line["completeness"] < 0.8 < line["upper"] + 0.01
    points, ranges = growth_balance_points(data, by=[]), age_range_estimates(data, by=[])
    assert "không phải số liệu thật" in draw_age_ranges(points, ranges, line, "vi", example=True)
    assert "không phải số liệu thật" not in draw_age_ranges(points, ranges, line, "vi", example=False)


def test_age_groups_of_the_release_fall_into_the_broad_ones():
    broad = dict(zip([*AGE_BANDS, "unknown"], _broad(pd.Series([*AGE_BANDS, "unknown"])), strict=True))
    assert (broad["0"], broad["1-4"], broad["5-9"], broad["75-79"], broad["85+"]) == (
        "0-4",
        "0-4",
        "5-14",
        "70-79",
        "80+",
    )
    assert pd.isna(broad.pop("unknown"))
    assert set(broad.values()) == set(BROAD_AGES)
