"""JupyterLab as a statistician meets it: this machine only, Vietnamese, a start page that runs, work that stays."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
from support import REPOSITORY
from support_browser import Visit, free_port, server

from tkyt_analysis.lab import lab_arguments, lab_environment, work_directory
from tkyt_analysis.lab_folders import folder_name, templates
from tkyt_analysis.lab_settings import start_address
from tkyt_analysis.labels import label

pytestmark = pytest.mark.browser
TOKEN = "token-of-this-test"
SHOWN = "mã số 012345678901"  # stands for an identifier on the screen


@pytest.fixture(scope="module")
def home(practice_home, tmp_path_factory):
    """A copy of the practice home: work is written there."""
    copy = tmp_path_factory.mktemp("lab") / "home"
    shutil.copytree(practice_home, copy, symlinks=True)
    return copy


@pytest.fixture(scope="module")
def root(home, tmp_path_factory):
    base, port = tmp_path_factory.mktemp("jupyter"), free_port()
    own = {name: str(base / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    arguments = lab_arguments(home, port=port, open_browser=False)
    address = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryDirectory(prefix="tkyt-", ignore_cleanup_errors=True) as runtime:
        environment = {**os.environ, **own, **lab_environment(home, TOKEN, Path(runtime))}
        with server(arguments, environment, f"{address}api", base / "log.txt"):
            yield address


@pytest.fixture(scope="module")
def lab(browser, root):
    visit = Visit(browser)
    visit.page.goto(f"{root}{start_address()[1:]}?token={TOKEN}")
    visit.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    yield visit
    visit.close()


def panel(lab):
    """The notebook in front."""
    return lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")


def run_cell(lab, code):
    """Write code into a new cell of the notebook in front and run it."""
    panel(lab).locator(".jp-Cell").last.click()
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("b")
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.insert_text(code)
    lab.page.keyboard.press("Control+Enter")
    return panel(lab).locator(".jp-OutputArea-output:visible")


def eventually(lab, question, seconds=30):
    """The first true answer, asked again for a while: the machine may be slow. The page's requests go on meanwhile."""
    until = time.monotonic() + seconds
    while not question() and time.monotonic() < until:
        lab.page.wait_for_timeout(200)
    return question()


def test_without_the_token_nothing_is_served(browser, root):
    visit = Visit(browser)
    assert visit.page.request.get(f"{root}api/contents").status == 403
    assert "/login" in visit.page.request.get(f"{root}lab").url
    visit.close()


def test_the_menus_are_vietnamese(lab):
    lab.page.locator(".lm-MenuBar-itemLabel", has_text="Tệp").wait_for()
    assert {"Tệp", "Chỉnh sửa", "Trợ giúp"} <= set(lab.page.locator(".lm-MenuBar-itemLabel").all_inner_texts())
    lab.page.locator(".jp-DirListing-headerItem", has_text="Sửa lúc").wait_for()  # ours: the language pack lacks it


def test_the_start_page_runs_by_itself_and_says_what_waits(lab, home):
    release = (home / "releases" / "CURRENT").read_text("ascii").strip()
    panel(lab).locator(".jp-OutputArea-output", has_text=release).first.wait_for()
    tasks = panel(lab).locator(".tkyt-tasks").first
    assert "tkyt submission check" in tasks.inner_text()
    assert lab.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_a_template_cannot_be_saved_over_and_the_refusal_is_a_sentence(lab):
    path = f"{folder_name('templates')}/00_start.ipynb"
    lab.page.keyboard.press("Control+s")
    answer = lab.page.evaluate(
        """async path => {
            const token = document.cookie.match(/_xsrf=([^;]+)/)[1];
            const body = JSON.stringify({type: 'file', format: 'text', content: 'x'});
            const answer = await fetch('/api/contents/' + encodeURI(path), {method: 'PUT', body, headers: {'X-XSRFToken': token}});
            return [answer.status, (await answer.json()).message];
        }""",
        path,
    )
    assert answer == [403, label("error.lab_template", "vi", path=path, mine=folder_name("mine"))]
    assert json.loads(templates()["00_start.ipynb"].read_text("utf-8"))["metadata"]["title"] == "Bắt đầu"


