"""The underlying cause by WHO Volume 2: each rule on a drawn certificate, and what holds for every certificate."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mortality.icd import is_valid_code, replace_legacy
from mortality.underlying_cause import (
    DEFAULT,
    PROFILES,
    Certificate,
    DecisionTable,
    RuleProfile,
    WhoCausalTable,
    profile,
    select_underlying_cause,
    select_underlying_causes,
)
from mortality.underlying_cause.bit_sets import RowsHolding, all_bits, first_bit
from mortality.underlying_cause.code_sets import code_set
from mortality.underlying_cause.facts import facts
from mortality.underlying_cause.pieces import in_processes
from mortality.underlying_cause.profile import ABLATIONS
from tests.support import table
from tkyt_analysis.errors import InputError

NCHS = PROFILES["NCHS-2010"]


def certificate(*lines: str, part2: str = "", **more: object) -> Certificate:
    """Lines a, b, c, d as texts of codes, then Part 2."""
    named = dict(zip(("line_a", "line_b", "line_c", "line_d"), lines, strict=False))
    return Certificate.from_row(named | {"part2": part2} | more)


def cause(*lines: str, rules: RuleProfile = DEFAULT, part2: str = "", **more: object) -> tuple[str, str]:
    """(underlying cause, path)."""
    found = select_underlying_cause(certificate(*lines, part2=part2, **more), rules)
    return found.code, found.path


# What each rule does, one certificate each.
EACH_RULE = table("""
    rule | line_a      | line_b | line_c | part2       | code  | path
    SP1  | I21.9       |        |        |             | I21.9 | SP1
    SP2  | I21.9 K35.8 |        |        |             | I21.9 | SP2
    SP3  | J18.0       | I63.9  |        |             | I63.9 | SP3
    SP3  | K92.2       | I85.9  | K74.6  |             | K74.6 | SP3
    SP4  | J18.0       | C34.9  | I10    |             | C34.9 | SP4
    SP5  | C34.9       | I10    |        |             | C34.9 | SP5
    SP6  | J18.0       |        |        | I63.9       | I63.9 | SP2>SP6
    SP7  | R09.2       |        |        | K35.8       | K35.8 | SP2>SP7>SP1
    SP7  | K35.8       | R54    |        |             | K35.8 | SP3>SP7>SP1
    SP8  | L60.0       | N17.9  |        |             | N17.9 | SP3
    SP8  | L60.0 N17.9 |        |        |             | N17.9 | SP2>SP8>SP1
    M1   | I63.9       | I10    |        |             | I63.9 | SP3>M1
    M1   | N18.5       | E11.9  |        |             | E11.2 | SP3>M1
    M2   | I64 I63.9   |        |        |             | I63.9 | SP2>M2
    M3   | I51.7 N18.9 | I10    |        |             | I13.1 | SP3>M1>M3
    M4   | S06.5       |        |        | W19.9       | W19.9 | SP2>M4
