"""The cube: figures of drawn releases, worked out here again by hand or with pandas."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn_release import DIVIDED, FACILITY, HANOI, HANOI_OLD, KON_TUM, NEW, WHOLE, write_release
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import table

from mortality.release_tables import AGE_BANDS
from tkyt_analysis import cube
from tkyt_analysis.access import Scope, acting_as, changes
from tkyt_analysis.cube.model import DIMENSIONS, TOTAL, UNKNOWN, View, view_from
from tkyt_analysis.cube.session import cube_of
from tkyt_analysis.errors import InputError
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.warehouse.release import Release

HERE, THERE = "VN2025:51", "VN2025:01"
AGES = list(AGE_BANDS)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("cube") / "home"
    prepare_home(home, practice=True)
    for name, role, unit in (("so-51", "province", HERE), ("xa-moi", "facility", NEW), ("xa-cu", "facility", WHOLE)):
        changes.add_account(home, name, role=role, unit_id=unit, why="kiểm thử")
    return home


def values(text, *, dataset="d"):
    rows = table(text).astype({"period_id": "str", "element_id": "str"})
    return rows.assign(dataset_id=dataset).assign(unit_id=rows["unit_id"].replace(NAMED))


NAMED = {"new": NEW, "whole": WHOLE, "divided": DIVIDED, "kontum": KON_TUM, "hanoi_old": HANOI_OLD, "hanoi": HANOI,
         "p51": HERE, "facility": FACILITY, "p51_old": "VN2024:51"}  # fmt: skip


def asked(release, measure, by=(), **options):
    """{members: value} of one measure."""
    groupings = options.pop("groupings", None)
    rows = cube.evaluate(release, View((measure,), tuple(by), **options), groupings=groupings).rows
    keys = rows[list(by)].itertuples(index=False, name=None) if by else [()] * len(rows)
    return {key[0] if len(key) == 1 else key: value for key, value in zip(keys, rows["value"])}


# ------------------------------------------------------------------------------------------- random release


@pytest.fixture(scope="module")
def drawn(home):
    """Half of the units' months reported, deaths with unknown sex and cause, questions, reports."""
    rng = np.random.default_rng(7)
    old, new = [WHOLE, DIVIDED, KON_TUM, HANOI_OLD], [NEW, HANOI]
    months = [f"{year}{month:02}" for year in (2024, 2025) for month in range(1, 13)]
    cells = [(unit, month) for month in months for unit in (old if month < "202507" else new)]
    grid = pd.DataFrame(cells, columns=["unit_id", "period_id"])
    both = [
        grid.sample(frac=0.5, random_state=n).assign(element_id=e, category_id=c)
        for n, (e, c) in enumerate([("a", "m"), ("a", "f"), ("b", "")])
    ]
    reported = pd.concat(both).assign(dataset_id="d")
    reported["value"] = rng.poisson(20, len(reported)).astype(float)
    several = grid.loc[grid.index.repeat(4)].reset_index(drop=True)
    deaths = several.assign(
        year=several["period_id"].str[:4].astype(int), month=several["period_id"].str[4:].astype(int),
        sex=rng.choice(["male", "female", "unknown"], len(several)), age_group=rng.choice([*AGES, None], len(several)),
        underlying_cause=rng.choice(["I64", "C34.9", "V89.2", "", "A16.2"], len(several)),
        place_of_death=rng.choice(["home", "other"], len(several)), excluded=rng.choice(["", "duplicate"], len(several), p=[0.9, 0.1]),
        count=rng.poisson(3, len(several)),
    ).drop(columns="period_id")  # fmt: skip
    persons = pd.MultiIndex.from_product(
        [[NEW, HANOI, "VN2025:21040"], [2024, 2025], ["male", "female"], AGES]
    ).to_frame(index=False)
    persons.columns = ["unit_id", "year", "sex", "age_group"]
    persons["persons"] = rng.integers(1_000, 9_000, len(persons)).astype(float)
    reports = grid.assign(dataset_id="d", expected=True, received=rng.random(len(grid)) < 0.8)
    findings = grid.sample(20, random_state=3).assign(dataset_id="d", element_id="a")
    return write_release(
        home, "R1-drawn", values=reported, deaths=deaths, persons=persons, reports=reports, findings=findings
    ), deaths


