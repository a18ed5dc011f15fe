"""The command `tkyt check-panel`: a CSV panel in, findings out; no warehouse needed."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label


@click.command("check-panel", help=label("cli.check_panel"))
@click.argument("panel", type=click.Path(path_type=Path))
@click.option("--unit", required=True, help=label("cli.check_panel.unit"))
@click.option("--period", required=True, help=label("cli.check_panel.period"))
@click.option("--value", required=True, help=label("cli.check_panel.value"))
@click.option("--indicator", default=None, help=label("cli.check_panel.indicator"))
@click.option("--max-flags", type=float, default=None, help=label("cli.check_panel.max_flags"))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.check_panel.output"))
@click.option(
    "--fail-on", type=click.Choice(["error", "warning", "note"]), default=None, help=label("cli.check_panel.fail_on")
)
@json_option
def check_panel(
    panel: Path,
    unit: str,
    period: str,
    value: str,
    indicator: str | None,
    max_flags: float | None,
    output: Path,
    fail_on: str | None,
    as_json: bool,
) -> int:
    from tkyt_analysis.quality.panel_file import check_panel as check

    if max_flags is not None and not 0 < max_flags < 1:
        raise InputError("error.panel_share", found=max_flags)
    if not output.absolute().parent.is_dir():
        raise InputError("error.panel_no_folder", folder=output.absolute().parent)
    answer = check(panel, unit=unit, period=period, value=value, indicator=indicator, max_flags=max_flags)
    answer.findings.to_csv(output, index=False, encoding="utf-8", lineterminator="\n", float_format="%.10g")
    if as_json:
        print_json({**answer.summary, "output": output})
    else:
        _say(answer.summary, output)
    return int(fail_on is not None and _worst(answer.summary) >= ("note", "warning", "error").index(fail_on))


def _say(summary: dict[str, object], output: Path) -> None:
    from tkyt_analysis.quality.panel_summary import sentences

    for line in sentences(summary):
        click.echo(line)
    verdicts = summary["verdicts"]
    assert isinstance(verdicts, dict)
    print_table(
        [label("cli.check_panel.verdict"), label("cli.check_panel.count")],
        [[label(f"verdict.{name}"), format_number(count)] for name, count in verdicts.items()],
        numbers=(1,),
    )
    click.echo(label("cli.check_panel.done", output=output))


def _worst(summary: dict[str, object]) -> int:
    """2: a value that certainly cannot be (unreadable, negative); 1: probable errors; 0: shared changes; -1: nothing."""
    if summary["unreadable_values"] or summary["negative_values"]:
        return 2
    if summary["asked"]:
        return 1
    verdicts = summary["verdicts"]
    return 0 if isinstance(verdicts, dict) and verdicts.get("shock") else -1
