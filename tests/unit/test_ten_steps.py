"""The ten steps on drawn deaths: figures with their arithmetic, verdicts by the limits of the catalog, and what thin places say."""

import datetime
from html import escape

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import table

from mortality.garbage.codes import broad_groups, garbage_types, symptoms, wrong_codes
from mortality.garbage.share import garbage_share
from mortality.release_tables import AGE_BANDS
from mortality.ten_steps.assess import assess_data
from mortality.ten_steps.data import AGES, LISTS, TenStepsData
from mortality.ten_steps.figures import figure
from mortality.ten_steps.limits import Limit, judge, limits_at, step_verdicts
from mortality.ten_steps.page import place_page, rows_of, verdicts_of
from mortality.ten_steps.panel import un_under_five
from mortality.ten_steps.summary import summary_section, verdict_matrix
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.labels import label

DAY = datetime.date(2026, 6, 1)
UN = read_codelist("practice_death_rates").astype({"year_from": int, "deaths_per_1000": float})
UN = UN[UN["year_from"] == 2025].rename(columns={"deaths_per_1000": "rate"})[["sex", "age_group", "rate"]]
PERSONS = 100_000  # in each young age group of either sex, so that every rate is well founded; fewer of the old:
OLDER = {"child": 0.6, "young": 1.0, "old": 0.4}
FULL, HALF, THIN, EMPTY, BARE = "VN2025:01", "VN2025:04", "VN2025:08", "VN2025:11", "VN2025:12"
NAMES = {FULL: "Đủ", HALF: "Thiếu trẻ em", THIN: "Ít ca", EMPTY: "Không ca", BARE: "Không dân số"}
# (code, share of the deaths) below 5, at 5–34 and from 35 on; R54 is old age, which says little
CAUSES = {
    "child": (("P07.3", 0.6), ("J15", 0.2), ("Q21", 0.2)),
    "young": (("V23", 0.5), ("C91", 0.4), ("A15", 0.1)),
    "old": (("I21", 0.4), ("C34", 0.34), ("J44", 0.1), ("A15", 0.1), ("R54", 0.06)),
}


def period_of_life(age):
    first = int(age.split("-")[0].rstrip("+"))
    return "child" if first < 5 else "young" if first < 35 else "old"


def un_deaths(place, year=2025, children=1.0):
    """Deaths exactly as the United Nations' rates make them of PERSONS in each age and sex; below five times `children`."""
    rows = [
        (
            place,
            year,
            row.sex,
            row.age_group,
            code,
            row.rate / 1000 * OLDER[period] * PERSONS * share * (children if period == "child" else 1),
        )
        for row in UN.itertuples()
        for period in [period_of_life(row.age_group)]
        for code, share in CAUSES[period]
    ]
    return pd.DataFrame(rows, columns=["place", "year", "sex", "age_group", "code", "deaths"])


def persons_of(place, year=2025, scale=1.0):
    sizes = {age: scale * PERSONS * OLDER[period_of_life(age)] for age in AGE_BANDS}
    rows = [(place, year, sex, age, size, False) for sex in ("male", "female") for age, size in sizes.items()]
    return pd.DataFrame(rows, columns=["place", "year", "sex", "age_group", "persons", "modelled"])


def deaths_table(text):
    return table(text).astype({"deaths": float, "code": "str"})


THREE = deaths_table(f"""
    place  | year | sex     | age_group | code | deaths
    {THIN} | 2025 | male    | 70-74     | I21  | 1
    {THIN} | 2025 | female  | unknown   | R54  | 1
    {THIN} | 2025 | unknown | 85+       |      | 1
""").replace("nan", "")  # fmt: skip


def data_of(deaths, persons, names, lists=None, ages=None, last_year=2025):
    return TenStepsData(
        names,
        pd.concat(deaths, ignore_index=True),
        pd.concat(persons, ignore_index=True),
        pd.DataFrame(columns=LISTS) if lists is None else lists,
        pd.DataFrame(columns=AGES) if ages is None else ages,
        last_year,
    )


