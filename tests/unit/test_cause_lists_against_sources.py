"""Every shipped cause list agrees, code by code, with a second source, and says where it does not."""

import re

import pandas as pd
import pytest
from support import reference_path

from mortality.icd import code_universe, who_categories
from mortality.tabulation.cause_lists import codes_in_ranges, load_cause_list
from mortality.tabulation.ranges import as_ranges, expand_range
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

CODES = sorted(who_categories())


def source(name: str) -> pd.DataFrame:
    return pd.read_csv(reference_path("icd", "lists", f"{name}.csv"), dtype=str, keep_default_na=False)


def expanded(ranges: str) -> set[str]:
    """The codes of a range as other people write it: blanks, slips such as "I26-128", US codes."""
    text = re.sub(r"-1(\d\d)(?=[,;\s]|$)", r"-I\1", ranges)
    kept = [
        part.strip().replace("- ", "-")
        for part in re.split(r"[,;]", text)
        if not part.strip().startswith(("U01", "U02", "U03"))
    ]
    return set(codes_in_ranges(";".join(kept), CODES))


def ours(list_id: str) -> dict[str, set[str]]:
    items: dict[str, set[str]] = {}
    for code, item in load_cause_list(list_id).code_to_item.items():
        items.setdefault(item, set()).add(code)
    return items


def lies_within(finer: dict[str, set[str]], coarser: dict[str, set[str]]) -> list[str]:
    """The items of `finer` whose codes stand in more than one item of `coarser` (a gap counts as an item)."""
    item_of = {code: item for item, codes in coarser.items() for code in codes}
    return [item for item, codes in finer.items() if len({item_of.get(code) for code in codes}) > 1]


@pytest.mark.parametrize(
    ("list_id", "name", "key"),
    [("who_mortality_list_2", "who_mort_list2", "item"), ("who_mortality_list_3", "who_mort_list3", "item")],
)
def test_who_lists_agree_with_the_second_typing(list_id, name, key):
    theirs = source(name)
    if "is_heading" in theirs:
        theirs = theirs[theirs["is_heading"] == "0"]
    assert ours(list_id) == {row[key]: expanded(row["ranges"]) for _, row in theirs.iterrows()}


def test_list_2_pools_the_items_of_list_1_and_has_80():
    assert lies_within(ours("who_mortality_list_1"), ours("who_mortality_list_2")) == []
    assert len(load_cause_list("who_mortality_list_2").items) == 80
    assert load_cause_list("who_mortality_list_2").gaps == load_cause_list("who_mortality_list_1").gaps


def test_list_3_has_67_rows_of_which_10_are_headings():
    items = load_cause_list("who_mortality_list_3").items
    assert (len(items), int(items["heading"].sum())) == (67, 10)


def test_the_113_of_nchs_agree_with_two_published_tables():
    mine = ours("nchs_113")
    table = {
        row["recode"]: expanded(row["ranges"]) for _, row in source("nchs_113").iterrows() if row["recode"] in mine
    }
    # that table leaves out part of 018 (A87-B03) and of 133 (Y10-Y21, Y25-Y33); the second one has them
    differing = {item for item in mine if mine[item] != table[item]}
    assert differing == {"018", "133"}
    second = [expanded(row["ranges"]) for _, row in source("nchs_113_rads").iterrows()]
    for item in differing:
        assert mine[item] in second
    assert len(mine) == 113


def test_the_39_of_nchs_are_sums_of_the_113():
    split = lies_within(ours("nchs_113"), ours("nchs_39"))
    # 043: C66 and C68 are urinary tract among the 39; 069: I15 is not; 110: sudden infant death is an item of its own
    assert set(split) == {"043", "069", "110"}
    unverified = read_codelist("nchs_39").query("status == 'unverified'")["item"]
    assert list(unverified) == ["012", "015", "023", "026", "035", "036", "037"]
    theirs = {row["recode"]: row["ranges"] for _, row in source("nchs_39").iterrows() if row["is_heading"] == "0"}
    for item, codes in ours("nchs_39").items():
        if item != "037":  # the residual has no ranges there
            assert codes == expanded(theirs[item]), item


