"""The notebooks of life tables, corrected causes and verification: what they show of drawn tables, and what they refuse to show."""

import re
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mortality.life_causes import (
    GROUPS,
    AgeCauses,
    broad_ages,
    cause_shares,
    contribution_rows,
    gains,
    group_of_code,
    split,
)
from mortality.measure_pictures import Dot, _ticks, contributions, interval_dots, shares, signed
from mortality.notebook_corrected_causes import index_rows, leading_rows_of, redistributed_html, years_late
from mortality.notebook_corrected_rates import components_html, corrected_html
from mortality.notebook_life_causes import difference_html, gain_html
from mortality.notebook_life_tables import closeout_html, expectancy_html, survival_html
from mortality.notebook_measures import one_unit, rows_of, years_of
from mortality.verification.page import case_html, cases_html, overview_html, verify, worst_first
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import label

HERE, OTHER = "VN2025:51", "VN2025:01"
AGES = ("0", "1-4", "5-14", "15-29", "30-44", "45-59", "60-69", "70-79", "80+")
FIRST = np.array([0, 1, 5, 15, 30, 45, 60, 70, 80], dtype=float)
PERSONS = np.array([900, 3600, 9000, 13000, 12000, 9000, 5000, 2500, 1200], dtype=float)
DEATHS = np.array([9, 4, 5, 15, 25, 50, 70, 90, 130], dtype=float)
CODES = ("I63", "C34", "J44", "A16", "V89", "R99")  # one of each group


def drawn_counts(year=2024, *, unit=HERE, times=1.0, sexes=("male", "female", "total")):
    """Deaths of each age in the same proportions by group: 30 % circulatory, 20 % cancer, 20, 10, 10, 10."""
    share = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    own = times * DEATHS[:, np.newaxis] * share
    by_sex = {"male": 0.6, "female": 0.4, "total": 1.0}
    deaths = np.stack([by_sex[sex] * own for sex in sexes])
    persons = np.stack([PERSONS * (1.0 if sex == "total" else 0.5) for sex in sexes])
    return AgeCauses(unit, year, tuple(sexes), AGES, FIRST, deaths, persons)


def life_table_rows(unit, year, *, times=1.0, open_deaths=None):
    from mortality.measures.life_table import life_tables_from_counts

    parts = []
    for sex, share in (("male", 0.6), ("female", 0.4), ("total", 1.0)):
        died, persons = times * share * DEATHS, PERSONS * (1.0 if sex == "total" else 0.5)
        died[-1] = died[-1] if open_deaths is None else open_deaths
        table = life_tables_from_counts(died, persons, AGES, sex).to_frame()
        kept = table[["mx", "ax", "qx", "lx", "ex", "status", "reason"]]
        parts.append(kept.assign(sex=sex, age_group=AGES, deaths=died, person_years=persons))
    return pd.concat(parts, ignore_index=True).assign(unit_id=unit, period_id=str(year), scope="s")


def cause_rows(unit, year):
    rows = [
        {
            "period_id": str(year),
            "province": unit,
            "sex": sex,
            "age_group": age,
            "cause_code": code,
            "deaths": 3 - number // 2,
        }
        for sex in ("male", "female")
        for age in AGES
        for number, code in enumerate(CODES)
    ]
    return pd.DataFrame(rows)


def bench(**tables):
    """A workbench over drawn tables: just what the notebooks ask of one."""
    con = duckdb.connect()
    for name, rows in tables.items():
        con.register(name, rows)
    release = SimpleNamespace(
        has=lambda name: name in tables,
        query=lambda sql, given=None: con.execute(sql, given or []).df(),
        practice=True,
        reads=SimpleNamespace(nation=True),
        manifest={"data_as_of": "2026-01-01"},
    )
    return SimpleNamespace(release=release, place=lambda written: written, place_name=lambda unit: f"<{unit}>")


@pytest.fixture(scope="module")
def two_years():
    """One province, two years; in 2025 a tenth fewer deaths at each age."""
    return bench(
        life_table=pd.concat([life_table_rows(HERE, 2024), life_table_rows(HERE, 2025, times=0.9)], ignore_index=True),
        province_death_cause=pd.concat([cause_rows(HERE, 2024), cause_rows(HERE, 2025)], ignore_index=True),
    )


# ------------------------------------------------------------------------------------------------ choice of rows


@pytest.mark.parametrize(
    ("period", "years"),
    [
        ("2024", (2024, 2024)),
        ("202406", (2024, 2024)),
        ("2023..2025", (2023, 2025)),
        ("", None),
        ("last_12_months", None),
    ],
)
def test_a_period_means_its_years(period, years):
    assert years_of(period) == years


