"""The capture app as a health worker meets it: served by Voilà on this machine, driven by keys in Chromium."""

import os
import re
import shutil
import signal

import pytest
from support_browser import Visit, free_port, server

from mortality.capture.fields import form_fields
from tkyt_analysis.access import working_within
from tkyt_analysis.dashboards.serve import template_directory, voila_arguments, voila_environment
from tkyt_analysis.warehouse.lake import Warehouse

pytestmark = pytest.mark.browser
BOOK = "?unit=VN2024:21115&year=2025"
PERSON = ("Lò Thị Mùi Thử Nghiệm", "nu", "1950", "", "Thái", "", "", "Làm nông", "Thôn 2")
EVIL = "tai biến <script>window.hit = 1</script>"


@pytest.fixture(scope="module")
def home(practice_home, tmp_path_factory):
    """A copy of the practice home: drafts and records are written there."""
    copy = tmp_path_factory.mktemp("capture") / "home"
    shutil.copytree(practice_home, copy, symlinks=True, ignore=shutil.ignore_patterns("practice", "portal", "reports"))
    return copy


@pytest.fixture(scope="module")
def address(home, tmp_path_factory):
    base, port = tmp_path_factory.mktemp("voila"), free_port()
    templates = template_directory(base / "templates", "vi")
    environment = {**os.environ, **voila_environment(home, templates), "TKYT_LANGUAGE": "vi"}
    root = f"http://127.0.0.1:{port}/"
    with server(voila_arguments(port=port, open_browser=False), environment, root, base / "log.txt"):
        yield f"{root}voila/render/death_capture.ipynb"


@pytest.fixture(scope="module")
def opened(browser, address):
    visit = open_book(browser, address)
    yield visit
    visit.close()


def open_book(browser, address, book=BOOK):
    visit = Visit(browser)
    visit.page.set_default_timeout(180_000)
    visit.page.goto(address + book)
    visit.page.locator(".cap-form").wait_for()
    return visit


def leave(visit):
    """Close the page as a person does: it is told to go, and says good-bye to its kernel."""
    visit.page.goto("about:blank")
    visit.close()


def field(visit, name):
    return visit.page.locator(f"[data-input={name}]")


def said(visit, words):
    visit.page.locator(".cap-said", has_text=words).wait_for()


def saved(visit):
    """Wait until the kernel has everything: nothing waits to be acknowledged."""
    visit.page.wait_for_function(
        "(() => { const one = document.querySelector('.tkyt-capture').tkytCapture;"
        " return !one.waiting.length && !Object.keys(one.timers).length; })()"
    )


def type_through(visit, texts):
    """Each text, then Enter: on to the next field."""
    for text in texts:
        if text:
            visit.page.keyboard.type(text)
        visit.page.keyboard.press("Enter")


def kernel_of(home):
    """The process that holds a journal: the lock's file is open there."""
    folder = home / "restricted" / "capture"
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                held = [os.readlink(f"/proc/{process}/fd/{one}") for one in os.listdir(f"/proc/{process}/fd")]
            except OSError:
                continue
            if any(one.startswith(str(folder)) and one.endswith(".lock") for one in held):
                return int(process)
    return None


def deaths(home, where):
    with working_within(), Warehouse(home) as warehouse:
        return warehouse.query(f"SELECT * FROM lake.death WHERE {where}").to_dict("records")


def test_the_essential_fields_are_seen_at_once_on_a_laptop(opened):
    for name, one in form_fields().items():
        if one.essential:
            box = field(opened, name).bounding_box()
            assert box["y"] + box["height"] <= 768, name
    assert opened.page.title() == "Nhập tử vong"
    assert "Số liệu mô phỏng – không phải số liệu thật" in opened.page.inner_text(".tkyt-app .band")


def test_tab_goes_through_the_fields_in_the_order_of_the_book(opened):
    field(opened, "full_name").focus()
    seen = []
    for _ in form_fields():
        seen.append(opened.page.evaluate("document.activeElement.dataset.input"))
        opened.page.keyboard.press("Tab")
    assert seen == list(form_fields())


def test_a_record_is_entered_by_keys_alone(opened):
    field(opened, "full_name").focus()
    type_through(opened, [*PERSON, "5-6", "14h30", "ta", "", ""])
    opened.page.keyboard.type("tai bien mach mau nao")
    opened.page.locator(".cap-code", has_text="I64").wait_for()
    opened.page.keyboard.press("Alt+1")
    opened.page.wait_for_function("document.querySelector('[data-input=icd10_as_written]').value === 'I64'")
    assert field(opened, "death_date").input_value() == "05/06/2025"
    assert field(opened, "death_time").input_value() == "14:30"
    assert field(opened, "sex").input_value() == "female"
    assert field(opened, "place_of_death").input_value() == "home"
    assert field(opened, "cause_text").input_value() == "tai bien mach mau nao"


def test_what_is_wrong_is_said_beside_its_field_with_sign_and_word(opened):
    field(opened, "death_date").fill("31/2/2025")
    line = opened.page.locator(".cap-remarks[data-about=death_date] .cap-remark.error")
    line.first.wait_for()
    assert "Lỗi" in line.first.inner_text()
    assert "Không đọc được thành ngày tháng" in line.first.inner_text()
    assert field(opened, "death_date").get_attribute("aria-invalid") == "true"
    field(opened, "death_date").fill("5/6/25")
    line.first.wait_for(state="detached")


