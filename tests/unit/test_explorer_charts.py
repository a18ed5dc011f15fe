"""Pictures of the explorer say what the figures say, and nothing in them is cut or set over another."""

import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import CircleCollection, LineCollection, PolyCollection
from matplotlib.text import Text as Words
from pivots import COUNT, RATE, a_pivot, months, provinces

from tkyt_analysis.cube.model import View
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.canvas import scale, spread
from tkyt_analysis.explorer.charts import draw, picture_png, picture_svg
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.labels import format_number, label

AGES = ["0", "1-4", *(f"{age}-{age + 4}" for age in range(5, 85, 5)), "85+"]
CAUSES = {
    "I": "Một số bệnh nhiễm trùng và ký sinh trùng (A00–B99)",
    "III": "Bệnh của máu, cơ quan tạo máu và một số rối loạn liên quan đến cơ chế miễn dịch (D50–D89)",
    "XVIII": "Các triệu chứng, dấu hiệu và những phát hiện lâm sàng, cận lâm sàng bất thường (R00–R99)",
    "XX": "Các nguyên nhân ngoại sinh của bệnh tật và tử vong (V01–Y98)",
}
PLACES = provinces()
FIRST = list(PLACES)[:6]


def a_number(*key):
    """A figure between 2 and 10 that depends on its key."""
    return 2 + sum(map(ord, "".join(key))) * 37 % 800 / 100


def a_count(*key):
    return float(int(20 + a_number(*key) ** 3))


def words_of(figure):
    """Every text of a figure with its box in pixels."""
    FigureCanvasAgg(figure).draw()
    shown = [one for one in figure.findobj(Words) if one.get_text().strip() and one.get_visible()]
    return [(one.get_text(), one.get_window_extent()) for one in shown]


def texts_of(figure):
    return [one.get_text() for one in figure.findobj(Words) if one.get_text().strip()]


def boxes_of(figure):
    return [path for one in figure.findobj(PolyCollection) for path in one.get_paths()]


def overlapping(words):
    """Pairs whose boxes share more than the empty edge of a line (a fifth of its height)."""
    found = []
    for i, (text, a) in enumerate(words):
        for other, b in words[i + 1 :]:
            wide = min(a.x1, b.x1) - max(a.x0, b.x0)
            high = min(a.y1, b.y1) - max(a.y0, b.y0)
            if wide > 1.5 and high > 0.2 * min(a.height, b.height):
                found.append((text, other))
    return found


def a_layout(picture, rows, columns, **options):
    return Layout(rows=rows, columns=columns, picture=picture, **options)


def bars_of_provinces(number):
    names = provinces(number)
    layout = a_layout("bar", ("province",), ("sex",), intervals=True)
    geography = View(("crude_death_rate",), ("province", "sex"), geography="VN2025" if number == 34 else "VN2024")
    members = {"province": list(names), "sex": ["male", "female"]}
    return a_pivot(layout, members, a_number, names={"province": names}, spread=0.1, totals=5.5, view=geography)


def a_line(number, **options):
    layout = a_layout("line", ("month",), ("province",), **options)
    names = {"province": PLACES}
    return a_pivot(layout, {"month": months(number, 2021), "province": list(PLACES)[:12]}, a_number, names=names)


def a_pyramid(measure=COUNT, value=a_count):
    layout = a_layout("pyramid", ("age_group",), ("sex",))
    return a_pivot(layout, {"age_group": AGES, "sex": ["male", "female"]}, value, measures=(measure,))


def of_causes(picture):
    layout = a_layout(picture, ("cause",), ("sex",), sort="value")
    members = {"cause": list(CAUSES), "sex": ["male", "female"]}
    return a_pivot(layout, members, a_count, measures=(COUNT,), names={"cause": CAUSES})


def panels():
    layout = a_layout("small_multiples", ("province",), ("month",))
    return a_pivot(layout, {"province": list(PLACES), "month": months(24)}, a_number, names={"province": PLACES})


def a_scatter():
    layout = a_layout("scatter", ("province",), ("measure",))
    return a_pivot(layout, {"province": list(PLACES)}, a_number, measures=(COUNT, RATE), names={"province": PLACES})


