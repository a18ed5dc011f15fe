"""Moving counts between the units of 2024 and of 2025."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_path, table

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.geography import crosswalk, province_merge, to_geography
from tkyt_analysis.reference.places import places

EDGES = crosswalk()
OLD, NEW = places("VN2024"), places("VN2025")
OLD_COMMUNES = OLD.loc[OLD["level"] == 3, "unit_id"]
NEW_COMMUNES = NEW.loc[NEW["level"] == 3, "unit_id"]
ISLANDS = {"318": "11948", "471": "19742", "498": "20333", "536": "21548", "755": "26732"}

# 09013 Văn Khê was divided among four; 00001 Phúc Xá went whole to one; both lie in Hà Nội.
DIVIDED, WHOLE = "VN2024:09013", "VN2024:00001"
DEATHS = table("""
    unit_id      | period_id | deaths
    VN2024:09013 | 202501    |     20
    VN2024:00001 | 202501    |     80
    VN2024:00001 | 202502    |      7
""").astype({"period_id": "str"})


def test_the_crosswalk_has_10571_edges_for_10035_communes_and_five_islands():
    assert len(EDGES) == 10_566 + 5
    assert not EDGES.duplicated(["old_unit_id", "new_unit_id"]).any()
    assert set(EDGES["old_unit_id"]) == set(OLD_COMMUNES) | {f"VN2024:{code}" for code in ISLANDS}
    assert set(EDGES["new_unit_id"]) == set(NEW_COMMUNES)


def test_441_old_communes_were_divided_among_two_to_five():
    targets = EDGES.groupby("old_unit_id").size()
    assert targets.value_counts().to_dict() == {1: 9_594 + 5, 2: 369, 3: 55, 4: 16, 5: 1}
    divided = EDGES.loc[EDGES["relation"] == "split", "old_unit_id"].nunique()
    assert divided == 369 + 55 + 16 + 1 == 441


def test_a_new_commune_has_one_to_fourteen_sources():
    sources = EDGES.groupby("new_unit_id").size()
    assert (sources.min(), sources.max(), (sources == 1).sum()) == (1, 14, 140)


def test_every_old_unit_has_one_default_target():
    assert (EDGES.groupby("old_unit_id")["is_default"].sum() == 1).all()


def test_the_island_districts_became_special_zones():
    edges = EDGES.set_index("old_unit_id")["new_unit_id"]
    assert {code: edges[f"VN2024:{code}"] for code in ISLANDS} == {k: f"VN2025:{v}" for k, v in ISLANDS.items()}
    types = NEW.set_index("unit_id")["unit_type"]
    assert set(types[edges[[f"VN2024:{code}" for code in ISLANDS]]]) == {"đặc khu"}


def test_no_edge_leaves_its_province():
    old_province = EDGES["old_unit_id"].map(OLD.set_index("unit_id")["province_id"])
    new_province = EDGES["new_unit_id"].map(NEW.set_index("unit_id")["province_id"])
    merged = old_province.map(province_merge().set_index("old_unit_id")["new_unit_id"])
    assert (merged == new_province).all()


def test_no_new_commune_straddles_two_old_provinces():
    old_province = EDGES["old_unit_id"].map(OLD.set_index("unit_id")["province_id"])
    pairs = pd.DataFrame({"new": EDGES["new_unit_id"], "old_province": old_province}).drop_duplicates()
    assert pairs["new"].is_unique


def test_the_34_provinces_are_unions_of_the_63():
    merge = province_merge()
    assert len(merge) == merge["old_unit_id"].nunique() == 63
    parts = merge.groupby("new_unit_id").size()
    assert parts.value_counts().to_dict() == {1: 11, 2: 17, 3: 6}


def test_the_merger_agrees_with_the_reference():
    merge = pd.read_csv(reference_path("vietnam", "province_merge.csv"), dtype=str)
    ours = province_merge()
    assert set("VN2024:" + merge["old_code"] + ">VN2025:" + merge["new_code"]) == set(
        ours["old_unit_id"] + ">" + ours["new_unit_id"]
    )


def test_known_errors_of_both_packages_are_mended():
    fixes = pd.read_csv(reference_path("vietnam", "crosswalk_fixes.csv"), dtype=str)
    pairs = set(EDGES["old_unit_id"] + ">" + EDGES["new_unit_id"])
    listed = "VN2024:" + fixes["old"] + ">VN2025:" + fixes["new"]
    wrong = fixes["action"].str.startswith("delete")
    assert not set(listed[wrong]) & pairs
    assert set(listed[~wrong]) <= pairs
    assert (wrong.sum(), (~wrong).sum()) == (32 + 3, 1 + 4)


def test_the_default_of_phu_tan_is_phu_huu():
    edge = EDGES[(EDGES["old_unit_id"] == "VN2024:31379") & EDGES["is_default"]]
    assert edge["new_unit_id"].tolist() == ["VN2025:31378"]


def published_population():
    published = pd.read_csv(reference_path("vietnam", "province_population.csv"), dtype={"code": str, "admin": str})
    old = published[published["admin"] == "63"].assign(unit_id=lambda d: "VN2024:" + d["code"])
    new = published[published["admin"] == "34"].assign(unit_id=lambda d: "VN2025:" + d["code"])
    return old, new


@pytest.mark.parametrize("persons", ["total", "male", "female", "urban"])
@pytest.mark.parametrize(("series", "years", "within"), [("NSO-A", 8, 0), ("NSO-B", 3, 0), ("MODEL", 5, 1)])
def test_published_population_of_the_63_adds_up_exactly_to_that_of_the_34(persons, series, years, within):
    # In tenths of a thousand, as printed. MODEL rows were rounded after they were added: one tenth apart at most.
    old, new = (rows[(rows["series"] == series) & rows[persons].notna()] for rows in published_population())
    if persons == "urban" and series == "MODEL":
        assert old.empty
        return
    tenths = old[["unit_id", "year"]].assign(persons=(old[persons] * 10).round().astype(int))
    moved = to_geography(tenths, "VN2025", measures=["persons"]).table.set_index(["unit_id", "year"])["persons"]
    expected = (new.set_index(["unit_id", "year"])[persons] * 10).round().astype(int)
    assert len(moved) == len(expected) == 34 * years
    assert (moved - expected).abs().max() <= within
    assert moved.sum() == tenths["persons"].sum()


def test_areas_of_the_63_are_kept_in_sum():
    # The area printed for the 34 (Resolution 202) is another survey's, so only the sum of one source is compared.
    old, _ = published_population()
    tenths_of_km2 = old.query("year == 2019")[["unit_id"]].assign(area=(old["area_km2"] * 10).round().astype(int))
    moved = to_geography(tenths_of_km2, "VN2025", measures=["area"]).table
    assert len(moved) == 34
    assert moved["area"].sum() == 3_309_558


def test_divided_communes_are_left_out_and_said_so():
    result = to_geography(DEATHS, "VN2025", measures=["deaths"], split="exclude")
    assert result.table["deaths"].sum() == 80 + 7
    assert result.excluded["unit_id"].tolist() == [DIVIDED]
    row = result.split_share.iloc[0]
    assert (row["total"], row["through_split"], row["excluded"]) == (107, 20, 20)
    assert row["share"] == 20 / (20 + 80 + 7)
    assert len(result.affected) == 4
    assert "20" in result.sentence("vi")
    assert "107" in result.sentence("en")


def test_divided_communes_go_to_their_default_target():
    result = to_geography(DEATHS, "VN2025", measures=["deaths"], split="default")
    assert result.table["deaths"].sum() == 107
    assert result.table.query("unit_id == 'VN2025:09022'")["deaths"].tolist() == [20]
    assert result.split_share["through_split"].tolist() == [20]
    assert result.split_share["excluded"].tolist() == [0]
    assert result.excluded.empty


def test_divided_communes_go_by_the_users_weights():
    weights = table("""
        old_unit_id  | new_unit_id  | weight
        VN2024:09013 | VN2025:09022 |    0.5
        VN2024:09013 | VN2025:08995 |    0.3
        VN2024:09013 | VN2025:09817 |    0.2
    """)
    result = to_geography(DEATHS, "VN2025", measures=["deaths"], split="weights", weights=weights)
    moved = result.table.set_index("unit_id")["deaths"]
    assert moved["VN2025:09022"] == 20 * 0.5
    assert moved["VN2025:08995"] == pytest.approx(20 * 0.3)
    assert moved["VN2025:09817"] == pytest.approx(20 * 0.2)
    assert result.table["deaths"].sum() == pytest.approx(107)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([("09022", 0.5), ("08995", 0.4)], "VN2024:09013: 0,9"),
        ([("09022", 1.5), ("08995", -0.5)], "0 đến 1"),
        ([("09022", 0.5), ("00004", 0.5)], "00004"),
        ([("09022", 0.5), ("09022", 0.5)], "09022"),
        ([], "VN2024:09013"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_the_reason(weights, sentence):
    rows = [(DIVIDED, f"VN2025:{new}", weight) for new, weight in weights]
    frame = pd.DataFrame(rows, columns=["old_unit_id", "new_unit_id", "weight"])
    with pytest.raises(InputError, match=sentence):
        to_geography(DEATHS, "VN2025", measures=["deaths"], split="weights", weights=frame)
    with pytest.raises(InputError, match="weight"):
        to_geography(DEATHS, "VN2025", measures=["deaths"], split="weights")


def test_provinces_never_need_the_divided_communes():
    for target, unit in (("VN2025:province", "VN2025:01"), ("VN2024:province", "VN2024:01"), ("VN", "VN")):
        result = to_geography(DEATHS, target, measures=["deaths"])
        assert result.table["unit_id"].unique().tolist() == [unit]
        assert result.table["deaths"].tolist() == [20 + 80, 7]
        assert result.split_share["share"].tolist() == [0]


def test_new_communes_go_back_to_the_63_provinces():
    lai = OLD.set_index("unit_id")["province_id"]
    sample = EDGES[EDGES["relation"] == "whole"].drop_duplicates("new_unit_id")
    counts = pd.DataFrame({"unit_id": sample["new_unit_id"], "deaths": 1})
    moved = to_geography(counts, "VN2024:province", measures=["deaths"]).table.set_index("unit_id")["deaths"]
    assert moved.to_dict() == sample["old_unit_id"].map(lai).value_counts().to_dict()


def test_old_and_new_communes_of_one_series_meet_in_the_34_provinces():
    series = table("""
        unit_id      | period_id | deaths
        VN2024:28252 | 202506    |      3
        VN2025:28249 | 202507    |      4
    """)
    moved = to_geography(series, "VN2025:province", measures=["deaths"]).table
    assert moved["unit_id"].unique().tolist() == ["VN2025:82"]


@pytest.mark.parametrize(
    ("unit_id", "target", "sentence"),
    [
        ("VN2025:82", "VN2024:province", "Không thể chia số liệu của tỉnh mới"),
        ("VN2025:00004", "VN2024:district", "Cấp huyện chấm dứt"),
        ("VN2024:001", "VN2025", "VN2024:001"),
        ("VN2024:01", "VN2024:district", "lớn hơn"),
        ("VN2024:99999", "VN2025", "VN2024:99999"),
        ("82", "VN2025", "82"),
        ("", "VN2025", "1 dòng không có mã"),
        (None, "VN2025", "1 dòng không có mã"),
        ("VN2024:00001", "VN2030", "VN2030"),
    ],
)
def test_what_cannot_be_moved_is_refused_with_the_reason(unit_id, target, sentence):
    counts = pd.DataFrame({"unit_id": [unit_id], "deaths": [1]})
    with pytest.raises(InputError, match=sentence):
        to_geography(counts, target, measures=["deaths"])


def test_a_table_that_holds_a_province_and_its_communes_would_count_twice():
    counts = pd.DataFrame({"unit_id": ["VN2024:01", "VN2024:00001"], "deaths": [10, 1]})
    with pytest.raises(InputError, match="đếm hai lần"):
        to_geography(counts, "VN2025:province", measures=["deaths"])


def test_communes_and_island_districts_may_stand_together():
    counts = pd.DataFrame({"unit_id": ["VN2024:536", "VN2024:21040"], "deaths": [10, 1]})
    moved = to_geography(counts, "VN2025:province", measures=["deaths"]).table
    assert moved[["unit_id", "deaths"]].to_numpy().tolist() == [["VN2025:51", 11]]


def test_district_tables_stop_at_june_2025():
    counts = pd.DataFrame({"unit_id": [WHOLE], "period_end": ["2025-06-30"], "deaths": [1]})
    assert to_geography(counts, "VN2024:district", measures=["deaths"]).table["unit_id"].tolist() == ["VN2024:001"]
    with pytest.raises(InputError, match="31/07/2025"):
        to_geography(counts.assign(period_end="2025-07-31"), "VN2024:district", measures=["deaths"])


def test_text_is_not_added_up_and_a_missing_count_stays_missing():
    counts = pd.DataFrame({"unit_id": [WHOLE, DIVIDED], "deaths": ["1", "2"]})
    with pytest.raises(InputError, match="deaths"):
        to_geography(counts, "VN2025:province", measures=["deaths"])
    missing = pd.DataFrame({"unit_id": [WHOLE, "VN2024:21040"], "deaths": [None, 2.0]})
    moved = to_geography(missing, "VN2025:province", measures=["deaths"]).table.set_index("unit_id")["deaths"]
    assert np.isnan(moved["VN2025:01"])
    assert moved["VN2025:51"] == 2


def test_small_integer_types_do_not_overflow_and_rows_with_missing_keys_are_kept():
    counts = pd.DataFrame({"unit_id": OLD_COMMUNES, "sex": None, "deaths": np.int8(100)})
    moved = to_geography(counts, "VN", measures=["deaths"]).table
    assert moved["deaths"].tolist() == [100 * 10_035]


COUNTS = st.lists(st.tuples(st.sampled_from(list(OLD_COMMUNES)), st.sampled_from(["202401", "202402"]),
                            st.integers(0, 10**9)), min_size=1, max_size=60)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(rows=COUNTS)
def test_sums_are_preserved_exactly_whatever_the_counts(rows):
    counts = pd.DataFrame(rows, columns=["unit_id", "period_id", "deaths"])
    total = counts.groupby("period_id")["deaths"].sum().to_dict()
    for target in ("VN2025", "VN2025:province", "VN2024:province", "VN2024:district", "VN"):
        result = to_geography(counts, target, measures=["deaths"], split="default")
        assert result.table.groupby("period_id")["deaths"].sum().to_dict() == total
        left_out = to_geography(counts, target, measures=["deaths"], split="exclude")
        assert left_out.table["deaths"].sum() + left_out.excluded["deaths"].sum() == sum(total.values())


@settings(max_examples=30, deadline=None)
@given(rows=COUNTS)
def test_the_34_provinces_are_the_same_by_way_of_communes_districts_or_the_63(rows):
    counts = pd.DataFrame(rows, columns=["unit_id", "period_id", "deaths"])

    def provinces(*steps):
        moved = counts
        for step in steps:
            moved = to_geography(moved, step, measures=["deaths"], split="default").table
        return moved.groupby(["unit_id", "period_id"])["deaths"].sum().to_dict()

    direct = provinces("VN2025:province")
    assert provinces("VN2024:province", "VN2025") == direct
    assert provinces("VN2024:district", "VN2025:province") == direct
    assert provinces("VN2025", "VN2025:province") == direct


def test_ten_years_of_months_of_all_communes_move_without_a_death_lost():
    months = [f"{year}{month:02}" for year in range(2015, 2025) for month in range(1, 13)]
    counts = pd.DataFrame(
        {"unit_id": np.repeat(OLD_COMMUNES, 120), "period_id": np.tile(months, len(OLD_COMMUNES)), "deaths": 1}
    )
    result = to_geography(counts, "VN2025", measures=["deaths"], split="default")
    assert result.table["deaths"].sum() == 10_035 * 120
