"""Who had to report, who did: nobody is forgotten, nothing is capped."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_path, table

from tkyt_analysis.quality.reporting.completeness import (
    completeness_share,
    never_reported,
    report_grid,
    reporting_completeness,
)

PERIODS = table("""
    period_id | period_start | period_end
    202501    | 2025-01-01   | 2025-01-31
    202502    | 2025-02-01   | 2025-02-28
""").astype({"period_id": str})
UNITS = table("""
    unit_id | province_id | valid_from | valid_to
    a       | P           | 2000-01-01 |
    b       | P           | 2000-01-01 | 2025-01-31
    c       | P           | 2000-01-01 |
    d       | Q           | 2025-02-01 |
    e       | Q           | 2000-01-01 | 2030-01-01
""")
ASSIGNED = pd.DataFrame({"dataset_id": "form", "unit_id": list("abcd")})


def reports(*pairs):
    return pd.DataFrame(
        [("form", unit, period) for unit, period in pairs], columns=["dataset_id", "unit_id", "period_id"]
    )


VALUES = reports(("a", "202501"), ("a", "202502"), ("b", "202501"), ("d", "202502"), ("e", "202501"), ("e", "202502"))


def test_expected_are_the_assigned_units_that_exist_in_the_period():
    grid = report_grid(VALUES, ASSIGNED, UNITS, PERIODS).query("expected")
    assert list(zip(grid["unit_id"], grid["period_id"])) == [
        ("a", "202501"),
        ("a", "202502"),
        ("b", "202501"),  # b closed on 31 January
        ("c", "202501"),
        ("c", "202502"),
        ("d", "202502"),  # d opened on 1 February
    ]


def test_a_unit_that_closes_within_the_month_still_owes_its_report():
    units = UNITS.assign(valid_to=UNITS["valid_to"].replace("2025-01-31", "2025-01-10"))
    grid = report_grid(VALUES, ASSIGNED, units, PERIODS).query("expected and unit_id == 'b'")
    assert grid["period_id"].tolist() == ["202501"]


def test_a_share_above_one_is_shown_and_not_capped():
    counted = reporting_completeness(VALUES, ASSIGNED, UNITS, PERIODS, by=["province_id"]).set_index("province_id")
    assert counted.loc["P", "share"] == pytest.approx(3 / 5)
    assert counted.loc["Q", ["expected", "received", "received_unexpected"]].tolist() == [1, 3, 2]
    assert counted.loc["Q", "share"] == pytest.approx(3 / 1)
    assert counted["status"].to_dict() == {"P": "ok", "Q": "above_expected"}


def test_a_unit_that_never_reported_counts_as_expected_and_is_listed():
    assert never_reported(VALUES, ASSIGNED, UNITS, PERIODS).to_numpy().tolist() == [["form", "c", 2]]
    by_unit = reporting_completeness(VALUES, ASSIGNED, UNITS, PERIODS, by=["unit_id"]).set_index("unit_id")
    assert by_unit.loc["c", "share"] == 0


def test_where_nothing_was_expected_the_share_is_not_assessable():
    by_unit = reporting_completeness(VALUES, ASSIGNED, UNITS, PERIODS, by=["unit_id"]).set_index("unit_id")
    assert by_unit.loc["e", "status"] == "not_assessable"
    assert pd.isna(by_unit.loc["e", "share"])


def test_marked_complete_and_data_present_stand_side_by_side():
    status = reports(("a", "202501"), ("c", "202501")).assign(completed=[True, True])
    counted = reporting_completeness(VALUES, ASSIGNED, UNITS, PERIODS, by=["dataset_id"], reporting_status=status)
    row = counted.iloc[0]
    assert (row["received"], row["marked_complete"]) == (6, 2)
    assert row["marked_without_data"] == 1  # c pressed the button and sent nothing
    assert row["data_without_mark"] == 5


def test_without_marks_their_columns_are_missing_not_zero():
    counted = reporting_completeness(VALUES, ASSIGNED, UNITS, PERIODS, by=["dataset_id"])
    assert counted[["marked_complete", "marked_without_data", "data_without_mark"]].isna().all(axis=None)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["202501", "202502"])), unique=True))
def test_provinces_add_up_to_the_nation(pairs):
    values = reports(*pairs)
    names = ["expected", "received", "received_unexpected"]
    provinces = reporting_completeness(values, ASSIGNED, UNITS, PERIODS, by=["province_id", "period_id"])
    nation = reporting_completeness(values, ASSIGNED, UNITS, PERIODS, by=["period_id"])
    assert provinces[names].sum().tolist() == nation[names].sum().tolist()
    assert nation["received"].sum() == len(pairs)


def test_kenya_received_more_reports_than_expected_behind_a_rate_of_one_hundred():
    panel = pd.read_csv(reference_path("quality", "panels", "kenya_cd2030", "Reporting_completeness.csv"))
    above = {}
    for form in ("ANC", "Instdelivey", "Vacc", "OPD", "IPD"):
        counts = panel[[f"{form}_reporting_received", f"{form}_reporting_expected"]].set_axis(
            ["received", "expected"], axis=1
        )
        above[form] = int((completeness_share(counts)["status"] == "above_expected").sum())
    assert min(above.values()) > 0
    assert all(369 <= above[form] <= 628 for form in ("ANC", "Instdelivey", "Vacc")), above
