"""`tkyt deaths va`: interviews into probable causes; `tkyt deaths va-compare`: two sets of causes of the same deaths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tkyt_analysis.cli.terminal import json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    import pandas as pd

    from mortality.verbal_autopsy.indicators import Indicators
    from mortality.verbal_autopsy.run import Causes

PATH = click.Path(path_type=Path)
LEVEL = click.Choice(["h", "l", "v"])
TOO_FEW_ASKED = 0.1  # share of indicators without a question from which results are not to be relied on
SHOWN = 12  # causes, indicators and values named on the screen


@click.command("va", help=label("cli.deaths.va"))
@click.argument("source", metavar="[IN.csv]", required=False, type=PATH)
@click.option("-o", "--output", type=PATH, help=label("cli.deaths.va.output"))
@click.option("--csmf", type=PATH, help=label("cli.deaths.va.csmf"))
@click.option("--changes", type=PATH, help=label("cli.deaths.va.changes"))
@click.option("--coverage", type=PATH, help=label("cli.deaths.va.coverage"))
@click.option("--indicators", "indicators_file", type=PATH, help=label("cli.deaths.va.indicators"))
@click.option("--results", type=PATH, help=label("cli.deaths.va.results"))
@click.option("--hiv", type=LEVEL, help=label("cli.deaths.va.hiv"))
@click.option("--malaria", type=LEVEL, help=label("cli.deaths.va.malaria"))
@click.option("--questionnaire", type=click.Choice(["2016", "2022"]), help=label("cli.deaths.va.questionnaire"))
@click.option(
    "--replicates", type=click.IntRange(1), default=1000, show_default=True, help=label("cli.deaths.va.replicates")
)
@click.option("--seed", type=int, default=20261123, show_default=True, help=label("cli.deaths.va.seed"))
@click.option("--home", type=PATH, default=None, help=label("cli.deaths.va.home"))
@json_option
def va(
    source: Path | None, output: Path | None, csmf: Path | None, changes: Path | None, coverage: Path | None,
    indicators_file: Path | None, results: Path | None, hiv: str | None, malaria: str | None, questionnaire: str | None,
    replicates: int, seed: int, home: Path | None, as_json: bool,
) -> None:  # fmt: skip
    from mortality.verbal_autopsy.run import fractions_table, write_table

    _require_targets(results, [output, csmf, changes, coverage, indicators_file])
    report = Report()
    levels: dict[str, set[str]] = {"hiv": set(), "malaria": set()}
    indicators, may_know = None, True
    if results is None or source is not None:
        indicators, levels, may_know = _interviews(source, home, questionnaire, report)
        _tell_coverage(indicators, report)
        _write({indicators_file: indicators.table, coverage: indicators.coverage})
    if output or csmf or changes:
        chosen = {name: (given, levels[name]) for name, given in (("hiv", hiv), ("malaria", malaria))}
        causes = _causes(results, indicators, chosen, may_know, report)
        _write({output: lambda: causes.table, changes: lambda: causes.changes})
        if csmf:
            write_table(fractions_table(causes, replicates=replicates, seed=seed), csmf)
    files = [str(path) for path in (output, csmf, changes, coverage, indicators_file) if path]
    if as_json:
        print_json(report.said | {"files": files})
        return
    for line in [*report.lines, label("verbal_autopsy.files", files=", ".join(files))]:
        click.echo(line)


@dataclass
class Report:
    """What the command says: for machines, and as sentences."""

    said: dict[str, object] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def _write(tables: dict[Path | None, Callable[[], pd.DataFrame]]) -> None:
    """Each table to its file, where one is wanted."""
    from mortality.verbal_autopsy.run import write_table

    for path, make in tables.items():
        if path:
            write_table(make(), path)


def _causes(
    results: Path | None,
    indicators: Indicators | None,
    levels: dict[str, tuple[str | None, set[str]]],
    may_know: bool,
    report: Report,
) -> Causes:
    """Causes of another program's table, or of the indicators; without those about HIV where they may not be known."""
    from mortality.verbal_autopsy.exchange import read_results
    from mortality.verbal_autopsy.run import causes_from_results, causes_of, choose_level, without_hiv

    if results is not None:
        causes = causes_from_results(read_results(results), indicators)
    else:
        assert indicators is not None
        causes = causes_of(indicators, **{name: choose_level(name, *pair) for name, pair in levels.items()})
    if not may_know:
        causes = without_hiv(causes)
        report.lines.append(label("verbal_autopsy.hiv_withheld", count=format_number(causes.withheld)))
        report.said["withheld"] = causes.withheld
    _tell_causes(causes, report, weighed=results is None)
    return causes


def _require_targets(results: Path | None, targets: list[Path | None]) -> None:
    if not any(targets):
        raise InputError("error.verbal_autopsy_no_target")
    if results is not None and any(targets[2:]):
        raise InputError("error.verbal_autopsy_results_only", results=results)


