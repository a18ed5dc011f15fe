"""Every kind of map: both archipelagos, nothing cut, each kind of gap seen, and what the kind itself promises."""

import importlib
import inspect
import pkgutil
import re

import numpy as np
import pandas as pd
import pytest
from map_tables import LONG_TITLE, OPTIONS, SECRET, table_of

import tkyt_analysis.maps
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.maps.boundaries import boundaries
from tkyt_analysis.maps.check import problems
from tkyt_analysis.maps.composition import PHONE, PRINT
from tkyt_analysis.maps.registry import MAP_KINDS, map_kind

HOANG_SA, TRUONG_SA = ("Q.đ. Hoàng Sa", "(TP. Đà Nẵng)"), ("Q.đ. Trường Sa", "(tỉnh Khánh Hòa)")
KINDS = [(kind.id, vintage) for kind in MAP_KINDS.values() for vintage in kind.vintages]
SHEETS = [
    (kind, vintage, tiles, width)
    for kind, vintage in KINDS
    for tiles, width in ((False, PRINT), (False, PHONE), (True, PRINT), (True, PHONE))
    if not tiles or (MAP_KINDS[kind].tiles and (width == PRINT) == (vintage == "VN2024"))
]


def options(kind, **more):
    return {"title": LONG_TITLE, "language": "vi", "practice": True, **OPTIONS.get(kind, {}), **more}


def drawn(kind, vintage="VN2025", **more):
    vintage = vintage if vintage in MAP_KINDS[kind].vintages else "VN2024"
    return MAP_KINDS[kind].draw(table_of(kind, vintage), vintage=vintage, **options(kind, **more))


def content(kind, values=None, vintage="VN2025", **more):
    vintage = vintage if vintage in MAP_KINDS[kind].vintages else "VN2024"
    given = table_of(kind, vintage) if values is None else values
    return MAP_KINDS[kind].content(given, vintage=vintage, **options(kind, **more))


def all_text(figure):
    return " ".join(" ".join(text.get_text().split()) for axes in figure.axes for text in axes.texts)


def provinces(values, vintage="VN2025", **columns):
    units = boundaries(vintage=vintage).units["unit_id"].head(len(values))
    return pd.DataFrame({"unit_id": units, "value": values, **columns})


# -- what holds for every kind ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "vintage", "tiles", "width"), SHEETS)
def test_both_archipelagos_are_named_and_no_text_is_cut_or_upon_another(kind, vintage, tiles, width):
    more = {"tiles": True} if tiles else {}
    assert problems(drawn(kind, vintage, figsize=(width, None), **more)) == []


def test_every_function_that_makes_a_map_is_in_the_registry():
    made = set()
    for module in pkgutil.iter_modules(tkyt_analysis.maps.__path__):
        found = importlib.import_module(f"tkyt_analysis.maps.{module.name}")
        for name, one in inspect.getmembers(found, inspect.isfunction):
            own = one.__module__ == found.__name__ and not name.startswith("_")
            if own and inspect.signature(one).return_annotation == "MapContent":
                made.add((module.name, name))
    assert made == {kind.home for kind in MAP_KINDS.values()}


@pytest.mark.parametrize("kind", MAP_KINDS)
def test_each_printed_kind_tells_gaps_apart_and_bears_source_and_stamp(kind):
    figure = drawn(kind, names=False)
    text = all_text(figure)
    for words in ("Không có số liệu (", "Ẩn số nhỏ để bảo mật (1)", "Không đủ điều kiện đánh giá (1)"):
        assert words in text.replace("(4)", "(1)") if kind == "multiples" else words in text
    assert "© OpenStreetMap contributors (ODbL)" in text
    assert "Số liệu mô phỏng – không phải số liệu thật" in text
    hatches = {
        patch.get_hatch() for axes in figure.axes for patch in axes.get_children() if hasattr(patch, "get_hatch")
    }
    if kind == "commune_points":
        forms = {line.get_marker() for axes in figure.axes for line in axes.lines}
        assert {"o", "s", "x"} <= forms
    else:
        assert {"////", "\\\\\\\\", "xxxx"} <= hatches


