"""Structure of causes: broad groups, NCD:CD ratio, severity of garbage, leading causes, age pattern, the VSPI-like index."""

import datetime

import numpy as np
import pandas as pd
import pytest
from support import table

from mortality.measures.cause_structure import (
    age_pattern,
    age_pattern_distance,
    broad_groups,
    csmf_accuracies,
    csmf_accuracy,
    expected_groups,
    garbage_severity,
    leading_causes,
    ncd_cd_ratio,
    vspi_inputs,
    vspi_like,
)
from mortality.measures.vspi_like import mapping
from tkyt_analysis.errors import InputError, UsageError

# A: 10 communicable, 60 noncommunicable, 30 injuries, 20 ill-defined, 5 without a code; B: nothing communicable.
DEATHS = table("""
    place | sex    | age_group | underlying_cause | deaths
    A     | male   | 60-64     | J18.9            |     10
    A     | male   | 60-64     | I63.9            |     60
    A     | female | 20-24     | V89.2            |     30
    A     | female | 85+       | R54              |     20
    A     | female | 85+       |                  |      5
    B     | male   | 60-64     | I63.9            |      8
""")
HOW = {"deaths_column": "deaths"}


def cell(found, column="share", **where):
    """The one value of a table at these keys."""
    rows = found
    for name, value in where.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows[column].iloc[0]


def test_broad_groups_share_the_deaths_whose_group_is_known():
    found = broad_groups(DEATHS, ["place"], **HOW)
    assert cell(found, place="A", group="communicable") == pytest.approx(10 / 100)
    assert cell(found, place="A", group="noncommunicable") == pytest.approx(60 / 100)
    assert cell(found, place="A", group="external") == pytest.approx(30 / 100)
    assert cell(found, place="A", group="undefined") == pytest.approx(25 / 125)
    z, p, n = 1.959964, 0.1, 100  # Wilson by hand
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert cell(found, "lower", place="A", group="communicable") == pytest.approx((middle - half) / (1 + z**2 / n), rel=1e-5)  # fmt: skip


def test_broad_groups_of_no_deaths_cannot_be_assessed():
    found = broad_groups(DEATHS.iloc[:0], **HOW)
    assert found["status"].tolist() == ["not_assessable"] * 4
    assert broad_groups(DEATHS.iloc[:0], ["place"], **HOW).empty


def test_the_ncd_cd_ratio_is_the_odds_of_noncommunicable_causes():
    found = ncd_cd_ratio(DEATHS, ["place"], **HOW)
    assert cell(found, "ratio", place="A") == pytest.approx(60 / 10)
    assert cell(found, "lower", place="A") < 6 < cell(found, "upper", place="A")


def test_without_communicable_deaths_there_is_a_lower_limit_and_no_ratio():
    row = ncd_cd_ratio(DEATHS, ["place"], **HOW).set_index("place").loc["B"]
    assert np.isnan(row["ratio"])
    assert np.isnan(row["upper"])
    assert row["lower"] > 1
    assert row["reason"] == "reason.no_communicable"


def test_garbage_by_severity_and_usable_codes_make_all_deaths():
    found = garbage_severity(DEATHS, ["place"], **HOW)
    assert cell(found, "deaths", place="A", severity="very_high") == 20  # senility
    assert cell(found, "deaths", place="A", severity="no_code") == 5
    parts = found[found["severity"] != "all_garbage"].groupby("place")["deaths"].sum()
    assert parts.to_dict() == {"A": 125, "B": 8}
    rest = found[found["severity"] == "usable"].set_index("place")["deaths"] + found[found["severity"] == "all_garbage"].set_index("place")["deaths"]  # fmt: skip
    assert rest.to_dict() == {"A": 125, "B": 8}


CAUSES = table("""
    place | cause | deaths
    A     | x     |   1000
    A     | y     |     30
    A     | z     |     29
    A     | gap   |   5000
    B     | y     |      2
""")


def test_leading_causes_have_a_rank_interval_that_chance_explains():
    found = leading_causes(CAUSES, ["place"], code="cause", cause_list=None, **HOW).set_index(["place", "cause"])
    assert found.loc[("A", "x"), ["rank", "rank_lower", "rank_upper"]].tolist() == [1, 1, 1]
    assert found.loc[("A", "y"), ["rank", "rank_lower", "rank_upper"]].tolist() == [2, 2, 3]
    assert found.loc[("A", "x"), "share"] == pytest.approx(1000 / 6059)
    assert ("A", "gap") not in found.index
    assert found.loc[("B", "y"), ["rank", "rank_lower", "rank_upper"]].tolist() == [1, 1, 1]


def test_only_the_first_ranks_are_listed_and_codes_are_put_into_items():
    found = leading_causes(DEATHS, ["place"], top=2, **HOW)
    assert found[["place", "cause", "deaths"]].values.tolist() == [["A", "1-069", 60], ["A", "1-096", 30], ["B", "1-069", 8]]  # fmt: skip


def test_ranks_do_not_depend_on_how_groups_are_cut_into_blocks(monkeypatch):
    whole = leading_causes(CAUSES, ["place"], code="cause", cause_list=None, **HOW)
    monkeypatch.setattr("mortality.measures.cause_ranks.BLOCK", 1)
    pieces = leading_causes(CAUSES, ["place"], code="cause", cause_list=None, **HOW)
    assert pieces[["cause", "rank"]].equals(whole[["cause", "rank"]])


def test_expected_shares_of_a_sex_and_age_add_up_to_one():
    sums = expected_groups().groupby(["sex", "age_group"])["share"].sum()
    assert len(sums) == 18
    assert sums.to_numpy() == pytest.approx(1, abs=0.0015)


