"""The coder's screen as a coder meets it: served by Voilà on this machine, driven by keys in Chromium."""

import os
import sys
from pathlib import Path

import pandas as pd
import pytest
from support_browser import Visit, free_port, server

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from coder_support import home_with_deaths

from mortality.coder.choices import choices
from tkyt_analysis.dashboards.serve import template_directory, voila_arguments, voila_environment

pytestmark = pytest.mark.browser
EVIL = "<script>window.hit = 1</script> zơ rết"
WORDS = ["chết đuối ở ao", "đột quỵ", "viêm phổi nặng", EVIL]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Words of 5, 4, 3 and 2 deaths, in the order of WORDS, all for review."""
    rows = [
        {"id": f"{number}{n}", "words": words, "code": "R99"}
        for number, words in enumerate(WORDS)
        for n in range(5 - number)
    ]
    return home_with_deaths(tmp_path_factory.mktemp("coding") / "home", pd.DataFrame(rows))


@pytest.fixture(scope="module")
def address(home, tmp_path_factory):
    base, port = tmp_path_factory.mktemp("voila"), free_port()
    environment = {
        **os.environ,
        **voila_environment(home, template_directory(base / "templates", "vi")),
        "TKYT_LANGUAGE": "vi",
    }
    root = f"http://127.0.0.1:{port}/"
    with server(voila_arguments(port=port, open_browser=False), environment, root, base / "log.txt"):
        yield f"{root}voila/render/death_coding.ipynb"


def words_shown(visit, words):
    visit.page.locator(".cod-words", has_text=words).wait_for()


def test_one_key_decides_and_the_page_goes_on_after_a_reload(browser, address, home):
    visit = Visit(browser, 360, 740)
    visit.page.set_default_timeout(180_000)
    visit.page.goto(address)
    words_shown(visit, WORDS[0])
    assert "mã hoá 5 ca" in visit.page.inner_text(".cod-facts")
    first = visit.page.locator(".cod-candidate").first.locator("b").inner_text()
    visit.page.keyboard.press("1")
    words_shown(visit, WORDS[1])
    assert f"→ {first} (5 ca)" in visit.page.inner_text(".cap-said")
    visit.page.keyboard.press("n")  # later
    words_shown(visit, WORDS[2])
    visit.page.keyboard.press("t")
    visit.page.keyboard.type("J15.9 ")
    visit.page.keyboard.press("Enter")
    visit.page.locator(".cod-searched").wait_for()
    visit.page.keyboard.press("1")
    words_shown(visit, EVIL)
    assert visit.overflow() <= 0
    visit.page.reload()
    words_shown(visit, EVIL)  # what was put off stays behind the others
    visit.page.keyboard.press("u")
    words_shown(visit, WORDS[1])
    visit.page.keyboard.press("h")
    visit.page.get_by_text("Không còn gì chờ anh/chị").wait_for()
    visit.page.locator(".cap-tab[data-value=learnt]").click()
    visit.page.locator("[data-panel=learnt] td", has_text="J15.9").wait_for()
    assert visit.page.evaluate("window.hit") is None
    assert visit.left == []
    visit.close()
    said = {row.text_key: (row.state, row.code) for row in choices(home).itertuples()}
    assert said["viêm phổi nặng"] == ("code", "J15.9")
    assert said["chết đuối ở ao"] == ("code", first)
    assert sorted(state for state, _ in said.values()) == ["ask", "code", "code", "uncodable"]
