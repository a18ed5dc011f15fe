"""Corrected figures stand beside registered ones: sums kept, the truth of a known completeness, the same every time."""

import pandas as pd
import pytest

from mortality import corrected_release as corrected
from mortality.measures.measures_home import side_by_side

BANDS = ["0", "1-4", *[f"{low}-{low + 4}" for low in range(5, 85, 5)], "85+"]
STARTS = [int(band.rstrip("+").split("-")[0]) for band in BANDS]
PROVINCE = "VN2025:51"


def book(*extra):
    """Two deaths of each sex and age: one of lung cancer or stroke, one of senility (garbage)."""
    rows = [
        (sex, age, code)
        for sex in ("male", "female")
        for age in STARTS
        for code in ("C34.9" if age < 60 else "I64", "R54")
    ]
    frame = pd.DataFrame([*rows, *extra], columns=["sex", "age_years", "released_cause"])
    return frame.assign(unit_id=PROVINCE, year=2024, age_years=frame["age_years"].astype(float))


def people():
    rows = [(PROVINCE, 2024, sex, band, 500.0) for sex in ("male", "female") for band in BANDS]
    return pd.DataFrame(rows, columns=["unit_id", "year", "sex", "age_group", "persons"])


def complete(value, lower, upper):
    row = {"unit_id": PROVINCE, "year": 2024, "sex": "total", "completeness": value, "lower": lower, "upper": upper}
    return pd.DataFrame([row])


def figures(deaths, completeness):
    rows = corrected.corrected_figures(deaths, people(), completeness, draws=60)
    return rows[rows["sex"] == "total"].set_index(["indicator_id", "cause"])


@pytest.fixture(scope="module")
def found():
    return figures(book(), complete(0.8, 0.7, 0.88))


def test_a_corrected_rate_is_the_registered_one_over_the_completeness(found):
    rate = found.loc[("crude_death_rate", "all")]
    assert rate["registered"] == pytest.approx(1000 * len(book()) / (2 * len(BANDS) * 500))
    assert rate["corrected"] == pytest.approx(rate["registered"] / 0.8)
    assert rate["lower"] < rate["corrected"] < rate["upper"]
    assert rate["status"] == "modelled"


def test_life_is_shorter_once_missed_deaths_count(found):
    life = found.loc[("life_expectancy_at_birth", "all")]
    assert life["corrected"] < life["registered"]


def test_30q70_gains_from_garbage_codes_too(found):
    premature = found.loc[("premature_ncd_mortality", "all")]
    assert premature["corrected"] > premature["registered"] / 0.8  # more than completeness alone would give


def test_the_shares_of_variance_add_up_to_one(found):
    shares = [f"share_{name}" for name in ("counts", "completeness", "redistribution", "denominator")]
    assert found.loc[("age_standardised_death_rate", "3.4.1-CVD"), shares].sum() == pytest.approx(1)


def test_without_a_completeness_nothing_is_corrected_and_the_reason_stands_there():
    none = complete(float("nan"), float("nan"), float("nan"))
    rate = figures(book(), none).loc[("crude_death_rate", "all")]
    assert rate["status"] == "not_assessable"
    assert rate["reason"] != ""
    assert pd.isna(rate["corrected"])


def test_more_registered_than_expected_counts_as_complete():
    rate = figures(book(), complete(1.05, 0.95, 1.2)).loc[("crude_death_rate", "all")]
    assert rate["corrected"] == pytest.approx(rate["registered"])


def test_deaths_of_unknown_sex_or_age_are_shared_out_and_the_sum_is_kept():
    deaths = book(("unknown", 40, "I64"), ("male", float("nan"), "I64"))
    assert corrected.known_counts(deaths, BANDS)["deaths"].sum() == pytest.approx(len(deaths))


def redistributed(deaths):
    return corrected.redistributed_causes(deaths.assign(age_group="70-74"), draws=20)


def test_redistribution_keeps_the_deaths_of_every_sex_and_total_is_their_sum():
    rows = redistributed(book())
    sums = rows.groupby("sex")[["deaths_registered", "deaths_redistributed"]].sum()
    assert sums["deaths_redistributed"].to_dict() == pytest.approx(sums["deaths_registered"].to_dict())
    assert sums.loc["total", "deaths_registered"] == len(book())
    inside = rows["deaths_redistributed"].between(rows["lower"] - 1e-6, rows["upper"] + 1e-6)
    assert inside.mean() > 0.9


