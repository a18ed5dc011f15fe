"""Redistribution of garbage codes: totals, limits of sex and age, borrowing, draws, regression; drawn tables, arithmetic visible."""

import datetime
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.measures.redistribution import (
    death_array,
    load_packages,
    redistribute,
    redistribute_counts,
    redistribution_draws,
    redistribution_matrix,
    redistribution_rules,
)
from mortality.measures.redistribution_levels import make_levels
from mortality.measures.redistribution_regression import _shares
from mortality.measures.redistribution_stage import inside
from tkyt_analysis.catalog.redistribution import Redistribution, RedistributionPackage, RedistributionTarget
from tkyt_analysis.errors import InputError, UsageError

AGES = ["0", "1-4", "20-24", "60-64", "85+"]
NONE = Redistribution("none", None, "WHO-2019", "", None, {})


def package(sources, *targets, **more):
    """A package that gives the deaths of `sources` to `targets` (codes, or targets)."""
    made = tuple(one if isinstance(one, RedistributionTarget) else RedistributionTarget(one) for one in targets)
    return RedistributionPackage(None, sources, made, "own", "", None, **more)


def packages(**named):
    return replace(NONE, id="drawn", packages=named)


def deaths(text):
    """Rows "place sex age code number"."""
    rows = [line.split() for line in text.strip().splitlines()]
    table = pd.DataFrame(rows, columns=["place", "sex", "age_group", "underlying_cause", "deaths"])
    return table.replace({"underlying_cause": {"-": ""}}).astype({"deaths": float})


def after(table, set_of_packages, *, by=(), **more):
    """{(…by, cause): deaths after}"""
    found = redistribute(table, set_of_packages, by=list(by), deaths_column="deaths", minimum=1, **more)
    return {tuple(row[:-1]): row[-1] for row in found[[*by, "cause", "after"]].itertuples(index=False)}


HEART = packages(heart=package("I50", "I21;I11"))


def test_garbage_is_divided_in_proportion_to_the_deaths_coded_to_its_targets_in_the_same_place_sex_and_age():
    table = deaths("""
        A male 60-64 I21.9 30
        A male 60-64 I11.9 10
        A male 60-64 I50.9 8
        A male 60-64 C22.0 5
        B male 60-64 I21.9 10
        B male 60-64 I11.9 10
        B male 60-64 I50.9 8
    """)
    assert after(table, HEART, by=["place"]) == pytest.approx({
        ("A", "I21.9"): 30 + 8 * 30 / 40,
        ("A", "I11.9"): 10 + 8 * 10 / 40,
        ("A", "I50.9"): 0,
        ("A", "C22.0"): 5,
        ("B", "I21.9"): 10 + 8 * 10 / 20,
        ("B", "I11.9"): 10 + 8 * 10 / 20,
        ("B", "I50.9"): 0,
    })  # fmt: skip


def test_fixed_weights_divide_among_groups_and_inside_a_group_in_proportion():
    fixed = packages(
        heart=package("I50", RedistributionTarget("I20-I25", weight=3.0), RedistributionTarget("J44;J45", weight=1.0), weights="fixed")
    )  # fmt: skip
    table = deaths("""
        A male 60-64 I21.9 1
        A male 60-64 J44.9 30
        A male 60-64 J45.9 10
        A male 60-64 I50.9 8
    """)
    assert after(table, fixed) == pytest.approx({
        ("I21.9",): 1 + 8 * 3 / 4,
        ("J44.9",): 30 + 8 * 1 / 4 * 30 / 40,
        ("J45.9",): 10 + 8 * 1 / 4 * 10 / 40,
        ("I50.9",): 0,
    })  # fmt: skip
    without_lungs = table[~table["underlying_cause"].str.startswith("J")]
    assert after(without_lungs, fixed) == pytest.approx({("I21.9",): 1 + 8, ("I50.9",): 0})


