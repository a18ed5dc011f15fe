"""Garbage codes: the lists hold what was published, the parts add up, old age below 60 never passes silently."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_path, table

from mortality.cli.garbage import garbage as command
from mortality.garbage import garbage_share, load_garbage_list, read_garbage_file, senility_by_age
from mortality.garbage.coders import choices_as_deaths
from mortality.garbage.release import death_garbage
from mortality.garbage.share import with_sector
from mortality.icd import code_universe, who_leaves
from mortality.tabulation.cause_lists import load_cause_list
from tkyt_analysis.errors import InputError

DEATHS = table("""
    underlying_cause | place | age_years
    R54              | home  | 58
    R54              | home  | 84
    I50.9            | home  | 70
    C34.9            | home  | 66
    S06.9            | home  | 30
    J96.0            | hosp  | 50
    I21.9            | hosp  | 61
    C22.0            | hosp  | 61
    zz               | hosp  | 5
""")


def shares(deaths: pd.DataFrame, **more: object) -> dict:
    rows = garbage_share(deaths, **more)
    keys = [name for name in rows.columns if name in ("place", "sector")]
    return rows.set_index([*keys, "category"])["deaths"].to_dict()


def test_the_share_is_told_by_category_and_group_and_adds_up():
    found = shares(DEATHS, by=["place"])
    assert found["home", "UNKNOWN_ILL_DEFINED"] == 2
    assert found["home", "IMMEDIATE"] == 1
    assert found["home", "not_underlying"] == 1  # an injury is never the underlying cause
    assert (found["home", "all_listed"], found["home", "all_unusable"], found["home", "USABLE"]) == (
        2 + 1,
        2 + 1 + 1,
        1,
    )
    assert (found["hosp", "no_code"], found["hosp", "all_unusable"], found["hosp", "USABLE"]) == (1, 1 + 1, 2)


def test_wilson_limits_stand_beside_the_share():
    rows = garbage_share(DEATHS, by=["place"]).set_index(["place", "category"])
    row = rows.loc[("hosp", "UNKNOWN_ILL_DEFINED")]
    # 1 of 4 by Wilson's formula with z = 1.96: (0.25 + 3.8416/8 ± 1.96 sqrt(0.1875/4 + 3.8416/64)) / (1 + 3.8416/4)
    assert (row["share"], row["lower"], row["upper"]) == pytest.approx((1 / 4, 0.0456, 0.6994), abs=5e-4)


@settings(max_examples=20)
@given(st.lists(st.sampled_from([*code_universe()[::61], "S06", "Z99", "R54", "X599", "", None, "zz"]), max_size=50))
def test_usable_and_unusable_deaths_are_all_deaths(codes):
    deaths = pd.DataFrame({"underlying_cause": pd.Series(codes, dtype="str")})
    for name in ("garbage_cdc_2021", "garbage_mathers_2005"):
        rows = garbage_share(deaths, garbage=load_garbage_list(name)).set_index("category")
        assert rows["deaths"]["all_unusable"] + rows["deaths"]["USABLE"] == len(codes)
        assert set(rows["status"]) == {"ok" if codes else "not_assessable"}


def test_the_cdc_list_has_the_800_codes_of_its_389_prefixes_in_their_categories():
    theirs = pd.read_csv(reference_path("icd", "garbage_cdc_flagg2021_unsuitable.csv"), dtype=str)
    assert len(theirs) == 389
    names = {"Nonspecific underlying causes of death": "NONSPECIFIC", "Immediate and intermediate causes": "IMMEDIATE",
             "Unknown and ill-defined causes": "UNKNOWN_ILL_DEFINED"}  # fmt: skip
    bare = {code: code.replace(".", "") for code in who_leaves()}
    second = {
        code: names[category]
        for prefix, category in zip(theirs["code"], theirs["category"])
        for code, text in bare.items()
        if text.startswith(prefix)
    }
    ours = load_cause_list("garbage_cdc_2021").code_to_item
    assert {code: item for code, item in ours.items() if code in bare and item != "USABLE"} == second
    assert len(second) == 800


def test_the_formula_of_mathers_gives_the_published_count_on_whos_example():
    example = pd.read_csv(reference_path("icd", "codedit_icd10_example_3613.csv"), dtype=str)
    found = garbage_share(example, code="Code", garbage=load_garbage_list("garbage_mathers_2005"))
    counts = found.set_index("category")["deaths"]
    # the project's notes count 489 without codes that carry a place of occurrence (Y34.9); with them there are 16 more
    placed = example["Code"].str.match(r"Y[1-3]\d\d")
    assert counts["INJURY_INTENT"] == placed.sum() == 16
    assert counts["all_listed"] == 489 + 16


def test_a_list_of_ones_own_is_read_with_its_levels_and_the_longer_code_wins(tmp_path):
    path = tmp_path / "gbd.csv"
    path.write_text(
        "Code,Level,Category\nI50,2,heart failure\nI509,1,heart failure\nR00-R94,1,symptoms\nU019,1,x\n", "utf-8"
    )
    listed = read_garbage_file(path)
    found = garbage_share(DEATHS.assign(underlying_cause="I50.9"), garbage=listed).set_index("category")
    assert found["deaths"]["heart failure (very_high)"] == 9
    assert found["severity"]["heart failure (very_high)"] == "very_high"
    assert listed.severity["heart failure (high)"] == "high"
    by_path = garbage_share(DEATHS, garbage=load_garbage_list(path)).set_index("category")["deaths"]
    assert by_path["symptoms (very_high)"] == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,level\nI50,7\n", "“7”"),
        ("icd,level\nI50,1\n", "icd"),
        ("code,level\nheart,1\n", "HEA"),
        ("code\nI50\n", "code"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_its_reason(tmp_path, text, said):
    path = tmp_path / "mine.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=said):
        load_garbage_list(path)


def test_a_list_that_is_not_there_is_named():
    with pytest.raises(InputError, match="garbage_cdc_2021"):
        load_garbage_list("gbd_2021")


def test_old_age_below_60_and_at_an_unknown_age_is_marked():
    old = senility_by_age(
        pd.concat([DEATHS, pd.DataFrame({"underlying_cause": ["R54"], "age_years": [None]})], ignore_index=True)
    )
    rows = old.set_index("age_group")
    assert rows["senility"].to_dict() == {
        "0-14": 0,
        "15-44": 0,
        "45-59": 1,
        "60-69": 0,
        "70-79": 0,
        "80+": 1,
        "unknown": 1,
    }
    assert list(rows.index[rows["marked"]]) == ["45-59", "unknown"]
    released = senility_by_age(pd.DataFrame({"underlying_cause": ["R54", "R54"], "age_group": ["55-59", "85+"]}))
    assert list(released["marked"]) == [True, False]


def test_the_sector_is_that_of_the_place_of_death_else_of_the_list():
    rows = pd.DataFrame(
        {
            "place_of_death": ["health_facility", "home", "", "", ""],
            "source": ["a6", "certificate", "certificate", "a6", ""],
        }
    )
    assert list(with_sector(rows)["sector"]) == ["facility", "community", "facility", "community", "unknown"]


def test_the_command_answers_for_a_file(tmp_path):
    source, out = tmp_path / "deaths.csv", tmp_path / "shares.csv"
    DEATHS.rename(columns={"place": "place_of_death"}).replace({"hosp": "health_facility"}).to_csv(source, index=False)
    answer = CliRunner().invoke(
        command, [str(source), "--by", "sector", "-o", str(out), "--json"], catch_exceptions=False
    )
    said = json.loads(answer.output)
    listed = {(row["sector"], row["category"]): row["deaths"] for row in said["shares"]}
    assert listed["community", "all_listed"] == 3
    assert listed["facility", "all_listed"] == 1
    assert pd.read_csv(out)["deaths"].sum() > 0
    words = CliRunner().invoke(command, [str(source)], catch_exceptions=False).output
    assert "già yếu dưới 60 tuổi" in words


def drawn_context(rows: pd.DataFrame) -> SimpleNamespace:
    return SimpleNamespace(made={"deaths": rows}, add_scope=lambda given: given.assign(scope="VN2025-51"))


def test_the_release_counts_categories_by_sector_and_withholds_hiv():
    rows = table("""
        underlying_cause | place_of_death  | excluded  | person_id
        R54              | home            | -         | a
        B20.7            | home            | -         | b
        I21.9            | health_facility | -         | c
        R99              | home            | duplicate | d
    """).replace({"excluded": {"-": ""}})
    rows = rows.assign(unit_id="VN2025:1", unit_2025="VN2025:1", year=pd.array([2025] * 4, dtype="Int64"), month=1, sex="male",
                       age_group="85+", source="a6", decision="auto", death_id=list("wxyz"))  # fmt: skip
    made = death_garbage(drawn_context(rows)).set_index(["sector", "category"])["deaths"].to_dict()
    # one HIV death looks like one without a code; the duplicate does not count
    assert made == {("community", "UNKNOWN_ILL_DEFINED"): 1, ("community", "no_code"): 1, ("facility", "USABLE"): 1}
    nothing = death_garbage(drawn_context(rows.assign(excluded="duplicate")))
    assert list(nothing.columns) == ["scope", "year", "sector", "category", "deaths"]
    assert nothing.empty


def test_a_coders_choice_weighs_the_deaths_that_it_codes():
    said = table("""
        coder | state | code  | deaths
        an    | code  | R54   | 30
        an    | code  | I21.9 | 10
        binh  | none  | R54   | 5
    """)
    shares_of = garbage_share(choices_as_deaths(said), by=["coder"], deaths_column="deaths").set_index(
        ["coder", "category"]
    )
    assert shares_of["share"]["an", "UNKNOWN_ILL_DEFINED"] == 30 / (30 + 10)
    assert shares_of["deaths"]["binh", "no_code"] == 5
