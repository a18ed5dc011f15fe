"""The documentation tells the truth: its commands exist, its links lead somewhere, its worked example runs."""

import re
import shlex

import click
import pytest
from support import REPOSITORY

from tkyt_analysis.cli.commands import tkyt

PAGES = sorted(
    [
        *(REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "benchmarks/README.md")),
        *(REPOSITORY / "docs").rglob("*.md"),
    ]
)
GUIDE = REPOSITORY / "docs" / "huong_dan.md"
ANYWHERE = {"--language", "--debug"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
NAMED = re.compile(
    r"`((?:docs|tools|benchmarks|data_catalog|tkyt_analysis|mortality|tests|notebooks|voila_apps)/[\w./-]+)`"
)


def ids(path):
    return path.relative_to(REPOSITORY).as_posix()


def commands(text):
    """The `tkyt` command lines of a page: in fenced blocks and in code spans."""
    blocks = [body for language, body in FENCE.findall(text) if language in ("sh", "tkyt", "")]
    lines = [line.strip() for body in blocks for line in body.replace("\\\n", " ").splitlines()]
    spans = re.findall(r"`(tkyt [^`]+)`", FENCE.sub("", text))
    return [line for line in [*lines, *spans] if line.startswith("tkyt ")]


def problems_of(line):
    """What is wrong with a command line: unknown commands and options."""
    words = shlex.split(line, comments=True)[1:]
    command, path = tkyt, ["tkyt"]
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        path.append(words.pop(0))
        found = command.get_command(click.Context(command), path[-1])
        if found is None:
            return [f"{' '.join(path)} does not exist"]
        command = found
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"} | ANYWHERE
    options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return [f"{' '.join(path)} has no option {name}" for name in options if name not in known]


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_command_and_option_of_a_page_exists(path):
    said = [f"{line}: {problem}" for line in commands(path.read_text("utf-8")) for problem in problems_of(line)]
    assert said == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("tkyt ingst DIR", "tkyt ingst does not exist"),
        ("tkyt report rum x", "tkyt report rum does not exist"),
        ("tkyt publish --asof 3", "tkyt publish has no option --asof"),
        ('tkyt explain "a|b" --row 3', "tkyt explain has no option --row"),
    ],
)
def test_a_mistyped_command_would_be_found(line, problem):
    assert problems_of(line) == [problem]


def test_the_guide_uses_the_commands_of_the_daily_work():
    used = {shlex.split(line)[1] for line in commands(GUIDE.read_text("utf-8"))}
    assert {"init", "ingest", "check", "publish", "report", "explain", "status", "deaths", "catalog"} <= used


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_links_pictures_and_named_files_exist(path):
    text = FENCE.sub("", path.read_text("utf-8"))
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    own = [path.parent / target for target in targets if target and ":" not in target]
    own += [REPOSITORY / name for name in NAMED.findall(text) if "*" not in name]
    assert [str(target) for target in own if not target.exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_links_within_a_page_meet_a_heading(path):
    text = path.read_text("utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).strip().replace(" ", "-")
        for line in FENCE.sub("", text).splitlines()
        if line.startswith("#")
    }
    assert [name for name in re.findall(r"\]\(#([^)]+)\)", text) if name not in headings] == []


def test_make_commands_of_the_pages_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in PAGES:
        text = path.read_text("utf-8")
        named = re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)
        assert [name for name in named if name not in targets] == [], path


def test_the_worked_example_of_the_guide_gives_what_the_guide_says(tmp_path, monkeypatch):
    from tkyt_analysis.catalog import catalog_problems
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.pipeline import prepare_home
    from tkyt_analysis.warehouse.lake import Warehouse

    examples = REPOSITORY / "docs" / "examples"
    entry = (examples / "catalog" / "datasets" / "kham_benh_tram.yaml").read_text("utf-8").strip()
    assert entry in GUIDE.read_text("utf-8")
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(examples / "catalog"))
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    assert catalog_problems() == []
    prepare_home(tmp_path / "home")
    result = ingest(tmp_path / "home", [examples / "received"])
    assert [result.total(name) for name in ("received", "landed", "quarantined", "notes")] == [7, 4, 3, 2]
    with Warehouse(tmp_path / "home") as warehouse:
        rows = warehouse.query(
            "SELECT unit_id, element_id, value, value_as_written FROM lake.aggregate_value ORDER BY 1, 2"
        )
        refused = warehouse.query("SELECT row_number, value, reason FROM lake.quarantine ORDER BY row_number, value")
    assert rows.to_numpy().tolist() == [
        ["VN2025:21115", "LUOT_CHUYEN_TUYEN", 12, "12"],
        ["VN2025:21115", "LUOT_KHAM", 1184, "1.184"],
        ["VN2025:21124", "LUOT_CHUYEN_TUYEN", 12, "12 ca"],
        ["VN2025:21124", "LUOT_KHAM", 903, "903"],
    ]
    assert sorted(refused["reason"]) == ["places.unknown_unit", "places.unknown_unit", "quarantine.unit_unknown"]


def test_the_documentation_pages_are_whole_and_load_nothing(tmp_path, monkeypatch):
    import runpy
    import sys

    monkeypatch.setattr(sys, "argv", ["make_docs.py", "--output", str(tmp_path)])
    runpy.run_path(str(REPOSITORY / "tools" / "make_docs.py"), run_name="__main__")
    pages = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.html")}
    wanted = {
        "index.html",
        "huong_dan.html",
        "catalog.html",
        "catalog_en.html",
        "catalog_rules.html",
        "catalog_spec.html",
    }
    assert wanted <= set(pages)
    for name, text in pages.items():
        assert not re.search(r'(src|href)="(https?:)?//[^"]*\.(js|css|png|woff)', text), name
        body = re.sub(r"<(style|script).*?</\1>", "", text, flags=re.DOTALL)
        links = [link.split("#")[0] for link in re.findall(r'href="([^"#:]+(?:#[^"]*)?)"', body)]
        absent = [
            link for link in links if link not in pages and not (REPOSITORY / link.removeprefix("../../")).exists()
        ]
        assert absent == [], name


def test_catalog_pages_show_every_entry_and_its_unverified_mark(tmp_path, monkeypatch):
    import importlib

    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    from tkyt_analysis.catalog import load_entries

    docs_catalog = importlib.import_module("docs_catalog")
    pages = {name: body for name, _, body, _ in docs_catalog.catalog_pages()}
    for kind in ("datasets", "forms", "indicators", "rules", "cause_lists"):
        for language in ("", "_en"):
            for identifier in load_entries(kind):
                assert f'id="{identifier}"' in pages[f"catalog_{kind}{language}.html"]
    marked = [one for one in load_entries("indicators").values() if any(at.unverified for at in one.sources.values())]
    assert pages["catalog_indicators.html"].count("chưa đối chiếu</span>") == len(marked)
    assert pages["catalog_indicators_en.html"].count("unverified</span>") == len(marked)
