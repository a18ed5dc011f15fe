"""Death notices in XML: names from the catalog, elements or attributes, packages; hostile and broken files; flat memory."""

import base64
import tracemalloc

import pytest
from ingest_support import read_all, received

from mortality.documents.notice_xml import DOOR, MOST_BYTES_PER_NOTICE, NoticeReader, field_of, plain
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

NOTICE = {
    "MA_GBT": "00001.GBT.51Z01.24", "HO_TEN": "Nguyễn Văn A", "NGAY_SINH": "19500201", "GIOI_TINH": "1", "MAXA_THUONGTRU": "21112",
    "MATINH_THUONGTRU": "51", "NGAY_TV": "202403050930", "TINH_TRANG_TV": "0", "NGUYENNHAN_TV": "Nhồi máu não",
    "BENH_ICD10_ID": "I63.9", "SO_BAOTU": "77", "NGAY_CAPGIAYBT": "20240306", "MACSKCB": "51Z01",
    "NGUOI_THANTHICH": "Lê Thị Khai", "SO_GIAYTO": "000150000111",
}  # fmt: skip


def notice(**changes) -> str:
    items = {**NOTICE, **changes}
    return "<GIAYBAOTU>" + "".join(f"<{name}>{text}</{name}>" for name, text in items.items() if text) + "</GIAYBAOTU>"


def package(*notices: str, root="HSDLGBT", declaration='<?xml version="1.0" encoding="utf-8"?>') -> str:
    return f"{declaration}<{root}>{''.join(notices)}</{root}>"


def read(tmp_path, content, name="gbt.xml"):
    return read_all(DOOR, received(tmp_path / name, content))


def test_a_notice_becomes_a_death_with_its_document_and_its_identifiers_apart(tmp_path):
    file = received(tmp_path / "gbt.xml", package(notice()))
    assert DOOR.recognise(file) == 0.95
    answer = read_all(DOOR, file)
    death, document = answer.tables["death"].iloc[0], answer.tables["death_document"].iloc[0]
    assert death[["source", "sex", "birth_year", "age_years", "place_of_death"]].tolist() == [
        "death_notice", "male", 1950, 2024 - 1950, "health_facility",
    ]  # fmt: skip
    assert death[["residence_unit_id", "cause_text", "icd10_as_written"]].tolist() == [
        "VN2024:21112",
        "Nhồi máu não",
        "I63.9",
    ]
    assert death["death_date"].strftime("%Y-%m-%d") == "2024-03-05"
    assert document["facility_id"] == "KCB:51Z01"
    assert document["document_date"].strftime("%Y-%m-%d") == "2024-03-06"
    person = answer.tables["death_identity"].iloc[0]
    assert person[["full_name", "document_number", "informant"]].tolist() == ["Nguyễn Văn A", "77", "Lê Thị Khai"]
    open_text = death.drop("person_key").to_csv() + document.to_csv() + answer.notes.to_csv()
    assert not any(secret in open_text for secret in ("Nguyễn", "Khai", "000150000111"))


def test_elements_attributes_name_value_pairs_and_namespaces_say_the_same(tmp_path):
    as_attributes = '<GiayBaoTu HoTen="Nguyễn Văn A" NgayTuVong="05/03/2024" GioiTinh="Nam"/>'
    as_pairs = (
        '<g:GiayBaoTu xmlns:g="urn:g"><g:truong ten="HoTen">Nguyễn Văn A</g:truong><g:truong ten="NgayTuVong" value="05/03/2024"/>'
        '<g:truong ten="GioiTinh">Nam</g:truong></g:GiayBaoTu>'
    )
    nested = "<giay_bao_tu><NguoiChet><HO-TEN>Nguyễn Văn A</HO-TEN><GioiTinh>Nam</GioiTinh></NguoiChet><NgayChet>05/03/2024</NgayChet></giay_bao_tu>"
    answer = read(tmp_path, package(as_attributes, as_pairs, nested, root="ds"))
    assert answer.tables["death"][["sex", "death_date_as_written"]].drop_duplicates().values.tolist() == [
        ["male", "05/03/2024"]
    ]
    assert answer.tables["death_identity"]["full_name"].tolist() == ["Nguyễn Văn A"] * 3


