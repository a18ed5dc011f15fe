"""The Lab's files: templates and reports are only read, a copy is one's own, saving keeps the text and no output."""

import asyncio
import base64
import json
import os
import shutil

import pytest
from tornado.web import HTTPError

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.lab_clean import stripped
from tkyt_analysis.lab_contents import WorkContents
from tkyt_analysis.lab_folders import (
    copy_to_work,
    folder_name,
    lab_directory,
    prepare_folders,
    templates,
    work_directory,
)
from tkyt_analysis.lab_settings import (
    SHORTEST_TOKEN,
    lab_arguments,
    lab_environment,
    lab_token,
    page_configuration,
    settings_overrides,
)
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.settings import REPOSITORY

SECRET = "012345678901"
MINE, TEMPLATES, REPORTS = folder_name("mine"), folder_name("templates"), folder_name("reports")
TEMPLATE = f"{TEMPLATES}/00_start.ipynb"


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("lab") / "home"
    prepare_home(home, practice=True)
    return home


@pytest.fixture
def home(empty_home, tmp_path):
    return shutil.copytree(empty_home, tmp_path / "home", symlinks=True)


@pytest.fixture
def contents(home):
    return WorkContents(root_dir=str(prepare_folders(home)))


def do(step):
    return asyncio.run(step)


def notebook(source="x=1", output=SECRET):
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}]
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": outputs, "execution_count": 1}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}


def everything(home):
    """All that lies in the user's part of the home as one text."""
    files = [path for path in work_directory(home).rglob("*") if path.is_file()]
    return "\n".join(path.read_text("utf-8", "replace") for path in files)


def save(contents, path, content):
    return do(contents.save({"type": "notebook", "format": "json", "content": content}, path))


def test_a_saved_notebook_has_its_text_formatted_no_output_and_a_twin_to_review(contents, home):
    save(contents, f"{MINE}/a.ipynb", notebook("x=1  # ghi chú"))
    assert "x = 1  # ghi chú" in (work_directory(home) / "a.ipynb").read_text("utf-8")
    assert "x = 1  # ghi chú" in (work_directory(home) / "py" / "a.py").read_text("utf-8")
    assert (work_directory(home) / ".ipynb_checkpoints" / "a-checkpoint.ipynb").exists()
    assert SECRET not in everything(home)


def test_a_change_made_in_the_twin_is_in_the_notebook_when_it_is_opened_again(contents, home):
    save(contents, f"{MINE}/a.ipynb", notebook("x = 1"))
    twin, own = work_directory(home) / "py" / "a.py", work_directory(home) / "a.ipynb"
    twin.write_text(twin.read_text("utf-8").replace("x = 1", "x = 2"), "utf-8")
    later = own.stat().st_mtime + 5
    os.utime(twin, (later, later))
    assert do(contents.get(f"{MINE}/a.ipynb"))["content"]["cells"][0]["source"] == "x = 2"


@pytest.mark.parametrize("form", ["text", "base64"])
def test_an_uploaded_notebook_is_stripped_too(contents, home, form):
    body = json.dumps(notebook())
    content = base64.b64encode(body.encode()).decode() if form == "base64" else body
    do(contents.save({"type": "file", "format": form, "content": content}, f"{MINE}/b.ipynb"))
    assert SECRET not in everything(home)
    assert "x=1" in everything(home)


def test_a_large_notebook_that_arrives_in_pieces_is_stripped_at_its_end(contents, home):
    body = json.dumps(notebook(source="y = '" + "a" * 3000 + "'"))
    pieces = [body[:1000], body[1000:2000], body[2000:]]
    for chunk, piece in zip((1, 2, -1), pieces):
        model = {"type": "file", "format": "text", "content": piece, "chunk": chunk}
        do(contents.save(model, f"{MINE}/c.ipynb"))
    assert SECRET not in everything(home)
    assert "a" * 3000 in everything(home)


def test_a_renamed_file_that_becomes_a_notebook_is_stripped(contents, home):
    (work_directory(home) / "d.txt").write_text(json.dumps(notebook()), "utf-8")
    do(contents.rename(f"{MINE}/d.txt", f"{MINE}/d.ipynb"))
    assert SECRET not in everything(home)


def test_another_file_is_saved_as_it_is(contents, home):
    do(contents.save({"type": "file", "format": "text", "content": "x=1\n"}, f"{MINE}/m.py"))
    assert (work_directory(home) / "m.py").read_text("utf-8") == "x=1\n"


def refused(step):
    with pytest.raises(HTTPError) as caught:
        do(step)
    assert caught.value.status_code == 403
    return caught.value.log_message


@pytest.mark.parametrize("path", [TEMPLATE, f"/{TEMPLATE}", f"{TEMPLATES}/new.ipynb", f"{MINE}/../{TEMPLATE}"])
def test_a_template_cannot_be_written_and_a_sentence_says_what_to_do(contents, path, home):
    before = {name: one.read_bytes() for name, one in templates().items()}
    said = refused(contents.save({"type": "notebook", "content": notebook()}, path))
    assert MINE in said
    for step in (
        contents.delete(TEMPLATE), contents.rename(TEMPLATE, f"{MINE}/x.ipynb"), contents.rename(f"{MINE}/x.ipynb", TEMPLATE),
        contents.create_checkpoint(TEMPLATE), contents.restore_checkpoint("checkpoint", TEMPLATE),
    ):  # fmt: skip
        refused(step)
    shown = lab_directory(home) / TEMPLATES
    assert {one.name: one.read_bytes() for one in shown.glob("*.ipynb")} == before
    assert {name: one.read_bytes() for name, one in templates().items()} == before