@pytest.mark.parametrize("kind", MAP_KINDS)
def test_each_kind_for_screens_says_the_same_and_loads_nothing(kind):
    vintage = "VN2024" if kind == "merger" else "VN2025"
    html = MAP_KINDS[kind].html(table_of(kind, vintage), vintage=vintage, **options(kind))
    panels = html.count('<svg viewBox="-1 -1 ')
    assert panels == (4 if kind == "multiples" else 1)
    for line in (*HOANG_SA, *TRUONG_SA):
        assert html.count(f">{line}</text>") == panels
    for words in ("Không có số liệu (", "Ẩn số nhỏ để bảo mật (", "Không đủ điều kiện đánh giá (", "OpenStreetMap"):
        assert words in html
    assert "Số liệu mô phỏng" in html
    assert not re.search(r"(src|href)\s*=|<script", html)
    ids = re.findall(r'id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert all(target[1:] in ids for target in re.findall(r"url\(([^)]*)\)", html))


@pytest.mark.parametrize("kind", MAP_KINDS)
def test_a_suppressed_figure_is_nowhere(kind):
    made = content(kind)
    said = [mark.text for panel in made.panels for mark in [*panel.marked.values(), *panel.islands.values()]]
    said += [text for panel in made.panels if panel.points for text in panel.points.text]
    said += [text for panel in made.panels if panel.arrows for text in panel.arrows.text]
    said += [row.text for row in made.legend.rows]
    assert not [text for text in said if "987.6" in text or "0,12" in text]
    assert SECRET not in [mark.value for panel in made.panels for mark in panel.marked.values()]


@pytest.mark.parametrize("kind", [kind for kind in MAP_KINDS if kind != "multiples"])
def test_a_table_without_any_figure_is_still_a_map(kind):
    vintage = "VN2024" if kind == "merger" else "VN2025"
    empty = table_of(kind, vintage).iloc[:1].assign(status="missing")
    figure = MAP_KINDS[kind].draw(empty, vintage=vintage, **options(kind, names=False))
    assert "Không có số liệu" in all_text(figure)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_kind_has_a_name_and_a_sentence_of_its_use(language):
    said = {(kind.name(language), kind.use(language)) for kind in MAP_KINDS.values()}
    assert len(said) == len(MAP_KINDS)
    assert all(name and use.endswith(".") for name, use in said)


def test_an_unknown_kind_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match="choropleth"):
        map_kind("pie")


# -- what each kind promises --------------------------------------------------------------------------------------
def test_the_less_reliable_of_two_equal_values_is_greyer_and_the_least_is_dotted():
    table = provinces([10.0, 10.0, 10.0, 30.0], reliability=[95.0, 80.0, 60.0, 95.0])
    marks = list(content("bivariate", table, n_classes=2, scheme="equal").panels[0].marked.values())[:4]

    def greyness(colour):
        parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        return max(parts) - min(parts)

    assert greyness(marks[0].colour) > greyness(marks[1].colour) > greyness(marks[2].colour)
    assert [mark.status for mark in marks] == ["ok", "ok", "uncertain", "ok"]
    assert marks[0].colour != marks[3].colour


def test_a_value_of_unknown_reliability_is_not_assessable():
    mark = next(iter(content("bivariate", provinces([10.0], reliability=[np.nan])).panels[0].marked.values()))
    assert (mark.status, mark.colour) == ("not_assessable", None)


def test_where_small_is_reliable_the_levels_turn_round():
    table = provinces([10.0, 10.0], reliability=[5.0, 60.0])  # relative standard errors
    marks = list(content("bivariate", table, cutoffs=(15, 30), high_is_reliable=False).panels[0].marked.values())
    assert [mark.status for mark in marks[:2]] == ["ok", "uncertain"]


@pytest.mark.parametrize(("p", "place"), [(0.0, 0), (0.05, 1), (0.2, 2), (0.79, 2), (0.8, 3), (0.95, 4), (1.0, 4)])
def test_probabilities_fall_into_near_certain_likely_and_unclear(p, place):
    from tkyt_analysis.maps.palettes import diverging

    mark = next(iter(content("exceedance", provinces([p])).panels[0].marked.values()))
    assert mark.colour == diverging(5)[place]


def test_a_probability_of_87_is_refused_with_the_unit():
    with pytest.raises(InputError, match="VN2025:01"):
        content("exceedance", provinces([87.0]))


