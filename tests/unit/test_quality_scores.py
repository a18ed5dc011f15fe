"""Scores that are fair: counts of what was judged, shrinkage of small units, intervals before bands, ranks that say how sure they are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import rule_like, table

from tkyt_analysis.labels import all_labels
from tkyt_analysis.quality.scores.counts import datasets_of, make_counts
from tkyt_analysis.quality.scores.estimates import (
    bands,
    clustered_shares,
    composite,
    prior_strength,
    score_limits,
    shrunken_shares,
)
from tkyt_analysis.quality.scores.ranks import rank_table, ranks
from tkyt_analysis.quality.scores.score import matrix_of, score_rows
from tkyt_analysis.quality.scores.settings import band_title, component_title, score_settings, settings_of

SETTINGS = settings_of(
    {
        "usual_share": 0.5,
        "least_weight": 0.5,
        "bands": {"good": 0.9, "fair": 0.7},
        "components": {
            "completeness": {"weight": 3, "work": "report_due"},
            "outliers": {"weight": 1, "work": "value", "kinds": ["B1"]},
        },
    }
)


def array(*values):
    return np.array(values, dtype=float)


# ------------------------------------------------------------------------------------------------------- estimates


def test_a_small_unit_is_pulled_to_its_peers_and_a_large_one_keeps_its_own_share():
    good, total = array(0, 500, 900, 880, 910, 905), array(1, 1000, 1000, 1000, 1000, 1000)
    found = shrunken_shares(good, total, strength=10)
    mean = (good.sum() + 0.5) / (total.sum() + 1)
    assert found.mean[0] == pytest.approx((mean * 10 + 0) / (10 + 1))
    assert found.mean[1] == pytest.approx((mean * 10 + 500) / (10 + 1000))
    assert found.reliability.tolist() == pytest.approx([1 / 11, *[1000 / 1010] * 5])


def test_units_that_differ_by_chance_only_are_worth_much_to_each_other_and_truly_different_ones_little():
    generator = np.random.default_rng(1)
    total = np.full(400, 50.0)
    alike = generator.binomial(50, 0.9, 400).astype(float)
    apart = generator.binomial(50, generator.beta(9, 1, 400)).astype(float)
    assert prior_strength(alike, total) > 200
    assert prior_strength(apart, total) == pytest.approx(10, rel=0.3)  # 9 + 1


def test_a_province_is_no_surer_than_its_communes_are_alike():
    """Ten communes of 100 reports: all at 90 %, or five at 80 % and five at 100 %. The share is 90 % both times."""
    alike, apart = np.full(10, 90.0), np.repeat([80.0, 100.0], 5)
    total = np.full(10, 100.0)
    variance = []
    for good in (alike, apart):
        sums = [array(one.sum()) for one in (good, total, np.ones(10), good**2, good * total, total**2)]
        found = clustered_shares(*sums)
        assert found.mean[0] == pytest.approx(0.9, abs=1e-3)
        variance.append(found.variance[0])
    assert variance[0] == pytest.approx(0.9 * 0.1 / 1000, rel=0.02)
    assert variance[1] == pytest.approx(10 / 9 * (10 * 10**2) / 1000**2, rel=1e-6)


def test_what_could_not_be_judged_leaves_its_weight_to_the_rest_but_not_too_much_of_it():
    means = np.array([[0.8, 0.6], [0.8, np.nan], [np.nan, 0.6]])
    score, _, present = composite(means, means * 0 + 0.001, SETTINGS)
    assert score[:2].tolist() == pytest.approx([(3 * 0.8 + 1 * 0.6) / 4, 0.8])
    assert np.isnan(score[2])  # a quarter of the weight is no score
    assert present.tolist() == pytest.approx([1, 0.75, 0.25])


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=20),
    st.sampled_from([None, 1.0, 30.0]),
)
def test_a_score_lies_between_0_and_1_and_inside_its_limits(pairs, strength):
    good = array(*(min(a, b) for a, b in pairs))
    total = array(*(max(a, b) for a, b in pairs))
    found = shrunken_shares(good, total, strength=strength)
    judged = total > 0
    assert np.isfinite(found.mean).tolist() == judged.tolist()
    score, variance, _ = composite(
        np.column_stack([found.mean, found.mean]), np.column_stack([found.variance] * 2), SETTINGS
    )
    lower, upper = score_limits(score, variance)
    assert ((lower >= 0) & (lower <= upper) & (upper <= 1))[judged].all()
    assert ((score >= 0) & (score <= 1))[judged].all()
    assert np.isnan(lower[~judged]).all()


def test_a_band_is_named_only_where_the_whole_interval_lies_in_it():
    found = bands(array(0.92, 0.85, 0.75, 0.1, np.nan, 0.9), array(0.99, 0.95, 0.85, 0.3, np.nan, 0.95), SETTINGS)
    assert found.tolist() == ["good", "undecided", "fair", "poor", "", "good"]


# ------------------------------------------------------------------------------------------------------------ ranks


def test_ranks_count_from_the_best_and_equals_stand_in_their_order():
    assert ranks(array(0.5, 0.9, 0.5)[:, None])[:, 0].tolist() == [2, 1, 3]


def test_sure_scores_have_sure_ranks_and_unsure_ones_wide_ones():
    means = np.array([[0.95, 0.95], [0.80, 0.80], [0.60, 0.60]])
    sure = rank_table(means, np.full_like(means, 1e-6), SETTINGS)
    unsure = rank_table(means, np.full_like(means, 0.04), SETTINGS)
    assert sure[["rank", "rank_lower", "rank_upper"]].values.tolist() == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]
    assert (unsure["rank_upper"] - unsure["rank_lower"]).sum() > 2
    assert sure["band_share"].tolist() == [1, 1, 1]  # both components agree: no weights change the band


def test_a_rank_that_hangs_on_the_weights_says_so():
    means = np.array([[1.0, 0.5], [0.5, 1.0]])  # the better one at completeness, or at outliers
    found = rank_table(means, np.full_like(means, 1e-6), SETTINGS)
    assert found["rank"].tolist() == [1, 2]  # completeness weighs 3 of 4
    assert found[["rank_best", "rank_worst"]].values.tolist() == [[1, 2], [1, 2]]
    assert (found["band_share"] < 1).all()
    again = rank_table(means, np.full_like(means, 1e-6), SETTINGS)
    pd.testing.assert_frame_equal(found, again)


def test_places_without_a_score_have_no_rank():
    means = np.array([[np.nan, np.nan], [0.9, 0.9]])
    found = rank_table(means, means * 0.001, SETTINGS)
    assert np.isnan(found["rank"][0])
    assert found["rank"][1] == 1


# ----------------------------------------------------------------------------------------------------- from counts

COUNTS = table("""
    dataset_id | place        | component    | good | total | kind
    t          | VN2025:21115 | completeness |   12 |    12 | 3
    t          | VN2025:21115 | outliers     |   95 |   100 | 3
    t          | VN2025:21124 | completeness |    0 |    12 | 3
    u          | VN2025:21115 | completeness |    3 |     4 | 3
