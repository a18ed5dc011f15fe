"""JupyterLab as a statistician meets it: this machine only, Vietnamese menus, the start notebook runs."""

import contextlib
import os
import shutil
import sys

import pytest
from playwright.sync_api import TimeoutError
from support import REPOSITORY
from support_browser import Visit, free_port, server

from tkyt_analysis.lab import lab_arguments, lab_environment, work_directory

pytestmark = pytest.mark.browser
TOKEN = "token-of-this-test"


@pytest.fixture(scope="module")
def home(practice_home, tmp_path_factory):
    """A copy of the practice home: work is written there."""
    copy = tmp_path_factory.mktemp("lab") / "home"
    shutil.copytree(practice_home, copy, symlinks=True)
    return copy


@pytest.fixture(scope="module")
def root(home, tmp_path_factory):
    base, port = tmp_path_factory.mktemp("jupyter"), free_port()
    own = {name: str(base / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    arguments = [*lab_arguments(home, port=port, open_browser=False), f"--IdentityProvider.token={TOKEN}"]
    address = f"http://127.0.0.1:{port}/"
    with server(arguments, {**os.environ, **own, **lab_environment(home)}, f"{address}api", base / "log.txt"):
        yield address


@pytest.fixture(scope="module")
def lab(browser, root):
    visit = Visit(browser)
    visit.page.goto(f"{root}lab?token={TOKEN}")
    visit.page.locator(".jp-DirListing-item", has_text="00_start").wait_for()
    yield visit
    visit.close()


def test_without_the_token_nothing_is_served(browser, root):
    visit = Visit(browser)
    assert visit.page.request.get(f"{root}api/contents").status == 403
    visit.close()


def test_the_menus_are_vietnamese(lab):
    lab.page.locator(".lm-MenuBar-itemLabel", has_text="Tệp").wait_for()
    assert {"Tệp", "Chỉnh sửa", "Trợ giúp"} <= set(lab.page.locator(".lm-MenuBar-itemLabel").all_inner_texts())


def test_the_start_notebook_runs_and_names_the_release(lab, home):
    release = (home / "releases" / "CURRENT").read_text("ascii").strip()
    lab.page.locator(".jp-DirListing-item", has_text="00_start").dblclick()
    lab.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    lab.page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    lab.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    output = lab.page.locator(".jp-OutputArea-output", has_text=release).first
    for _ in range(4):  # Lab swallows a command while the kernel is being attached: a person would click again
        lab.page.wait_for_timeout(1000)
        lab.page.locator(".lm-MenuBar-item", has_text="Chạy").click()
        lab.page.locator(".lm-Menu-item[data-command='runmenu:run-all']").click()
        with contextlib.suppress(TimeoutError):
            output.wait_for(timeout=20_000)
            break
    assert output.is_visible()
    assert lab.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_nothing_left_this_machine_and_no_news_were_asked_for(lab):
    assert len(lab.requests) > 10
    assert lab.left == []
    assert [one for one in lab.requests if "/api/news" in one or "/api/update" in one] == []


def test_work_lies_outside_the_program_and_is_never_overwritten(home):
    mine = work_directory(home) / "20_quality.ipynb"
    assert REPOSITORY not in mine.parents
    mine.write_text("my own", "utf-8")
    assert (work_directory(home) / "20_quality.ipynb").read_text("utf-8") == "my own"
    assert sys.executable in lab_arguments(home, port=1, open_browser=False)