def a_year_over_year():
    layout = a_layout("year_over_year", ("month",), ("measure",))
    return a_pivot(layout, {"month": months(34)}, a_count, measures=(COUNT,))


def cards():
    return a_pivot(a_layout("card", (), ("measure",)), {}, a_number, measures=(COUNT, RATE), spread=0.1)


def a_map(picture_of=RATE, columns=("measure",), years=(), value=a_number):
    layout = a_layout("map", ("province",), columns)
    members = {"province": list(PLACES), "year": list(years)}
    return a_pivot(layout, members, value, measures=(picture_of,), names={"province": PLACES})


PICTURES = {
    "34 provinces by sex": lambda: bars_of_provinces(34),
    "63 provinces by sex": lambda: bars_of_provinces(63),
    "long names of causes": lambda: of_causes("bar"),
    "stacked causes": lambda: of_causes("stacked"),
    "stacked shares": lambda: of_causes("stacked_share"),
    "12 lines of 36 months": lambda: a_line(36),
    "years over one another": a_year_over_year,
    "pyramid": a_pyramid,
    "34 panels": panels,
    "scatter": a_scatter,
    "cards": cards,
    "circles": lambda: a_map(COUNT, value=a_count),
}


@pytest.mark.parametrize(("width", "height"), [(9, 5), (16, 9), (3.75, 3)], ids=["laptop", "projector", "phone"])
@pytest.mark.parametrize("name", PICTURES)
def test_no_text_is_cut_or_set_over_another(name, width, height):
    figure = draw(PICTURES[name](), language="vi", width=width, height=height)
    words = words_of(figure)
    edge = figure.bbox
    outside = [
        text for text, box in words if box.x0 < -1 or box.y0 < -1 or box.x1 > edge.x1 + 1 or box.y1 > edge.y1 + 1
    ]
    assert len(words) > 3
    assert not outside
    assert not overlapping(words)


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_says_what_it_shows_and_that_practice_figures_are_not_real(name):
    pivot = PICTURES[name]()
    for language, band in (
        ("vi", "Số liệu mô phỏng – không phải số liệu thật"),
        ("en", "Practice data – not real figures"),
    ):
        assert band in " ".join(texts_of(draw(pivot, language=language)))
        svg = picture_svg(pivot, language=language, width_px=700)
        assert band in svg
        assert svg.count("<svg") == 1
        said = re.search(r'aria-label="([^"]+)"', svg)[1]
        assert label("chart.picture." + pivot.layout.picture, language) in said
        assert len(said) > 60


def test_the_alternative_text_names_the_highest_and_the_lowest():
    names = {"VN2025:01": "Hà Nội", "VN2025:38": "Thanh Hóa", "VN2025:79": "Hồ Chí Minh"}
    figure = {"VN2025:01": 4.25, "VN2025:38": 7.5, "VN2025:79": 3.75}
    layout = a_layout("bar", ("province",), ("measure",))
    pivot = a_pivot(layout, {"province": list(names)}, lambda place, _: figure[place], names={"province": names})
    said = re.search(r'aria-label="([^"]+)"', picture_svg(pivot, language="vi"))[1]
    assert "cao nhất: Thanh Hóa: 7,50 trên 1.000 dân" in said
    assert "thấp nhất: Hồ Chí Minh: 3,75 trên 1.000 dân" in said


def test_lengths_of_bars_are_in_proportion_to_the_figures():
    layout = a_layout("bar", ("province",), ("measure",))
    values = dict(zip(list(PLACES)[:12], range(1, 13)))
    pivot = a_pivot(layout, {"province": list(values)}, lambda place, _: values[place], names={"province": PLACES})
    lengths = [np.ptp(path.vertices[:, 0]) for path in boxes_of(draw(pivot))]
    assert np.allclose(np.array(lengths) / lengths[0], range(1, 13), rtol=1e-6)