def test_the_nation_stands_beside_several_provinces_and_is_their_sum():
    two = pd.concat([book(), book().assign(unit_id="VN2025:01")])
    rows = redistributed(two)
    assert set(rows["unit_id"]) == {PROVINCE, "VN2025:01", "VN"}
    total = rows[rows["sex"] == "total"].groupby(rows["unit_id"] == "VN")["deaths_redistributed"].sum()
    assert total[True] == pytest.approx(total[False])


def test_the_same_deaths_give_the_same_tables_whatever_their_order():
    shuffled = book().sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(redistributed(book()), redistributed(shuffled))
    first, second = (figures(one, complete(0.8, 0.7, 0.88)) for one in (book(), shuffled))
    pd.testing.assert_frame_equal(first, second)


def test_a_withheld_cause_never_comes_back_by_redistribution():
    rows = redistributed(book(("male", 40, ""), ("male", 41, "")))  # HIV arrives here as a death without a code
    from mortality.tabulation.cause_lists import load_cause_list

    hiv = load_cause_list("who_mortality_list_1").item_of(pd.Series(["B20", "B24"], dtype="str")).iloc[0]
    assert hiv not in set(rows["cause"])


def published(*rows):
    columns = ["unit_id", "year", "sex", "indicator_id", "value", "lower", "upper", "status", "reason", "figure_id"]
    return pd.DataFrame([(PROVINCE, 2024, "total", *row) for row in rows], columns=columns)


def test_registered_and_corrected_stand_in_one_row_and_an_estimate_is_not_called_registered():
    rows = side_by_side(
        published(
            ("crude_death_rate", 5.0, 4.5, 5.5, "ok", "", "a"),
            ("corrected_crude_death_rate", 6.2, 5.4, 7.1, "modelled", "", "b"),
            ("death_registration_completeness", 81.0, 76.0, 87.0, "ok", "", "c"),
        )
    ).set_index("indicator_id")
    assert rows.loc["crude_death_rate", ["registered", "corrected"]].tolist() == [5.0, 6.2]
    assert rows.loc["crude_death_rate", "corrected_figure_id"] == "b"
    assert pd.isna(rows.loc["death_registration_completeness", "registered"])
    assert rows.loc["death_registration_completeness", "corrected"] == 81.0
    assert "corrected_crude_death_rate" not in rows.index


def test_a_place_of_which_no_completeness_is_known_at_all_is_not_corrected():
    rate = figures(book(), complete(0.8, 0.7, 0.88).iloc[:0]).loc[("crude_death_rate", "all")]
    assert (rate["status"], pd.isna(rate["corrected"])) == ("not_assessable", True)


def test_deaths_without_sex_or_age_alone_correct_nothing():
    nameless = book().iloc[:2].assign(sex="unknown")
    assert corrected.corrected_figures(nameless, people(), complete(0.8, 0.7, 0.88), draws=20).empty


def test_a_population_that_ends_before_the_oldest_age_allows_crude_rates_only():
    rows = corrected.corrected_figures(book(), people().query("age_group != '85+'"), complete(0.8, 0.7, 0.88), draws=20)
    assert set(rows["indicator_id"]) == {"crude_death_rate"}
    assert rows["corrected"].notna().all()


def test_where_lists_miss_infants_more_often_life_is_shorter_and_the_method_says_so():
    place = {"unit_id": PROVINCE, "year": 2024}
    half = {"deaths": 200, **{f"h{history}": 50 for history in range(1, 8)}}  # every list catches half: 50 on none
    pairs, single = ["h3", "h5", "h6"], ["h1", "h2", "h4"]
    most = {"deaths": 80_000, "h7": 51_200, **dict.fromkeys(pairs, 12_800), **dict.fromkeys(single, 3_200)}
    cells = pd.DataFrame(
        [{**place, "age_group": age, **row} for age, row in (("0", half), ("40-44", most), ("65-69", most))]
    )
    rows = {
        name: corrected.corrected_figures(book(), people(), complete(0.75, 0.7, 0.8), cells=lists, draws=60)
        for name, lists in (("one", None), ("by age", cells))
    }
    rows = {name: one[one["sex"] == "total"].set_index("indicator_id") for name, one in rows.items()}
    life = {name: one.loc["life_expectancy_at_birth", "corrected"] for name, one in rows.items()}
    assert life["by age"] < life["one"]
    methods = [rows[name].loc["life_expectancy_at_birth", "method"] for name in ("one", "by age")]
    assert methods[0].endswith("one completeness for all ages")
    assert methods[1].endswith("completeness by age from lists (0, 1-59, 60-79)")