def test_a_province_without_figures_is_never_shown_as_another_one():
    rows = pd.DataFrame({"unit_id": [HERE]})
    assert one_unit(rows, bench(), OTHER) == ""
    assert one_unit(rows, bench(), HERE) == HERE
    assert one_unit(rows, bench(), "VN") == HERE  # the only province there is
    assert one_unit(pd.DataFrame({"unit_id": [HERE, OTHER]}), bench(), "VN") == ""


def test_a_year_that_has_not_ended_is_shown_only_when_it_is_asked_for():
    both = bench(life_table=pd.concat([life_table_rows(HERE, 2025), life_table_rows(HERE, 2026)], ignore_index=True))
    assert set(rows_of(both, "life_table", HERE)["year"]) == {2025}  # data as of 2026-01-01
    assert set(rows_of(both, "life_table", HERE, "2026")["year"]) == {2026}
    causes = pd.concat([cause_rows(HERE, 2025), cause_rows(HERE, 2026)], ignore_index=True)
    asked = bench(life_table=life_table_rows(HERE, 2026), province_death_cause=causes)
    assert gain_html(asked, HERE, "2026").rows["value"].notna().all()


def test_a_release_without_life_tables_says_so_in_every_cell():
    for function in (expectancy_html, survival_html, closeout_html, difference_html, gain_html):
        assert label("life_notebook.nothing", "vi") in function(bench(), HERE)._repr_html_()


# ------------------------------------------------------------------------------------------------ life tables


def test_survivors_of_the_page_are_those_of_the_life_table(two_years):
    shown = survival_html(two_years, HERE, "2024")
    table = life_table_rows(HERE, 2024)
    at_60 = table[(table["age_group"] == "60-69") & (table["sex"] == "male")]["lx"].iloc[0]
    assert f"{at_60:,.0f}".replace(",", ".") in shown._repr_html_()


def test_each_way_of_closing_the_table_is_printed_with_the_largest_difference(two_years):
    rows = closeout_html(two_years, HERE, "2024").rows
    ways = rows[["inverse", "extrapolate", "kannisto"]]
    np.testing.assert_allclose(rows["difference"], ways.max(axis=1) - ways.min(axis=1))


# ------------------------------------------------------------------------------------------------ causes


def test_codes_fall_into_six_groups():
    codes = pd.Series(["I21", "C34", "E11", "A15", "V89", "R99", ""])
    assert group_of_code(codes).tolist() == [*GROUPS[:3], "communicable", "external", "unclear", "unclear"]


def test_deaths_of_an_age_without_any_coded_death_are_unclear():
    coded = pd.DataFrame({"sex": ["male"], "age_group": ["80+"], "group": ["cancer"], "deaths": [4.0]})
    share = cause_shares(coded, ("male",), AGES)
    assert share[0, -1].tolist() == [0, 1, 0, 0, 0, 0]
    assert share[0, 0].tolist() == [0, 0, 0, 0, 0, 1]


@given(times=st.floats(0.5, 2))
def test_parts_of_a_difference_add_up_to_it(times):
    first, second = drawn_counts(2024), drawn_counts(2025, times=times)
    found = split(first, second, draws=2)
    np.testing.assert_allclose(found.parts.sum(axis=(2, 3)), found.expectancy[1] - found.expectancy[0], atol=1e-9)


def test_what_changed_at_one_age_in_one_group_is_found_there_and_nowhere_else():
    first, second = drawn_counts(2024), drawn_counts(2025)
    second.deaths[:, AGES.index("45-59"), GROUPS.index("cancer")] *= 0.5
    parts = split(first, second, draws=1).parts[0].copy()
    assert (parts[:, AGES.index("45-59"), GROUPS.index("cancer")] > 0.1).all()
    parts[:, AGES.index("45-59"), GROUPS.index("cancer")] = 0
    np.testing.assert_allclose(parts, 0, atol=0.01)  # ax of the neighbouring ages follows the rates a little


def test_two_years_with_the_same_rates_differ_by_chance_only():
    rows = contribution_rows(split(drawn_counts(2024), drawn_counts(2025), draws=100))
    np.testing.assert_allclose(rows["value"], 0, atol=1e-9)
    assert (rows["lower"] < 0).all()
    assert (rows["upper"] > 0).all()