""").fillna("")


@pytest.mark.parametrize("row", EACH_RULE.to_dict("records"), ids=lambda row: f"{row['rule']} {row['line_a']}")
def test_each_rule_chooses_the_cause_that_volume_2_asks_for(row):
    assert cause(row["line_a"], row["line_b"], row["line_c"], part2=row["part2"]) == (row["code"], row["path"])


def test_every_step_names_its_rule_its_code_and_its_evidence():
    found = select_underlying_cause(certificate("R09.2", "J18.0", part2="I63.9"))
    assert [step.rule for step in found.steps] == ["SP3", "SP6"]
    assert [step.code for step in found.steps] == ["J18.0", "I63.9"]
    key, fields = found.steps[1].evidence
    assert (key, fields) == ("ucod.sp6.obvious", {"code": "I63.9", "replaced": "J18.0", "cause": "I63.9"})


def test_a_condition_reported_as_due_to_another_is_not_its_obvious_cause():
    assert cause("A41.9", "J18.9", part2="J44.9")[0] == "J44.0"  # not A41.9, which J18.9 led to
    assert cause("J96.0", "J18.9") == ("J18.9", "SP3")


def test_an_obvious_cause_brings_the_start_of_its_own_sequence():
    # Poliomyelitis is not due to diabetes (SP5); HIV, an obvious cause, is itself reported as due to drug use.
    found = select_underlying_cause(certificate("A80.9", "E14.9", "B24", "F11.2"))
    assert [(step.rule, step.code) for step in found.steps[:2]] == [("SP5", "A80.9"), ("SP6", "F11.2")]


def test_a_fracture_with_an_operation_alone_still_lacks_its_external_cause():
    found = select_underlying_cause(certificate("A41.9", "Y83.8", "S72.0"))
    assert (found.code, found.flags) == ("X59.0", ("reject:no_external_cause",))


def test_a_symptom_reported_as_due_to_the_starting_point_is_no_obvious_cause_of_it():
    assert cause("J96.0", "J81") == ("J81", "SP3")  # lung oedema follows respiratory failure only elsewhere


def test_the_lowest_condition_must_explain_every_condition_above_it():
    assert cause("J18.0 C34.9", "I10")[1].startswith("SP4")  # cancer of the lung is not due to hypertension
    assert cause("J18.0 N17.9", "I10")[1].startswith("SP3")


def test_heart_failure_is_no_consequence_of_what_it_is_said_to_have_caused():
    assert cause("I49.0", "I50.9") == ("I50.9", "SP3")
    assert cause("I50.9", part2="I42.0")[0] == "I42.0"
    assert cause("J18.9", "A41.9")[0] == "J18.9"  # sepsis ends a train of events, whatever stands above it


def test_a_sequence_ends_where_the_next_line_gives_no_cause():
    # Kaposi's sarcoma is not due to diabetes, though it is to HIV one line further down; diabetes is not due to HIV.
    found = select_underlying_cause(certificate("C46.9", "E14.9", "B24"), DEFAULT.without("obvious_cause"))
    assert found.steps[0].rule == "SP5"


def test_where_everything_is_ill_defined_the_starting_point_stays():
    assert cause("R09.2", "R99") == ("R99", "SP3")
    assert cause("R54") == ("R54", "SP1")


def test_an_effect_that_lasted_longer_than_its_cause_is_not_due_to_it():
    assert cause("J18.9", "K35.8") == ("K35.8", "SP3")
    longer = {"interval_a": "3 tháng", "interval_b": "2 ngày"}
    assert cause("J18.9", "K35.8", **longer) == ("J18.9", "SP5")
    assert cause("J18.9", "K35.8", rules=DEFAULT.without("intervals"), **longer) == ("K35.8", "SP3")


def test_a_stroke_of_years_ago_is_coded_as_its_late_effect():
    assert cause("J18.2", "I64", interval_b="10 năm")[0] == "I69.4"
    assert cause("J18.2", "I64", interval_b="10 ngày")[0] == "I64"


def test_complications_of_diabetes_by_edition():
    # Heart attack due to diabetes: .6 since 2016, no complication before; kidney failure: .2 in both; both together: .7.
    assert cause("I21.9", "E14.9", rules=PROFILES["WHO-2016"])[0] == "E14.6"
    assert cause("I21.9", "E14.9", rules=PROFILES["WHO-2010"])[0] == "E14.9"
    assert cause("N18.5", "E14.9", rules=PROFILES["WHO-2010"])[0] == "E14.2"
    assert cause("I21.9", "E14.9", part2="N18.5", rules=PROFILES["WHO-2016"])[0] == "E14.7"


def test_by_default_the_fourth_character_of_diabetes_stays_comparable_with_earlier_years():
    assert cause("I21.9", "E14.9")[0] == "E14.9"
    assert cause("N18.5", "E14.9")[0] == "E14.2"


def test_hiv_takes_the_subcategory_of_what_is_reported_with_it():
    assert cause("A16.9", "B24")[0] == "B20.0"
    assert cause("A16.9", "B37.8", "B24")[0] == "B20.7"
    assert cause("C46.9", "A16.9", "B24")[0] == "B22.7"
    assert cause("A16.9", "B24", rules=DEFAULT.without("hiv_combinations"))[0] == "B24"


def test_covid_causes_the_pneumonia_and_is_due_to_nothing_else():
    assert cause("J96.0", "J18.9", part2="U07.1")[0] == "U07.1"
    assert cause("J18.9", "U07.1", "E11.9")[0] == "U07.1"
    assert cause("J18.9", part2="U07.1", rules=DEFAULT.without("covid"))[0] == "J18.9"


@pytest.mark.parametrize(
    ("manner", "code", "flag"),
    [("suicide", "X84.9", "reject:no_external_cause"), ("homicide", "Y09.9", "reject:no_external_cause"), ("", "X59.9", "reject:no_external_cause")],
)  # fmt: skip
def test_an_injury_without_external_cause_goes_by_the_manner_and_to_a_coder(manner, code, flag):
    found = select_underlying_cause(certificate("S06.5", manner=manner))
    assert found.code == code
    assert flag in found.flags


def test_the_main_injury_stands_beside_the_external_cause():
    found = select_underlying_cause(certificate("S72.0 S06.2", part2="V03.1"))
    assert (found.code, found.main_injury) == ("V03.1", "S06.2")


def test_a_manner_that_the_external_cause_does_not_fit_goes_to_a_coder():
    assert "reject:manner_disagrees" in select_underlying_cause(certificate("T71", "X70.0", manner="accident")).flags
    assert select_underlying_cause(certificate("T71", "X70.0", manner="suicide")).flags == ()


@pytest.mark.parametrize(
    ("codes", "pregnancy", "code"),
    [
        ("I05.0", "pregnant", "O99.4"),
        ("I05.0", "within_42_days", "O99.4"),
        ("I05.0", "43_days_to_1_year", "I05.0"),
        ("O72.1", "within_42_days", "O72.1"),
        ("O72.1", "43_days_to_1_year", "O96.0"),
        ("O99.4", "43_days_to_1_year", "O96.1"),
        ("V03.1", "pregnant", "V03.1"),
        ("I05.0", "", "I05.0"),
    ],
)
def test_maternal_deaths_up_to_42_days_and_late(codes, pregnancy, code):
    assert cause(codes, sex="F", pregnancy=pregnancy)[0] == code


def test_an_operation_gives_way_to_what_it_was_done_for():
    assert cause("A41.9", "Y83.2", "C18.7")[0] == "C18.7"
    assert cause("A41.9", "Y83.9")[0] == "A41.9"
    assert cause("I26.9", part2="Y83.6 C34.9", surgery="yes")[0] == "C34.9"
    assert cause("Y83.2")[0] == "Y83.2"


def test_codes_that_only_accompany_are_no_cause():
    assert cause("B95.6", "L03.9")[0] == "L03.9"
    assert cause("C78.0")[0] == "C80.9"
    assert cause("C78.0", "C50.9")[0] == "C50.9"
    assert cause("C97 C50.9 C18.7")[0] == "C50.9"
    assert "reject:never_underlying" in select_underlying_cause(certificate("C97")).flags
    assert cause("J44.9", "F17.2")[0] == "J44.9"
    assert cause("P22.0", "P07.2", age_value="2", age_unit="days")[0] == "P22.0"


def test_the_place_of_occurrence_is_kept_unless_the_profile_drops_it():
    dropping = RuleProfile("no places", place_digits="drop")
    assert cause("S06.5", "W19.0")[0] == "W19.0"
    assert cause("S06.5", "W19.0", rules=dropping)[0] == "W19"


def test_codes_of_earlier_editions_and_short_codes_are_understood():
    found = select_underlying_cause(certificate("A91"))
    assert (found.code, found.flags) == (replace_legacy("A91"), ("profile:legacy_code",))
    assert cause("A91", rules=PROFILES["WHO-2010"])[0] == "A91"
    assert cause("I48") == ("I48", "SP1")
    assert cause("i219")[0] == "I21.9"


def test_what_is_no_code_goes_to_a_coder_and_the_rest_is_still_worked():
    found = select_underlying_cause(certificate("I21.9 QQ1"))
    assert (found.code, found.flags) == ("I21.9", ("reject:invalid_code",))
    assert select_underlying_cause(certificate("")).flags == ("reject:no_code",)
    assert select_underlying_cause(certificate("QQ1")).code == ""


def test_a_profile_is_found_by_its_name_in_any_case():
    assert profile("nchs-2010") is NCHS
    with pytest.raises(InputError, match="WHO-2016"):
        profile("WHO-1999")


@pytest.mark.parametrize("switch", ABLATIONS)
def test_each_rule_can_be_switched_off(switch):
    off = DEFAULT.without(switch)
    assert getattr(DEFAULT, switch)
    assert not getattr(off, switch)
    assert select_underlying_cause(certificate("R09.2", "J18.9", part2="I63.9 E14.9"), off).code


SWITCHED = table("""
    switch           | line_a | line_b | part2 | off
    obvious_cause    | J18.0  |        | I63.9 | J18.0
    ill_defined      | R09.2  |        | K35.8 | R09.2
    unlikely         | L60.0  |        | K35.8 | L60.0
    linkage          | I63.9  | I10    |       | I10
    if_known         | J44.9  | F17.2  |       | F17.2
    surgery          | A41.9  | Y83.9  |       | Y83.9
    injuries         | S06.5  |        | W19.9 | S06.5
