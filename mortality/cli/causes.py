"""`tkyt causes`: the cause lists of the catalog and their partition report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tkyt_analysis.cli.terminal import json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from mortality.tabulation.partition import PartitionReport

WIDEST = 60


@click.group(help=label("cli.causes"))
def causes() -> None:
    """The group itself does nothing."""


@causes.command("lists", help=label("cli.causes.lists"))
@json_option
def lists(as_json: bool) -> None:
    from tkyt_analysis.catalog import read_codelist
    from tkyt_analysis.catalog.loader import load_entries

    language = current_language()
    rows = [
        {"id": entry.id, "kind": kind, "title": entry.title[language], "rows": len(read_codelist(items)),
         "from": entry.valid.from_ if entry.valid else None, "to": entry.valid.to if entry.valid else None,
         "unverified": entry.unverified, "source": entry.source}
        for kind in ("cause_lists", "cause_definitions")
        for entry in load_entries(kind).values()
        for items in [entry.items if kind == "cause_lists" else entry.parts]
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    print_table(
        [label(f"causes.column.{name}") for name in ("list", "kind", "title", "rows", "trust")],
        [
            (row["id"], label(f"causes.kind.{row['kind']}"), row["title"], format_number(row["rows"]), _trust(row["unverified"]))
            for row in rows
        ],
        numbers=[3],
    )  # fmt: skip


@causes.command("check", help=label("cli.causes.check"))
@click.argument("list_ids", nargs=-1, metavar="[LIST …]")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.causes.check.output"))
@json_option
def check(list_ids: tuple[str, ...], output: Path | None, as_json: bool) -> int:
    from mortality.tabulation.partition import partition_report, partition_reports

    reports = [partition_report(one) for one in list_ids] if list_ids else partition_reports()
    if output:
        _write(reports, output)
    if as_json:
        print_json([report.as_dict() for report in reports])
    else:
        _tell(reports, whole=bool(list_ids))
    return 0


def _trust(unverified: bool) -> str:
    return label("causes.unverified") if unverified else ""


def _tell(reports: list[PartitionReport], *, whole: bool) -> None:
    numbers = ("items", "headings", "placed", "gaps", "gaps_underlying", "resolved", "incomplete", "unverified_items")
    print_table(
        [label(f"causes.column.{name}") for name in ("list", *numbers)],
        [(report.id, *(format_number(getattr(report, name)) for name in numbers)) for report in reports],
        numbers=range(1, 1 + len(numbers)),
    )
    click.echo(label("causes.universe", None, codes=format_number(reports[0].universe) if reports else "0"))
    for report in reports:
        if report.gaps_underlying:
            click.echo(label("causes.gaps", None, list=report.id, codes=_short(report.gap_ranges_underlying, whole)))
        if report.resolved:
            click.echo(label("causes.resolved", None, list=report.id, codes=_short(report.resolved_ranges, whole)))


def _short(text: str, whole: bool) -> str:
    return text if whole or len(text) <= WIDEST else text[:WIDEST].rsplit(";", 1)[0] + "; …"


def _write(reports: list[PartitionReport], output: Path) -> None:
    import pandas as pd

    try:
        pd.DataFrame([report.as_dict() for report in reports]).to_csv(output, index=False, encoding="utf-8-sig")
    except OSError as error:
        raise InputError("error.tabulation_target", file=output, reason=error.strerror or "") from error