@pytest.mark.parametrize("centre", [0.0, 100.0])
def test_a_rise_and_a_fall_of_one_size_have_mirrored_classes(centre):
    away = np.array([-9.0, -5, -1, 1, 5, 9])
    made = content("change", provinces(list(centre + away)), centre=centre)
    used = [made.panels[0].marked[unit].colour for unit in provinces([0] * 6)["unit_id"]]
    from tkyt_analysis.maps.palettes import diverging

    assert used == list(diverging(6))


def test_a_change_whose_limits_hold_zero_is_dotted():
    table = provinces([5.0, 5.0, -2.0, -8.0], lower=[1.0, -1.0, -6.0, -12.0], upper=[9.0, 11.0, 2.0, -4.0])
    marks = list(content("change", table).panels[0].marked.values())[:4]
    assert [mark.status for mark in marks] == ["ok", "uncertain", "uncertain", "ok"]
    assert any("(2)" in row.text and "Chưa rõ" in row.text for row in content("change", table).legend.rows)


def test_given_bounds_of_a_change_must_hold_the_centre_among_them():
    made = content("change", provinces([-3.0, 7.0]), bounds=[-5, 0, 5, 10])
    colours = [row.swatches[0].colour for row in made.legend.rows[:3]]
    assert len(set(colours)) == 3
    with pytest.raises(UsageError, match="bounds"):
        content("change", provinces([-3.0, 7.0]), bounds=[-5, 2, 10])


def test_ranks_of_a_scan_and_words_of_moran_both_make_a_cluster_map():
    scan = content("clusters", provinces([1.0] * 4, cluster=[1, 2, 0, np.nan]))
    texts = [row.text for row in scan.legend.rows]
    assert texts[:3] == ["Cụm 1 (1)", "Cụm 2 (1)", "Không có ý nghĩa thống kê (2)"]
    moran = content("clusters", provinces([1.0] * 2, cluster=["high_high", "low_low"]))
    assert [row.text for row in moran.legend.rows[:2]] == ["Cao, cạnh vùng cao (1)", "Thấp, cạnh vùng thấp (1)"]
    with pytest.raises(InputError, match="HH"):
        content("clusters", provinces([1.0], cluster=["HH"]))


def test_an_island_without_a_cluster_is_not_assessable_and_not_white():
    made = content("clusters", provinces([1.0, 2.0], cluster=["high_high", ""], status=["ok", "not_assessable"]))
    assert [mark.status for mark in list(made.panels[0].marked.values())[:2]] == ["ok", "not_assessable"]


def test_small_maps_share_their_classes():
    years = pd.concat(
        [provinces([1.0, 2.0, 3.0, 4.0]).assign(year=y, value=lambda t, y=y: t["value"] + y) for y in (0, 3)]
    )
    first, second = content("multiples", years, n_classes=3, scheme="equal").panels
    assert (first.heading, second.heading) == ("0", "3")
    units = list(first.marked)[:4]
    assert first.marked[units[3]].colour == second.marked[units[0]].colour  # 4 = 1 + 3


def test_more_small_maps_than_a_sheet_holds_are_refused():
    with pytest.raises(UsageError, match="10"):
        content("multiples", pd.concat([provinces([1.0]).assign(year=year) for year in range(10)]))


def test_the_area_of_a_circle_is_the_count():
    units = table_of("commune_points", "VN2025")["unit_id"].iloc[[0, 10, 20]].tolist()
    made = content("commune_points", pd.DataFrame({"unit_id": units, "value": [100.0, 25.0, 0.0]}))
    points = made.panels[0].points
    radius = points.radius[[text.split(": ")[1] in ("100 ca", "25 ca") for text in points.text]]
    assert sorted(radius / radius.max()) == pytest.approx([np.sqrt(25 / 100), 1])
    assert "Không có số liệu (3318)" in [row.text for row in made.legend.rows]
    with pytest.raises(InputError, match="-1"):
        content("commune_points", pd.DataFrame({"unit_id": units[:1], "value": [-1.0]}))


@pytest.mark.parametrize(("vintage", "number"), [("VN2024", 10035 + 5), ("VN2025", 3321)])
def test_every_commune_is_a_point_or_lies_in_an_archipelago_frame(vintage, number):
    made = content("commune_points", vintage=vintage)  # five old island districts had no commune
    islands = sum(mark.text.count(": ") for mark in made.panels[0].islands.values())
    assert len(made.panels[0].points.position) + islands == number