def test_reports_and_guides_are_read_only_and_the_work_folder_stays(contents):
    for path in (f"{REPORTS}/x.html", f"{folder_name('docs')}/workbench.md", "x.ipynb"):
        refused(contents.save({"type": "file", "format": "text", "content": "x"}, path))
    refused(contents.delete(MINE))


def test_the_browser_is_told_what_may_be_written(contents):
    save(contents, f"{MINE}/a.ipynb", notebook())
    assert do(contents.get(TEMPLATE, content=False))["writable"] is False
    assert do(contents.get(TEMPLATE))["writable"] is False
    assert do(contents.get(f"{MINE}/a.ipynb"))["writable"] is True
    assert do(contents.get(MINE, content=False))["writable"] is True
    assert {one["name"]: one["writable"] for one in do(contents.get(""))["content"]} == {
        MINE: True, TEMPLATES: False, REPORTS: False, folder_name("docs"): False,
    }  # fmt: skip


def test_a_copy_of_a_template_lands_in_my_work_and_a_second_one_gets_a_number(contents, home):
    made = [do(contents.copy(TEMPLATE, folder))["path"] for folder in (MINE, TEMPLATES, None)]
    assert made == [f"{MINE}/00_start.ipynb", f"{MINE}/00_start (2).ipynb", f"{MINE}/00_start (3).ipynb"]
    assert [do(contents.get(path))["writable"] for path in made] == [True] * 3


def test_what_is_new_begins_in_my_work_wherever_the_user_looks(contents):
    for folder in ("", TEMPLATES, MINE):
        assert do(contents.new_untitled(folder, type="notebook"))["path"].startswith(f"{MINE}/")


def test_deleting_a_notebook_takes_its_twin_along(home):
    contents = WorkContents(root_dir=str(prepare_folders(home)), delete_to_trash=False)
    save(contents, f"{MINE}/a.ipynb", notebook())
    do(contents.delete(f"{MINE}/a.ipynb"))
    assert not (work_directory(home) / "py" / "a.py").exists()


def test_the_command_copies_too_and_never_overwrites(home):
    first, second = copy_to_work("00_start", home), copy_to_work("00_start.ipynb", home)
    assert (first.name, second.name) == ("00_start.ipynb", "00_start (2).ipynb")
    assert REPOSITORY not in first.parents
    first.write_text("của tôi", "utf-8")
    assert copy_to_work("00_start", home).name == "00_start (3).ipynb"
    assert first.read_text("utf-8") == "của tôi"
    with pytest.raises(InputError, match="00_start"):
        copy_to_work("99_none", home)


def test_my_work_is_my_own_and_survives_the_next_start(home):
    prepare_folders(home)
    (work_directory(home) / "a.txt").write_text("của tôi", "utf-8")
    root = prepare_folders(home)
    assert (work_directory(home) / "a.txt").read_text("utf-8") == "của tôi"
    assert root.stat().st_mode & 0o077 == 0
    assert not any(path.stat().st_mode & 0o222 for path in (root / TEMPLATES).glob("*.ipynb"))


def test_templates_carry_no_outputs():
    for path in templates().values():
        content = json.loads(path.read_text("utf-8"))
        assert stripped(content) == content, path.name


def test_an_empty_or_short_token_is_refused(monkeypatch):
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    assert len(lab_token()) >= 32
    assert lab_token() != lab_token()
    for short in ("", "   ", "x" * (SHORTEST_TOKEN - 1)):
        monkeypatch.setenv("JUPYTER_TOKEN", short)
        with pytest.raises(UsageError, match="JUPYTER_TOKEN"):
            lab_token()


def test_the_server_is_told_to_keep_to_this_machine_and_to_ask_nobody(home, tmp_path):
    arguments = lab_arguments(home, port=1, open_browser=False)
    assert "--ServerApp.ip=127.0.0.1" in arguments
    assert not [one for one in arguments if "token" in one.lower()]  # others of the machine see command lines
    assert lab_environment(home, "x" * 20, tmp_path)["JUPYTER_NO_CONFIG"] == "1"
    assert shutil.which(
        "tkyt", path=lab_environment(home, "x" * 20, tmp_path)["PATH"]
    )  # what the start page tells to run
    away = page_configuration("vi")["disabledExtensions"]
    assert away["@jupyterlab/extensionmanager-extension"]
    assert away["@jupyterlab/apputils-extension:announcements"]
    assert settings_overrides("vi")["@jupyterlab/docmanager-extension:plugin"]["autosaveInterval"] <= 15


def test_a_backup_of_the_home_takes_my_work_along_and_follows_no_link_out_of_it(contents, home):
    from tkyt_analysis.warehouse.backup_sources import _walk

    save(contents, f"{MINE}/a.ipynb", notebook())
    taken = [path for path in _walk(home, "") if path.startswith("notebooks/")]
    account = lab_directory(home).name
    assert f"notebooks/{account}/{MINE}/a.ipynb" in taken
    assert not [path for path in taken if f"/{folder_name('docs')}/" in path or f"/{REPORTS}/" in path]
