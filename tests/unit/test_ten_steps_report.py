"""The ten steps read from a release, and a report made for many places from one reading."""

import json
import math

import duckdb
import pandas as pd
import pytest
from drawn_release import HANOI, NEW, write_release
from support import table

from mortality.ten_steps import report
from mortality.ten_steps.data import _ages, _lists, provinces_of, read_ten_steps
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.labels import label
from tkyt_analysis.reports import batch, templates
from tkyt_analysis.reports.batch import batch_report, places_of

QUANG_NGAI, HANOI_CITY = "VN2025:51", "VN2025:01"
VALUES = {"year": 0, "language": "vi"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A release of two communes: 30 deaths in Quảng Ngãi, 10 in Hà Nội, of which one without a code; one row does not count."""
    deaths = table(f"""
        unit_id | year | month | sex    | age_group | underlying_cause | excluded  | count
        {NEW}   | 2024 | 3     | male   | 70-74     | I64              | -         | 12
        {NEW}   | 2025 | 4     | female | 80-84     | R54              | -         | 10
        {NEW}   | 2025 | 5     | male   | 0         | P22.0            | -         | 8
        {NEW}   | 2025 | 5     | male   | 60-64     | I21              | duplicate | 5
        {HANOI} | 2025 | 6     | male   | 65-69     | I21              | -         | 9
        {HANOI} | 2025 | 6     | female | 65-69     | -                | -         | 1
    """).replace({"underlying_cause": {"-": ""}, "excluded": {"-": ""}})  # fmt: skip
    ages = ["0", "1-4", *(f"{low}-{low + 4}" for low in range(5, 85, 5)), "85+"]
    rows = [
        (unit, year, sex, age, 100.0)
        for unit in (NEW, HANOI)
        for year in (2024, 2025)
        for sex in ("male", "female")
        for age in ages
    ]
    persons = pd.DataFrame(rows, columns=["unit_id", "year", "sex", "age_group", "persons"])
    home = tmp_path_factory.mktemp("home")
    return write_release(home, "r1", deaths=deaths, persons=persons)


def test_a_province_has_the_deaths_of_its_communes_that_count_and_the_nation_those_of_all(drawn):
    data = read_ten_steps(drawn, ["VN", QUANG_NGAI, HANOI_CITY])
    counted = data.deaths.groupby(["place", "year"])["deaths"].sum()
    assert counted[QUANG_NGAI].to_dict() == {2024: 12, 2025: 10 + 8}
    assert counted["VN"].to_dict() == {2024: 12, 2025: 10 + 8 + 9 + 1}
    assert data.persons.groupby(["place", "year"])["persons"].sum()["VN", 2025] == 2 * 2 * 19 * 100


def test_a_commune_is_read_from_its_records_and_says_what_its_province_says_when_it_is_the_only_one(drawn):
    data = read_ten_steps(drawn, [QUANG_NGAI, NEW])
    for rows in (data.deaths, data.persons):
        parts = {place: part.drop(columns="place").reset_index(drop=True) for place, part in rows.groupby("place")}
        pd.testing.assert_frame_equal(
            *(parts[place].sort_values(list(parts[place])) for place in (QUANG_NGAI, NEW)), check_dtype=False
        )


def test_an_unknown_place_is_refused_with_its_name(drawn):
    with pytest.raises(InputError) as caught:
        read_ten_steps(drawn, ["VN2025:99"])
    assert caught.value.key == "error.unknown_place_in_release"


def test_the_page_of_the_nation_begins_with_the_table_of_the_provinces(drawn):
    found = report.assessment(drawn, "VN")
    page = report.body(found, drawn, "VN", 0, "vi")
    assert page.index(label("ten_steps.summary", "vi", year=2025)) < page.index(label("ten_steps.overview", "vi"))
    assert label("ten_steps.summary", "vi", year=2025) not in report.body(found, drawn, QUANG_NGAI, 0, "vi")
    assert report.summary(found, "VN", 0)["year"] == 2025


def test_a_batch_makes_the_pages_that_each_place_alone_would_have_from_one_reading(drawn, tmp_path, monkeypatch):
    alone = dict(report.place_bodies(drawn, [HANOI_CITY], VALUES))[HANOI_CITY]
    monkeypatch.setattr(batch, "run_report", lambda *_, **__: pytest.fail("a kernel was started"))
    run = batch_report(drawn.home, "ten_steps", "provinces", {}, output=tmp_path)
    assert list(run.made) == provinces_of(drawn) == [HANOI_CITY, QUANG_NGAI]
    assert run.failed == {}
    assert alone in run.made[HANOI_CITY].read_text("utf-8")
    passport = json.loads(run.made[HANOI_CITY].with_suffix(".json").read_text("utf-8"))
    assert passport["parameters"] == {"place": HANOI_CITY, "year": 0, "language": "vi"}
    assert {"release", "snapshot", "catalog_version", "code_version"} <= set(passport)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".html", ".html", ".json", ".json"]


def test_a_batch_of_a_report_without_pages_of_its_own_runs_its_notebook_and_a_place_that_fails_stops_no_other(
    drawn, tmp_path, monkeypatch
):
    def run(home, name, parameters, *, release_id, output):
        if parameters["place"] == HANOI_CITY:
            raise ProcessingError("error.report_no_result", report=name)
        return type("Run", (), {"html": output / f"{parameters['place']}.html"})

    monkeypatch.setattr(batch, "run_report", run)
    made = batch_report(drawn.home, "deaths_annual", "provinces", {"year": "2025"}, output=tmp_path)
    assert list(made.made) == [QUANG_NGAI]
    assert list(made.failed) == [HANOI_CITY]
    assert "deaths_annual" in made.failed[HANOI_CITY]


@pytest.mark.parametrize(
    ("name", "places", "parameters", "key"),
    [
        ("ten_steps", "VN2025:51,VN2025:99", {}, "error.unknown_place_in_release"),
        ("ten_steps", " , ", {}, "error.report_batch_none"),
        ("ten_steps", "VN", {"yaer": 2025}, "error.parameter_unknown"),
        ("ten_stepz", "VN", {}, "error.no_such_report"),
    ],
)
def test_a_batch_refuses_what_it_does_not_know_before_a_page_is_made(drawn, tmp_path, name, places, parameters, key):
    with pytest.raises(InputError) as caught:
        batch_report(drawn.home, name, places, parameters, output=tmp_path)
    assert caught.value.key == key
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_asks_for_no_place_has_no_batch(drawn, monkeypatch):
    template = templates.report_template("ten_steps")
    without = templates.Template("x", template.title_, template.purpose, {"language": template.parameters["language"]})
    monkeypatch.setattr(batch, "report_template", lambda name: without)
    with pytest.raises(InputError) as caught:
        batch_report(drawn.home, "x", "provinces", {})
    assert caught.value.key == "error.report_batch_place"


def test_a_place_named_twice_is_made_once(drawn):
    assert places_of(drawn, "VN, VN2025:51,VN") == ["VN", "VN2025:51"]


def test_the_nation_pools_the_lists_and_ages_of_its_provinces(tmp_path):
    """Estimates add up, their errors as of independent figures; Whipple's index is a share, pooled over the events."""
    lists = table(f"""
        unit_id      | period_id | kind     | a6 | persons | estimate | lower | upper | status
        {QUANG_NGAI} | 2025      | province | 80 | 90      | 100      | 97    | 106   | ok
        {HANOI_CITY} | 2025      | province | 90 | 95      | 100      | 96    | 108   | ok
        VN2025:04    | 2025      | province | 5  | 5       | 0        | 0     | 0     | not_assessable
        {NEW}        | 2025      | commune  | 80 | 90      | 100      | 97    | 106   | ok
    """).assign(reason="").astype({"period_id": "str"})  # fmt: skip
    ages = table(f"""
        unit_id      | whipple | lower | upper | events | status | reason
        {QUANG_NGAI} | 100     | 80    | 120   | 300    | ok     | x
        {HANOI_CITY} | 200     | 180   | 220   | 100    | ok     | x
    """)
    con = duckdb.connect()
    con.register("death_reconciliation", lists)
    con.register("death_age_quality", ages)
    fake = type("Drawn", (), {"has": lambda self, _: True, "query": lambda self, sql: con.execute(sql).df()})()
    nation = _lists(fake, ["VN"]).iloc[0]
    assert (nation["a6"], nation["estimate"]) == (80 + 90, 100 + 100)
    assert (nation["lower"], nation["upper"]) == pytest.approx((200 - math.hypot(3, 4), 200 + math.hypot(6, 8)))
    assert _ages(fake, ["VN"]).iloc[0]["whipple"] == pytest.approx((100 * 300 + 200 * 100) / 400)
    assert set(_ages(fake, ["VN", HANOI_CITY])["place"]) == {"VN", HANOI_CITY}
