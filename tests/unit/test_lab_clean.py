"""What is saved of a notebook: every word its user wrote, nothing that running it made."""

import ast
import copy
import json
import os
import signal
import subprocess
import sys
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.lab_clean import clean_file, clean_folder, cleaned, cleaned_text, formatted, stripped

SECRET = "012345678901"  # stands for an identity number in an output


def code(source, **more):
    outputs = [{"output_type": "stream", "name": "stdout", "text": SECRET}]
    metadata = {"tags": ["parameters"], "execution": {"shell.execute_reply": SECRET}}
    return {
        "cell_type": "code", "id": "a", "source": source, "outputs": outputs, "execution_count": 3, "metadata": metadata,
    } | more  # fmt: skip


def text(source, kind="markdown"):
    return {"cell_type": kind, "id": "b", "source": source, "metadata": {}}


def notebook(*cells, **metadata):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def test_outputs_counts_widget_states_and_records_of_runs_are_not_saved():
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"1": {"value": SECRET}}}}
    run = {"parameters": {"name": SECRET}}
    clean = cleaned(notebook(code("x = 1"), widgets=state, papermill=run, title="Tiêu đề"))
    assert SECRET not in json.dumps(clean)
    assert clean["cells"][0]["outputs"] == []
    assert clean["cells"][0]["execution_count"] is None
    assert clean["cells"][0]["metadata"] == {"tags": ["parameters"]}
    assert clean["metadata"] == {"title": "Tiêu đề"}


def test_code_is_formatted_and_a_cell_that_does_not_parse_is_saved_as_it_is():
    broken = "đang  viết dở (  ["
    clean = cleaned(notebook(code("x=1"), code(broken), code("y =  {'a':2}")))
    assert [cell["source"] for cell in clean["cells"]] == ["x = 1", broken, 'y = {"a": 2}']


def test_magics_and_other_languages_stay_as_they_are():
    assert formatted(["%%sql\nselect   1", "!ls  -l", "x  = 1"]) == ["%%sql\nselect   1", "!ls  -l", "x = 1"]
    other = notebook(code("x<-1"), kernelspec={"language": "R"})
    assert cleaned(other)["cells"][0]["source"] == "x<-1"


def test_a_document_text_of_a_function_is_not_changed_by_formatting():
    source = 'def f():\n  """Hai dòng,\n  thụt vào.   """\n  return  1'
    assert ast.dump(ast.parse(formatted([source])[0])) == ast.dump(ast.parse(source))


LINES = st.lists(st.sampled_from(
    ["x=1", "if x :", "  y=[1,2 , 3]", "", "# ghi chú  có dấu", "print( 'Hà Nội' )", "s = '''a", "b'''", "%time x", "def f( a,b ):",
     "    return a+b", "\tz = 2", "@", "x = 5 ;", "lambda", "\u2028", "đ = 'ệ'"]), max_size=7).map("\n".join)  # fmt: skip
SOURCES = st.one_of(LINES, st.text(max_size=60))
CELLS = st.lists(
    st.one_of(SOURCES.map(code), st.text(max_size=40).map(text), st.text(max_size=9).map(lambda one: text(one, "raw"))), max_size=5
)  # fmt: skip


def letters(source):
    """Everything but white space, quotes and the commas and brackets that a formatter may add."""
    return "".join(character for character in source if not character.isspace() and character not in "\"'(),;")


@settings(max_examples=60)
@given(CELLS)
def test_saving_loses_nothing_that_the_user_wrote(cells):
    given_notebook = notebook(*cells)
    before = copy.deepcopy(given_notebook)
    clean = cleaned(given_notebook)
    assert given_notebook == before  # what is open on the screen is not touched
    assert [cell["cell_type"] for cell in clean["cells"]] == [cell["cell_type"] for cell in cells]
    for old, new in zip(cells, clean["cells"]):
        if old["cell_type"] != "code":
            assert new["source"] == old["source"]
            continue
        assert new["outputs"] == []
        assert letters(new["source"]) == letters(old["source"])
        try:
            meaning = ast.dump(ast.parse(old["source"]))
        except (SyntaxError, ValueError):
            continue
        assert ast.dump(ast.parse(new["source"])) == meaning


@settings(max_examples=25)
@given(CELLS)
def test_saving_twice_is_saving_once(cells):
    once = cleaned(notebook(*cells))
    assert stripped(cleaned(once)) == stripped(cleaned(cleaned(once)))


@given(st.text(max_size=80))
def test_a_text_that_is_no_notebook_is_kept_to_the_letter(content):
    assert cleaned_text(content) == content


def test_notebooks_that_came_by_another_way_are_stripped_checkpoints_too(tmp_path):
    folder = tmp_path / "a" / ".ipynb_checkpoints"
    folder.mkdir(parents=True)
    for path in (tmp_path / "b.ipynb", folder / "b-checkpoint.ipynb"):
        path.write_text(json.dumps(notebook(code("x=1"), text("chữ của tôi"))), "utf-8")
    (tmp_path / "half.ipynb").write_text('{"cells": [', "utf-8")
    assert len(clean_folder(tmp_path)) == 2
    assert not [path for path in tmp_path.rglob("*.ipynb") if SECRET in path.read_text("utf-8")]
    assert "chữ của tôi" in (tmp_path / "b.ipynb").read_text("utf-8")
    assert "x=1" in (tmp_path / "b.ipynb").read_text("utf-8")
    assert (tmp_path / "half.ipynb").read_text("utf-8") == '{"cells": ['
    assert clean_folder(tmp_path) == []


def test_what_a_killed_save_left_behind_goes_after_an_hour_and_no_sooner(tmp_path):
    old, young = tmp_path / ".a.ipynb.1234.part", tmp_path / ".b.ipynb.1234.part"
    for path in (old, young):
        path.write_text("x", "utf-8")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    clean_folder(tmp_path)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_file_that_is_not_there_has_no_outputs(tmp_path):
    assert not clean_file(tmp_path / "none.ipynb")


WRITER = """
import itertools, json, sys
from pathlib import Path
from tkyt_analysis.lab_contents import replacing
for number in itertools.count():
    with replacing(Path(sys.argv[1])) as file:
        file.write(json.dumps({"number": number, "text": "chữ " * 200_000, "end": number}, ensure_ascii=False))
    print(number, flush=True)
"""


def test_a_kill_in_the_middle_of_saving_leaves_a_whole_file(tmp_path):
    path = tmp_path / "việc.ipynb"
    for wait in (0.05, 0.013, 0.029):
        child = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        child.stdout.readline()
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        said = [int(line) for line in child.communicate()[0].split()]
        found = json.loads(path.read_text("utf-8"))
        assert found["number"] == found["end"] >= max(said, default=0)
    assert path.stat().st_mode & 0o077 == 0
