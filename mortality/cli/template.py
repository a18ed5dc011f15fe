"""`tkyt deaths template`: the form of the capture app as an Excel book, for communes without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from mortality.capture.place import Workplace


def write_template(home: Path, unit: str, year: int, target: Path) -> dict[str, object]:
    """Write the empty book of a commune and year; a folder gets the usual file name. Raises InputError for no commune.

    unit : unit id, code or name of a commune; the note of practice data stands on it in a practice home
    """
    from mortality.capture.session import require_year
    from mortality.capture.workbook import file_name, write_workbook
    from tkyt_analysis.warehouse.lake import is_practice

    place = _commune(unit)
    require_year(year)
    path = target / file_name(place, year) if target.is_dir() or not target.suffix else target
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_workbook(path, place, year, practice=is_practice(home))
    except OSError as error:
        raise InputError("error.capture_template_not_written", file=path, problem=error.strerror) from None
    return {"file": str(path), "unit_id": place.unit_id, "unit": place.title, "year": year}


def _commune(unit: str) -> Workplace:
    from mortality.capture.place import find_workplaces, workplace
    from tkyt_analysis.access import Account, Scope

    if ":" in unit:
        return workplace(unit)
    found = find_workplaces(Account("", "ministry", "VN", Scope(nation=True)), unit)
    if len(found) != 1:
        raise InputError("error.capture_unit", unit=unit, found=len(found))
    return found[0]


@click.command("template", help=label("cli.deaths.template"))
@click.option("--unit", required=True, help=label("cli.deaths.template.unit"))
@click.option("--year", type=int, default=None, help=label("cli.deaths.template.year"))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.template.output")
)
@home_option
@json_option
def template(unit: str, year: int | None, output: Path, home: Path, as_json: bool) -> None:
    from mortality.capture.session import today

    made = write_template(home, unit, year or today().year, output)
    if as_json:
        print_json(made)
    else:
        click.echo(label("capture.template.done", file=made["file"], year=made["year"], unit=made["unit"]))