@pytest.fixture(scope="module")
def found():
    lists = table(f"""
        place  | year | a6  | persons | estimate | lower | upper | status
        {FULL} | 2025 | 900 | 950     | 960      | 940   | 1000  | ok
    """).assign(reason="")
    deaths = [un_deaths(FULL), un_deaths(FULL, 2024), un_deaths(HALF, children=0.5), THREE, THREE.assign(place=BARE)]
    persons = [persons_of(FULL), persons_of(FULL, 2024), persons_of(HALF), persons_of(THIN, scale=0.0005)]
    return assess_data(data_of(deaths, persons, NAMES, lists), DAY)


def figure_of(found, place, name, year=2025):
    rows = found.figures[
        (found.figures["place"] == place) & (found.figures["figure"] == name) & (found.figures["year"] == year)
    ]
    return rows.iloc[0]


def test_deaths_as_the_united_nations_expect_them_are_complete_in_every_age(found):
    for name in ("completeness_expected", "under_five_expected"):
        assert figure_of(found, FULL, name)["value"] == pytest.approx(1)
        assert figure_of(found, FULL, name)["verdict"] == "good"
    assert figure_of(found, FULL, "age_dissimilarity")["value"] < 0.01


def test_a_place_that_misses_half_of_its_children_is_asked_to_look_at_them(found):
    row = figure_of(found, HALF, "under_five_expected")
    assert row["value"] == pytest.approx(0.5)
    assert row["lower"] < 0.5 < row["upper"]
    assert verdicts_of(found, HALF, 2025)[5] == "review"


def test_completeness_by_lists_is_the_book_over_the_estimate_and_its_limits_those_of_the_estimate_turned_over(found):
    row = figure_of(found, FULL, "completeness_lists")
    assert (row["value"], row["lower"], row["upper"]) == pytest.approx((900 / 960, 900 / 1000, 900 / 940))
    assert figure_of(found, HALF, "completeness_lists")["reason"] == "no_lists"


def test_completeness_by_adair_and_lopez_takes_the_registered_rate_and_5q0_as_a_probability(found):
    from mortality.measures.completeness import adair_lopez

    row = figure_of(found, FULL, "completeness_adair_lopez")
    rate = figure_of(found, FULL, "crude_death_rate")["value"]
    q5 = un_under_five(np.array([2025]))
    both = UN.groupby("age_group")["rate"].mean() / 1000
    assert q5[0] == pytest.approx(1 - np.exp(-(both["0"] + 4 * both["1-4"])))
    people = persons_of(FULL).groupby("age_group")["persons"].sum()
    share = people[["65-69", "70-74", "75-79", "80-84", "85+"]].sum() / people.sum()
    theirs = adair_lopez(crude_death_rate=[rate], share_65_over=[share], under5_mortality=q5, year=[2025], model=2)
    assert row["value"] == pytest.approx(theirs["completeness"].iloc[0])


def test_men_who_die_twice_as_often_at_every_age_have_a_ratio_of_two():
    women = un_deaths(FULL).query("sex == 'female'")
    deaths = pd.concat([women, women.assign(sex="male", deaths=2 * women["deaths"])])
    found = assess_data(data_of([deaths], [persons_of(FULL)], {FULL: "A"}), DAY)
    assert figure_of(found, FULL, "sex_ratio_15_59")["value"] == pytest.approx(2)


def test_a_rate_that_grows_by_nine_per_cent_a_year_of_age_is_found_again():
    ages = [age for age in AGE_BANDS if age.endswith("+") or int(age.split("-")[0]) >= 35]
    rows = [(FULL, 2025, "male", age, "I21", 0.1 * 1.09 ** int(age.split("-")[0].rstrip("+"))) for age in ages]
    deaths = pd.DataFrame(rows, columns=["place", "year", "sex", "age_group", "code", "deaths"])
    found = assess_data(data_of([deaths], [persons_of(FULL)], {FULL: "A"}), DAY)
    assert figure_of(found, FULL, "rise_with_age")["value"] == pytest.approx(9)


