"""The explorer as a user meets it: served by Voilà on this machine, and inside JupyterLab; opened in Chromium."""

import ast
import contextlib
import io
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError
from support_browser import Visit, free_port, server

from tkyt_analysis.dashboards.serve import template_directory, voila_arguments, voila_environment
from tkyt_analysis.labels import label

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(practice_home, tmp_path_factory):
    """A copy of what is published: views are saved beside it."""
    copy = tmp_path_factory.mktemp("explorer") / "home"
    shutil.copytree(
        practice_home, copy, symlinks=True, ignore=shutil.ignore_patterns("practice", "warehouse", "portal")
    )
    return copy


@pytest.fixture(scope="module")
def address(home, tmp_path_factory):
    base, port = tmp_path_factory.mktemp("voila"), free_port()
    templates = template_directory(base / "templates", "vi")
    environment = {**os.environ, **voila_environment(home, templates), "TKYT_LANGUAGE": "vi"}
    root = f"http://127.0.0.1:{port}/"
    with server(voila_arguments(port=port, open_browser=False), environment, root, base / "log.txt"):
        yield f"{root}voila/render/explorer.ipynb"


@pytest.fixture(scope="module")
def opened(browser, address):
    """The explorer, painted, in a laptop's window."""
    visit = Visit(browser)
    visit.page.goto(address)
    table(visit).wait_for()
    yield visit
    visit.close()


def table(visit):
    return visit.page.locator(".tkyt-result table")


def picker(visit, name):
    return visit.page.get_by_label(label(f"explorer.pick.{name}", "vi"), exact=True)


def slot(visit, side, number):
    return visit.page.get_by_label(label(f"explorer.slot.{side}", "vi", number=number), exact=True)


def button(visit, words):
    return visit.page.get_by_role("button", name=words, exact=True)


def section(visit, name):
    return visit.page.locator("button.tkyt-section", has_text=label(f"explorer.section.{name}", "vi"))


def test_a_first_table_is_painted_with_title_release_and_practice_band(opened):
    assert "Tỷ suất chết thô theo xã và năm" in table(opened).locator("caption").inner_text()
    assert "Số liệu mô phỏng – không phải số liệu thật" in opened.page.inner_text(".tkyt-app .band >> nth=0")
    assert "Bản công bố" in opened.page.inner_text("footer")


def test_search_without_accents_finds(opened):
    picker(opened, "search").press_sequentially("so tu vong da ghi nhan")
    found = opened.page.locator(".widget-select:not(.widget-select-multiple) select option")
    wanted = found.filter(has_text="Số tử vong đã ghi nhận").first
    wanted.wait_for(state="attached")
    opened.page.wait_for_function(
        "document.querySelectorAll('.widget-select:not(.widget-select-multiple) select option').length < 10"
    )
    words = [one.replace("\xa0", " ").strip() for one in found.all_text_contents()]
    assert "— Tử vong —" in words
    picker(opened, "found").select_option(index=words.index("Số tử vong đã ghi nhận"))
    table(opened).locator("caption", has_text="Số tử vong đã ghi nhận").wait_for()


def test_a_pivot_with_two_dimensions_becomes_a_map(opened):
    slot(opened, "rows", 1).select_option(label="Tỉnh")
    slot(opened, "columns", 1).select_option(label="Giới")
    table(opened).locator("caption", has_text="theo tỉnh và giới").wait_for()
    button(opened, "Bản đồ").click()
    opened.page.locator(".tkyt-result .tkyt-picture svg").first.wait_for()
    assert "theo tỉnh và giới" in opened.page.locator(".tkyt-result figcaption").first.inner_text()
    button(opened, "Bảng").click()
    table(opened).wait_for()


def test_what_a_picture_lacks_is_said_and_one_press_mends_it(opened):
    slot(opened, "rows", 1).select_option(label="Nhóm tuổi")
    table(opened).locator("caption", has_text="theo nhóm tuổi và giới").wait_for()
    button(opened, "Bản đồ").click()
    opened.page.get_by_text("Bản đồ cần đúng một cấp hành chính").wait_for()
    button(opened, "Xem dạng bảng").click()
    table(opened).wait_for()


def cells(visit):
    """Words of every cell of the painted table, marks and limits left out."""
    return visit.page.evaluate(
        """() => [...document.querySelectorAll('.tkyt-result tbody tr')].map(row => [...row.querySelectorAll('td')].map(
        cell => [...cell.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent).join('').trim()))"""
    )


def test_the_shown_code_gives_the_painted_table_cell_for_cell(opened, home, monkeypatch):
    section(opened, "code").click()
    opened.page.locator(".tkyt-code pre", has_text="age_group").wait_for()
    code = opened.page.locator(".tkyt-code pre").inner_text()
    monkeypatch.setenv("TKYT_HOME", str(home))
    import tkyt_analysis as tk
    from tkyt_analysis.explorer.marks import cell_texts

    tk.open(home)
    tree = ast.parse(code)
    last, names = tree.body.pop(), {}
    exec(compile(tree, "cell", "exec"), names)
    shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    assert shown.pivot.layout.rows == ("age_group",)
    assert cells(opened) == cell_texts(shown.pivot, "vi")