def test_a_later_stage_takes_what_the_first_gave_as_evidence():
    two = packages(heart=package("I50", "I21"), unknown=package("R99", "I21;C22", stage=2))
    table = deaths("""
        A male 60-64 I21.9 10
        A male 60-64 C22.0 20
        A male 60-64 I50.9 10
        A male 60-64 R99 6
    """)
    assert after(table, two)[("I21.9",)] == pytest.approx(10 + 10 + 6 * 20 / 40)


def test_a_thin_cell_borrows_from_the_next_wider_group_and_says_so():
    table = deaths("""
        A male 60-64 I21.9 1
        A male 60-64 I50.9 4
        A male 65-69 I21.9 10
        A male 65-69 I11.9 30
        B male 20-24 I50.9 4
        C male 20-24 I11.9 12
    """)
    found = redistribute(table, HEART, by=["place", "age_group"], deaths_column="deaths", minimum=10)
    rows = found.set_index(["place", "age_group", "cause"])
    assert rows.loc[("A", "60-64", "I21.9"), "moved_in"] == pytest.approx(4 * 11 / 41)  # ages 60 to 69 of A
    assert rows.loc[("B", "20-24", "I11.9"), "moved_in"] == pytest.approx(4)  # the age in all places
    assert rows.loc[("A", "60-64", "I21.9"), "method"].endswith("broad_age")
    assert rows.loc[("B", "20-24", "I11.9"), "method"].endswith("nation")


def test_a_commune_borrows_from_its_province_before_the_nation():
    table = deaths("""
        A1 male 60-64 I50.9 4
        A2 male 60-64 I21.9 30
        B1 male 60-64 I11.9 90
    """).assign(province=["A", "A", "B"])
    found = redistribute(table, HEART, by=["place"], deaths_column="deaths", parents=["province"], minimum=5)
    assert found.set_index(["place", "cause"]).loc[("A1", "I21.9"), "moved_in"] == pytest.approx(4)
    assert found.set_index(["place", "cause"]).loc[("A1", "I21.9"), "method"].endswith("parent_1")


def test_garbage_without_any_target_stays_garbage_with_a_reason_and_is_not_lost():
    table = deaths("A male 60-64 I50.9 4\nA male 60-64 C22.0 9")
    found = redistribute(table, HEART, deaths_column="deaths").set_index("cause")
    assert found.loc["I50.9", ["before", "after", "moved_out", "left"]].tolist() == [4, 4, 0, 4]
    assert found.loc["I50.9", ["status", "reason"]].tolist() == ["not_assessable", "reason.redistribution_no_target"]
    assert found.loc["C22.0", ["status", "reason"]].tolist() == ["ok", ""]


def test_garbage_that_no_package_names_is_told():
    table = deaths("A male 60-64 R99 4\nA male 60-64 I21.9 9")
    found = redistribute(table, HEART, deaths_column="deaths").set_index("cause")
    assert found.loc["R99", ["after", "status", "reason"]].tolist() == [4, "not_assessable", "reason.redistribution_no_package"]  # fmt: skip


def test_a_death_never_goes_to_a_cause_that_the_sex_or_age_cannot_have():
    every = packages(unknown=package("R99", "A00-Q99"))
    table = deaths("""
        A male 60-64 C61 5
        A male 60-64 C53.9 5
        A male 60-64 R99 9
        A male 0 P07.3 5
        A male 60-64 P07.3 5
        A male 60-64 O72.1 5
        A female 60-64 O72.1 5
        A female 60-64 C53.9 5
        A female 60-64 R99 9
        A unknown 60-64 R99 9
    """)
    found = redistribute(table, every, by=["sex", "age_group"], deaths_column="deaths", minimum=1)
    moved = found[found["moved_in"] > 0]
    assert set(zip(moved["sex"], moved["age_group"], moved["cause"])) == {("male", "60-64", "C61"), ("female", "60-64", "C53.9")}  # fmt: skip
    unknown = found[found["sex"] == "unknown"]
    assert unknown[["after", "reason"]].values.tolist() == [[9, "reason.redistribution_no_target"]]