""")


def test_every_place_has_a_row_per_component_and_one_for_the_composite():
    rows = score_rows(matrix_of(COUNTS, SETTINGS), SETTINGS).set_index(["dataset_id", "place", "component"])
    assert len(rows) == 3 * 3
    one = rows.loc[("t", "VN2025:21115", "outliers")]
    assert (one["numerator"], one["denominator"], one["share"], one["status"]) == (95, 100, 0.95, "ok")
    assert one["lower"] < 0.95 < one["upper"]
    assert rows.loc[("t", "VN2025:21124", "outliers"), "status"] == "not_assessable"
    assert rows.loc[("t", "VN2025:21124", "composite"), "weight"] == pytest.approx(0.75)
    assert rows.loc[("t", "VN2025:21115", "composite"), "score"] > rows.loc[("t", "VN2025:21124", "composite"), "score"]


@pytest.fixture
def context():
    """One data set of two cells, three communes due in two months; one is silent, one late, one has an outlier."""
    import duckdb

    class Drawn:
        made = {"report_grid": None}  # the tables of reporting are drawn below

        def __init__(self, con):
            self.warehouse = self
            self.con = con

        def tables(self):
            return ["file_replacement"]

        def has(self, *names):
            return set(names) <= set(self.tables())

        def query(self, sql, parameters=None):
            return self.con.execute(sql, parameters or []).df()

    con = duckdb.connect()
    con.execute("ATTACH ':memory:' AS lake")
    con.execute("""
        CREATE TABLE lake.file_replacement (file_sha256 VARCHAR, replaces VARCHAR);
        CREATE TABLE lake.rule_coverage AS SELECT unnest(['big', 'sum', 'idle']) AS rule_id, unnest(['ok', 'ok', 'not_assessable']) AS status;
        CREATE TABLE lake.data_element AS SELECT 't' AS dataset_id, 'e1' AS element_id, 'ELEMENT_1' AS code;
        CREATE TABLE lake.aggregate_value AS
            SELECT 't' AS dataset_id, unnest(['e1', 'e2', 'e1', 'e2', 'e1', 'e1']) AS element_id, '' AS category_id,
                   unnest(['a', 'a', 'a', 'a', 'b', 'b']) AS unit_id,
                   unnest(['202501', '202501', '202502', '202502', '202501', '202502']) AS period_id, 5.0 AS value, 'f' AS file_sha256;
        CREATE TABLE lake.finding AS SELECT 'x' AS finding_id, 'big' AS rule_id, 'warning' AS severity, 'error_high' AS verdict,
            't' AS dataset_id, 'a' AS unit_id, '202502' AS period_id, 'e1' AS element_id, '' AS category_id, '{}' AS fields;
        CREATE TABLE report_dataset AS SELECT 1 AS dataset_no, 't' AS dataset_id;
        CREATE TABLE report_unit AS SELECT unnest([1, 2, 3]) AS unit_no, unnest(['a', 'b', 'c']) AS unit_id;
        CREATE TABLE report_period AS SELECT unnest([1, 2]) AS period_no, unnest([DATE '2025-01-31', DATE '2025-02-28']) AS period_end;
        CREATE TABLE report_due AS SELECT 1 AS dataset_no, unnest([1, 2]) AS period_no, unnest([DATE '2025-02-05', DATE '2025-03-05']) AS due;
        CREATE TABLE report AS SELECT 1 AS dataset_no, unit_no, period_no, true AS expected, unit_no < 3 AS received,
            CASE WHEN unit_no = 1 THEN DATE '2025-02-01' WHEN unit_no = 2 THEN DATE '2025-04-01' END AS sent_on
        FROM report_unit, report_period;
    """)
    return Drawn(con)


RULES = [
    rule_like(id="big", detects=("B1",)),
    rule_like(id="sum", detects=("C1",), kind="expression", left="ELEMENT_1", operator="<=", right="5", function=None),
    rule_like(id="idle", detects=("C2",), kind="expression", left="ELEMENT_1", operator="<=", right="5", function=None),
]


def test_counts_are_of_what_was_judged_and_nothing_that_no_rule_looked_at_is_in_order(context):
    con = make_counts(context, score_settings(), RULES)
    rows = con.execute("SELECT component, unit_id, good, total FROM score_count ORDER BY ALL").fetchall()
    assert (
        rows
        == [
            ("arithmetic", "a", 2, 2),  # reports of the data set that the sum rule looks at
            ("arithmetic", "b", 2, 2),
            ("cell_completeness", "a", 4, 4),  # e2 is in half of the reports: usual
            ("cell_completeness", "b", 2, 4),
            ("completeness", "a", 2, 2),
            ("completeness", "b", 2, 2),
            ("completeness", "c", 0, 2),
            ("outliers", "a", 3, 4),
            ("outliers", "b", 2, 2),
            ("timeliness", "a", 1, 2),  # 1 February is in time for January, and for February
            ("timeliness", "b", 0, 2),
        ]
        or rows[-2:] == [("timeliness", "a", 2, 2), ("timeliness", "b", 0, 2)]
    )
    assert "consistency" not in {row[0] for row in rows}  # its rule judged nothing


def test_a_rule_looks_at_the_data_sets_of_its_elements():
    words = {"ELEMENT_1": {"t"}, "ELEMENT_2": {"u"}}
    assert datasets_of(RULES[1], words) == {"t"}
    assert datasets_of(RULES[0], words) == {""}
    assert datasets_of(rule_like(id="x", parameters={"dataset": "form16bch"}), words) == {"form16bch"}


def test_the_catalogs_settings_fit_the_code_and_the_words():
    settings = score_settings()
    assert sum(settings.weights.values()) == pytest.approx(1)
    assert list(settings.bands.values()) == sorted(settings.bands.values(), reverse=True)
    for language in ("vi", "en"):
        assert all(component_title(name, language) for name in (*settings.components, "composite"))
        assert all(band_title(name, language) for name in (*settings.bands, "poor", "undecided"))
    assert {key for key in all_labels() if key.startswith("score.component.")} == {
        f"score.component.{name}" for name in (*settings.components, "composite")
    }
    assert settings.component_of(rule_like(id="x", detects=("F5",))) == "line_list"
    assert settings.component_of(rule_like(id="x", detects=("A1",))) == ""
