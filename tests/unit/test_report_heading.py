"""Headings name their unit, whatever the unit is called: every commune of both lists, as people write headings."""

import unicodedata

import pytest

from tkyt_analysis.ingest.report_heading import read_reporting_unit
from tkyt_analysis.reference.places import places
from tkyt_analysis.reference.vietnamese_text import fold


def without_accents(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).translate(
        str.maketrans("đĐ", "dD")
    )


def communes(system):
    """(commune, district, province) with their type words; no district in VN2025."""
    units = places(system).set_index("unit_id")
    rows = units[units["level"].eq(3)]
    district = units["full_name"].reindex(rows["parent_unit_id"]) if system == "VN2024" else [""] * len(rows)
    province = units["full_name"].reindex(rows["province_id"])
    return list(zip(rows["full_name"], district, province, strict=True))


SHAPES = {
    "TYT Xã Ba Xa": lambda names: f"TYT {names[0]}",
    "TRẠM Y TẾ XÃ BA XA, HUYỆN BA TƠ, TỈNH QUẢNG NGÃI": lambda names: f"Trạm Y tế {', '.join(names)}".upper(),
    "Tỉnh Quảng Ngãi   Huyện Ba Tơ   Xã Ba Xa": lambda names: "   ".join(reversed(names)),
    "xã Ba Xa - Huyện Ba Tơ - Tỉnh Quảng Ngãi": lambda names: " - ".join([names[0][0].lower() + names[0][1:], *names[1:]]),
    "Đơn vị báo cáo: Trạm Y tế Xã Ba Xa. Năm 2024": lambda names: f"Đơn vị báo cáo: Trạm Y tế {names[0]} năm 2024",
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("system", ["VN2024", "VN2025"])
def test_every_commune_is_read_whole_from_a_heading(system, shape):
    wrong = {}
    for names in communes(system):
        line = SHAPES[shape]([name for name in names if name])
        found = read_reporting_unit([line]).commune
        if fold(found) != fold(names[0]):
            wrong[line] = found
    assert wrong == {}


def test_a_heading_typed_without_accents_is_read_too_except_where_a_name_holds_a_type_word_in_its_middle():
    wrong = {
        names[0]
        for names in communes("VN2024")
        if fold(read_reporting_unit([without_accents(", ".join(names))]).commune) != fold(names[0])
    }
    assert wrong == {
        "Xã Lao Xả Phình", "Xã Đông Phương Yên", "Xã Nam Phương Tiến", "Phường Tam Quan Bắc", "Phường Tam Quan Nam",
        "Xã Mỹ Tịnh An",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "commune"),
    [
        ("TYT xa Ba Xa, huyện Ba Tơ", "xa Ba Xa"),
        ("Mã xã: 21112   Xã: Bình Châu", "Xã Bình Châu"),
        ("Mã xã (5 chữ số) 21112", ""),
        ("Xã Thượng Quan, tỉnh Thái Nguyên", "Xã Thượng Quan"),
        ("TYT Thượng Quan, tỉnh Thái Nguyên", "Thượng Quan"),
        ("Huyện Sông Mã Xã Bó Sinh", "Xã Bó Sinh"),
    ],
)
def test_words_of_a_type_inside_a_name_are_part_of_the_name(line, commune):
    unit = read_reporting_unit([line])
    assert (unit.commune, unit.district.partition(" ")[0].lower()) == (commune, "huyện" if "uyện" in line else "")