def test_hiv_never_receives_deaths_of_the_shipped_packages():
    table = deaths("A male 20-24 B20.9 90\nA male 20-24 A16.9 1\nA male 20-24 R99 50\nA male 20-24 - 7")
    found = redistribute(table, deaths_column="deaths", minimum=1).set_index("cause")
    assert found.loc["B20.9", "after"] == 90
    assert found.loc["A16.9", "after"] == pytest.approx(1 + 50 + 7)


def test_senility_goes_to_diseases_of_the_old_and_not_to_injuries():
    table = deaths("A male 85+ I63.9 40\nA male 85+ W19 60\nA male 85+ R54 10")
    assert after(table, "vn_2026") == pytest.approx({("I63.9",): 50, ("R54",): 0, ("W19",): 60})


def test_an_injury_of_unknown_intent_stays_with_its_mechanism():
    table = deaths("A male 20-24 W74 30\nA male 20-24 X71 10\nA male 20-24 V89.2 500\nA male 20-24 Y21 4")
    assert after(table, "vn_2026")[("W74",)] == pytest.approx(30 + 4 * 30 / 40)


def test_a_table_without_sex_and_age_counts_as_both_sexes_and_all_ages():
    table = pd.DataFrame({"underlying_cause": ["I50.9", "I21.9", "I21.9", "I11.9"]})
    found = redistribute(table, HEART, minimum=1).set_index("cause")["after"]
    assert found.to_dict() == pytest.approx({"I11.9": 1 + 1 / 3, "I21.9": 2 + 2 / 3, "I50.9": 0})


def test_the_result_by_items_of_a_list_is_that_by_codes_added_up():
    table = deaths("""
        A male 60-64 I21.9 30
        A male 60-64 I25.2 3
        A male 60-64 I11.9 10
        A male 60-64 I50.9 8
        A male 60-64 I42.0 5
        A female 60-64 I21.9 2
        A female 60-64 I50.9 8
    """)
    by_code = redistribute(table, deaths_column="deaths", minimum=1)
    by_item = redistribute(table, deaths_column="deaths", minimum=1, cause_list="who_mortality_list_1")
    from mortality.tabulation.cause_lists import load_cause_list

    added = by_code.assign(item=load_cause_list("who_mortality_list_1").item_of(by_code["cause"])).groupby("item")
    pd.testing.assert_series_equal(
        added["after"].sum(), by_item.set_index("cause")["after"], check_names=False, check_index_type=False
    )


COUNTS = st.lists(st.integers(0, 40), min_size=80, max_size=80)
CODES = ["I21.9", "I50.9", "R99", "C61", "O72.1", "P07.3", "X59.9", ""]


def counts_of(numbers):
    """(2 places, 1 + 1 sexes, 5 ages, 8 codes) and the rules for them."""
    rules = redistribution_rules(CODES, ages=AGES)
    counts = np.array([*numbers, *numbers[::-1]], float).reshape(2, 2, 5, 8)
    order = rules.class_of(pd.Series(CODES))
    classes = np.zeros_like(counts)
    np.add.at(classes, (..., order), counts)
    return classes, rules


@given(numbers=COUNTS)
@settings(max_examples=40, deadline=None)
def test_totals_of_each_place_sex_and_age_are_kept_and_nothing_is_below_zero(numbers):
    counts, rules = counts_of(numbers)
    found = redistribute_counts(counts, rules, minimum=5)
    assert np.abs(found.after.sum(-1) - counts.sum(-1)).max() < 1e-9
    assert np.abs(found.before + found.moved_in - found.moved_out - found.after).max() < 1e-9
    assert found.after.min() >= 0
    drawn = redistribution_draws(counts, rules, draws=3, minimum=5)
    assert np.abs(drawn.sum(-1) - counts.sum(-1)).max() < 1e-9
    assert drawn.min() >= 0


@given(numbers=COUNTS)
@settings(max_examples=40, deadline=None)
def test_redistributing_again_changes_nothing(numbers):
    counts, rules = counts_of(numbers)
    once = redistribute_counts(counts, rules, minimum=5).after
    assert redistribute_counts(once, rules, minimum=5).after == pytest.approx(once, abs=1e-9)


