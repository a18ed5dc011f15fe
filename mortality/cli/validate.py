"""`tkyt deaths validate`: death records judged in files, or in the warehouse where none is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tkyt_analysis.cli.terminal import ProgressBar, json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from mortality.validation.file import Validation

LEVELS = {"error": ("error",), "warning": ("error", "warning"), "note": ("error", "warning", "note")}


@click.command("validate", help=label("cli.deaths.validate"))
@click.argument("files", nargs=-1, metavar="[IN.csv|BOOK.xlsx …]", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.deaths.validate.output"))
@click.option("--columns", multiple=True, metavar="FIELD=HEADING[+HEADING]", help=label("cli.deaths.validate.columns"))
@click.option("--home", type=click.Path(path_type=Path), default=None, help=label("cli.deaths.validate.home"))
@click.option("--fail-on", type=click.Choice(list(LEVELS)), default=None, help=label("cli.deaths.validate.fail_on"))
@json_option
def validate(
    files: tuple[Path, ...],
    output: Path | None,
    columns: tuple[str, ...],
    home: Path | None,
    fail_on: str | None,
    as_json: bool,
) -> int:
    if output and not output.absolute().parent.is_dir():
        raise InputError("error.panel_no_folder", folder=output.absolute().parent)
    if output and output.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError("error.validate_output", found=output.name)
    rules = _files(files, output, columns, home, as_json) if files else _warehouse(home, output, as_json)
    failing = fail_on and any(row["findings"] for row in rules if row["severity"] in LEVELS[fail_on])
    return 1 if failing else 0


def _files(
    files: tuple[Path, ...], output: Path | None, columns: tuple[str, ...], home: Path | None, as_json: bool
) -> list[dict[str, Any]]:
    """The files judged, the findings written, the counts told; {rule, severity, findings} of what was found."""
    from mortality.validation.file import validate_files
    from mortality.validation.finding_rows import write_findings

    bar = ProgressBar(label("cli.check.progress"))
    result = validate_files(files, columns=columns, restricted=may_see_restricted(home), progress=bar)
    bar.close()
    if output:
        write_findings(result.findings, output)
    counts = counted(result)
    if as_json:
        print_json({"files": result.files, "rules": counts, "output": output})
    else:
        _tell(result, counts, output)
    return counts


def may_see_restricted(home: Path | None) -> bool:
    """Whether the account of a home may know of HIV; without a home nobody's right can be known."""
    if home is None:
        return False
    from tkyt_analysis.access.decision import NATION, decide
    from tkyt_analysis.access.door import current_account

    return decide(current_account(home), "read_hiv", place=NATION).allowed


def counted(result: Validation) -> list[dict[str, Any]]:
    """Findings by rule, the worst first: rule, title, severity, findings, judged, total."""
    from mortality.validation.finding_rows import SEVERITIES

    found = result.findings.groupby(["rule", "severity"], sort=True).size()
    known = result.rules.set_index("rule_id") if len(result.rules) else result.rules
    rows = []
    for (rule, severity), count in found.items():
        of_rule = known.loc[rule] if rule in known.index else None
        title = of_rule["title"] if of_rule is not None else label("validate.reading")
        row = {"rule": rule, "title": title, "severity": severity, "findings": int(count)}
        rows.append(
            row | ({"judged": int(of_rule["judged"]), "total": int(of_rule["total"])} if of_rule is not None else {})
        )
    return sorted(rows, key=lambda row: (SEVERITIES.index(row["severity"]), -row["findings"], row["rule"]))


def _tell(result: Validation, counts: list[dict[str, Any]], output: Path | None) -> None:
    for one in result.files:
        numbers = {name: format_number(one[name]) for name in ("received", "landed", "quarantined")}
        click.echo(label("validate.file", file=one["file"], **numbers))
        if one["reason"]:
            click.echo(f"  {one['reason']}")
    idle = int((result.rules["judged"] == 0).sum()) if len(result.rules) else 0
    _tell_counts(counts, len(result.findings), idle, output)


def _tell_counts(rows: list[dict[str, Any]], findings: int, idle: int, output: Path | None) -> None:
    print_table(
        [label(f"column.{name}") for name in ("rule", "severity", "findings")],
        [[f"{row['title']} ({row['rule']})", label(f"severity.{row['severity']}"), format_number(row["findings"])] for row in rows],
        numbers=(2,),
    )  # fmt: skip
    click.echo(label("validate.done", findings=format_number(findings), idle=format_number(idle)))
    if output:
        click.echo(label("validate.written", output=output))


def _warehouse(home: Path | None, output: Path | None, as_json: bool) -> list[dict[str, Any]]:
    """The death rules on the warehouse (`tkyt check` with these rules alone), the worst first; its findings written."""
    from mortality.validation.file import death_rules, warehouse_findings
    from mortality.validation.finding_rows import SEVERITIES, write_findings
    from tkyt_analysis.pipeline import check_warehouse
    from tkyt_analysis.settings import home_directory

    place, rules = Path(home).expanduser().absolute() if home else home_directory(), death_rules()
    bar = ProgressBar(label("cli.check.progress"))
    summary = check_warehouse(place, rules=tuple(rule.id for rule in rules), progress=bar)
    bar.close()
    if output:
        write_findings(warehouse_findings(place, rules), output)
    if as_json:
        print_json({"rules": summary, "output": output})
        return summary
    rows = [row for row in summary if row["findings"]]
    rows.sort(key=lambda row: (SEVERITIES.index(row["severity"]), -row["findings"], row["rule"]))
    found = sum(row["findings"] for row in summary)
    _tell_counts(rows, found, sum(1 for row in summary if not row["judged"]), output)
    return summary