def test_missing_deaths_make_life_look_longer(found):
    fewer = un_deaths(FULL).assign(deaths=lambda rows: rows["deaths"] * 0.6)
    missing = assess_data(data_of([fewer], [persons_of(FULL)], {FULL: "A"}), DAY)
    gap = figure_of(missing, FULL, "life_expectancy")["value"] - figure_of(found, FULL, "life_expectancy")["value"]
    assert gap > 4
    assert figure_of(missing, FULL, "completeness_expected")["value"] == pytest.approx(0.6)


def test_shares_count_unknown_ages_and_missing_codes_over_all_deaths(found):
    assert figure_of(found, THIN, "unknown_age_or_sex")["value"] == pytest.approx(2 / 3)
    assert figure_of(found, THIN, "without_code")["value"] == pytest.approx(1 / 3)
    assert figure_of(found, THIN, "garbage_share")["value"] == pytest.approx(1 / 2)  # old age, of two with a code


def test_three_deaths_are_too_few_for_any_verdict_and_the_figures_are_still_shown(found):
    verdicts = verdicts_of(found, THIN, 2025)
    assert set(verdicts.values()) == {"not_assessable"}
    page = place_page(found, THIN, 2025, "vi")
    assert label("ten_steps.few", "vi", deaths=3) in page
    assert label("ten_steps.reason.too_few", "vi") in page


def test_deaths_without_population_have_shares_and_no_rates(found):
    rows = rows_of(found, BARE, 2025).set_index("figure")
    rates = [
        "crude_death_rate",
        "completeness_expected",
        "life_expectancy",
        "under_five_expected",
        "completeness_adair_lopez",
    ]
    assert set(rows.loc[rates, "reason"]) == {"no_population"}
    assert rows.loc["without_code", "status"] == "ok"


def test_every_figure_has_an_interval_or_a_reason_and_never_a_silent_gap(found):
    ok = found.figures["status"] == "ok"
    assert (found.figures.loc[~ok, "reason"] != "").all()
    assert found.figures.loc[ok, "value"].notna().all()
    without = set(found.figures[ok & found.figures["lower"].isna()]["figure"])
    assert without <= {"group_ages_distance", "ncd_cd_ratio"}
    inside = found.figures[ok & found.figures["lower"].notna() & found.figures["upper"].notna()]
    assert (inside["lower"] <= inside["value"] + 1e-9).all()
    assert (inside["value"] <= inside["upper"] + 1e-9).all()


def test_a_place_says_the_same_alone_and_among_others(found):
    alone = assess_data(data_of([un_deaths(HALF, children=0.5)], [persons_of(HALF)], {HALF: "A"}), DAY)
    columns = ["figure", "value", "lower", "upper", "verdict"]
    one, other = (rows_of(each, HALF, 2025)[columns].reset_index(drop=True) for each in (alone, found))
    pd.testing.assert_frame_equal(one, other)


def test_a_value_that_is_missing_without_a_reason_gets_one(found):
    rows = figure(found.panel, 1, "any", value=np.nan, method="x")
    assert set(rows["status"]) == {"not_assessable"}
    assert set(rows["reason"]) == {"no_value"}


def test_broad_shares_add_up_to_one(found):
    shares = [
        figure_of(found, FULL, f"{group}_share")["value"] for group in ("communicable", "noncommunicable", "external")
    ]
    assert sum(shares) == pytest.approx(1)


def test_leading_causes_are_ranked_by_deaths_and_carry_their_useless_part(found):
    rows = found.leading[found.leading["series"] == found.series_of(FULL, 2025)]
    assert rows["deaths"].is_monotonic_decreasing
    assert (rows["rank_lower"] <= rows["rank"]).all()
    old_age = 0.06 * UN[UN["age_group"].map(period_of_life) == "old"]["rate"].sum() / 1000 * OLDER["old"] * PERSONS
    assert rows["garbage"].sum() == pytest.approx(old_age)


# ---------------------------------------------------------------------------------------------- codes