def test_the_total_of_rates_is_a_line_with_its_value_and_never_a_bar():
    layout = a_layout("bar", ("province",), ("measure",))
    pivot = a_pivot(layout, {"province": FIRST}, a_number, names={"province": PLACES}, totals=5.43)
    figure = draw(pivot, language="vi")
    assert len(boxes_of(figure)) == len(FIRST)
    assert "Chung: 5,43" in texts_of(figure)


def test_the_total_of_counts_is_said_and_not_drawn():
    layout = a_layout("bar", ("province",), ("measure",))
    pivot = a_pivot(layout, {"province": FIRST}, a_count, measures=(COUNT,), names={"province": PLACES}, totals=1234.0)
    figure = draw(pivot, language="vi")
    assert len(boxes_of(figure)) == len(FIRST)
    assert "Tổng số: 1.234" in texts_of(figure)


def test_a_withheld_figure_has_no_bar_and_says_why():
    layout = a_layout("bar", ("province",), ("measure",))
    many = list(PLACES)[:12]
    status = {(many[2], RATE.id): "suppressed", (many[4], RATE.id): "not_assessable"}
    figure = draw(
        a_pivot(layout, {"province": many}, a_number, names={"province": PLACES}, status=status), language="vi"
    )
    assert len(boxes_of(figure)) == 10
    assert {"ẩn số nhỏ để bảo mật", "không đủ điều kiện đánh giá"} <= set(texts_of(figure))


def test_a_line_is_not_joined_over_a_missing_month():
    layout = a_layout("line", ("month",), ("sex",))
    kept = [one for one in months(12) if one != "202306"]
    pivot = a_pivot(layout, {"month": kept, "sex": ["male", "female"]}, a_number)
    long = [
        segment
        for lines in draw(pivot).findobj(LineCollection)
        for segment in lines.get_segments()
        if len(segment) > 3 and np.ptp(segment[:, 0]) > 20
    ]
    assert sorted(map(len, long)) == [5, 5, 6, 6], "five months before June and six after it, for each sex"


def test_months_stand_in_calendar_order_however_the_rows_are_sorted():
    layout = a_layout("line", ("month",), ("measure",))
    pivot = a_pivot(layout, {"month": ["202312", "202301", "202306"]}, lambda month, _: float(month[-2:]))
    figure = draw(pivot, language="vi")
    FigureCanvasAgg(figure).draw()
    ticks = {one.get_text(): one.get_position()[0] for one in figure.findobj(Words) if "/23" in one.get_text()}
    places = [ticks[one] for one in sorted(ticks, key=lambda text: int(text.split("/")[0]))]
    assert places == sorted(places)
    assert len(places) >= 3


def test_a_figure_with_under_four_fifths_of_its_reports_is_a_hollow_point():
    layout = a_layout("line", ("month",), ("measure",))
    received = {("202303", RATE.id): 79.0, ("202304", RATE.id): 80.0}
    figure = draw(a_pivot(layout, {"month": months(6)}, a_number, received=received), language="vi")
    hollow = [one for one in figure.axes[0].lines if one.get_markerfacecolor() == "#ffffff" and one.get_zorder() == 3]
    assert [len(one.get_xdata()) for one in hollow if len(one.get_xdata())] == [1, 1], "the point, and its legend"
    assert "Điểm rỗng: nhận được dưới 80 % số báo cáo phải có" in texts_of(figure)


def test_figures_of_different_units_never_share_an_axis():
    layout = a_layout("bar", ("sex",), ("measure",))
    pivot = a_pivot(
        layout, {"sex": ["male", "female"]}, lambda _, one: 5000.0 if one == "deaths" else 5.0, measures=(COUNT, RATE)
    )
    figure = draw(pivot, language="vi")
    heights = [np.ptp(path.vertices[:, 1]) for path in boxes_of(figure)]
    assert len(heights) == 4
    assert min(heights) > 0.5 * max(heights), "on one axis the rates would vanish"
    assert {"Số tử vong (người)", "Tỷ suất chết thô (trên 1.000 dân)"} <= set(texts_of(figure))