@st.composite
def views(draw, release):
    measures = cube_of(release).measures
    measure = measures[draw(st.sampled_from(sorted(measures)))]
    geography = draw(st.sampled_from(["VN2025", "VN2024"]))
    possible = [one for one in DIMENSIONS if one in measure.dimensions and (one != "district" or geography == "VN2024")]
    by = draw(st.lists(st.sampled_from(possible), max_size=3, unique=True))
    place = draw(st.sampled_from(["VN", HERE, "VN2024:51", THERE, NEW]))
    period = draw(st.sampled_from(["", "2024", "202403..202508", "2025Q1", "2024..2025"]))
    where = draw(st.sampled_from([(), (("sex", ("male", UNKNOWN)),), (("year", ("2024",)),), (("province", (HERE,)),)]))
    where = tuple(one for one in where if one[0] in possible)
    return View((measure.id,), tuple(by), place, geography, period, where)


def same_rows(left, right, view):
    keys = ["measure", *view.by]
    left, right = (one.rows.sort_values(keys, ignore_index=True) for one in (left, right))
    pd.testing.assert_frame_equal(left, right, check_dtype=False, rtol=1e-9)


FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(data=st.data())
def test_sums_per_province_and_rows_of_communes_give_the_same_figures(drawn, data):
    release, _ = drawn
    view = data.draw(views(release))
    by_sums = cube.evaluate(release, view)
    cube_of(release).use_sums = False
    try:
        by_rows = cube.evaluate(release, view)
    finally:
        cube_of(release).use_sums = True
    moved = ["moved"] if "moved" in by_sums.rows else []
    same_rows(*(replace(one, rows=one.rows.drop(columns=moved)) for one in (by_sums, by_rows)), view)


@FEW
@given(data=st.data())
def test_the_total_of_a_count_is_the_sum_of_its_parts_and_of_a_rate_that_of_its_counts_over_that_of_its_persons(
    drawn, data
):
    release, _ = drawn
    view = data.draw(views(release))
    measure = cube.measures(release)[view.measures[0]]
    if not view.by or measure.method in ("direct", "average"):
        return
    rows = cube.evaluate(release, view, groupings=[view.by, ()]).rows
    is_total = (rows[list(view.by)] == TOTAL).all(axis=1)
    parts, total = rows[~is_total], rows[is_total]
    if total.empty:
        assert parts["numerator"].fillna(0).sum() == 0
        return
    assert parts["numerator"].sum() == pytest.approx(total["numerator"].fillna(0).iloc[0])
    if measure.additive:
        assert parts["value"].sum() == pytest.approx(total["value"].iloc[0])
    elif total["value"].notna().all() and measure.method == "crude":
        one = total.iloc[0]
        assert one["value"] == pytest.approx(measure.per * one["numerator"] / one["denominator"])


@pytest.mark.parametrize(
    "measure", ["d/a", "deaths", "crude_death_rate", "d:reporting_rate", "age_standardised_death_rate"]
)
def test_both_geographies_give_the_same_national_figures(drawn, measure):
    release, _ = drawn
    if measure == "crude_death_rate":  # persons stand on communes of 2025, which old geography has as one nation too
        assert asked(release, measure, geography="VN2024") == pytest.approx(asked(release, measure))
    assert asked(release, measure, ["year"], geography="VN2024") == pytest.approx(asked(release, measure, ["year"]))


def test_deaths_are_counted_as_pandas_counts_them(drawn):
    release, deaths = drawn
    counted = deaths[deaths["excluded"] == ""]
    assert asked(release, "deaths") == {(): counted["count"].sum()}
    assert asked(release, "deaths", ["sex"]) == counted.groupby("sex")["count"].sum().to_dict()
    monthly = (
        counted.assign(period=(counted["year"] * 100 + counted["month"]).astype("str")).groupby("period")["count"].sum()
    )
    assert asked(release, "deaths", ["month"]) == monthly[monthly > 0].to_dict()


