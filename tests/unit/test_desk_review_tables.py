"""The desk review over drawn tables: places old and new, reports, months, population, and the words made from the results."""

import dataclasses
import datetime
import json

import duckdb
import pandas as pd
import pytest
from support import table

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.catalog.dated import DatedValue
from tkyt_analysis.catalog.desk_review import ReviewDataSet, ReviewIndicator
from tkyt_analysis.quality.desk_review.review import METRICS, REVIEW_COLUMNS, review
from tkyt_analysis.quality.desk_review.sources import (
    Sources,
    make_members,
    read_indicator,
    read_population,
    read_reports,
)
from tkyt_analysis.quality.desk_review.words import interpretation, names_text, place_diverges

# Two old communes became one; the third stayed. One province of 2025 is the union of two old ones; a hospital reports too.
PLACES = table("""
    unit_id     | level    | commune     | province  | province_2024
    VN2024:001  | commune  | VN2025:901  | VN2025:51 | VN2024:51
    VN2024:002  | commune  | VN2025:901  | VN2025:51 | VN2024:62
    VN2024:003  | commune  | VN2025:903  | VN2025:51 | VN2024:51
    VN2025:901  | commune  | VN2025:901  | VN2025:51 | VN2024:51
    VN2025:903  | commune  | VN2025:903  | VN2025:51 | VN2024:51
    KCB:51Z01   | facility | VN2025:901  | VN2025:51 | VN2024:51
    VN2025:51   | province |             | VN2025:51 |
    VN2025:52   | province |             | VN2025:52 |
""").replace("", None)
UNITS = table("""
    unit_id    | name    | valid_from | valid_to
    VN2024:001 | Xã Một  |            | 2025-06-30
    VN2024:002 | Xã Hai  |            | 2025-06-30
    VN2024:003 | Xã Ba   |            | 2025-06-30
    VN2025:901 | Xã Mới  | 2025-07-01 |
    VN2025:903 | Xã Ba   | 2025-07-01 |
    KCB:51Z01  | Trạm Y tế Một | | 
    VN2025:51  | Tỉnh Năm Mốt | | 
    VN2025:52  | Tỉnh Năm Hai | | 
""").replace("", None)
UNITS = UNITS.assign(**{name: pd.to_datetime(UNITS[name]) for name in ("valid_from", "valid_to")})
OLD, NEW = ("VN2024:001", "VN2024:002", "VN2024:003"), ("VN2025:901", "VN2025:903")
PERIODS = [f"2025{month:02d}" for month in range(1, 13)]


def values():
    """Every old commune reports 10 a month until June 2025, every new one from July: 15 and 15."""
    rows = [("form", "births", unit, period, 10.0) for unit in OLD for period in PERIODS[:6]]
    rows += [("form", "births", unit, period, 15.0) for unit in NEW for period in PERIODS[6:]]
    rows += [("form", "births", "VN2025:51", period, 999.0) for period in PERIODS[:2]]  # a total sent by the province
    rows += [("form", "births", OLD[0], "2025C12", 999.0)]  # a cumulative figure
    return pd.DataFrame(rows, columns=["dataset_id", "element_id", "unit_id", "period_id", "value"]).assign(
        category_id=""
    )


def sources(**changed):
    """Sources over drawn tables; a name given as None is left out."""
    first = [datetime.date(2025, month, 1) for month in range(1, 13)]
    due = pd.DataFrame({"dataset_id": "form", "period_id": PERIODS, "period_start": first,
                        "period_end": [*(day - datetime.timedelta(1) for day in first[1:]), datetime.date(2025, 12, 31)]})  # fmt: skip
    given = {
        "cells": values(), "places": PLACES, "units": UNITS, "due": due,
        "assignments": pd.DataFrame({"dataset_id": "form", "unit_id": [*OLD, *NEW]}),
    } | changed  # fmt: skip
    con = duckdb.connect()
    for name, rows in given.items():
        if rows is not None:
            con.register("incoming", rows)
            con.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
            con.unregister("incoming")
    optional = {name: name if given.get(name) is not None else None for name in ("submissions", "population")}
    return Sources(
        con=con,
        values="cells",
        arrived="cells",
        places="places",
        units="units",
        assignments="assignments",
        due="due",
        **optional,
    )


BIRTHS = ReviewIndicator(title=None, dataset_id="form", elements=("births",))


def of(rows, geography, place, subunit=None):
    kept = rows[(rows["geography"] == geography) & (rows["place"] == place)]
    return kept if subunit is None else kept[kept["subunit"] == subunit]


def test_reports_due_end_and_begin_with_the_life_of_a_unit():
    given = sources()
    reports = read_reports(given, make_members(given))
    new = of(reports, "VN2025", "VN2025:51", "VN2025:901").iloc[0]
    assert (new["expected"], new["received"]) == (2 * 6 + 6, 2 * 6 + 6)  # two old communes to June, then the new one
    old = of(reports, "VN2024", "VN2024:62", "VN2024:002").iloc[0]
    assert (old["expected"], old["received"]) == (6, 6)
    nation = of(reports, "VN2025", "VN")
    assert nation["expected"].tolist() == [3 * 6 + 2 * 6]


