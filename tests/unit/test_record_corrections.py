"""A corrected record lands as a new one, the first one stays and no longer counts; a withdrawn one counts no more either."""

import pandas as pd
import pytest
from death_books import LINE, NEXT_COMMUNE, Home

from mortality.records.replaced import counts_sql, replaced_records_sql
from tkyt_analysis.access import acting_as, changes
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.quality.lake_context import warehouse_context
from tkyt_analysis.warehouse.lake import Warehouse

WRONG, RIGHT = LINE | {"cause": "Đuối nước"}, LINE | {"death": "06/03/2024", "cause": "Đuối nước ao"}


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    made.receive([WRONG, LINE | {"name": "Lê B", "cause": "Suy tim"}])
    return made


def counting(home) -> set[str]:
    """Causes of the records that checks see."""
    with Warehouse(home.path) as warehouse, warehouse_context(warehouse) as context:
        return set(context.con.execute("SELECT cause_text FROM death").df()["cause_text"])


def replacements(home) -> pd.DataFrame:
    return home.rows("SELECT * FROM lake.record_replacement ORDER BY record_id, replaced_by, decided_at")


def test_the_corrected_record_counts_in_place_of_the_first_which_stays(home):
    first = home.id_of("Đuối nước")
    done = home.receive([RIGHT | {"corrects": first, "reason": "sai ngày"}], "sua.xlsx")
    assert (done["received"], done["landed"], done["quarantined"]) == (1, 1, 0)
    assert len(home.deaths()) == 3
    assert counting(home) == {"Suy tim", "Đuối nước ao"}
    row = replacements(home).iloc[0]
    assert (row["record_id"], row["replaced_by"], row["reason"]) == (first, home.id_of("Đuối nước ao"), "sai ngày")
    assert row["decided_by"]
    assert row["decided_at"]


def test_a_line_with_a_reason_and_nothing_else_withdraws_the_record(home):
    done = home.receive([{"corrects": home.id_of("Suy tim"), "reason": "ghi nhầm, còn sống"}], "rut.xlsx")
    assert (done["received"], done["landed"], done["quarantined"]) == (1, 1, 0)
    assert counting(home) == {"Đuối nước"}
    assert replacements(home)["replaced_by"].isna().all()


def test_a_withdrawal_without_a_reason_is_quarantined(home):
    done = home.receive([{"corrects": home.id_of("Suy tim")}, RIGHT | {"name": "Khác", "reason": "x"}], "rut.xlsx")
    assert (done["received"], done["landed"], done["quarantined"]) == (2, 1, 1)
    assert home.rows("SELECT reason FROM lake.quarantine")["reason"].tolist() == [
        "quarantine.withdrawal_without_reason"
    ]
    assert counting(home) >= {"Suy tim", "Đuối nước"}


def test_a_correction_of_an_unknown_record_is_held_back_so_that_nothing_counts_twice(home):
    done = home.receive([RIGHT | {"corrects": "0" * 20, "reason": "sai"}], "sua.xlsx")
    assert (done["received"], done["landed"], done["quarantined"]) == (1, 0, 1)
    assert home.rows("SELECT reason FROM lake.quarantine")["reason"].tolist() == ["quarantine.corrected_record_unknown"]
    assert len(home.deaths()) == 2
    assert replacements(home).empty
    assert len(home.as_written()["row_number"].unique()) == 2  # the held back line left nothing in the restricted store


def test_two_lines_that_correct_one_record_leave_one(home):
    first = home.id_of("Đuối nước")
    lines = [
        RIGHT | {"corrects": first, "reason": "a"},
        RIGHT | {"cause": "Đuối nước sông", "corrects": first, "reason": "b"},
    ]
    done = home.receive(lines, "sua.xlsx")
    assert (done["landed"], done["quarantined"]) == (1, 1)
    assert counting(home) == {"Suy tim", "Đuối nước ao"}


def test_a_record_corrected_again_counts_only_as_corrected_last(home):
    first = home.id_of("Đuối nước")
    home.receive([RIGHT | {"corrects": first, "reason": "sai ngày"}], "sua1.xlsx")
    home.receive([RIGHT | {"cause": "Đuối nước biển", "corrects": first, "reason": "sai nơi"}], "sua2.xlsx")
    assert counting(home) == {"Suy tim", "Đuối nước biển"}
    before = replacements(home)
    ingest(home.path, sorted(home.folder.glob("sua*.xlsx")), retry=True)
    pd.testing.assert_frame_equal(before, replacements(home))


def test_a_circle_is_refused(home):
    second = home.id_of("Suy tim")
    from mortality.records import corrections

    rows = pd.DataFrame(
        {
            "record_id": [second],
            "replaced_by": [second],
            "file_sha256": ["x"],
            "sheet": ["A6"],
            "row_number": [6],
            "record_key": ["A6|6"],
        }
    )
    with Warehouse(home.path) as warehouse:
        assert corrections._reasons(warehouse, rows.astype(object)).tolist() == [corrections.IN_A_CIRCLE]


def test_a_correction_in_a_file_that_was_itself_replaced_does_not_hold(home):
    home.receive([RIGHT | {"corrects": home.id_of("Đuối nước"), "reason": "sai ngày"}], "sua.xlsx")
    sha = home.rows("SELECT file_sha256 FROM lake.record_replacement")["file_sha256"].item()
    with Warehouse(home.path, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute("INSERT INTO lake.file_replacement (file_sha256, replaces) VALUES ('later', ?)", [sha])
    assert counting(home) == {"Suy tim", "Đuối nước"}


def test_a_station_may_not_correct_the_record_of_another(home):
    changes.add_account(home.path, "tram", role="facility", unit_id=NEXT_COMMUNE, why="kiểm thử")
    title = ("Trạm Y tế xã Bình Hải, huyện Bình Sơn, tỉnh Quảng Ngãi", "SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG", "Năm 2024")
    from death_books import book

    lines = [
        RIGHT | {"corrects": home.id_of("Đuối nước"), "reason": "sai"},
        {"corrects": home.id_of("Suy tim"), "reason": "rút"},
    ]
    path = book(home.folder / "khac.xlsx", lines, title=title)
    with acting_as(home.path, "tram"):
        done = ingest(home.path, [path]).files[0]
    assert (done["received"], done["landed"], done["quarantined"]) == (2, 0, 2)
    assert counting(home) == {"Suy tim", "Đuối nước"}


def test_the_condition_for_rows_that_count_names_records_only_where_a_table_has_them(home):
    with Warehouse(home.path) as warehouse:
        assert "record_id FROM" in counts_sql(warehouse, "death_cause", {"death_id", "file_sha256"})
        assert "record_id FROM" not in counts_sql(warehouse, "aggregate_value", {"file_sha256"})
        assert counts_sql(warehouse, "record_replacement", {"record_id", "file_sha256"}) == ""
        assert len(warehouse.query(replaced_records_sql(warehouse))) == 0