def test_deaths_by_cause_of_some_months_are_not_those_of_their_year(drawn):
    """Sums by cause stand by year: a part of a year needs the deaths themselves."""
    release, deaths = drawn
    counted = deaths[(deaths["excluded"] == "") & (deaths["year"] == 2024) & deaths["month"].isin([3, 4, 5])]
    stroke = counted.loc[counted["underlying_cause"] == "I64", "count"].sum()
    assert asked(release, "deaths", ["cause"], period="202403..202405")["IX"] == stroke > 0


def test_who_has_no_age_or_cause_stands_under_unknown_and_in_the_total(drawn):
    release, deaths = drawn
    counted = deaths[deaths["excluded"] == ""]
    by_age = asked(release, "deaths", ["age_group"], groupings=[("age_group",), ()])
    assert by_age[UNKNOWN] == counted.loc[counted["age_group"].isna(), "count"].sum() > 0
    assert by_age[TOTAL] == sum(value for key, value in by_age.items() if key != TOTAL) == counted["count"].sum()
    by_cause = asked(release, "deaths", ["cause"])
    assert by_cause[UNKNOWN] == counted.loc[counted["underlying_cause"] == "", "count"].sum() > 0
    assert by_cause["IX"] == counted.loc[counted["underlying_cause"] == "I64", "count"].sum()


def test_a_divided_commune_shows_what_share_came_through_its_default_target(drawn):
    release, deaths = drawn
    rows = cube.evaluate(release, View(("deaths",), ("commune",))).rows.set_index("commune")
    counted = deaths[deaths["excluded"] == ""].groupby("unit_id")["count"].sum()
    here = counted[[NEW, WHOLE, DIVIDED]]
    assert rows.loc[NEW, "numerator"] == here.sum()
    assert rows.loc[NEW, "moved"] == pytest.approx(here[DIVIDED] / here.sum())
    assert rows.loc[HANOI, "moved"] == 0


def test_filters_keep_their_members_and_members_are_offered_without_their_own_filter(drawn):
    release, _ = drawn
    view = View(("deaths",), ("sex",)).keeping("sex", ["male"])
    assert list(cube.evaluate(release, view).rows["sex"]) == ["male"]
    assert set(cube.members(release, view, "sex")) == {"male", "female", UNKNOWN}
    assert cube.members(release, View(("deaths",)), "province") == {THERE: "Hà Nội", HERE: "Quảng Ngãi"}
    assert list(cube.members(release, View(("deaths",)), "age_group")) == [*AGES, UNKNOWN]
    assert view_from(view.as_dict()) == view


def test_two_hundred_questions_leave_memory_flat(drawn):
    import resource

    release, _ = drawn
    kept = {}
    for number in range(200):
        measure = ("deaths", "crude_death_rate", "d/a")[number % 3]
        cube.evaluate(
            release, View((measure,), (("province", "year"), ("month",))[number % 2], period=str(2024 + number % 2))
        )
        kept[number] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert kept[199] - kept[40] < 60, "MB more after 160 further questions"


# -------------------------------------------------------------------------------------------- levels and kinds


def test_a_province_that_sends_its_own_total_beside_its_communes_is_not_counted_twice(home):
    rows = values("""
        unit_id | element_id | period_id | value
        whole   | x          | 202401    | 10
        divided | x          | 202401    | 5
        p51_old | x          | 202401    | 15
    """)
    release = write_release(home, "R2-levels", values=rows)
    assert asked(release, "d/x") == {(): 15.0}
    assert asked(release, "d/x", ["commune"]) == {NEW: 15.0}
    assert any("1" in one for one in cube.evaluate(release, View(("d/x",))).remarks), (
        "the value that is not added is told"
    )


