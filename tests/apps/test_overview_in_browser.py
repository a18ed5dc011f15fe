"""The overview as a viewer meets it: served by Voilà on this machine, opened in Chromium."""

import os

import pytest
from support_browser import Visit, free_port, server

from tkyt_analysis.dashboards.serve import template_directory, voila_arguments, voila_environment

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(practice_home, tmp_path_factory):
    """Address of a dashboard server on the practice home."""
    base, port = tmp_path_factory.mktemp("voila"), free_port()
    templates = template_directory(base / "templates", "vi")
    environment = {**os.environ, **voila_environment(practice_home, templates), "TKYT_LANGUAGE": "vi"}
    root = f"http://127.0.0.1:{port}/"
    with server(voila_arguments(port=port, open_browser=False), environment, root, base / "log.txt"):
        yield root


@pytest.fixture(scope="module")
def opened(browser, address):
    """The overview, painted, in a laptop's window."""
    visit = Visit(browser)
    visit.answer = visit.page.goto(f"{address}voila/render/overview.ipynb")
    visit.page.wait_for_selector(".tkyt-map svg")
    yield visit
    visit.close()


def test_the_page_opens_with_its_vietnamese_title_and_six_painted_figures(opened):
    assert opened.answer.status == 200
    assert opened.page.title() == "Tổng quan số liệu y tế"
    assert opened.page.locator(".tkyt-app .card").count() == 6
    assert opened.page.locator(".tkyt-app .card .value").first.inner_text().strip().endswith("%")
    assert "Số liệu mô phỏng – không phải số liệu thật" in opened.page.inner_text(".tkyt-app .band")


def test_the_map_has_every_province_and_both_archipelagos(opened):
    text = opened.page.locator(".tkyt-map svg").first.text_content()
    assert "Hoàng Sa" in text
    assert "Trường Sa" in text
    assert opened.page.locator(".tkyt-map .unit").count() == 34 + 2


def test_choosing_a_province_lists_its_communes(opened):
    opened.page.locator(".tkyt-app select").nth(0).select_option(label="Tỉnh Quảng Ngãi")
    opened.page.get_by_role("rowheader", name="Xã Trà Bồng").wait_for()
    opened.page.locator(".tkyt-app select").nth(0).select_option(label="Tỉnh Cà Mau")
    opened.page.get_by_text("chưa có báo cáo, ca tử vong hay câu hỏi nào").wait_for()
    assert opened.page.get_by_role("rowheader").count() == 0


def test_english_is_one_choice_away(opened):
    opened.page.locator(".tkyt-app select").last.select_option(label="English")
    opened.page.get_by_role("heading", name="Overview of health data").wait_for()
    opened.page.locator(".tkyt-app select").last.select_option(label="Tiếng Việt")
    opened.page.get_by_role("heading", name="Tổng quan số liệu y tế").wait_for()


def test_nothing_left_this_machine_and_nothing_complained(opened):
    assert len(opened.requests) > 10
    assert opened.left == []
    assert opened.errors == []


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844), (360, 740)])
def test_nothing_sticks_out_of_the_window(opened, width, height):
    opened.page.set_viewport_size({"width": width, "height": height})
    opened.page.wait_for_timeout(300)
    assert opened.overflow() <= 0


def test_the_source_code_is_not_in_the_page(opened, address):
    text = opened.page.request.get(f"{address}voila/render/overview.ipynb").text()
    assert "tkyt_analysis.dashboards" not in text
    assert "IPython.display" not in text


def test_a_viewer_can_not_choose_another_template(opened, address):
    text = opened.page.request.get(
        f"{address}voila/render/overview.ipynb?template=classic&voila-template=classic"
    ).text()
    assert "Đang mở bảng điều khiển" in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("voila/files/overview.ipynb", 403),
        ("api/contents", 404),
        ("api/kernels", 404),
        ("voila/render/absent.ipynb", 404),
    ],
)
def test_files_kernels_and_other_notebooks_are_not_served(opened, address, path, status):
    assert opened.page.request.get(f"{address}{path}").status == status


def test_the_index_offers_the_apps_only(browser, address):
    visit = Visit(browser)
    visit.page.goto(address)
    assert visit.page.get_by_role("link").all_inner_texts() == [
        "Nhập tử vong",
        "Mã hoá nguyên nhân tử vong",
        "Khám phá số liệu",
        "Tổng quan số liệu y tế",
    ]
    assert visit.page.title() == "Bảng điều khiển thống kê y tế"
    assert (visit.left, visit.errors) == ([], [])
    visit.close()
