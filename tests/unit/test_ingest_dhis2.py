"""DHIS2 exports: every value lands or has a reason, whatever the format and however damaged the file."""

import gzip
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_support import Known, read_all, received
from support import reference_path, table

from tkyt_analysis.ingest.dhis2 import DOOR, content

ALIASES = table("""
    source | alias       | unit_id
    DHIS2  | unitAAAAAAA | DHIS2:unitAAAAAAA
    DHIS2  | unitBBBBBBB | VN2024:21019
""")
ELEMENTS = table("""
    element_id  | value_type | dataset_id | status
    cases000000 | NUMBER     | form0000001 | described
    yesno000000 | BOOLEAN    | form0000001 | described
    remark00000 | TEXT       | form0000001 | described
""")


@pytest.fixture
def known():
    return Known({"unit_alias": ALIASES, "data_element": ELEMENTS})


def value(**changes):
    base = {"dataElement": "cases000000", "period": "202501", "orgUnit": "unitAAAAAAA", "value": "5"}
    return base | changes


def export(*values, **attributes):
    return json.dumps(attributes | {"dataValues": list(values)})


def test_a_value_lands_with_its_window_and_as_written(tmp_path, known):
    answer = read_all(DOOR, received(tmp_path / "v.json", export(value(value="5.0"))), known)
    row = answer.values.iloc[0]
    assert (row["unit_id"], row["period_id"], row["value"], row["value_as_written"]) == (
        "DHIS2:unitAAAAAAA", "202501", 5.0, "5.0",
    )  # fmt: skip
    assert (str(row["period_start"])[:10], str(row["period_end"])[:10]) == ("2025-01-01", "2025-01-31")
    assert (row["dataset_id"], row["row_number"]) == ("form0000001", 1)


def test_the_form_of_one_unit_and_period_gives_both_to_its_values(tmp_path, known):
    bare = {"dataElement": "cases000000", "value": "7"}
    text = export(bare, dataSet="formX000000", period="2025Q1", orgUnit="unitAAAAAAA")
    after = f'{{"dataValues": [{json.dumps(bare)}], "dataSet": "formX000000", "period": "2025Q1", "orgUnit": "unitAAAAAAA"}}'
    for written in (text, after):
        row = read_all(DOOR, received(tmp_path / "v.json", written), known).values.iloc[0]
        assert (row["dataset_id"], row["period_id"], row["unit_id"]) == ("formX000000", "2025Q1", "DHIS2:unitAAAAAAA")


def test_the_default_combination_is_no_category_and_two_real_ones_are_told_apart(tmp_path, known):
    values = [
        value(categoryOptionCombo="HllvX50cXC0", attributeOptionCombo="HllvX50cXC0"),
        value(categoryOptionCombo="female00000", attributeOptionCombo="HllvX50cXC0"),
        value(categoryOptionCombo="female00000", attributeOptionCombo="donor000000"),
    ]
    answer = read_all(DOOR, received(tmp_path / "v.json", export(*values)), known)
    assert answer.values["category_id"].tolist() == ["", "female00000", "female00000.donor000000"]


@pytest.mark.parametrize(
    ("changes", "reason", "column"),
    [
        ({"orgUnit": "nobodyKnows"}, "quarantine.dhis2_unit_unknown", "orgUnit"),
        ({"period": "202513"}, "quarantine.dhis2_period_unknown", "period"),
        ({"period": ""}, "quarantine.dhis2_period_unknown", "period"),
        ({"value": "twelve"}, "quarantine.not_a_number", "value"),
        ({"value": "#REF!"}, "quarantine.formula_error", "value"),
        ({"value": ""}, "quarantine.dhis2_empty_value", "value"),
        ({"deleted": True}, "quarantine.dhis2_deleted", "deleted"),
        ({"dataElement": ""}, "quarantine.dhis2_no_element", "dataElement"),
        ({"dataElement": "yesno000000", "value": "perhaps"}, "quarantine.dhis2_not_boolean", "value"),
        ({"orgUnit": "unitBBBBBBB", "period": "202507"}, "places.unit_not_valid_at_date", "orgUnit"),
    ],
)
def test_a_value_that_cannot_land_says_where_and_why_and_costs_nothing_else(tmp_path, known, changes, reason, column):
    file = received(tmp_path / "v.json", export(value(value="1"), value(**changes), value(value="3", period="202502")))
    answer = read_all(DOOR, file, known)
    assert answer.values["value"].tolist() == [1, 3]
    assert answer.quarantined[["reason", "column_name", "row_number"]].values.tolist() == [[reason, column, 2]]