def test_an_axis_that_does_not_start_at_zero_says_so():
    layout = a_layout("line", ("month",), ("measure",))
    high = a_pivot(layout, {"month": months(6)}, lambda month, _: 90 + float(month[-2:]))
    low = a_pivot(layout, {"month": months(6)}, lambda month, _: float(month[-2:]))
    said = label("chart.not_from_zero", "vi")
    assert said in " ".join(texts_of(draw(high, language="vi")))
    assert said not in " ".join(texts_of(draw(low, language="vi")))


def test_rates_are_not_stacked():
    layout = a_layout("stacked", ("province",), ("sex",))
    pivot = a_pivot(layout, {"province": FIRST, "sex": ["male", "female"]}, a_number)
    with pytest.raises(InputError, match="Cột chồng chỉ dùng cho số đếm"):
        draw(pivot)


def test_a_stack_with_a_withheld_part_has_no_shares():
    layout = a_layout("stacked_share", ("year",), ("sex",))
    members = {"year": ["2023", "2024"], "sex": ["male", "female"]}
    whole = a_pivot(layout, members, lambda year, sex: 30.0 if sex == "male" else 10.0, measures=(COUNT,))
    assert {"75,0 %", "25,0 %"} <= set(texts_of(draw(whole, language="vi")))
    status = {("2024", "female"): "suppressed"}
    part = a_pivot(layout, members, lambda year, sex: 30.0 if sex == "male" else 10.0, measures=(COUNT,), status=status)
    figure = draw(part, language="vi")
    assert texts_of(figure).count("75,0 %") == 1, "of 2023 only: 100 % of what is left would be false"
    assert label("chart.part_withheld_share", "vi") in " ".join(texts_of(figure))


def test_men_are_left_women_right_and_the_oldest_on_top():
    value = {"male": 10.0, "female": 20.0}
    figure = draw(a_pyramid(value=lambda age, sex: value[sex]), language="vi")
    places = {one.get_text(): one.get_position() for one in figure.findobj(Words)}
    assert places["Nam"][0] < places["5–9"][0] < places["Nữ"][0]
    assert places["85+"][1] < places["80–84"][1] < places["0"][1], "y runs downwards"
    widths = sorted({round(float(np.ptp(path.vertices[:, 0])), 2) for path in boxes_of(figure)})
    assert widths[-1] == pytest.approx(2 * widths[0], rel=0.01)


def test_a_pyramid_without_age_or_sex_is_refused_in_words():
    pivot = a_pivot(
        a_layout("pyramid", ("province",), ("sex",)), {"province": FIRST, "sex": ["male", "female"]}, a_number
    )
    with pytest.raises(InputError, match="Tháp tuổi cần cả nhóm tuổi và giới"):
        draw(pivot)
    assert "Tháp tuổi cần cả nhóm tuổi và giới" in picture_svg(pivot, language="vi"), "on the screen it is a notice"


@pytest.mark.parametrize(
    ("picture", "rows", "columns", "said"),
    [
        ("line", ("province",), ("sex",), "cần một chiều thời gian"),
        ("year_over_year", ("year",), ("sex",), "cần chiều tháng, quý hoặc nửa năm"),
        ("scatter", ("province",), ("sex",), "cần đúng hai chỉ tiêu"),
        ("card", ("province",), ("sex",), "Thẻ số liệu dùng cho 1 đến 12 số"),
        ("pie", ("province",), ("sex",), "Không có kiểu hình “pie”"),
    ],
)
def test_a_picture_that_does_not_fit_is_refused_in_words(picture, rows, columns, said):
    members = {"province": list(PLACES), "sex": ["male", "female"], "year": ["2023", "2024"]}
    with pytest.raises(InputError, match=said):
        draw(a_pivot(a_layout(picture, rows, columns), members, a_number, names={"province": PLACES}), language="vi")


def test_nothing_to_draw_and_everything_withheld_are_different_sentences():
    layout, members = a_layout("bar", ("sex",), ("measure",)), {"sex": ["male", "female"]}
    hidden = {("male", RATE.id): "suppressed", ("female", RATE.id): "suppressed"}
    with pytest.raises(InputError, match="mọi số liệu đều được ẩn"):
        draw(a_pivot(layout, members, a_number, status=hidden))
    with pytest.raises(InputError, match="không có ô nào có giá trị"):
        draw(a_pivot(layout, members, lambda *_: np.nan))