CODES = table("""
    code  | category | severity  | group           | what
    R54   | 1        | very_high | ill_defined     | old age
    R99   | 1        | very_high | ill_defined     | unknown
    S06   | 2        | very_high | unknown         | an injury, not its cause
    I69.4 | 2        | low       | noncommunicable | sequelae of stroke
    A41.9 | 3        | very_high | communicable    | septicaemia
    I50   | 3        | very_high | noncommunicable | heart failure
    I46   | 4        | very_high | noncommunicable | cardiac arrest
    J96   | 4        | very_high | noncommunicable | respiratory failure
    C80   | 5        | medium    | noncommunicable | cancer of unknown site
    Y34   | 5        | high      | external        | event of undetermined intent
    I64   | 5        | low       | noncommunicable | stroke, not specified
    E14   | 5        | low       | noncommunicable | diabetes, not specified
    I21   |          |           | noncommunicable | heart attack
    V23   |          |           | external        | motorcycle rider
""")  # fmt: skip


@pytest.mark.parametrize("row", CODES.to_dict("records"), ids=lambda row: row["what"])
def test_a_code_has_a_type_and_a_gravity(row):
    types = garbage_types(pd.Series([row["code"]])).iloc[0]
    category = "" if pd.isna(row["category"]) else f"{row['category']:g}"
    assert (types["category"], types["severity"]) == (category, row["severity"])
    assert row["group"] == "unknown" or broad_groups(pd.Series([row["code"]])).iloc[0] == row["group"]


def test_garbage_here_is_the_garbage_of_the_list_in_use():
    codes = pd.DataFrame({"underlying_cause": [*CODES["code"], "", "I10", "X59", "J18.9", "T14"]})
    types = garbage_types(codes["underlying_cause"])
    listed = garbage_share(codes).set_index("category")["deaths"]
    assert types["garbage"].sum() == listed["all_unusable"] - listed["no_code"]
    assert types["no_code"].sum() == listed["no_code"]


def test_a_cause_of_the_other_sex_is_impossible_and_of_an_unknown_sex_is_not():
    codes, sexes = pd.Series(["C53", "C53", "C61", "C53"]), pd.Series(["male", "female", "female", "unknown"])
    assert list(wrong_codes(codes, sexes)) == [True, False, True, False]


def test_sudden_infant_death_is_no_symptom():
    assert list(symptoms(pd.Series(["R95", "R54", "R96", ""]))) == [False, True, True, False]


# ------------------------------------------------------------------------------------------- verdicts

LIMITS = {
    "most": Limit("most", None, 0.1, 50, "", True),
    "least": Limit("least", 0.9, None, 0, "", True),
    "both": Limit("both", 5, 10, 0, "", True),
}
JUDGED = table("""
    figure | value | lower | upper | base | status         | verdict        | sure  | why
    most   | 0.05  | 0.02  | 0.08  | 100  | ok             | good           | True  | inside with its whole interval
    most   | 0.05  | 0.02  | 0.15  | 100  | ok             | good           | False | inside, and the interval reaches out
    most   | 0.2   | 0.05  | 0.4   | 100  | ok             | review         | False | outside, and the interval reaches in
    most   | 0.2   | 0.15  | 0.4   | 100  | ok             | review         | True  | outside with its whole interval
    most   | 0.2   | 0.15  | 0.4   | 49   | ok             | not_assessable | False | on too small a base
    least  | 0.9   | 0.9   | 0.95  | 100  | ok             | good           | True  | on the limit
    both   | 7     | 2     | 30    | 100  | ok             | not_assessable | False | an interval over both limits
    both   | 12    | 11    | 13    | 100  | ok             | review         | True  | above
    both   | 7     | 6     | 8     | 100  | not_assessable | not_assessable | False | no figure
    other  | 7     | 6     | 8     | 100  | ok             |                | False | no limit
""")  # fmt: skip


