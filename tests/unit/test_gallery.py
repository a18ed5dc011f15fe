"""The gallery shows every kind of picture, and in each of them no word is cut, set over another, or too small to read."""

import importlib
import inspect
import pkgutil
import re
from functools import cache

import pytest
from matplotlib.figure import Figure

import tkyt_analysis.analysis.spatial
import tkyt_analysis.analysis.trend
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.charts import DRAWN
from tkyt_analysis.gallery.model import GROUPS, SIZES, exhibits
from tkyt_analysis.gallery.pages import write_gallery
from tkyt_analysis.labels import label
from tkyt_analysis.maps.check import problems
from tkyt_analysis.maps.registry import MAP_KINDS
from tkyt_analysis.picture_check import text_problems

SHOWN = exhibits()
MAPS = [name for name, one in SHOWN.items() if one.group == "maps"]
EXPLORER_MAPS = {"chart_map": 1, "chart_map_counts": 3}  # panels
IN_PAGES = [name for name, one in SHOWN.items() if one.group in ("reports", "mortality")] + ["area_funnel"]
FIGURES = [name for name in SHOWN if name not in IN_PAGES]
NAMES = ("Hoàng Sa", "Trường Sa")


@cache
def drawn(name, size):
    """An exhibit in Vietnamese, drawn once for all tests."""
    return SHOWN[name].draw(SIZES[size], "vi")


def figure(name, size):
    found = drawn(name, size)
    assert isinstance(found, Figure), f"{name} is no figure of matplotlib: the browser must look at it"
    return found


def words(found):
    return [" ".join(text.get_text().split()) for axes in found.axes for text in axes.texts]


# ---------------------------------------------------------------------------------------------- nothing is forgotten
def test_every_kind_of_map_is_shown_printed_and_interactive():
    assert {f"map_{kind}" for kind in MAP_KINDS} <= set(MAPS)
    assert all(SHOWN[name].interactive for name in MAPS)


def test_every_picture_of_the_explorer_is_shown():
    shown = {name.removeprefix("chart_") for name, one in SHOWN.items() if one.group == "charts"}
    assert set(DRAWN) <= shown


def public_pictures(package):
    """Public functions of a package's modules that give a matplotlib figure."""
    found = set()
    for module in pkgutil.iter_modules(package.__path__):
        home = importlib.import_module(f"{package.__name__}.{module.name}")
        for name, one in inspect.getmembers(home, inspect.isfunction):
            if one.__module__ == home.__name__ and name.endswith("_picture") and not name.startswith("_"):
                found.add(name)
    return found


@pytest.mark.parametrize("package", [tkyt_analysis.analysis.trend, tkyt_analysis.analysis.spatial])
def test_every_picture_of_the_analysis_is_shown(package, monkeypatch):
    """Each public `…_picture` is called while the exhibits of its group are drawn."""
    wanted, called = public_pictures(package), set()
    assert wanted
    for name in wanted:
        home = importlib.import_module(f"{package.__name__}.{package._HOMES[name]}")

        def noted(*args, _name=name, **options):
            called.add(_name)
            return Figure()

        monkeypatch.setattr(home, name, noted)
    for one in SHOWN.values():
        if one.group == {"trend": "trends", "spatial": "areas"}[package.__name__.split(".")[-1]]:
            one.draw(SIZES["print"], "vi")
    assert called == wanted


def test_every_exhibit_has_a_name_a_group_and_one_place():
    assert {one.group for one in SHOWN.values()} == set(GROUPS)
    for language in ("vi", "en"):
        names = [label(f"gallery.{name}", language) for name in SHOWN]
        assert len(set(names)) == len(names)


def test_an_unknown_exhibit_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match="map_merger"):
        write_gallery(tmp_path, language="vi", only=["pie"])


# ---------------------------------------------------------------------------------------------- fit to be seen
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FIGURES)
def test_no_word_is_cut_or_upon_another_or_too_small(name, size):
    check = problems if name in MAPS else text_problems  # of maps also the archipelagos of every panel
    assert check(figure(name, size)) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", EXPLORER_MAPS)
def test_the_explorers_maps_name_both_archipelagos_on_every_panel(name, size):
    said = words(figure(name, size))
    for archipelago in NAMES:
        assert sum(archipelago in text for text in said) == EXPLORER_MAPS[name]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FIGURES)
def test_each_picture_says_that_its_figures_are_not_real(name, size):
    found = figure(name, size)
    texts = [text.get_text() for text in found.findobj(lambda one: hasattr(one, "get_text"))]
    assert any("không phải số liệu thật" in " ".join(text.split()) for text in texts)


