"""`tkyt check` on a warehouse: what is stored, for which place and period, and what a second run leaves."""

import pandas as pd
import pytest

from tkyt_analysis.errors import InputError
from tkyt_analysis.pipeline import check_warehouse, prepare_home
from tkyt_analysis.warehouse.lake import Warehouse

HANOI, HCMC = "VN2025:01", "VN2025:79"
MONTHS = [f"{year}{month:02}" for year in (2024, 2025) for month in range(1, 13)]
TENFOLD = {(HANOI, "202405"), (HANOI, "202505"), (HCMC, "202505")}


def values(*, mended=()):
    rows = [
        ("form", "visits", "", unit, month, 10.0 * count if (unit, month) in TENFOLD - set(mended) else count)
        for unit in (HANOI, HCMC, "VN2025:04", "VN2025:08")
        for count, month in zip([98.0, 103.0, 95.0, 101.0, 99.0, 104.0, 97.0, 100.0] * 3, MONTHS, strict=True)
    ]
    return pd.DataFrame(rows, columns=["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"])


def receive(home, rows, name="first"):
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        file = pd.DataFrame(
            {"file_sha256": [name], "file_name": [name], "received_at": [f"2026-01-0{1 + len(name) % 7}"]}
        )
        for table, frame in {
            "received_file": file,
            "aggregate_value": rows.assign(file_sha256=name, sheet="", row_number=1),
        }.items():
            warehouse.con.register("incoming", frame)
            warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM incoming")
            warehouse.con.unregister("incoming")


@pytest.fixture
def home(tmp_path):
    prepare_home(tmp_path / "home")
    receive(tmp_path / "home", values())
    return tmp_path / "home"


def asked(home):
    with Warehouse(home) as warehouse:
        rows = warehouse.query("SELECT unit_id, period_id FROM lake.finding WHERE verdict = 'error_high' ORDER BY ALL")
    return {tuple(row) for row in rows.to_numpy()}


def test_a_whole_run_asks_about_every_tenfold_value(home):
    check_warehouse(home, rules=("outlier_count",))
    assert asked(home) == TENFOLD


def test_a_place_is_asked_about_alone_and_judged_as_in_a_whole_run(home):
    check_warehouse(home, rules=("outlier_count",), scope=HCMC)
    assert asked(home) == {(HCMC, "202505")}


def test_a_run_for_one_year_leaves_the_findings_of_other_years_alone(home):
    check_warehouse(home, rules=("outlier_count",))
    receive(home, values(mended=TENFOLD), name="mended")  # received later: these values count
    check_warehouse(home, rules=("outlier_count",), period="2025")
    assert asked(home) == {(HANOI, "202405")}


def test_how_much_a_rule_can_judge_is_taken_from_whole_runs_only(home):
    check_warehouse(home, rules=("outlier_count",))
    check_warehouse(home, rules=("outlier_count",), scope=HCMC, period="2025")
    with Warehouse(home) as warehouse:
        (judged,) = warehouse.one("SELECT judged FROM lake.rule_coverage WHERE rule_id = 'outlier_count'")
    assert judged == 4 * 24


def test_an_unknown_place_is_refused_with_a_sentence(home):
    with pytest.raises(InputError) as problem:
        check_warehouse(home, rules=("outlier_count",), scope="VN2025:999")
    assert "VN2025:999" in problem.value.sentence("vi")


def test_nothing_of_the_scratch_tables_is_left_in_the_home(home):
    check_warehouse(home, rules=("outlier_count",))
    assert [path.name for path in (home / "work" / "private").iterdir()] == ["lock"]