""").fillna("")


@pytest.mark.parametrize("row", SWITCHED.to_dict("records"), ids=lambda row: row["switch"])
def test_a_rule_that_is_switched_off_changes_nothing_any_more(row):
    lines, part2 = (row["line_a"], row["line_b"]), row["part2"]
    assert cause(*lines, part2=part2, rules=DEFAULT.without(row["switch"]))[0] == row["off"]
    assert cause(*lines, part2=part2)[0] != row["off"]


def test_who_refuses_what_4_2_3_lists_and_accepts_the_rest():
    who = WhoCausalTable(facts().rejected)
    assert who.accepts("J18.9", "C34.9")
    assert who.accepts("K92.2", "K74.6")
    assert not who.accepts("C34.9", "I10")
    assert not who.accepts("X70.0", "F32.9")
    assert not who.accepts("E14.9", "I10")
    assert who.accepts("E14.9", "K86.1")


def test_a_decision_table_is_read_from_its_file(tmp_path):
    file = tmp_path / "table_d.csv"
    file.write_text("address,sub_lo,sub_hi,ambivalent\nI509,I200,I259,0\nI509,J440,J449,1\n", encoding="utf-8")
    strict = DecisionTable(file, fallback=WhoCausalTable(facts().rejected), ambivalent=False)
    generous = DecisionTable(file, fallback=WhoCausalTable(facts().rejected))
    assert strict.accepts("I50.9", "I21.9")
    assert not strict.accepts("I50.9", "K74.6")
    assert generous.accepts("I50.9", "J44.9")
    assert not strict.accepts("I50.9", "J44.9")
    assert strict.accepts("J18.9", "I63.9")  # not in the file: WHO's list answers


def test_a_file_that_is_no_decision_table_is_refused_with_its_columns(tmp_path):
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="sub_lo"):
        DecisionTable(file, fallback=WhoCausalTable(()))


# What holds for every certificate.
CODES = [
    "A09.9",
    "A16.9",
    "A41.9",
    "A90",
    "B18.2",
    "B20.0",
    "B24",
    "B95.6",
    "C16.9",
    "C18.7",
    "C34.9",
    "C78.0",
    "C80.9",
    "C90.0",
    "D64.9",
    "E11.2",
    "E14.9",
    "E46",
    "E86",
    "F03",
    "F10.2",
    "F17.2",
    "G20",
    "G30.9",
    "G82.2",
    "I05.0",
    "I10",
    "I11.0",
    "I11.9",
    "I12.0",
    "I21.9",
    "I25.9",
    "I46.9",
    "I48",
    "I50.9",
    "I51.9",
    "I61.9",
    "I63.9",
    "I64",
    "I69.4",
    "I70.9",
    "J18.9",
    "J44.9",
    "J69.0",
    "J81",
    "J96.0",
    "K35.8",
    "K70.3",
    "K74.6",
    "K92.2",
    "L60.0",
    "L89.9",
    "M81.9",
    "N17.9",
    "N18.5",
    "N39.0",
    "O15.0",
    "P07.2",
    "P22.0",
    "Q24.9",
    "R09.2",
    "R54",
    "R99",
    "S06.5",
    "S72.0",
    "T71",
    "T81.4",
    "U07.1",
    "V03.1",
    "W19.0",
    "X70.0",
    "Y34.9",
    "Y83.2",
    "D63.8",
    "G01",
    "R64",
    "I22.9",
]
ILL_DEFINED = ("R09.2", "R54", "R99", "I46.9", "R57.0", "J96.0")
lines = st.lists(st.sampled_from(CODES), max_size=2).map(" ".join)
certificates = st.builds(
    lambda a, b, c, part2, age, manner: certificate(a, b, c, part2=part2, age_value=age, age_unit="years", manner=manner),
    lines, lines, lines, lines, st.sampled_from(["", "0", "30", "80"]), st.sampled_from(["", "accident", "suicide"]),
)  # fmt: skip
profiles = st.sampled_from(list(PROFILES.values()))
quickly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quickly
@given(certificates, profiles)
def test_the_result_is_always_a_code_of_icd_10(written, rules):
    found = select_underlying_cause(written, rules)
    if found.steps:
        assert is_valid_code(found.code) or (rules.edition < 2016 and replace_legacy(found.code))
        assert found.code == found.steps[-1].code
    else:
        assert found.code == ""
        assert "reject:no_code" in found.flags


@quickly
@given(certificates, profiles)
def test_the_same_certificate_gives_the_same_answer(written, rules):
    assert select_underlying_cause(written, rules) == select_underlying_cause(written, rules)


@quickly
@given(st.sampled_from([code for code in CODES if code[0] not in "ST"]))
def test_a_single_code_is_the_cause_or_gives_way_to_what_stands_for_it(code):
    found = select_underlying_cause(certificate(code))
    never = next((row["suggestion"] for row in facts().never if code in code_set(row["icd10_ranges"])), "")
    assert found.code == code or found.code == replace_legacy(code) or found.code[:3] == never[:3]


@quickly
@given(certificates, st.sampled_from(ILL_DEFINED), st.sampled_from(["line_a", "line_b", "line_c", "line_d", "part2"]))
def test_an_ill_defined_code_added_never_takes_away_a_well_defined_cause(written, symptom, place):
    vague = facts().ill_defined
    before = select_underlying_cause(written).code
    row = {name: " ".join(getattr(written, name)) for name in ("line_a", "line_b", "line_c", "line_d", "part2")}
    row[place] = f"{row[place]} {symptom}".strip()
    after = select_underlying_cause(Certificate.from_row(row | {"manner": written.manner})).code
    if before and before not in vague:
        assert after not in vague


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(certificates, min_size=1, max_size=6), profiles)
def test_many_at_once_are_worked_as_one_by_one(many, rules):
    frame = pd.DataFrame([_row(number, written) for number, written in enumerate(many)], dtype="str")
    found = select_underlying_causes(frame, profile=rules, workers=1)
    alone = [select_underlying_cause(written, rules) for written in many]
    assert found["underlying_cause"].tolist() == [selection.code for selection in alone]
    assert found["steps"].tolist() == [selection.path for selection in alone]
    assert found["flags"].tolist() == [" ".join(selection.flags) for selection in alone]


def _row(number: int, written: Certificate) -> dict[str, str]:
    age = "" if written.age_value is None else str(written.age_value)
    codes = {name: " ".join(getattr(written, name)) for name in ("line_a", "line_b", "line_c", "line_d", "part2")}
    return {"id": str(number), "sex": "F", "age_value": age, "age_unit": "years", "manner": written.manner} | codes


SEVERAL = table("""
    id | sex | age_value | age_unit | line_a | line_b | line_c | line_d | part2
    1  | M   | 80        | years    | J18.0  | I63.9  |        |        | I10
    2  | F   | 2         | days     | P22.0  | P07.2  |        |        |
    3  | M   | 80        | years    | J18.0  | I63.9  |        |        | I10
    4  | M   | 3         | months   | L01.0  | A41.9  |        |        |
    5  | M   | 30        | years    |        |        |        |        |