def plain_axes():
    found = Figure(figsize=(4, 3))
    axes = found.subplots()
    axes.set_xticks([0, 0.5, 1], ["a", "b", "c"])
    axes.set_yticks([0, 5], ["0", "beyond the end of the axis"])
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return found, axes


def test_the_check_passes_a_plain_picture_and_ticks_that_are_not_drawn():
    found, axes = plain_axes()
    assert text_problems(found) == []
    axes.yaxis.set_visible(False)
    axes.set_xticks([0, 0.01], ["hidden with its axis", "like its neighbour"])
    axes.set_axis_off()
    assert text_problems(found) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda axes: axes.set_title("a heading that is wider than the paper " * 3), "cut by the edge of the sheet"),
        (lambda axes: axes.text(0.95, 0.5, "half outside", clip_on=True), "cut by the edge of its axes"),
        (
            lambda axes: axes.set_xticks([0.4, 0.45], ["long tick", "other tick"]),
            "'long tick' and 'other tick' overlap",
        ),
        (
            lambda axes: [
                axes.plot([0], [0], label="key"),
                axes.legend(loc=(0.4, 0.4)),
                axes.text(0.4, 0.43, "word " * 7),
            ],
            "overlap",
        ),
        (lambda axes: axes.text(0.5, 0.5, "tiny", fontsize=3), "'tiny' is set in 3.0 points"),
        (
            lambda axes: axes.annotate("note " * 9, (0, 0), xytext=(0.4, -0.08), textcoords="axes fraction"),
            " and 'b' overlap",
        ),
    ],
)
def test_the_check_finds_words_that_are_cut_upon_another_or_too_small(spoil, said):
    found, axes = plain_axes()
    spoil(axes)
    assert any(said in one for one in text_problems(found))


# ---------------------------------------------------------------------------------------------- in the browser
@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of what is drawn as SVG, and of two maps."""
    folder = tmp_path_factory.mktemp("gallery")
    write_gallery(folder, language="vi", only=[*IN_PAGES, "map_tiles_vn2025", "map_multiples"])
    return folder


def test_pages_load_nothing_and_each_phone_picture_stands_beside_its_print(pages):
    for path in pages.glob("*.html"):
        html = path.read_text("utf-8")
        addresses = re.findall(r'(?:src|href|srcset)="(?!data:|#)([^"]*)"', html)
        assert all((pages / address.partition("#")[0]).exists() for address in addresses), path.name
        assert "url(http" not in html
    maps = (pages / "maps.html").read_text("utf-8")
    assert maps.count('media="(max-width: 640px)"') == maps.count("<section") == 2


LOOK = """() => {
  const found = [];
  let count = 0;
  const shown = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true});
  for (const svg of document.querySelectorAll('main svg, section svg')) {
    if (!shown(svg) || svg.parentElement.closest('svg')) continue;
    const sheet = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll('text, g[id^="text_"]')].filter(e => shown(e) && !e.closest('.tip, g[id^="text_"] g'))
      .map(e => ({box: e.getBoundingClientRect(), say: (e.textContent.trim() || [...e.childNodes].filter(n => n.nodeType === 8)
        .map(n => n.data).join('')).trim().replace(/\\s+/g, ' ')})).filter(w => w.say && w.box.width > 0);
    count += words.length;
    for (const {box, say} of words)
      if (box.left < sheet.left - 1 || box.right > sheet.right + 1 || box.top < sheet.top - 1 || box.bottom > sheet.bottom + 1)
        found.push(`cut: ${say}`);
    words.forEach((a, i) => words.slice(i + 1).forEach(b => {
      const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const along = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (across > 1 && along > 0.4 * Math.min(a.box.height, b.box.height)) found.push(`overlap: ${a.say} | ${b.say}`);
    }));
  }
  return {found, count, wide: document.documentElement.scrollWidth};
}"""


@pytest.mark.browser
def test_in_the_browser_no_word_of_a_page_is_cut_or_upon_another_and_no_request_leaves_it(pages):
    playwright = pytest.importorskip("playwright.sync_api")
    options = {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox", "--disable-gpu", "--disable-quic"]}
    paths = sorted(pages.glob("*.html"))
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(**options)
        tab = chromium.new_page()
        asked = []
        tab.on("request", lambda request: asked.append(request.url))
        for width in (900, 360):
            tab.set_viewport_size({"width": width, "height": 800})
            for path in paths:
                tab.goto(path.as_uri())
                tab.evaluate("document.fonts.ready.then(() => 0)")
                seen = tab.evaluate(LOOK)
                assert seen["found"] == [], f"{path.name} in {width} pixels"
                assert seen["wide"] <= width
                if path.stem in ("mortality", "reports"):
                    assert seen["count"] > 100
        chromium.close()
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri() for path in paths}
