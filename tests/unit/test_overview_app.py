"""The overview as a class: pickers are set, figures and table are read; no server, no browser."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from support import table

from tkyt_analysis.dashboards.overview import OverviewApp
from tkyt_analysis.labels import label

UNITS = table("""
    unit_id      | name                        | level | parent_unit_id | province_scope | valid_to
    VN           | Việt Nam                    | 0     |                | VN             |
    VN2025:51    | Tỉnh <script>alert(1)</script> | 1  | VN             | VN2025-51      |
    VN2025:96    | Tỉnh Cà Mau                 | 1     | VN             | VN2025-96      |
    VN2024:51    | Tỉnh Quảng Ngãi (cũ)        | 1     | VN             | VN2025-51      | 2025-06-30
    VN2025:21115 | Xã Trà Bồng                 | 2     | VN2025:51      | VN2025-51      |
    VN2024:21115 | Thị trấn Trà Xuân           | 3     | VN2024:51      | VN2025-51      | 2025-06-30
    VN2024:21121 | Xã Trà Thủy                 | 3     | VN2024:51      | VN2025-51      | 2025-06-30
""")
# June 2025: 3 reports due, 2 of them came. July 2025: 2 due, 2 came. 2024: 1 due, 1 came.
REPORTING = table("""
    dataset_id | unit_id      | period_id | expected | received
    a          | VN2024:21115 | 202506    | 1        | 1
    b          | VN2024:21115 | 202506    | 1        | 0
    a          | VN2024:21121 | 202506    | 1        | 1
    a          | VN2025:21115 | 202507    | 1        | 1
    b          | VN2025:21115 | 202507    | 1        | 1
    a          | VN2024:21115 | 202406    | 1        | 1
""").astype({"period_id": "str", "expected": "bool", "received": "bool"})
DEATHS = table("""
    death_id | unit_id      | unit_2025    | year | month | excluded
    1        | VN2025:21115 | VN2025:21115 | 2025 | 7     |
    2        | VN2025:21115 | VN2025:21115 | 2025 | 7     | duplicate