@given(numbers=COUNTS)
@settings(max_examples=20, deadline=None)
def test_deaths_without_garbage_are_left_as_they_are(numbers):
    counts, rules = counts_of(numbers)
    clean = counts * (rules.source < 0)
    found = redistribute_counts(clean, rules)
    assert (found.after == clean).all()
    assert found.moved_in.sum() == found.moved_out.sum() == 0
    assert (redistribution_draws(clean, rules, draws=2) == clean).all()


@given(numbers=COUNTS)
@settings(max_examples=20, deadline=None)
def test_nobody_receives_a_cause_forbidden_for_the_sex_or_age(numbers):
    counts, rules = counts_of(numbers)
    moved = redistribute_counts(counts, rules, minimum=5).moved_in
    place = {code: int(at) for code, at in zip(CODES, rules.class_of(pd.Series(CODES)))}
    male, female = 0, 1
    assert moved[:, male, :, place["O72.1"]].sum() == 0
    assert moved[:, female, :, place["C61"]].sum() == 0
    assert moved[:, :, 1:, place["P07.3"]].sum() == 0
    assert moved[:, :, 3:, place["O72.1"]].sum() == 0


def test_shares_of_a_package_sum_to_one_where_there_is_evidence():
    table = deaths("A male 60-64 I21.9 30\nA male 60-64 I11.9 10\nA male 60-64 I50.9 8\nA male 60-64 R99 2")
    array = death_array(table, "vn_2026", by=["place"], deaths_column="deaths")
    shares, names = redistribution_matrix(array.counts, array.rules, minimum=1)
    heart = shares[0, 0, 0, names.index("heart_failure")]
    place = dict(zip(array.rules.causes, heart))
    assert place["I21.9"] == pytest.approx(30 / 40)
    assert set(np.unique(shares.sum(-1).round(12))) <= {0.0, 1.0}


def test_shares_times_the_garbage_are_what_moved_in():
    counts, rules = counts_of(list(range(1, 81)))
    shares, _ = redistribution_matrix(counts, rules, minimum=5)
    leaving = rules.source[..., None] == np.arange(len(rules.packages))
    moved = np.einsum("psac,sack,psakd->psad", counts, leaving.astype(float), shares)
    assert redistribute_counts(counts, rules, minimum=5).moved_in == pytest.approx(moved)


def test_draws_lie_around_the_estimate_and_few_deaths_make_them_wider():
    few = deaths("A male 60-64 I21.9 3\nA male 60-64 I11.9 1\nA male 60-64 I50.9 400")
    many = few.assign(deaths=[3000, 1000, 400])
    width = {}
    for name, table in {"few": few, "many": many}.items():
        found = redistribute(table, HEART, deaths_column="deaths", minimum=1, draws=2000, spread=0, seed=1)
        row = found.set_index("cause").loc["I21.9"]
        assert row["lower"] <= row["after"] <= row["upper"]
        width[name] = row["upper"] - row["lower"]
    assert width["few"] > 3 * width["many"]
    # with much evidence only the allocation is left: 400 deaths of which 3 in 4 are coronary
    assert width["many"] == pytest.approx(2 * 1.96 * np.sqrt(400 * 3 / 4 * 1 / 4), rel=0.15)


def test_the_spread_of_a_package_does_not_average_out_over_places():
    table = pd.concat(
        [deaths("A male 60-64 I21.9 300\nA male 60-64 I11.9 100\nA male 60-64 I50.9 100").assign(place=str(n)) for n in range(30)]
    )  # fmt: skip
    array = death_array(table, HEART, by=["place"], deaths_column="deaths")
    sd = [
        redistribution_draws(array.counts, array.rules, draws=300, spread=spread, seed=2)[..., 0].sum((1, 2, 3)).std()
        for spread in (0.0, 0.4)
    ]
    assert sd[1] > 4 * sd[0]


def test_the_same_seed_gives_the_same_draws_whatever_the_piece():
    counts, rules = counts_of(list(range(80)))
    assert (redistribution_draws(counts, rules, draws=4, seed=3) == redistribution_draws(counts, rules, draws=4, seed=3)).all()  # fmt: skip