def test_fewer_deaths_at_each_age_are_said_to_add_years(two_years):
    shown = difference_html(two_years, HERE, "2025")
    total = shown.rows[(shown.rows["sex"] == "total") & (shown.rows["group"] == "all")].iloc[0]
    assert total["value"] > 0
    said = "chance" if total["lower"] <= 0 else "beyond_chance"
    assert label(f"life_notebook.{said}", "vi") in shown._repr_html_()
    assert label("life_notebook.completeness_unknown", "vi") in shown._repr_html_()


def test_one_year_alone_has_nothing_to_be_compared_with():
    alone = bench(life_table=life_table_rows(HERE, 2024), province_death_cause=cause_rows(HERE, 2024))
    expected = label("life_notebook.no_pair", "vi", place=f"<{HERE}>", year=2024)
    assert expected.replace("<", "&lt;").replace(">", "&gt;") in difference_html(alone, HERE)._repr_html_()


def test_an_open_age_group_without_deaths_gives_no_figure_but_the_reason():
    thin = bench(life_table=life_table_rows(HERE, 2024, open_deaths=0.0), province_death_cause=cause_rows(HERE, 2024))
    shown = gain_html(thin, HERE)
    assert shown.rows["value"].isna().all()
    assert label("reason.life_table_open_group_without_deaths", "vi") in shown._repr_html_()


def test_a_cause_of_which_nobody_dies_costs_nothing():
    counts = drawn_counts(sexes=("total",))
    counts.deaths[:, :, GROUPS.index("cancer")] = 0
    rows = gains(counts, draws=5).set_index("group")
    assert rows.loc["cancer", "value"] == pytest.approx(0, abs=1e-9)
    assert rows.loc["circulatory", "value"] > rows.loc["external", "value"] > 0


def test_sums_over_broad_ages_lose_nothing():
    values = np.arange(18.0).reshape(9, 2)
    names, sums = broad_ages(FIRST, values)
    assert names[:3] == ["0", "1–14", "15–29"]
    np.testing.assert_allclose(sums.sum(axis=0), values.sum(axis=0))


# ------------------------------------------------------------------------------------------------ corrected causes

REDISTRIBUTED = pd.DataFrame(
    {
        "unit_id": HERE, "period_id": "2024", "sex": "total", "cause": ["1-067", "1-069", "1-094"], "scope": "s",
        "deaths_registered": [30.0, 20.0, 50.0], "deaths_redistributed": [60.0, 40.0, 0.0], "lower": [50.0, 30.0, 0.0],
        "upper": [70.0, 50.0, 0.0], "moved_in": [30.0, 20.0, 0.0], "moved_out": [0.0, 0.0, 50.0], "left": 0.0, "reason": "",
    }
)  # fmt: skip


def test_redistribution_is_told_with_its_total_and_what_moved():
    said = redistributed_html(bench(cause_redistributed=REDISTRIBUTED), HERE)._repr_html_()
    fields = {"place": f"&lt;{HERE}&gt;", "year": 2024, "deaths": 30 + 20 + 50, "moved": 50, "share": 50, "left": 0}
    assert label("cause_notebook.moved", "vi", **fields) in said


def test_the_first_cause_as_coded_may_be_garbage_and_no_cause_afterwards():
    rows = REDISTRIBUTED.rename(columns={"deaths_registered": "before", "deaths_redistributed": "after"})
    found = leading_rows_of(rows).set_index(["stage", "cause"])["rank"]
    assert found["before", "1-094"] == 1
    assert found["after", "1-067"] == 1
    assert ("after", "1-094") not in found.index


def test_an_index_without_completeness_is_not_assessable():
    release = bench(cause_redistributed=REDISTRIBUTED, province_death_cause=cause_rows(HERE, 2024))
    rows = index_rows(release, HERE).set_index("dimension")
    assert np.isnan(rows.loc["index", "value"])
    assert rows.loc["garbage", "value"] < 1
    assert rows.loc["years_late", "input"] == pytest.approx(366 / 365.25)


def test_a_year_that_has_not_ended_is_not_late():
    assert years_late("2025-11-23", 2025) == 0


def corrected(**changed):
    row = {
        "unit_id": HERE, "period_id": "2024", "sex": "total", "indicator_id": "age_standardised_death_rate", "cause": "all",
        "registered": 400.0, "corrected": 500.0, "lower": 450.0, "upper": 560.0, "completeness": 0.8, "share_counts": 0.25,
        "share_completeness": 0.75, "share_redistribution": 0.0, "share_denominator": 0.0, "reason": "", "scope": "s",
    }  # fmt: skip
    return bench(corrected_rate=pd.DataFrame([row | changed]))


