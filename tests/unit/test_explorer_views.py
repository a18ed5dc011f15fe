"""Named views: kept whole, outside the repository, one account apart from another."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.cube.model import View
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.state import State
from tkyt_analysis.explorer.views import (
    SavedView,
    checked_name,
    delete_view,
    file_of,
    keep_last,
    last_state,
    list_views,
    open_view,
    read_view,
    rename_view,
    save_view,
    views_directory,
)

STATE = State(View(("deaths",), ("cause",)).keeping("sex", ["male"]), Layout(("cause",), picture="bar", top=5))


def test_what_is_saved_is_opened_again(tmp_path):
    save_view(tmp_path, SavedView("Tử vong theo chương", STATE, "cho giao ban", "R1"))
    kept = open_view(tmp_path, "Tử vong theo chương")
    assert (kept.state, kept.note, kept.release_id) == (STATE, "cho giao ban", "R1")
    assert oct(file_of(tmp_path, kept.name).stat().st_mode)[-3:] == "600"


def test_a_name_in_separate_accents_is_the_same_name(tmp_path):
    import unicodedata

    save_view(tmp_path, SavedView(unicodedata.normalize("NFD", "Tử vong"), STATE))
    assert open_view(tmp_path, "Tử vong").name == "Tử vong"


def test_names_that_differ_in_accents_only_are_two_views(tmp_path):
    for name in ("Ba Tơ", "Ba To", "ba tơ"):
        save_view(tmp_path, SavedView(name, STATE))
    assert sorted(one.name for one in list_views(tmp_path)) == ["Ba To", "Ba Tơ", "ba tơ"]


def test_a_taken_name_is_replaced_only_when_that_is_meant(tmp_path):
    save_view(tmp_path, SavedView("a", STATE))
    other = State(View(("population",)), Layout())
    with pytest.raises(InputError, match="Đã có bảng tên “a”"):
        save_view(tmp_path, SavedView("a", other))
    assert open_view(tmp_path, "a").state == STATE
    save_view(tmp_path, SavedView("a", other), replacing=True)
    assert open_view(tmp_path, "a").state == other


def test_renaming_keeps_the_view_and_never_covers_another(tmp_path):
    for name in ("a", "b"):
        save_view(tmp_path, SavedView(name, STATE, name))
    with pytest.raises(InputError):
        rename_view(tmp_path, "a", "b")
    assert [one.note for one in list_views(tmp_path)] == ["a", "b"]
    rename_view(tmp_path, "a", "c")
    assert [(one.name, one.note) for one in list_views(tmp_path)] == [("b", "b"), ("c", "a")]
    delete_view(tmp_path, "c")
    with pytest.raises(InputError, match="Không có bảng đã lưu tên “c”"):
        open_view(tmp_path, "c")


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_an_empty_or_endless_name_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="từ 1 đến 120 ký tự"):
        save_view(tmp_path, SavedView(name, STATE))


@given(st.text(min_size=1, max_size=120))
def test_no_name_leads_out_of_the_folder(name):
    from pathlib import Path

    assert file_of(Path("/v"), name).parent == Path("/v")
    assert views_directory(Path("/h"), name).parent == Path("/h/work/views")


def test_two_accounts_never_share_a_folder(tmp_path):
    names = ["tinh_51", "tinh-51", "Tinh_51", "tỉnh_51", "tinh 51", "../tinh_51"]
    assert len({views_directory(tmp_path, one) for one in names}) == len(names)


def test_what_a_later_version_wrote_opens_with_what_both_know():
    values = {**json.loads(SavedView("a", STATE).text()), "colour": "red"}
    values["view"]["weather"] = "fine"
    assert read_view(json.dumps(values).encode(), file="a.json").state == STATE


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"\xff\xfe", b'{"kind": "other"}', b'{"kind": "tkyt-view", "name": "a"}',
        b'{"kind": "tkyt-view", "name": "a", "view": {"measures": [1]}, "layout": {}}',
        b'{"kind": "tkyt-view", "name": "a", "view": {"measures": ["d"]}, "layout": {"picture": "cake"}}',
        b'{"kind": "tkyt-view", "name": "a", "view": {"measures": ["d"]}, "layout": {"top": "many"}}',
        b" " * 300_000,
    ],
)  # fmt: skip
def test_a_file_that_is_no_view_is_a_sentence(content):
    with pytest.raises(InputError, match="“x.json” không phải bảng"):
        read_view(content, file="x.json")


def test_a_broken_file_does_not_hide_the_others(tmp_path):
    save_view(tmp_path, SavedView("a", STATE))
    (tmp_path / "broken.json").write_text("{", "utf-8")
    assert [one.name for one in list_views(tmp_path)] == ["a"]


def test_the_view_in_work_is_put_aside_and_is_no_named_view(tmp_path):
    assert last_state(tmp_path) is None
    keep_last(tmp_path, STATE, "R1")
    assert last_state(tmp_path) == STATE
    assert list_views(tmp_path) == []


def test_a_name_is_written_in_composed_letters():
    assert checked_name("  Tử   vong ") == "Tử vong"
