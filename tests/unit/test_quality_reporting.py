"""Reporting: runs of missing reports, lateness, marks, units that fell silent, and zero against missing."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import rule_like, table
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.reporting import checks
from tkyt_analysis.quality.reporting.completeness import more_received_than_expected
from tkyt_analysis.quality.reporting.episodes import (
    data_set_source,
    episodes,
    inactive_units,
    make_successors,
    probability_stopped,
    silent_tails,
)
from tkyt_analysis.quality.reporting.missingness import missing_not_at_random
from tkyt_analysis.quality.reporting.runs import every_period, reaching_into
from tkyt_analysis.quality.reporting.sources import reports_of
from tkyt_analysis.quality.reporting.timeliness import lag_histogram, lag_query
from tkyt_analysis.quality.reporting.zero_storage import zeros_stored
from tkyt_analysis.quality.reporting.zeros import zero_model
from tkyt_analysis.quality.run import results_of

MONTHS = [f"2024{month:02}" for month in range(1, 13)]
ENDS = pd.date_range("2024-01-31", periods=12, freq="ME")
DUE = pd.DataFrame(
    {"dataset_id": "form", "period_id": MONTHS, "period_start": ENDS.to_period("M").start_time, "period_end": ENDS}
)
#          J F M A M J J A S O N D      x: report with data, .: nothing, m: marked but empty, u: data without a mark
SHOWN = {
    "every": "xxxxxxxxxxxx",
    "gaps":  "x..xx.xmxuxx",
    "stops": "xxxxx.......",
    "pause": "xxx......xxx",
    "late":  "xxxxxxxxxxxx",
    "extra": "..xx........",
}  # fmt: skip
UNITS = pd.DataFrame({"unit_id": list(SHOWN), "province_id": "VN2024:51"})
ASSIGNED = pd.DataFrame({"dataset_id": "form", "unit_id": [unit for unit in SHOWN if unit != "extra"]})
DAYS_LATE = {"202402": 3, "202403": 10, "202411": 1}


def reports(letters):
    found = [(unit, month) for unit, line in SHOWN.items() for month, one in zip(MONTHS, line) if one in letters]
    return pd.DataFrame(found, columns=["unit_id", "period_id"]).assign(dataset_id="form")


def marks():
    rows = reports("xm")
    late = rows["period_id"].map(DAYS_LATE).where(rows["unit_id"] == "late", 0).fillna(0)
    day = rows["period_id"].map(dict(zip(MONTHS, ENDS))) + pd.to_timedelta(5 + late, unit="D")
    return rows.assign(completed_at=day.dt.strftime("%Y-%m-%dT00:00:00.000"), completed=True)


def context(**options):
    values = reports("xu").assign(element_id="visits", category_id="", value=20.0)
    return context_of_tables(
        {
            "aggregate_value": values,
            "data_set_assignment": ASSIGNED,
            "organisation_unit": UNITS,
            "period": DUE,
            "reporting_status": marks(),
            "data_set": pd.DataFrame({"dataset_id": ["form"], "name": ["Form"], "timely_days": [5.0]}),
        },
        **options,
    )


def ask(check, *, given=None, **parameters):
    rule = rule_like(id="r", parameters=parameters)
    results = list(results_of(given or context(), rule, check))
    findings = pd.concat([one.findings for one in results], ignore_index=True)
    fields = pd.DataFrame([json.loads(text) for text in findings["fields"]], index=findings.index)
    counted = (sum(one.judged for one in results), sum(one.total for one in results))
    return findings.drop(columns="fields").join(fields), counted


def spans(findings):
    return findings[["unit_id", "period_id", "to", "months"]].to_numpy().tolist()


def test_months_missing_in_a_row_are_one_question():
    findings, (judged, _) = ask(checks.REPORT_MISSING)
    assert spans(findings) == [
        ["gaps", "202402", "202403", 2],
        ["gaps", "202406", "202406", 1],
        ["pause", "202404", "202409", 6],
        ["stops", "202406", "202412", 7],
    ]
    assert judged == 5 * 12  # every report that was due, those of units that never fail included


def test_the_finding_of_a_run_keeps_its_id_while_the_run_grows():
    shorter = context().con  # the same reports, seen two months earlier
    whole = ask(checks.REPORT_MISSING)[0].set_index("unit_id")["finding_id"]
    until = DUE[DUE["period_id"] <= "202410"]
    tables = {
        name: shorter.execute(f"SELECT * FROM {name}").df() for name in ("data_set_assignment", "organisation_unit")
    }
    values = reports("xu").assign(element_id="visits", category_id="", value=20.0)
    earlier = context_of_tables({"aggregate_value": values[values["period_id"] <= "202410"], "period": until, **tables})
    found = ask(checks.REPORT_MISSING, given=earlier)[0].set_index("unit_id")
    assert (found.loc["stops", "finding_id"], found.loc["stops", "to"]) == (whole["stops"], "202410")


def test_asking_for_one_month_finds_the_run_that_began_before_it():
    findings, _ = ask(checks.REPORT_MISSING, given=context(periods=frozenset({"202408"})))
    assert spans(findings) == [["pause", "202404", "202409", 6], ["stops", "202406", "202412", 7]]


def test_a_finding_of_several_periods_concerns_each_of_them():
    findings = pd.DataFrame(
        {
            "period_id": ["202411", "202401", "202405"],
            "fields": ['{"months": 3, "to": "202501"}', '{"periods": ["202401", "202406"]}', '{"to": "Xã An"}'],
        }
    )
    assert every_period(findings)["period_id"].tolist() == ["202411", "202412", "202501", "202401", "202406", "202405"]
    assert reaching_into(findings, frozenset({"202412"})).tolist() == [True, False, False]
    assert reaching_into(findings, frozenset({"202406"})).tolist() == [False, True, False]


def test_a_mark_without_data_and_data_without_a_mark_are_two_questions():
    assert spans(ask(checks.REPORT_MARKED_WITHOUT_DATA)[0]) == [["gaps", "202408", "202408", 1]]
    assert spans(ask(checks.DATA_WITHOUT_MARK)[0]) == [["gaps", "202410", "202410", 1]]


def test_a_report_that_nobody_asked_for_is_named_with_its_months():
    findings, (judged, _) = ask(checks.MORE_RECEIVED_THAN_EXPECTED)
    assert spans(findings) == [["extra", "202403", "202404", 2]]
    assert judged == len(reports("xu"))


def test_late_reports_of_a_year_are_one_question_with_the_usual_and_the_longest_delay():
    findings, (judged, total) = ask(checks.REPORT_LATE)
    (late,) = findings[["unit_id", "period_id", "periods", "late", "sent", "value", "longest_days"]].to_dict("records")
    assert late == {"unit_id": "late", "period_id": "202402", "periods": ["202402", "202403", "202411"], "late": 3,
                    "sent": 12, "value": 3.0, "longest_days": 10}  # fmt: skip
    assert (total - judged) == 1  # data without a mark: nobody knows when they were sent


def test_a_report_sent_on_the_last_day_is_in_time():
    assert set(ask(checks.REPORT_LATE)[0]["unit_id"]) == {"late"}


def test_lags_are_counted_by_day_and_by_band():
    con = reports_of(context())
    row = con.execute(lag_query("dataset_id")).df().iloc[0]
    received = len(reports("xu"))
    assert row[["expected", "received", "timed"]].tolist() == [60, received, received - 1]
    assert row[["on_time", "late_1_3", "late_4_7", "late_8_14", "late_over_60"]].tolist() == [received - 4, 2, 0, 1, 0]
    assert row["share_on_time"] == pytest.approx((received - 4) / (received - 1))
    assert (row["lag_median"], row["lag_max"]) == (5, 15)
    histogram = lag_histogram(con).set_index("days")
    assert histogram["reports"].to_dict() == {5: received - 4, 6: 1, 8: 1, 15: 1}
    assert histogram["share_arrived"].iloc[-1] == 1


def test_without_a_deadline_lateness_is_not_assessable_and_never_passed():
    tables = {"aggregate_value": reports("x").assign(element_id="v", category_id="", value=1.0), "data_set_assignment": ASSIGNED,
              "organisation_unit": UNITS, "period": DUE, "reporting_status": marks()}  # fmt: skip
    findings, (judged, total) = ask(checks.REPORT_LATE, given=context_of_tables(tables))
    assert (len(findings), judged) == (0, 0)
    assert total == len(reports("x"))


def test_episodes_say_who_stopped_paused_or_never_failed():
    con = reports_of(context())
    make_successors(con)
    found = episodes(con, data_set_source(1), "form")
    assert found[["unit_id", "state", "from_period", "to_period", "received", "began"]].to_numpy().tolist() == [
        ["every", "active", "202401", "202412", 12, "before"],
        ["gaps", "active", "202401", "202412", 8, "before"],  # short gaps belong to the episode
        ["late", "active", "202401", "202412", 12, "before"],
        ["pause", "active", "202401", "202403", 3, "before"],
        ["pause", "silent", "202404", "202409", 0, "paused"],
        ["pause", "active", "202410", "202412", 3, "resumed"],
        ["stops", "active", "202401", "202405", 5, "before"],
        ["stops", "silent", "202406", "202412", 0, "fell_silent"],
    ]
    assert inactive_units(con, data_set_source(1)).to_numpy().tolist() == [["stops", "202406", "202412", 7, "end"]]


def test_a_unit_with_a_closing_date_closed_and_one_of_the_reform_merged():
    units = pd.DataFrame(
        {"unit_id": ["VN2024:21118", "shut", "new"], "province_id": "", "valid_from": [None, None, "2024-04-01"],
         "valid_to": ["2024-06-30", "2024-06-30", None]}
    )  # fmt: skip
    values = pd.DataFrame(
        [(unit, month) for unit, months in (("VN2024:21118", MONTHS[:6]), ("shut", MONTHS[:6]), ("new", MONTHS[3:])) for month in months],
        columns=["unit_id", "period_id"],
    ).assign(dataset_id="form", element_id="v", category_id="", value=1.0)  # fmt: skip
    assigned = pd.DataFrame({"dataset_id": "form", "unit_id": units["unit_id"]})
    con = reports_of(
        context_of_tables(
            {"aggregate_value": values, "organisation_unit": units, "data_set_assignment": assigned, "period": DUE}
        )
    )
    make_successors(con)
    found = episodes(con, data_set_source(1), "form").set_index("unit_id")
    assert found[["due", "began", "ended"]].to_dict("index") == {
        "VN2024:21118": {"due": 6, "began": "before", "ended": "merged"},
        "new": {"due": 9, "began": "opened", "ended": "open"},
        "shut": {"due": 6, "began": "before", "ended": "closed"},
    }
    assert found.loc["VN2024:21118", "successor"] == "VN2025:21127"


def test_a_unit_that_stops_is_asked_once_for_all_its_reports():
    findings, _ = ask(checks.UNIT_FELL_SILENT)
    assert findings[["unit_id", "dataset_id", "period_id", "months"]].to_numpy().tolist() == [
        ["stops", "", "202406", 7]
    ]
    assert findings["probability"].iloc[0] > 0.9


def test_two_missing_months_at_the_end_do_not_yet_mean_that_a_unit_stopped():
    chance = probability_stopped(pd.Series([1, 2, 3, 4, 6]), pd.Series([0.05] * 5))
    # 0.00125 × (1 + 0.15 + …) against 0.15 ** n: units miss several in a row by chance
    assert chance.iloc[1] == pytest.approx(0.00125 * (1 + 0.15) / (0.00125 * (1 + 0.15) + 0.15**2))
    assert (chance.round(2).tolist(), chance.is_monotonic_increasing) == ([0.01, 0.06, 0.3, 0.74, 0.99], True)


@settings(max_examples=30)
@given(months=st.integers(1, 40), missing=st.floats(0, 0.99))
def test_the_probability_of_having_stopped_is_one(months, missing):
    one = probability_stopped(pd.Series([months]), pd.Series([missing])).iloc[0]
    more = probability_stopped(pd.Series([months + 1]), pd.Series([missing])).iloc[0]
    assert 0 <= one <= more <= 1


def test_a_silent_tail_is_told_with_what_was_usual_before():
    tails = silent_tails(reports_of(context()), data_set_source(1)).set_index("unit_id")
    assert tails[["months", "before", "missed"]].loc["stops"].tolist() == [7, 5, 0]
    assert list(tails.index) == ["stops"]


def unit_rows(small_missing, large_missing, q4=None):
    rows = [("P", 24, missing, 6, q4 if q4 is not None else 0, size) for size, counts in ((1, small_missing), (100, large_missing))
            for missing in counts]  # fmt: skip
    names = ["province_id", "due", "missing", "due_q4", "missing_q4", "size"]
    return pd.DataFrame(rows, columns=names).assign(size=lambda one: one["size"] + one.index)


def test_small_units_that_miss_more_are_an_effect_in_percentage_points():
    tested = missing_not_at_random(unit_rows([6, 5, 7, 6, 5, 7], [1, 0, 1, 2, 0, 2])).set_index("factor")
    assert tested.loc["small", "effect"] == pytest.approx(100 * (6 - 1) / 24)
    assert tested.loc["small", "p_value"] < 0.001
    assert tested.loc["small", "lower"] < 100 * 5 / 24 < tested.loc["small", "upper"]


def test_few_units_are_not_assessable():
    assert set(missing_not_at_random(unit_rows([5, 6], [0, 1]))["status"]) == {"not_assessable"}


def test_a_last_quarter_thinner_in_every_unit_is_found():
    rows = unit_rows([4, 3, 4, 3, 4], [4, 3, 4, 3, 4], q4=3)  # 3 of 6 in the last quarter, 0 or 1 of 18 before
    tested = missing_not_at_random(rows).set_index("factor").loc["last_quarter"]
    assert tested["effect"] == pytest.approx(100 * (3 / 6 - (0.6 * 1 / 18)))
    assert tested["p_value"] < 1e-6


def test_chao_says_how_many_zeros_a_data_set_should_at_least_hold():
    counts = table("""
        cells | zeros | ones | twos
        10000 |   500 |  300 |  100
        10000 |     2 |  300 |  100
          100 |     0 |    2 |    3
    """)
    found = zeros_stored(counts)
    assert found["zeros_expected"].tolist() == pytest.approx([300**2 / 200, 300**2 / 200, 2**2 / 6])
    assert found["status"].tolist() == ["stored", "not_stored", "not_assessable"]


def drawn_form(seed=5):
    rng = np.random.default_rng(seed)
    means = np.array([0.2, 40.0])  # a rare disease, and visits
    values = rng.poisson(means, (30, 24, 2)).astype(float)
    return values, rng


def test_a_blank_of_a_rare_count_is_a_zero_and_a_blank_of_a_usual_one_is_missing():
    values, rng = drawn_form()
    zeros = np.argwhere(values[:, :, 0] == 0)
    for unit, month in zeros[rng.choice(len(zeros), 60, replace=False)]:
        values[unit, month, 0] = np.nan
    values[3, 5, 1] = np.nan
    model = zero_model(values, np.ones(values.shape[:2], bool))
    assert np.nanmin(model.blank_is_zero[:, :, 0]) > 0.9
    assert model.blank_is_zero[3, 5, 1] < 1e-6
    assert np.isnan(model.blank_is_zero).sum() == values.size - 61


def test_the_expected_count_of_a_cell_never_comes_from_the_cell_itself():
    values, _ = drawn_form()
    other = values.copy()
    other[0, 0, 1] += 60
    reported = np.ones(values.shape[:2], bool)
    # the element's mean and the unit's size move a little (the prior of one month); the unit's own months do not
    before, after = zero_model(values, reported).expected[0, 0, 1], zero_model(other, reported).expected[0, 0, 1]
    assert after == pytest.approx(before, rel=0.01)  # were it in its own mean: 60 / 24 more, six percent


def form_of(values):
    units, months, series = values.shape
    rows = [
        (f"u{unit:02}", MONTHS[month], f"e{one}", values[unit, month, one])
        for unit in range(units) for month in range(min(months, 12)) for one in range(series) if np.isfinite(values[unit, month, one])
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["unit_id", "period_id", "element_id", "value"])
    return context_of_tables({"aggregate_value": frame.assign(dataset_id="form", category_id="")})


def test_a_form_of_nothing_but_zeros_and_a_hidden_blank_are_asked_about_and_a_rare_blank_is_not():
    values = drawn_form()[0][:, :12]
    values[4, 7] = 0
    values[9, 2, 1] = np.nan
    rare = tuple(np.argwhere(values[:, :, 0] == 0)[20])
    values[rare[0], rare[1], 0] = np.nan
    findings, (judged, total) = ask(checks.ZERO_OR_MISSING, given=form_of(values))
    assert findings[["unit_id", "period_id", "element_id", "what"]].to_numpy().tolist() == [
        ["u09", "202403", "e1", "blank"],
        ["u04", "202408", "", "zero_form"],
    ]
    assert findings["probability"].min() > 0.9
    assert (judged, total) == (2 + 2, 4)  # two blanks, two forms of nothing but zeros (one of them for its blank)


def twice(*rows):
    names = ["unit_id", "period_id", "value", "file_sha256"]
    frame = pd.DataFrame(rows, columns=names).assign(dataset_id="form", element_id="v", category_id="")
    return context_of_tables({"aggregate_value": frame})


def test_sent_twice_in_one_file_is_a_duplicate_and_changed_by_a_later_file_is_a_revision():
    given = twice(("a", "202401", 5.0, "f1"), ("a", "202401", 9.0, "f1"), ("b", "202401", 5.0, "f1"), ("b", "202401", 8.0, "f2"),
                  ("c", "202401", 5.0, "f1"), ("c", "202401", 5.0, "f2"), ("d", "202401", 5.0, "f1"))  # fmt: skip
    again, (judged, _) = ask(checks.DUPLICATE_SUBMISSIONS, given=given)
    assert again[["unit_id", "verdict", "cells", "differing"]].to_numpy().tolist() == [
        ["a", "duplicate_differing", 1, 1],
        ["c", "duplicate_identical", 1, 0],
    ]
    assert judged == 4
    revised, _ = ask(checks.REPORT_REVISED, given=given)
    assert revised[["unit_id", "expected", "value", "at_stake"]].to_numpy().tolist() == [["b", 5.0, 8.0, 3.0]]


def test_more_received_than_expected_is_shown_beside_the_rate_that_hid_it():
    counts = pd.DataFrame({"received": [12, 9, 10], "expected": [10, 10, 10], "rate": [100.0, 90.0, 100.0]})
    (row,) = more_received_than_expected(counts, capped="rate").to_dict("records")
    assert (row["surplus"], row["share"], row["hidden"]) == (2, 1.2, pytest.approx(20.0))


class Stub:
    """What the score asks of a release context."""

    def __init__(self, findings):
        self.findings = findings

    def query(self, sql):
        if "finding" in sql:
            return self.findings
        return pd.DataFrame({"element_id": ["e1"], "dataset_id": ["ds1"]})


def test_a_run_of_missing_months_meets_every_planted_month_in_it_and_no_other():
    from tkyt_analysis.practice.score import _met_by_subject

    truth = pd.DataFrame(
        [("1", "A1", "u", "202402", "ds1"), ("2", "A1", "u", "202403", "ds1"), ("3", "A1", "u", "202405", "ds1"),
         ("4", "A7", "w", "", "ds1"), ("5", "A7", "u", "", "ds1")],
        columns=["id", "kind", "unit_id", "period_id", "element_id"],
    )  # fmt: skip
    findings = pd.DataFrame(
        [("report_missing", "u", "202401", '{"months": 3, "to": "202403"}'), ("more_received_than_expected", "w", "202406", "{}")],
        columns=["key", "unit_id", "period_id", "fields"],
    ).assign(element_id="", dataset_id="ds1")  # fmt: skip
    assert set(_met_by_subject(Stub(findings), truth)) == {"1", "2", "4"}