def test_the_name_of_a_relative_is_never_taken_for_that_of_the_dead(tmp_path):
    relative = "<NguoiThan><HoTen>Lê Thị Khai</HoTen></NguoiThan>"
    answer = read(tmp_path, package(f"<GiayBaoTu>{relative}<HoTen>Nguyễn Văn A</HoTen></GiayBaoTu>"))
    assert answer.tables["death_identity"].iloc[0][["full_name", "informant"]].tolist() == [
        "Nguyễn Văn A",
        "Lê Thị Khai",
    ]


def test_a_notice_inside_a_base64_package_is_read_and_a_broken_one_is_quarantined(tmp_path):
    def wrapped(text, kind="GIAYBAOTU"):
        inside = base64.b64encode(text.encode()).decode()
        return f"<HOSO><FILEHOSO><LOAIHOSO>{kind}</LOAIHOSO><NOIDUNGFILE>{inside}</NOIDUNGFILE></FILEHOSO></HOSO>"

    other = wrapped("<CT03><HO_TEN>Trần Thị Khác</HO_TEN></CT03>", "CT03")  # a discharge paper is no death
    answer = read(tmp_path, package(wrapped(notice()), other, wrapped("<GIAYBAOTU><HO_TEN>"), root="HSCHUNGTU"))
    assert answer.tables["death_identity"]["full_name"].tolist() == ["Nguyễn Văn A"]
    assert answer.reasons == ["quarantine.notice_xml_wrapped_unreadable"]


def test_the_code_of_the_facility_may_stand_once_for_the_whole_file(tmp_path):
    answer = read(tmp_path, package("<MACSKCB>51Z02</MACSKCB>", notice(MACSKCB=""), notice()))
    assert answer.tables["death_document"]["facility_id"].tolist() == ["KCB:51Z02", "KCB:51Z01"]


def test_a_death_on_the_way_is_not_one_in_the_facility(tmp_path):
    answer = read(tmp_path, package(notice(TINH_TRANG_TV="1"), notice()))
    assert answer.tables["death"]["place_of_death"].tolist() == ["on_the_way", "health_facility"]


def test_names_that_the_catalog_does_not_know_are_said_once(tmp_path):
    answer = read(tmp_path, package(notice(LA_LAM="x"), notice(LA_LAM="y")))
    note = answer.notes[answer.notes["note"] == "note.notice_xml_elements_unknown"]
    assert note["fields"].tolist() == [{"names": "lalam", "count": 1}]


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{"&" + a + ";" * 1}{("&" + a + ";") * 9}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "content",
    [
        f'<?xml version="1.0"?>{LAUGHS}]><HSDLGBT>{notice()}<x>&i;</x></HSDLGBT>',
        f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><HSDLGBT>{notice(HO_TEN="&f;")}</HSDLGBT>',
        f'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><HSDLGBT>{notice()}</HSDLGBT>',
    ],
    ids=["billion laughs", "file of the machine", "outside definition"],
)
def test_a_document_type_and_with_it_every_entity_is_refused_with_a_sentence(tmp_path, content):
    with pytest.raises(InputError) as refused:
        read(tmp_path, content)
    assert refused.value.key == "error.notice_xml_document_type"


def test_what_stood_before_a_break_lands_and_the_break_is_quarantined_with_its_line(tmp_path):
    answer = read(tmp_path, package(notice(), "\n", notice())[:-60])
    assert (answer.received, answer.landed) == (2, 1)
    lost = answer.quarantined.iloc[0]
    assert lost[["reason", "row_number"]].tolist() == ["quarantine.notice_xml_breaks_off", 2]
    assert lost["fields"]["line"] == 2