def test_the_age_pattern_stands_beside_the_expected_one():
    found = age_pattern(DEATHS, ["place"], **HOW)
    row = found[(found["place"] == "A") & (found["age_group"] == "60-69") & (found["group"] == "noncommunicable")].iloc[
        0
    ]
    assert row["share"] == pytest.approx(60 / 70)
    assert row["difference"] == pytest.approx(60 / 70 - row["expected"])


def test_deaths_as_expected_lie_at_no_distance_and_others_far_away():
    as_expected = expected_groups().assign(
        underlying_cause=lambda rows: rows["group"].map({"communicable": "A16.9", "noncommunicable": "C22.0", "external": "V89.2"}),
        deaths=lambda rows: 1000 * rows["share"],
    )  # fmt: skip
    turned = as_expected.assign(underlying_cause="V89.2")
    near, far = (age_pattern_distance(age_pattern(one, **HOW)).iloc[0] for one in (as_expected, turned))
    assert near["value"] == pytest.approx(0, abs=1e-3)
    expected = expected_groups()
    others = expected[expected["group"] != "external"]["share"].sum() / 18
    assert far["value"] == pytest.approx(others, abs=1e-3)  # every death of another group stands in the wrong one
    assert age_pattern_distance(age_pattern(DEATHS.iloc[:1], **HOW))["reason"].tolist() == ["reason.too_few_deaths_for_pattern"]  # fmt: skip


def test_csmf_accuracy_of_many_places_is_that_of_each():
    true, found = np.array([[2.0, 3, 5], [1, 1, 8]]), np.array([[3.0, 3, 4], [1, 1, 8]])
    each = [csmf_accuracy(pd.Series(t / t.sum()), pd.Series(f / f.sum())) for t, f in zip(true, found)]
    assert csmf_accuracies(true, found) == pytest.approx(each)
    assert each[1] == 1
    with pytest.raises(InputError):
        csmf_accuracies(true, found[:, :2])


INPUTS = table("""
    place | deaths | garbage | age_sex_unknown | inconsistent | completeness | causes_in_list | years_late
    A     |   1000 |     0.2 |            0.02 |         0.01 |          0.9 |            200 |          1
    B     |   1000 |     0.2 |            0.02 |         0.01 |              |            200 |          1
""").assign(completeness=lambda rows: pd.to_numeric(rows["completeness"], errors="coerce"))


def test_the_index_is_the_product_of_what_each_dimension_keeps():
    found = vspi_like(INPUTS, ["place"]).set_index(["place", "dimension"])
    assert found.loc[("A", "index"), "value"] == pytest.approx(100 * 0.8 * 0.98 * 0.99 * 0.9 * 1 * 1)
    assert found.loc[("A", "index"), "band"] == "medium"
    assert found.loc[("A", "index"), "lower"] < found.loc[("A", "index"), "value"] < found.loc[("A", "index"), "upper"]
    assert found.loc[("A", "index"), "method"] == "VSPI-like 1.0"


def test_completeness_keeps_its_own_limits_also_where_they_lie_unevenly():
    one = INPUTS.iloc[:1].assign(completeness=0.87, completeness_lower=0.78, completeness_upper=0.98)
    found = vspi_like(one).set_index("dimension").loc["completeness"]
    assert (found["lower"], found["upper"]) == pytest.approx((0.78, 0.98), abs=0.01)


def test_a_dimension_without_a_figure_is_never_taken_as_perfect():
    found = vspi_like(INPUTS, ["place"]).set_index(["place", "dimension"])
    assert found.loc[("B", "index"), ["status", "reason", "band"]].tolist() == ["not_assessable", "reason.vspi_figure_missing", ""]  # fmt: skip
    assert found.loc[("B", "garbage"), "value"] == pytest.approx(0.8)


def test_without_timeliness_years_do_not_count():
    late = INPUTS.iloc[:1].assign(years_late=10)
    both = [vspi_like(late, timeliness=timely)["value"].iloc[-1] for timely in (True, False)]
    assert both[0] == pytest.approx(0.5 * both[1])


def test_the_figures_of_the_index_come_from_the_deaths():
    row = vspi_inputs(DEATHS, ["place"], **HOW).set_index("place").loc["A"]
    assert (
        row["garbage"] >= (20 + 5) / 125 - 1e-12
    )  # senility and no code lose everything; J18.9, V89.2 may lose a part
    assert row[["age_sex_unknown", "inconsistent"]].tolist() == [0, 0]
    wrong = DEATHS.assign(underlying_cause="O72.1")
    assert vspi_inputs(wrong, **HOW)["inconsistent"].iloc[0] == pytest.approx((10 + 60 + 8) / 133)  # of men


def test_the_mapping_is_dated_versioned_and_says_that_it_is_our_own():
    from tkyt_analysis.catalog.loader import load_entry

    assert mapping(datetime.date(2026, 1, 1))["version"] == "1.0"
    assert all(one.unverified for one in load_entry("thresholds", "vspi_like").values.values())
    with pytest.raises(InputError):
        mapping(datetime.date(1990, 1, 1))


@pytest.mark.parametrize("call", [broad_groups, ncd_cd_ratio, garbage_severity, leading_causes, age_pattern])
def test_a_missing_column_is_named(call):
    with pytest.raises(InputError, match="underlying_cause"):
        call(DEATHS.drop(columns="underlying_cause"))


def test_no_draws_of_ranks_is_wrong_use():
    with pytest.raises(UsageError):
        leading_causes(DEATHS, draws=0)
