"""ADX and DXF2 XML: the same values land as from JSON; a damaged file costs only what is damaged."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_support import Known, read_all, received
from support import reference_path, table

from tkyt_analysis.errors import InputError
from tkyt_analysis.exchange.door import DOOR, content
from tkyt_analysis.exchange.xml_values import ValueElements
from tkyt_analysis.ingest.dhis2 import DOOR as JSON_DOOR

ALIASES = table("""
    source     | alias       | unit_id
    DHIS2      | unitAAAAAAA | DHIS2:unitAAAAAAA
    DHIS2.code | 342         | DHIS2:unitAAAAAAA
""")
ELEMENTS = table("""
    element_id  | code  | value_type | dataset_id  | status
    cases000000 | MAL01 | NUMBER     | form0000001 | described
    deaths00000 | MAL02 | NUMBER     | form0000001 | described
    remark00000 | NOTE  | TEXT       | form0000001 | described
""")


@pytest.fixture
def known():
    return Known({"unit_alias": ALIASES, "data_element": ELEMENTS})


def adx(*values, group='orgUnit="342" period="2025-01-01/P1M" dataSet="Malaria"'):
    return f'<adx xmlns="urn:ihe:qrph:adx:2015"><group {group}>{"".join(values)}</group></adx>'


def dxf2(*values, attributes=""):
    return f'<dataValueSet xmlns="http://dhis2.org/schema/dxf/2.0" {attributes}>{"".join(values)}</dataValueSet>'


def keys(answer):
    names = ["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"]
    return sorted(map(tuple, answer.values[names].values.tolist()))


def test_adx_finds_elements_and_units_by_their_codes_and_keeps_its_dimensions_as_category(tmp_path, known):
    text = adx(
        '<dataValue dataElement="MAL01" sex="F" age="under5" value="32"/>', '<dataValue dataElement="MAL02" value="2"/>'
    )
    answer = read_all(DOOR, received(tmp_path / "a.xml", text), known)
    assert keys(answer) == [
        ("Malaria", "cases000000", "age=under5;sex=F", "DHIS2:unitAAAAAAA", "202501", 32.0),
        ("Malaria", "deaths00000", "", "DHIS2:unitAAAAAAA", "202501", 2.0),
    ]


@pytest.mark.parametrize(
    ("window", "period"),
    [
        ("2025-06-01/P1M", "202506"),
        ("2025-06-15/P1M", "202507A"),
        ("2025-04-01/P3M", "2025Q2"),
        ("2025-01-01/P6M", "2025S1"),
        ("2025-01-01/P9M", "2025C9"),
        ("2025-01-01/P1Y", "2025"),
    ],
)
def test_an_adx_window_also_says_periods_that_dhis2_has_no_code_for(tmp_path, known, window, period):
    group = f'orgUnit="342" period="{window}" dataSet="Malaria"'
    text = adx('<dataValue dataElement="MAL01" value="1"/>', group=group)
    answer = read_all(DOOR, received(tmp_path / "a.xml", text), known)
    assert answer.values["period_id"].tolist() == [period]


def test_a_group_with_a_complete_date_registers_its_report(tmp_path, known):
    group = 'orgUnit="342" period="2025-01-01/P1M" dataSet="Malaria" completeDate="2025-02-04"'
    answer = read_all(
        DOOR, received(tmp_path / "a.xml", adx('<dataValue dataElement="MAL01" value="1"/>', group=group)), known
    )
    assert answer.tables["reporting_status"][
        ["dataset_id", "unit_id", "period_id", "completed_at"]
    ].values.tolist() == [["Malaria", "DHIS2:unitAAAAAAA", "202501", "2025-02-04"]]
    assert answer.received == 1 + 1  # a value and a registration


def test_an_annotation_is_the_text_of_a_text_element_and_the_comment_of_a_number(tmp_path, known):
    text = adx(
        '<dataValue dataElement="NOTE" value="0"><annotation>trạm mất điện</annotation></dataValue>',
        '<dataValue dataElement="MAL01" value="0"><annotation>chưa có ca</annotation></dataValue>',
    )
    answer = read_all(DOOR, received(tmp_path / "a.xml", text), known)
    written = dict(zip(answer.values["element_id"], answer.values["value_as_written"], strict=True))
    assert written == {"remark00000": "trạm mất điện", "cases000000": "0"}
    assert answer.notes["value"].tolist() == ["chưa có ca"]


def test_dxf2_gives_the_values_that_json_gives(tmp_path, known):
    one = {"dataElement": "cases000000", "period": "202501", "orgUnit": "unitAAAAAAA", "value": "5"}
    two = {"dataElement": "deaths00000", "period": "2025Q1", "orgUnit": "unitAAAAAAA", "value": "7",
           "categoryOptionCombo": "female00000"}  # fmt: skip
    elements = ["<dataValue " + " ".join(f'{k}="{v}"' for k, v in value.items()) + "/>" for value in (one, two)]
    xml = read_all(DOOR, received(tmp_path / "v.xml", dxf2(*elements)), known)
    text = json.dumps({"dataValues": [one, two]})
    assert keys(xml) == keys(read_all(JSON_DOOR, received(tmp_path / "v.json", text), known))


def test_the_set_gives_its_unit_and_period_to_its_values(tmp_path, known):
    text = dxf2(
        '<dataValue dataElement="cases000000" value="3"/>',
        attributes='dataSet="formX000000" period="202501" orgUnit="unitAAAAAAA"',
    )
    assert keys(read_all(DOOR, received(tmp_path / "v.xml", text), known)) == [
        ("formX000000", "cases000000", "", "DHIS2:unitAAAAAAA", "202501", 3.0)
    ]


@given(cut=st.integers(0, 2000), wide=st.booleans())
@settings(max_examples=60)
def test_however_a_file_is_cut_each_value_is_read_or_accounted_for(tmp_path_factory, cut, wide):
    gap = " " * (70_000 if wide else 1)
    values = [f'<dataValue dataElement="MAL01"{gap}sex="s{n}" value="{n}"/>' for n in range(20)]
    text = adx(*values).encode()
    at = len(text) * cut // 2000
    file = received(tmp_path_factory.mktemp("cut") / "a.xml", text[:at], "a.xml")
    with file.path.open("rb") as stream:
        pieces = list(ValueElements(stream, file="a.xml"))
    read = [one.number for piece in pieces for one in piece.values]
    unread = [one.number for piece in pieces for one in piece.unread]
    begun = text[:at].count(b"<dataValue")
    assert sorted(read + unread) == list(range(1, begun + 1))
    assert len(unread) <= 1  # only the value in which the cut falls


def test_values_behind_a_damaged_place_are_quarantined_one_by_one_and_those_before_it_land(tmp_path, known):
    values = [f'<dataValue dataElement="MAL01" sex="s{n}" value="{n}"/>' for n in range(6)]
    values.insert(3, "<broken & wrong>")
    answer = read_all(DOOR, received(tmp_path / "a.xml", adx(*values)), known)
    assert (answer.landed, answer.reasons) == (3, ["quarantine.xml_after_break"] * 3)
    assert "note.xml_broken" in answer.notes["note"].tolist()


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE adx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE adx SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE adx [<!ENTITY x SYSTEM "http://127.0.0.1/x">]>',
    ],
)
def test_a_file_with_entities_or_a_document_type_is_refused_with_a_sentence(tmp_path, known, head):
    file = received(
        tmp_path / "a.xml", '<?xml version="1.0"?>' + head + adx('<dataValue dataElement="MAL01" value="1"/>')
    )
    assert content(file) == "adx"
    with pytest.raises(InputError, match="DOCTYPE"):
        read_all(DOOR, file, known)


def test_other_xml_is_left_to_other_doors(tmp_path):
    assert content(received(tmp_path / "a.xml", "<giayBaoTu><hoTen/></giayBaoTu>")) == ""
    assert content(received(tmp_path / "b.xml", "<dataValues><dataValueSetting/></dataValues>")) == ""


def test_the_published_samples_of_adx_are_read(tmp_path, known):
    path = reference_path("quality/conformance/formats/adx_data_sample1.xml")
    answer = read_all(DOOR, received(path), known)
    # 6 + 7 values; of MAL01 = 32 and MAL02 = 20 the second group repeats the first, MAL04 = 10 stands more than once.
    assert answer.received == 13 + 1
    assert set(answer.reasons) == {"quarantine.dhis2_repeated_value"}
    assert keys(answer)[0] == ("Malaria", "MAL03", "", "DHIS2:unitAAAAAAA", "201501", 0.0)