@pytest.mark.parametrize("content", ["<HSDLGBT><GIAYBAOTU><HO_TEN>A", "<HSDLGBT>&khong;</HSDLGBT>", "GIAYBAOTU"])
def test_no_xml_at_all_is_refused_with_line_and_column(tmp_path, content):
    with pytest.raises(InputError) as refused:
        read(tmp_path, content)
    assert refused.value.key == "error.notice_xml_unreadable"


def test_a_notice_without_name_date_and_cause_is_quarantined(tmp_path):
    answer = read(tmp_path, package(notice(), "<GIAYBAOTU><SO_BAOTU>9</SO_BAOTU></GIAYBAOTU>"))
    assert (answer.landed, answer.reasons) == (1, ["quarantine.death_line_unreadable"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encoding_is_that_of_the_declaration(tmp_path, encoding):
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    content = package(notice(), declaration=f'<?xml version="1.0" encoding="{name}"?>').encode(encoding)
    file = received(tmp_path / "gbt.xml", content)
    assert DOOR.recognise(file) == 0.95
    assert read_all(DOOR, file).tables["death_identity"]["full_name"].tolist() == ["Nguyễn Văn A"]


def test_decomposed_letters_are_composed_with_a_note_that_repeats_no_name(tmp_path):
    import unicodedata

    answer = read(tmp_path, unicodedata.normalize("NFD", package(notice())))
    assert answer.tables["death_identity"]["full_name"].tolist() == ["Nguyễn Văn A"]
    assert "note.text_composed" in set(answer.notes["note"])
    assert "Nguyễn" not in unicodedata.normalize("NFC", answer.notes.to_csv())


def test_other_xml_is_not_taken(tmp_path):
    for root in ("adx", "dataValueSet", "HSDLGCS", "html"):
        assert DOOR.recognise(received(tmp_path / f"{root}.xml", f"<{root}><HO_TEN>x</HO_TEN></{root}>")) == 0


class Endless:
    """A stream that gives one start and then the same piece for ever."""

    def __init__(self, start: bytes, piece: bytes) -> None:
        self.start, self.piece = start, piece

    def read(self, size: int = -1) -> bytes:
        start, self.start = self.start, b""
        return start or self.piece


def test_a_notice_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path):
    reader = NoticeReader(received(tmp_path / "endless.xml", "<HSDLGBT/>"))
    with pytest.raises(InputError) as refused:
        list(reader.notices(Endless(b"<HSDLGBT><GIAYBAOTU><HO_TEN>", b"A" * 65536)))
    assert refused.value.key == "error.notice_xml_too_large"
    assert refused.value.fields["limit"] == MOST_BYTES_PER_NOTICE >> 20


def test_elements_nested_without_end_are_refused(tmp_path):
    with pytest.raises(InputError) as refused:
        read(tmp_path, package("<a>" * 100 + "<GIAYBAOTU/>" + "</a>" * 100))
    assert refused.value.key == "error.notice_xml_too_deep"


def peak_of(count: int, tmp_path) -> int:
    path = tmp_path / f"{count}.xml"
    path.write_text(package(*[notice()] * count), "utf-8")
    reader = NoticeReader(received(path))
    with path.open("rb") as stream:
        tracemalloc.start()
        assert sum(1 for _ in reader.notices(stream)) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_notices(tmp_path):
    small, large = peak_of(500, tmp_path), peak_of(5_000, tmp_path)
    assert large < 2 * small


@pytest.mark.parametrize(
    "row",
    read_codelist("death_notice_xml").query("role == 'field'").itertuples(),
    ids=lambda row: f"{row.parent}.{row.name}",
)
def test_every_name_of_the_catalog_means_its_field(row):
    assert field_of(plain(row.name), ["giaybaotu", plain(row.parent)]) == row.field