def test_old_communes_stand_in_their_own_province_and_the_map_says_how_near():
    from tkyt_analysis.maps.commune_points import commune_places

    old, new = commune_places("VN2024"), commune_places("VN2025")
    assert old[["longitude", "latitude"]].notna().all(axis=None)
    assert old["longitude"].between(new["longitude"].min() - 0.1, new["longitude"].max() + 0.1).all()
    assert "gần đúng" in content("commune_points", vintage="VN2024").notes[0]
    assert content("commune_points").notes == ()


def test_the_merger_has_29_arrows_23_groups_and_11_provinces_that_stayed():
    made = MAP_KINDS["merger"].content(title="x", language="vi")
    assert len(made.panels[0].arrows.text) == 63 - 34
    assert len(made.listing) == 34 - 11
    assert any("Giữ nguyên (11 " in row.text for row in made.legend.rows)
    assert "Đồng Tháp: gồm Tiền Giang, Đồng Tháp" in made.listing
    assert any(text.startswith("Đồng Tháp → Đồng Tháp") for text in made.panels[0].arrows.text)


def test_old_provinces_of_one_new_province_have_one_colour_and_neighbours_differ():
    from tkyt_analysis.maps.merger import _groups, _tints

    tints, outlines = _tints(), boundaries(vintage="VN2025").shapes
    corners = {new: {tuple(one) for part in outlines[new] for one in part[0].round(4)} for new in tints}
    meet = [(a, b) for a in tints for b in tints if a < b and corners[a] & corners[b]]
    assert len(meet) > 20
    assert all(tints[a] != tints[b] for a, b in meet)
    marked = MAP_KINDS["merger"].content(title="x").panels[0].marked
    assert all(marked[old].colour == tints[new] for old, new in _groups().items() if new in tints)


def test_the_width_of_an_arrow_is_the_figure_that_moved():
    table = pd.DataFrame({"unit_id": ["VN2024:02", "VN2024:10"], "value": [1000.0, 500.0]})
    made = MAP_KINDS["merger"].content(table, title="x", language="vi")
    width = dict(zip(made.panels[0].arrows.text, made.panels[0].arrows.width))
    assert width["Hà Giang → Tuyên Quang: 1.000"] == pytest.approx(2 * width["Lào Cai → Lào Cai: 500"])


@pytest.mark.parametrize(
    ("kind", "lacks"), [("bivariate", "reliability"), ("clusters", "cluster"), ("multiples", "year")]
)
def test_a_missing_column_is_named(kind, lacks):
    with pytest.raises(InputError, match=lacks):
        content(kind, provinces([1.0, 2.0]))


# -- the check itself sees what is wrong --------------------------------------------------------------------------
def broken(change):
    figure = drawn("choropleth", names=False)
    texts = {text.get_gid() or text.get_text(): text for text in figure.axes[0].texts}
    change(texts, figure)
    return " | ".join(problems(figure))


def title_of(texts):
    return next(text for name, text in texts.items() if name.startswith("Tỷ suất"))


def frame_of(figure):
    """The middle of Hoàng Sa's frame."""
    frame = next(one for one in figure.axes[0].patches if one.get_gid() == "archipelago-frame-hoang_sa")
    return frame.get_center()


def move(text, x, y):
    text.set_position((x, y))


BREAKS = {
    "an archipelago without its name": (lambda t, f: t["archipelago-hoang_sa"].remove(), "Hoàng Sa is not named"),
    "a hidden label": (lambda t, f: t["archipelago-truong_sa"].set_visible(False), "Trường Sa is not named"),
    "another name": (lambda t, f: t["archipelago-truong_sa"].set_text("Đảo"), "Trường Sa is not named"),
    "a label out of its frame": (lambda t, f: t["archipelago-hoang_sa"].set_fontsize(25), "leaves its frame"),
    "a title over the edge": (lambda t, f: move(title_of(t), 300, 30), "cut by the edge"),
    "a text on another": (lambda t, f: f.axes[0].text(*title_of(t).get_position(), "xx", va="top"), "overlap"),
    "a text in a frame": (lambda t, f: f.axes[0].text(*frame_of(f), "xx"), "runs into the frame"),
    "type for ants": (lambda t, f: title_of(t).set_fontsize(3), "3.0 points"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_the_check_finds(case):
    change, said = BREAKS[case]
    assert said in broken(change)