def test_a_series_of_2025_goes_on_through_the_reform_and_an_old_one_ends():
    given = sources()
    months, _, width = read_indicator(given, BIRTHS, make_members(given))
    new = of(months, "VN2025", "VN2025:51", "VN2025:901").iloc[0]
    assert [new[str(one)] for one in range(1, 13)] == [20.0] * 6 + [15.0] * 6
    old = of(months, "VN2024", "VN2024:51", "VN2024:001").iloc[0]
    assert old[["7", "12"]].isna().all()
    assert width == 1


def test_a_total_of_another_level_and_a_cumulative_figure_are_never_added():
    given = sources()
    months, _, _ = read_indicator(given, BIRTHS, make_members(given))
    (nation,) = of(months, "VN2025", "VN").to_dict("records")
    assert sum(nation[str(one)] for one in range(1, 13)) == 3 * 10 * 6 + 2 * 15 * 6


def test_reports_in_time_and_reports_of_unknown_time_are_counted():
    rows = pd.DataFrame(
        {"dataset_id": "form", "unit_id": OLD[0], "period_id": PERIODS[:3], "due": [datetime.date(2025, 3, 5)] * 3,
         "submitted_on": [datetime.date(2025, 3, 5), datetime.date(2025, 3, 6), None]}
    )  # fmt: skip
    given = sources(submissions=rows)
    one = of(read_reports(given, make_members(given)), "VN2024", "VN2024:51", OLD[0]).iloc[0]
    assert (one["received"], one["on_time"], one["untimed"]) == (6, 1, 1 + 3)


POPULATION = pd.DataFrame(
    [
        (unit, 2025, sex, age, persons, series)
        for unit, series, figures in (
            ("VN2024:001", "S", [("male", "0", 5), ("female", "0", 5), ("male", "1+", 495), ("female", "1+", 495)]),
            ("VN2024:002", "S", [("male", "0", 5), ("female", "0", 5), ("male", "1+", 495), ("female", "1+", 495)]),
            ("VN2025:901", "S", [("male", "0", 11), ("female", "0", 11), ("male", "1+", 1000), ("female", "1+", 1000)]),
            ("VN2025:901", "T", [("total", "total", 9999)]),
            ("VN2025:51", "T", [("total", "total", 50000)]),
        )
        for sex, age, persons in figures
    ],
    columns=["unit_id", "year", "sex", "age_group", "persons", "series"],
)


def test_population_is_never_added_over_old_and_new_units_and_both_parts_come_from_one_source():
    given = sources(population=POPULATION)
    groups = load_entry("desk_review", "routine").population_groups
    found = read_population(given, groups, make_members(given))
    under_1, total = (
        of(found[name], "VN2025", "VN2025:51", "VN2025:901")["value"].tolist() for name in ("under_1", "total")
    )
    assert (under_1, total) == ([22.0], [2022.0])  # not 20 + 22, not 9999
    old = of(found["total"], "VN2024", "VN2024:62", "VN2024:002")["value"].tolist()
    assert old == [1000.0]
    nation = of(found["total"], "VN2025", "VN")["value"].tolist()
    assert nation == [2022.0]  # the communes that have ages, not the province's bare total


def small_entry(**changed):
    entry = load_entry("desk_review", "routine")
    parts = {"indicators": {"births": BIRTHS}, "pairs": {}, "denominators": {}, "coverage": {}, "population_groups": {}}
    return dataclasses.replace(entry, **(parts | changed))


def run(entry, given=None):
    nothing = pd.DataFrame(columns=["indicator", "place", "year", "value", "lower", "upper", "source"])
    totals = pd.DataFrame({"geography": "VN2025", "place": "VN", "year": [2025], "persons": [1e8], "source": "s"})
    return review(
        given or sources(),
        entry,
        estimates=nothing,
        totals=totals,
        projections=pd.DataFrame({"year": [2025], "persons": [1e8], "source": "UN"}),
    )


def test_the_whole_review_answers_every_metric_and_place_and_names_units_with_their_names():
    rows = run(small_entry())
    assert list(rows.columns) == REVIEW_COLUMNS
    assert set(rows["metric"]) == {"1a", "1b", "1c", "1d", "2a", "2b", "2c", "2d", "4a"}
    found = rows[(rows["place"] == "VN2024:51") & (rows["metric"] == "1b")].iloc[0]
    assert (found["status"], found["reason"]) == ("not_assessable", "no_deadline_or_time")
    assert not rows.duplicated(["metric", "subject", "geography", "place", "year"]).any()


def test_a_unit_that_sent_nothing_diverges_under_its_own_name():
    cells = values()
    rows = run(small_entry(), sources(cells=cells[cells["unit_id"] != "VN2024:003"]))
    found = rows[(rows["place"] == "VN2024:51") & (rows["metric"] == "1a")].iloc[0]
    assert json.loads(found["names"]) == [{"unit": "VN2024:003", "score": 0.0, "beyond_noise": None, "name": "Xã Ba"}]
    assert (
        json.loads(rows[(rows["place"] == "VN2024:51") & (rows["metric"] == "1c")].iloc[0]["names"])[0]["name"]
        == "Xã Ba"
    )


