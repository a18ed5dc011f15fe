"""A notebook becomes a report for another place: only declared parameters, whole reports or none, batches that go on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.notebook_runs import report, run_batch, run_notebook
from tkyt_analysis.notebook_templates import declared
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.reports.kernel_run import Cancellation, RunCancelled
from tkyt_analysis.warehouse.release import publish

PARAMETERS = 'home = ""\nrelease = ""\nplace = "VN"\nperiod = "2024"\nlimit = 20\nlanguage = "vi"'


def cell(source, *tags, kind="code"):
    base = {"cell_type": kind, "id": f"c{abs(hash((source, tags))) % 10**8}", "metadata": {"tags": list(tags)}}
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {**base, "source": source, **code}


def notebook(*cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": list(cells), "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """An empty home with a release."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "key"))
        home = tmp_path_factory.mktemp("home") / "home"
        prepare_home(home)
        publish(home)
        yield home


@pytest.fixture
def home(published, tmp_path):
    shutil.copytree(published, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def write(tmp_path):
    """Write a notebook with the usual parameters and these cells; its path."""

    def make(*sources, parameters=PARAMETERS):
        path = tmp_path / "21_rates.ipynb"
        cells = [one if isinstance(one, dict) else cell(one) for one in sources]
        parts = [cell("# Tỷ suất\n\nCâu hỏi", kind="markdown"), cell(parameters, "parameters"), *cells]
        path.write_text(json.dumps(notebook(*parts)), "utf-8")
        return path

    return make


def left(home):
    """What lies in the reports folder, hidden files too."""
    return sorted(path.name for path in (home / "reports").glob("*"))


def test_a_parameter_that_the_notebook_does_not_declare_is_refused_with_those_that_it_does(home, write):
    with pytest.raises(InputError) as caught:
        run_notebook(write("1"), home=home, yaer=2024)
    assert caught.value.sentence("en") == (
        "21_rates.ipynb has no parameter “yaer”; it declares: place, period, limit, language."
    )
    assert left(home) == []


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"limit": "many"}, "error.notebook_value"),
        ({"limit": 2.5}, "error.notebook_value"),
        ({"language": "fr"}, "error.notebook_value"),
        ({"place": "Atlantis"}, "error.api.name_unknown"),
        ({"release": "R1", "place": "VN"}, "error.no_such_release"),
    ],
)
def test_a_value_of_another_kind_is_refused_before_anything_runs(home, write, given, key):
    with pytest.raises(InputError) as caught:
        run_notebook(write("1"), home=home, **given)
    assert caught.value.key == key
    assert left(home) == []


def test_numbers_stay_numbers_and_codes_stay_text_with_their_leading_zero(home, write):
    path = write('assert (limit, period, place) == (7, "202401", "VN2025:01"), (limit, period, place)')
    made = run_notebook(path, home=home, limit="7", period="tháng 1 năm 2024", place="VN2025:01")
    assert made.passport["parameters"] == {"place": "VN2025:01", "period": "202401", "limit": 7, "language": "vi"}
    assert left(home) == [f"21_rates_VN2025-01_202401_7.{kind}" for kind in ("html", "ipynb", "json")]


def test_the_page_has_texts_and_outputs_no_code_and_says_where_its_figures_come_from(home, write):
    button = cell('HTML("<b>a button</b>")', "not-in-report")
    path = write('from IPython.display import HTML\nsecret_name = 1\nHTML("<p>42 ca</p>")', button)
    page = run_notebook(path, home=home).html.read_text("utf-8")
    assert page.count("<h1>") == 1
    assert "<h1>Tỷ suất – Cả nước, 2024</h1>" in page
    assert "<p>42 ca</p>" in page
    assert "secret_name" not in page
    assert "a button" not in page
    assert (home / "releases" / "CURRENT").read_text().strip() in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    shown = run_notebook(path, home=home, show_code=True).html.read_text("utf-8")
    assert "secret_name" in shown


def test_the_run_reads_the_release_of_its_passport_also_when_a_newer_one_is_published_meanwhile(home, write):
    made = run_notebook(write("from pathlib import Path\nPath(home, 'seen').write_text(release)"), home=home)
    assert (home / "seen").read_text() == made.passport["release"]