def _interviews(
    source: Path | None, home: Path | None, edition: str | None, report: Report
) -> tuple[Indicators, dict[str, set[str]], bool]:
    """The indicators of the file, or of the home where no file is named; the levels named; the right to HIV."""
    if source is not None:
        from mortality.verbal_autopsy.files import read_interviews

        return (*read_interviews(source, edition=edition), True)
    from mortality.verbal_autopsy.home import interviews_of_home
    from tkyt_analysis.settings import home_directory

    place = home.expanduser().absolute() if home else home_directory()
    found = interviews_of_home(place, edition=edition)
    if found is None:
        raise InputError("error.verbal_autopsy_none_in_home", home=place)
    if not found.hiv_answers:
        report.lines.append(label("verbal_autopsy.hiv_answers_unread"))
    return found.indicators, found.levels, found.may_know_hiv


def _tell_coverage(indicators: Indicators, report: Report) -> None:
    said, lines = report.said, report.lines
    coverage = indicators.coverage()
    counts = coverage["status"].value_counts()
    missing = coverage.loc[coverage["status"].eq("not_asked"), "indicator"].tolist()
    fields = {name: int(counts.get(name, 0)) for name in ("fed", "not_asked", "no_answer")}
    said |= {"interviews": len(indicators.ids), "questionnaire": indicators.edition, **fields}
    said["unread"] = indicators.unread.to_dict("records")
    numbers = {name: format_number(value) for name, value in fields.items()}
    lines.append(
        label(
            "verbal_autopsy.coverage",
            interviews=format_number(len(indicators.ids)),
            edition=indicators.edition,
            **numbers,
        )
    )
    if missing:
        lines.append(label("verbal_autopsy.not_asked", names=_some(missing)))
    if len(missing) > TOO_FEW_ASKED * len(coverage):
        lines.append(label("verbal_autopsy.few_questions", share=format_number(100 * len(missing) / len(coverage))))
    if len(indicators.unread):
        rows = [f"{row.question} = {row.value} ({row.times})" for row in indicators.unread.itertuples()]
        lines.append(
            label(
                "verbal_autopsy.unread", count=format_number(int(indicators.unread["times"].sum())), values=_some(rows)
            )
        )


def _tell_causes(causes: Causes, report: Report, *, weighed: bool) -> None:
    said, lines = report.said, report.lines
    table = causes.table
    undetermined = int(causes.summary["cause_1"].eq("").sum())
    said |= {"deaths": len(table), "undetermined": undetermined, "changes": len(causes.changes)}
    fields = {"deaths": len(table), "found": len(table) - undetermined, "undetermined": undetermined}
    lines.append(label("verbal_autopsy.done", **{name: format_number(value) for name, value in fields.items()}))
    most = table.loc[causes.summary["cause_1"].ne(""), "title_1"].value_counts().head(SHOWN)
    lines.extend(f"  {format_number(int(count)):>6}  {title}" for title, count in most.items())
    if weighed:
        lines.append(label("verbal_autopsy.changes", count=format_number(len(causes.changes))))
    if table["va_code_1"].eq("VAs-01.03").any():
        lines.append(label("verbal_autopsy.hiv_in_file"))


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} … (+{format_number(len(names) - SHOWN)})"


@click.command("va-compare", help=label("cli.deaths.va_compare"))
@click.argument("true", metavar="TRUE.csv", type=PATH)
@click.argument("found", metavar="FOUND.csv", type=PATH)
@click.option("--cause-column", default=None, help=label("cli.deaths.va_compare.column"))
@click.option("-o", "--output", type=PATH, help=label("cli.deaths.va_compare.output"))
@click.option(
    "--replicates", type=click.IntRange(1), default=1000, show_default=True, help=label("cli.deaths.va.replicates")
)
@click.option("--seed", type=int, default=20261123, show_default=True, help=label("cli.deaths.va.seed"))
@json_option
def va_compare(
    true: Path, found: Path, cause_column: str | None, output: Path | None, replicates: int, seed: int, as_json: bool
) -> None:
    from mortality.verbal_autopsy.comparison import compare_files
    from mortality.verbal_autopsy.run import write_table

    result = compare_files(true, found, column=cause_column, replicates=replicates, seed=seed)
    if output:
        write_table(result.causes, output)
    if as_json:
        rows = {"overall": result.overall.to_dict("records"), "causes": result.causes.to_dict("records")}
        print_json({"deaths": result.deaths, "alone": result.alone} | rows)
        return
    click.echo(label("verbal_autopsy.compared", deaths=format_number(result.deaths), alone=format_number(result.alone)))
    names = ["measure", "value", "lower", "upper"]
    measures = [
        [label(f"verbal_autopsy.measure.{row.measure}"), *_decimals(row.value, row.lower, row.upper)]
        for row in result.overall.itertuples()
    ]
    print_table([label(f"verbal_autopsy.column.{name}") for name in names], measures)
    causes = [
        [row.cause or label("verbal_autopsy.no_cause"), format_number(row.deaths), format_number(row.found), *_decimals(row.ccc, row.lower, row.upper)]
        for row in result.causes.itertuples()
    ]  # fmt: skip
    heads = ["cause", "deaths", "hits", "ccc", "lower", "upper"]
    print_table([label(f"verbal_autopsy.column.{name}") for name in heads], causes)


def _decimals(*numbers: float) -> list[str]:
    return [format_number(number, 3) for number in numbers]