""").fillna({"excluded": ""})
RATES = pd.DataFrame(
    {
        "indicator_id": ["crude_death_rate", "crude_death_rate"],
        "unit_id": ["VN2025:51", "VN2025:51"],
        "period_id": ["2025", "2024"],
        "sex": "total",
        "cause": "all",
        "numerator": [1.0, 0.0],
        "denominator": [4000.0, 0.0],
        "value": [0.25, None],
        "lower": [0.01, None],
        "upper": [1.39, None],
        "status": ["ok", "not_assessable"],
    }
)


@pytest.fixture
def home(tmp_path):
    """A home whose release was drawn by hand: one province with one death, one with nothing."""
    tables = {"organisation_unit": UNITS, "reporting": REPORTING, "death": DEATHS, "indicator_value": RATES}
    tables["rule_coverage"] = pd.DataFrame({"rule_id": ["outlier_count"]})  # checked, nothing found
    release = tmp_path / "releases" / "R000001-drawn"
    files = {}
    for name, rows in tables.items():
        path = release / "tables" / name / "scope=VN" / "part.parquet"
        path.parent.mkdir(parents=True)
        rows.to_parquet(path)
        files[path.relative_to(release).as_posix()] = {}
    manifest = {"practice": True, "data_as_of": "2026-01-15", "files": files}
    (release / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / "releases" / "CURRENT").write_text("R000001-drawn", "ascii")
    return tmp_path


def figures(app):
    return {figure.id: figure for figure in app.figures}


def html(app):
    return "".join(one.value for one in (app._head, app._remarks, app._cards, app._map, app._units, app._foot))


def test_completeness_is_reports_received_over_reports_due(home):
    app = OverviewApp(home, language="vi")
    app.place.value = "VN2025:51"
    app.period.value = "202506"
    assert figures(app)["completeness"].value == pytest.approx(100 * 2 / 3)
    assert figures(app)["missing"].value == 1
    assert figures(app)["questions"].value == 0
    assert dict(zip(app.table["row_unit"], app.table["missing"])) == {"VN2024:21115": 1, "VN2024:21121": 0}


def test_a_year_that_spans_the_reform_is_listed_by_the_communes_of_2025(home):
    app = OverviewApp(home, language="vi")
    app.place.value, app.period.value = "VN2025:51", "2025"
    assert list(app.table["row_unit"]) == ["VN2025:21115"]
    assert list(app.table["expected"]) == [3 + 2]
    assert "01/7/2025" in app._remarks.value


def test_a_commune_of_2025_has_the_reports_of_the_old_communes_that_joined_it(home):
    app = OverviewApp(home, language="vi")
    app.place.value = "VN2025:51"
    app.commune.value = "VN2025:21115"
    app.period.value = "202506"
    assert app.chosen_place == "VN2025:21115"
    assert app.table["expected"].sum() == 3


def test_a_duplicate_death_counts_once_and_one_death_is_no_basis_for_a_rate(home):
    app = OverviewApp(home, language="vi")
    app.choose("VN2025:51", "2025")
    assert figures(app)["deaths"].value == 1
    rate = figures(app)["crude_death_rate"]
    assert (rate.value, rate.lower, rate.upper, rate.trust) == (0.25, 0.01, 1.39, "low")
    assert "đừng so sánh hay xếp hạng" in app._remarks.value


def test_a_rate_that_can_not_be_assessed_is_words_not_zero(home):
    app = OverviewApp(home, language="vi")
    app.choose("VN2025:51", "2024")
    assert figures(app)["crude_death_rate"].value is None
    assert label("page.trust.not_assessable", "vi") in app._cards.value


def test_a_place_without_data_says_so(home):
    app = OverviewApp(home, language="vi")
    app.place.value = "VN2025:96"
    assert app.table.empty
    assert [figure.value for figure in app.figures] == [None] * 6  # nothing to judge is not a zero
    assert "Tỉnh Cà Mau chưa có báo cáo" in app._remarks.value
    assert app.commune.disabled


@pytest.mark.parametrize("place", ["VN2025:99", "VN2024:51", "'; DROP TABLE death", "../../etc"])
def test_a_place_that_the_release_has_not_becomes_a_sentence(home, place):
    app = OverviewApp(home, language="vi")
    app.choose(place)
    assert app.error.startswith(f"Nơi “{place}” không có trong bản công bố R000001-drawn.")
    assert app.chosen_place == "VN"


def test_names_from_outside_are_text_never_markup(home):
    app = OverviewApp(home, language="vi")
    assert "Tỉnh &lt;script&gt;alert(1)" in app._units.value
    app.choose("VN2025:51", "202506")
    assert "<script" not in html(app)


def test_every_word_changes_with_the_language_and_the_choice_stays(home):
    app = OverviewApp(home, language="vi")
    app.choose("VN2025:51", "202507")
    app.language_picker.value = "en"
    assert (app.place.value, app.period.value) == ("VN2025:51", "202507")
    assert "Completeness of reporting" in app._cards.value
    assert app.period.description == "Period"


def test_the_map_can_show_the_death_rate(home):
    app = OverviewApp(home, language="vi")
    app.measure.value = "crude_death_rate"
    assert app.error == ""
    assert "Hoàng Sa" in app._map.value
    assert "Trường Sa" in app._map.value
    assert "0,25" in app._map.value


def test_practice_data_release_and_date_stand_on_the_page(home):
    app = OverviewApp(home, language="vi")
    assert "Số liệu mô phỏng – không phải số liệu thật" in app._head.value
    assert "R000001-drawn" in app._foot.value
    assert "15/01/2026" in app._foot.value


def test_without_a_release_the_page_says_what_to_do(tmp_path):
    app = OverviewApp(tmp_path, language="vi")
    assert "tkyt publish" in app.error
    assert "tkyt publish" in app._remarks.value
    assert str(tmp_path) not in app._remarks.value


def test_a_failing_part_becomes_a_sentence_without_traceback(home, monkeypatch):
    app = OverviewApp(home, language="vi")
    monkeypatch.setattr(app.data, "table", lambda this: 1 / 0)
    app.period.value = "202506"
    assert "báo người quản trị" in app.error
    assert "ZeroDivision" not in html(app)


def test_the_kernel_of_a_viewer_loads_no_heavy_library(home):
    code = (
        "import sys; from tkyt_analysis.dashboards.overview import OverviewApp; "
        f"app = OverviewApp({str(home)!r}); app.choose('VN2025:51', '2025'); assert app.error == '', app.error; "
        "print([m for m in ('geopandas', 'statsmodels', 'scipy', 'matplotlib', 'openpyxl', 'papermill') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
