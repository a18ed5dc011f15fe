"""Every template notebook runs from its first cell to its last on the practice home, is stored bare, and defines nothing."""

import ast
import json
import os
import re
import sys

import pytest
from support import REPOSITORY

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.notebook_templates import NOT_IN_REPORT, read_template
from tkyt_analysis.reference.periods import format_period

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
TEMPLATES = sorted((REPOSITORY / "reports_templates").glob("*/*.ipynb"))
ANALYSES = [
    path for path in NOTEBOOKS if path.stem[:2] not in ("00", "10", "70")
]  # 70 verifies the program, not a place


def run(path, target, home):
    sys.modules.setdefault("rfc3987_syntax", None)
    papermill = pytest.importorskip("papermill")
    from tkyt_analysis.reports.kernel import LocalKernelManager

    return papermill.execute_notebook(
        path,
        target / path.name,
        parameters={"home": str(home)},
        kernel_name="python3",
        kernel_manager_class=LocalKernelManager,
        progress_bar=False,
        cwd=str(target),
        start_timeout=60,
        execution_timeout=120,
    )


@pytest.fixture(scope="module")
def executed(practice_home, tmp_path_factory):
    """Run a notebook as Lab does, all cells, once for all tests of this file."""
    done = {}

    def of(name):
        path = next(one for one in NOTEBOOKS if one.stem == name)
        if name not in done:
            done[name] = run(path, tmp_path_factory.mktemp(name), practice_home)
        return done[name]

    return of


def shown(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(str(output.get("data", {}).get("text/html", output.get("text", ""))) for output in outputs)


def code_of(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_to_its_end(path, executed):
    code = [cell for cell in executed(path.stem).cells if cell.cell_type == "code"]
    assert [cell.metadata["papermill"]["status"] for cell in code] == ["completed"] * len(code)
    assert "stderr" not in {output.get("name") for cell in code for output in cell.outputs}


@pytest.mark.parametrize("path", [*NOTEBOOKS, *TEMPLATES], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_notebook_is_stored_without_outputs(path):
    assert [(cell["outputs"], cell["execution_count"]) for cell in code_of(path)] == [([], None)] * len(code_of(path))


@pytest.mark.parametrize("path", [*NOTEBOOKS, *TEMPLATES], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_notebook_defines_no_function_and_no_class(path):
    defined = [
        type(node).__name__
        for cell in code_of(path)
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda))
    ]
    assert defined == []


@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)
def test_the_notebook_opens_with_question_source_method_and_what_to_know(path):
    opening = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
    assert [word for word in ("Câu hỏi.", "Bảng nguồn.", "Cách làm.", "Cần biết trước.") if word not in opening] == []
    method = re.search(r"\*\*Cách làm\.\*\* (.+)", opening)[1]
    assert len(re.findall(r"[.!?](?= [A-ZĐÂÊÔƠƯÁÀẢÃẠ]|$)", method)) <= 4  # three sentences, or a little more


@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.stem)
def test_the_notebook_can_be_made_into_a_report_and_offers_it_in_its_last_cell(path):
    template = read_template(path)
    assert {"place", "period", "language"} <= set(template.parameters)
    last = json.loads(path.read_text("utf-8"))["cells"][-1]
    assert f'ReportButton("{path.stem}", home, release' in "".join(last["source"])
    assert NOT_IN_REPORT in last["metadata"]["tags"]


@pytest.mark.slow
@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.stem)
def test_the_notebook_ends_with_cautions_that_no_cell_of_it_holds(path, executed):
    text = shown(executed(path.stem))
    said = text[
        text.rindex(label("report.quality.cautions" if path.stem == "20_quality" else "notebook.cautions", "vi")) :
    ]
    lines = re.findall(r"<li>(.*?)</li>", said)
    source = path.read_text("utf-8")
    assert lines
    assert [line for line in lines if line in source] == []


@pytest.mark.slow
def test_start_says_what_waits_and_which_release_is_read(executed, practice_home):
    text = shown(executed("00_start"))
    assert (practice_home / "releases" / "CURRENT").read_text().strip() in text
    assert "Số liệu mô phỏng – không phải số liệu thật" in text
    assert os.fspath(practice_home) in text


@pytest.mark.slow
def test_quality_ends_with_cautions_computed_from_the_data(executed):
    text = shown(executed("20_quality"))
    assert format_period("202512", "vi").lower() in text.lower()  # the latest month of the practice data
    assert text.index(label("report.quality.cautions", "vi")) > text.index(label("report.quality.ask", "vi"))


