"""The explorer as a class: pickers are set, the pivot is read; drawn figures, no server, no browser."""

import asyncio
import datetime
import json

import pytest
from explorer_fakes import MEASURES, DrawnSource

from tkyt_analysis.cube.model import View
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.app import ExplorerApp
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.state import State
from tkyt_analysis.explorer.views import SavedView, list_views, open_view, save_view


@pytest.fixture
def app(tmp_path):
    made = ExplorerApp(source=DrawnSource(tmp_path), language="vi")
    yield made
    made.close()


def seen(widget):
    return widget.layout.display != "none"


def cell(app, row, column):
    """The shown figure of a row and column by their codes."""
    pivot = app.pivot
    return pivot.shown[pivot.row_keys.index(tuple(row.split())), pivot.column_keys.index(tuple(column.split()))]


def test_the_first_picture_appears_at_once(app):
    assert app.error == ""
    assert app.state.view.measures == ("crude_death_rate",)
    assert (app.state.layout.rows, app.state.layout.columns) == (("province",), ("year",))
    assert cell(app, "VN2025:01", "2024") == pytest.approx(2 * 3 * 2 / 10)
    assert "Tỷ suất chết thô theo tỉnh và năm" in app.pick.result.value


@pytest.mark.parametrize("typed", ["tu vong ghi", "TỬ VONG GHI", "ghi nhận", "registered"])
def test_search_finds_with_and_without_accents_under_its_group(app, typed):
    app.pick.search.value = typed
    assert [value for _, value in app.pick.found.options] == ["group:mortality", "deaths"]
    assert app.pick.found.options[0][0] == "— Tử vong —"


def test_what_nobody_named_so_is_said(app):
    app.pick.search.value = "xyz"
    assert "Không tìm thấy" in app.pick.found.options[0][0]
    app.pick.search.value = ""
    assert len(app.pick.found.options) == len(MEASURES) + 2


def test_choosing_a_heading_opens_its_group_and_changes_no_figure(app):
    before = app.state
    app.pick.found.value = "group:reports"
    assert app.pick.group.value == "reports"
    assert [value for _, value in app.pick.found.options] == ["group:reports", "bcg/doses", "nation/beds"]
    assert app.state == before


def test_a_measure_takes_the_place_of_another_or_stands_beside_it(app):
    app.pick.found.value = "deaths"
    assert app.state.view.measures == ("deaths",)
    app.pick.several.value = True
    app.pick.found.value = "bcg/doses"
    assert app.state.view.measures == ("deaths", "bcg/doses")
    assert app.state.layout.columns == ("year", "measure")
    assert [one.description for one in app.pick.removes if seen(one)] == [
        "Số tử vong đã ghi nhận ✕",
        "Số trẻ tiêm lao ✕",
    ]
    app.pick.removes[0].click()
    assert app.state.view.measures == ("bcg/doses",)


def test_rows_and_columns_are_picked_and_swapped(app):
    app.pick.found.value = "deaths"
    app.pick.rows[0].value = "cause"
    assert (
        cell(app, "I", "2024") == 3 * 2 * 3 + 2 * 3
    )  # 3 provinces, 2 sexes, 3 ages; Quảng Ngãi twice: it has two communes
    app.pick.rows[1].value = "sex"
    assert seen(app.pick.rows[2])
    assert cell(app, "I male", "2024") == 3 * 3 + 3
    app.pick.turn.click()
    assert (app.state.layout.rows, app.state.layout.columns) == (("year",), ("cause", "sex"))


def test_place_and_period_narrow_the_figures(app):
    app.pick.found.value = "deaths"
    app.pick.province.value = "VN2025:51"
    assert app.state.layout.rows == ("commune",)
    app.pick.first.value = "2024"
    app.pick.last.value = "2024"
    assert app.state.view.period == "2024"
    assert list(app.pivot.column_keys) == [("2024",), ("total",)]
    app.pick.province.value = ""
    assert app.state.view.place == "VN"


def test_an_end_before_the_start_moves_the_start(app):
    app.pick.first.value = "2025"
    app.pick.last.value = "2023"
    assert app.state.view.period == "2023"