def test_regression_finds_the_targets_that_shrink_where_garbage_grows():
    random = np.random.default_rng(1)
    lost = random.uniform(0.05, 0.5, (1, 40))  # of the first cause only, in 40 places
    true = np.array([600.0, 400.0])
    targets = np.stack([true[0] * (1 - lost), np.full(lost.shape, true[1])], axis=-1)
    shares = _shares(true[0] * lost, targets)
    assert shares / shares.sum() == pytest.approx([1, 0], abs=0.02)
    too_few = _shares((true[0] * lost)[:, :5], targets[:, :5])
    assert too_few == pytest.approx(targets[:, :5].sum(axis=(0, 1)))


def test_a_package_may_be_weighed_by_regression():
    random = np.random.default_rng(4)
    rows = []
    for n in range(40):
        lost = int(600 * random.uniform(0.05, 0.5))
        rows.append(f"P{n} male 60-64 I21.9 {600 - lost}\nP{n} male 60-64 I11.9 400\nP{n} male 60-64 I50.9 {lost}")
    two = packages(heart=package("I50", "I20-I25", "I11"))
    table = deaths("\n".join(rows))
    how = {"deaths_column": "deaths", "within": ["place"]}
    by_share = redistribute(table, two, **how).set_index("cause")["after"]
    by_slope = redistribute(table, two, method="regression", **how).set_index("cause")["after"]
    truth = 40 * 600
    assert abs(by_slope["I21.9"] - truth) < 0.01 * truth < abs(by_share["I21.9"] - truth)
    assert by_slope.sum() == pytest.approx(table["deaths"].sum())


def test_fractions_single_deaths_and_an_empty_table_are_answered():
    one = redistribute(deaths("A male 85+ R54 0.25\nA male 85+ I63.9 0.5"), deaths_column="deaths")
    assert one.set_index("cause")["after"].to_dict() == pytest.approx({"I63.9": 0.75, "R54": 0})
    empty = redistribute(deaths("A male 85+ R54 1").iloc[:0], by=["place"], deaths_column="deaths")
    array = death_array(deaths("A male 85+ R54 2.25\nA male 85+ I63.9 0.5\nA male 85+ C61 1"), "vn_2026", by=[], deaths_column="deaths")  # fmt: skip
    assert redistribution_draws(array.counts, array.rules, draws=9).sum((1, 2, 3, 4)) == pytest.approx([3.75] * 9)
    assert list(empty.columns[:6]) == ["place", "cause", "before", "after", "moved_in", "moved_out"]
    assert empty.empty


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda t: redistribute(t, by=["tỉnh"]), "tỉnh"),
        (lambda t: redistribute(t.assign(deaths=-1.0), deaths_column="deaths"), "không âm"),
        (lambda t: redistribute(t, method="magic"), "magic"),
        (lambda t: redistribute(t, borrow=["neighbours"]), "neighbours"),
        (lambda t: redistribute(t, draws=5, spread=-1), "-1"),
        (lambda t: redistribute(t, "vn_1900"), "vn_1900"),
        (lambda t: redistribute_counts(np.ones((2, 2)), redistribution_rules(["R54"], ages=["0"])), "(2, 2)"),
    ],
)
def test_wrong_use_is_a_sentence(call, said):
    with pytest.raises((InputError, UsageError)) as error:
        call(deaths("A male 85+ R54 1"))
    assert said in str(error.value)


def test_a_sex_may_be_written_in_usual_ways_and_a_strange_one_is_named():
    table = deaths("A Nam 60-64 C61 5\nA Nam 60-64 C16.9 5\nA Nam 60-64 R99 2\nA Nữ 60-64 C16.9 5\nA Nữ 60-64 R99 2")
    found = redistribute(table, by=["sex"], deaths_column="deaths", minimum=1).set_index(["sex", "cause"])["after"]
    assert found.to_dict() == pytest.approx({
        ("Nam", "C16.9"): 6, ("Nam", "C61"): 6, ("Nam", "R99"): 0, ("Nữ", "C16.9"): 7, ("Nữ", "R99"): 0,
    })  # fmt: skip
    with pytest.raises(InputError, match="chồng"):
        redistribute(table.assign(sex="chồng"), deaths_column="deaths")


