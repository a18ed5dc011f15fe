"""Neighbours and their weights: forms, styles, islands, outlines, points, and the tables of the catalog."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import REPOSITORY, reference_path

from tkyt_analysis.analysis.spatial import (
    Weights,
    empirical_bayes_rate,
    island_communes,
    moran,
    neighbours_from_points,
    neighbours_from_polygons,
    place_weights,
    spatial_weights,
)
from tkyt_analysis.errors import InputError, UsageError

# a - b - c, d is an island
PAIRS = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")]
MATRIX = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
NAMES = list("abcd")


def dense(weights):
    return weights.matrix.toarray()


def forms():
    from scipy.sparse import csr_array

    pairs = pd.DataFrame(PAIRS, columns=["unit_id", "neighbour_id"])
    yield "pairs", pairs
    yield "pairs, island named", pd.concat([pairs, pd.DataFrame({"unit_id": ["d"], "neighbour_id": [None]})])
    yield "other names", pairs.set_axis(["from", "to"], axis=1)
    yield "unknown names", pairs.set_axis(["x", "y"], axis=1)
    yield "tuples", PAIRS
    yield "dictionary", {"a": ["b"], "b": ["a", "c"], "c": ["b"], "d": []}
    yield "weighted dictionary", {"a": {"b": 1}, "b": {"a": 1, "c": 1}, "c": {"b": 1}}
    yield "list from 0", [[1], [0, 2], [1], []]
    yield "list as R writes it", [[2], [1, 3], [2], [0]]
    yield "matrix", MATRIX
    yield "sparse", csr_array(MATRIX)
    yield "named matrix", pd.DataFrame(MATRIX, NAMES, NAMES)


@pytest.mark.parametrize(("form", "neighbours"), list(forms()), ids=[form for form, _ in forms()])
def test_neighbours_may_be_told_in_many_forms(form, neighbours):
    weights = spatial_weights(neighbours, ids=NAMES, style="B")
    np.testing.assert_array_equal(dense(weights), MATRIX)
    assert list(weights.ids) == NAMES
    assert list(weights.islands) == [False, False, False, True]
    assert list(weights.cardinality) == [1, 2, 1, 0]


def test_the_order_of_the_areas_is_that_of_the_data():
    turned = spatial_weights(pd.DataFrame(MATRIX, NAMES, NAMES), ids=NAMES[::-1], style="B")
    np.testing.assert_array_equal(dense(turned), MATRIX[::-1, ::-1])
    rates = pd.Series([3.0, 2, 9, 1], index=NAMES[::-1])
    pairs = pd.DataFrame(PAIRS, columns=["i", "j"])
    again = spatial_weights(pairs, ids=NAMES)  # Weights made for another order
    pd.testing.assert_frame_equal(moran(rates, again), moran(rates, pairs))


def test_positions_count_from_0_or_from_1_and_never_by_guess():
    from_one = pd.DataFrame({"i": [1, 2, 2, 3, 4], "j": [2, 1, 3, 2, 3]})
    same = spatial_weights(from_one, n=4, style="B")
    np.testing.assert_array_equal(dense(same), dense(spatial_weights(from_one - 1, n=4, style="B")))
    with pytest.raises(InputError, match="ids"):
        spatial_weights(pd.DataFrame({"i": [1, 2], "j": [2, 1]}), n=4)  # 0-1-2-3 or 1-2-3-4?
    whole_numbers = spatial_weights(pd.DataFrame({"i": [1.0, 2.0], "j": ["2", "1"]}), ids=["1", "2", "3"], style="B")
    assert whole_numbers.matrix.sum() == 2


@pytest.mark.parametrize(
    ("neighbours", "words"),
    [
        (pd.DataFrame({"i": ["a", "z"], "j": ["b", "b"]}), "z"),
        (pd.DataFrame({"i": ["a", "a"], "j": ["b", "b"]}), "a – b"),
        (pd.DataFrame({"i": ["a"], "j": ["b"], "weight": [-1]}), "1"),
        (pd.DataFrame({"i": ["a"], "j": ["b"], "weight": ["heavy"]}), "1"),
        (pd.DataFrame({"i": ["a"]}), "i"),
        ("a-b", "str"),
        (np.zeros((5, 4)), "ndarray|5"),
        ([[1], [0]], "4"),
    ],
)
def test_neighbours_that_cannot_be_right_are_refused_with_a_sentence(neighbours, words):
    with pytest.raises(InputError, match=words):
        spatial_weights(neighbours, ids=NAMES)


def test_styles_are_those_of_tiefelsdorf_griffith_and_boots():
    given = {style: dense(spatial_weights(MATRIX, style=style)) for style in ("W", "B", "C", "U", "S", "minmax")}
    np.testing.assert_allclose(given["W"].sum(axis=1), [1, 1, 1, 0])
    np.testing.assert_allclose(given["C"], MATRIX * 3 / 4)  # 3 areas with neighbours, 4 links
    np.testing.assert_allclose(given["U"], MATRIX / 4)
    np.testing.assert_allclose(given["minmax"], MATRIX / 2)
    even = MATRIX / np.sqrt([[1], [2], [1], [1]])
    np.testing.assert_allclose(given["S"], even * 4 / even.sum())
    np.testing.assert_array_equal(dense(spatial_weights(MATRIX, style="row")), given["W"])


def test_given_weights_are_kept_by_style_b_and_shared_out_by_style_w():
    pairs = pd.DataFrame({"i": ["a", "a", "b"], "j": ["b", "c", "a"], "weight": [3.0, 1.0, 5.0]})
    assert dense(spatial_weights(pairs, ids=NAMES, style="B"))[0, 1] == 3
    assert dense(spatial_weights(pairs, ids=NAMES))[0, 1] == 3 / 4


def test_libpysal_weights_and_graphs_are_understood():
    libpysal = pytest.importorskip("libpysal")
    w = libpysal.weights.W({"a": ["b"], "b": ["a", "c"], "c": ["b"]}, silence_warnings=True)
    graph = libpysal.graph.Graph.from_W(w)
    for one in (w, graph):
        np.testing.assert_array_equal(dense(spatial_weights(one, ids=list("abc"), style="B")), MATRIX[:3, :3])


def squares(*corners):
    import geopandas
    from shapely import box

    return geopandas.GeoDataFrame({"code": [f"{i:02d}" for i in range(len(corners))]},
                                  geometry=[box(x, y, x + 1, y + 1) for x, y in corners])  # fmt: skip


def test_a_common_corner_makes_queens_neighbours_and_a_common_side_rooks():
    board = squares((0, 0), (1, 0), (1, 1), (5, 5))
    queen = neighbours_from_polygons(board, ids=board["code"], style="B")
    rook = neighbours_from_polygons(board, ids=board["code"], contiguity="rook", style="B")
    np.testing.assert_array_equal(dense(queen), [[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(dense(rook), [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    apart = squares((0, 0), (1.01, 0))
    assert neighbours_from_polygons(apart).matrix.sum() == 0
    assert neighbours_from_polygons(apart, snap=0.02, style="B").matrix.sum() == 2
    rates = pd.Series([1.0, 2, 3, 4], index=board["code"])
    assert moran(rates, board.set_index("code"))["islands"].iloc[0] == 1


def test_the_nearest_points_are_neighbours_and_groups_may_be_kept_apart():
    x = [105.0, 105.1, 105.3, 106.0]
    weights = neighbours_from_points(x, [21.0] * 4, k=1, style="B")
    np.testing.assert_array_equal(dense(weights), [[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    both_ways = neighbours_from_points(x, [21.0] * 4, k=1, symmetric=True, style="B")
    np.testing.assert_array_equal(dense(both_ways), np.maximum(dense(weights), dense(weights).T))
    grouped = neighbours_from_points(x, [21.0] * 4, k=1, within=["A", "A", "B", "B"], style="B")
    assert dense(grouped)[2, 3] == dense(grouped)[3, 2] == 1
    alone = neighbours_from_points(x, [21, 21, 21, None], k=3, alone=[True, False, False, False])
    assert list(alone.islands) == [True, False, False, True]


def test_distance_is_measured_on_the_globe():
    degree = 111.195  # km along a meridian, radius 6371.0088
    points = ([105.0, 105.0, 106.0], [21.0, 22.0, 21.0])
    near = neighbours_from_points(*points, rule="distance", distance=degree + 0.01, style="B")
    assert dense(near)[0, 1] == 1
    assert dense(near)[0, 2] == 1  # a degree of longitude is 103.8 km here
    assert dense(neighbours_from_points(*points, rule="distance", distance=degree - 0.01))[0, 1] == 0


def test_delaunay_joins_a_square_with_its_centre_and_points_of_one_place_with_each_other():
    x, y = [0, 2, 2, 0, 1, 1], [0, 0, 2, 2, 1, 1]
    weights = neighbours_from_points(x, y, rule="delaunay", degrees=False, style="B")
    assert list(weights.cardinality) == [4, 4, 4, 4, 5, 5]  # two sides and twice the centre; four corners and the other
    line = neighbours_from_points([0, 1, 2], [0, 0, 0], rule="delaunay", degrees=False, style="B")
    np.testing.assert_array_equal(dense(line), MATRIX[:3, :3])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from(["nearest", "delaunay"]),
)
def test_a_point_is_never_its_own_neighbour_and_has_as_many_as_there_are(points, k, rule):
    x, y = np.array(points, dtype=float).T
    weights = neighbours_from_points(x, y, rule=rule, k=k, degrees=False)
    assert not weights.self_included
    if rule == "nearest":
        assert (weights.cardinality == min(k, len(points) - 1)).all()
    else:
        assert (weights.binary - weights.binary.T).nnz == 0


@pytest.mark.parametrize(("vintage", "number", "pairs"), [("VN2024", 63, 135), ("VN2025", 34, 58)])
def test_every_province_has_a_neighbour_and_the_table_is_that_of_the_script(vintage, number, pairs):
    import sys

    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        from make_spatial_weights import province_pairs
    finally:
        sys.path.pop(0)
    weights = place_weights(vintage)
    assert (weights.n, weights.matrix.nnz) == (number, 2 * pairs)
    assert not weights.islands.any()
    assert len(set(weights.components())) == 1
    again = province_pairs(vintage)
    wanted = set(map(tuple, weights.table()[["i", "j"]].to_numpy()))
    assert {(row.unit_id, row.neighbour_id) for row in again.itertuples()} <= wanted
    assert len(again) == pairs


def test_known_borders_are_there_and_the_merger_keeps_them():
    old, new = place_weights("VN2024").table(), place_weights("VN2025").table()
    hanoi = set(old.loc[old["i"] == "VN2024:01", "j"])
    assert hanoi == {f"VN2024:{code}" for code in ("17", "19", "24", "25", "26", "27", "33", "35")}
    from tkyt_analysis.reference.geography import province_merge

    joined = province_merge().set_index("old_unit_id")["new_unit_id"]
    moved = pd.DataFrame({"i": old["i"].map(joined), "j": old["j"].map(joined)}).query("i != j").drop_duplicates()
    assert set(map(tuple, moved.to_numpy())) == set(map(tuple, new[["i", "j"]].to_numpy()))


def test_borders_of_the_34_are_those_of_the_official_map():
    import geopandas

    official = geopandas.read_parquet(reference_path("vietnam/boundaries/vn_provinces_34.parquet"))
    found = neighbours_from_polygons(official, ids="VN2025:" + official["code"]).table()
    ours = place_weights("VN2025").table()
    assert set(map(tuple, found[["i", "j"]].to_numpy())) == set(map(tuple, ours[["i", "j"]].to_numpy()))


def test_islands_are_communes_and_lie_alone_or_with_the_shore_of_their_province():
    from tkyt_analysis.reference.places import places

    units, islands = places("VN2025").set_index("unit_id"), island_communes()
    assert (units.loc[islands["unit_id"], "name"].to_numpy() == islands["name"]).all()
    own, shore = (units.loc[islands[name], "province_id"].to_numpy() for name in ("unit_id", "sea_neighbour_id"))
    assert (own == shore).all()
    names = set(islands["name"])
    assert {
        "Côn Đảo",
        "Phú Quốc",
        "Lý Sơn",
        "Bạch Long Vĩ",
        "Cồn Cỏ",
        "Phú Quý",
        "Cô Tô",
        "Hoàng Sa",
        "Trường Sa",
    } <= names
    alone, sea = place_weights(level="commune"), place_weights(level="commune", islands="sea")
    assert set(alone.ids[alone.islands]) == set(islands["unit_id"])
    assert set(sea.ids[sea.islands]) == set(islands.query("kilometres > 100")["unit_id"])
    ly_son = sea.table().query("i == 'VN2025:21548'")
    assert list(ly_son["j"]) == ["VN2025:21109"]


def test_communes_of_2024_are_neighbours_through_the_communes_of_2025():
    weights = place_weights("VN2024", "commune")
    assert weights.n == 10_035 + 5  # five island districts had no commune
    assert weights.islands[weights.ids.get_loc("VN2024:536")]  # Lý Sơn
    assert (weights.binary - weights.binary.T).nnz == 0
    from tkyt_analysis.reference.geography import crosswalk

    edges = crosswalk().query("is_default").set_index("old_unit_id")["new_unit_id"]
    phu_quoc = edges[edges == "VN2025:31078"].index.intersection(weights.ids)
    table = weights.table()
    for unit in phu_quoc:  # the communes of one island have each other and nobody else
        assert set(table.loc[table["i"] == unit, "j"]) == set(phu_quoc) - {unit}


def test_a_users_outlines_must_have_the_codes_of_the_list():
    board = squares((0, 0), (1, 0))
    with pytest.raises(InputError, match="3321"):
        place_weights(level="commune", polygons=board)
    with pytest.raises(UsageError, match="ma_xa"):
        place_weights(level="commune", polygons=board, code_column="ma_xa")


def test_smoothing_takes_the_tables_of_the_catalog():
    weights = place_weights("VN2025")
    deaths = pd.Series(np.arange(34) % 7 + 1, index=weights.ids[::-1])
    found = empirical_bayes_rate(deaths, 1000.0, neighbours=weights, per=100_000)
    ha_noi = weights.table().query("i == 'VN2025:01'")["j"]
    around = deaths[[*ha_noi, "VN2025:01"]]
    assert found.loc["VN2025:01", "prior_mean"] == pytest.approx(1e5 * around.mean() / 1000)


def test_weights_of_other_areas_are_refused():
    weights = place_weights("VN2025")
    with pytest.raises(InputError, match="35"):
        moran(np.arange(35.0), weights)
    assert isinstance(weights, Weights)
