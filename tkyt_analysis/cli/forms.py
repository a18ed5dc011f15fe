"""`tkyt form …`: the catalog of forms, and forms as workbooks to fill in."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import ProgressBar, json_option, print_json, print_table
from tkyt_analysis.labels import format_date, format_number, label

LEVELS = ("commune", "district", "province", "facility", "ministry")


@click.group(help=label("cli.form"))
def form() -> None:
    """The group itself does nothing."""


def _day(context: click.Context, parameter: click.Parameter, value: Any) -> datetime.date | None:
    return value.date() if value else None


at_option = click.option(
    "--at", "day", type=click.DateTime(["%Y-%m-%d", "%d/%m/%Y"]), default=None, callback=_day, help=label("cli.form.at")
)


@form.command("list", help=label("cli.form.list"))
@at_option
@click.option("--level", type=click.Choice(LEVELS), default=None, help=label("cli.form.level"))
@json_option
def list_command(day: datetime.date | None, level: str | None, as_json: bool) -> None:
    from tkyt_analysis.forms.describe import in_force_words, summary
    from tkyt_analysis.forms.find import list_forms

    found = list_forms(at=day, level=level)
    if as_json:
        print_json([summary(one) for one in found])
        return
    headings = [label(f"forms.column.{name}") for name in ("code", "title", "level", "in_force", "cells", "mark")]
    rows = [
        [one.code, row["title"], label(f"forms.level.{row['level']}"), in_force_words(one), _cells(row), _mark(row)]
        for one, row in ((one, summary(one)) for one in found)
    ]
    print_table(headings, rows, numbers=(4,))
    unverified = sum(one.unverified for one in found)
    unknown = sum(not one.version.cells_known for one in found)
    click.echo(label("cli.form.list.count", versions=len(found), unverified=unverified, unknown=unknown))


def _cells(row: dict[str, Any]) -> str:
    if not row["cells_known"]:
        return "?"
    return format_number(row["cells"]) if row["cells"] else label("forms.column.columns", count=row["columns"])


def _mark(row: dict[str, Any]) -> str:
    if not row["cells_known"]:
        return label("forms.mark.cells_unknown")
    return label("forms.unverified") if row["unverified"] else ""


@form.command("show", help=label("cli.form.show"))
@click.argument("code")
@at_option
@json_option
def show(code: str, day: datetime.date | None, as_json: bool) -> None:
    from tkyt_analysis.forms.describe import details
    from tkyt_analysis.forms.find import FormAt, find_form, form_at, list_forms

    entry = find_form(code)
    versions: list[FormAt] = [form_at(entry, day)] if day else [one for one in list_forms() if one.form.id == entry.id]
    if as_json:
        print_json([details(one) for one in versions])
        return
    for one in versions:
        _print_version(one)


def _print_version(found: Any) -> None:
    from tkyt_analysis.forms.describe import details, in_force_words

    told = details(found)
    click.echo(label("cli.form.show.head", code=found.code, title=told["title"], form=told["form"]))
    facts = {
        "level": label(f"forms.level.{told['level']}") + (f" ({told['reporters']})" if told["reporters"] else ""),
        "in_force": in_force_words(found),
        "source": told["reference"],
        "periods": ", ".join(label(f"period.kind.{kind}") for kind in told["period_kinds"]),
        "deadline": told["deadline"],
        "receiver": told["receiver"],
        "notes": told["notes"],
    }
    for name, text in facts.items():
        if text:
            click.echo(f"  {label(f'forms.fact.{name}')}: {text}")
    for period, day in told["due_dates"].items():
        click.echo("    " + label("forms.due_of", period=period, day=format_date(datetime.date.fromisoformat(day))))
    for sentence in told["doubts"]:
        click.echo(f"  ! {sentence}")
    _print_cells(told)


def _print_cells(told: dict[str, Any]) -> None:
    if not told["cells_known"]:
        click.echo(f"  {label('cli.form.cells_unknown')}")
        return
    marks = [label("forms.column.row"), label("forms.column.label"), label("forms.column.unit")]
    if told["rows"]:
        rows = [[row["number"] or row["row"], row["label"], row["unit"]] for row in told["rows"]]
        print_table(marks, rows)
    columns = ", ".join(f"{one['title']} [{one['column']}]" for one in told["column_ids"])
    click.echo(f"  {label('forms.fact.columns')}: {columns}")
    for sentence in told["rules"]:
        click.echo(f"  • {sentence}")


@form.command("template", help=label("cli.form.template"))
@click.argument("code")
@click.option("--unit", default=None, help=label("cli.form.unit"))
@click.option("--unit-name", default="", help=label("cli.form.unit_name"))
@click.option("--for", "place", default=None, help=label("cli.form.for"))
@click.option("--period", required=True, help=label("cli.form.period"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path(), help=label("cli.form.output"))
@click.option("--filled", type=click.Choice(["practice"]), default=None, help=label("cli.form.filled"))
@json_option
def template(
    code: str, unit: str | None, unit_name: str, place: str | None, period: str, output: Path, filled: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    from tkyt_analysis.errors import UsageError
    from tkyt_analysis.forms.template import make_templates

    if bool(unit) == bool(place):
        raise UsageError("error.forms.unit_or_place")
    bar = ProgressBar(label("cli.form.progress"))
    made = make_templates(
        code,
        period,
        output,
        unit=unit or "",
        place=place or "",
        name=unit_name,
        practice=filled == "practice",
        progress=bar,
    )
    bar.close()
    if as_json:
        print_json({"form": made.found.form.id, "version": made.found.start, "files": made.files,
                    "cells_known": made.found.version.cells_known, "unverified": made.found.unverified})  # fmt: skip
        return
    if len(made.files) == 1:
        click.echo(label("cli.form.template.one", file=made.files[0]))
    else:
        click.echo(label("cli.form.template.many", count=format_number(len(made.files)), folder=output))
    if not made.found.version.cells_known:
        click.echo(label("cli.form.cells_unknown"))
    elif made.found.unverified:
        click.echo(label("cli.form.unverified"))
