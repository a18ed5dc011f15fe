"""`tkyt deaths garbage`: the share of garbage codes, of a CSV or of the current release, and old age by age."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd

from mortality.garbage.lists import DEFAULT_LIST
from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label


def garbage_of(
    source: Path | None, *, home: Path | None, list_id: str, by: list[str], code: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(shares by `by`, old age by age) of a CSV, or of the current release; `by` may name sector (place of death or source).

    Of a home, ["coder"] reads the choices of coders.
    """
    from mortality.garbage.lists import load_garbage_list
    from mortality.garbage.share import garbage_share, senility_by_age, with_sector
    from mortality.tabulation.death_counts import count_deaths_in_file, count_released_deaths

    if source is None and by == ["coder"]:
        from mortality.garbage.coders import garbage_by_coder

        return garbage_by_coder(home or Path(), garbage=load_garbage_list(list_id)), pd.DataFrame({"senility": []})
    asked = [name for name in by if name != "sector"]
    if source is None:
        wanted = [*asked, "age_years", *(["place_of_death", "source"] if "sector" in by else [])]
        counts, _ = count_released_deaths(home or Path(), list(dict.fromkeys(wanted)))
    else:
        wanted = [*asked, "age_years", *(["place_of_death"] if "sector" in by else [])]
        counts = count_deaths_in_file(source, list(dict.fromkeys(wanted)), code=code)
    counts = with_sector(counts)
    shares = garbage_share(counts, by=by, garbage=load_garbage_list(list_id), deaths_column="deaths")
    return shares, senility_by_age(counts, deaths_column="deaths")


@click.command("garbage", help=label("cli.deaths.garbage"))
@click.argument("source", metavar="[IN.csv]", required=False, type=click.Path(path_type=Path))
@click.option("--list", "list_id", default=DEFAULT_LIST, show_default=True, help=label("cli.deaths.garbage.list"))
@click.option("--by", default="", metavar="COLUMN[,COLUMN]", help=label("cli.deaths.garbage.by"))
@click.option("--code", default="", metavar="COLUMN", help=label("cli.deaths.tabulate.code"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.deaths.tabulate.output"))
@home_option
@json_option
def garbage(
    source: Path | None, list_id: str, by: str, code: str, output: Path | None, home: Path, as_json: bool
) -> None:
    columns = [name.strip() for name in by.split(",") if name.strip()]
    shares, old_age = garbage_of(source, home=home, list_id=list_id, by=columns, code=code)
    if output:
        try:
            shares.to_csv(output, index=False, encoding="utf-8-sig", lineterminator="\n")
        except OSError as error:
            raise InputError("error.tabulation_target", file=output, reason=error.strerror or "") from error
    if as_json:
        print_json({"list": list_id, "shares": shares.to_dict("records"), "old_age": old_age.to_dict("records")})
        return
    if shares.empty:
        click.echo(label("garbage.nothing"))
        return
    _tell(shares, columns)
    _tell_old_age(old_age)


def _percent(row: Mapping[Any, Any]) -> tuple[str, str]:
    if row["status"] != "ok":
        return "–", "–"
    return format_number(
        100 * row["share"], 1
    ), f"{format_number(100 * row['lower'], 1)}–{format_number(100 * row['upper'], 1)}"


def _tell(shares: pd.DataFrame, by: list[str]) -> None:
    print_table(
        [*by, *(label(f"garbage.column.{name}") for name in ("category", "deaths", "total", "share", "limits"))],
        [
            (*(str(row[name]) for name in by), category_title(str(row["category"])), format_number(row["deaths"]), format_number(row["total"]), *_percent(row))
            for row in shares.to_dict("records")
        ],
        numbers=range(len(by) + 1, len(by) + 5),
    )  # fmt: skip


def category_title(category: str) -> str:
    """A category in words; one of a file as it is written there."""
    from tkyt_analysis.labels import all_labels

    key = f"garbage.category.{category}"
    return label(key) if key in all_labels() else category


def _tell_old_age(table: pd.DataFrame) -> None:
    rows = table[table["senility"] > 0].to_dict("records")
    if not rows:
        return
    click.echo("")
    print_table(
        [label(f"garbage.column.{name}") for name in ("age", "deaths", "old_age", "mark")],
        [
            (
                label("garbage.age_unknown")
                if row["age_group"] == "unknown"
                else str(row["age_group"]).replace("-", "–"),
                format_number(row["deaths"]),
                format_number(row["senility"]),
                label("garbage.mark") if row["marked"] else "",
            )
            for row in rows
        ],
        numbers=[1, 2],
    )
