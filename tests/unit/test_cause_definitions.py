"""SDG indicators, avoidable and maternal deaths: definitions with ages, sexes and weights, where most deaths count nowhere."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_path, table

from mortality.icd import code_universe, who_categories
from mortality.tabulation.cause_lists import codes_in_ranges, load_cause_list
from mortality.tabulation.definitions import (
    compile_definition,
    count_defined_deaths,
    load_definition,
    measure_totals,
)
from mortality.tabulation.injury import injury_matrix
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError

CODES = sorted(who_categories())
DEATHS = table("""
    underlying_cause | sex    | age_years
    A16.2            | male   | 60
    I64              | female | 74
    I64              | female | 75
    C50.9            | female | 50
    C50.9            | male   | 50
    C50.9            | -      | 50
    X60              | male   | 20
    R54              | female | 80
    zz               | male   | 1
""").assign(
    age_years=lambda rows: rows["age_years"].astype(float), sex=lambda rows: rows["sex"].replace("-", "unknown")
)


def weighted(definition: str, deaths: pd.DataFrame) -> dict[str, float]:
    totals = measure_totals(count_defined_deaths(deaths, load_definition(definition)))
    return dict(zip(totals["measure"], totals["weighted"]))


def test_a_cause_that_is_both_preventable_and_treatable_counts_half_in_each_below_75():
    # preventable: tuberculosis 1/2, stroke at 74 1/2, suicide 1; treatable: tuberculosis 1/2, stroke 1/2, a woman's breast cancer 1
    assert weighted("avoidable_deaths_2022", DEATHS) == {"preventable": 0.5 + 0.5 + 1, "treatable": 0.5 + 0.5 + 1}


def test_what_a_measure_does_not_count_says_why():
    rows = count_defined_deaths(DEATHS, load_definition("avoidable_deaths_2022"))
    treatable = rows[rows["measure"] == "treatable"].set_index("part")["deaths"].to_dict()
    # stroke at 75 and a man's breast cancer; breast cancer of unknown sex; suicide and senility; no code
    assert treatable == {
        "CAN11": 1, "CIR04": 1, "INF16": 1, "outside_age_or_sex": 2, "age_or_sex_unknown": 1, "outside": 2, "unknown": 1,
    }  # fmt: skip


def test_premature_deaths_of_noncommunicable_diseases_are_those_from_30_to_69():
    deaths = table("""
        underlying_cause | sex  | age_years
        I21.9            | male | 29
        I21.9            | male | 30
        I21.9            | male | 69
        I21.9            | male | 70
        I21.9            | male | -
    """)
    rows = count_defined_deaths(deaths, load_definition("sdg_causes"))
    four = rows[rows["measure"] == "3.4.1"].set_index("part")["deaths"].to_dict()
    assert four == {"CVD": 2, "outside_age_or_sex": 2, "age_or_sex_unknown": 1}


def test_late_maternal_deaths_and_sequelae_are_not_in_the_ratio():
    deaths = pd.DataFrame(
        {"underlying_cause": ["O72.1", "O96.0", "O97.9", "A34", "O98.7", "O95"], "sex": "female", "age_years": 25}
    )
    rows = count_defined_deaths(deaths, load_definition("maternal_deaths"))
    ratio = rows[rows["measure"] == "mmr"].set_index("part")["deaths"].to_dict()
    assert ratio == {"MMR": 4, "outside": 2}
    kinds = rows[rows["measure"] == "timing"].set_index("part")["deaths"].to_dict()
    assert kinds == {"DIRECT": 1, "INDIRECT": 1, "UNSPECIFIED": 1, "TETANUS": 1, "LATE": 1, "SEQUELAE": 1}


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*code_universe()[::41], "X70.9", "W19", "A90", "", None, "zz", "V30", "A41"]),
            st.sampled_from(["male", "female", "unknown"]),
            st.sampled_from([0, 29, 30, 69, 74, 75, 110, None, 999]),
        ),
        max_size=40,
    )
)
def test_every_measure_of_every_definition_accounts_for_every_death(rows):
    deaths = pd.DataFrame(rows, columns=["underlying_cause", "sex", "age_years"])
    for name in load_entries("cause_definitions"):
        counted = count_defined_deaths(deaths, load_definition(name))
        sums = counted.groupby("measure")["deaths"].sum()
        assert all(total == len(deaths) for total in sums)
        assert (counted["weighted"] <= counted["deaths"]).all()
    assert injury_matrix(deaths)["deaths"].sum() == len(deaths)


def test_a_code_twice_in_one_measure_is_refused_and_in_two_measures_is_not():
    rows = table("""
        measure | part | label_vi | label_en | icd10_ranges | weight | age_from | age_to | sex | status
        m       | a    | a        | a        | I60-I69      | 1      |          |        |     | verified
        m       | b    | b        | b        | I64          | 1      |          |        |     | verified
    """).fillna("")
    with pytest.raises(InputError, match=r"I64 \(a, b\)"):
        compile_definition("drawn", rows, edition="WHO-2019")
    apart = compile_definition("drawn", rows.assign(measure=["m", "n"]), edition="WHO-2019")
    assert list(apart.measures) == ["m", "n"]


@pytest.mark.parametrize(("column", "value"), [("weight", "0"), ("weight", "2"), ("weight", "?"), ("sex", "M")])
def test_a_weight_or_sex_that_cannot_be_is_refused(column, value):
    rows = read_codelist("sdg_causes").head(1).assign(**{column: value})
    with pytest.raises(InputError, match="CVD"):
        compile_definition("drawn", rows, edition="WHO-2019")


def test_the_avoidable_causes_agree_with_the_second_typing():
    theirs = pd.read_csv(reference_path("icd", "lists", "oecd_eurostat_avoidable_2022.csv"), dtype=str)
    ours = read_codelist("avoidable_deaths_2022")
    for measure in ("preventable", "treatable"):
        second = {
            (frozenset(codes_in_ranges(row["ranges"], CODES)), float(row[f"{measure}_share"]))
            for _, row in theirs.iterrows()
        }
        mine = {
            (frozenset(codes_in_ranges(row["icd10_ranges"], CODES)), float(row["weight"]))
            for _, row in ours[ours["measure"] == measure].iterrows()
        }
        assert mine == {part for part in second if part[1] > 0}
    assert set(ours["age_to"]) == {"74"}


def test_the_sdg_and_maternal_ranges_agree_with_the_second_typing():
    theirs = pd.read_csv(reference_path("icd", "lists", "sdg_cause_definitions.csv"), dtype=str, keep_default_na=False)
    given_ranges = {row["indicator"]: row["ranges"] for _, row in theirs.iterrows()}
    names = {"3.4.1.CVD": ("3.4.1", "CVD"), "3.4.1.CAN": ("3.4.1", "CAN"), "3.4.1.DIA": ("3.4.1", "DIA"),
             "3.4.1.CRD": ("3.4.1", "CRD"), "3.4.2": ("3.4.2", "SUICIDE"), "3.9.3": ("3.9.3", "POISON"),
             "16.1.1": ("16.1.1", "HOMICIDE")}  # fmt: skip
    ours = read_codelist("sdg_causes").set_index(["measure", "part"])["icd10_ranges"]
    for indicator, key in names.items():
        assert set(codes_in_ranges(ours[key], CODES)) == set(codes_in_ranges(given_ranges[indicator], CODES)), indicator
    ratio = read_codelist("maternal_deaths").set_index("part")["icd10_ranges"]["MMR"]
    assert set(codes_in_ranges(ratio, CODES)) == set(codes_in_ranges(given_ranges["3.1.1"], CODES))


def test_the_matrix_crosses_two_partitions():
    deaths = pd.DataFrame({"underlying_cause": ["X70.9", "W74", "V28.4", "X99", "I64", "Y90", ""]})
    cells = injury_matrix(deaths).set_index(["mechanism", "intent"])["deaths"].to_dict()
    assert cells == {
        ("DROWN", "UNINTENTIONAL"): 1, ("MVT_MOTORCYCLE", "UNINTENTIONAL"): 1, ("SUFFOCATION", "SUICIDE"): 1,
        ("CUT", "HOMICIDE"): 1, ("NO_INJURY", "NO_INJURY"): 1, ("gap", "gap"): 1, ("unknown", "unknown"): 1,
    }  # fmt: skip
    assert load_cause_list("injury_mechanism").incomplete["V28"] == "MVT_MOTORCYCLE"