@pytest.mark.slow
def test_receive_shows_every_quarantined_row_of_the_home(executed, practice_home):
    from tkyt_analysis.status import home_status

    said = home_status(practice_home)
    text = shown(executed("10_receive"))
    examples = text[text.index(label("notebook.receive.reasons", "vi")) :]
    table = examples[: examples.index("</table>")]
    counts = [int(one.replace(".", "")) for one in re.findall(r'<td class="number"[^>]*>([\d.]+)</td>', table)]
    assert sum(counts) == said["quarantined"] > 0


@pytest.mark.slow
def test_the_yearbook_page_has_number_both_languages_and_source(executed, practice_home):
    text = shown(executed("60_yearbook"))
    assert "Bảng 1. Tỷ suất chết thô" in text
    assert "Table 1. Crude death rate" in text
    assert (practice_home / "releases" / "CURRENT").read_text().strip() in text


@pytest.mark.slow
def test_the_same_notebook_makes_the_report_of_a_commune(practice_home, tmp_path):
    from tkyt_analysis.notebook_runs import places_named, run_notebook
    from tkyt_analysis.warehouse.release import Release

    release = Release(practice_home)
    commune = places_named("communes", home=practice_home)[0]
    made = run_notebook(
        "60_yearbook", home=practice_home, output=tmp_path, place=commune, period="2024", measure="deaths"
    )
    page = made.html.read_text("utf-8")
    deaths = release.query(
        "SELECT count(*) AS n FROM death WHERE unit_2025 = ? AND year = 2024 AND excluded = ''", [commune]
    )
    assert f"<td>{format_number(int(deaths['n'].iloc[0]))}</td>" in page
    assert page.count("Tạo báo cáo") == 0  # the button stays in the notebook
    assert made.passport["parameters"]["place"] == commune
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".html", ".ipynb", ".json"]


def test_cautions_say_what_the_release_says(practice_home):
    import tkyt_analysis as tk
    from tkyt_analysis.notebook_cautions import cautions

    release = tk.open(practice_home).release
    deaths = release.query("SELECT * FROM death WHERE excluded = ''")
    unknown = format_number(100 * (deaths["age_group"] == "unknown").mean(), 1)
    said = cautions(tk.indicator("crude_death_rate", by="year")).sentences
    assert (
        label("notebook.caution.unknown_age_group", "vi", share=unknown, deaths=format_number(len(deaths))) in said
        or (deaths["age_group"] == "unknown").mean() < 0.01
    )
    assert label("notebook.caution.registration", "vi") in said

    due = release.query(
        "SELECT dataset_id, count(*) AS n FROM reporting WHERE expected GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    )
    dataset = due["dataset_id"].iloc[0]
    rows = release.query("SELECT expected, received FROM reporting WHERE dataset_id = ?", [dataset])
    share = rows["received"].sum() / rows["expected"].sum()
    said = cautions(tk.reporting(dataset, by=["month"])).sentences
    assert any(f"{format_number(100 * share, 1)} %" in one for one in said) == (share < 1)
    assert label("notebook.caution.registration", "vi") not in said  # nothing was asked about deaths


def test_a_period_after_the_last_data_is_said_not_to_be_whole(practice_home):
    import tkyt_analysis as tk
    from tkyt_analysis.notebook_cautions import cautions

    tk.open(practice_home)
    year = str(tk.release.release.manifest["data_as_of"])[:4]
    words = label("notebook.caution.not_whole", "vi", date="", last=f"31/12/{year}").split(",")[-1]
    said = cautions(tk.deaths(by="year", period=f"2024..{year}")).sentences
    assert any(words in one for one in said)
    assert not any("chưa trọn kỳ" in one for one in cautions(tk.deaths(by="year", period="2024")).sentences)


def test_a_folder_received_twice_changes_nothing_and_a_missing_one_is_named(practice_home, tmp_path, monkeypatch):
    from tkyt_analysis.notebook_receive import receive_folder

    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    folder = next(
        path for path in sorted((practice_home / "practice" / "received").iterdir()) if path.name == "facilities"
    )
    first = receive_folder(folder, tmp_path / "home")
    again = receive_folder(folder, tmp_path / "home")
    landed = sum(one["landed"] or 0 for one in first.files)
    assert landed > 0
    assert (
        label(
            "notebook.receive.done", "vi", files="0", received="0", landed="0", quarantined="0", again=len(first.files)
        )
        in again.outcome()
    )
    assert format_number(landed) in again.doors()
    with pytest.raises(InputError, match="no-such-folder"):
        receive_folder(tmp_path / "no-such-folder", tmp_path / "home")
