"""The tables of consequences in a real release: their reported figures are those that the cube publishes."""

import pandas as pd
import pytest
from drawn_release import DIVIDED, HANOI_OLD, WHOLE

from tkyt_analysis import cube
from tkyt_analysis.cube.model import View
from tkyt_analysis.modules import parts
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.quality.findings import make_findings
from tkyt_analysis.reference.periods import period
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import Release, publish

DATASET = "maternal_child_health"
#          unit     month     deliveries, in a facility, maternal deaths, pregnant women managed (a stock)
REPORTED = [
    (WHOLE, "202401", 100, 90, 0, 40),
    (WHOLE, "202402", 1000, 95, 9, 41),  # the planted error: deliveries ×10
    (DIVIDED, "202401", 60, 50, 0, 20),
    (DIVIDED, "202402", 70, None, 0, 20),
    (HANOI_OLD, "202402", 300, 290, 1, 90),
    ("VN2024:51", "202402", 9999, None, 0, 0),  # a sum that the province sent: never added to its communes
]
COLUMNS = ("deliveries", "facility_deliveries", "maternal_deaths", "pregnant_women")


NEEDED = ("organisation_unit", "facility", "data_element", "data_set", "aggregate_value", "place", "province_value", "province_report",
          "programme_indicator", "finding_consequence", "adjusted_total", "question_rank")  # fmt: skip


def tables_needed(kind):
    """Only the tables that these tests read."""
    return {name: maker for name, maker in parts(kind).items() if name in NEEDED}


def values():
    rows = [
        (unit, month, f"{DATASET}/{name}", float(count))
        for unit, month, *counts in REPORTED
        for name, count in zip(COLUMNS, counts, strict=True)
        if count is not None
    ]
    table = pd.DataFrame(rows, columns=["unit_id", "period_id", "element_id", "value"]).assign(category_id="")
    starts, ends = ([getattr(period(one), edge) for one in table["period_id"]] for edge in ("start", "end"))
    return table.assign(dataset_id=DATASET, period_start=starts, period_end=ends, sheet="", row_number=1)


def findings():
    of = {"dataset_id": DATASET, "unit_id": WHOLE, "period_id": "202402", "verdict": "error_high"}
    rows = [
        of
        | {
            "element_id": f"{DATASET}/deliveries",
            "value": 1000.0,
            "suggested": 100.0,
            "probability": 0.9,
            "at_stake": 900,
        },
        of
        | {
            "element_id": f"{DATASET}/maternal_deaths",
            "value": 9.0,
            "suggested": 0.0,
            "probability": 0.9,
            "at_stake": 9,
        },
    ]
    return make_findings(pd.DataFrame(rows), rule_id="outlier_count", severity="warning")


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    home = tmp_path_factory.mktemp("consequence") / "home"
    prepare_home(home, practice=True)
    received = pd.DataFrame([{"file_sha256": "0" * 64, "file_name": "a.xlsx", "received_at": "2024-03-01 00:00:00", "door": "tabular",
                              "rows_received": 1, "rows_landed": 1, "rows_quarantined": 0, "notes": 0}])  # fmt: skip
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        for table, rows in (
            ("received_file", received),
            ("aggregate_value", values().assign(file_sha256="0" * 64)),
            ("finding", findings()),
            ("data_element", pd.DataFrame([{"dataset_id": "other", "element_id": "e", "name": "khác"}])),
            ("data_set", pd.DataFrame([{"dataset_id": DATASET, "name": "Bà mẹ trẻ em", "period_type": "month"}])),
        ):
            warehouse.con.register("incoming", rows)
            warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM incoming")
            warehouse.con.unregister("incoming")
    with pytest.MonkeyPatch.context() as only:
        only.setattr("tkyt_analysis.warehouse.release.parts", tables_needed)
        publish(home)
    return Release(home)


def published(release, measure, by, **where):
    rows = cube.evaluate(release, View((f"{DATASET}/{measure}",), (by,), **where)).rows
    return dict(zip(rows[by], rows["value"], strict=True))


def reported(release, figure, period_id):
    rows = release.query(
        "SELECT DISTINCT place, reported FROM finding_consequence WHERE figure = ? AND period_id = ?",
        [figure, period_id],
    )
    return dict(zip(rows["place"], rows["reported"], strict=True))


def test_reported_totals_and_ratios_are_those_that_the_cube_publishes(release):
    for measure, figure in (("deliveries", f"{DATASET}/deliveries"), ("facility_delivery_share",) * 2):
        for period_id in ("202402", "2024"):
            ours = reported(release, figure, period_id)
            theirs = published(release, measure, "province", period=period_id)
            assert ours["VN2025:51"] == pytest.approx(theirs["VN2025:51"]), (figure, period_id)
            (nation,) = cube.evaluate(release, View((f"{DATASET}/{measure}",), (), period=period_id)).rows["value"]
            assert ours["VN"] == pytest.approx(nation), (figure, period_id)


def test_a_tenth_of_the_planted_deliveries_changes_total_and_share(release):
    rows = release.query("SELECT * FROM finding_consequence WHERE place = 'VN2025:51' AND period_id = '202402'")
    rows = rows.set_index("figure")
    total = rows.loc[f"{DATASET}/deliveries"]
    assert (total["reported"], total["with_suggestion"]) == (1000 + 70, 100 + 70)
    share = rows.loc["facility_delivery_share"]  # the divided commune has no numerator, so it is not in the share
    assert (share["reported"], share["with_suggestion"]) == (
        pytest.approx(100 * 95 / 1000),
        pytest.approx(100 * 95 / 100),
    )


def test_maternal_deaths_are_never_adjusted_and_stocks_have_no_year(release):
    rows = release.query("SELECT * FROM adjusted_total WHERE place = 'VN' AND figure_kind = 'total'")
    deaths = rows[rows["figure"] == f"{DATASET}/maternal_deaths"]
    assert set(deaths["value"]) == {9 + 1}
    assert set(deaths["excluded"]) == {"deaths"}
    assert f"{DATASET}/pregnant_women" not in set(rows["figure"])
    assert (
        rows.set_index(["figure", "scenario"]).loc[(f"{DATASET}/deliveries", "outliers"), "value"]
        == 100 + 100 + 60 + 70 + 300
    )


def test_the_two_findings_on_one_form_are_one_question(release):
    rows = release.query("SELECT * FROM question_rank")
    assert rows["rank"].tolist() == [1, 1]
    assert rows["score"].tolist() == pytest.approx([900 * 0.9 + 9 * 0.9] * 2)
    assert rows["within_budget"].all()
    assert set(rows["province_id"]) == {"VN2025:51"}


def test_national_figures_lie_in_the_nations_scope(release):
    for table in ("finding_consequence", "adjusted_total"):
        rows = release.query(f"SELECT DISTINCT place, scope FROM {table}")
        assert (rows["scope"] == rows["place"].str.replace(":", "-")).all()