def test_months_and_the_year_that_stands_beside_them_are_not_added(home):
    rows = values("""
        unit_id | element_id | period_id | value
        whole   | x          | 202401    | 10
        whole   | x          | 202402    | 20
        whole   | x          | 2024      | 30
        whole   | x          | 2024C6    | 30
    """)
    release = write_release(home, "R3-kinds", values=rows)
    assert asked(release, "d/x", ["year"]) == {"2024": 30.0}


def test_of_cumulative_reports_the_last_of_each_unit_and_year_counts(home):
    rows = values("""
        unit_id | element_id | period_id | value
        whole   | x          | 2023C12   | 100
        whole   | x          | 2024C6    | 40
        whole   | x          | 2024C9    | 70
        divided | x          | 2024C6    | 5
    """)
    release = write_release(home, "R4-cumulative", values=rows)
    assert asked(release, "d/x", ["year"], groupings=[("year",), ()]) == {"2023": 100.0, "2024": 75.0, TOTAL: 175.0}


# --------------------------------------------------------------------------------------------------- stocks


def staff(text):
    return values(text, dataset="health_workforce").assign(element_id="health_workforce/staff")


def test_staff_is_not_added_up_over_time_but_over_units(home):
    rows = staff("""
        unit_id   | element_id | period_id | value
        whole     | x          | 202401    | 10
        whole     | x          | 202412    | 12
        hanoi_old | x          | 202403    | 7
        whole     | x          | 202501    | 20
    """)
    release = write_release(home, "R5-stock", values=rows)
    by_year = asked(release, "health_workforce/staff", ["year"], groupings=[("year",), ()])
    assert by_year == {"2024": 12.0 + 7.0, "2025": 20.0, TOTAL: 20.0 + 7.0}  # of each unit the last report
    assert asked(release, "health_workforce/staff", ["month"]) == {
        "202401": 10,
        "202403": 7,
        "202412": 12,
        "202501": 20,
    }
    figures = cube.evaluate(release, View(("health_workforce/staff",)))
    assert figures.measures["health_workforce/staff"].options["over_time"] == "last"
    assert any("không cộng dồn" in one or "not added up" in one for one in figures.remarks)


def test_staff_of_a_commune_of_2025_replaces_that_of_the_communes_that_went_into_it(home):
    rows = staff("""
        unit_id | element_id | period_id | value
        whole   | x          | 202506    | 10
        divided | x          | 202506    | 5
        kontum  | x          | 202506    | 3
        new     | x          | 202512    | 14
    """)
    release = write_release(home, "R6-stock-merged", values=rows)
    assert asked(release, "health_workforce/staff", ["year"]) == {"2025": 14.0 + 3.0}
    assert asked(release, "health_workforce/staff", ["half"]) == {"2025S1": 18.0, "2025S2": 14.0}


def test_the_total_of_a_form_is_not_added_to_its_parts(home):
    rows = values(
        """
        unit_id | element_id | category_id | period_id | value
        whole   | 16BCH/1    | total       | 2024C12   | 9
        whole   | 16BCH/1    | female      | 2024C12   | 4
        whole   | 16BCH/1    | age_0       | 2024C12   | 2
        """, dataset="form16bch",
    )  # fmt: skip
    release = write_release(home, "R7-form", values=rows)
    assert asked(release, "form16bch/16BCH/1", ["year"]) == {"2024": 9.0}
    by_column = asked(release, "form16bch/16BCH/1", ["category"], groupings=[("category",), ()])
    assert by_column == {"female": 4.0, "age_0": 2.0, TOTAL: 9.0}
    assert asked(release, "form16bch/16BCH/1", where=(("category", ("female",)),)) == {(): 4.0}
    measure = cube.measures(release)["form16bch/16BCH/1"]
    assert (measure.title.vi, measure.unit.vi) == ("1. Bệnh lao", "người")


# --------------------------------------------------------------------------------------------------- rates


