"""Life expectancy with limits: Chiang, Silcocks, simulation; PHE's rules; rows in any order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.measures import life_table
from mortality.measures.death_probabilities import premature_mortality
from mortality.measures.life_expectancy import (
    life_expectancy,
    life_tables_by,
    probability_of_dying_by,
    variance_of_ex,
)
from mortality.measures.life_table import life_tables, life_tables_from_counts, probability_of_dying
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import label

AGE = [0, 1, *range(5, 90, 5)]
LABELS = ["0", "1-4", *(f"{low}-{low + 4}" for low in range(5, 85, 5)), "85+"]
RATES = np.array([0.015, 0.001, *(3e-4 + 4e-5 * np.exp(0.09 * np.arange(7.5, 90, 5)))])
PERSONS = np.array([16, 62, *np.linspace(80, 5, 17)]) * 100.0


def counts(scale=1.0, **columns):
    """Deaths as the rates say, in a place of about 80 000 x scale persons; one row per age group."""
    persons = PERSONS * scale
    return pd.DataFrame({**columns, "age_group": LABELS, "deaths": RATES * persons, "person_years": persons})


PLACES = pd.concat([counts(1.0, province_code="01", sex="male"), counts(0.5, province_code="79", sex="female")])


def test_life_expectancy_of_rows_equals_the_life_table_of_their_rates():
    found = life_expectancy(PLACES, ["province_code", "sex"], at=[0, 65])
    table = life_tables([RATES, RATES], AGE, ["male", "female"])
    assert found["value"].tolist() == pytest.approx(
        [table.ex[0, 0], table.ex[0, AGE.index(65)], table.ex[1, 0], table.ex[1, AGE.index(65)]]
    )
    assert found["age"].tolist() == [0, 65, 0, 65]
    assert found["deaths_from_age"].iloc[0] == pytest.approx((RATES * PERSONS).sum())
    assert (found["lower"] < found["value"]).all()
    assert (found["value"] < found["upper"]).all()
    assert set(found["status"]) == {"ok"}


def test_the_order_of_the_rows_and_the_name_of_the_age_column_do_not_matter():
    shuffled = PLACES.sample(frac=1, random_state=1)
    by = ["province_code", "sex"]
    one = life_expectancy(PLACES, by, at=0).sort_values(by, ignore_index=True)
    other = life_expectancy(shuffled, by, at=0).sort_values(by, ignore_index=True)
    pd.testing.assert_frame_equal(one, other)
    numbered = PLACES.assign(age=PLACES["age_group"].map(dict(zip(LABELS, AGE, strict=True)))).drop(columns="age_group")
    assert life_expectancy(numbered, by, at=0)["value"].tolist() == pytest.approx(one["value"].tolist())


def test_chiang_s_variance_by_hand_for_two_groups():
    # q = 10·0.1 / (1 + 5·0.1), e of the open group 1 / 0.25; D = 100 and 50
    table = life_tables_from_counts([100, 50], [1_000, 200], [0, 10], "male", ax="midpoint", a0=5)
    q = table.qx[0, 0]
    a, end = table.ax[0, 0], 1 / 0.25
    of_group = q**2 * (1 - q) / 100 * (10 - a + end) ** 2
    of_open = (1 - q) ** 2 / (50 * 0.25**2)
    assert variance_of_ex(table, open_group=False)[0].tolist() == pytest.approx([of_group, 0])
    assert variance_of_ex(table)[0].tolist() == pytest.approx([of_group + of_open, 1 / (50 * 0.25**2)])


def test_limits_shrink_with_the_square_root_of_the_population():
    small, large = (life_expectancy(counts(scale), at=0)["standard_error"].iloc[0] for scale in (1, 100))
    assert small == pytest.approx(10 * large, rel=1e-9)


def test_silcocks_adds_the_open_group_to_chiang():
    chiang, silcocks = (life_expectancy(counts(), method=name) for name in ("chiang", "silcocks"))
    assert (silcocks["standard_error"] > chiang["standard_error"]).all()
    assert chiang["standard_error"].iloc[-1] == 0  # without it the last age seems certain


def test_simulated_limits_agree_with_the_formula_where_deaths_are_many():
    formula = life_expectancy(counts(20), at=[0, 65]).reset_index()
    drawn = life_expectancy(counts(20), at=[0, 65], method="simulation", draws=2_000, seed=5).reset_index()
    width = (formula["upper"] - formula["lower"]).to_numpy()
    np.testing.assert_allclose((drawn["upper"] - drawn["lower"]) / width, 1, atol=0.1)
    assert "2000 draws" in drawn["method"].iloc[0]


def test_a_seed_gives_the_same_limits_and_chunks_do_not_change_them(monkeypatch):
    many = pd.concat([counts(1 + number / 10, place=str(number)) for number in range(6)])
    one = life_expectancy(many, ["place"], at=0, method="simulation", draws=50, seed=3)
    pd.testing.assert_frame_equal(one, life_expectancy(many, ["place"], at=0, method="simulation", draws=50, seed=3))
    other = life_expectancy(many, ["place"], at=0, method="simulation", draws=50, seed=4)
    assert (one["lower"] != other["lower"]).all()


def test_nineteen_of_twenty_limits_hold_the_truth():
    # 400 places of 160 000 persons with drawn deaths; the standard error of the share is about 1 point
    rng = np.random.default_rng(8)
    persons = np.tile(PERSONS * 2, (400, 1))
    tables = life_tables_from_counts(rng.poisson(RATES * persons), persons, AGE, "male")
    found = life_expectancy(tables, at=0)
    truth = life_tables(RATES, AGE, "male").ex[0, 0]
    share = ((found["lower"] <= truth) & (truth <= found["upper"])).mean()
    assert 0.91 <= share <= 0.98


@pytest.mark.parametrize("closeout", ["extrapolate", "kannisto"])
def test_a_law_that_closes_the_table_keeps_the_ages_and_has_limits_of_both_kinds(closeout):
    formula = life_expectancy(counts(4), at=[0, 85], closeout=closeout)
    drawn = life_expectancy(counts(4), at=[0, 85], closeout=closeout, method="simulation", draws=300)
    assert formula["age"].tolist() == [0, 85]
    assert closeout in formula["method"].iloc[0]
    for found in (formula, drawn):
        assert (found["lower"] < found["value"]).all()
        assert (found["value"] < found["upper"]).all()
    ratio = drawn["standard_error"].iloc[0] / formula["standard_error"].iloc[0]
    assert 0.8 < ratio < 1.3


def test_a_given_life_expectancy_of_the_open_group_has_no_error_of_its_own():
    found = life_expectancy(counts(), at=[0, 85], closeout="given", open_ex=6.0)
    assert found["standard_error"].iloc[1] == 0
    assert found["standard_error"].iloc[0] > 0


def test_an_earlier_open_group_keeps_its_counts():
    table = life_tables_from_counts(RATES * PERSONS, PERSONS, AGE, "male", open_age=75)
    old = slice(AGE.index(75), None)
    assert table.deaths[0, -1] == pytest.approx((RATES * PERSONS)[old].sum())
    assert table.population[0, -1] == pytest.approx(PERSONS[old].sum())


# ---- what is not printed


def without(place, age_group, **changes):
    rows = counts().assign(place=place)
    return rows.assign(
        **{name: rows[name].where(rows["age_group"] != age_group, value) for name, value in changes.items()}
    )


SUPPRESSED = {
    "a negative number": (without("a", "5-9", deaths=-1), "reason.life_expectancy_negative_deaths"),
    "nobody there": (without("a", "5-9", person_years=0), "reason.life_expectancy_no_population"),
    "more deaths than people": (
        without("a", "5-9", person_years=0.01),
        "reason.life_expectancy_more_deaths_than_people",
    ),
    "a small place": (counts(0.05).assign(place="a"), "reason.life_expectancy_small_population"),
}


@pytest.mark.parametrize("case", SUPPRESSED)
def test_phe_prints_nothing_and_says_why(case):
    rows, reason = SUPPRESSED[case]
    both = pd.concat([rows, counts().assign(place="b")])
    found = life_expectancy(both, ["place"], convention="phe", at=0).set_index("place")
    assert found.loc["a", "reason"] == reason
    assert found.loc["a", ["value", "lower", "upper"]].isna().all()
    assert found.loc["a", "status"] == "not_assessable"
    assert label(reason, "vi") != label(reason, "en")
    assert found.loc["b", "status"] == "ok"


def test_phe_names_an_absent_age_group():
    rows = pd.concat([counts().assign(place="a").iloc[:-2], counts().assign(place="b")])
    for convention in ("phe", "textbook"):
        found = life_expectancy(rows, ["place"], convention=convention, at=0).set_index("place")
        assert found.loc["a", "reason"] == "reason.age_group_absent"
        assert found.loc["b", "status"] == "ok"


def test_limits_more_than_twenty_years_apart_are_not_printed_by_phe():
    few = counts(0.1).assign(deaths=lambda rows: np.where(rows["age_group"].isin(["0", "85+"]), 1.0, 0.0))
    found = life_expectancy(few, convention="phe")
    assert found["reason"].iloc[0] == "reason.life_expectancy_limits_too_wide"
    assert np.isnan(found["value"].iloc[0])
    assert life_expectancy(few)["status"].iloc[0] == "ok"


def test_the_textbook_answers_a_village_of_80_people_with_wide_limits():
    village = counts(0.001)
    found = life_expectancy(village, at=0).iloc[0]
    assert found["status"] == "ok"
    assert found["upper"] - found["lower"] > 10


def test_nothing_is_missing_without_a_reason():
    broken = pd.concat([rows for rows, _ in SUPPRESSED.values()]).assign(place=np.repeat(list("abcd"), len(LABELS)))
    for convention in ("phe", "textbook"):
        found = life_expectancy(broken, ["place"], convention=convention)
        missing = found["value"].isna()
        assert (found.loc[missing, "reason"] != "").all()
        assert (found.loc[missing, "status"] == "not_assessable").all()
        assert (found.loc[~missing, "reason"] == "").all()


def test_older_groups_can_be_added_up_before():
    found = life_expectancy(counts(), open_from=75, at=[0, 75])
    assert found["age"].tolist() == [0, 75]
    old = slice(AGE.index(75), None)
    assert found["value"].iloc[1] == pytest.approx(PERSONS[old].sum() / (RATES * PERSONS)[old].sum())


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda rows: rows.drop(columns="deaths"), {}, "deaths"),
        (lambda rows: rows.drop(columns="person_years"), {}, "person_years"),
        (lambda rows: rows.drop(columns="age_group"), {}, "age_group"),
        (lambda rows: pd.concat([rows, rows.head(1)]), {}, "age_group"),
        (lambda rows: rows.replace({"age_group": {"0": None}}), {}, "age_group"),
        (lambda rows: rows, {"method": "best"}, "silcocks"),
        (lambda rows: rows, {"convention": "best"}, "phe"),
        (lambda rows: rows, {"confidence": 95}, "95"),
        (lambda rows: rows, {"at": 33}, "33"),
        (lambda rows: rows, {"open_from": 33}, "33"),
    ],
)
def test_wrong_use_gets_a_sentence(change, options, words):
    with pytest.raises(UsageError) as refused:
        life_expectancy(change(counts()), **options)
    for language in ("vi", "en"):
        assert words in refused.value.sentence(language)


def test_no_rows_in_no_rows_out():
    by = ["province_code", "sex"]
    for answer in (life_expectancy, lambda rows, keys: probability_of_dying_by(rows, keys, 15, 60)):
        full, empty = answer(PLACES, by), answer(PLACES.iloc[:0], by)
        assert len(empty) == 0
        assert list(empty.columns) == list(full.columns)


def test_rates_alone_have_no_limits():
    with pytest.raises(UsageError, match="life_tables_from_counts"):
        life_expectancy(life_tables(RATES, AGE, "male"))


def test_the_names_of_the_contract_are_found_in_the_life_table_module():
    for name in ("abridged_life_table", "life_expectancy", "cause_deleted_life_table", "arriaga_decomposition", "probability_of_dying"):  # fmt: skip
        assert callable(getattr(life_table, name))
    with pytest.raises(AttributeError):
        _ = life_table.nothing_of_the_kind


# ---- probabilities of dying


def test_probabilities_of_rows_carry_their_keys_and_limits():
    by = ["province_code", "sex"]
    found = probability_of_dying_by(PLACES, by, 15, 60)
    tables, keys = life_tables_by(PLACES, by)
    assert found["province_code"].tolist() == keys["province_code"].tolist() == ["01", "79"]
    assert found["value"].tolist() == pytest.approx(probability_of_dying(tables, 15, 60)["value"].tolist())
    assert (found["lower"] < found["value"]).all()
    assert (found["value"] < found["upper"]).all()
    wide = (found["upper"] - found["lower"]).tolist()
    assert wide[1] > wide[0]  # half the population


def test_limits_of_a_probability_hold_the_truth_nineteen_times_of_twenty():
    rng = np.random.default_rng(9)
    persons = np.tile(PERSONS / 4, (400, 1))
    tables = life_tables_from_counts(rng.poisson(RATES * persons), persons, AGE, "male", ax="midpoint")
    truth = probability_of_dying(life_tables(RATES, AGE, "male", ax="midpoint"), 30, 70)["value"].iloc[0]
    found = probability_of_dying(tables, 30, 70)
    assert ((found["lower"] <= truth) & (truth <= found["upper"])).mean() >= 0.93


AGE_30_69 = [f"{low}-{low + 4}" for low in range(30, 70, 5)]


def test_premature_mortality_of_the_sdg_by_its_formula():
    deaths, persons = np.array([10, 12, 20, 33, 51, 70, 96, 140.0]), np.full(8, 20_000.0)
    found = premature_mortality(deaths, persons, AGE_30_69).iloc[0]
    rates = deaths / persons
    assert found["value"] == pytest.approx(1 - np.prod(1 - 5 * rates / (1 + 2.5 * rates)))
    assert found["lower"] < found["value"] < found["upper"]
    # all ages given: those outside 30-69 are left out
    wider = premature_mortality([5, *deaths, 900], [9_000, *persons, 10_000], [25, *range(30, 70, 5), 70]).iloc[0]
    assert wider["value"] == found["value"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 400), min_size=8, max_size=8), st.floats(100, 1e6))
def test_premature_mortality_lies_between_0_and_1_with_its_limits_around(deaths, persons):
    found = premature_mortality(deaths, np.full(8, persons), AGE_30_69).iloc[0]
    assert 0 <= found["lower"] <= found["value"] + 1e-12
    assert found["value"] <= found["upper"] + 1e-12 <= 1 + 1e-9


def test_premature_mortality_without_population_or_with_a_gap_is_not_guessed():
    none = premature_mortality([1] * 8, [0] * 8, AGE_30_69).iloc[0]
    assert none["status"] == "not_assessable"
    assert none["reason"]
    with pytest.raises(InputError, match="30"):
        premature_mortality([1] * 7, [100] * 7, AGE_30_69[1:])
