"""Report and portal pages opened from disk ask nobody for anything."""

import pytest
from support_browser import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(practice_home, tmp_path_factory):
    """A report, and the portal's index page of a copy of the releases."""
    import shutil

    from tkyt_analysis.portal.build import build_portal
    from tkyt_analysis.reports.runner import run_report

    home = tmp_path_factory.mktemp("pages") / "home"
    shutil.copytree(practice_home / "releases", home / "releases")
    made = run_report(home, "data_quality_monthly", {"place": "VN2025:51", "period": "202506"})
    return {"report": made.html, "portal": build_portal(home)}


@pytest.mark.parametrize("name", ["report", "portal"])
@pytest.mark.parametrize("width", [1366, 390])
def test_the_page_stands_alone(browser, pages, name, width):
    visit = Visit(browser, width)
    visit.page.goto(f"file://{pages[name]}")
    assert visit.page.locator("h1").count() == 1
    assert "Số liệu mô phỏng – không phải số liệu thật" in visit.page.inner_text("body")
    assert visit.left == []
    assert visit.errors == []
    assert visit.overflow() <= 0
    visit.close()
