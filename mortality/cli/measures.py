"""`tkyt deaths measures`: rates, standardised rates and life tables of a CSV, or the indicators of a released place and year."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import all_labels, format_number, label

if TYPE_CHECKING:
    import pandas as pd

SHOWN_UNITS = 3  # units of a file that are printed; -o has all


@click.command("measures", help=label("cli.deaths.measures"))
@click.argument("source", metavar="[IN.csv]", required=False, type=click.Path(path_type=Path))
@click.option("--standard", default="who_2000_2025", show_default=True, help=label("cli.deaths.measures.standard"))
@click.option("--place", default="", help=label("cli.deaths.measures.place"))
@click.option("--year", type=int, default=None, help=label("cli.deaths.measures.year"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.deaths.measures.output"))
@home_option
@json_option
def measures(
    source: Path | None, standard: str, place: str, year: int | None, output: Path | None, home: Path, as_json: bool
) -> None:
    if source is None:
        from mortality.measures.measures_home import measures_of_release

        table, release = measures_of_release(home, place=place, year=year)
        about: dict[str, Any] = {"release": release}
    else:
        from mortality.measures.measures_file import measures_of_file

        table, about = measures_of_file(source, standard=standard), {"file": source}
    if output:
        _write(table, output)
    if as_json:
        print_json({**about, "output": output, "rows": _plain(table)})
        return
    if source is None:
        _tell_release(table, home)
    else:
        _tell_file(table)
    if output:
        click.echo(label("measures.written", None, rows=format_number(len(table)), file=output))


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for machines: a missing number is null."""
    return [
        {str(name): None if isinstance(value, float) and value != value else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _write(table: pd.DataFrame, output: Path) -> None:
    if not output.resolve().parent.is_dir():
        raise InputError("error.measures_target", file=output, reason=label("measures.unwritable.folder"))
    try:
        table.to_csv(output, index=False, encoding="utf-8-sig", lineterminator="\n")
    except OSError as error:
        raise InputError("error.measures_target", file=output, reason=label("measures.unwritable.denied")) from error


def _tell_release(table: pd.DataFrame, home: Path) -> None:
    from tkyt_analysis.reference.places import place
    from tkyt_analysis.warehouse.lake import is_practice

    if is_practice(home):
        click.echo(label("practice.note"))
    name = place(str(table["unit_id"].iloc[0])).name
    click.echo(label("measures.of_release", None, place=name, year=table["year"].iloc[0]))
    columns = ("indicator", "registered", "corrected", "unit")
    rows = [
        (
            row["title"],
            _figure(
                row, "registered", "registered_lower", "registered_upper", silent=row["corrected"] == row["corrected"]
            ),
            _figure(row, "corrected", "corrected_lower", "corrected_upper", silent=True),
            row["unit"],
        )
        for row in table[table["sex"] == "total"].to_dict("records")
    ]
    print_table([label(f"measures.column.{name}") for name in columns], rows, numbers=(1, 2))


def _figure(row: dict[Any, Any], value: str, lower: str, upper: str, *, silent: bool = False) -> str:
    """ "71,2 (70,1–72,3)"; why not where there is no figure."""
    if row[value] != row[value]:
        return "–" if silent else _why(row["reason"])
    if row[lower] != row[lower]:
        return format_number(row[value], _digits(row[value]))
    digits = _digits(row[value])
    return (
        f"{format_number(row[value], digits)} ({format_number(row[lower], digits)}–{format_number(row[upper], digits)})"
    )


def _digits(value: float) -> int:
    return 0 if abs(value) >= 1_000 or float(value).is_integer() else 1 if abs(value) >= 10 else 2


def _why(reason: Any) -> str:
    """The reason in words; releases made before reasons were kept have none."""
    return label(reason) if reason in all_labels() else label("verdict.not_assessable")


def _tell_file(table: pd.DataFrame) -> None:
    crowded = table[(table["measure"] == "age_specific_death_rate") & (table["events"] > table["population"])]
    if len(crowded):
        one = crowded.iloc[0]
        words = [one["unit"], one["year"], label(f"sex.{one['sex']}"), one["age_group"]]
        where = ", ".join(str(word) for word in words if str(word))
        click.echo(label("measures.more_deaths_than_people", where=where, count=format_number(len(crowded))), err=True)
    shown = table[table["measure"] != "age_specific_death_rate"]
    units = list(dict.fromkeys(zip(shown["unit"], shown["year"], strict=True)))
    columns = ("place", "year", "sex", "measure", "value", "events")
    rows = [
        (
            row["unit"], row["year"], label(f"sex.{row['sex']}"), label(f"measures.{row['measure']}"),
            _figure(row, "value", "lower", "upper"), format_number(row["events"], 0),
        )
        for row in shown.to_dict("records")
        if (row["unit"], row["year"]) in units[:SHOWN_UNITS]
    ]  # fmt: skip
    print_table([label(f"measures.column.{name}") for name in columns], rows, numbers=(4, 5))
    if len(units) > SHOWN_UNITS:
        click.echo(label("measures.more", None, shown=SHOWN_UNITS, units=format_number(len(units))))
