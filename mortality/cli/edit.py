"""`tkyt deaths edit`: a CSV of certificates or coded deaths checked into a CSV of findings, with a summary table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
import pandas as pd

from tkyt_analysis.cli.terminal import json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from mortality.validation.edit_summary import EditSummary

ROWS_AT_ONCE = 100_000
# Other names under which files know a column.
ALIASES = {
    "ucod": "underlying_cause", "code": "underlying_cause", "underlying_cause_as_given": "underlying_cause", "freeid": "id",
    "age value": "age_value", "age type": "age_unit",
}  # fmt: skip


def edit_deaths_file(source: Path, target: Path, *, country: str = "VN", edition: int = 2019) -> EditSummary:
    """Findings on a CSV (columns of `edit_certificates`) into a CSV, errors first; counts come back.

    The result: id, severity, check, rule_id, field, code, value, lower, upper, suggestion, verdict, sentence; it appears only
    when every row is done. Raises InputError for a file that is no such CSV, or a place that cannot be written.
    """
    from mortality.validation.edit_findings import SEVERITIES

    unfinished = {name: target.with_name(f"{target.name}.{name}.unfinished") for name in SEVERITIES}
    try:
        with ExitStack() as open_files:
            out = {
                name: open_files.enter_context(path.open("w", encoding="utf-8", newline=""))
                for name, path in unfinished.items()
            }
            summary = _edit_blocks(source, out, country, edition)
        _join(list(unfinished.values()), target)
    except OSError as error:
        raise InputError("error.edit_target", file=target, reason=error.strerror or "") from error
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return summary


def _edit_blocks(source: Path, out: Mapping[str, TextIO], country: str, edition: int) -> EditSummary:
    """Each block's findings to the file of their severity; the counts of all."""
    from mortality.validation.certificate_edits import edit_certificates
    from mortality.validation.edit_sentences import with_sentences
    from mortality.validation.edit_summary import summarise_edits

    total, first = None, True
    for block in _read(source):
        found = edit_certificates(block, country=country, edition=edition)
        part = summarise_edits(block, found, country=country, edition=edition)
        total = part if total is None else total + part
        worded = with_sentences(found, country=country).drop(columns="row")
        for name, stream in out.items():
            rows = worded[worded["severity"] == name]
            rows.to_csv(stream, index=False, header=first and name == "error", lineterminator="\n")
        first = False
    if total is None:
        raise InputError("error.edit_file", file=source)
    return total


def _read(source: Path) -> Iterator[pd.DataFrame]:
    """The CSV as text columns with our names, a bounded number of rows at a time (an empty one as one empty block)."""
    try:
        with pd.read_csv(
            source, dtype=str, keep_default_na=False, chunksize=ROWS_AT_ONCE, encoding="utf-8-sig"
        ) as blocks:
            for block in blocks:
                block.columns = [str(name).strip().lower() for name in block.columns]
                names = {old: new for old, new in ALIASES.items() if new not in block.columns}
                yield block.rename(columns=names).replace("", pd.NA)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
        raise InputError("error.edit_file", file=source) from error


def _join(parts: list[Path], target: Path) -> None:
    whole = target.with_name(target.name + ".unfinished")
    with whole.open("wb") as out:
        for part in parts:
            out.write(part.read_bytes())
    whole.replace(target)


@click.command("edit", help=label("cli.deaths.edit"))
@click.argument("source", metavar="IN.csv", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.edit_output"))
@click.option("--country", default="VN", show_default=True, help=label("cli.deaths.edit_country"))
@click.option("--edition", default=2019, show_default=True, type=int, help=label("cli.deaths.edit_edition"))
@json_option
def edit(source: Path, output: Path, country: str, edition: int, as_json: bool) -> None:
    summary = edit_deaths_file(source, output, country=country, edition=edition)
    result = as_result(summary, output)
    if as_json:
        print_json(result)
        return
    _print_tables(summary, country)
    share = format_number(100 * summary.ill_defined / summary.coded, 1) if summary.coded else "–"
    click.echo(label("edit.ill_defined", ill_defined=summary.ill_defined, coded=summary.coded, share=share))
    counts = {name: result[name] for name in ("rows", "error", "warning", "note", "file")}
    click.echo(label("edit.done", **counts))


def as_result(summary: EditSummary, output: Path) -> dict[str, object]:
    """The counts as plain values: rows, error, warning, note, by_check, by_group, by_sex_and_age, ill_defined, coded, file."""
    by_severity = summary.findings.groupby("severity")["findings"].sum().to_dict()
    return {
        "file": str(output),
        "rows": summary.records,
        **{name: int(by_severity.get(name, 0)) for name in ("error", "warning", "note")},
        "coded": summary.coded,
        "ill_defined": summary.ill_defined,
        "by_check": summary.findings.set_index("check")["findings"].to_dict(),
        "by_group": summary.groups.set_index("group")["deaths"].to_dict(),
        "by_sex_and_age": summary.people.to_dict("records"),
    }


def _print_tables(summary: EditSummary, country: str) -> None:
    from mortality.validation.edit_findings import SEVERITIES
    from mortality.validation.edit_sentences import titles

    known = titles(country, current_language())
    order = {name: number for number, name in enumerate(SEVERITIES)}
    rows = summary.findings.assign(rank=summary.findings["severity"].map(order)).sort_values(["rank", "check"])
    print_table(
        [label(f"edit.table.{name}") for name in ("severity", "check", "findings", "title")],
        [
            (label(f"edit.severity.{row.severity}"), str(row.check), str(row.findings), known[str(row.check)])
            for row in rows.itertuples()
        ],
        numbers=[2],
    )
    click.echo("")
    print_table(
        [label(f"edit.table.{name}") for name in ("group", "deaths", "share")],
        [
            (label(f"edit.group.{row.group}"), str(row.deaths), format_number(100 * row.deaths / summary.records, 1))
            for row in summary.groups.itertuples()
        ],
        numbers=[1, 2],
    )
    click.echo("")
    _print_people(summary)


def _print_people(summary: EditSummary) -> None:
    from mortality.validation.edit_summary import AGE_GROUPS, SEXES, UNKNOWN

    by_group = {(row.sex, row.age_group): row for row in summary.people.itertuples()}
    rows = [by_group[sex, age] for sex in SEXES for age in AGE_GROUPS if (sex, age) in by_group]
    print_table(
        [label(f"edit.table.{name}") for name in ("sex", "age", "deaths", "ill_defined", "share")],
        [
            (
                label(f"edit.sex.{row.sex}"),
                label("edit.age.unknown") if row.age_group == UNKNOWN else str(row.age_group).replace("-", "–"),
                str(row.deaths),
                str(row.ill_defined),
                format_number(100 * row.ill_defined / row.coded, 1) if row.coded else "–",
            )
            for row in rows
        ],
        numbers=[2, 3, 4],
    )