def test_looking_into_a_row_and_one_level_up(opened):
    slot(opened, "rows", 1).select_option(label="Tỉnh")
    table(opened).locator("caption", has_text="theo tỉnh và giới").wait_for()
    button(opened, label("explorer.pick.look", "vi")).click()
    table(opened).locator("caption", has_text="theo xã và giới").wait_for()
    button(opened, label("explorer.pick.up", "vi")).click()
    table(opened).locator("caption", has_text="theo tỉnh và giới").wait_for()


def test_the_export_downloads_and_opens(opened):
    import openpyxl

    section(opened, "export").click()
    button(opened, "Excel (XLSX)").click()
    with opened.page.expect_download() as waiting:
        opened.page.locator(".tkyt-download a").click()
    made = waiting.value
    assert made.suggested_filename.endswith(".xlsx")
    with open(made.path(), "rb") as file:
        book = openpyxl.load_workbook(io.BytesIO(file.read()))
    values = {cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    assert any("Số tử vong đã ghi nhận theo tỉnh và giới" in str(value) for value in values)


def test_a_saved_view_opens_by_its_address(opened, browser, address, home):
    section(opened, "save").click()
    picker(opened, "name").fill("Giao ban tuần")
    picker(opened, "name").press("Tab")
    button(opened, label("explorer.pick.save", "vi")).click()
    opened.page.get_by_text("Đã lưu “Giao ban tuần”").wait_for()
    files = list((home / "work" / "views").rglob("giao_ban_tuan-*.json"))
    assert [json.loads(one.read_text("utf-8"))["name"] for one in files] == ["Giao ban tuần"]
    visit = Visit(browser, 1920, 1080)
    visit.page.goto(f"{address}?view=Giao%20ban%20tu%E1%BA%A7n")
    table(visit).locator("caption", has_text="Số tử vong đã ghi nhận theo tỉnh và giới").wait_for()
    assert (visit.left, visit.errors) == ([], [])
    visit.close()


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768), (360, 740)])
def test_nothing_sticks_out_of_the_window(opened, width, height):
    opened.page.set_viewport_size({"width": width, "height": height})
    opened.page.wait_for_timeout(300)
    assert opened.overflow() <= 0


def test_every_picker_has_a_name_for_screen_readers_and_shows_where_the_keyboard_is(opened):
    opened.page.set_viewport_size({"width": 1366, "height": 768})
    nameless = """() => [...document.querySelectorAll('.tkyt-app :is(select, input, textarea, button)')].filter(e => e.checkVisibility())
        .filter(e => !(e.innerText || '').trim() && !(e.labels && [...e.labels].some(l => l.innerText.trim())) && !e.ariaLabel && e.type !== 'file')
        .map(e => e.outerHTML)"""
    assert opened.page.evaluate(nameless) == []
    picker(opened, "search").focus()
    for _ in range(3):
        opened.page.keyboard.press("Tab")
        assert opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_nothing_left_this_machine_and_nothing_complained(opened):
    assert len(opened.requests) > 10
    assert opened.left == []
    assert opened.errors == []


def test_it_works_inside_jupyterlab_too(browser, home, tmp_path_factory):
    from tkyt_analysis.lab import lab_arguments, lab_environment, work_directory

    base, port, token = tmp_path_factory.mktemp("jupyter"), free_port(), "token-of-this-test"
    own = {name: str(base / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    arguments = lab_arguments(home, port=port, open_browser=False)
    path = work_directory(home) / "kham_pha.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook("import tkyt_analysis as tk\ntk.explore()")), "utf-8")
    address = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryDirectory(prefix="tkyt-", ignore_cleanup_errors=True) as runtime:  # sockets need short paths
        environment = {**os.environ, **own, **lab_environment(home, token, Path(runtime))}
        with server(arguments, environment, f"{address}api", base / "log.txt"):
            visit = Visit(browser)
            visit.page.goto(f"{address}lab/tree/{path.parent.name}/{path.name}?token={token}")
            run_first_cell(visit)
            table(visit).wait_for()
            slot(visit, "rows", 1).select_option(label="Giới")
            table(visit).locator("caption", has_text="theo giới và năm").wait_for()
            assert visit.left == []
            visit.close()


def run_first_cell(visit):
    """Lab swallows a command while the kernel is being attached: a person presses again until the cell counts."""
    cell = visit.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.wait_for()
    with contextlib.suppress(TimeoutError):
        visit.page.get_by_text("Python 3 (ipykernel) | sẵn sàng").wait_for()
    taken = visit.page.locator(".jp-Notebook .jp-InputPrompt", has_text=re.compile(r"\[(\*|\d+)\]")).first
    for _ in range(12):
        answer_questions(visit)
        with contextlib.suppress(TimeoutError):
            cell.click(timeout=15_000)
            visit.page.keyboard.press("Control+Enter")
            taken.wait_for(timeout=10_000)
            break
    else:
        raise AssertionError(f"the cell was never run; the page says: {visit.page.inner_text('body')}")
    visit.page.locator(".tkyt-app").first.wait_for()


def answer_questions(visit):
    """A slow machine may make Lab ask (a kernel that does not answer yet, a file saved twice): take what it proposes."""
    for button in visit.page.locator(".jp-Dialog .jp-mod-accept").all():
        with contextlib.suppress(TimeoutError):
            button.click(timeout=5_000)


def notebook(code):
    """A notebook of one cell."""
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": code}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