def test_person_years_of_a_part_of_a_year_are_by_days(home):
    deaths = pd.DataFrame(
        {"unit_id": [NEW], "year": [2024], "month": [2], "sex": ["male"], "age_group": ["85+"], "count": [6]}
    )
    persons = pd.DataFrame(
        {"unit_id": [NEW], "year": [2024], "sex": ["male"], "age_group": ["85+"], "persons": [36_600.0]}
    )
    release = write_release(home, "R8-days", deaths=deaths, persons=persons)
    row = cube.evaluate(release, View(("crude_death_rate",), period="202402")).rows.iloc[0]
    assert row["denominator"] == pytest.approx(36_600 * 29 / 366)  # February of a leap year
    assert row["value"] == pytest.approx(1000 * 6 / 2_900)
    year = cube.evaluate(release, View(("crude_death_rate",), ("month",))).rows
    assert year["denominator"].sum() == pytest.approx(36_600)
    assert list(year.loc[year["numerator"] == 0, "value"]) == [0.0] * 11, "nobody died: a rate of 0, not no rate"


def test_a_rate_without_persons_is_not_assessable_never_zero(home):
    deaths = pd.DataFrame(
        {"unit_id": [NEW, HANOI], "year": 2024, "month": 1, "sex": "male", "age_group": "85+", "count": 3}
    )
    persons = pd.DataFrame(
        {"unit_id": [HANOI], "year": [2024], "sex": ["male"], "age_group": ["85+"], "persons": [9_000.0]}
    )
    release = write_release(home, "R9-nobody", deaths=deaths, persons=persons)
    rows = cube.evaluate(release, View(("crude_death_rate",), ("province",))).rows.set_index("province")
    assert rows.loc[HERE, "status"] == "not_assessable"
    assert np.isnan(rows.loc[HERE, "value"])
    assert rows.loc[THERE, "status"] == "ok"


def test_deaths_and_persons_of_no_known_place_make_no_rate(drawn):
    # persons are known by communes of 2025 only: on the communes before them they stand under "unknown", as do later deaths
    release, _ = drawn
    rows = cube.evaluate(release, View(("crude_death_rate",), ("commune",), geography="VN2024")).rows
    unknown = rows[rows["commune"] == UNKNOWN]
    assert (unknown["numerator"] > 0).all()
    assert (unknown["denominator"] > 0).all()
    assert set(unknown["status"]) == {"not_assessable"}


def test_a_cause_of_which_nobody_of_an_age_died_keeps_the_person_years_of_that_age(home):
    """Standardised by cause: 10 deaths of stroke at 85 and over among 1 000, none below; the weights of all ages count."""
    persons = pd.DataFrame(
        [(NEW, 2024, "male", age, 1000.0) for age in AGES], columns=["unit_id", "year", "sex", "age_group", "persons"]
    )
    deaths = table("""
        unit_id | year | month | sex  | age_group | underlying_cause | count
        new     | 2024 | 1     | male | 85+       | I64              | 10
        new     | 2024 | 1     | male | 20-24     | V89.2            | 10
    """).replace({"unit_id": NAMED})
    release = write_release(home, "R12-causes", deaths=deaths, persons=persons)
    by_cause = asked(release, "age_standardised_death_rate", ["cause"], groupings=[("cause",), ()])
    assert by_cause["IX"] + by_cause["XX"] == pytest.approx(by_cause[TOTAL])  # weights do not depend on the cause
    assert 0 < by_cause["IX"] < by_cause["XX"], "85 and over weigh less than 20-24 in the WHO population"


def test_a_province_where_nobody_died_of_a_cause_has_a_rate_of_zero_for_it(home):
    persons = pd.DataFrame(
        [(unit, 2024, "male", "85+", 1000.0) for unit in (NEW, HANOI)],
        columns=["unit_id", "year", "sex", "age_group", "persons"],
    )
    deaths = pd.DataFrame({"unit_id": [NEW], "year": 2024, "month": 1, "sex": "male", "age_group": "85+", "count": 5})
    release = write_release(home, "R13-zero", deaths=deaths, persons=persons)
    rates = asked(release, "crude_death_rate", ["province", "cause"])
    assert rates == {(HERE, "IX"): 5.0, (THERE, "IX"): 0.0}


