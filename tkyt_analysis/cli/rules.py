"""`tkyt rule`: the quality rules of the catalog: list, show, test their examples, DHIS2 in and out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import json_option, print_json, print_table
from tkyt_analysis.labels import current_language, format_number, label


@click.group(help=label("cli.rule"))
def rule() -> None:
    """Quality rules."""


def own_home_option(command: Any) -> Any:
    """`--home DIR` without a default: the catalog is enough for most questions."""
    return click.option(
        "--home", type=click.Path(path_type=Path, exists=True), default=None, help=label("cli.rule.home")
    )(command)


@rule.command("list", help=label("cli.rule.list"))
@click.option("--detects", default=None, help=label("cli.rule.detects"))
@click.option("--kind", type=click.Choice(["expression", "python"]), default=None, help=label("cli.rule.kind"))
@own_home_option
@json_option
def list_rules(detects: str | None, kind: str | None, home: Path | None, as_json: bool) -> None:
    from tkyt_analysis.quality.rules.describe import last_coverage, summary
    from tkyt_analysis.quality.run import all_rules

    covered = last_coverage(home) if home else {}
    chosen = [one for one in all_rules() if (not kind or one.kind == kind) and (not detects or detects in one.detects)]
    lines = [summary(one) | covered.get(one.id, {}) for one in chosen]
    if as_json:
        print_json(lines)
        return
    names = ["rule", "version", "severity", "level", "window", "missing", "detects"]
    names += ["judged", "total", "findings"] if home else []
    print_table(
        [label(f"rule.column.{name}") for name in names], [[_cell(one.get(name)) for name in names] for one in lines]
    )
    click.echo(label("cli.rule.listed", count=format_number(len(lines))))


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return format_number(value) if isinstance(value, int) else str(value) if value not in (None, "") else "–"


@rule.command("show", help=label("cli.rule.show"))
@click.argument("rule_id", metavar="ID")
@own_home_option
@json_option
def show(rule_id: str, home: Path | None, as_json: bool) -> None:
    from tkyt_analysis.catalog import load_entry
    from tkyt_analysis.quality.rules.describe import details, last_coverage

    found = load_entry("rules", rule_id)
    said = details(found) | (last_coverage(home).get(rule_id, {}) if home else {})
    if as_json:
        print_json(said)
        return
    click.echo(found.title[current_language()])
    rows = [[label(f"rule.column.{name}"), _cell(value)] for name, value in said.items() if name != "title"]
    print_table(["", ""], [row for row in rows if row[1] != "–"])


@rule.command("test", help=label("cli.rule.test"))
@click.argument("rule_id", metavar="[ID]", required=False)
@json_option
def test(rule_id: str | None, as_json: bool) -> None:
    from tkyt_analysis.catalog import load_entry
    from tkyt_analysis.quality.rules.examples import example_results
    from tkyt_analysis.quality.run import all_rules

    chosen = [load_entry("rules", rule_id)] if rule_id else [one for one in all_rules() if one.kind == "expression"]
    lines = [{"rule": one.id} | line for one in chosen if one.kind == "expression" for line in example_results(one)]
    wrong = [line for line in lines if not line["passed"]]
    if as_json:
        print_json(lines)
    else:
        shown = lines if rule_id else wrong
        columns = ("rule", "example", "wanted", "judged", "by_hand")
        if shown:
            rows = [
                [line["rule"], str(line["example"]), *(label(f"rule.outcome.{line[name]}") for name in columns[2:])]
                for line in shown
            ]
            print_table([label(f"rule.column.{name}") for name in columns], rows)
        about = {"count": format_number(len(lines)), "wrong": format_number(len(wrong))}
        click.echo(label("cli.rule.tested", **about) if lines else label("cli.rule.no_examples"))
    raise SystemExit(1 if wrong else 0)


@rule.command("import", help=label("cli.rule.import"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help=label("cli.rule.import.output"))
@own_home_option
@json_option
def import_(file: Path | None, output: Path, home: Path | None, as_json: bool) -> None:
    from tkyt_analysis.errors import InputError
    from tkyt_analysis.quality.rules.describe import received_rules
    from tkyt_analysis.quality.rules.dhis2_import import import_rules, read_metadata, write_rules

    if (file is None) == (home is None):
        raise InputError("error.rule.one_source")
    if home is not None:
        metadata, source = received_rules(home), "DHIS2"
    else:
        assert file is not None
        metadata, source = read_metadata(file), f"DHIS2: {file.name}"
    result = import_rules(metadata, source=source)
    files = write_rules(result.rules, output)
    if as_json:
        print_json({"written": [str(path) for path in files], "refused": _refused(result.refused)})
        return
    click.echo(label("cli.rule.imported", count=format_number(len(files)), folder=str(output)))
    _say_refused(result.refused)


@rule.command("export", help=label("cli.rule.export"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.rule.export.output"))
@click.option("--rule", "rules", multiple=True, help=label("cli.rule.export.rule"))
@own_home_option
@json_option
def export(output: Path | None, rules: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    import json

    from tkyt_analysis.catalog import load_entry
    from tkyt_analysis.quality.rules.describe import element_codes
    from tkyt_analysis.quality.rules.dhis2_export import export_rules
    from tkyt_analysis.quality.run import all_rules

    chosen = [load_entry("rules", name) for name in rules] if rules else all_rules()
    metadata, refused = export_rules(chosen, codes=element_codes(home) if home else None)
    text = json.dumps(metadata, ensure_ascii=False, indent=1)
    if output is None:
        click.echo(text)
        return
    output.write_text(text + "\n", "utf-8")
    if as_json:
        print_json({"file": str(output), "rules": len(metadata["validationRules"]), "refused": _refused(refused)})
        return
    click.echo(label("cli.rule.exported", count=format_number(len(metadata["validationRules"])), file=str(output)))
    _say_refused(refused)


def _refused(refused: Iterable[Any]) -> list[dict[str, str]]:
    return [{"rule": one.id, "name": one.name, "reason": one.reason} for one in refused]


def _say_refused(refused: Iterable[Any]) -> None:
    for one in refused:
        click.echo(label("cli.rule.refused", rule=one.id, name=one.name, reason=one.reason))
