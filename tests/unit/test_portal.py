"""The portal is for everybody: it shows reporting, and nothing that has not passed disclosure control."""

import pandas as pd

from tkyt_analysis.portal.build import bounds, build_portal, completeness_by_province
from tkyt_analysis.warehouse.release import Release


def test_the_page_leads_to_no_report_and_shows_no_count_of_deaths_by_cause(demo_home):
    text = build_portal(demo_home).read_text("utf-8")
    assert "../reports" not in text
    assert "chưa đưa lên cổng" in text
    assert "Số liệu mô phỏng" in text


def test_every_province_is_on_the_map_and_those_without_reports_are_missing_not_zero(demo_home):
    values, year = completeness_by_province(Release(demo_home))
    assert (len(values), year) == (34, "2025")
    assert dict(values["status"].value_counts()) == {"missing": 33, "ok": 1}
    assert values.loc[values["status"] == "missing", "value"].isna().all()


def test_the_highest_class_reaches_above_100_only_where_a_value_does():
    assert bounds(pd.Series([40.0, 95.0])) == (0, 50, 75, 90, 100)
    assert bounds(pd.Series([40.0, 101.4])) == (0, 50, 75, 90, 100, 102)