def test_the_european_short_list_agrees_with_the_ranges_in_its_own_codes():
    mine = ours("eurostat_short_list")
    theirs = source("eurostat_cod_shortlist_2012")
    named = theirs[(theirs["is_heading"] == "0") & ~theirs["ranges"].str.startswith("residual")]
    for _, row in named.iterrows():
        assert mine[row["no"]] == expanded(row["ranges"]), row["no"]
    leaves = set(code_universe())
    for _, row in theirs[theirs["ranges"].str.startswith("residual of R00")].iterrows():
        assert mine[row["no"]] & leaves == expanded("R00-R94") & leaves


@pytest.mark.parametrize("year", [2016, 2022])
def test_verbal_autopsy_items_hold_only_codes_that_who_gives_them(year):
    theirs = {row["va_code"]: row["ranges"] for _, row in source(f"who_va_{year}").iterrows()}
    slips = {"VAs-12.02", "VAs-12.09", "VAs-02.99", "VAs-98", "VAs-11", "VAs-99", "VAs-12.99"}
    for item, codes in ours(f"who_va_{year}").items():
        if item in slips or item not in theirs:
            continue
        given = expanded(theirs[item])
        assert codes <= given | {code for code in codes if len(code) == 3}, item


def test_road_and_other_transport_share_the_transport_codes_without_overlap():
    mine = ours("who_va_2022")
    road, other = mine["VAs-12.01"], mine["VAs-12.02"]
    assert road.isdisjoint(other)
    transport = set(codes_in_ranges("V01-V99;Y85", CODES)) - {"Y85"}
    assert {code for code in transport if len(code) > 3} <= road | other
    assert "V89.2" in road
    assert {"V90.1", "Y85.9"} <= other


def matrix_ranges(text: str) -> set[str]:
    """Ranges of the published matrix: "V02-V04[.1,.9]" is a comma inside brackets, "\\R" a slip."""
    text = text.replace("\\R", "").replace("\\", "").replace("V81-RV82", "V81-V82")
    spread = re.sub(
        r"([A-Z]\d\d(?:-[A-Z]\d\d)?)\[([^]]+)\]",
        lambda match: ";".join(f"{match[1]}[{part.strip()}]" for part in match[2].split(",")),
        text,
    )
    return set(codes_in_ranges(spread.replace(",", ";"), CODES))


def test_the_injury_matrix_agrees_with_the_published_cells():
    mechanism, intent = load_cause_list("injury_mechanism"), load_cause_list("injury_intent")
    names = {"Unintentional": "UNINTENTIONAL", "Suicide": "SUICIDE", "Homicide": "HOMICIDE", "Undetermined": "UNDETERMINED",
             "Legal intervention/war": "LEGAL_WAR"}  # fmt: skip
    sums = {"All injury", "Fire/hot object or substance", "All transport", "Motor vehicle traffic"}
    titles = {}
    compared = 0
    for _, row in source("injury_matrix_icd10").iterrows():
        cell = {code for code in matrix_ranges(row["ranges"]) if len(code) > 3 or code in intent.code_to_item}
        cell = {code for code in cell if code in mechanism.code_to_item}
        assert {intent.code_to_item[code] for code in cell if code in intent.code_to_item} <= {names[row["intent"]]}
        if row["mechanism"] in sums:
            continue
        found = {mechanism.code_to_item[code] for code in cell}
        assert len(found) == 1, (row["mechanism"], row["intent"], found)
        assert titles.setdefault(row["mechanism"], found) == found
        compared += 1
    assert len({item for found in titles.values() for item in found}) == len(titles) == 25
    assert compared > 60


def test_what_is_not_verified_says_so():
    assert set(read_codelist("who_mortality_list_3")["status"]) == {"unverified"}
    assert read_codelist("who_mortality_list_2").set_index("item")["status"]["2-072"] == "unverified"


@pytest.mark.parametrize("text", ["V12-V14[.9-.3]", "V12.1[.3]", "V12[3-9]", "V12-V14[.3-.9"])
def test_fourth_characters_that_cannot_be_read_are_refused(text):
    with pytest.raises(InputError, match="V12"):
        expand_range(text, CODES)


def test_fourth_characters_narrow_a_range():
    assert expand_range("V12-V13[.3-.4]", CODES) == ["V12.3", "V12.4", "V13.3", "V13.4"]


def test_codes_are_written_back_as_ranges():
    universe = code_universe()
    text = "A09; C86; K70.0-K70.1; X85-Y09"
    assert as_ranges(codes_in_ranges(text.replace(" ", ""), universe), universe) == text