""").fillna("")


def test_neither_the_order_of_rows_nor_other_columns_change_a_result():
    once = select_underlying_causes(SEVERAL).set_index("id")
    turned = SEVERAL.iloc[::-1].assign(district="01")[["district", *SEVERAL.columns[::-1]]]
    again = select_underlying_causes(turned)
    assert again.index.equals(turned.index)
    pd.testing.assert_frame_equal(again.set_index("id").loc[once.index], once)
    assert once.loc[1, "underlying_cause"] == "I63.9"
    assert once.loc[5, "flags"] == "reject:no_code"


def test_impetigo_kills_an_infant_and_no_adult():
    young = SEVERAL.iloc[[3]].assign(line_a="L01.0 A09.9", line_b="")
    assert select_underlying_causes(young)["underlying_cause"].tolist() == ["L01.0"]
    assert select_underlying_causes(young.assign(age_unit="years"))["underlying_cause"].tolist() == ["A09.9"]


def test_an_empty_table_gives_an_empty_table():
    found = select_underlying_causes(SEVERAL.iloc[:0])
    assert found.columns.tolist() == ["id", "underlying_cause", "steps", "flags", "main_injury"]
    assert found.empty


@pytest.mark.slow
def test_processes_answer_in_the_order_of_the_items():
    items = [str(number) for number in range(25_000)]
    assert in_processes(_echo, items, ("!",), workers=2) == [f"{item}!" for item in items]


def _echo(items: list[str], mark: str) -> list[str]:
    return [item + mark for item in items]


@given(st.lists(st.sampled_from(["A00-B99", "B20-B24", "C53", "C53.0-C53.4", "I21.0;I50", "S00-T98", ""]), max_size=6))
@settings(max_examples=60, deadline=None)
def test_bit_sets_hold_the_same_codes_as_the_ranges(texts):
    rows = RowsHolding(texts)
    for code in ("A00.0", "B24", "B20.7", "C53", "C53.4", "C53.9", "I21.0", "I21", "I50", "T98.3", "Z99.9"):
        assert all_bits(rows[code]) == [row for row, text in enumerate(texts) if code in code_set(text)]


def test_the_first_bit_is_the_first_row():
    assert (first_bit(0b1), first_bit(0b110), all_bits(0b1010)) == (0, 1, [1, 3])


@pytest.mark.parametrize(
    ("injury", "code"),
    [("S06.9", "X59.9"), ("S72.0", "X59.0"), ("T30.0", "X19"), ("T65.9", "X49"), ("T60.0", "X48"), ("T51.1", "X45"), ("T58", "X47"), ("T50.9", "X44"), ("T63.0", "X29"), ("T90.5", "Y89.9")],
)  # fmt: skip
def test_the_kind_of_an_injury_alone_gives_the_unspecified_accident_of_its_kind_to_a_coder(injury, code):
    found = select_underlying_cause(certificate(injury))
    assert (found.code, found.flags) == (code, ("reject:no_external_cause",))


def test_illness_without_a_name_is_an_unknown_cause_of_death():
    found = select_underlying_cause(certificate("R69"))
    assert (found.code, found.flags, found.steps[-1].detail) == ("R99", (), "M1:replaced")
