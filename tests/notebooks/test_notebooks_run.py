"""Every template notebook runs from its first cell to its last on the practice home."""

import os
import sys

import pytest
from support import REPOSITORY

from tkyt_analysis.labels import label
from tkyt_analysis.reference.periods import format_period

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.slow


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


def shown(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(str(output.get("data", {}).get("text/html", output.get("text", ""))) for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_to_its_end(path, tmp_path, practice_home):
    done = run(path, tmp_path, practice_home)
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    assert [cell.metadata["papermill"]["status"] for cell in code] == ["completed"] * len(code)
    assert "stderr" not in {output.get("name") for cell in code for output in cell.outputs}


def test_start_says_what_waits_and_which_release_is_read(tmp_path, practice_home):
    text = shown(run(REPOSITORY / "notebooks" / "00_start.ipynb", tmp_path, practice_home))
    assert (practice_home / "releases" / "CURRENT").read_text().strip() in text
    assert "Số liệu mô phỏng – không phải số liệu thật" in text
    assert os.fspath(practice_home) in text


def test_quality_ends_with_cautions_computed_from_the_data(tmp_path, practice_home):
    text = shown(run(REPOSITORY / "notebooks" / "20_quality.ipynb", tmp_path, practice_home))
    assert format_period("202512", "vi").lower() in text.lower()  # the latest month of the practice data
    assert text.index(label("report.quality.cautions", "vi")) > text.index(label("report.quality.ask", "vi"))
