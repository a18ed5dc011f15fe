"""One geography through time: nothing counted twice, nothing lost, and what is approximate says so."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import table
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.practice.country_base import CountrySeries
from tkyt_analysis.practice.country_series import deaths_by_commune_year, deaths_by_province_year
from tkyt_analysis.reference.geography import crosswalk, province_merge
from tkyt_analysis.reference.series_geography import series_on
from tkyt_analysis.reference.series_links import series_links, stable_areas

# Lào Cai of 2025 (15) is Lào Cai (10) and Yên Bái (15) of 2024; code 15 stands for two provinces.
LAO_CAI = table("""
    unit_id   | period_id | events | population
    VN2024:10 | 2024      |     40 |        700
    VN2024:15 | 2024      |     60 |        800
    VN2024:10 | 2025S1    |     20 |        710
    VN2024:15 | 2025S1    |     30 |        810
    VN2025:15 | 2025S2    |     55 |       1530
""")


@cache
def communes() -> CountrySeries:
    return deaths_by_commune_year(first_year=2024)


def commune_counts() -> pd.DataFrame:
    return communes().table[["unit_id", "period_id", "events"]]


def test_old_provinces_before_the_merger_and_the_new_one_after_it_make_one_series():
    found = series_on("VN2025:province", LAO_CAI, ["events"], stocks=["population"]).table.set_index("period_id")
    assert found["unit_id"].unique().tolist() == ["VN2025:15"]
    assert found["events"].to_dict() == {"2024": 40 + 60, "2025": 20 + 30 + 55}
    assert found.loc["2024", "population"] == 700 + 800
    assert found.loc["2025", "population"] == pytest.approx(((710 + 810) * 181 + 1530 * 184) / 365)
    assert found["status"].eq("ok").all()


def test_codes_as_yearly_numbers_are_read_from_a_column_year():
    rows = LAO_CAI.head(2).assign(year=2024).drop(columns=["period_id", "population"])
    assert series_on("VN2025:province", rows, ["events"]).table["events"].tolist() == [100]


def test_sexes_are_kept_apart():
    rows = pd.concat([LAO_CAI.assign(sex="male"), LAO_CAI.assign(sex="female", events=1)]).drop(columns="population")
    found = series_on("VN2025:province", rows, ["events"]).table
    assert found.groupby("sex")["events"].sum().to_dict() == {"male": 205, "female": 5}


def test_an_old_and_the_new_province_in_the_same_year_are_refused():
    rows = pd.concat([LAO_CAI, LAO_CAI.tail(1).assign(period_id="2024")])
    with pytest.raises(InputError, match=r"VN2024:10 \(2024\).*VN2025:15 \(2024\)"):
        series_on("VN2025:province", rows, ["events", "population"])


def test_a_year_beside_its_own_half_is_refused():
    rows = pd.concat([LAO_CAI, LAO_CAI.tail(1).assign(period_id="2025")])
    with pytest.raises(InputError, match="2025S2 và kỳ 2025"):
        series_on("VN2025:province", rows, ["events", "population"])


def test_communes_beside_their_province_are_refused_but_may_follow_it():
    commune = "VN2025:" + "02647"  # any commune of the new Lào Cai
    inside = series_links("VN2025:province").query("target_id == 'VN2025:15' and level_id == 'VN2025:3'")["unit_id"]
    assert commune in set(inside)
    beside = pd.concat([LAO_CAI, LAO_CAI.tail(1).assign(unit_id=commune)])
    with pytest.raises(InputError, match="VN2025:15"):
        series_on("VN2025:province", beside, ["events", "population"])
    following = pd.DataFrame({"unit_id": inside, "period_id": "2026", "events": 1})
    found = series_on("VN2025:province", pd.concat([LAO_CAI, following]).drop(columns="population"), ["events"])
    assert found.table["events"].tolist() == [100, 105, len(inside)]


@pytest.mark.parametrize("lost", [0, 1, 4])
def test_a_missing_part_is_refused_or_marked_never_added_as_zero(lost):
    rows = LAO_CAI.drop(index=lost)
    with pytest.raises(InputError, match="VN2025:15"):
        series_on("VN2025:province", rows, ["events", "population"])
    found = series_on("VN2025:province", rows, ["events", "population"], gaps="mark").table.set_index("period_id")
    year = "2025" if lost == 4 else "2024"
    assert found.loc[year, ["status", "reason"]].tolist() == ["not_assessable", "series.reason.gap"]
    assert found["events"].isna().sum() == 1


def test_a_year_that_nobody_reported_stands_in_the_series_as_a_gap():
    rows = pd.concat([LAO_CAI.head(2).assign(period_id="2022"), LAO_CAI])
    found = series_on("VN2025:province", rows, ["events", "population"], gaps="mark").table
    assert found["period_id"].tolist() == ["2022", "2023", "2024", "2025"]
    assert found["status"].tolist() == ["ok", "not_assessable", "ok", "ok"]


def test_tables_that_list_no_zeros_may_say_so():
    found = series_on("VN2025:province", LAO_CAI.head(1), ["events", "population"], gaps="zero").table
    assert found["events"].tolist() == [40]


def test_a_missing_value_makes_its_cell_not_assessable():
    rows = LAO_CAI.assign(events=[40, np.nan, 20, 30, 55])
    found = series_on("VN2025:province", rows, ["events"], stocks=["population"]).table
    assert found["reason"].tolist() == ["series.reason.missing", ""]
    assert found["events"].isna().tolist() == [True, False]


def test_the_63_cannot_be_made_of_new_provinces_save_the_eleven_unchanged():
    hanoi = pd.DataFrame({"unit_id": ["VN2024:01", "VN2025:01"], "period_id": ["2024", "2026"], "events": [5, 6]})
    found = series_on("VN2024:province", hanoi, ["events"], gaps="mark").table
    assert found["unit_id"].unique().tolist() == ["VN2024:01"]
    assert found["events"].fillna(-1).tolist() == [5, -1, 6]  # nothing of 2025
    with pytest.raises(InputError, match="VN2025:15"):
        series_on("VN2024:province", LAO_CAI, ["events", "population"])


def test_periods_that_do_not_fit_and_unknown_options_are_refused():
    with pytest.raises(InputError, match="2024"):
        series_on("VN2025:province", LAO_CAI, ["events", "population"], every="month")
    with pytest.raises(UsageError, match="VN2025:area"):
        series_on("VN2025:district", LAO_CAI, ["events"])
    with pytest.raises(InputError, match="weight"):
        series_on("VN2025:province", LAO_CAI.assign(weight=0.5), ["events", "population"])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"unit_id": "KCB:51Z01"}, "KCB:51Z01"),
        ({"unit_id": None}, "5 dòng"),
        ({"period_id": None}, "kỳ báo cáo"),
        ({"status": "final"}, "status"),
        ({"events": np.inf}, "vô hạn"),
        ({"events": "x"}, "không phải số"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(changed, sentence):
    with pytest.raises(InputError, match=sentence):
        series_on("34", LAO_CAI.assign(**changed), "events", stocks="population")


def test_a_table_without_rows_is_refused_and_years_with_decimals_are_years():
    with pytest.raises(InputError, match="không có dòng"):
        series_on("34", LAO_CAI.head(0), "events", stocks="population")
    years = LAO_CAI.head(2).drop(columns="period_id").assign(year=2024.0)
    assert series_on("34", years, "events", stocks="population").table["period_id"].tolist() == ["2024"]


def test_practice_provinces_on_34_are_what_the_34_really_had():
    reported, truth = (deaths_by_province_year(geography=g).table for g in ("reported", "VN2025"))
    found = series_on("VN2025:province", reported, ["events", "person_years"], stocks=["population"]).table
    both = found.merge(truth, on=["unit_id", "period_id"], suffixes=("", "_true"), validate="one_to_one")
    assert len(both) == 34 * 16
    assert (both["events"] == both["events_true"]).all()
    assert np.allclose(both["population"], both["population_true"])


def test_63_provinces_are_made_of_new_communes_exactly_and_agree_with_34():
    old = series_on("VN2024:province", commune_counts(), ["events"]).table
    new = series_on("VN2025:province", commune_counts(), ["events"]).table
    truth = deaths_by_commune_year(first_year=2024, geography="VN2024").table
    by_province = truth.groupby(["province_id", "period_id"])["events"].sum()
    assert old.set_index(["unit_id", "period_id"])["events"].eq(by_province.rename_axis(["unit_id", "period_id"])).all()
    merged = old.merge(province_merge(), left_on="unit_id", right_on="old_unit_id")
    sums = merged.groupby(["new_unit_id", "period_id"])["events"].sum()
    assert sums.tolist() == new.set_index(["unit_id", "period_id"])["events"].tolist()


def test_divided_communes_leave_cells_empty_by_default_and_the_share_is_stated():
    result = series_on("VN2025:commune", commune_counts(), ["events"])
    touched = set(crosswalk().query("relation == 'split'")["new_unit_id"])
    lost = result.table.query("status == 'not_assessable'")
    assert set(lost["unit_id"]) == touched
    assert set(lost["period_id"]) == {"2024", "2025"}  # half of 2025 came from the old communes
    divided = commune_counts()["unit_id"].isin(crosswalk().query("relation == 'split'")["old_unit_id"])
    share = commune_counts()["events"][divided].sum() / commune_counts()["events"].sum()
    assert result.split_share["share"].iloc[0] == pytest.approx(share)
    assert "không đánh giá được" in result.sentence("vi")


def test_default_targets_keep_the_total_and_mark_each_cell_with_its_share():
    result = series_on("VN2025:commune", commune_counts(), ["events"], split="default")
    assert result.table["events"].sum() == commune_counts()["events"].sum()
    modelled = result.table.query("status == 'modelled' and events > 0")
    assert modelled["events_split_share"].between(0, 1).all()
    assert (result.table.query("status == 'ok'")["events_split_share"] == 0).all()
    ours = result.table.set_index(["unit_id", "period_id"])["events"]
    truth = deaths_by_commune_year(first_year=2024, geography="VN2025").table.set_index(["unit_id", "period_id"])[
        "events"
    ]
    whole = result.table.query("status == 'ok'").set_index(["unit_id", "period_id"]).index
    assert (ours[whole] == truth[whole]).all()


def test_weights_of_the_user_divide_old_communes_and_keep_the_total():
    result = series_on("VN2025:commune", commune_counts(), ["events"], split="weights", weights=communes().truth)
    assert float(result.table["events"].sum()) == pytest.approx(commune_counts()["events"].sum())
    one = crosswalk().query("relation == 'split'")["old_unit_id"].iloc[0]
    rows = pd.DataFrame({"unit_id": [one], "period_id": ["2024"], "events": [100]})
    weights = communes().truth.query("old_unit_id == @one").set_index("new_unit_id")["weight"]
    found = series_on("VN2025:commune", rows, ["events"], split="weights", weights=communes().truth, gaps="zero").table
    assert dict(zip(found["unit_id"], found["events"].astype(float))) == pytest.approx((100 * weights).to_dict())


def test_stable_areas_need_no_weights():
    areas = stable_areas()
    assert areas["unit_id"].is_unique
    assert areas["area_id"].nunique() == 3_030
    of = areas.set_index("unit_id")["area_id"]
    assert (of[crosswalk()["old_unit_id"]].to_numpy() == of[crosswalk()["new_unit_id"]].to_numpy()).all()
    found = series_on("VN2025:area", commune_counts(), ["events"]).table
    truth = deaths_by_commune_year(first_year=2024, geography="VN2025").table
    truth = truth.assign(unit_id=truth["unit_id"].map(of)).groupby(["unit_id", "period_id"])["events"].sum()
    assert found.set_index(["unit_id", "period_id"])["events"].eq(truth).all()
    assert found["status"].eq("ok").all()


@settings(max_examples=12, deadline=None)
@given(
    data=st.data(),
    geography=st.sampled_from(["VN2025:province", "VN2024:province", "VN2025:commune", "VN2025:area", "VN"]),
)
def test_totals_are_kept_whatever_units_report(data, geography):
    # Any old communes in 2024 and any new ones in 2026, with drawn counts: each is in the series once.
    old = data.draw(st.lists(st.integers(0, 10_570), min_size=1, max_size=20))
    new = data.draw(st.lists(st.integers(0, 10_570), min_size=1, max_size=20))
    edges = crosswalk()
    ids = {"2024": edges["old_unit_id"].iloc[old].unique(), "2026": edges["new_unit_id"].iloc[new].unique()}
    rows = pd.concat([pd.DataFrame({"unit_id": units, "period_id": year}) for year, units in ids.items()])
    rows["events"] = data.draw(st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows)))
    found = series_on(geography, rows, ["events"], split="default", gaps="zero").table
    assert found.groupby("period_id")["events"].sum().to_dict() == pytest.approx(
        rows.groupby("period_id")["events"].sum().to_dict()
    )
    assert not found.duplicated(["unit_id", "period_id"]).any()


@cache
def _inside() -> dict[str, frozenset[int]]:
    """The smallest pieces (edges of the crosswalk) that each unit of Lào Cai, old or new, is made of."""
    edges = crosswalk()
    province = series_links("VN2025:province").drop_duplicates("unit_id").set_index("unit_id")["target_id"]
    edges = edges[edges["old_unit_id"].map(province) == "VN2025:15"].head(60).reset_index(drop=True)
    old = series_links("VN2024:province").drop_duplicates("unit_id").set_index("unit_id")["target_id"]
    told = [
        edges["old_unit_id"],
        edges["new_unit_id"],
        edges["old_unit_id"].map(old),
        pd.Series("VN2025:15", edges.index),
    ]
    pieces = pd.concat([pd.Series(edges.index, index=units) for units in told])
    return {unit: frozenset(group) for unit, group in pieces.groupby(level=0)}


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whoever_is_told_twice_is_refused_and_else_nothing_is_lost(data):
    # Any mix of old and new communes and provinces, of years and halves: the pieces decide what a double count is.
    windows = {"2025": {1, 2}, "2025S1": {1}, "2025S2": {2}}
    one = st.tuples(st.sampled_from(sorted(_inside())), st.sampled_from(sorted(windows)), st.integers(1, 9))
    rows = data.draw(st.lists(one, min_size=1, max_size=4))
    twice = any(
        _inside()[a[0]] & _inside()[b[0]] and windows[a[1]] & windows[b[1]]
        for i, a in enumerate(rows)
        for b in rows[:i]
    )
    counts = pd.DataFrame(rows, columns=["unit_id", "period_id", "events"])
    try:
        found = series_on("34", counts, "events", gaps="zero").table
    except InputError:
        return  # may also be more careful than the pieces: two levels within one province at one time
    assert not twice
    assert found["events"].tolist() == [counts["events"].sum()]