def test_a_commune_code_of_2025_in_a_file_of_2023_is_refused_and_the_reverse(tmp_path, known):
    # 21019: Phường Nghĩa Chánh of VN2024, no unit of VN2025.
    values = [value(orgUnit="21019", period="202306"), value(orgUnit="21019", period="202508")]
    answer = read_all(DOOR, received(tmp_path / "v.json", export(*values)), known)
    assert answer.values["unit_id"].tolist() == ["VN2024:21019"]
    assert answer.reasons == ["places.unit_not_valid_at_date"]


def test_elements_that_nobody_described_land_and_say_so(tmp_path, known):
    answer = read_all(DOOR, received(tmp_path / "v.json", export(value(dataElement="mystery0000", value="4"))), known)
    assert answer.values["value"].tolist() == [4]
    assert answer.tables["data_element"][["element_id", "status"]].values.tolist() == [["mystery0000", "undescribed"]]


def test_an_element_that_is_still_undescribed_is_given_again_when_its_file_is_read_again(tmp_path, known):
    file = received(tmp_path / "v.json", export(value(dataElement="mystery0000")))
    known.tables["data_element"] = pd.concat([ELEMENTS, read_all(DOOR, file, known).tables["data_element"]])
    assert len(read_all(DOOR, file, known).tables["data_element"]) == 1


def test_texts_yes_and_no_and_decimals_are_values_not_errors(tmp_path, known):
    values = [
        value(dataElement="remark00000", value="trạm mất điện"),
        value(dataElement="yesno000000", value="True"),
        value(value="27.2", period="202502"),
    ]
    answer = read_all(DOOR, received(tmp_path / "v.json", export(*values)), known)
    assert answer.landed == 3
    assert answer.values.set_index("value_as_written")["value"].dropna().to_dict() == {"True": 1.0, "27.2": 27.2}


def test_the_same_value_twice_is_a_repetition_and_two_different_ones_are_a_contradiction(tmp_path, known):
    values = [
        value(value="5"),
        value(value="5.0"),
        value(value="9", period="202502"),
        value(value="8", period="202502"),
    ]
    answer = read_all(DOOR, received(tmp_path / "v.json", export(*values)), known)
    assert answer.reasons == ["quarantine.dhis2_repeated_value"]
    assert answer.quarantined["fields"][0]["row"] == 1
    assert sorted(answer.values["value"]) == [5, 8, 9]
    contradicted = answer.notes[answer.notes["note"] == "note.dhis2_contradicting_rows"]
    assert {row["row_number"]: row["fields"]["row"] for row in contradicted.to_dict("records")} == {3: 4, 4: 3}


def test_a_comment_becomes_a_note_and_one_on_every_row_only_one(tmp_path, known):
    many = [value(period=f"20{year}", comment="mô phỏng") for year in range(20, 25)] * 5
    many = [one | {"dataElement": f"element{at:04}"} for at, one in enumerate(many)]
    answer = read_all(DOOR, received(tmp_path / "v.json", export(value(comment="đã kiểm tra"), *many)), known)
    assert sorted(answer.notes["note"]) == ["note.dhis2_comment", "note.dhis2_common_comment"]
    common = answer.notes[answer.notes["note"] == "note.dhis2_common_comment"]
    assert common["fields"].iloc[0]["rows"] == 25