def test_filters_keep_members_and_go_together(app):
    app.pick.found.value = "deaths"
    app.pick.filter_by.value = "sex"
    app.pick.members.value = ("female",)
    assert app.state.view.where == (("sex", ("female",)),)
    assert cell(app, "VN2025:01", "2024") == 3 * 2
    assert "nữ" in app.pick.filtered.value
    app.pick.unfilter.click()
    assert app.state.view.where == ()


def test_shares_are_offered_for_counts_only(app):
    assert [value for _, value in app.pick.shows.options] == ["value", "change_previous", "change_year"]
    app.pick.found.value = "deaths"
    app.pick.shows.value = "share_column"
    assert cell(app, "VN2025:01", "2024") == pytest.approx(100 * 12 / (12 + 24 + 12))


def test_looking_into_a_province_and_back_up(app):
    app.pick.found.value = "deaths"
    start = app.state
    app.pick.detail.value = "province=VN2025:51"
    assert app.pick.detail_by.value == "commune"
    app.pick.look.click()
    assert (app.state.view.place, app.state.layout.rows) == ("VN2025:51", ("commune",))
    app.pick.detail.value = "year=2024"
    app.pick.detail_by.value = "cause"
    app.pick.look.click()
    assert [one.description for one in app.pick.crumbs if seen(one)] == ["Bảng đầu ›", "Quảng Ngãi ›", "2024"]
    app.pick.up.click()
    assert app.state.view.period == start.view.period
    app.pick.crumbs[0].click()
    assert app.state == start


def test_one_level_up_leads_from_a_place_to_the_one_around_it(app):
    app.pick.found.value = "deaths"
    app.pick.province.value = "VN2025:51"
    app.pick.commune.value = "VN2025:21115"
    app.pick.up.click()
    assert app.state.view.place == "VN2025:51"
    app.pick.up.click()
    assert app.state.view.place == "VN"
    assert not seen(app.pick.up)


def test_every_step_can_be_taken_back(app):
    states = [app.state]
    for change in ({"found": "deaths"}, {"province": "VN2025:51"}, {"picture": "bar"}):
        for name, value in change.items():
            getattr(app.pick, name).value = value
        states.append(app.state)
    for state in reversed(states[:-1]):
        app.pick.undo.click()
        assert app.state == state
    assert not seen(app.pick.undo)


def test_what_can_not_be_shown_is_a_sentence_with_a_button_that_mends_it(app):
    app.pick.found.value = "deaths"
    app.pick.rows[0].value = "sex"
    app.pick.picture.value = "map"
    assert "Bản đồ cần đúng một cấp hành chính" in app.error
    assert app.pivot is None
    assert (seen(app.pick.result), seen(app.pick.advising)) == (False, True)
    app.pick.fixes[0].click()
    assert app.error == ""
    assert app.state.layout.rows == ("province",)
    assert "<svg" in app.pick.result.value
    assert not seen(app.pick.advising)


def test_where_nothing_was_found_the_way_back_is_a_button(app):
    app.pick.found.value = "deaths"
    app.pick.province.value = "VN2025:01"
    app.pick.filter_by.value = "cause"
    app.go(State(View(("deaths",), ("year",), period="2019"), Layout(("year",))))
    assert "Không có số liệu nào" in app.error
    app.pick.fixes[0].click()
    assert app.error == ""


def test_a_failure_becomes_a_sentence_without_traceback(app, monkeypatch):
    monkeypatch.setattr(app.source, "figures", lambda view, layout: 1 / 0)
    app.pick.found.value = "deaths"
    assert "báo người quản trị" in app.error
    assert "ZeroDivision" not in app.pick.advice.value
    monkeypatch.undo()
    app.pick.fixes[0].click()
    assert (app.error, app.state.view.measures) == ("", ("crude_death_rate",))


def test_a_refusal_of_the_cube_is_said_as_it_is(app, monkeypatch):
    def refuse(view, layout):
        raise InputError("error.overview_place", place="x", release="y")

    monkeypatch.setattr(app.source, "figures", refuse)
    app.pick.found.value = "deaths"
    assert (
        app.error == "Nơi “x” không có trong bản công bố y. Hãy chọn cả nước, một tỉnh hoặc một xã có trong danh sách."
    )


