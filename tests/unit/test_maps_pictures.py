"""Pictures: both archipelagos on every map, no text cut or upon another, gaps shown as gaps."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.maps.boundaries import boundaries
from tkyt_analysis.maps.choropleth import draw_province_map, map_png, map_svg
from tkyt_analysis.maps.interactive import interactive_map_html
from tkyt_analysis.maps.values import complete

LONG_TITLE = "Tỷ suất chết chuẩn hóa theo tuổi do bệnh hệ tuần hoàn ở người từ 30 đến 69 tuổi, cả hai giới, năm 2024"
HOANG_SA, TRUONG_SA = "Q.đ. Hoàng Sa (TP. Đà Nẵng)", "Q.đ. Trường Sa (tỉnh Khánh Hòa)"
EVERY = pytest.mark.parametrize(
    ("vintage", "tiles", "width"),
    [(v, t, w) for v in ("VN2024", "VN2025") for t in (False, True) for w in (6.3, 3.6)],
)


def values(vintage="VN2025"):
    """Every province has 100, 110, …; four have a gap or a modelled figure."""
    units = boundaries(vintage=vintage).units
    table = pd.DataFrame({"unit_id": units["unit_id"], "value": [1000.5 + 10 * i for i in range(len(units))]})
    table["status"] = "ok"
    table.loc[[1, 2, 3, 4], "status"] = ["missing", "suppressed", "not_assessable", "modelled"]
    return table.drop(index=5)


def texts_of(figure):
    return [artist for artist in figure.axes[0].texts if artist.get_text()]


def all_text(figure):
    return " ".join(" ".join(artist.get_text().split()) for artist in texts_of(figure))


@EVERY
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_map_shows_hoang_sa_and_truong_sa_by_name(vintage, tiles, width, language):
    figure = draw_province_map(
        values(vintage), vintage=vintage, title="x", tiles=tiles, figsize=(width, None), language=language
    )
    named = {artist.get_gid(): " ".join(artist.get_text().split()) for artist in texts_of(figure) if artist.get_gid()}
    assert "Hoàng Sa" in named["archipelago-hoang_sa"]
    assert "Trường Sa" in named["archipelago-truong_sa"]
    if language == "vi":
        assert named["archipelago-hoang_sa"] == HOANG_SA
        assert named["archipelago-truong_sa"] == TRUONG_SA


@EVERY
def test_no_text_is_cut_and_no_two_texts_overlap(vintage, tiles, width):
    figure = draw_province_map(
        values(vintage), vintage=vintage, title=LONG_TITLE, unit="trên 100.000 dân", tiles=tiles, practice=True,
        figsize=(width, None), scheme="equal", language="vi",
    )  # fmt: skip
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    sheet = figure.bbox
    boxes = [(artist.get_text(), artist.get_window_extent(renderer)) for artist in texts_of(figure)]
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= sheet.x1, text
        assert box.y1 <= sheet.y1, text
    for i, (text, box) in enumerate(boxes):
        for other, second in boxes[i + 1 :]:
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            along = min(box.y1, second.y1) - max(box.y0, second.y0)
            # lines of one paragraph may touch by the height of their accents
            assert across <= 0.5 or along <= 0.35 * min(box.height, second.height), (text, other)


@pytest.mark.parametrize(("vintage", "number"), [("VN2024", 63), ("VN2025", 34)])
@pytest.mark.parametrize("tiles", [False, True])
def test_at_print_size_every_province_has_its_name(vintage, number, tiles):
    figure = draw_province_map(values(vintage), vintage=vintage, title="x", tiles=tiles)
    found = [" ".join(a.get_text().split()) for a in texts_of(figure) if (a.get_gid() or "").startswith("name-")]
    expected = boundaries(vintage=vintage).units["name"]
    assert sorted(found) == sorted(expected.str.replace("\u00a0", " "))
    assert len(found) == number


def test_archipelago_labels_stay_within_their_frames():
    figure = draw_province_map(values(), title="x", figsize=(3.6, None))
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patches import Rectangle

    renderer = FigureCanvasAgg(figure).get_renderer()
    frames = [p.get_window_extent(renderer) for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    for artist in texts_of(figure):
        if (artist.get_gid() or "").startswith("archipelago"):
            box = artist.get_window_extent(renderer)
            assert any(f.x0 <= box.x0 and box.x1 <= f.x1 and f.y0 <= box.y0 and box.y1 <= f.y1 for f in frames)


def test_the_legend_names_scheme_bounds_and_each_kind_of_gap():
    text = all_text(draw_province_map(values(), title="x", language="vi", scheme="quantile", decimals=1))
    assert "phân vị" in text
    assert "Không có số liệu (2)" in text  # one without a figure, one without a row
    assert "Ẩn số nhỏ để bảo mật (1)" in text
    assert "Không đủ điều kiện đánh giá (1)" in text
    assert "Số ước lượng theo mô hình (1)" in text
    assert "1.000,5 – dưới " in text
    assert "© OpenStreetMap contributors (ODbL)" in text


def test_practice_data_say_that_they_are_not_real():
    said = "Số liệu mô phỏng – không phải số liệu thật"
    assert said in all_text(draw_province_map(values(), title="x", practice=True, language="vi"))
    assert said not in all_text(draw_province_map(values(), title="x", language="vi"))
    assert said in interactive_map_html(values(), title="x", practice=True, language="vi")


def test_a_suppressed_figure_is_nowhere_in_the_picture():
    table = values()
    table.loc[table["status"] == "suppressed", "value"] = 7.0  # the smallest: it would be the lower bound
    seen = Elements(interactive_map_html(table, title="x", language="vi", value_decimals=1))
    said = [*seen.text, *(a.get("aria-label", "") for a in seen.attributes)]
    assert any("1.000,5" in text for text in said)
    assert not any(re.search(r"(?<!\d)7,0", text) for text in said)
    assert "7 – dưới" not in all_text(draw_province_map(table, title="x", language="vi"))


def test_the_value_of_a_gap_is_dropped_before_anything_is_drawn():
    table = pd.DataFrame({"unit_id": ["VN2025:01", "VN2025:04", "VN2025:08"], "value": [1.0, 2.0, float("nan")]})
    table["status"] = ["suppressed", "modelled", "ok"]
    full = complete(table, boundaries(vintage="VN2025")).set_index("unit_id")
    assert len(full) == 34
    assert full["value"].dropna().to_dict() == {"VN2025:04": 2.0}
    assert full.loc["VN2025:01", "status"] == "suppressed"
    assert full.loc[["VN2025:08", "VN2025:11"], "status"].tolist() == ["missing", "missing"]


def test_a_dashboard_draws_its_map_without_loading_matplotlib_or_geopandas():
    program = (
        "import sys, pandas as pd\n"
        "from tkyt_analysis.maps.interactive import interactive_map_html\n"
        "interactive_map_html(pd.DataFrame({'unit_id': ['VN2025:01'], 'value': [1.0]}), title='x')\n"
        "print([name for name in ('matplotlib', 'geopandas', 'shapely', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_provinces_without_a_figure_still_make_a_map():
    table = pd.DataFrame({"unit_id": ["VN2025:01"], "value": [float("nan")]})
    assert "Không có số liệu (34)" in all_text(draw_province_map(table, title="x", language="vi"))
    assert "Không có số liệu (34)" in interactive_map_html(table, title="x", language="vi")


def test_a_sheet_too_low_for_a_map_is_refused_and_the_needed_height_serves():
    with pytest.raises(UsageError) as raised:
        draw_province_map(values(), title=LONG_TITLE, figsize=(6.3, 2.0))
    needed = raised.value.fields["needed"]
    figure = draw_province_map(values(), title=LONG_TITLE, figsize=(6.3, needed))
    assert figure.get_size_inches().tolist() == pytest.approx([6.3, needed])


def test_a_dollar_sign_in_a_title_is_a_dollar_sign():
    assert "chi phí $x_1$ < 5" in all_text(draw_province_map(values(), title="chi phí $x_1$ < 5"))
    assert map_png(values(), title="$\\frac{", dpi=50).startswith(b"\x89PNG")


def test_drawing_changes_no_setting_of_matplotlib_and_the_same_input_gives_the_same_bytes():
    import matplotlib

    before = dict(matplotlib.rcParams)
    assert map_svg(values(), title="x") == map_svg(values(), title="x")
    assert dict(matplotlib.rcParams) == before


WRONG = {
    "unknown unit": (lambda t: t.replace({"unit_id": {"VN2025:01": "VN2024:02"}}), "VN2024:02"),
    "unit twice": (lambda t: pd.concat([t, t.iloc[[0]]]), "VN2025:01"),
    "no value column": (lambda t: t.drop(columns="value"), "value"),
    "text for a number": (lambda t: t.astype({"value": object}).replace({"value": {1000.5: "12 ca"}}), "12 ca"),
    "an infinite rate": (lambda t: t.replace({"value": {1000.5: float("inf")}}), "VN2025:01"),
    "unknown status": (lambda t: t.replace({"status": {"missing": "lost"}}), "lost"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_table_that_does_not_fit_is_answered_with_a_sentence(case):
    change, named = WRONG[case]
    with pytest.raises(InputError, match=re.escape(named)):
        draw_province_map(change(values()), title="x")


# --- the map for screens --------------------------------------------------------------------------------------
class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.append(dict(attributes))

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("vintage", ["VN2024", "VN2025"])
@pytest.mark.parametrize("tiles", [False, True])
def test_the_screen_map_says_every_province_and_both_archipelagos_to_keyboard_and_reader(vintage, tiles):
    html = interactive_map_html(values(vintage), vintage=vintage, title="x", unit="‰", tiles=tiles, language="vi")
    seen = Elements(html)
    said = [a["aria-label"] for a in seen.attributes if a.get("tabindex") == "0"]
    names = [text.split(":")[0] for text in said]
    assert sorted(names) == sorted([*boundaries(vintage=vintage).units["name"], HOANG_SA, TRUONG_SA])
    text = " ".join(seen.text)
    for words in ("Q.đ. Hoàng Sa", "(TP. Đà Nẵng)", "Q.đ. Trường Sa", "(tỉnh Khánh Hòa)"):
        assert words in text
    assert ("OpenStreetMap" in text) is not tiles
    assert "script" not in seen.tags
    assert any(item.endswith("1.000,5 ‰") for item in said)


def test_the_screen_map_loads_nothing():
    html = interactive_map_html(values(), title="x")
    assert not re.search(r"(src|href)\s*=", html)
    assert all(target.startswith("#p") for target in re.findall(r"url\(([^)]*)\)", html))
    assert len(html) < 120_000


def test_two_screen_maps_on_one_page_do_not_share_patterns():
    first, second = (re.findall(r'id="(p[^"]+)"', interactive_map_html(values(), title=t)) for t in ("a", "b"))
    assert first
    assert not set(first) & set(second)


def test_untrusted_text_stays_text_in_the_screen_map():
    html = interactive_map_html(values(), title="<script>alert(1)</script>", unit='"><img src=x>')
    assert "script" not in Elements(html).tags
    assert "img" not in Elements(html).tags
