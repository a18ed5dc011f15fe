"""The lists of the edits agree with WHO's annexes as extracted in the reference data: each code on one side is on the other."""

import pandas as pd
import pytest

from mortality.icd import who_categories
from mortality.validation import edit_lists
from mortality.validation.code_ranges import in_ranges, ranges_of
from tests.support import reference_path
from tkyt_analysis.catalog import read_codelist


def published(name):
    return pd.read_csv(reference_path("icd", "lists", f"{name}.csv"), dtype="str").fillna("")


def four_characters():
    """Every code of WHO 2019 with four characters, and the categories that have none."""
    longer = {code[:5] for code in who_categories() if len(code) > 3}
    return longer | {
        code for code in who_categories() if len(code) == 3 and f"{code}.0" not in longer and f"{code}.9" not in longer
    }


def members(ranges):
    """The four-character codes in ranges as published ("B95.0–B95.5, C77") or as ours ("B95.0-B95.5;C77")."""
    text = ranges.replace("–", "-").replace(".-", "").replace(", ", ";").replace(",", ";")
    return {code for code in four_characters() if in_ranges(code, text)}


@pytest.mark.parametrize(("check", "letter", "more"), [("SEX_F", "F", {"O94", "Q96.3"}), ("SEX_M", "M", set())])
def test_sex_limits_are_those_of_annex_7_8(check, letter, more):
    rows = published("who_v2_2016_sex_limited")
    ours = read_codelist("edit_limits").set_index("check").loc[check, "icd10_ranges"]
    expected = members(";".join(rows.loc[rows["sex"] == letter, "code"]))
    assert len(rows) == 916
    assert expected - members(ours) == set()
    assert members(ours) - expected == more  # of women too, and not in the annex


@pytest.mark.parametrize(("edition", "lines", "codes"), [(2016, 234, 1315), (2019, 424, 1502)])
def test_unlikely_causes_are_those_of_the_annex(edition, lines, codes):
    rows = published(f"who_v2_{edition}_unlikely_cod")
    expected = members(";".join(rows["codes"]))
    ours = {
        code for code in four_characters() if any(code in ranges for ranges, _ in edit_lists.unlikely_causes(edition))
    }
    assert (len(rows), len(expected)) == (lines, codes)
    assert ours == expected


@pytest.mark.parametrize(
    ("use", "published_use", "lines"), [("never", "never", 56), ("if_cause_known", "not_if_cause_known", 21)]
)
def test_codes_not_allowed_as_underlying_cause_are_those_of_the_summary(use, published_use, lines):
    rows = published("who_v2_2016_not_underlying")
    rows = rows[rows["use"] == published_use]
    given = [ranges for one, ranges, _ in edit_lists.not_underlying(2019) if one == use]
    assert len(rows) == lines
    assert {code for code in four_characters() if any(code in ranges for ranges in given)} == members(
        ";".join(rows["codes"])
    )


def test_each_code_not_allowed_has_the_published_code_to_use_instead():
    ours = {
        code: suggestion
        for use, ranges, suggestion in edit_lists.not_underlying(2019)
        if use == "never"
        for code in four_characters()
        if code in ranges
    }
    for row in published("who_v2_2016_not_underlying").itertuples():
        if row.use == "never":
            words = row.redirect_note.replace("–", "-").replace(".-", "")
            for code in members(row.codes):
                assert all(part in words for part in ours[code].split(";")), (code, ours[code], words)
                assert bool(ours[code]) == ("code to" in words), code


def test_ill_defined_conditions_are_those_of_annex_7_3():
    rows = published("who_v2_2016_ill_defined")
    assert len(rows) == 13
    sure = members(";".join(rows.loc[rows["note"] == "", "codes"]))
    assert {code for code in four_characters() if code in edit_lists.ill_defined_ranges(2019)} == sure
    for code in ("R57.2", "R65.0", "R65.1", "R95", "I50.9"):
        assert code not in edit_lists.ill_defined_ranges(2019)


def test_asterisk_categories_cover_the_list_of_the_ministry_but_for_two_dagger_codes():
    listed = {f"{code[:3]}.{code[3:]}".rstrip(".") for code in published("asterisk_codes_kcb")["code_nodot"]}
    assert len(listed) == 371
    assert {code for code in listed if code not in edit_lists.asterisk_ranges()} == {"M05.1", "M05.3"}
    assert len(";".join(read_codelist("edit_asterisk_codes")["icd10_ranges"]).split(";")) == 83


def test_limits_of_age_are_the_28_proposed_ones_with_their_severity():
    rows = published("edit_rules_age_rare_proposed").set_index("rule")
    ours = read_codelist("edit_limits").set_index("check")
    names = {"error": "error", "warning": "warning", "info": "note"}
    for name, row in rows[rows.index.str.startswith("AGE")].iterrows():
        if name != "AGE07":  # senility under 60: a warning with a rule of its own
            assert ours.loc[name, "severity"] == names[row["severity"]], name
        assert members(ours.loc[name, "icd10_ranges"]) == members(row["codes"]), name
        if name not in ("AGE26", "AGE28"):  # there a limit that never breaks; here asked at every age, and of adults
            assert float(ours.loc[name, "youngest"] or 0) == float(row["min_years"]), name
            assert float(ours.loc[name, "oldest"] or 130) == float(int(float(row["max_years"]))), name


def test_rare_causes_are_the_8_proposed_ones():
    rows = published("edit_rules_age_rare_proposed").set_index("rule")
    names = {"error": "error", "warning": "warning", "info": "note"}
    ours = {one.check: one for one in edit_lists.rare_causes("VN")}
    proposed = rows[rows.index.str.startswith("RARE")]
    assert set(ours) == set(proposed.index)
    for name, row in proposed.iterrows():
        assert ours[name].severity == names[row["severity"]]
        assert {code for code in four_characters() if code in ours[name].ranges} == members(row["codes"])


@pytest.mark.parametrize(
    "name",
    [
        "edit_limits",
        "edit_rare_causes",
        "edit_not_underlying",
        "edit_ill_defined",
        "edit_unlikely_causes",
        "edit_asterisk_codes",
    ],
)
def test_every_range_has_its_ends_in_order_and_no_unknown_category(name):
    for text in read_codelist(name)["icd10_ranges"]:
        for begin, end in ranges_of(text).bounds:
            assert begin <= end, (name, text)
            assert {begin[0], end[0]} <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_a_line_of_a_country_replaces_the_line_of_everywhere():
    general = {one.check for one in edit_lists.rare_causes("FR")}
    assert general - {one.check for one in edit_lists.rare_causes("BR")} == {"RARE04"}
