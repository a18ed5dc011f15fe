"""The page shell: one file that loads nothing, says when data are for practice, and keeps text as text."""

import datetime
import re
from html.parser import HTMLParser
from itertools import product

import pandas as pd
import pytest

from tkyt_analysis.assets import ASSETS, chart_style, font_face_css, font_path, page_css, use_fonts
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.pages import FigureCard, figure, figure_cards, notice, page, paragraph, sparkline, table_html

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
VOWELS = ["a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y"]
TONES = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attributes)))

    def handle_data(self, data):
        if data.strip():
            self.text.append(data)


def vietnamese_letters():
    """12 vowels × 6 tones and đ, small and capital: 146; 134 of them are not plain Latin letters."""
    from unicodedata import normalize

    small = [normalize("NFC", vowel + tone) for vowel, tone in product(VOWELS, TONES)] + ["đ"]
    return {letter for pair in ((s, s.upper()) for s in small) for letter in pair}


def test_the_alphabet_of_this_test_has_the_134_letters_with_marks():
    assert len([letter for letter in vietnamese_letters() if not letter.isascii()]) == 134


@pytest.mark.parametrize("style", ["Regular", "SemiBold"])
@pytest.mark.parametrize("suffix", [".ttf", ".subset.woff"])
def test_the_typeface_has_every_vietnamese_letter_digit_and_sign(style, suffix):
    from fontTools.ttLib import TTFont

    letters = set(TTFont(font_path(style).with_suffix(suffix)).getBestCmap())
    needed = vietnamese_letters() | set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    needed |= set("–“”‰%.,;:!?()[]{}/\\-+=<>≤≥±×°…’&@#*_ \u00a0")
    assert not sorted(character for character in needed if ord(character) not in letters)


def test_the_typeface_comes_with_its_licence_and_as_data_of_the_page():
    assert "SIL Open Font License" in (ASSETS / "fonts" / "OFL.txt").read_text("utf-8")
    assert font_face_css().count("@font-face") == 4
    assert len(font_face_css()) < 60_000


def test_using_the_typeface_changes_no_setting_of_matplotlib():
    import matplotlib

    before = dict(matplotlib.rcParams)
    assert use_fonts() == use_fonts() == "Be Vietnam Pro"
    with chart_style():
        assert matplotlib.rcParams["font.family"] == ["Be Vietnam Pro"]
    assert dict(matplotlib.rcParams) == before


def whole_page(**options):
    body = (
        notice(ATTACK, kind="warning")
        + paragraph(ATTACK)
        + table_html(pd.DataFrame({ATTACK: [ATTACK], "so": [1.5]}), caption=ATTACK)
        + figure_cards([FigureCard(ATTACK, ATTACK, ATTACK, change_text=ATTACK, trust="low", trust_note=ATTACK)])
        + figure("<svg><path/></svg>", caption=ATTACK, alternative=ATTACK)
    )
    settings = {"practice": True, "language": "vi", "release_id": ATTACK, "data_as_of": ATTACK} | options
    return page(ATTACK, body, passport={ATTACK: ATTACK}, navigation=[(ATTACK, ATTACK)], **settings)


def test_untrusted_text_is_text_everywhere_on_the_page():
    seen = Elements(whole_page())
    assert "script" not in seen.tags
    assert "img" not in seen.tags
    assert not [name for _, attributes in seen.attributes for name in attributes if name.startswith("on")]
    assert sum(ATTACK in text for text in seen.text) >= 10


def test_the_page_loads_nothing_from_anywhere():
    html = whole_page()
    for tag, attributes in Elements(html).attributes:
        for name in ("src", "href", "xlink:href", "action"):
            assert "//" not in attributes.get(name, "").split("?")[0] or tag == "a", (tag, attributes)
        assert tag not in ("link", "iframe", "object", "embed", "base")
    assert all(target.startswith(("data:", "#")) for target in re.findall(r"url\(['\"]?([^)'\"]*)", html))
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_a_link_of_the_navigation_never_leaves_the_site():
    html = page("x", "", practice=False, navigation=[("a", "javascript:alert(1)"), ("b", "//x.vn"), ("c", "d/e.html")])
    links = [a["href"] for tag, a in Elements(html).attributes if tag == "a"]
    assert links == ["#content", "#", "#", "d/e.html"]


@pytest.mark.parametrize(
    ("language", "said"),
    [("vi", "Số liệu mô phỏng – không phải số liệu thật"), ("en", "Practice data – not real figures")],
)
def test_practice_data_are_named_on_top_and_at_the_foot(language, said):
    assert page("x", "", practice=True, language=language).count(said) == 2
    assert said not in page("x", "", practice=False, language=language)
    assert f'<html lang="{language}">' in page("x", "", practice=True, language=language)


def test_the_page_says_ministry_release_and_date_of_the_data():
    html = page(
        "Tử vong", "<p>…</p>", practice=False, language="vi", release_id="R7", data_as_of=datetime.date(2025, 7, 1)
    )
    for said in ("BỘ Y TẾ", "Thống kê y tế", "Bản công bố: R7", "Số liệu tính đến 01/07/2025", "<h1>Tử vong</h1>"):
        assert said in html
    assert 'name="viewport"' in html