def test_a_corrected_rate_has_one_interval_and_says_what_it_is_made_of():
    assert re.search(r"500,0 \(450,0.–.560,0\)", corrected_html(corrected(), HERE)._repr_html_())
    said = components_html(corrected(), HERE)._repr_html_()
    assert "75 %" in said
    assert label("cause_notebook.remedy.completeness", "vi") in said


def test_a_rate_that_cannot_be_corrected_has_its_reason_and_no_components():
    gone = corrected(
        corrected=np.nan, lower=np.nan, upper=np.nan, share_counts=np.nan, reason="reason.completeness_missing"
    )
    assert label("reason.completeness_missing", "vi") in corrected_html(gone, HERE)._repr_html_()
    assert label("cause_notebook.no_components", "vi") in components_html(gone, HERE)._repr_html_()


# ------------------------------------------------------------------------------------------------ pictures


@given(low=st.floats(-1e4, 1e4), spread=st.floats(1e-3, 1e5))
def test_an_axis_has_few_round_marks_within_its_ends(low, spread):
    ticks = _ticks(low, low + spread)
    assert 1 <= len(ticks) <= 7
    assert min(ticks) >= low - 1e-6 * spread
    assert max(ticks) <= low + spread * (1 + 1e-6)


def test_pictures_say_in_words_what_they_show_and_take_figures_without_limits():
    dots = interval_dots(
        [("a & b", [Dot(5.0), Dot(6.0, 5.5, 7.0, hollow=True)])],
        key=("x", "y"),
        decimals=1,
        language="vi",
        caption="Hình",
    )
    parts = contributions(["0"], [[1.0, -2.0]], ["x", "y"], language="vi", caption="Hình", unit="năm")
    whole = shares([("a", [3.0, 1.0])], ["x", "y"], language="vi", caption="Hình")
    assert all('aria-label="Hình"' in one for one in (dots, parts, whole))
    assert "a &amp; b" in dots
    assert "−1,00" in parts
    assert "75 %" in whole


def test_numbers_carry_their_sign():
    assert [signed(one, 1, "vi") for one in (1.25, -0.5, -0.01)] == ["+1,2", "−0,5", "0,0"]


# ------------------------------------------------------------------------------------------------ verification


def compared(ours, theirs, tolerance):
    from mortality.verification import compare

    return compare([f"q{n}" for n in range(len(ours))], ours, theirs, tolerance=tolerance)


def test_without_the_collection_the_page_says_how_to_get_it_and_ends_well(tmp_path):
    found = verify(tmp_path, language="vi")
    assert "TKYT_REFERENCE" in overview_html(found).html
    assert cases_html(found).html == ""
    assert case_html(found).html == ""


def test_a_figure_that_differs_is_called_different_and_stands_first():
    table = compared([1.0, 2.5, 3.0], [1.0, 2.0, 3.05], 0.1)
    assert worst_first(table)["quantity"].tolist() == ["q1", "q2", "q0"]
    found = verify("/nowhere", topic="causes", language="vi", run=lambda name, *, folder: table)
    assert "error" in overview_html(found).html
    assert label("verify.differs", "vi") in cases_html(found).html
    assert label("verify.differs", "vi") in case_html(found).html


def test_figures_that_agree_are_all_counted():
    found = verify("/nowhere", topic="causes", language="vi", run=lambda name, *, folder: compared([1.0], [1.0], 0.1))
    count = str(len(found.cases))
    expected = label("verify.all_agree", "vi", cases=count, known=count, figures=count, passed=count)
    assert expected in overview_html(found).html
    assert label("verify.differs", "vi") not in cases_html(found).html


def test_a_case_whose_files_cannot_be_read_is_named_and_the_others_go_on():
    def run(name, *, folder):
        if name == "ddm_mozambique":
            raise KeyError("age")
        return compared([1.0], [1.0], 0.1)

    found = verify("/nowhere", topic="completeness", language="vi", run=run)
    assert label("verify.broken", "vi", problem="KeyError") in cases_html(found).html
    assert len(found.summary) == len(found.cases) - 1
    assert "error" in overview_html(found).html


def test_a_topic_or_case_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(UsageError, match="completeness"):
        verify("/nowhere", topic="nothing")
    found = verify("/nowhere", topic="causes", language="vi", run=lambda name, *, folder: compared([1.0], [1.0], 0.1))
    assert "csmf_accuracy_ccc" in case_html(found, "nothing").html
