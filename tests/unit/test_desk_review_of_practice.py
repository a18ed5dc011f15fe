"""The desk review of a practice home, from the received files to the printed page."""

import json

import pytest
from click.testing import CliRunner

from tkyt_analysis.cli.desk_review import quality
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.desk_review.view import DeskReviewView
from tkyt_analysis.warehouse.release import Release

pytestmark = pytest.mark.slow

PLACE, YEAR = "VN2025:51", 2025


@pytest.fixture(scope="module")
def release(demo_home):
    return Release(demo_home)


@pytest.fixture(scope="module")
def rows(release):
    return DeskReviewView(release, PLACE, YEAR).rows


def test_completeness_is_that_of_the_table_of_reports(release, rows):
    wanted = release.query(
        "SELECT dataset_id, sum(received) / sum(expected) AS share FROM province_report "
        "WHERE province = ? AND left(period_id, 4) = ? GROUP BY 1",
        [PLACE, str(YEAR)],
    )
    found = rows[rows["metric"] == "1a"].set_index("subject")["score"].to_dict()
    assert found == pytest.approx(dict(wanted.itertuples(index=False)))


def test_a_pair_is_the_ratio_of_the_sums_of_reported_values(release, rows):
    sums = dict(
        release.query(
            "SELECT element_id, sum(value) AS value FROM province_value WHERE province = ? AND left(period_id, 4) = ? "
            "AND level = 'commune' GROUP BY 1",
            [PLACE, str(YEAR)],
        ).itertuples(index=False)
    )
    first, third = sums["DsTVajRIZkv"], sums["XooiEkN5YNg"]
    (found,) = rows[rows["subject"] == "penta_dropout"].to_dict("records")
    assert found["score"] == pytest.approx((first - third) / first)


def test_every_metric_is_answered_or_says_why_not(rows):
    assert set(rows["metric"]) == {
        "1a",
        "1b",
        "1c",
        "1d",
        "2a",
        "2b",
        "2c",
        "2d",
        "2e",
        "3a",
        "4b",
    }  # 4a is of the nation
    silent = rows[rows["status"] != "ok"]
    assert (silent["reason"] != "").all()
    assert silent["score"].isna().all()
    assert (rows["diverging"] <= rows["subunits"]).all()
    assert (rows["beyond_noise"].dropna() <= rows.loc[rows["beyond_noise"].notna(), "diverging"]).all()


def test_the_nation_is_shown_by_63_provinces_until_2024_and_by_34_after(release):
    assert DeskReviewView(release, "VN", 2024).geography == "VN2024"
    assert DeskReviewView(release, "VN", 2025).geography == "VN2025"
    population = DeskReviewView(release, "VN", 2024).rows.query("metric == '4a'").iloc[0]
    assert population["score"] == pytest.approx(101.3e6 / 99.498e6, abs=1e-4)


def test_a_year_without_data_is_refused_with_what_there_is(release):
    with pytest.raises(InputError) as error:
        _ = DeskReviewView(release, PLACE, 1999).rows
    assert "2025" in error.value.sentence("vi")


def test_the_command_prints_the_same_for_people_and_machines(demo_home, rows):
    arguments = ["review", "--place", PLACE, "--year", str(YEAR), "--home", str(demo_home)]
    machines = CliRunner().invoke(quality, [*arguments, "--json"])
    listed = json.loads(machines.output)
    assert len(listed) == len(rows)
    assert all(one["interpretation"] and one["subject_name"] for one in listed)
    people = CliRunner().invoke(quality, [*arguments, "--metric", "2e"])
    assert people.exit_code == 0
    assert "DPT-VGB-Hib mũi 1 → mũi 3" in people.output


def test_the_report_prints_every_domain(demo_home, tmp_path):
    from tkyt_analysis.reports.runner import run_report

    made = run_report(demo_home, "desk_review", {"place": PLACE, "year": YEAR}, output=tmp_path)
    text = made.html.read_text("utf-8")
    for heading in ("Miền 1", "Miền 2", "Miền 3", "Miền 4", "Cách đọc", "Số liệu mô phỏng"):
        assert heading in text