def test_one_click_copies_a_template_to_my_work_outside_the_program(lab, home):
    panel(lab).locator(".tkyt-copy").click()
    copy = work_directory(home) / "00_start.ipynb"
    assert eventually(lab, copy.exists)
    assert REPOSITORY not in copy.resolve().parents
    lab.page.locator(
        ".lm-TabBar-tab[title*='Việc của tôi'], .lm-TabBar-tab.lm-mod-current", has_text="00_start"
    ).first.wait_for()
    panel(lab).locator(".tkyt-copy").wait_for(state="detached")  # one's own needs no copy
    lab.page.get_by_text("Python 3 (ipykernel) | sẵn sàng").wait_for()


def test_a_saved_file_has_no_outputs_while_the_screen_still_shows_them(lab, home):
    run_cell(lab, f"y={{'a' :  1}}\nprint('{SHOWN[:5]}' + '{SHOWN[5:]}')").filter(has_text=SHOWN).wait_for()
    file = work_directory(home) / "00_start.ipynb"
    for _ in range(2):
        lab.page.keyboard.press("Control+s")
        assert eventually(lab, lambda: 'y = {\\"a\\": 1}' in file.read_text("utf-8"))
    lab.page.wait_for_timeout(1500)  # time enough to complain that the file changed on the disk
    assert lab.page.locator(".jp-Dialog").count() == 0
    assert panel(lab).locator(".jp-OutputArea-output", has_text=SHOWN).count() == 1
    saved = [path for path in work_directory(home).rglob("*") if path.is_file()]
    assert {path.suffix for path in saved} == {".ipynb", ".py"}
    assert not [path for path in saved if SHOWN in path.read_text("utf-8")]
    assert all(cell.get("outputs", []) == [] for cell in json.loads(file.read_text("utf-8"))["cells"])


def test_work_that_runs_is_cancelled_by_its_button_with_a_sentence(lab):
    outputs = run_cell(
        lab,
        "import time\nfrom tkyt_analysis.long_work import run\n"
        "run(lambda step: [(step(n, 3000), time.sleep(0.05)) for n in range(3000)], title='Tổng hợp thử')",
    )
    panel(lab).get_by_role("button", name="Huỷ").click()
    outputs.filter(has_text="Đã huỷ “Tổng hợp thử”: không có gì thay đổi").wait_for()
    assert "Traceback" not in " ".join(outputs.all_inner_texts())


def test_the_death_of_a_kernel_loses_no_work_and_is_said_in_vietnamese(lab, home):
    outputs = run_cell(lab, "import os\nprint('số của tiến trình', os.getpid())")
    said = outputs.filter(has_text="số của tiến trình").last
    said.wait_for()
    lab.page.keyboard.press("Control+s")
    file = work_directory(home) / "00_start.ipynb"
    assert eventually(lab, lambda: "os.getpid()" in file.read_text("utf-8"))
    os.kill(int(said.inner_text().split()[-1]), signal.SIGKILL)
    lab.page.get_by_text("Chữ và mã của anh/chị không mất").first.wait_for()
    assert "os.getpid()" in file.read_text("utf-8")
    assert panel(lab).locator(".cm-content", has_text="os.getpid()").count() == 1


def test_nothing_left_this_machine_and_no_news_were_asked_for(lab):
    assert len(lab.requests) > 10
    assert lab.left == []
    assert [one for one in lab.requests if "/api/news" in one or "/api/update" in one or "/api/extensions" in one] == []


def test_the_page_may_not_ask_another_machine(lab):
    tried = lab.page.evaluate("fetch('https://example.org/x').then(() => 'asked', () => 'refused')")
    assert tried == "refused"
    assert lab.left == []  # refused by the page's own policy, before it became a request


def test_the_program_that_serves_is_this_one(home):
    assert sys.executable in lab_arguments(home, port=1, open_browser=False)
