"""The facts of the underlying cause: every range is valid in WHO-2019 or a known older code, and agrees with the annexes."""

from __future__ import annotations

import csv
import re

import pytest

from mortality.icd import is_valid_code, replace_legacy
from mortality.underlying_cause.facts import facts
from mortality.validation.code_ranges import ranges_of
from tests.support import reference_path
from tkyt_analysis.catalog import read_codelist

RANGES = {
    "ucod_linkage": ["tentative", "other"],
    "ucod_obvious_cause": ["consequence", "cause"],
    "ucod_rejected_sequences": ["effect", "rejected", "accepted"],
    "ucod_hiv_combinations": ["other", "result"],
    "ucod_injury_priority": ["icd10_ranges"],
    "ucod_specificity": ["general", "specific"],
    "ucod_groups": ["icd10_ranges"],
    "ucod_linkage_nchs": ["tentative", "other"],
    "ucod_maternal": ["icd10_ranges", "result"],
    "ucod_sequelae": ["tentative", "result"],
    "ucod_sequences_nchs": ["effect", "cause"],
}
CODE = re.compile(r"[A-Z]\d\d(\.\d)?")


def known(end: str) -> bool:
    return is_valid_code(end) or bool(replace_legacy(end))


def parts(text: str) -> list[str]:
    return [part for part in text.split(";") if part and part != "*" and not part.startswith("@")]


@pytest.mark.parametrize(("codelist", "column"), [(name, c) for name, columns in RANGES.items() for c in columns])
def test_every_range_begins_and_ends_with_a_code_that_exists(codelist, column):
    wrong = [
        (text, end)
        for text in read_codelist(codelist)[column]
        for part in parts(text)
        for end in part.split("-")
        if not (CODE.fullmatch(end) and known(end))
    ]
    assert wrong == []


@pytest.mark.parametrize("codelist", RANGES)
def test_every_fact_names_its_source_and_whether_it_was_verified(codelist):
    table = read_codelist(codelist)
    assert (table["source"] != "").all()
    assert set(table["status"]) <= {"verified", "split", "unverified"}


def test_every_group_that_a_list_names_exists():
    groups = set(read_codelist("ucod_groups")["group"])
    named = {
        part[1:]
        for codelist, columns in RANGES.items()
        for column in columns
        for text in read_codelist(codelist)[column]
        for part in text.split(";")
        if part.startswith("@")
    }
    assert named <= groups


def test_every_linkage_says_what_becomes_of_the_code():
    rows = read_codelist("ucod_linkage")
    assert set(rows["relation"]) == {"mention", "cause"}
    assert set(rows["by_default"]) == {"yes", "no"}
    for result in rows["result"]:
        assert result in {"other", "self"} or re.fullmatch(r"self\.\d", result) or known(result) or result == "I34-I38"


def links(tentative: str, other: str) -> list[str]:
    """The results of all linkages of two codes, by default or not."""
    rows = read_codelist("ucod_linkage").to_dict("records")
    return [
        row["result"] for row in rows if tentative in ranges_of(row["tentative"]) and other in ranges_of(row["other"])
    ]


def a_code_of(text: str) -> str:
    """The first code that a text of the annexes names: "E10–E14" → "E10", "I70.0, I70.1" → "I70.0"."""
    found = CODE.search(text)
    assert found, text
    return found.group()


def test_all_334_linkages_of_volume_2_are_in_the_list():
    with reference_path("icd/lists/who_v2_2016_m1_linkages.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 334
    missing = [
        (row["tentative"], row["other"])
        for row in rows
        for tentative in [a_code_of(row["tentative"])]
        for other in [a_code_of(row["other"])]
        if not any(
            links(t, o)
            for t in [tentative, *(f"{tentative}.{d}" for d in "0129")]
            for o in [other, *(f"{other}.{d}" for d in "0129")]
        )
    ]
    assert missing == []


def test_the_fourth_character_of_diabetes_is_that_of_volume_2():
    with reference_path("icd/lists/who_v2_2016_m1_linkages.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["result_4th"]]
    assert len(rows) > 90
    for row in rows:
        other = a_code_of(row["other"])
        assert "self" + row["result_4th"] in links("E11.9", other), row["other"]


@pytest.mark.parametrize(
    ("file", "effect"), [("who_v2_2016_causes_of_diabetes.csv", "diabetes"), ("who_v2_2016_causes_of_hiv.csv", None)]
)
def test_what_diabetes_and_hiv_may_be_due_to_is_the_annex(file, effect):
    from mortality.underlying_cause.due_to import WhoCausalTable

    table = WhoCausalTable(facts().rejected)
    with reference_path(f"icd/lists/{file}").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    refused = [
        row
        for row in rows
        if not table.accepts(row[effect] if effect else "B24", a_code_of(row["due_to" if effect else "codes"]))
    ]
    assert refused == []
    assert not table.accepts("E14.9", "I10")
    assert not table.accepts("B24", "I10")


def test_priority_of_injuries_is_the_annex():
    with reference_path("icd/lists/who_v2_2016_injury_priority.csv").open(encoding="utf-8") as stream:
        annex = list(csv.DictReader(stream))
    ranks = facts().injury_priority
    for row in annex:
        code = a_code_of(row["codes"])
        assert next(r["rank"] for r in ranks if code in ranges_of(r["icd10_ranges"])) == row["rank"], code