def test_a_year_over_year_picture_has_one_line_per_year():
    figure = draw(a_year_over_year(), language="vi")
    texts = texts_of(figure)
    assert [sum(text.startswith(f"{year} ") for text in texts) for year in (2023, 2024, 2025)] == [1, 1, 1]
    assert {"T1", "T10"} <= set(texts)


def test_the_four_largest_outliers_of_a_scatter_have_names():
    apart = {FIRST[0]: 100.0, FIRST[1]: 90.0}
    layout = a_layout("scatter", ("province",), ("measure",))
    pivot = a_pivot(
        layout,
        {"province": list(PLACES)},
        lambda place, one: apart.get(place, 10 + a_number(place, one) / 10),
        measures=(COUNT, RATE),
        names={"province": PLACES},
    )
    texts = texts_of(draw(pivot, language="vi"))
    assert {PLACES[one] for one in apart} <= set(texts)


@pytest.mark.parametrize(
    "one", [a_map(), a_map(COUNT, value=a_count), a_map(columns=("year",), years=("2023", "2024"))]
)
def test_both_archipelagos_are_on_every_map(one):
    figure = draw(one, language="vi")
    texts = " ".join(texts_of(figure)).replace("\n", " ")
    number = texts.count("Q.đ. Hoàng Sa")
    assert number >= 1
    assert number == texts.count("Q.đ. Trường Sa") == texts.count("(TP. Đà Nẵng)")
    svg = picture_svg(one, language="vi")
    assert "Ranh giới minh họa" in svg or "archipelago" in svg


def test_counts_are_circles_whose_area_is_the_number():
    values = dict.fromkeys(PLACES, 100.0) | {FIRST[0]: 400.0}
    figure = draw(a_map(COUNT, value=lambda place, _: values[place]), language="vi")
    areas = np.concatenate([one.get_sizes() for one in figure.findobj(CircleCollection)])
    assert areas.max() == pytest.approx(4 * areas.min(), rel=1e-6)
    assert len(areas) == 34


def test_maps_of_several_years_share_their_classes():
    years = {"2023": 1.0, "2024": 10.0}
    one = a_map(columns=("year",), years=years, value=lambda place, year: years[year] + a_number(place) / 100)
    figure = draw(one, language="vi")
    faces = {patch.get_facecolor() for patch in figure.axes[0].patches}
    texts = " ".join(texts_of(figure))
    assert {"2023", "2024"} <= set(texts_of(figure))
    assert texts.count("Cách chia nhóm") == 1
    assert len(faces) > 4


def test_communes_without_outlines_are_ranked_bars_with_a_sentence():
    communes = {f"VN2025:{code}": f"Xã {code}" for code in ("14797", "14812", "14845")}
    view = View((RATE.id,), ("commune",), place="VN2025:38")
    pivot = a_pivot(
        a_layout("map", ("commune",), ("measure",)),
        {"commune": list(communes)},
        a_number,
        names={"commune": communes},
        view=view,
    )
    texts = texts_of(draw(pivot, language="vi"))
    assert "Chưa có tệp ranh giới xã" in " ".join(texts)
    assert set(communes.values()) <= set(texts)


