"""What a receiver may send in, and what is masked on the way in."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.access import acting_as, changes
from tkyt_analysis.access.masking import MASK, mask_names, mask_numbers, mask_text
from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.door import Batch
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.reference.places import places
from tkyt_analysis.warehouse.lake import Warehouse

OWN, NEIGHBOUR = "VN2025:21040", "VN2025:21061"


class Door:
    id = "book"

    def recognise(self, file):
        return 1.0

    def read(self, file, context):
        units = [OWN, NEIGHBOUR, "", OWN]
        keys = [f"A6|{number}" for number in range(2, 6)]
        rows = pd.DataFrame({"record_key": keys, "unit_id": units, "sheet": "A6", "row_number": range(2, 6)})
        yield Batch("death", rows.assign(cause_text="Suy tim"), received=4)
        yield Batch("death_identity", rows.drop(columns="unit_id").assign(full_name="Người Mô Phỏng"), counts=False)
        cause = {
            "record_key": keys[:1],
            "line": ["a"],
            "position": [1],
            "icd10_code": ["I50"],
            "sheet": ["A6"],
            "row_number": [2],
        }
        yield Batch("death_cause", pd.DataFrame(cause), counts=False)
        yield Batch("data_element", pd.DataFrame({"element_id": ["mới"], "sheet": [""], "row_number": [9]}), received=1)


def ingest(tmp_path, monkeypatch, account=None):
    monkeypatch.setattr(receive, "doors", lambda: [Door()])
    home = tmp_path / "home"
    prepare_home(home)
    (tmp_path / "book.txt").write_text("a book", "utf-8")
    if account is None:
        return home, receive.ingest(home, [tmp_path / "book.txt"])
    changes.add_account(home, "tram", role="facility", unit_id=OWN, why="kiểm thử")
    with acting_as(home, "tram"):
        return home, receive.ingest(home, [tmp_path / "book.txt"])


def test_a_facility_receives_its_own_rows_and_others_are_quarantined_with_the_reason(tmp_path, monkeypatch):
    home, result = ingest(tmp_path, monkeypatch, "tram")
    row = result.files[0]
    assert (row["received"], row["landed"], row["quarantined"]) == (5, 2, 3)
    with Warehouse(home) as warehouse:
        assert warehouse.query("SELECT DISTINCT unit_id FROM lake.death")["unit_id"].tolist() == [OWN]
        reasons = warehouse.query("SELECT reason, count(*) AS n FROM lake.quarantine GROUP BY 1 ORDER BY 1")
        assert dict(zip(reasons["reason"], reasons["n"])) == {
            "quarantine.outside_scope": 2,
            "quarantine.reference_by_scope": 1,
        }
        assert warehouse.one("SELECT count(*) FROM lake.death_cause")[0] == 1
        warehouse.attach_restricted()
        kept = warehouse.query("SELECT row_number FROM restricted.death_identity ORDER BY 1")["row_number"].tolist()
    assert kept == [2, 5]  # identifiers of refused lines are not kept


def test_the_nation_receives_everything(tmp_path, monkeypatch):
    _, result = ingest(tmp_path, monkeypatch)
    assert (result.files[0]["landed"], result.files[0]["quarantined"]) == (5, 0)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("CCCD 051951000017 gọi 0905 123 457", "CCCD … gọi …"),
        ("CMND 212345678.", "CMND …."),
        ("079.099.000.123", MASK),
        ("Nguyễn Văn An bị ngã", "… bị ngã"),
        ("NGUYỄN VĂN AN chết đuối", "… chết đuối"),
        ("ông trần đình trọng", "ông trần đình trọng"),  # small letters without văn or thị: not recognised
        ("A6_Nguyen_Thi_Lan_2024.xlsx", "A6_…_2024.xlsx"),
    ],
)
def test_numbers_and_names_are_masked(text, masked):
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    ["Hoàng Đản Tắc Mật", "Vàng Da Sơ Sinh", "Cao huyết áp", "Lý Do Khác", "ngày 05/03/2024", "2024-03-05 08:30:00", "A6_21019_2024.xlsx",
     "Nguyên Nhân Chưa Rõ", "xã Lê Hồng Phong", "dataValueSets_202501311200.json", "VN2025-21040_202512", "J18.9 I50 E11.9", "1.234.567"],
)  # fmt: skip
def test_causes_dates_codes_and_places_stay(text):
    assert mask_text(text) == text


def test_no_wording_of_the_dictionary_of_causes_is_touched():
    from tkyt_analysis.catalog import read_codelist

    words = read_codelist("practice_cause_wording")
    texts = pd.unique(words.select_dtypes(include=["object", "str"]).to_numpy().ravel())
    assert [
        text
        for text in texts
        if isinstance(text, str) and (mask_text(text) != text or mask_text(text.title()) != text.title())
    ] == []


def test_no_name_of_a_commune_is_touched():
    names = pd.concat([places(system)["full_name"] for system in ("VN2024", "VN2025")]).unique()
    assert [name for name in names if mask_names(name) != name] == []


@given(st.text(max_size=60))
def test_masking_twice_changes_nothing_more_and_never_fails(text):
    assert mask_text(mask_text(text)) == mask_text(text)


@given(st.from_regex(r"[a-zà-ỹ ]{0,10}[0-9]{9,12}[a-zà-ỹ ]{0,10}", fullmatch=True))
def test_no_number_of_nine_to_twelve_digits_stays_but_a_point_in_time(text):
    digits = "".join(letter for letter in text if letter.isdigit())
    if not digits.startswith(("19", "20")):
        assert digits not in mask_numbers(text)
