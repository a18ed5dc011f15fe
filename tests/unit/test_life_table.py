"""Life tables: identities, ax and a0 by name, closeouts, thin and broken input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.measures.life_table import (
    abridged_life_table,
    closeout_difference,
    life_tables,
    life_tables_from_counts,
    life_tables_from_probabilities,
    life_tables_from_survivors,
    probability_of_dying,
    regroup_ages,
    smooth_old_ages,
)
from mortality.measures.life_table_ax import AX_METHODS
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import label

AGE = [0, 1, *range(5, 90, 5)]
MALES = np.array([0.02, 0.0015, *(3e-4 + 5e-5 * np.exp(0.09 * np.arange(7.5, 90, 5)))])
LABELS = ["0", "1-4", *(f"{low}-{low + 4}" for low in range(5, 85, 5)), "85+"]

rate = st.one_of(st.just(0.0), st.floats(1e-6, 3.0))
schedules = st.lists(rate, min_size=len(AGE) - 1, max_size=len(AGE) - 1)
sexes = st.sampled_from(["male", "female", "total"])


# ---- identities


@settings(deadline=None, max_examples=60)
@given(schedules, st.floats(0.01, 3.0), sexes, st.sampled_from(sorted(AX_METHODS)))
def test_a_life_table_holds_its_identities_whatever_the_rates(closed, last, sex, ax):
    table = life_tables([*closed, last], AGE, sex, ax=ax)
    l, d, L, T, e, q = (getattr(table, name)[0] for name in ("lx", "dx", "Lx", "Tx", "ex", "qx"))
    assert l[0] == 100_000
    assert d.sum() == pytest.approx(l[0])
    assert ((q >= 0) & (q <= 1)).all()
    assert (np.diff(l) <= 1e-9).all()
    assert (np.diff(T) <= 1e-6).all()
    assert (L >= 0).all()
    assert e[0] == pytest.approx(L.sum() / l[0])
    alive = l > 1e-6
    np.testing.assert_allclose(e[alive], T[alive] / l[alive], rtol=1e-9)
    np.testing.assert_allclose((table.mx[0] * L)[alive], d[alive], rtol=1e-9, atol=1e-9)  # m = d / L
    assert (table.status == "ok").all()


@settings(deadline=None, max_examples=30)
@given(st.floats(0.001, 1e6), sexes)
def test_only_the_rates_count_not_the_size_of_the_population(scale, sex):
    persons = np.full(len(AGE), 10_000.0)
    one = life_tables_from_counts(MALES * persons, persons, AGE, sex)
    many = life_tables_from_counts(MALES * persons * scale, persons * scale, AGE, sex)
    np.testing.assert_allclose(many.ex, one.ex, rtol=1e-12)


def test_the_radix_scales_survivors_and_years_lived_only():
    one, thousand = life_tables(MALES, AGE, "male", radix=1), life_tables(MALES, AGE, "male", radix=1_000)
    np.testing.assert_allclose(thousand.lx, 1_000 * one.lx)
    np.testing.assert_allclose(thousand.Tx, 1_000 * one.Tx)
    np.testing.assert_array_equal(thousand.ex, one.ex)


def test_higher_mortality_at_any_age_never_lengthens_life():
    longest = life_tables(MALES, AGE, "male", ax="midpoint").ex[0, 0]
    worse = MALES + np.diag(np.full(len(AGE), 0.01))  # one age at a time
    assert (life_tables(worse, AGE, "male", ax="midpoint").ex[:, 0] < longest).all()


def test_many_series_in_one_call_equal_one_call_each():
    rates = np.vstack([MALES, 1.5 * MALES, 0.5 * MALES])
    together = life_tables(rates, AGE, ["male", "female", "total"])
    for row, sex in enumerate(["male", "female", "total"]):
        np.testing.assert_allclose(together.ex[row], life_tables(rates[row], AGE, sex).ex[0], rtol=1e-14)
    rows = together.to_frame()
    assert list(rows.columns[:4]) == ["series", "age", "n", "mx"]
    assert rows["series"].tolist() == [0] * len(AGE) + [1] * len(AGE) + [2] * len(AGE)


def test_series_keep_the_names_of_their_rows():
    rates = pd.DataFrame([MALES, 2 * MALES], index=pd.MultiIndex.from_tuples([("01", 2024), ("79", 2024)]))
    assert abridged_life_table(rates, AGE)["series"].unique().tolist() == [("01", 2024), ("79", 2024)]


@pytest.mark.parametrize("form", [list, tuple, np.array, pd.Series])
def test_rates_may_come_as_lists_arrays_or_series_and_ages_as_labels(form):
    expected = life_tables(MALES, AGE, "male").ex
    np.testing.assert_array_equal(life_tables(form(MALES), LABELS, "m").ex, expected)
    np.testing.assert_array_equal(life_tables(form(MALES), [str(age) for age in AGE], "Nam").ex, expected)


# ---- worked by hand


def test_a_table_of_two_groups_by_hand():
    # m = 0.1 under 10 with a = 4, then m = 0.25: q = 10·0.1 / (1 + (10 - 4)·0.1) = 1/1.6
    table = life_tables([0.1, 0.25], [0, 10], "male", ax=[4, 0], radix=1)
    q = 10 * 0.1 / (1 + (10 - 4) * 0.1)
    years = 10 * (1 - q) + 4 * q
    assert table.qx[0].tolist() == pytest.approx([q, 1])
    assert table.Lx[0].tolist() == pytest.approx([years, (1 - q) / 0.25])
    assert table.ex[0].tolist() == pytest.approx([years + (1 - q) * 4, 4])


def test_infant_factors_of_coale_and_demeny_west_follow_the_level_and_the_sex():
    low, high = life_tables([MALES, MALES], AGE, ["male", "female"]), life_tables(MALES + 0.1, AGE, "male")
    assert low.ax[:, 0] == pytest.approx([0.045 + 2.684 * 0.02, 0.053 + 2.8 * 0.02])
    assert low.ax[:, 1] == pytest.approx([1.651 - 2.816 * 0.02, 1.522 - 1.518 * 0.02])
    assert high.ax[0, :2] == pytest.approx([0.330, 1.352])


@pytest.mark.parametrize(("region", "a0", "a1"), [("west_q0", 0.0425, 1.653), ("north", 0.0425, 1.859),
                                                  ("east", 0.0025, 1.614), ("south", 0.0425, 1.541)])  # fmt: skip
def test_the_four_regions_start_from_the_probability_of_dying(region, a0, a1):
    table = life_tables(MALES, AGE, "male", a0=f"coale_demeny_{region}")
    q0 = table.qx[0, 0]
    assert table.ax[0, 0] == pytest.approx(a0 + 2.875 * q0, rel=1e-9)
    assert table.ax[0, 1] == pytest.approx(a1 - 3.013 * q0, rel=1e-9)


def test_andreev_and_kingkade_s_a0_has_three_pieces():
    rates = np.tile(MALES, (3, 1))
    rates[:, 0] = [0.01, 0.05, 0.2]
    male = life_tables(rates, AGE, "male", a0="andreev_kingkade").ax[:, 0]
    assert male == pytest.approx([0.14929 - 1.99545 * 0.01, 0.02832 + 3.26021 * 0.05, 0.29915])


def test_both_sexes_together_weigh_the_infant_factors_by_births():
    of_each = life_tables([MALES] * 3, AGE, ["male", "female", "total"]).ax[:, 0]
    assert of_each[2] == pytest.approx((1.05 * of_each[0] + of_each[1]) / 2.05)


def test_greville_bends_ax_by_the_slope_of_the_rates():
    table = life_tables(MALES, AGE, "male")
    at = AGE.index(40)
    slope = np.log(MALES[at + 1] / MALES[at - 1]) / 10
    assert table.ax[0, at] == pytest.approx(2.5 - 25 / 12 * (MALES[at] - slope))
    un = life_tables(MALES, AGE, "male", ax="un").ax[0]
    assert un[2:4].tolist() == [2.5, 2.5]  # ages 5-9 and 10-14
    assert un[4:].tolist() == table.ax[0, 4:].tolist()


def test_a_constant_hazard_gives_the_exponential_probability():
    table = life_tables(MALES, AGE, "male", ax="exponential")
    np.testing.assert_allclose(table.qx[0, :-1], 1 - np.exp(-table.n[:-1] * MALES[:-1]), rtol=1e-9)


def test_keyfitz_and_flieger_s_ax_agrees_with_the_deaths_of_its_own_table():
    table = life_tables(MALES, AGE, "male", ax="keyfitz_flieger")
    d, at = table.dx[0], AGE.index(50)
    assert table.ax[0, at] == pytest.approx((-5 / 24 * d[at - 1] + 2.5 * d[at] + 5 / 24 * d[at + 1]) / d[at], rel=1e-6)


def test_bands_of_ten_years_and_a_table_from_age_30_work():
    tens = life_tables([0.002, 0.004, 0.01, 0.03, 0.12], ["30-39", "40-49", "50-59", "60-69", "70+"], "female")
    assert tens.n.tolist() == [10, 10, 10, 10, np.inf]
    assert tens.lx[0, 0] == 100_000
    assert 40 < tens.ex[0, 0] < 50
    assert "a0" not in tens.method


def test_single_ages_keep_the_middle_and_the_infant_rule():
    age = np.arange(0, 101)
    table = life_tables(1e-4 * np.exp(0.09 * age), age, "female", a0="andreev_kingkade")
    assert (table.ax[0, 1:-1] == 0.5).all()
    assert len(abridged_life_table(table.mx[0], age, "female")) == 101


def test_given_infant_mortality_is_what_the_table_shows():
    table = life_tables([MALES] * 2, AGE, "male", infant_mortality=[0.03, 0.012])
    assert table.qx[:, 0] == pytest.approx([0.03, 0.012])
    assert table.mx[:, 0] == pytest.approx(table.dx[:, 0] / table.Lx[:, 0])
    assert "q0 given" in table.method


def test_probabilities_and_survivors_come_back_as_they_were_given():
    made = life_tables(MALES, AGE, "male", ax="un", a0="coale_demeny_west_q0")
    back = life_tables_from_probabilities(made.qx[0], AGE, "male", ax="un", closeout="given", open_ex=made.ex[0, -1])
    np.testing.assert_allclose(back.qx, made.qx, rtol=1e-12)
    np.testing.assert_allclose(back.ex, made.ex, rtol=1e-4)  # the last ax leans on the rate of the open group
    again = life_tables_from_survivors(made.lx[0], AGE, "male", ax="un", closeout="extrapolate")
    np.testing.assert_allclose(again.lx, made.lx, rtol=1e-9)


def test_a_complete_table_becomes_an_abridged_one_without_losing_a_year():
    age = np.arange(0, 101)
    persons = np.full(101, 1_000.0)
    single = life_tables_from_counts(persons * 1e-4 * np.exp(0.09 * age), persons, age, "female", a0="andreev_kingkade")
    wide = regroup_ages(single, LABELS)
    at = [list(age).index(start) for start in AGE]
    np.testing.assert_array_equal(wide.lx, single.lx[:, at])
    np.testing.assert_array_equal(wide.ex, single.ex[:, at])
    assert wide.Lx.sum() == pytest.approx(single.Lx.sum())
    assert wide.dx.sum() == pytest.approx(100_000)
    assert wide.deaths.sum() == pytest.approx(single.deaths.sum())
    closed = slice(None, -1)
    np.testing.assert_allclose(
        wide.qx[0, closed],
        wide.n[closed] * wide.mx[0, closed] / (1 + (wide.n[closed] - wide.ax[0, closed]) * wide.mx[0, closed]),
    )


# ---- the end of the table


@pytest.mark.parametrize("law", ["gompertz", "kannisto", "makeham"])
def test_a_law_is_found_again_from_its_own_rates(law):
    x = np.array([0.0, 1, *range(5, 105, 5)])
    line = 3e-5 * np.exp(0.1 * x)
    rates = {"gompertz": line, "kannisto": line / (1 + line), "makeham": line + 2e-3}[law]
    closed_late = life_tables(rates, x, "male", closeout="extrapolate", law=law)
    closed_early = life_tables(rates[: list(x).index(80) + 1], x[x <= 80], "male", closeout="extrapolate", law=law)
    assert closed_early.ex[0, 0] == pytest.approx(closed_late.ex[0, 0], abs=1e-4)
    assert law in closed_early.method


def test_an_extrapolated_table_does_not_depend_on_where_it_is_cut():
    cut = [life_tables(MALES, AGE, "male", closeout="extrapolate", open_age=at) for at in (60, 85, 100)]
    for table in cut:
        assert table.ex[0, 0] == pytest.approx(cut[0].ex[0, 0], rel=1e-12)
        assert table.dx[0].sum() == pytest.approx(100_000)
        assert table.Lx[0].sum() == pytest.approx(table.Tx[0, 0])
        assert table.status[0, -1] == "modelled"
        assert label(table.reason[0, -1], "vi")


def test_kannisto_replaces_single_ages_from_80_and_ends_at_110():
    age = np.arange(0, 101)
    rates = np.minimum(1e-4 * np.exp(0.09 * age), 0.6)
    table = life_tables(rates, age, "male", ax="hmd", a0="andreev_kingkade", closeout="kannisto")
    assert table.age[-1] == 110
    assert (table.mx[0, :80] == rates[:80]).all()
    assert (table.status[0, 80:] == "modelled").all()
    assert (table.mx[0, 80:-1] < 1).all()


def test_kannisto_by_counts_smooths_from_the_first_age_with_few_deaths():
    age = np.arange(0, 106)
    line = 0.05 * np.exp(0.11 * (age + 0.5 - 80))
    lived = np.where(age < 80, 1e5, 4_000 * np.exp(-0.2 * (age - 80)))
    died = lived * line / (1 + line)
    rates, ages = smooth_old_ages(died, lived, age)
    first = age[(age >= 80) & (died <= 100)][0]
    law = 0.05 * np.exp(0.11 * (ages + 0.5 - 80))
    assert ages[-1] == 110
    np.testing.assert_array_equal(rates[0, :first], (died / lived)[:first])
    np.testing.assert_allclose(rates[0, first:], (law / (1 + law))[first:], rtol=1e-6)


def test_the_difference_between_closeouts_is_printed_and_grows_with_an_early_open_group():
    young = closeout_difference([*MALES[:-5], 0.09], AGE[:-4], "male")  # 65+
    old = closeout_difference(MALES, AGE, "male")
    assert list(young.columns) == [
        "age",
        "inverse",
        "extrapolate",
        "kannisto",
        "difference",
        "method",
        "status",
        "reason",
    ]
    values = young.loc[0, ["inverse", "extrapolate", "kannisto"]]
    assert young.loc[0, "difference"] == pytest.approx(values.max() - values.min())
    assert young.loc[0, "difference"] > old.loc[0, "difference"]


def test_a_given_life_expectancy_closes_the_table():
    table = life_tables(MALES, AGE, "male", closeout="given", open_ex=6.5)
    assert table.ex[0, -1] == 6.5
    assert table.Lx[0, -1] == pytest.approx(6.5 * table.lx[0, -1])


# ---- thin and broken input


def test_an_open_group_without_deaths_says_so_instead_of_an_endless_life():
    rates = MALES.copy()
    rates[-1] = 0
    table = life_tables(rates, AGE, "male")
    assert np.isnan(table.ex).all()
    assert set(table.status.ravel()) == {"not_assessable"}
    assert set(table.reason.ravel()) == {"reason.life_table_open_group_without_deaths"}
    assert not np.isnan(table.qx).any()
    closed = life_tables(rates, AGE, "male", closeout="extrapolate")
    assert closed.ex[0, 0] == pytest.approx(life_tables(MALES, AGE, "male", closeout="extrapolate").ex[0, 0])


def test_a_missing_rate_stops_what_depends_on_it_only():
    rates = np.vstack([MALES, MALES])
    at = AGE.index(40)
    rates[0, at] = np.nan
    table = life_tables(rates, AGE, "male", ax="midpoint")
    assert table.reason[0, at] == "reason.life_table_rate_missing"
    assert set(table.reason[0, :at]) == {"reason.life_table_older_rate_missing"}
    np.testing.assert_array_equal(table.ex[0, at + 1 :], table.ex[1, at + 1 :])  # older ages do not need it
    assert (table.status[1] == "ok").all()
    missing = np.isnan(table.ex)
    assert (table.status[missing] == "not_assessable").all()
    assert (table.reason[missing] != "").all()


@pytest.mark.parametrize("wrong", [-0.001, np.inf])
def test_an_impossible_rate_is_named(wrong):
    rates = MALES.copy()
    rates[3] = wrong
    table = life_tables(rates, AGE, "male")
    assert table.reason[0, 3] == "reason.life_table_rate_wrong"
    assert np.isnan(table.ex[0, 0])


@pytest.mark.parametrize("closeout", ["extrapolate", "kannisto"])
def test_a_law_that_cannot_be_fitted_says_so(closeout):
    table = life_tables([0.02, 0.001, 0.002, 0.0, 0.0], [0, 1, 5, 60, 80], "male", closeout=closeout)
    assert np.isnan(table.ex[0, 0])
    assert table.reason[0, 0] == "reason.life_table_closeout_too_few_rates"
    assert label(table.reason[0, 0], "vi")


def test_one_person_and_fractional_deaths_are_input_like_any_other():
    persons = np.full(len(AGE), 0.0)
    persons[-1] = 1
    lonely = life_tables_from_counts(np.append(np.zeros(len(AGE) - 1), 1), persons, AGE, "male")
    assert lonely.ex[0, -1] == 1  # one death in one person-year
    assert set(lonely.reason[0, :-1]) == {"reason.life_table_rate_missing"}
    shared = life_tables_from_counts(MALES * 10, np.full(len(AGE), 10), AGE, "male")  # 0.003 deaths in a group
    np.testing.assert_allclose(shared.ex, life_tables(MALES, AGE, "male").ex)


def test_more_deaths_than_people_end_a_group_with_certainty_and_keep_the_identities():
    rates = MALES.copy()
    rates[5] = 4.0
    table = life_tables(rates, AGE, "male", ax="midpoint")
    assert table.qx[0, 5] == 1
    assert table.ax[0, 5] == pytest.approx(1 / 4)
    assert (table.lx[0, 6:] == 0).all()
    assert np.isfinite(table.ex).all()


@pytest.mark.parametrize(
    ("age", "words"),
    [
        ([0, 1, 1, 5], "0, 1, 1, 5"),
        (["0", "1-4", "10-14", "15+"], "1-4"),
        (["0", "1-4", "5-9", "10-14"], "10-14"),
        ([0, 5, 1, 10], "0, 5, 1, 10"),
        ([0, 1, 5, np.nan], "nan"),
    ],
)
def test_ages_that_do_not_follow_on_are_refused(age, words):
    with pytest.raises(InputError) as refused:
        life_tables([0.1, 0.1, 0.1, 0.1], age)
    assert words in refused.value.sentence("vi")
    assert words in refused.value.sentence("en")


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((MALES[:-1], AGE), {}, str(len(AGE))),
        ((MALES, AGE, "neutral"), {}, "neutral"),
        ((MALES, AGE, ["male", "female"]), {}, "2"),
        ((["a"] * len(AGE), AGE), {}, "'a'"),
        ((MALES, AGE), {"ax": "best"}, "greville"),
        ((MALES, AGE), {"ax": [2.5, 2.5]}, "2"),
        ((MALES, AGE), {"a0": "best"}, "andreev_kingkade"),
        ((MALES, AGE), {"closeout": "best"}, "extrapolate"),
        ((MALES, AGE), {"closeout": "extrapolate", "law": "best"}, "makeham"),
        ((MALES, AGE), {"closeout": "given"}, "open_ex"),
        ((MALES, AGE), {"closeout": "given", "open_ex": -1}, "-1"),
        ((MALES, AGE), {"infant_mortality": 12}, "12"),
        ((MALES[1:], AGE[1:]), {"infant_mortality": 0.012}, "1-5"),
        ((MALES, AGE), {"open_age": 83}, "83"),
        ((1_000 * MALES, AGE), {}, "1 000"),
    ],
)
def test_wrong_use_gets_a_sentence_with_what_was_found_or_expected(arguments, options, words):
    with pytest.raises(UsageError) as refused:
        life_tables(*arguments, **options)
    for language in ("vi", "en"):
        assert words in refused.value.sentence(language)


def test_probabilities_cannot_be_closed_by_a_rate_that_nobody_knows():
    with pytest.raises(UsageError):
        life_tables_from_probabilities(MALES, AGE, closeout="inverse")


def test_every_method_string_names_what_was_done():
    assert life_tables(MALES, AGE, "male").method == "ax greville, a0 coale_demeny_west; closeout inverse"
    assert "makeham fitted from 60" in life_tables(MALES, AGE, "male", closeout="extrapolate").method


# ---- probabilities between two ages


def test_probabilities_between_ages_are_ratios_of_survivors():
    table = life_tables([MALES, 2 * MALES], AGE, "male")
    found = probability_of_dying(table, 15, 60)
    l = table.lx
    assert found["value"].tolist() == pytest.approx((1 - l[:, AGE.index(60)] / l[:, AGE.index(15)]).tolist())
    assert found["method"].iloc[0].startswith("45q15 = 1 - l(60)/l(15)")
    rows = probability_of_dying(table.to_frame(), from_age=15, to_age=60)
    pd.testing.assert_frame_equal(rows, found)
    assert set(found["reason"]) == {"reason.life_table_limits_need_counts"}  # rates alone have no limits


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 30), min_size=len(AGE), max_size=len(AGE)), st.sampled_from(["gamma", "chiang"]))
def test_limits_of_a_probability_lie_around_it_and_between_0_and_1(deaths, limits):
    table = life_tables_from_counts(deaths, np.full(len(AGE), 1_000), AGE, "male")
    found = probability_of_dying(table, 15, 60, limits=limits).iloc[0]
    assert 0 <= found["lower"] <= found["value"] + 1e-12
    assert found["value"] <= found["upper"] + 1e-12 <= 1 + 1e-9


def test_no_deaths_have_an_upper_limit_of_three_in_the_group_of_the_greatest_weight():
    table = life_tables_from_counts(np.append(np.zeros(len(AGE) - 1), 5), np.full(len(AGE), 1_000), AGE, "male")
    found = probability_of_dying(table, 30, 70).iloc[0]
    assert found["value"] == 0
    assert found["lower"] == 0
    # exact Poisson limit of 0 deaths is -ln 0.025 = 3.69, each weighing 5 years / 1 000 persons
    assert found["upper"] == pytest.approx(1 - np.exp(-5 / 1_000 * -np.log(0.025)), rel=1e-6)


def test_ages_that_are_no_boundaries_or_stand_the_wrong_way_are_refused():
    table = life_tables(MALES, AGE, "male")
    with pytest.raises(InputError, match="33"):
        probability_of_dying(table, 33, 70)
    with pytest.raises(InputError):
        probability_of_dying(table, 60, 15)
