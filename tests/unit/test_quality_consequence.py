"""What a finding would change in the figures, four scenarios by place and year, and whether a conclusion changes."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import table
from tkyt_analysis.quality.conclusion import (
    conclusion_sentence,
    conclusions,
    direction,
    rank_group,
    target_reached,
)
from tkyt_analysis.quality.consequence import (
    FINDING_CONSEQUENCE,
    Relations,
    Settings,
    adjusted_sql,
    prepare,
)
from tkyt_analysis.quality.consequence_release import base_elements, linear_parts, scenario_settings, targets
from tkyt_analysis.quality.findings import make_findings

PLACES = table("""
    unit_id | province  | level
    a       | VN2025:51 | commune
    b       | VN2025:51 | commune
    c       | VN2025:79 | commune
    h       | VN2025:79 | district
    """)
VALUES = table("""
    unit_id | period_id | element_id | value
    a       | 202401    | births     |   100
    b       | 202401    | births     |   200
    c       | 202401    | births     |   300
    a       | 202402    | births     |  1000
    b       | 202402    | births     |   200
    c       | 202402    | births     |   300
    a       | 202402    | bcg        |   80
    c       | 202402    | bcg        |   90
    h       | 202402    | births     |  7777
    a       | 202402    | deaths     |   50
    a       | 202402    | beds       |   30
    """).astype({"period_id": "str"})
ELEMENTS = pd.DataFrame(
    [("births", True, False), ("bcg", True, False), ("deaths", True, True), ("beds", False, False)],
    columns=["element_id", "flow", "never"],
).assign(dataset_id="d", kind="month", level="commune", whole="")
FORM_RATIO = pd.DataFrame(
    [("bcg", 1.0, 0.0), ("births", 0.0, 1.0)], columns=["element_id", "numerator", "denominator"]
).assign(dataset_id="d", figure="bcg_share", per=100.0, flow=True, never=False, programme=False)
TEN_TIMES = {"unit_id": "a", "period_id": "202402", "element_id": "births", "value": 1000.0, "suggested": 100.0,
             "lower": 80.0, "upper": 120.0, "probability": 0.9, "verdict": "error_high"}  # fmt: skip


def found(*rows, severity="warning"):
    return make_findings(pd.DataFrame([*rows]).assign(dataset_id="d"), rule_id="r", severity=severity)


def connection(findings, values=VALUES, elements=ELEMENTS, coefficients=FORM_RATIO, **more):
    con = duckdb.connect()
    values = values.assign(dataset_id="d").merge(PLACES, on="unit_id")
    values = values.assign(category_id=values.get("category_id", ""))
    keys = ["dataset_id", "element_id", "category_id", "level", "period_id", "province"]
    relations = {
        "finding": findings,
        "place_of_unit": PLACES,
        "sums": values.groupby(keys, as_index=False)["value"].sum(),
    }
    relations |= more
    for name, rows in relations.items():
        con.register(f"given_{name}", rows)
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM given_{name}")
    names = Relations(sums="sums", **{name: name for name in more})
    settings = Settings(relations=names)
    prepare(con, elements, coefficients, settings)
    return con, settings


def consequence(*rows, **options):
    con, _ = connection(found(*rows), **options)
    return con.execute(f"{FINDING_CONSEQUENCE} ORDER BY ALL").df()


def scenarios(findings, **options):
    con, chosen = connection(findings, **options)
    return con.execute(adjusted_sql(chosen)).df()


def one(rows, **where):
    for name, value in where.items():
        rows = rows[rows[name] == value]
    (row,) = rows.to_dict("records")
    return row


# ---- Finding by finding


def test_a_finding_carries_what_it_would_change_in_its_province_and_the_nation():
    rows = consequence(TEN_TIMES)
    province = one(rows, figure="births", place="VN2025:51", period_id="202402")
    assert (province["reported"], province["with_suggestion"]) == (1000 + 200, 100 + 200)
    assert (province["change"], province["change_share"]) == (-900, -900 / 1200)
    nation = one(rows, figure="births", place="VN", period_id="202402")
    assert (nation["reported"], nation["change"]) == (1000 + 200 + 300, -900)
    assert (province["scope"], nation["scope"]) == ("VN2025-51", "VN")


def test_and_in_the_year():
    year = one(consequence(TEN_TIMES), figure="births", place="VN2025:51", period_id="2024")
    assert (year["reported"], year["change"]) == (100 + 200 + 1000 + 200, -900)


def test_and_in_the_ratios_that_its_element_is_part_of():
    ratio = one(consequence(TEN_TIMES), figure="bcg_share", place="VN", period_id="202402")
    assert ratio["reported"] == pytest.approx(100 * (80 + 90) / (1000 + 200 + 300))
    assert ratio["with_suggestion"] == pytest.approx(100 * (80 + 90) / (100 + 200 + 300))


def test_a_stock_has_no_yearly_total():
    beds = {
        "unit_id": "a",
        "period_id": "202402",
        "element_id": "beds",
        "value": 30.0,
        "suggested": 3.0,
        "verdict": "error_high",
    }
    assert set(consequence(beds)["period_id"]) == {"202402"}


def test_a_value_of_another_level_is_not_in_the_figure_and_changes_nothing():
    assert consequence(TEN_TIMES | {"unit_id": "h", "value": 7777.0}).empty


def test_only_a_category_that_is_summed_changes_the_figure():
    cells = VALUES.assign(category_id="total")
    whole = ELEMENTS.assign(whole="total")
    assert consequence(TEN_TIMES | {"category_id": "female"}, values=cells, elements=whole).empty
    assert len(consequence(TEN_TIMES | {"category_id": "total"}, values=cells, elements=whole))


def test_shocks_notes_sums_of_other_cells_and_missing_reports_suggest_no_value():
    passed = [{"verdict": "shock"}, {"verdict": "inconsistent", "suggested": np.nan, "expected": 90.0}]
    assert all(consequence(TEN_TIMES | one).empty for one in passed)
    con, _ = connection(found(TEN_TIMES, severity="note"))
    assert con.execute(FINDING_CONSEQUENCE).df().empty


def test_without_a_suggestion_the_expected_value_serves():
    row = one(
        consequence(TEN_TIMES | {"suggested": np.nan, "expected": 120.0}),
        figure="births",
        place="VN",
        period_id="202402",
    )
    assert row["change"] == 120 - 1000


PROGRAMME = table("""
    indicator_id | unit_id | period_id | numerator | denominator | status
    share        | a       | 202402    |        80 |        1000 | ok
    share        | c       | 202402    |        90 |         300 | ok
    share        | b       | 202402    |       nan |         200 | not_assessable
    """).assign(dataset_id="d").astype({"period_id": "str", "numerator": "float64"})  # fmt: skip


def test_ratios_of_a_data_set_are_those_that_are_published():
    """b has no numerator, so the published ratio is (80 + 90)/(1000 + 300), and a finding on b changes nothing."""
    ratio = FORM_RATIO.assign(figure="share", programme=True)
    rows = consequence(TEN_TIMES, coefficients=ratio, programme=PROGRAMME)
    nation = one(rows, figure="share", place="VN", period_id="202402")
    assert nation["reported"] == pytest.approx(100 * (80 + 90) / (1000 + 300))
    assert nation["with_suggestion"] == pytest.approx(100 * (80 + 90) / (100 + 300))
    on_b = TEN_TIMES | {"unit_id": "b", "value": 200.0, "suggested": 20.0}
    assert "share" not in set(consequence(on_b, coefficients=ratio, programme=PROGRAMME)["figure"])


def test_an_expression_is_a_sum_of_columns_or_is_left_out():
    assert linear_parts("first + 2 * second - third") == {"first": 1, "second": 2, "third": -1}
    assert linear_parts("coalesce(first, 0) + second") == {"first": 1, "second": 1}
    assert linear_parts("first * second") is None
    assert linear_parts("first + 1") is None
    assert linear_parts("greatest(first, second)") is None


# ---- Four scenarios

REPORTS = table("""
    period_id | province  | expected | received
    202401    | VN2025:51 |       10 |        8
    202402    | VN2025:51 |       10 |       12
    202401    | VN2025:79 |       10 |        2
    202402    | VN2025:79 |       10 |       10
    """).assign(dataset_id="d").astype({"period_id": "str"})  # fmt: skip


def test_the_four_scenarios_by_hand():
    """Province 51: 300 in January at 80 %, factor 1 + (1/0.8 − 1)·0.25 = 1.0625; February over-reported, factor 1."""
    rows = scenarios(found(TEN_TIMES), report=REPORTS)
    births = rows[(rows["figure"] == "births") & (rows["place"] == "VN2025:51")].set_index("scenario")["value"]
    assert births["none"] == 300 + 1200
    assert births["outliers"] == 300 + 1200 - 900
    assert births["completeness"] == pytest.approx(300 * 1.0625 + 1200)
    assert births["both"] == pytest.approx(300 * 1.0625 + 1200 - 900)


def test_a_rate_below_three_quarters_takes_the_provinces_usual_one():
    """Province 79: January at 20 % takes the median of its good rates (100 %): factor 1."""
    rows = scenarios(found(TEN_TIMES), report=REPORTS)
    assert one(rows, figure="births", place="VN2025:79", scenario="completeness")["value"] == 600


def test_the_share_that_was_adjusted_and_the_interval_of_the_suggestions_are_told():
    row = one(scenarios(found(TEN_TIMES), report=REPORTS), figure="births", place="VN2025:51", scenario="outliers")
    assert row["share_adjusted"] == 900 / 600
    assert (row["lower"], row["upper"]) == (600 - (120 - 80) / 2, 600 + (120 - 80) / 2)
    assert (row["reported"], row["periods"]) == (1500, 2)


def test_without_reports_nothing_is_filled_and_the_share_without_a_rate_is_told():
    row = one(scenarios(found(TEN_TIMES)), figure="births", place="VN", scenario="completeness")
    assert (row["value"], row["share_without_rate"]) == (row["reported"], 1)


def test_deaths_are_never_adjusted_and_say_so():
    died = TEN_TIMES | {"element_id": "deaths", "value": 50.0, "suggested": 5.0}
    rows = scenarios(found(died), report=REPORTS)
    deaths = rows[rows["figure"] == "deaths"]
    assert set(deaths["value"]) == {50}
    assert set(deaths["excluded"]) == {"deaths"}


def test_of_several_findings_on_one_cell_one_counts_and_a_doubtful_one_does_not():
    sure, second = TEN_TIMES, TEN_TIMES | {"suggested": 150.0, "probability": 0.6}
    doubtful = TEN_TIMES | {"unit_id": "b", "value": 200.0, "suggested": 20.0, "probability": 0.3}
    findings = pd.concat(
        [make_findings(pd.DataFrame([row]).assign(dataset_id="d"), rule_id=rule, severity="warning")
         for rule, row in (("r", sure), ("s", second), ("r", doubtful))]
    )  # fmt: skip
    row = one(scenarios(findings), figure="births", place="VN2025:51", scenario="outliers")
    assert row["value"] == 1500 - 900


def test_stocks_have_no_yearly_total():
    assert "beds" not in set(scenarios(found(TEN_TIMES))["figure"])


drawn = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["202401", "202402"]), st.integers(0, 900), st.floats(0, 1)),
    min_size=1, max_size=6, unique_by=lambda row: row[:2],
)  # fmt: skip


@settings(max_examples=10)
@given(rows=drawn)
def test_provinces_add_up_to_the_nation_and_the_scenario_none_is_what_was_reported(rows):
    suggested = [
        TEN_TIMES | {"unit_id": unit, "period_id": month, "suggested": float(value), "probability": p}
        for unit, month, value, p in rows
    ]
    result = scenarios(found(*suggested), report=REPORTS)
    totals = result[result["figure_kind"] == "total"]
    wide = totals.pivot_table(
        index=["figure", "scenario"], columns=totals["place"] == "VN", values="value", aggfunc="sum"
    )
    np.testing.assert_allclose(wide[True], wide[False])
    none = totals[totals["scenario"] == "none"]
    np.testing.assert_array_equal(none["value"], none["reported"])


# ---- Does the conclusion change?


def yearly(text):
    rows = table(text).astype({"year": "str"})
    rows = rows.assign(figure_kind="total", dataset_id="d", figure="births")
    return rows.assign(
        noise=rows["value"] ** 0.5,
        periods=rows.get("periods", 12),
        scenario=rows.get("scenario", "none"),
        place=rows.get("place", "VN"),
    )


def test_a_change_within_counting_noise_is_no_rise():
    """100 → 120: 1.96·sqrt(100 + 120) = 29 > 20; 100 → 200: 1.96·sqrt(300) = 34 < 100."""
    assert direction(yearly("year | value\n 2023 | 100\n 2024 | 120")).tolist() == ["", "same"]
    assert direction(yearly("year | value\n 2023 | 100\n 2024 | 200\n 2025 | 90")).tolist() == ["", "up", "down"]


def test_half_a_year_is_not_compared_with_a_whole_one():
    assert direction(yearly("year | value | periods\n 2023 | 100 | 12\n 2024 | 300 | 6")).tolist() == ["", ""]


def test_the_three_highest_and_lowest_of_at_least_seven_provinces():
    provinces = yearly(
        "place | year | value\n" + "\n".join(f"p{n} | 2024 | {n}" for n in range(1, 9)) + "\nVN | 2024 | 36"
    )
    assert rank_group(provinces).tolist() == ["lowest"] * 3 + ["middle"] * 2 + ["highest"] * 3 + [""]
    assert set(rank_group(provinces.head(6))) == {""}


def test_a_target_counts_from_the_year_by_which_it_is_to_be_reached():
    aims = pd.DataFrame({"figure": ["births"], "day": ["2024-06-30"], "target": [80.0], "higher_is": ["better"]})
    assert target_reached(yearly("year | value\n 2023 | 90\n 2024 | 79\n 2025 | 80"), aims).tolist() == [
        "",
        "no",
        "yes",
    ]
    fewer = aims.assign(higher_is="worse")
    assert target_reached(yearly("year | value\n 2024 | 79"), fewer).tolist() == ["yes"]


def test_a_conclusion_that_changes_is_told_in_words():
    rows = conclusions(
        yearly("""
        year | scenario | value
        2023 | none     |  1000
        2024 | none     |  5000
        2023 | outliers |  1000
        2024 | outliers |   700
        2023 | both     |  1000
        2024 | both     |  5200
        """)
    )
    words = rows.set_index(["year", "scenario"])
    assert words["conclusion_changes"].to_dict() == {
        ("2023", "none"): "not_assessable", ("2024", "none"): "no", ("2023", "outliers"): "not_assessable",
        ("2024", "outliers"): "yes", ("2023", "both"): "not_assessable", ("2024", "both"): "no",
    }  # fmt: skip
    reported, outliers = words.loc[("2024", "none")], words.loc[("2024", "outliers")]
    assert (
        conclusion_sentence(outliers, reported, "en") == "The conclusion changes: against the year before rose → fell."
    )
    assert conclusion_sentence(outliers, reported, "vi") == "Kết luận thay đổi: so với năm trước tăng → giảm."
    assert "không đổi" in conclusion_sentence(words.loc[("2024", "both")], reported, "vi")
    assert "Not assessable" in conclusion_sentence(words.loc[("2023", "none")], reported, "en")


def test_several_conclusions_that_change_are_all_told():
    aims = pd.DataFrame({"figure": ["births"], "day": ["2024-06-30"], "target": [3000.0], "higher_is": ["better"]})
    text = (
        "year | scenario | value\n2023 | none | 1000\n2024 | none | 5000\n2023 | outliers | 1000\n2024 | outliers | 700"
    )
    rows = conclusions(yearly(text), aims).set_index(["year", "scenario"])
    changed, reported = rows.loc[("2024", "outliers")], rows.loc[("2024", "none")]
    assert changed["changed"] == "direction, target_reached"
    assert "target reached → not reached" in conclusion_sentence(changed, reported, "en")


def test_the_targets_of_the_catalog_are_read():
    assert {"quangngai_chip_card_share"} <= set(targets()["figure"])


def test_a_home_without_values_or_findings_has_no_consequences():
    con, chosen = connection(
        found(TEN_TIMES).head(0), values=VALUES.head(0), elements=ELEMENTS.head(0), coefficients=FORM_RATIO.head(0)
    )
    assert con.execute(FINDING_CONSEQUENCE).df().empty
    assert conclusions(con.execute(adjusted_sql(chosen)).df()).empty


def test_values_without_a_period_or_element_are_no_base_of_a_figure():
    rows = VALUES.assign(dataset_id="d", category_id="", level="commune", province="VN2025:51")
    con = duckdb.connect()
    con.register("given", pd.concat([rows, rows.assign(period_id=None), rows.assign(element_id="", period_id="")]))
    con.execute("CREATE TABLE sums AS SELECT * FROM given")
    received = pd.DataFrame({"dataset_id": ["d"], "element_id": ["deaths"], "name": ["Số tử vong"]})
    base = base_elements(con, "sums", received, scenario_settings()).set_index("element_id")
    assert sorted(base.index) == ["bcg", "beds", "births", "deaths"]
    assert base["never"].to_dict() == {"bcg": False, "beds": False, "births": False, "deaths": True}
    assert set(base["kind"]) == {"month"}