def test_communes_with_the_users_outlines_are_mapped_with_the_country_beside_them(monkeypatch):
    import pandas as pd

    from tkyt_analysis.explorer import map_ground
    from tkyt_analysis.maps.boundaries import Boundaries, boundaries

    square = np.array([[0, 0], [0.1, 0], [0.1, 0.1], [0, 0.1], [0, 0]])
    codes = {"VN2025:14797": (105.0, 19.5), "VN2025:14812": (105.1, 19.5), "VN2025:99999": (105.2, 19.5)}
    units = pd.DataFrame({"unit_id": list(codes), "code": [one[-5:] for one in codes], "name": ["Một", "Hai", "Ba"]})
    shapes = {unit: (((square + place),),) for unit, place in codes.items()}
    own = Boundaries(
        "VN2025", "commune", "polygons", units, shapes, {"hoang_sa": (), "truong_sa": ()}, {"vi": "Bộ", "en": "MoH"}
    )
    given_for = {"commune": own}
    monkeypatch.setattr(
        map_ground, "boundaries", lambda level, vintage: given_for.get(level) or boundaries(level, vintage)
    )
    layout = a_layout("map", ("commune",), ("measure",))
    view = View((RATE.id,), ("commune",), place="VN2025:38")
    pivot = a_pivot(
        layout, {"commune": list(codes)[:2]}, lambda place, _: 1.0 if place.endswith("7") else 9.0, view=view
    )
    figure = draw(pivot, language="vi")
    texts = " ".join(texts_of(figure))
    assert "Q.đ. Hoàng Sa" in texts
    assert "Q.đ. Trường Sa" in texts
    assert "Bộ" in texts
    svg = picture_svg(pivot, language="vi")
    assert "Một: 1,00 trên 1.000 dân" in svg
    assert "Ba" not in re.findall(r"<title>(\w+):", svg)


def test_pointing_at_a_bar_says_its_figure_with_limits():
    layout = a_layout("bar", ("sex",), ("measure",))
    pivot = a_pivot(layout, {"sex": ["male", "female"]}, lambda sex, _: 5.0 if sex == "male" else 4.0, spread=0.1)
    assert "<title>Nam: 5,00 (4,50–5,50) trên 1.000 dân</title>" in picture_svg(pivot, language="vi")


def test_names_from_the_data_cannot_become_markup():
    layout = a_layout("bar", ("cause",), ("measure",))
    pivot = a_pivot(layout, {"cause": ["x"]}, a_number, names={"cause": {"x": "<script>alert(1)</script>"}})
    assert "<script" not in picture_svg(pivot, language="vi")


def test_what_is_asked_again_is_the_same_to_the_byte():
    assert picture_svg(a_pyramid(), language="vi") == picture_svg(a_pyramid(), language="vi")
    assert picture_png(a_pyramid(), dpi=40) == picture_png(a_pyramid(), dpi=40)


def test_two_hundred_pictures_leave_no_memory_behind():
    kinds = [of_causes("stacked"), a_year_over_year(), cards(), of_causes("bar")]
    for one in kinds * 3:
        draw(one)
    import gc

    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for one in kinds * 50:
        draw(one)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 400_000, f"{grown} bytes after 200 pictures"


@given(
    st.lists(st.tuples(st.floats(0, 300), st.floats(5, 12)), min_size=1, max_size=20),
)
def test_labels_that_are_spread_stand_inside_and_free_of_one_another(wanted):
    places, heights = [one for one, _ in wanted], [high for _, high in wanted]
    found = spread(places, heights, 0, 300)
    ordered = sorted((middle - high / 2, middle + high / 2) for middle, high in zip(found, heights))
    assert all(low >= -1e-6 and high <= 300 + 1e-6 for low, high in ordered)
    assert all(first[1] <= second[0] + 1e-6 for first, second in zip(ordered, ordered[1:]))


def test_labels_that_cannot_all_stand_are_not_forced():
    assert spread([10, 20, 30], [50, 50, 50], 0, 100) is None


@given(st.lists(st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=1, max_size=20))
def test_an_axis_holds_every_value_and_its_ticks_are_round(values):
    axis = scale(values, 0, 100)
    assert axis.low <= min(values)
    assert axis.high >= max(values)
    assert axis.low <= 0 <= axis.high
    step = axis.ticks[1] - axis.ticks[0]
    assert f"{step:.0e}"[0] in "125" or f"{step:.1e}"[:3] == "2.5"
    assert len(axis.ticks) <= 8


@pytest.mark.parametrize(("step", "written"), [(0.5, "1,5"), (2.5, "7,5"), (1000, "3.000"), (0.02, "0,06")])
def test_ticks_are_written_with_just_enough_decimals(step, written):
    axis = scale([0, 5 * step], 0, 100)
    assert written in [axis.text(tick, "vi") for tick in axis.ticks]