def test_only_the_page_s_own_script_may_run():
    html = page("x", "", practice=False, script="document.title='y'")
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", html)
    assert "script-src" not in page("x", "", practice=False)


def cells(html):
    rows = re.findall(r"<tr.*?</tr>", html.split("<tbody>")[1])
    return [re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", row) for row in rows]


def test_numbers_are_written_the_vietnamese_way_and_codes_stay_as_they_are():
    data = pd.DataFrame({"ma": ["01"], "so": [12345], "ty": [1234.56], "ngay": pd.to_datetime(["2024-12-31"])})
    row = cells(table_html(data, decimals=1, language="vi"))[0]
    assert [text for _, text in row] == ["01", "12.345", "1.234,6", "31/12/2024"]
    assert ["number" in kind for kind, _ in row] == [False, True, True, False]


def test_a_missing_figure_is_a_dash_never_a_zero():
    data = pd.DataFrame({"ten": ["a", None], "so": pd.array([1, None], dtype="Int64"), "ty": [float("nan"), 0.0]})
    rows = cells(table_html(data, decimals=1, language="vi"))
    assert [[text for _, text in row] for row in rows] == [["a", "1", "–"], ["–", "–", "0,0"]]


def test_a_table_shows_the_columns_asked_for_and_names_one_that_is_not_there():
    data = pd.DataFrame({"a": [1], "b": [2]})
    assert re.findall(r"<th scope='col'[^>]*>(.*?)</th>", table_html(data, headings={"b": "Bê"})) == ["Bê"]
    with pytest.raises(InputError, match="c"):
        table_html(data, headings={"c": "C"})


def test_an_empty_table_is_still_a_table():
    assert "<tbody></tbody>" in table_html(pd.DataFrame({"a": pd.Series([], dtype="str")}))


@pytest.mark.parametrize(
    ("change", "said"),
    [(1.26, "tăng 1,3"), (-1.26, "giảm 1,3"), (0.04, "không đổi"), (None, None), (float("nan"), None)],
)
def test_a_change_that_shows_as_nothing_is_called_no_change(change, said):
    html = figure_cards([FigureCard("x", 5.0, decimals=1, change=change)], language="vi")
    trend = re.findall(r'class="trend">.*?</svg>(.*?)</span>', html)
    assert trend == ([said] if said else [])


def test_a_figure_that_cannot_be_assessed_says_so():
    html = figure_cards([FigureCard("Tỷ số tử vong mẹ", None, "trên 100.000", trust="not_assessable")], language="vi")
    assert "–" in html
    assert "trên 100.000" not in html
    assert "Không đủ điều kiện đánh giá" in html
    with pytest.raises(UsageError):
        figure_cards([FigureCard("x", 1, trust="sure")])


def test_a_sparkline_leaves_a_gap_where_a_year_is_missing():
    assert sparkline([1, 2, None, 3, 4]).count("M") == 2
    assert sparkline([None, None]) == ""
    assert "từ 1 đến 4" in sparkline([1, 2, None, 4], language="vi")


def contrast(first, second):
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([light(first), light(second)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("#1a1a1a", "#ffffff"), ("#4a5560", "#f2f6f9"), ("#0a4d8c", "#f2f6f9"), ("#5c3b00", "#fff2cc"),
        ("#ffffff", "#0a4d8c"), ("#0b5f2f", "#ffffff"), ("#7a4a00", "#ffffff"), ("#9c1f16", "#ffffff"),
        ("#1a1a1a", "#fdeceb"), ("#1a1a1a", "#fff7e0"),
    ],
)  # fmt: skip
def test_text_has_the_contrast_that_wcag_asks_for(ink, paper):
    for colour in (ink, paper):
        assert colour in page_css() or colour in ("#ffffff",), "the colour is no longer in page.css"
    assert contrast(ink, paper) >= 4.5


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1366])
def test_the_page_fits_the_screen_and_asks_for_nothing(tmp_path, width):
    playwright = pytest.importorskip("playwright.sync_api")
    from tkyt_analysis.maps.boundaries import boundaries
    from tkyt_analysis.maps.interactive import interactive_map_html

    units = boundaries(vintage="VN2025").units
    data = pd.DataFrame({"unit_id": units["unit_id"], "value": range(len(units))})
    wide = pd.DataFrame({f"cot_{i}": [123456.0] for i in range(20)})
    body = interactive_map_html(data, title="Bản đồ", language="vi") + table_html(wide, decimals=1)
    path = tmp_path / "page.html"
    path.write_text(page("Trang thử", body, practice=True, language="vi"), encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 700})
        asked, complaints = [], []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        tab.locator('.unit[aria-label^="Hà Nội"]').focus()
        assert tab.locator(".unit:focus .tip").is_visible()
        browser.close()
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert complaints == []