@pytest.mark.parametrize(
    "source",
    [
        'raise ValueError("no such place")',
        "import sys; sys.exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
    ids=["raise", "exit 0", "killed kernel"],
)
def test_a_run_that_did_not_reach_its_end_publishes_nothing_and_keeps_the_earlier_report(home, write, source):
    before = run_notebook(write("1"), home=home).html.read_bytes()
    with pytest.raises(ProcessingError):
        run_notebook(write(source), home=home)
    assert (home / "reports" / "21_rates_VN_2024.html").read_bytes() == before
    assert left(home) == ["21_rates_VN_2024.html", "21_rates_VN_2024.ipynb", "21_rates_VN_2024.json", "failed"]


def test_progress_names_the_part_that_runs(home, write):
    seen = []
    path = write(cell("## Bảng", kind="markdown"), "1")
    run_notebook(path, home=home, progress=lambda *step: seen.append(step))
    assert [part for _, _, part in seen][-1] == "Bảng"
    assert [done for done, _, _ in seen] == list(range(seen[0][1]))


def test_a_run_that_is_stopped_leaves_nothing(home, write):
    stop = Cancellation()
    timer = threading.Timer(0.1, stop.ask)
    started = []

    def progress(done, total, part):
        if done >= 3 and not started:
            started.append(timer.start())

    path = write("ready = True", "import time; time.sleep(900)")
    begun = time.monotonic()
    with pytest.raises(RunCancelled):
        run_notebook(path, home=home, progress=progress, cancellation=stop)
    assert time.monotonic() - begun < 600
    assert left(home) == []


def test_ctrl_c_in_the_terminal_leaves_nothing(home, write):
    path = write("from pathlib import Path\nPath(home, 'running').touch()", "import time; time.sleep(900)")
    command = [sys.executable, "-m", "tkyt_analysis", "notebook", "run", str(path), "--home", str(home)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.monotonic() + 300
    while not (home / "running").exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(600) == 3
    assert "Traceback" not in process.stderr.read()
    assert left(home) == []


def test_a_batch_goes_on_after_a_place_that_fails_and_keeps_what_it_made(home, write):
    path = write('if place == "VN2025:48":\n    raise ValueError("no data")')
    first = run_batch(path, ["VN2025:01", "VN2025:48"], home=home)
    assert (list(first.made), list(first.kept), list(first.failed)) == (["VN2025:01"], [], ["VN2025:48"])
    assert "no data" in first.sentences("en")[1]
    again = report(path, place=["VN2025:01", "VN2025:48"], home=home)
    assert (list(again.made), list(again.kept), list(again.failed)) == ([], ["VN2025:01"], ["VN2025:48"])
    mended = run_batch(write("1"), ["VN2025:01", "VN2025:48"], home=home)
    assert list(mended.made) == ["VN2025:01", "VN2025:48"]  # another notebook: what the old one made does not count


def test_a_wrong_parameter_stops_a_batch_before_its_first_report(home, write):
    with pytest.raises(InputError, match="yaer"):
        run_batch(write("1"), ["VN2025:01"], home=home, yaer=2)
    assert left(home) == []


@pytest.mark.parametrize(
    ("source", "key"),
    [("x = 1", "error.notebook_unbound"), (None, "error.notebook_no_parameters")],
)
def test_a_notebook_that_cannot_say_which_release_it_reads_is_refused(home, write, tmp_path, source, key):
    path = write("1", parameters=source or "x = 1")
    if source is None:
        path.write_text(json.dumps(notebook(cell("x = 1"))), "utf-8")
    with pytest.raises(InputError) as caught:
        run_notebook(path, home=home)
    assert caught.value.key == key


def test_parameters_are_the_plain_values_of_the_cell():
    source = 'place = "01"  # mã tỉnh\nyear: int = 2024\nlimits = [1, 2]\nnow = today()\nimport os'
    assert declared(source) == {"place": "01", "year": 2024, "limits": [1, 2]}


def test_the_command_refuses_what_the_run_itself_decides(home, write, capsys):
    from tkyt_analysis.cli.main import run

    path = write("1")
    assert run(["notebook", "run", str(path), "-p", "release=R1", "--home", str(home)]) == 2
    assert "--release" in capsys.readouterr().err
    assert run(["notebook", "run", str(path), "--for", "VN2025:01", "--home", str(home), "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["made"]) == ["VN2025:01"]


@pytest.fixture
def button(home, write):
    pytest.importorskip("ipywidgets")
    from tkyt_analysis.notebook_button import ReportButton

    return lambda *sources, **options: ReportButton(write(*sources), home, **options)


def test_the_button_makes_the_report_of_what_its_pickers_say_and_shows_where_it_is(button):
    made = button('print("made")')
    made.start()
    made.wait(600)
    assert made.made.name == "21_rates_VN.html"
    assert "21_rates_VN.html" in made.said.value
    assert (made.run.disabled, made.stop.disabled) == (False, True)


def test_the_button_says_which_cell_failed(button):
    failed = button('raise ValueError("no data here")')
    failed.start()
    failed.wait(600)
    assert "no data here" in failed.said.value
    assert failed.made is None


def test_the_button_stops_a_run_and_nothing_is_left(button, home):
    running = button("import time; time.sleep(900)")
    running.start()
    until = time.monotonic() + 300
    while running.bar.value < 1 and time.monotonic() < until:
        time.sleep(0.05)
    running.cancel()
    running.wait(600)
    assert "Đã dừng" in running.said.value
    assert left(home) == []


def test_in_lab_the_button_runs_the_copy_that_is_open_and_links_to_the_page_that_lab_serves(home, write, monkeypatch):
    from tkyt_analysis.lab_folders import folder_name, work_directory
    from tkyt_analysis.notebook_button import SESSION, ReportButton, lab_address

    folder = work_directory(home)
    folder.mkdir(parents=True)
    own = shutil.copy(write("1"), folder / "20_quality (2).ipynb")
    monkeypatch.setenv(SESSION, str(own))
    assert ReportButton("20_quality", home).template.path == own
    address = lab_address(home / "reports" / "a b.html", home)
    assert address.endswith("a%20b.html")
    link = folder.parent / folder_name("reports")
    assert (own.parent / ".." / folder_name("reports")).resolve() == link.resolve()
    assert address.startswith("../")


def test_without_a_place_an_account_of_a_province_gets_its_own(home, write, monkeypatch):
    from tkyt_analysis.cli.main import run

    path = write("1", parameters=PARAMETERS.replace('place = "VN"', 'place = ""'))
    assert run_notebook(path, home=home).passport["parameters"]["place"] == "VN"
    for name, role, unit in (("ministry", "administrator", "VN"), ("province", "province", "VN2025:48")):
        assert run(["scope", "add", name, "--role", role, "--unit", unit, "--why", "x", "--home", str(home)]) == 0
    monkeypatch.setenv("TKYT_ACTING_AS", "province")
    assert run_notebook(path, home=home).passport["parameters"]["place"] == "VN2025:48"
    with pytest.raises(InputError, match="VN2025:01"):
        run_notebook(path, home=home, place="VN2025:01")