def test_a_file_cut_off_gives_what_stands_before_and_one_row_with_the_byte(tmp_path, known):
    whole = export(*(value(value=str(n), period=f"{2000 + n}") for n in range(100)))
    at = whole.index('"2050"')
    answer = read_all(DOOR, received(tmp_path / "v.json", whole[:at]), known)
    assert sorted(answer.values["value"]) == list(range(50))
    assert answer.reasons == ["quarantine.json_truncated"]
    cut = answer.quarantined["fields"][0]["position"]
    assert whole[cut:at].startswith('{"dataElement"')


def test_a_file_cut_between_two_values_still_says_that_it_is_not_whole(tmp_path, known):
    whole = export(value(), value(period="202502"))
    answer = read_all(DOOR, received(tmp_path / "v.json", whole[: whole.index("}, {") + 2]), known)
    assert (answer.landed, answer.reasons) == (1, ["quarantine.json_truncated"])


def test_a_cut_gz_file_is_salvaged_too(tmp_path, known):
    packed = gzip.compress(export(*(value(value=str(n), period=f"{1900 + n % 299}") for n in range(9000))).encode())
    answer = read_all(DOOR, received(tmp_path / "v.json.gz", packed[: len(packed) // 2]), known)
    assert answer.landed + len(answer.quarantined) == answer.received > 1000
    assert (answer.quarantined["reason"] == "quarantine.json_truncated").sum() == 1


CSV_HEADER = "dataelement,period,orgunit,catoptcombo,attroptcombo,value,storedby,lastupdated,comment,followup\n"


def csv_line(number, unit="unitAAAAAAA"):
    return f"cases000000,{2000 + number},{unit},,,{number},,,,false\n"


def test_csv_values_land_like_json_values_and_bad_lines_say_their_number(tmp_path, known):
    text = CSV_HEADER + csv_line(1) + "cases000000,2002\n" + csv_line(3) + '"open quote\n' + csv_line(5)
    for name, data in (("v.csv", text.encode()), ("v.csv.gz", gzip.compress(text.encode()))):
        answer = read_all(DOOR, received(tmp_path / name, data), known)
        assert sorted(answer.values["value"]) == [1, 3, 5]
        assert sorted(answer.values["row_number"]) == [2, 4, 6]
        assert dict(zip(answer.quarantined["row_number"], answer.quarantined["reason"], strict=True)) == {
            3: "quarantine.csv_field_count",
            5: "quarantine.csv_open_quote",
        }


def test_registrations_say_who_completed_and_only_one_counts_per_form_unit_and_period(tmp_path, known):
    rows = [
        {
            "dataSet": "f1",
            "period": "202501",
            "organisationUnit": "unitAAAAAAA",
            "date": "2025-02-03",
            "completed": True,
        },
        {
            "dataSet": "f1",
            "period": "202501",
            "organisationUnit": "unitAAAAAAA",
            "date": "2025-02-09",
            "completed": True,
        },
        {
            "dataSet": "f1",
            "period": "202502",
            "organisationUnit": "unitAAAAAAA",
            "date": "2025-03-03",
            "completed": False,
        },
        {"dataSet": "f1", "period": "202502", "organisationUnit": "nobody", "date": "2025-03-03"},
    ]
    text = json.dumps({"completeDataSetRegistrations": rows})
    answer = read_all(DOOR, received(tmp_path / "c.json", text), known)
    status = answer.tables["reporting_status"].sort_values("row_number")
    assert status[["period_id", "completed_at", "completed"]].values.tolist() == [
        ["202501", "2025-02-03", True], ["202502", "2025-03-03", False],
    ]  # fmt: skip
    assert answer.reasons == ["quarantine.dhis2_repeated_registration", "quarantine.dhis2_unit_unknown"]


METADATA = {
    "organisationUnits": [
        {"id": "root0000000", "name": "Việt Nam", "path": "/root0000000", "openingDate": "2000-01-01"},
        {"id": "ward0000000", "code": "21019", "name": "Phường Nghĩa Chánh", "parent": {"id": "root0000000"},
         "path": "/root0000000/ward0000000", "openingDate": "2000-01-01T00:00:00", "closedDate": "2025-06-30"},
        {"id": "clinic00000", "code": "TYT1", "name": "Trạm y tế", "parent": {"id": "ward0000000"},
         "path": "/root0000000/ward0000000/clinic00000", "openingDate": "2010-01-01",
         "geometry": {"type": "Point", "coordinates": [108.8, 15.1]}},
        {"id": "clinic00000", "name": "again", "path": "/root0000000/clinic00000"},
        {"id": "fake0000000", "code": "21019", "name": "Freetown", "path": "/root0000000/fake0000000"},
    ],
    "dataElements": [
        {"id": "e1", "name": "Số ca", "shortName": "Ca", "valueType": "NUMBER"},
        {"id": "e2", "name": "Khác", "valueType": "TEXT"},
    ],
    "dataSets": [
        {"id": "s1", "name": "Biểu 1", "periodType": "Monthly", "timelyDays": 5, "dataSetElements": [{"dataElement": {"id": "e1"}}],
         "organisationUnits": [{"id": "ward0000000"}, {"id": "unknown0000"}]},
        {"id": "s2", "name": "Biểu 2", "periodType": "Yearly", "dataSetElements": [{"dataElement": {"id": "e1"}}]},
    ],
    "categoryOptionCombos": [{"id": "c1", "name": "Nữ", "code": "F"}],
}  # fmt: skip


def test_metadata_become_units_aliases_elements_data_sets_and_assignments(tmp_path):
    answer = read_all(DOOR, received(tmp_path / "m.json", json.dumps(METADATA)))
    aliases = answer.tables["unit_alias"].query("source == 'DHIS2'").set_index("alias")["unit_id"]
    assert aliases["ward0000000"] == "VN2024:21019"
    assert aliases["fake0000000"] == "DHIS2:fake0000000"
    units = answer.tables["organisation_unit"].set_index("unit_id")
    assert "VN2024:21019" not in units.index
    clinic = units.loc["DHIS2:clinic00000"]
    assert (clinic["parent_unit_id"], clinic["latitude"], clinic["level"]) == ("VN2024:21019", 15.1, 2)
    assert str(clinic["valid_from"])[:10] == "2010-01-01"
    elements = answer.tables["data_element"].set_index("element_id")
    assert (elements.loc["e1", "dataset_id"], elements.loc["e1", "period_type"]) == ("s1", "Monthly")
    assert answer.tables["data_set_assignment"][["dataset_id", "unit_id"]].values.tolist() == [["s1", "VN2024:21019"]]
    assert answer.reasons == ["quarantine.dhis2_assignment_unit_unknown", "quarantine.dhis2_unit_twice"]
    assert set(answer.notes["note"]) == {"note.dhis2_unit_no_place", "note.dhis2_element_in_data_sets"}


def test_cut_off_metadata_keep_what_was_read_and_say_so(tmp_path):
    text = json.dumps(METADATA)
    answer = read_all(DOOR, received(tmp_path / "m.json", text[: text.index('"dataSets"') + 40]))
    assert len(answer.tables["data_element"]) == 2
    assert "quarantine.dhis2_metadata_cut_off" in answer.reasons


def test_units_are_read_before_metadata_and_metadata_before_values(tmp_path):
    units = received(tmp_path / "u.json", json.dumps(METADATA["organisationUnits"]))
    metadata = received(tmp_path / "m.json", json.dumps({"dataElements": METADATA["dataElements"]}))
    values = received(tmp_path / "v.json", export(value()))
    assert [content(file) for file in (units, metadata, values)] == ["units", "metadata", "values_json"]
    assert DOOR.rank(units) < DOOR.rank(metadata) < DOOR.rank(values)


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"headers": [], "rows": []}', "a,b\n1,2\n", "", '[{"id": 1}]', "\x00\x01"]
)
def test_other_files_are_not_taken_for_dhis2(tmp_path, text):
    assert DOOR.recognise(received(tmp_path / "x", text)) == 0


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_however_a_json_export_is_damaged_received_is_landed_plus_quarantined(tmp_path_factory, data):
    text = bytearray(export(*(value(value=str(n), period=f"{2000 + n}") for n in range(12))).encode())
    start = text.index(b"[") + 1
    spoilt = set()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(start, len(text) - 3))
        text[at] = data.draw(st.integers(0, 255))
        spoilt.add(bytes(text[:at]).count(b"dataElem"))
    path = tmp_path_factory.mktemp("damaged") / "v.json"
    known = Known({"unit_alias": ALIASES, "data_element": ELEMENTS})
    answer = read_all(DOOR, received(path, bytes(text)), known)
    assert answer.received == answer.landed + len(answer.quarantined)
    # A changed byte spoils the value it stands in, and at most its neighbours'.
    assert answer.landed >= 12 - 3 * len(spoilt)
    assert answer.quarantined.shape[0] >= (answer.landed < 12)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_however_a_csv_export_is_damaged_other_lines_are_not_lost(tmp_path_factory, data):
    lines = [csv_line(n).encode() for n in range(1, 16)]
    hit = data.draw(st.lists(st.integers(0, 14), max_size=3, unique=True))
    junk = st.sampled_from([b'"', b'""', b",", b"\xff\xfe", b"\x00", b'x"y', b"\r", b'","'])
    for at in hit:
        cut = data.draw(st.integers(0, len(lines[at]) - 2))
        lines[at] = lines[at][:cut] + data.draw(junk) + lines[at][cut:]
    path = tmp_path_factory.mktemp("damaged") / "v.csv"
    known = Known({"unit_alias": ALIASES, "data_element": ELEMENTS})
    answer = read_all(DOOR, received(path, CSV_HEADER.encode() + b"".join(lines)), known)
    assert answer.received == answer.landed + len(answer.quarantined)
    untouched = {n + 1 for n in range(15) if n not in hit}
    landed = set(answer.values["value_as_written"].astype(str))
    # A field may swallow a neighbour only where a quote was opened; then the neighbour is one of the records.
    assert len({str(n) for n in untouched} - landed) <= sum(b'"' in lines[at] for at in hit)