def test_a_data_set_may_have_its_own_threshold_and_a_year_before_the_first_is_not_assessable():
    def dated(day, value):
        return {"1a": {day: DatedValue(value, "test")}}

    strict = small_entry(data_sets={"form": ReviewDataSet(dated(datetime.date(2020, 1, 1), 1.1))})
    one = run(strict).query("metric == '1a' and place == 'VN' and geography == 'VN2025'").iloc[0]
    assert (one["threshold"], one["diverging"]) == (1.1, 1)
    later = small_entry(data_sets={"form": ReviewDataSet(dated(datetime.date(2030, 1, 1), 0.9))})
    one = run(later).query("metric == '1a' and place == 'VN' and geography == 'VN2025'").iloc[0]
    assert (one["status"], one["reason"], one["diverging"]) == ("not_assessable", "no_threshold", 0)


def test_the_same_tables_give_the_same_review():
    pd.testing.assert_frame_equal(run(small_entry()), run(small_entry()))


# ---- words


def result(**changed):
    row = {
        "metric": "1a", "score": 0.85, "threshold": 0.9, "subunits": 12, "diverging": 3, "beyond_noise": pd.NA, "not_assessable": 1,
        "names": json.dumps([{"unit": "u", "name": "Xã Một", "score": 0.5, "beyond_noise": True}]), "status": "ok", "reason": "",
        "facts": json.dumps({"expected": 1440, "received": 1224, "above": 2}),
    }  # fmt: skip
    return row | changed


def test_the_interpretation_is_made_from_the_result_in_both_languages():
    assert interpretation(result(), "vi") == (
        "Nhận 1.224 trong 1.440 báo cáo phải có: 85,0\u00a0%, dưới ngưỡng 90 %. 3 trong 12 đơn vị bị lệch (25 %). "
        "1 đơn vị không đánh giá được. 2 đơn vị trên 100 %: danh sách đơn vị phải báo cáo chưa đúng."
    )
    assert "1,224 of 1,440 reports" in interpretation(result(), "en")


def test_the_interpretation_says_what_counting_noise_explains():
    row = result(
        metric="2e",
        threshold=0.0,
        score=-0.1,
        beyond_noise=1,
        facts=json.dumps({"kind": "do", "a": 100, "b": 110, "ratio": 0.909}),
    )
    assert "1 đơn vị vượt ra ngoài sai số đếm; 2 có thể chỉ do số nhỏ" in interpretation(row, "vi")
    assert "Tất cả đều có thể chỉ do số nhỏ" in interpretation(row | {"beyond_noise": 0}, "vi")
    assert place_diverges(row) is True


def test_what_cannot_be_judged_says_why_and_is_no_pass():
    row = result(metric="2a", status="not_assessable", reason="no_spread", score=float("nan"), subunits=0, diverging=0)
    assert interpretation(row, "vi").startswith("Không đánh giá được: mọi giá trị trong năm bằng nhau")
    assert place_diverges(row) is None


def test_values_of_units_that_nobody_expected_are_said_to_be_above_100_percent():
    facts = json.dumps({"present": 130, "expected": 124, "zeros": 0, "no_zeros": False})
    assert "Trên 100 %" in interpretation(result(metric="1c", score=130 / 124, diverging=0, facts=facts), "vi")
    assert "Trên 100 %" not in interpretation(result(metric="1c", score=1.0, diverging=0, facts=facts), "vi")


def test_names_are_cut_with_the_number_of_the_others():
    assert names_text(result(), "vi") == "Xã Một*; và 2 đơn vị khác"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_metric_has_its_words(language):
    facts = dict.fromkeys(
        ("expected", "received", "on_time", "due", "present", "zeros", "years", "outlying", "values", "extreme", "value", "months", "a", "b",
         "ratio", "routine", "estimate", "estimate_year", "persons", "projected", "of_nation"), 1.0
    )  # fmt: skip
    for metric in METRICS:
        for kind in ("eq", "aGTb", "do", "level") if metric == "2e" else (None,):
            own = facts | ({"kind": kind} if kind else {})
            text = interpretation(result(metric=metric, facts=json.dumps(own)), language)
            assert text
            assert "{" not in text


def test_a_warehouse_without_values_and_reporters_has_an_empty_review_of_its_data_and_no_error():
    empty = values().iloc[:0].astype({"value": float})
    due = pd.DataFrame(
        {name: pd.Series(dtype="str") for name in ("dataset_id", "period_id", "period_start", "period_end")}
    )
    given = sources(
        cells=empty,
        assignments=pd.DataFrame({"dataset_id": ["form"], "unit_id": ["x"]}).iloc[:0],
        due=due,
        population=POPULATION.iloc[:0],
    )
    rows = run(load_entry("desk_review", "routine"), given)
    assert set(rows["metric"]) == {"4a"}
