"""Coded death certificates and line lists of deaths as CSV and Parquet."""

from pathlib import Path

import pandas as pd
import pytest
from support import reference_path

from mortality.certificate_csv import DOOR as CERTIFICATES
from mortality.certificate_csv import ICD_SHAPE
from mortality.line_list import DOOR as LINE_LISTS
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile

HEADER = "id,sex,age_value,age_unit,line_a,line_b,line_c,line_d,part2,ucod"


def received(path: Path) -> ReceivedFile:
    return ReceivedFile(path, path.name, "0" * 64, path.stat().st_size)


def csv(tmp_path: Path, *lines: str) -> ReceivedFile:
    (tmp_path / "phieu.csv").write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    return received(tmp_path / "phieu.csv")


def read(file: ReceivedFile, door=CERTIFICATES) -> dict[str, pd.DataFrame]:
    """{table: rows} plus "quarantine": reasons by row."""
    found: dict[str, list] = {"quarantine": []}
    for batch in door.read(file, None):
        if batch.counts:
            assert batch.received == len(batch.rows) + len(batch.quarantined)
            items = batch.quarantined
            pairs = items[["row_number", "reason"]].values.tolist() if isinstance(items, pd.DataFrame) else [
                [one.row_number, one.reason] for one in items
            ]  # fmt: skip
            found["quarantine"] += pairs
        found.setdefault(batch.table, []).append(batch.rows)
    return {
        name: parts if name == "quarantine" else pd.concat(parts, ignore_index=True) for name, parts in found.items()
    }


def test_lines_keep_their_order_and_codes_get_their_dot(tmp_path):
    found = read(csv(tmp_path, "A1,M,56,years,J960,I64 I10,,,E11.9,I64"))
    assert found["death_cause"][["line", "position", "icd10_code"]].values.tolist() == [
        ["a", 1, "J96.0"], ["b", 1, "I64"], ["b", 2, "I10"], ["part2", 1, "E11.9"],
    ]  # fmt: skip
    assert found["death"].iloc[0][["sex", "age_years", "underlying_cause_as_given"]].tolist() == ["male", 56, "I64"]


def test_the_age_of_an_infant_keeps_its_unit_and_is_no_year(tmp_path):
    death = read(csv(tmp_path, "A1,F,20,days,P369,,,,,P369", "A2,F,14,months,J189,,,,,J189"))["death"]
    assert death[["age_value", "age_unit", "age_years"]].values.tolist() == [[20, "days", 0], [14, "months", 1]]


def test_bad_certificates_are_quarantined_and_the_others_land(tmp_path):
    lines = [
        "A1,M,56,years,I64,,,,,I64",
        "A1,M,57,years,I64,,,,,I64",
        ",M,57,years,I64,,,,,I64",
        "A4,M,57,years,,,,,,",
        "A5,M,1",
    ]
    found = read(csv(tmp_path, *lines))
    assert len(found["death"]) == 1
    assert sorted(found["quarantine"]) == [
        [3, "quarantine.certificate_id_twice"], [4, "quarantine.certificate_id_missing"], [5, "quarantine.certificate_empty"],
        [6, "quarantine.csv_field_count"],
    ]  # fmt: skip


def test_an_odd_code_lands_with_a_note(tmp_path):
    batches = list(CERTIFICATES.read(csv(tmp_path, "A1,M,56,years,Đột quỵ,,,,,I64"), None))
    assert batches[1].rows["icd10_code"].tolist() == ["ĐỘT", "QUỴ"]
    assert batches[1].notes["note"].tolist() == ["note.icd10_odd_format"] * 2


def test_a_missing_column_is_named(tmp_path):
    (tmp_path / "phieu.csv").write_text("id,sex,line_a,line_b\n1,M,I64,\n", "utf-8")
    with pytest.raises(InputError) as error:
        read(received(tmp_path / "phieu.csv"))
    assert "age_value" in error.value.sentence("vi")


def test_the_5050_real_coded_deaths_all_land():
    file = received(reference_path("icd", "ucod_open.csv"))
    assert CERTIFICATES.recognise(file) == 0.95
    found = read(file)
    assert len(found["death"]) == 5050
    assert found["quarantine"] == []
    assert found["death_cause"]["icd10_code"].str.fullmatch(ICD_SHAPE).all()
    assert found["death"]["underlying_cause_as_given"].notna().all()
    assert found["death"]["age_years"].notna().mean() > 0.9


LINES = pd.DataFrame(
    {
        "Mã xã": ["21112", "21112", "99999"],
        "Tên xã": ["Xã Bình Châu", "Xã Bình Châu", "Xã Lạ"],
        "Năm": ["2024"] * 3,
        "Họ và tên": ["Nguyễn A", "Trần B", "Lê C"],
        "Nam": ["1950", "", "3"],
        "Nữ": ["", "74 tuổi", ""],
        "Ngày tử vong": ["05/03/2024", "15/8 âl", "1/1/2024"],
        "Nơi tử vong": ["Tại nhà", "BV tỉnh", ""],
        "Nguyên nhân tử vong": ["Già yếu", "TBMMN", "Sốt"],
    }
)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_line_list_gives_the_same_records_as_a_book(tmp_path, suffix):
    path = tmp_path / f"a6.{suffix}"
    if suffix == "csv":
        LINES.to_csv(path, index=False)
    else:
        LINES.to_parquet(path, index=False)
    file = received(path)
    assert LINE_LISTS.recognise(file) == 0.9
    found = read(file, LINE_LISTS)
    first = 1 if suffix == "parquet" else 2  # the header is line 1 of a CSV
    assert found["death"][["unit_id", "row_number", "sex", "age_years"]].values.tolist() == [
        ["VN2024:21112", first, "male", 74], ["VN2024:21112", first + 1, "female", 74],
    ]  # fmt: skip
    assert found["death"]["death_date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-03-05", "2024-09-17"]
    assert found["quarantine"] == [[first + 2, "places.unknown_unit"]]
    assert found["death_identity"]["full_name"].tolist() == ["Nguyễn A", "Trần B"]


def test_a_code_of_another_list_is_refused_by_the_name_beside_it(tmp_path):
    wrong = LINES.head(1).assign(**{"Tên xã": "Xã Hoàn Toàn Khác"})
    wrong.to_parquet(tmp_path / "a6.parquet", index=False)
    assert read(received(tmp_path / "a6.parquet"), LINE_LISTS)["quarantine"] == [[1, "places.unit_code_name_differ"]]


def test_certificates_and_line_lists_do_not_take_each_others_files(tmp_path):
    assert LINE_LISTS.recognise(csv(tmp_path, "A1,M,56,years,I64,,,,,I64")) == 0.0
    LINES.to_csv(tmp_path / "a6.csv", index=False)
    assert CERTIFICATES.recognise(received(tmp_path / "a6.csv")) == 0.0