def test_numbers_follow_the_language():
    layout = a_layout("bar", ("sex",), ("measure",))
    pivot = a_pivot(layout, {"sex": ["male", "female"]}, lambda sex, _: 1234.5 if sex == "male" else 2000.0)
    assert format_number(1234.5, 2, "vi") in texts_of(draw(pivot, language="vi"))
    assert "1,234.50" in texts_of(draw(pivot, language="en"))


def test_rows_of_two_dimensions_are_grouped_under_the_first():
    layout = a_layout("bar", ("sex", "province"), ("measure",))
    pivot = a_pivot(layout, {"sex": ["male", "female"], "province": FIRST}, a_number, names={"province": PLACES})
    texts = texts_of(draw(pivot, language="vi"))
    assert texts.count("Nam") == texts.count("Nữ") == 1
    assert texts.count(PLACES[FIRST[0]]) == 2


def test_measures_that_have_no_share_are_left_out_of_shares():
    layout = a_layout("bar", ("province",), ("measure",), shows="share_column")
    pivot = a_pivot(
        layout,
        {"province": FIRST},
        lambda place, one: 20.0 if one == "deaths" else np.nan,
        measures=(COUNT, RATE),
        names={"province": PLACES},
    )
    figure = draw(pivot, language="vi")
    assert len(boxes_of(figure)) == len(FIRST)
    assert "Đơn vị: %" in " ".join(texts_of(figure))


def test_where_every_denominator_is_modelled_one_sentence_says_so_and_nothing_is_hatched():
    layout, members = a_layout("bar", ("province",), ("measure",)), {"province": FIRST}
    every = {(place, RATE.id): "modelled" for place in FIRST}
    some = {(FIRST[0], RATE.id): "modelled"}
    sentence = label("chart.all_modelled", "vi")
    for status, number in ((every, 0), (some, 1)):
        figure = draw(a_pivot(layout, members, a_number, names={"province": PLACES}, status=status), language="vi")
        hatched = [one for one in figure.findobj(PolyCollection) if one.get_hatch() and one.get_paths()]
        assert len(hatched) == number
        assert (sentence in " ".join(texts_of(figure))) == (not number)


def test_a_population_is_drawn_as_circles_and_its_total_is_said():
    people = replace(COUNT, id="population", method="average")
    names = {"province": PLACES}
    on_map = draw(a_map(people, value=a_count), language="vi")
    assert on_map.findobj(CircleCollection)
    layout = a_layout("bar", ("province",), ("measure",))
    pivot = a_pivot(layout, {"province": FIRST}, a_count, measures=(people,), names=names, totals=100_000.0)
    assert "Tổng số: 100.000" in texts_of(draw(pivot, language="vi"))


def test_years_of_a_population_are_not_stacked():
    people = replace(COUNT, id="population", method="average")
    members = {"province": FIRST, "year": ["2023", "2024"], "sex": ["male", "female"]}
    names = {"province": PLACES}
    with pytest.raises(InputError, match="không cộng được"):
        draw(a_pivot(a_layout("stacked", ("province",), ("year",)), members, a_count, measures=(people,), names=names))
    by_sex = a_pivot(a_layout("stacked", ("province",), ("sex",)), members, a_count, measures=(people,), names=names)
    assert boxes_of(draw(by_sex))


def test_pyramids_of_deaths_and_of_rates_have_scales_of_their_own():
    layout = a_layout("pyramid", ("age_group",), ("measure", "sex"))
    members = {"age_group": AGES, "sex": ["male", "female"]}
    pivot = a_pivot(layout, members, lambda age, one, sex: 5000.0 if one == "deaths" else 5.0, measures=(COUNT, RATE))
    widths = [float(np.ptp(path.vertices[:, 0])) for path in boxes_of(draw(pivot))]
    assert min(one for one in widths if one > 0) > 0.5 * max(widths[:-1])


def test_a_picture_of_more_bars_than_can_be_read_is_refused_with_what_to_do():
    # 34 provinces × 24 months = 816 bars; the same figures as lines can be read
    table = panels()
    with pytest.raises(InputError, match=r"816.*dạng bảng"):
        draw(replace(table, layout=replace(table.layout, picture="bar")), language="vi")
    draw(replace(table, layout=replace(table.layout, picture="line")), language="vi")