SIERRA_LEONE = ("quality", "dhis2_sl")


def test_the_sierra_leone_export_lands_whole():
    known = Known()
    for name in ("organisationUnits_play42.json", "metadata_play42.json"):
        answer = read_all(DOOR, received(reference_path(*SIERRA_LEONE, name)), known)
        known.tables |= answer.tables
    assert len(known.tables["organisation_unit"]) == 1332
    assert len(known.tables["data_element"]) == 67
    answer = read_all(DOOR, received(reference_path(*SIERRA_LEONE, "dataValueSets_play42_2025.json.gz")), known)
    assert (answer.received, answer.landed, len(answer.quarantined)) == (188_701, 188_701, 0)
    values = answer.values
    assert (values["value"] % 1 != 0).sum() == 18  # non-integers are values, not errors
    assert (values["unit_id"].nunique(), values["element_id"].nunique()) == (1086, 43)
    assert "data_element" not in answer.tables  # every element is described


@pytest.mark.parametrize(("name", "count"), [("dataValues_bulk.json", 231), ("dataValueSetB.csv", 12)])
def test_the_formats_of_dhis2s_own_tests_are_read(name, count):
    path = reference_path("quality", "conformance", "formats", name)
    text = path.read_text()
    units = (
        {one["orgUnit"] for one in json.loads(text)["dataValues"]}
        if name.endswith("json")
        else {line.split(",")[2].strip('"') for line in text.splitlines()[1:]}
    )
    aliases = pd.DataFrame([("DHIS2", unit, f"DHIS2:{unit}") for unit in units], columns=list(ALIASES.columns))
    answer = read_all(DOOR, received(path), Known({"unit_alias": aliases}))
    assert (answer.received, answer.landed) == (count, count)