# ----------------------------------------------------------------------------------------------- accounts


def test_a_province_sees_its_own_figures_and_no_others(drawn, home):
    release, _ = drawn
    whole = asked(release, "d/a", ["year"], place=HERE)
    with acting_as(home, "so-51"):
        own = Release(home, "R1-drawn")
        assert asked(own, "d/a", ["year"], place=HERE) == whole
        with pytest.raises(InputError, match="VN2025:01"):
            cube.evaluate(own, View(("d/a",), place=THERE))
        with pytest.raises(InputError):
            cube.evaluate(own, View(("d/a",)))


@pytest.mark.parametrize(("account", "unit"), [("xa-moi", NEW), ("xa-cu", WHOLE)])
def test_a_commune_is_answered_from_its_own_rows_although_it_sees_no_province_as_a_whole(drawn, home, account, unit):
    release, _ = drawn
    expected = {one: asked(release, one, ["year"], place=unit) for one in ("d/a", "d/b", "deaths")}
    with acting_as(home, account):
        own = Release(home, "R1-drawn")
        assert {one: asked(own, one, ["year"], place=unit) for one in expected} == expected
        for place in (HERE, THERE, "VN"):
            with pytest.raises(InputError):
                cube.evaluate(own, View(("d/a",), place=place))


def test_who_sees_an_old_province_only_is_not_answered_from_sums_of_the_merged_one(drawn, home):
    """The sums of province 51 hold old Kon Tum too, so such a scope has none of them; its own rows it has."""
    release, _ = drawn
    own = Release(home, "R1-drawn", scope=Scope(units=frozenset({"VN2024:51"})))
    for measure in ("d/a", "deaths", "d:reporting_rate"):
        expected = asked(release, measure, ["year"], place="VN2024:51")
        assert expected
        # a commune of 2025 with a part in another old province is not the old province's
        assert asked(own, measure, ["year"], place="VN2024:51", period="2024") == {"2024": expected["2024"]}


def test_no_account_reads_the_files_of_another_scope(drawn, home):
    with acting_as(home, "so-51"):
        own = Release(home, "R1-drawn")
        cube.evaluate(own, View(("deaths", "crude_death_rate"), ("sex", "year"), place=HERE))
        other = next((own.directory / "tables" / "death").glob("scope=VN2025-01/*.parquet"))
        with pytest.raises(Exception, match="(?i)permission|disabled|not allowed"):
            own.con.execute(f"SELECT * FROM read_parquet('{other}')")


# ------------------------------------------------------------------------------------------- wrong names, nothing


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(("death",)), "deaths"),
        (View(("crude_deth_rate",)), "crude_death_rate"),
        (View(("deaths",), ("provinse",)), "province"),
        (View(("population",), ("month",)), "year"),
        (View(("deaths",), ("district",)), "VN2024"),
        (View(("deaths",), geography="VN2023"), "VN2025"),
        (View(("deaths",), place="VN2025:99"), "VN2025:99"),
        (View(("deaths",), period="2025..2024"), "2025..2024"),
        (View(("deaths",), ("sex", "sex")), "sex"),
        (View(()), "."),
    ],
)
def test_a_wrong_name_is_a_sentence_that_says_which_and_what_would_be_right(drawn, view, said):
    with pytest.raises(InputError) as caught:
        cube.evaluate(drawn[0], view)
    assert said in str(caught.value)


def test_a_release_without_rows_has_no_measures_and_one_made_before_places_says_so(home):
    empty = write_release(home, "R10-empty")
    assert cube.measures(empty) == {}
    old = write_release(home, "R11-old", without=("place",))
    with pytest.raises(InputError, match="R11-old"):
        cube.measures(old)


def test_a_choice_that_holds_nothing_is_an_empty_table_with_a_sentence(drawn):
    figures = cube.evaluate(drawn[0], View(("deaths", "d/a"), (), period="1999"))
    assert figures.rows["value"].fillna(0).sum() == 0
    assert figures.remarks