def test_every_word_changes_with_the_language_and_the_view_stays(app):
    before = app.state
    app.pick.language_picker.value = "en"
    assert app.state == before
    assert "Crude death rate by province and year" in app.pick.result.value
    assert app.pick.province.description == "Province"
    assert app.pick.headings["code"].description == "▸ Show the code"
    assert "Lay out as a table" in app.code


def test_names_from_outside_are_text_never_markup(app):
    app.pick.name.value = "<script>alert(1)</script>"
    app.pick.save.click()
    assert "&lt;script&gt;" in app.pick.said.value
    app.go(State(View(("<img src=x onerror=alert(1)>",), ("year",)), Layout((), ("year",))))
    assert "<img" not in app.pick.advice.value


def test_views_are_saved_opened_renamed_and_deleted(app):
    app.pick.found.value = "deaths"
    app.pick.headings["save"].value = True
    app.pick.name.value, app.pick.note.value = "Giao ban", "tháng"
    app.pick.save.click()
    kept = app.state
    app.pick.picture.value = "bar"
    app.pick.saved.value = "Giao ban"
    app.pick.open.click()
    assert app.state == kept
    assert "Đã mở “Giao ban”" in app.pick.said.value
    app.pick.name.value = "Giao ban 2"
    app.pick.rename.click()
    assert [one.name for one in list_views(app.keep.directory)] == ["Giao ban 2"]
    app.pick.share.click()
    assert "data:application/json;base64," in app.pick.download.value
    app.pick.delete.click()
    assert list_views(app.keep.directory) == []
    app.pick.open.click()
    assert "Chưa chọn bảng nào" in app.pick.said.value


def test_a_shared_file_is_taken_under_a_free_name(app):
    view = SavedView("Chung", State(View(("deaths",), ("sex",)), Layout(("sex",))))
    save_view(app.keep.directory, view)
    app.pick.take.value = (
        {
            "name": "v.json",
            "type": "",
            "size": 1,
            "content": memoryview(view.text().encode()),
            "last_modified": datetime.datetime(2026, 1, 1),
        },
    )
    assert app.state == view.state
    assert [one.name for one in list_views(app.keep.directory)] == ["Chung", "Chung (2)"]


def test_a_view_of_a_measure_that_is_gone_says_so(app):
    save_view(app.keep.directory, SavedView("cũ", State(View(("gone",), ("year",)), Layout((), ("year",)))))
    app.pick.headings["save"].value = True
    app.pick.saved.value = "cũ"
    app.pick.open.click()
    assert "không có số liệu: gone" in app.error
    app.pick.undo.click()
    assert app.error == ""


def test_the_address_names_a_view(tmp_path):
    directory = tmp_path / "work" / "views" / "thu"
    save_view(directory, SavedView("Giao ban tuần", State(View(("deaths",), ("sex",)), Layout(("sex",)))))
    opened = ExplorerApp(source=DrawnSource(tmp_path), language="vi", query="view=Giao%20ban%20tu%E1%BA%A7n")
    assert opened.state.view.by == ("sex",)
    absent = ExplorerApp(source=DrawnSource(tmp_path), language="vi", query="?view=khong")
    assert "Không có bảng đã lưu tên “khong”" in absent.pick.said.value
    assert absent.pivot is not None


def test_the_view_in_work_is_offered_again(tmp_path):
    first = ExplorerApp(source=DrawnSource(tmp_path), language="vi")
    assert not seen(first.pick.resuming)
    first.pick.found.value = "deaths"
    again = ExplorerApp(source=DrawnSource(tmp_path), language="vi")
    assert seen(again.pick.resuming)
    assert "xem dở" in again.pick.resume_text.value
    again.pick.resume.click()
    assert again.state == first.state
    assert not seen(again.pick.resuming)
    assert list_views(again.keep.directory) == []


def test_a_folder_that_cannot_be_written_is_a_sentence_and_no_reason_to_stop(tmp_path):
    (tmp_path / "work").write_text("a file where the folder should be", "utf-8")
    app = ExplorerApp(source=DrawnSource(tmp_path), language="vi")
    app.pick.found.value = "deaths"
    assert app.error == ""
    app.pick.name.value = "a"
    app.pick.save.click()
    assert "Không ghi được vào" in app.pick.said.value