def test_the_draft_is_there_after_the_kernel_was_killed(browser, address, opened, home):
    field(opened, "note").fill("ghi chú để nhận ra")
    saved(opened)
    os.kill(kernel_of(home), signal.SIGKILL)
    again = open_book(browser, address)
    again.page.get_by_role("button", name="Tiếp tục bản nháp").click()
    said(again, "Đã mở lại bản nháp")
    assert field(again, "full_name").input_value() == PERSON[0]
    assert field(again, "note").input_value() == "ghi chú để nhận ra"
    assert field(again, "icd10_as_written").input_value() == "I64"
    keep_finished(again)
    again.page.locator(".cap-tab[data-value=kept] .cap-count", has_text="1").wait_for()
    leave(again)


def keep_finished(visit):
    """Ctrl+Enter; what is warned of is answered "as written" until the record is kept as finished."""
    for _ in range(5):
        visit.page.keyboard.press("Control+Enter")
        saved(visit)
        if "Đã ghi xong" in visit.page.inner_text(".cap-said"):
            return
        assert visit.page.locator(".cap-remark.error").all_inner_texts() == []
        answers = visit.page.locator(".cap-remark.warning .cap-mark.warning ~ .cap-answer")
        while answers.count():
            answers.first.click()
            saved(visit)
    raise AssertionError(visit.page.inner_text(".cap-form"))


def test_finished_records_are_handed_in_and_leave_the_draft(browser, address, home):
    visit = open_book(browser, address)
    visit.page.get_by_role("button", name="Tiếp tục bản nháp").click()
    said(visit, "Đã mở lại bản nháp")
    visit.page.locator(".cap-tab[data-value=kept]").click()
    visit.page.get_by_role("button", name=re.compile("^Nộp 1 hồ sơ")).click()
    visit.page.locator(".cap-notice", has_text="1 hồ sơ vào kho số liệu").wait_for()
    visit.page.get_by_text("Chưa có hồ sơ nào").wait_for()
    assert visit.left == []
    leave(visit)
    (death,) = deaths(home, "cause_text = 'tai bien mach mau nao' AND death_date = DATE '2025-06-05'")
    assert (death["sex"], death["place_of_death"], death["icd10_as_written"]) == ("female", "home", "I64")


def test_markup_in_a_cause_stays_text_on_every_panel(browser, address):
    visit = open_book(browser, address)
    field(visit, "full_name").fill(EVIL)
    field(visit, "cause_text").fill(EVIL)
    visit.page.keyboard.press("Escape")
    visit.page.locator("[data-panel=kept] td", has_text="<script>").first.wait_for()
    assert visit.page.evaluate("window.hit") is None
    assert visit.page.locator(".cap script").count() == 0
    visit.close()


def test_a_stored_record_is_corrected_from_the_queue(browser, address, home):
    visit = open_book(browser, address)
    visit.page.locator(".cap-tab[data-value=queue]").click()
    row = visit.page.locator("[data-panel=queue] tbody tr", has_text="Một ca tử vong không ghi giới").first
    record = row.locator("[data-do=correct]").get_attribute("data-record")
    row.locator("[data-do=correct]").click()
    visit.page.locator(".cap-correction").wait_for()
    assert field(visit, "full_name").input_value() != ""
    field(visit, "sex").select_option("female")
    field(visit, "correction_reason").fill("hỏi lại gia đình")
    for name, value in (("birth", "1950"), ("place_of_death", "home"), ("cause_text", "đột quỵ")):
        if not field(visit, name).input_value():
            (field(visit, name).select_option if name == "place_of_death" else field(visit, name).fill)(value)
    saved(visit)
    keep_finished(visit)
    visit.page.locator(".cap-tab[data-value=kept]").click()
    visit.page.get_by_role("button", name=re.compile("^Nộp 1 hồ sơ")).click()
    visit.page.locator(".cap-notice", has_text="1 hồ sơ vào kho số liệu").wait_for()
    visit.close()
    with working_within(), Warehouse(home) as warehouse:
        rows = warehouse.query(f"SELECT reason FROM lake.record_replacement WHERE record_id = '{record}'")
    assert rows["reason"].tolist() == ["hỏi lại gia đình"]
    assert len(deaths(home, f"death_id = '{record}'")) == 1  # the first one stays


def test_a_pair_is_judged_by_a_key_and_the_judgement_is_taken_back(browser, address):
    visit = open_book(browser, address)
    visit.page.locator(".cap-tab[data-value=same]").click()
    visit.page.locator("[data-panel=same] .cap-pair").wait_for()
    assert visit.page.locator(".cap-pair tr.differs td", has_text="≠ khác").count() > 0
    before = visit.page.locator("[data-panel=same] thead").inner_text()
    visit.page.locator("[data-panel=same] h2").click()
    visit.page.keyboard.press("d")
    visit.page.get_by_text("Đã ghi: hai người khác nhau").wait_for()
    visit.page.get_by_role("button", name="Hoàn tác").click()
    visit.page.wait_for_function(
        "words => document.querySelector('[data-panel=same] thead').innerText === words", arg=before
    )
    visit.close()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1024, 768), (768, 1024), (390, 844)])
def test_nothing_sticks_out_and_fingers_find_their_targets(opened, width, height):
    opened.page.set_viewport_size({"width": width, "height": height})
    opened.page.wait_for_timeout(200)
    assert opened.overflow() <= 0
    heights = opened.page.evaluate(
        "[...document.querySelectorAll('.cap-field :is(input, select), .cap-button, .cap-tab')].filter(one => one.offsetParent)"
        ".map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= (40 if width <= 1024 else 26)


def test_english_is_one_choice_away_and_nothing_left_this_machine(browser, address):
    visit = open_book(browser, address)
    visit.page.locator(".cap-language select").select_option("en")
    visit.page.get_by_role("heading", name="Enter deaths").wait_for()
    assert visit.page.locator("label[for=cap-full_name]").inner_text().startswith("Full name")
    assert len(visit.requests) > 10
    assert (visit.left, visit.errors) == ([], [])
    visit.close()
