"""`tkyt deaths show RECORD`: every field of one death record and where it comes from."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import label

SHOWN = ("field", "value", "as_written", "column_name", "how")


@click.command("show", help=label("cli.deaths.show"))
@click.argument("record", metavar="RECORD")
@click.option("--why", default="", help=label("cli.deaths.show.why"))
@home_option
@json_option
def show(record: str, why: str, home: Path, as_json: bool) -> None:
    from mortality.records.provenance import provenance, title_of

    rows = provenance(home, record.strip().lower(), why=why)
    if as_json:
        print_json({"record": record, "fields": rows.to_dict("records")})
        return
    shown = rows.assign(field=rows["field"].map(title_of), how=[label(f"provenance.how.{how}") for how in rows["how"]])
    short = shown[list(SHOWN)].map(lambda text: text if len(text) <= 40 else text[:39] + "…")
    print_table([label(f"records.show.columns.{name}") for name in SHOWN], short.itertuples(index=False))