def test_of_rapid_changes_only_the_last_is_computed(tmp_path):
    async def hurry():
        app = ExplorerApp(source=DrawnSource(tmp_path), language="vi")
        app.source.asked.clear()
        for name in ("sex", "age_group", "province"):
            app.pick.rows[0].value = name
        assert "Đang tính" in app.pick.status.value
        assert app.source.asked == []
        await asyncio.sleep(0.3)
        assert [one.by for one in app.source.asked] == [("province", "year")]
        assert "Bảng có" in app.pick.status.value
        app.pick.rows[0].value = "sex"
        assert app.pivot.layout.rows == ("sex",)  # who asks at once gets the answer at once

    asyncio.run(hurry())


def test_no_widget_is_left_behind_by_two_hundred_interactions(tmp_path):
    import sys

    from support import REPOSITORY

    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    from explorer_walk import walk

    app = ExplorerApp(source=DrawnSource(tmp_path), language="vi")
    before = count()
    for _, step in walk(app, seed=7, steps=200):
        step()
    assert count() == before
    assert len(app._back) <= 50


def count():
    """Widgets that live in this process."""
    from ipywidgets.widgets.widget import _instances

    return len(_instances)


def test_closing_takes_every_widget_away(tmp_path):
    before = count()
    app = ExplorerApp(source=DrawnSource(tmp_path), language="vi")
    assert count() > before + 100
    app.close()
    assert count() == before


def test_practice_data_release_and_date_stand_on_the_page(app):
    assert "Số liệu mô phỏng – không phải số liệu thật" in app.pick.head.value
    assert "R000007-drawn" in app.pick.foot.value


def test_without_a_release_the_page_says_what_to_do(tmp_path):
    app = ExplorerApp(tmp_path, language="vi")
    assert "tkyt publish" in app.error
    assert str(tmp_path) not in app.pick.advice.value


def test_an_older_release_is_named_in_the_code(tmp_path):
    app = ExplorerApp(source=DrawnSource(tmp_path, current=False), language="vi")
    assert 'tk.open(release="R000007-drawn")' in app.code
    assert 'tk.open(release="R000007-drawn")' in app.pick.code.value.replace("&quot;", '"')


def test_a_saved_view_holds_the_question_and_no_figure(app):
    app.pick.name.value = "a"
    app.pick.save.click()
    text = next(app.keep.directory.glob("*.json")).read_text("utf-8")
    assert set(json.loads(text)) == {"kind", "name", "note", "release_id", "saved_at", "view", "layout"}
    assert open_view(app.keep.directory, "a").release_id == "R000007-drawn"


def linked(app):
    """The bytes behind the download link and its file name."""
    import base64
    import re

    name, kind, data = re.search(
        r'download="([^"]+)" href="data:([^;]+);base64,([^"]*)"', app.pick.download.value
    ).groups()
    return name, kind, base64.b64decode(data)


def test_a_table_is_taken_away_as_a_workbook_and_a_csv(app, monkeypatch):
    import io

    import openpyxl

    monkeypatch.setattr(app.source.release, "account", None)  # the public
    app.pick.exports["xlsx"].click()
    name, kind, content = linked(app)
    assert name.endswith(".xlsx")
    values = [
        cell
        for sheet in openpyxl.load_workbook(io.BytesIO(content))
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    ]
    assert "Hà Nội" in values
    app.pick.exports["csv"].click()
    name, kind, content = linked(app)
    assert kind == "text/csv"
    assert "Quảng Ngãi" in content.decode("utf-8-sig")
    app.pick.rows[0].value = "sex"
    assert app.pick.download.value == ""  # the file belonged to another table


def test_an_account_without_the_right_gets_no_internal_file(app, monkeypatch):
    monkeypatch.setattr(app.source.release, "account", None)
    app.pick.internal.value = True
    app.pick.exports["csv"].click()
    assert "data:" not in app.pick.download.value
    assert "notice error" in app.pick.download.value