def test_categories_of_pandas_are_read_as_text():
    table = deaths("A male 60-64 I21.9 3\nA male 60-64 I50.9 1")
    as_categories = table.astype(
        {"sex": "category", "age_group": "category", "underlying_cause": "category", "place": "category"}
    )
    assert after(as_categories, HEART, by=["place"]) == after(table, HEART, by=["place"])


def test_a_table_too_large_for_one_call_says_how_to_cut_it(monkeypatch):
    monkeypatch.setattr("mortality.measures.redistribution_table.MOST_CELLS", 1)
    with pytest.raises(InputError, match="từng tỉnh"):
        redistribute(deaths("A male 85+ R54 1\nA male 85+ I63.9 1"), deaths_column="deaths")


def test_two_packages_may_not_claim_one_code():
    both = packages(one=package("I50", "I21"), two=package("I50-I51", "I11"))
    with pytest.raises(InputError, match="I50.9"):
        redistribution_rules(["I50.9"], both, ages=["60-64"])


# ---- the shipped packages


@cache
def rules_of_all_codes():
    from mortality.icd import code_universe

    return redistribution_rules(code_universe(), ages=[*AGES, "unknown"], sexes=["male", "female", "unknown"])


def test_the_shipped_packages_take_every_code_of_the_garbage_lists_of_mathers():
    """Codes of Mathers 2005 are all redistributed; no code has two packages at any age (the rules would not compile)."""
    from mortality.garbage import load_garbage_list

    rules = rules_of_all_codes()
    codes = list(rules.code_class)
    taken = {code for code, at in rules.code_class.items() if (rules.source[:, :, at] >= 0).all()}
    category = load_garbage_list("garbage_mathers_2005").category_of(pd.Series(codes, dtype="str"))
    listed = {code for code, one in zip(codes, category) if one not in ("USABLE", "not_underlying")}
    assert listed - taken == set()


def test_every_package_has_targets_for_somebody_and_says_whose_judgement_it_is():
    entry = load_packages(day=datetime.date(2026, 1, 1))
    rules = rules_of_all_codes()
    with_targets = {rules.packages[k] for j, k in enumerate(rules.pool_package) if rules.pools[..., j].any()}
    assert with_targets == set(entry.packages)
    assert all(one.judgement == "own" and one.unverified and one.literature for one in entry.packages.values())
    assert entry.unverified


def test_no_target_is_itself_redistributed():
    rules = rules_of_all_codes()
    sources = (rules.source >= 0).any(axis=(0, 1))
    assert not rules.pools[:, :, sources].any()


def test_levels_pool_the_evidence_of_their_group():
    counts, _ = counts_of(list(range(80)))
    broad = make_levels(AGES, 2, borrow=["broad_age", "nation", "everyone"])
    own, _, nation, everyone = (level.pooled(inside(counts)) for level in broad)
    assert (own == inside(counts)).all()
    assert nation[0, 0, 0] == pytest.approx(counts[:, 0, 0].sum(axis=0))
    assert everyone[1, 3, 1] == pytest.approx(counts.sum(axis=(0, 1, 2)))


def test_the_picture_names_the_causes_and_the_unchanged_total():
    from mortality.reports.redistribution_chart import draw_redistribution, leading_rows

    table = deaths("""
        A male 60-64 I63.9 30
        A male 60-64 I21.9 10
        A male 60-64 R99 20
        A male 60-64 - 4
    """)
    found = redistribute(table, deaths_column="deaths", minimum=1, cause_list="who_mortality_list_1", draws=20)
    assert leading_rows(found, 3)["cause"].tolist() == ["1-069", "1-067", "1-094"]
    drawn = draw_redistribution(found, language="vi")
    assert drawn.count("<figure") == 1
    assert drawn.count("<svg") == 2  # for paper and for phones
    assert "tổng 64 ca" in drawn
    assert "<svg" in draw_redistribution(found.iloc[:0].drop(columns=["lower", "upper"]), language="en")
