"""Edits of certificates: each test draws a record with one thing wrong, or one that is in order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.validation import edit_lists
from mortality.validation.certificate_edits import edit_certificates
from mortality.validation.code_edits import facts_of_code
from mortality.validation.code_ranges import in_ranges
from mortality.validation.edit_findings import COLUMNS
from mortality.validation.edit_sentences import with_sentences
from mortality.validation.edit_summary import broad_group, summarise_edits
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.errors import InputError

SOUND = {"id": "1", "sex": "male", "age_value": 70, "age_unit": "years", "underlying_cause": "I21.9"}
CERTIFICATE = {"line_a": "I46.9", "line_b": "I21.9", "line_c": None, "line_d": None, "part2": "E11.9"}


def edits(*records, **options):
    return edit_certificates(pd.DataFrame([SOUND | record for record in records]), **options)


def found(record, **options):
    """The checks that one record breaks, the ill-defined causes and the like included."""
    return sorted(edits(record, **options)["check"])


def test_a_record_in_order_has_no_finding():
    assert found({}) == []
    assert found(CERTIFICATE) == []
    assert list(edits({}).columns) == COLUMNS


@pytest.mark.parametrize(
    ("code", "check"),
    [
        (None, "CODE_MISSING"), ("1A00", "CODE_LETTER"), ("?", "CODE_LETTER"), ("I2", "CODE_SHORT"), ("I2.19", "CODE_DOT"),
        ("I219.", "CODE_DOT"), ("U50.1", "CODE_U"), ("B99.9", "CODE_PLACE"), ("I21.7", "CODE_UNKNOWN"), ("I84.1", "CODE_LEGACY"),
        ("E08.9", "CODE_CM"), ("G63.2*", "CODE_ASTERISK"), ("I21", "CODE_INCOMPLETE"), ("I64.0", "CODE_PLACE"), ("V99.1", "CODE_PLACE"),
    ],
)  # fmt: skip
def test_a_code_of_the_wrong_form(code, check):
    assert check in found({"underlying_cause": code})


@pytest.mark.parametrize(
    "code", ["I21.9", "i219", "I219", "I64", "I64X", "W19.9", "X70.0", "U07.1", "J44.9†", "B20.1", "Y07.0"]
)
def test_a_code_that_is_well_formed_in_one_way_or_another(code):
    assert not [check for check in found({"underlying_cause": code}) if check.startswith("CODE_")]


@pytest.mark.parametrize(
    ("sex", "code", "check"),
    [("male", "C53.9", "SEX_F"), ("nam", "O72.1", "SEX_F"), ("female", "C61", "SEX_M"), ("2", "N40", "SEX_M"), ("F", "Q53.9", "SEX_M")],
)  # fmt: skip
def test_causes_of_the_other_sex(sex, code, check):
    assert check in found({"sex": sex, "underlying_cause": code, "age_value": 40})
    assert check not in found({"sex": "khong ro", "underlying_cause": code, "age_value": 40})


@pytest.mark.parametrize(
    ("check", "code", "age", "unit", "sex"),
    [
        ("AGE01", "A33", 28, "days", "male"), ("AGE02", "P22.0", 1, "years", "male"), ("AGE03", "R95", 12, "months", "male"),
        ("AGE04", "O72.1", 9, "years", "female"), ("AGE04", "O72.1", 55, "years", "female"), ("AGE05", "A34", 60, "years", "female"),
        ("AGE06", "F53.1", 55, "years", "female"), ("AGE07", "R54", 59, "years", "male"), ("AGE08", "G30.9", 39, "years", "male"),
        ("AGE09", "G20", 29, "years", "male"), ("AGE10", "C61", 34, "years", "male"), ("AGE11", "C53.9", 14, "years", "female"),
        ("AGE12", "C50.9", 14, "years", "female"), ("AGE13", "C34.9", 14, "years", "male"), ("AGE14", "I21.9", 14, "years", "male"),
        ("AGE15", "I10", 14, "years", "male"), ("AGE16", "I70.9", 29, "years", "male"), ("AGE17", "J44.9", 14, "years", "male"),
        ("AGE18", "K70.3", 11, "years", "male"), ("AGE19", "N40", 39, "years", "male"), ("AGE20", "M80.9", 39, "years", "male"),
        ("AGE21", "J62.8", 19, "years", "male"), ("AGE22", "X70", 7, "years", "male"), ("AGE23", "E11.9", 9, "years", "male"),
        ("AGE24", "A50.9", 3, "years", "male"), ("AGE25", "Q00.0", 2, "years", "male"), ("AGE26", "V95.3", 40, "years", "male"),
        ("AGE27", "F32.9", 9, "years", "male"), ("AGE28", "E43", 18, "years", "male"), ("AGE07N", "R54", 69, "years", "male"),
        ("AGE04N", "O72.1", 14, "years", "female"), ("AGE02N", "P22.0", 28, "days", "male"),
    ],
)  # fmt: skip
def test_causes_of_another_age(check, code, age, unit, sex):
    record = {"underlying_cause": code, "age_value": age, "age_unit": unit, "sex": sex}
    assert check in found(record)
    if check != "AGE26":  # asked at every age
        assert check not in found(record | {"age_value": None})


@pytest.mark.parametrize(
    ("code", "age", "unit", "sex"),
    [
        ("A33", 27, "days", "male"), ("P22.0", 27, "days", "male"), ("R95", 11, "months", "male"), ("O72.1", 15, "years", "female"),
        ("O72.1", 49, "years", "female"), ("R54", 70, "years", "male"), ("G30.9", 40, "years", "male"), ("I70.9", 30, "years", "male"),
        ("X70", 8, "years", "male"), ("E43", 17, "years", "male"), ("A50.9", 2, "years", "male"), ("P27.1", 5, "months", "male"),
    ],
)  # fmt: skip
def test_the_last_age_inside_a_limit_is_in_order(code, age, unit, sex):
    given = {"underlying_cause": code, "age_value": age, "age_unit": unit, "sex": sex}
    assert not [check for check in found(given) if check.startswith(("AGE", "SEX")) and "_" not in check]


def test_of_a_strict_and_a_soft_limit_the_strict_one_speaks():
    assert "AGE07N" not in found({"underlying_cause": "R54", "age_value": 55})
    assert "AGE07" in found({"underlying_cause": "R54", "age_value": 55})


def test_what_is_rare_depends_on_the_country():
    chagas, sleeping = {"underlying_cause": "B57.2"}, {"underlying_cause": "B56.9"}
    assert "RARE07" in found(chagas, country="VN")
    assert "RARE07" not in found(chagas, country="BR")
    assert "RARE07" in found(sleeping, country="BR")
    assert "RARE04" in found({"underlying_cause": "A95.9"}, country="VN")
    assert "RARE04" not in found({"underlying_cause": "A95.9"}, country="BR")
    assert "AGE07N" not in found({"underlying_cause": "R54", "age_value": 65}, country="BR")


@pytest.mark.parametrize(
    ("code", "check"),
    [("B03", "RARE01"), ("A20.0", "RARE02"), ("A00.9", "RARE03"), ("A80.1", "RARE05"), ("J09", "RARE06"), ("B04", "RARE06"), ("A71.1", "RARE08")],
)  # fmt: skip
def test_rare_and_notifiable_causes(code, check):
    assert check in found({"underlying_cause": code})


def test_codes_never_the_underlying_cause_come_with_the_code_to_use():
    rows = edits({"underlying_cause": "S06.5"}, {"underlying_cause": "I25.2"}).set_index("row")
    assert rows["check"].to_dict() == {0: "NEVER_UC", 1: "NEVER_UC"}
    assert rows["suggestion"].to_dict() == {0: "V01-Y89", 1: "I25.8"}


def test_lists_of_the_underlying_cause_judge_no_other_line():
    record = {"underlying_cause": "I21.9", "line_a": "R57.0", "line_b": "I21.9", "part2": "G43.1 F03"}
    assert found(record) == []
    assert found({"underlying_cause": "R57.0"}) == ["ILL_DEFINED"]
    assert found({"underlying_cause": "F03"}) == ["IF_KNOWN"]


def test_the_only_code_of_a_certificate_is_its_underlying_cause():
    assert found({"underlying_cause": None, "line_a": "R99"}) == ["ILL_DEFINED"]
    assert found({"underlying_cause": None, "line_a": "R99", "line_b": "I21.9"}) == []


def test_unlikely_causes_depend_on_the_edition_and_impetigo_on_the_age():
    assert found({"underlying_cause": "E29.1"}, edition=2019) == ["UNLIKELY"]
    assert found({"underlying_cause": "E29.1"}, edition=2016) == []
    assert found({"underlying_cause": "L01.0", "age_value": 3}) == ["UNLIKELY"]
    assert found({"underlying_cause": "L01.0", "age_value": 3, "age_unit": "months"}) == []


@pytest.mark.parametrize(
    ("age", "unit", "check"),
    [(32, "days", "AGE_DAYS"), (28, "days", "AGE_DAYS_28"), (31, "ngày", "AGE_DAYS_28"), (12, "M", "AGE_MONTHS"), (0, "Y", "AGE_YEARS_UNDER"),
     (126, "tuổi", "AGE_YEARS_OVER"), (5, "", "AGE_UNIT"), (5, "xyz", "AGE_UNIT")],
)  # fmt: skip
def test_ages_that_do_not_fit_their_unit(age, unit, check):
    assert check in found({"age_value": age, "age_unit": unit, "underlying_cause": "A41.9"})


@pytest.mark.parametrize(("age", "unit"), [(27, "days"), (11, "months"), (125, "years"), (23, "hours"), (1, "năm")])
def test_ages_that_fit_their_unit(age, unit):
    assert found({"age_value": age, "age_unit": unit, "underlying_cause": "A41.9"}) == []


def test_an_injury_needs_its_nature_its_external_cause_and_the_manner():
    whole = {"underlying_cause": "V29.9", "line_a": "S06.5", "line_b": "V29.9", "manner": "accident"}
    assert found(whole) == []
    assert found(whole | {"line_a": "I46.9"}) == ["EXT_NO_NATURE"]
    assert found(whole | {"manner": ""}) == ["EXT_NO_MANNER"]
    assert found(whole | {"line_b": None, "underlying_cause": None, "part2": "I10"}) == ["NATURE_NO_EXT"]
    assert found(whole | {"line_a": "V29.9", "line_b": None}) == ["EXT_ON_TOP"]
    assert found(whole | {"line_a": "V29.9", "line_b": "S06.5"}) == ["EXT_ON_TOP"]


@pytest.mark.parametrize(
    ("manner", "code", "agrees"),
    [("accident", "V29.9", True), ("suicide", "X70", True), ("homicide", "X99", True), ("assault", "X99", True), ("disease", "X70", False),
     ("accident", "X70", False), ("suicide", "W19", False), ("other", "X70", True), ("tai nạn", "X70", False), ("undetermined", "Y20", True)],
)  # fmt: skip
def test_the_manner_says_the_same_as_the_code(manner, code, agrees):
    assert ("MANNER" not in found({"underlying_cause": code, "manner": manner})) == agrees


def test_part_one_blank_with_part_two_filled():
    blank = dict.fromkeys(("line_a", "line_b", "line_c", "line_d"))
    assert found({**blank, "part2": "I10", "underlying_cause": "I10"}) == ["PART1_BLANK"]
    assert found({**blank, "part2": "I10", "underlying_cause": "I10", "text_a": "suy tim"}) == []
    assert found({**blank, "part2": None}) == []


def test_one_code_on_two_lines_however_it_is_written():
    twice = edits({"line_a": "I219", "line_b": "E11.9", "part2": "i21.9"})
    assert twice[["check", "field", "code"]].to_numpy().tolist() == [["CODE_TWICE", "part2", "I21.9"]]
    assert found({"line_a": "I21.9 I46.9", "line_b": "E11.9"}) == []


@pytest.mark.parametrize(
    ("a", "b", "c", "lines"),
    [("1 ngày", "2 năm", "", []), ("2 years", "3 days", "", ["line_a"]), ("4 tuần", "1 tháng", "", []), ("1 tháng", "4 tuần", "", []),
     ("3 ngày", "", "2 ngày", ["line_a"]), ("1 giờ", "3 năm", "2 năm", ["line_b"]), ("không rõ", "2 ngày", "", []), ("", "", "", [])],
)  # fmt: skip
def test_an_upper_line_cannot_have_lasted_longer_than_a_lower_one(a, b, c, lines):
    rows = edits({**CERTIFICATE, "line_c": "I10", "interval_a": a, "interval_b": b, "interval_c": c})
    assert rows.loc[rows["check"] == "INTERVAL", "field"].tolist() == lines


def test_suspected_covid_says_so_where_there_are_words():
    assert found({"underlying_cause": "U07.2", "cause_text": "viêm phổi covid"}) == ["U072"]
    assert found({"underlying_cause": "U07.2", "cause_text": "Nghi mắc covid"}) == []
    assert found({"underlying_cause": "U07.2", "cause_text": None}) == []


def test_stillbirths_by_code_and_by_words_but_not_in_the_record_of_a_mother():
    infant = {"age_value": 0, "age_unit": "days", "underlying_cause": "P95"}
    assert found(infant) == ["STILLBIRTH_CODE"]
    for words in ("Thai chết lưu", "thai lưu 30 tuần", "đẻ ra đã chết", "stillborn"):
        said = infant | {"underlying_cause": "P96.9", "cause_text": words}
        assert found(said) == ["STILLBIRTH_WORDS"], words
    mother = {"age_value": 30, "sex": "female", "underlying_cause": "O85", "cause_text": "nhiễm trùng sau thai lưu"}
    assert found(mother) == []


def test_a_restricted_record_shows_neither_code_nor_words():
    records = [
        {"underlying_cause": "B24", "line_a": "B24", "part2": "B24", "cause_text": "nhiem HIV giai doan cuoi"},
        {"underlying_cause": "B20.99", "cause_text": ""},
        {"underlying_cause": "B24.5"},
        {"underlying_cause": "A41.9", "cause_text": "sida"},
    ]
    rows = with_sentences(edits(*records))
    assert rows.loc[rows["check"] == "RESTRICTED", ["row", "severity", "verdict"]].to_numpy().tolist() == [
        [number, "note", "restricted"] for number in range(4)
    ]
    shown = " ".join(rows.drop(columns=["row", "id"]).to_csv(index=False).split(",")).lower()
    for word in ("b24", "b20", "hiv", "sida", "giai doan"):
        assert word not in shown


def test_findings_come_with_the_most_serious_first_and_name_their_record():
    rows = edits(
        {"id": "007", "underlying_cause": "R99"},
        {"id": "008", "underlying_cause": "S06.5"},
        {"id": "009", "underlying_cause": "A20.0"},
    )
    assert rows[["id", "severity"]].to_numpy().tolist() == [["008", "error"], ["009", "warning"], ["007", "note"]]


def test_blocks_change_nothing(monkeypatch):
    records = pd.DataFrame(
        [
            SOUND | {"id": str(n), "underlying_cause": code}
            for n, code in enumerate(["R99", "S06.5", "I21.9", "A20.0"] * 5)
        ]
    )
    whole = edit_certificates(records)
    monkeypatch.setattr("mortality.validation.certificate_edits.ROWS_AT_ONCE", 3)
    pd.testing.assert_frame_equal(edit_certificates(records), whole)


def test_what_cannot_be_asked_ends_in_a_sentence():
    with pytest.raises(InputError, match="2010"):
        edits({}, edition=2010)
    with pytest.raises(InputError, match="Viet Nam"):
        edits({}, country="Viet Nam")
    with pytest.raises(InputError, match="sex"):
        edit_certificates(pd.DataFrame({"id": ["1"], "sex": ["male"]}))
    assert edit_certificates(pd.DataFrame({"underlying_cause": []})).empty


@settings(max_examples=60, deadline=None)
@given(code=st.text(max_size=9), age=st.one_of(st.none(), st.floats(allow_nan=True)), unit=st.text(max_size=6))
def test_no_text_stops_the_edits_and_every_finding_is_complete(code, age, unit):
    rows = edits(
        {"underlying_cause": code, "line_a": code[::-1], "age_value": age, "age_unit": unit, "cause_text": code}
    )
    assert rows[["severity", "check", "rule_id", "verdict"]].notna().all().all()
    assert (rows.loc[rows["check"] != "RESTRICTED", "rule_id"] != "").all()


@settings(max_examples=10, deadline=None)
@given(st.permutations(["R99", "S06.5", "C61", "A20.0", "P95", "J44.9"]))
def test_the_order_of_records_changes_no_finding(codes):
    rows = edits(*[{"id": code, "underlying_cause": code, "sex": "female"} for code in codes])
    assert sorted(zip(rows["id"], rows["check"])) == sorted(
        (code, check) for code in codes for check in found({"id": code, "underlying_cause": code, "sex": "female"})
    )


def test_ranges_take_a_category_only_whole():
    assert in_ranges("M80", "M80-M81")
    assert in_ranges("M80.1", "M80.0-M80.1")
    assert not in_ranges("M80", "M80.0-M80.1")
    assert not in_ranges("P72", "P70.3-P72.0")
    assert not in_ranges("", "A00-Z99")
    assert in_ranges("P71", "P70.3-P72.0")
    assert in_ranges("B18.12", "B18")


def test_each_check_has_the_severity_of_the_rule_that_it_names():
    rules = load_entries("rules")
    for name, check in edit_lists.checks("VN").items():
        if name == "RESTRICTED":  # names no rule
            continue
        # A book that is not coded yet is no error; a coded file with a record without a code is.
        assert rules[check.rule].severity == {"CODE_MISSING": "note"}.get(name, check.severity), name
    used = {check.rule for check in edit_lists.checks("VN").values()}
    assert {name for name in rules if name.startswith(("death_edit_", "certificate_"))} <= used


def test_every_check_can_be_said_in_both_languages():
    rows = edits(
        {"underlying_cause": "S06.5"},
        {"age_value": 40, "age_unit": "days"},
        {**CERTIFICATE, "interval_a": "2 năm", "interval_b": "1 ngày"},
    )
    said = with_sentences(rows, language="en").set_index("check")["sentence"].to_dict()
    assert said["NEVER_UC"] == "A code that may not be the underlying cause: S06.5. Use instead: V01-Y89."
    assert said["AGE_DAYS"] == "More than 31 days, written in days; the age is 40."
    assert said["AGE14"] == "Ischaemic heart disease under 15: I21.9, age 0."
    assert said["INTERVAL"] == "An upper line that lasted longer than a lower one: 730.5 days against 1 days."
    assert all(with_sentences(rows, language="vi")["sentence"])


def test_the_summary_counts_each_record_once_and_blocks_add_up():
    codes = ["R99", "R54", "I21.9", "A41.9", "V29.9", None, "S06.5"]
    frame = pd.DataFrame([SOUND | {"underlying_cause": code} for code in codes])
    whole = summarise_edits(frame, edit_certificates(frame))
    assert whole.groups.set_index("group")["deaths"].to_dict() == {
        "communicable": 1, "external": 1, "ill_defined": 2, "noncommunicable": 1, "other": 1, "unknown": 1,
    }  # fmt: skip
    assert (whole.records, whole.coded, whole.ill_defined) == (7, 6, 2)
    halves = [summarise_edits(part, edit_certificates(part)) for part in (frame[:3], frame[3:])]
    pd.testing.assert_frame_equal((halves[0] + halves[1]).people, whole.people)
    pd.testing.assert_frame_equal((halves[0] + halves[1]).findings, whole.findings)


def test_broad_groups_have_no_code_twice():
    from mortality.icd import who_leaves
    from mortality.validation.edit_summary import _group_ranges

    assert not [code for code in who_leaves() if sum(code in ranges for _, ranges in _group_ranges()) > 1]
    assert broad_group("R95") == "noncommunicable"


def test_facts_of_a_code_do_not_depend_on_how_it_is_written():
    for written in ("J449", "j44.9", " J44.9 ", "J44.9*"):
        assert facts_of_code(written.strip()).code == "J44.9"
    assert np.isclose(facts_of_code("L01.0").unlikely_from, 1)
