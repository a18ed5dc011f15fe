"""A report run succeeds only if it really did: wrong parameters, failing cells and killed kernels are said and publish nothing."""

import json
import shutil

import pytest

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.reports import runner, templates
from tkyt_analysis.warehouse.release import publish

PARAMETERS = """\
id: {name}
title:
  vi: "Thử"
  en: "Trial"
purpose:
  vi: "Thử"
  en: "Trial"
parameters:
  place:
    type: place
    title:
      vi: "Nơi"
      en: "Place"
  language:
    type: language
    default: vi
    title:
      vi: "Ngôn ngữ"
      en: "Language"
"""
LAST = 'from tkyt_analysis.reports.runner import finish_report\nfinish_report({"place": place})'


def notebook(*sources):
    cells = [("parameters", 'place = ""\nlanguage = "vi"\nhome = ""\nrelease = ""'), *(("", one) for one in sources)]
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {"tags": [tag] if tag else []},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (tag, source) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """An empty home with a release."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "key"))
        home = tmp_path_factory.mktemp("home") / "home"
        prepare_home(home)
        publish(home)
    return home


@pytest.fixture
def home(published, tmp_path):
    shutil.copytree(published, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def template(tmp_path, monkeypatch):
    monkeypatch.setattr(templates, "templates_directory", lambda: tmp_path / "templates")

    def make(*sources, name="trial"):
        folder = tmp_path / "templates" / name
        folder.mkdir(parents=True)
        (folder / "parameters.yaml").write_text(PARAMETERS.format(name=name), "utf-8")
        (folder / "template.ipynb").write_text(json.dumps(notebook(*sources)), "utf-8")
        return name

    return make


def finished(home):
    return sorted(path.name for path in (home / "reports").glob("*") if path.is_file())


def test_a_report_leaves_page_notebook_and_passport(home, template):
    run = runner.run_report(home, template('print("made")', LAST), {"place": "VN2025:01"})
    assert finished(home) == ["trial_VN2025-01.html", "trial_VN2025-01.ipynb", "trial_VN2025-01.json"]
    passport = json.loads(run.html.with_suffix(".json").read_text("utf-8"))
    assert passport["parameters"] == {"place": "VN2025:01", "language": "vi"}
    assert {"release", "snapshot", "catalog_version", "code_version", "data_as_of"} <= set(passport)


def test_a_province_code_stays_text_with_its_leading_zero(home, template):
    name = template('assert place == "VN2025:01", place', LAST)
    assert runner.run_report(home, name, {"place": "VN2025:01"}).html.exists()


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"place": "VN2025:01", "yaer": 2025}, "error.parameter_unknown"),
        ({}, "error.parameter_missing"),
        ({"place": "01"}, "error.parameter_type"),
        ({"place": "VN2025:01", "language": "fr"}, "error.parameter_type"),
    ],
)
def test_undeclared_missing_and_ill_typed_parameters_are_refused_before_anything_runs(home, template, given, key):
    name = template(LAST)
    with pytest.raises(InputError) as caught:
        runner.run_report(home, name, given)
    assert caught.value.key == key
    assert finished(home) == []


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ('raise ValueError("no such place")', {"error.report_cell"}),
        ("import sys; sys.exit(3)", {"error.report_cell"}),
        ("import sys; sys.exit(0)", {"error.report_cell", "error.report_unfinished", "error.report_no_result"}),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            {"error.report_kernel", "error.report_unfinished", "error.report_no_result"},
        ),
    ],
    ids=["raise", "exit 3", "exit 0", "killed kernel"],
)
def test_a_run_that_did_not_reach_its_end_is_a_failure_and_publishes_nothing(home, template, source, keys):
    name = template(source, LAST)
    with pytest.raises(ProcessingError) as caught:
        runner.run_report(home, name, {"place": "VN2025:01"})
    assert caught.value.key in keys
    assert finished(home) == []
    assert list((home / "reports" / "failed").iterdir())


def test_the_failing_cell_and_its_problem_are_named(home, template):
    name = template("x = 1", 'raise ValueError("no such place")', LAST)
    with pytest.raises(ProcessingError) as caught:
        runner.run_report(home, name, {"place": "VN2025:01"})
    assert "ValueError: no such place" in caught.value.sentence("en")
    assert "3" in caught.value.sentence("en")


def test_a_notebook_without_its_last_cell_does_not_count_as_done(home, template):
    with pytest.raises(ProcessingError) as caught:
        runner.run_report(home, template("x = 1"), {"place": "VN2025:01"})
    assert caught.value.key == "error.report_no_result"


def test_a_failed_run_leaves_the_earlier_report_as_it_was(home, template, tmp_path):
    first = runner.run_report(home, template(LAST), {"place": "VN2025:01"})
    before = first.html.read_bytes()
    broken = notebook('raise ValueError("now it fails")', LAST)
    (tmp_path / "templates" / "trial" / "template.ipynb").write_text(json.dumps(broken), "utf-8")
    with pytest.raises(ProcessingError):
        runner.run_report(home, "trial", {"place": "VN2025:01"})
    assert first.html.read_bytes() == before


def test_an_unknown_report_names_the_known_ones(home, template):
    template(LAST)
    with pytest.raises(InputError, match="trial"):
        runner.run_report(home, "trail", {})