@pytest.mark.parametrize("row", JUDGED.to_dict("records"), ids=lambda row: row["why"])
def test_a_verdict_says_on_which_side_a_figure_lies_and_whether_that_is_sure(row):
    figures = pd.DataFrame([{**row, "reason": "", "place": "A", "year": 2025, "step": 1}]).drop(
        columns=["verdict", "sure"]
    )
    judged = judge(figures, LIMITS).iloc[0]
    assert judged["verdict"] == row["verdict"]
    assert bool(judged["sure"]) == (str(row["sure"]) == "True")


@given(st.lists(st.sampled_from(["good", "review", "not_assessable", ""]), min_size=1))
def test_a_step_needs_a_look_if_any_figure_does_and_is_good_only_where_one_could_be_judged(verdicts):
    rows = pd.DataFrame({"place": "A", "year": 2025, "step": 1, "verdict": [*verdicts, "not_assessable"]})
    expected = "review" if "review" in verdicts else "good" if "good" in verdicts else "not_assessable"
    assert step_verdicts(rows)["verdict"].tolist() == [expected]


def test_every_limit_of_the_catalog_judges_a_figure_and_names_its_source_or_that_it_is_our_own(found):
    limits = limits_at(DAY)
    assert set(limits) <= set(found.figures["figure"])
    assert all(one.source or one.unverified for one in limits.values())
    assert set(found.figures["figure"]) - set(limits) == {"under_five_risk", "leading_share"}


def test_a_year_that_has_not_ended_is_not_judged():
    data = data_of([un_deaths(FULL), un_deaths(FULL, 2026)], [persons_of(FULL), persons_of(FULL, 2026)], {FULL: "A"})
    assert assess_data(data, DAY).data.years == [2025]


# ---------------------------------------------------------------------------------------------- pages


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_has_ten_steps_each_with_its_verdict_in_words_and_the_sources_of_the_limits(found, language):
    page = place_page(found, FULL, 0, language)
    for step, verdict in verdicts_of(found, FULL, 2025).items():
        assert label(f"ten_steps.title.{step}", language) in page
        assert f"{label(f'ten_steps.verdict.{verdict}', language)}</span>" in page
        assert escape(label(f"ten_steps.read.{step}", language)) in page
    assert "Mathers" in page
    assert ">2024<" in page  # the years side by side


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_place_without_deaths_says_that_this_does_not_mean_that_nobody_died(found, language):
    page = place_page(found, EMPTY, 0, language)
    assert label("ten_steps.nothing", language, place=NAMES[EMPTY], year=2025) in page
    assert set(verdicts_of(found, EMPTY, 2025).values()) == {"not_assessable"}
    assert "nan" not in page.lower()


def test_a_year_that_the_release_does_not_have_is_answered_with_those_that_it_has(found):
    assert label("ten_steps.no_such_year", "vi", year=2030, known="2024, 2025") in place_page(found, FULL, 2030, "vi")


def test_a_release_without_any_death_or_person_still_has_a_page():
    nothing = data_of([THREE.head(0)], [persons_of(FULL).head(0)], {FULL: "A"})
    found = assess_data(nothing, DAY)
    assert label("ten_steps.no_year", "vi") in place_page(found, FULL, 0, "vi")
    assert label("ten_steps.summary.none", "vi") in summary_section(found, [FULL], 0, "vi")


def test_no_page_shows_a_number_that_is_none(found):
    for place in NAMES:
        assert "nan" not in place_page(found, place, 2025, "vi").lower().replace("thanh", "")


def test_the_table_of_provinces_puts_first_who_has_most_to_look_at_and_names_who_has_no_deaths(found):
    matrix = verdict_matrix(found, list(NAMES), 2025)
    looks = matrix.drop(columns=["place", "deaths"]).eq("review").sum(axis=1)
    assert looks.is_monotonic_decreasing
    assert EMPTY not in set(matrix["place"])
    page = summary_section(found, list(NAMES), 2025, "vi")
    assert label("ten_steps.summary.without", "vi", count=1, places=NAMES[EMPTY]) in page
    assert page.count("<td class=") == len(matrix) * 11  # the deaths and ten verdicts of each
