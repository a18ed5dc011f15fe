"""`tkyt icd`: show a code in every edition, check which edition a file speaks, load the ministry's list."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_date, format_number, label


@click.group(help=label("cli.icd"))
def icd() -> None:
    """The ICD registry."""


@icd.command("show", help=label("cli.icd.show"))
@click.argument("code", metavar="CODE")
@home_option
@json_option
def show(code: str, home: Path, as_json: bool) -> None:
    from mortality.icd.describe import describe_code

    found = describe_code(code, home=home)
    if as_json:
        print_json(found)
        return
    click.echo(label("icd.show.title", **{name: found[name] or "–" for name in ("shown", "title_vi", "title_en")}))
    click.echo(label(f"icd.status.{found['status']}", written=found["written"], code=found["code"] or "–"))
    click.echo(label("icd.show.source", source=label(f"icd.source.{found['title_source']}")))
    print_table([label(f"icd.column.{name}") for name in found["editions"][0]], map(_edition_cells, found["editions"]))


def _edition_cells(row: dict[str, Any]) -> list[str]:
    return [_cell(value) for value in row.values()]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return label("icd.yes" if value else "icd.no")
    if isinstance(value, list):
        return ", ".join(label(f"icd.flag.{one}") if "_" in one or one.islower() else one for one in value) or "–"
    if isinstance(value, date):
        return format_date(value)
    return str(value) if value not in (None, "") else "–"


@icd.command("check", help=label("cli.icd.check"))
@click.argument("source", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--column", "columns", multiple=True, help=label("cli.icd.column"))
@click.option("--edition", "name", default=None, help=label("cli.icd.against"))
@home_option
@json_option
def check(source: Path, columns: tuple[str, ...], name: str | None, home: Path, as_json: bool) -> None:
    from mortality.icd.edition_check import CLASSES, check_edition_of_file
    from mortality.icd.editions import edition

    against = edition(name, home=home) if name else None
    found = check_edition_of_file(source, columns=columns, against=against)
    if as_json:
        print_json(
            {
                "file": str(source),
                "columns": found.columns,
                "codes": found.codes,
                "classes": found.classes,
                "shares": {name: found.share(name) for name in CLASSES},
                "looks_like_cm": found.looks_like_cm,
                "examples": found.examples,
                "suggestions": found.suggestions,
                "edition": name,
                "against": found.against,
            }
        )
        return
    click.echo(label("icd.check.read", codes=format_number(found.codes), columns=", ".join(found.columns)))
    print_table(
        [label(f"icd.check.column.{name}") for name in ("class", "codes", "share", "examples")],
        [
            [
                label(f"icd.class.{name}"),
                format_number(found.classes[name]),
                format_number(100 * found.share(name), 1) + " %",
                ", ".join(code for code, _ in found.examples[name][:6]) or "–",
            ]
            for name in CLASSES
        ],
        numbers=(1, 2),
    )
    click.echo(label("icd.check.cm" if found.looks_like_cm else "icd.check.who"))
    for code, _ in found.examples["cm_only"]:
        suggestion = found.suggestions[code]
        click.echo(label("icd.check.map" if suggestion else "icd.check.person", code=code, suggestion=suggestion))
    for what, count in found.against.items():
        figure = label("icd.check.not_listed" if what == "not_listed" else f"icd.figure.{what}")
        click.echo(label("icd.check.against", edition=name, figure=figure, count=format_number(count)))


@icd.command("load", help=label("cli.icd.load"))
@click.argument("source", metavar="FILE.xlsx", type=click.Path(path_type=Path))
@click.option("--edition", "name", required=True, help=label("cli.icd.edition"))
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]), default=None, help=label("cli.icd.valid_from"))
@click.option("--valid-to", type=click.DateTime(["%Y-%m-%d"]), default=None, help=label("cli.icd.valid_to"))
@home_option
@json_option
def load(
    source: Path, name: str, valid_from: datetime | None, valid_to: datetime | None, home: Path, as_json: bool
) -> None:
    from mortality.icd.ministry_store import load_ministry_file

    about = load_ministry_file(
        source,
        name,
        home=home,
        valid_from=valid_from.date() if valid_from else None,
        valid_to=valid_to.date() if valid_to else None,
    )
    if as_json:
        print_json(about)
        return
    click.echo(
        label("icd.load.done", edition=name, codes=format_number(about["counts"]["rows"]), folder=about["folder"])
    )
    for figure, count in about["counts"].items():
        click.echo("  " + label("icd.load.count", figure=label(f"icd.figure.{figure}"), count=format_number(count)))
    for one in about["differences"]:
        figure = label(f"icd.figure.{one['figure']}")
        numbers = {side: format_number(one[side]) for side in ("expected", "found")}
        click.echo(label("icd.load.difference", figure=figure, **numbers))
    for one in about["problems"][:20]:
        click.echo("  " + label("icd.load.problem", row=one["row"] or "–", what=label(one["kind"]), value=one["value"]))
    if len(about["problems"]) > 20:
        click.echo(label("icd.load.more", count=format_number(len(about["problems"]) - 20)))
